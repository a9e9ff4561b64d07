"""How busy this machine is, and how much of it one process takes. Without torch; nothing here raises."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class GpuLoad:
    """Memory in bytes; None is what the driver does not tell."""

    busy: float | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    celsius: int | None = None
    watts: float | None = None


@dataclass(frozen=True)
class Load:
    """Shares in percent, `process_cpu` of one core; memory in bytes; None where it is not known."""

    cpu: float | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    process_cpu: float | None = None
    process_memory: int | None = None
    gpu: GpuLoad | None = None


class Sampler:
    """Asked again and again: a processor's load is that since the last time, so the first has none."""

    def __init__(self) -> None:
        self._process: Any = None
        self._spent = self._idle = 0.0

    def sample(self, pid: int, on_gpu: bool) -> Load:
        """The machine now, the process `pid` (0: none), and the GPU it works on where it works on one."""
        import psutil

        cpu = used = total = process_cpu = process_memory = None
        with contextlib.suppress(psutil.Error, OSError):
            times = psutil.cpu_times()
            spent, idle = sum(times), times.idle + getattr(times, "iowait", 0.0)
            passed, slept = spent - self._spent, idle - self._idle
            cpu = 100 * (1 - slept / passed) if self._spent and passed > 0 else None
            self._spent, self._idle = spent, idle
            memory = psutil.virtual_memory()
            used, total = int(memory.total - memory.available), int(memory.total)
        try:
            known = self._process is not None and self._process.pid == pid
            if not known:
                self._process = psutil.Process(pid) if pid else None
            if self._process:
                since_last = float(self._process.cpu_percent())
                process_cpu = since_last if known else None
                process_memory = int(self._process.memory_info().rss)
        except (psutil.Error, OSError, ValueError):
            self._process = None
        return Load(cpu, used, total, process_cpu, process_memory, _gpu(pid) if on_gpu else None)


def _gpu(pid: int) -> GpuLoad | None:
    """The GPU that the process computes on; the only one there is, where the driver does not tell of processes."""
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # no driver, no library, a driver of another version: all mean there is no card to look at
        return None
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        its_own = [handle for handle in handles if pid in _processes(pynvml, handle)]
        if not its_own and len(handles) > 1:
            return None
        return _look(pynvml, (its_own or handles)[0])
    except (pynvml.NVMLError, IndexError):
        return None
    finally:
        pynvml.nvmlShutdown()


def _processes(pynvml: Any, handle: Any) -> Iterator[int]:
    with contextlib.suppress(pynvml.NVMLError):
        for process in pynvml.nvmlDeviceGetComputeRunningProcesses(handle):
            yield process.pid


def _look(pynvml: Any, handle: Any) -> GpuLoad:
    def ask(question: str, *details: Any) -> Any:
        try:
            return getattr(pynvml, question)(handle, *details)
        except pynvml.NVMLError:  # a card cut into MIG slices tells little of itself
            return None

    busy = ask("nvmlDeviceGetUtilizationRates")
    memory = ask("nvmlDeviceGetMemoryInfo")
    power = ask("nvmlDeviceGetPowerUsage")
    return GpuLoad(
        None if busy is None else float(busy.gpu),
        None if memory is None else int(memory.used),
        None if memory is None else int(memory.total),
        ask("nvmlDeviceGetTemperature", pynvml.NVML_TEMPERATURE_GPU),
        None if power is None else power / 1000,
    )
