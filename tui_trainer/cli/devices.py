"""`tui-trainer devices`."""

from __future__ import annotations

from tui_trainer.cli.options import Json


def devices(as_json: Json = False) -> None:
    """List what there is to train on, GPUs with the UUIDs that --gpu takes, and what would end a training.

    The numbers are NVML's, as nvidia-smi shows them; CUDA may count differently, a UUID is the same for both.
    """
    from dataclasses import asdict

    from tui_trainer import machine, plain, session
    from tui_trainer.text import clean

    found, allowed, warning = machine.devices(), set(machine.gpus()), session.warning()
    if as_json:
        usable = [{**asdict(device), "usable": device.kind != "cuda" or device.uuid in allowed} for device in found]
        plain.print_json({"devices": usable, "warning": warning})
        return
    rows = []
    for device in found:
        hidden = ["hidden by CUDA_VISIBLE_DEVICES"] if device.kind == "cuda" and device.uuid not in allowed else []
        rows.append(
            (device.label, device.name, " · ".join([*machine.figures(device), *hidden]), clean(device.uuid, 60) or "–")
        )
    plain.print_table(("device", "name", "now", "UUID"), rows)
    if warning:
        print(f"\n! {warning}")
