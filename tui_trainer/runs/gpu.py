"""Which GPU a worker may see. CUDA and NVML number GPUs differently, so the launcher names one by its UUID."""

from __future__ import annotations

from tui_trainer import machine
from tui_trainer.config import RunConfig
from tui_trainer.text import InputError


def place(config: RunConfig, wanted: str = "", before: str = "") -> tuple[dict[str, str], str]:
    """What the worker's environment must say, and what the person must be told about it, mostly nothing.

    `wanted` is `auto`, NVML's number or a UUID; `before` the UUID of the GPU that the run was on. Where neither is
    given, of several GPUs the freest is taken. Raises `InputError` where there is no such GPU.
    """
    if config.training.device not in ("auto", "cuda"):
        if wanted:
            raise InputError(f"--gpu {wanted[:80]}: training.device is {config.training.device}; set device=cuda")
        return {}, ""
    if before and not wanted:
        return _again(before)
    found = machine.visible()
    if not wanted and len(found) < 2:
        return {}, ""
    return _seeing(machine.choose(wanted or "auto", found)), ""


def _again(before: str) -> tuple[dict[str, str], str]:
    """The GPU that the run was on, else the freest with a word about it."""
    found = machine.visible()
    if not found:
        return {}, ""
    if same := [gpu for gpu in found if gpu.uuid.startswith(before)]:
        return _seeing(same[0]), ""
    other = machine.choose("auto", found)
    return _seeing(other), f"{before}, on which it was trained, is not here; it goes on on {other.name}, {other.uuid}"


def _seeing(gpu: machine.Device) -> dict[str, str]:
    return {"CUDA_VISIBLE_DEVICES": gpu.uuid}
