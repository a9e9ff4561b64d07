"""The devices of this machine, described without torch: NVIDIA through NVML, Apple by platform, else the CPU."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tui_trainer.text import InputError, clean, plural

GIB = 1 << 30


@dataclass(frozen=True)
class Device:
    """One place to train. Figures are None where they are not known.

    `index` is NVML's number, which need not be CUDA's; `uuid` is the same for both. Memory is in bytes, `utilisation`
    in percent, `temperature` in °C; `load` is how many programs wanted a core, the mean of the last minute.
    """

    kind: Literal["cuda", "mps", "cpu"]
    name: str
    index: int = 0
    cores: int = 0
    memory_free: int | None = None
    memory_total: int | None = None
    utilisation: int | None = None
    uuid: str = ""
    temperature: int | None = None
    load: float | None = None

    @property
    def label(self) -> str:
        """`cuda:1`, `mps`, `cpu`."""
        return f"cuda:{self.index}" if self.kind == "cuda" else self.kind


def devices() -> list[Device]:
    """Every device, the one `auto` would take first; never empty, never raises."""
    return [*_nvidia(), *_apple(), _cpu()]


def gpus() -> list[str]:
    """The NVIDIA GPUs a program started now may use, each as `CUDA_VISIBLE_DEVICES` names it."""
    return [gpu.uuid for gpu in visible()]


def visible() -> list[Device]:
    """The same with all that is known of each; `uuid` is the name that `CUDA_VISIBLE_DEVICES` takes."""
    found = _nvidia()
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is None or not found:
        return found
    names = [name.strip() for name in allowed.split(",")]
    return [_named(name, found) for name in names if name not in ("", "-1")]


def _named(name: str, found: Sequence[Device]) -> Device:
    """The GPU that CUDA knows by this name. A number is CUDA's, which is NVML's only where cards are counted alike."""
    alike = os.environ.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID" or len({gpu.name for gpu in found}) == 1
    if name.isdecimal():
        known = [gpu for gpu in found if alike and gpu.index == int(name)]
    else:
        known = [gpu for gpu in found if gpu.uuid.startswith(name)]
    return known[0] if len(known) == 1 else Device("cuda", f"NVIDIA GPU {clean(name, 60)}", uuid=name)


def choose(wanted: str, among: Sequence[Device]) -> Device:
    """The GPU meant by `auto`, by NVML's number, or by a UUID or the beginning of one. Raises `InputError`.

    `auto` takes the one with the most free memory, to the GiB, and of equals the least busy one.
    """
    if not among:
        raise InputError(f"--gpu {wanted[:80]}: no NVIDIA GPU may be used here; see: tui-trainer devices")
    if wanted == "auto":
        return max(among, key=lambda gpu: (round((gpu.memory_free or 0) / GIB), -(gpu.utilisation or 0)))
    meant = [
        gpu
        for gpu in among
        if (str(gpu.index) == wanted if wanted.isdecimal() else gpu.uuid.lower().startswith(wanted.lower()))
    ]
    if len(meant) != 1 or not wanted:
        here = ", ".join(f"{gpu.index} ({gpu.uuid})" for gpu in among)
        raise InputError(f"--gpu: {wanted[:80]!r} is {'more than one' if meant else 'none'} of auto, {here}")
    return meant[0]


def cores() -> int:
    """How many processor cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):
        return os.cpu_count() or 1


def describe(device: Device) -> str:
    """`cuda:0 NVIDIA H200 · 131 of 139 GiB free · 3 % busy · 41 °C`, `cpu AMD EPYC 9B45 · 2 cores · load 0.4`."""
    return " · ".join([f"{device.label} {device.name}", *figures(device)])


def figures(device: Device) -> list[str]:
    """What is known of a device beside its name, with units."""
    parts = []
    if device.cores:
        parts.append(plural(device.cores, "core"))
    if device.load is not None:
        parts.append(f"load {device.load:.1f}")
    if device.memory_free is not None and device.memory_total:
        parts.append(f"{device.memory_free / GIB:.0f} of {device.memory_total / GIB:.0f} GiB free")
    if device.utilisation is not None:
        parts.append(f"{device.utilisation} % busy")
    if device.temperature is not None:
        parts.append(f"{device.temperature} °C")
    return parts


def _nvidia() -> list[Device]:
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # no driver, no library, a driver of another version: all mean there is no card to describe
        return []
    try:
        return [_nvidia_device(index) for index in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError:
        return []
    finally:
        pynvml.nvmlShutdown()


def _nvidia_device(index: int) -> Device:
    import pynvml

    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    name = pynvml.nvmlDeviceGetName(handle)
    uuid = str(pynvml.nvmlDeviceGetUUID(handle))
    known: dict[str, Any] = {}
    # each by itself: a card cut into MIG slices has no utilisation; some have no memory figures or temperature either
    with suppress(pynvml.NVMLError):
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
        known |= {"memory_free": int(memory.free), "memory_total": int(memory.total)}
    with suppress(pynvml.NVMLError):
        known["utilisation"] = int(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu)
    with suppress(pynvml.NVMLError):
        known["temperature"] = int(pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU))
    return Device("cuda", clean(str(name), 60), index, uuid=uuid, **known)


def _apple() -> list[Device]:
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return [Device("mps", "Apple GPU")]
    return []


def _cpu() -> Device:
    import psutil

    memory = psutil.virtual_memory()
    try:
        load = os.getloadavg()[0]
    except OSError:
        load = None
    return Device(
        "cpu",
        clean(_cpu_name(), 60),
        cores=cores(),
        memory_free=memory.available,
        memory_total=memory.total,
        temperature=_cpu_temperature(),
        load=load,
    )


def _cpu_temperature() -> int | None:
    """Of the hottest sensor of the processor, where the system shows one."""
    import psutil

    try:
        sensors = psutil.sensors_temperatures()
    except (AttributeError, OSError, ValueError):  # not on every system; sensors may be unreadable or tell nonsense
        return None
    chips = [chip for chip in ("coretemp", "k10temp", "zenpower", "cpu_thermal") if sensors.get(chip)]
    return round(max(sensor.current for sensor in sensors[chips[0]])) if chips else None


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() in ("model name", "Model", "Hardware"):
                return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine() or "processor"
