"""The checkpoints of a study's settings as the lab's own evaluation script loads them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tui_trainer.runs.jobs import run_job
from tui_trainer.studies.follow import MemberState, RowState
from tui_trainer.text import InputError


class Written(NamedTuple):
    file: Path
    seed: int


def export(row: RowState, number: int, folder: Path, names: str, seed: int | None) -> Written:
    """`folder/saved_model/setting_<number>/epoch_<n>.pth` of a finished run's best epoch n.

    `names`: of the linear layers, joined by commas. Raises `InputError` where the row has no such run or checkpoint.
    """
    member = _finished(row, seed)
    state, run = member.state, member.run
    best = state.best if state else None
    saved = next((c for c in state.checkpoints.values() if best and c.step == best.step), None) if state else None
    if best is None or run is None or saved is None:
        raise InputError(f"{row.row.name}: keeps no checkpoint of its best epoch")
    file = folder / "saved_model" / f"setting_{number}" / f"epoch_{best.epoch}.pth"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{file.parent}: cannot be made: {error.strerror}") from None
    run_job("export", str(run.checkpoints / saved.file), str(file.absolute()), names)
    return Written(file, member.member.seed)


def _finished(row: RowState, seed: int | None) -> MemberState:
    for member in row.members:
        if member.status == "finished" and seed in (None, member.member.seed):
            return member
    which = "finished run" if seed is None else f"finished run of seed {seed}"
    raise InputError(f"{row.row.name}: has no {which}; nothing exported")
