"""How many runs at a time, and where: one a GPU, or workers of one thread each on the processor's cores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tui_trainer import machine
from tui_trainer.studies.plan import Row

Slot = Mapping[str, str]
"""What a worker's environment must say to run there."""


def slots(rows: Sequence[Row], jobs: int) -> list[Slot]:
    """Places for `jobs` runs at a time; they share the GPUs where there are fewer."""
    gpus = _gpus(rows)
    return [{"CUDA_VISIBLE_DEVICES": gpus[index % len(gpus)]} if gpus else {} for index in range(jobs)]


def most_useful(rows: Sequence[Row], one_at_a_time: bool, threads: int = 1) -> int:
    """As many runs at a time as help, each of `threads` threads: what `--jobs auto` means."""
    if one_at_a_time or _wants(rows, "mps"):
        return 1
    places = len(_gpus(rows)) or max(1, machine.cores() // threads)
    return max(1, min(places, sum(len(row.members) for row in rows)))


def threads(jobs: int) -> int:
    """Threads of each of so many runs at a time."""
    return max(1, machine.cores() // jobs)


def _gpus(rows: Sequence[Row]) -> list[str]:
    return machine.gpus() if _wants(rows, "cuda") else []


def _wants(rows: Sequence[Row], kind: str) -> bool:
    """Would any of the runs train on the machine's device of this kind?"""
    if machine.devices()[0].kind != kind:
        return False
    return any(row.config.training.device in ("auto", kind) for row in rows)
