"""The devices of this machine, described without torch: NVIDIA through NVML, Apple by platform, else the CPU."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tui_trainer.text import clean, plural

GIB = 1 << 30


@dataclass(frozen=True)
class Device:
    """One place to train. Memory in bytes and utilisation in percent are None where they are not known.

    `index` is NVML's number, which need not be CUDA's; `uuid` is the same for both.
    """

    kind: Literal["cuda", "mps", "cpu"]
    name: str
    index: int = 0
    cores: int = 0
    memory_free: int | None = None
    memory_total: int | None = None
    utilisation: int | None = None
    uuid: str = ""


def devices() -> list[Device]:
    """Every device, the one `auto` would take first; never empty, never raises."""
    return [*_nvidia(), *_apple(), _cpu()]


def gpus() -> list[str]:
    """The NVIDIA GPUs a program started now may use, each as `CUDA_VISIBLE_DEVICES` names it."""
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is None:
        return [device.uuid for device in _nvidia()]
    return [name.strip() for name in allowed.split(",") if name.strip() not in ("", "-1")] if _nvidia() else []


def cores() -> int:
    """How many processor cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):
        return os.cpu_count() or 1


def describe(device: Device) -> str:
    """`cuda:0 NVIDIA H200 · 131 of 139 GiB free · 3 %`, `cpu AMD EPYC 9B45 · 2 cores`."""
    label = f"cuda:{device.index}" if device.kind == "cuda" else device.kind
    parts = [f"{label} {device.name}"]
    if device.cores:
        parts.append(plural(device.cores, "core"))
    if device.memory_free is not None and device.memory_total:
        parts.append(f"{device.memory_free / GIB:.0f} of {device.memory_total / GIB:.0f} GiB free")
    if device.utilisation is not None:
        parts.append(f"{device.utilisation} % busy")
    return " · ".join(parts)


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
    free: int | None = None
    total: int | None = None
    busy: int | None = None
    try:
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
        free, total = int(memory.free), int(memory.total)
        busy = int(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu)
    except pynvml.NVMLError:  # a card cut into MIG slices has no utilisation; some have no memory figures either
        pass
    uuid = str(pynvml.nvmlDeviceGetUUID(handle))
    return Device("cuda", clean(str(name), 60), index, 0, free, total, busy, uuid)


def _apple() -> list[Device]:
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return [Device("mps", "Apple GPU")]
    return []


def _cpu() -> Device:
    return Device("cpu", clean(_cpu_name(), 60), cores=cores())


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() in ("model name", "Model", "Hardware"):
                return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine() or "processor"
