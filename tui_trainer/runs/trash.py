"""Runs that a person deleted: in `.trash` among the runs, whole, until they are brought back or it is emptied."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from tui_trainer.runs import directory
from tui_trainer.runs.directory import Run
from tui_trainer.runs.launch import locked
from tui_trainer.text import InputError

NAME = ".trash"


def move(run: Run) -> Run:
    """Take the run out of the lists. Raises `InputError` while somebody works on it, and where it cannot be moved."""
    trash = run.path.parent / NAME
    try:
        with locked(run):
            trash.mkdir(exist_ok=True)
            target = Run(trash / run.id)
            run.path.rename(target.path)
            os.utime(target.path)  # the moment it was deleted
    except OSError as error:
        raise InputError(f"{run.path}: cannot be moved to the trash: {error.strerror}") from error
    return target


def contents(root: Path) -> list[Run]:
    """What was deleted, the last first."""
    return sorted(directory.list_runs(root / NAME), key=_deleted, reverse=True)


def _deleted(run: Run) -> float:
    try:
        return run.path.stat().st_mtime
    except OSError:
        return 0.0


def find(root: Path, reference: str) -> Run:
    """A deleted run by its id, a unique beginning of it, or `last`, the one deleted last. Raises `InputError`."""
    found = contents(root)
    if not found:
        raise InputError(f"the trash of {root} is empty")
    return found[0] if reference == "last" else directory.find(root / NAME, reference)


def restore(run: Run) -> Run:
    """Bring a deleted run back. Raises `InputError` where that cannot be."""
    target = Run(run.path.parent.parent / run.id)
    try:
        if target.path.exists():
            raise InputError(f"{run.id}: is among the runs already")
        run.path.rename(target.path)
    except OSError as error:
        raise InputError(f"{run.path}: cannot be brought back: {error.strerror}") from error
    return target


def empty(root: Path) -> int:
    """Delete for good what is in the trash; how many runs that were. Raises `InputError`."""
    runs = contents(root)
    try:
        for run in runs:
            directory.delete(run)
        for left in (root / NAME).glob(".deleted-*"):  # of a deletion that was cut short
            shutil.rmtree(left)
    except OSError as error:
        raise InputError(f"{root / NAME}: cannot be emptied: {error.strerror}") from error
    with suppress(OSError):
        (root / NAME).rmdir()
    return len(runs)
