"""The disk that runs take, and what can be cleared away of it: checkpoints that nothing and nobody keeps."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tui_trainer.runs import notes
from tui_trainer.runs.directory import Run, list_runs
from tui_trainer.runs.launch import locked
from tui_trainer.runs.trash import NAME
from tui_trainer.text import InputError

if TYPE_CHECKING:
    from tui_trainer.runs.listing import Summary


@dataclass(frozen=True)
class Usage:
    """Bytes of a run's files by kind."""

    checkpoints: int = 0
    events: int = 0
    other: int = 0

    @property
    def total(self) -> int:
        return self.checkpoints + self.events + self.other

    def __add__(self, more: Usage) -> Usage:
        return Usage(self.checkpoints + more.checkpoints, self.events + more.events, self.other + more.other)


@dataclass(frozen=True)
class Report:
    """The disk that the runs under a folder take. `spare`: checkpoints of a run that could go, and their bytes."""

    runs: dict[str, Usage]
    spare: dict[str, tuple[str, ...]]
    spare_bytes: int
    trash: int

    @property
    def total(self) -> Usage:
        return sum(self.runs.values(), Usage())

    def as_json(self) -> dict[str, object]:
        return {
            "runs": {id: {**asdict(used), "total": used.total} for id, used in self.runs.items()},
            "total": {**asdict(self.total), "total": self.total.total},
            "spare": {id: list(files) for id, files in self.spare.items()},
            "spare_bytes": self.spare_bytes,
            "trash": self.trash,
        }


def report(summaries: Iterable[Summary], root: Path) -> Report:
    """Measured now. Runs that are live or cannot be read have nothing to spare."""
    used: dict[str, Usage] = {}
    spare: dict[str, tuple[str, ...]] = {}
    spare_bytes = 0
    for summary in summaries:
        used[summary.run.id] = usage(summary.run)
        if files := spare_files(summary):
            spare[summary.run.id] = files
            spare_bytes += sum(_bytes(summary.run.checkpoints / file) for file in files)
    return Report(used, spare, spare_bytes, sum(usage(run).total for run in list_runs(root / NAME)))


def usage(run: Run) -> Usage:
    """Bytes of the files in the run's directory."""
    checkpoints = events = other = 0
    for inside, name, size in _files(str(run.path)):
        if inside or name == "start.safetensors":
            checkpoints += size
        elif name == "events.jsonl":
            events += size
        else:
            other += size
    return Usage(checkpoints, events, other)


def _files(folder: str, inside: bool = False) -> Iterator[tuple[bool, str, int]]:
    """Whether it lies in `checkpoints`, name and bytes of every file; what goes meanwhile counts nothing."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from _files(entry.path, inside or entry.name == "checkpoints")
                else:
                    yield inside, entry.name, entry.stat(follow_symlinks=False).st_size
    except OSError:
        return


def spare_files(summary: Summary) -> tuple[str, ...]:
    """Checkpoints of a run that has ended which are neither best nor newest, nor saved by hand, nor pinned.

    A file that once was the best bears that kind for ever; only the best epoch of all counts.
    """
    if summary.live or summary.status == "unreadable":
        return ()
    saved = summary.facts["checkpoints"]
    newest = max((checkpoint["step"] for checkpoint in saved), default=0)
    best = summary.facts["best_epoch"]
    return tuple(
        checkpoint["file"]
        for checkpoint in saved
        if checkpoint["step"] != newest
        and checkpoint["epoch"] != best
        and "save" not in checkpoint["kinds"]
        and checkpoint["file"] not in summary.notes.pins
        and Path(checkpoint["file"]).name == checkpoint["file"]  # events of a foreign run may name any place
    )


def remove(run: Run, files: Sequence[str]) -> int:
    """Delete checkpoints of a run that nobody works on, and say so in its events; the bytes that became free.

    Raises `InputError` while a worker lives, where one is pinned or no checkpoint, and where one cannot be deleted.
    """
    from tui_trainer.runs.events import EventLog, Removed

    pins = notes.read(run).pins
    problems = [f"{run.id}: {file} is pinned" for file in files if file in pins]
    problems += [f"{run.id}: {file[:80]!r} is not a checkpoint" for file in files if Path(file).name != file]
    if problems:
        raise InputError(*problems)
    freed = 0
    with locked(run):
        log = EventLog(run.events_file)
        try:
            for file in files:
                path = run.checkpoints / file
                size = _bytes(path)
                path.unlink(missing_ok=True)
                freed += size
                log.append(Removed(file=file))
        except OSError as error:
            raise InputError(f"{run.checkpoints}: cannot be cleared: {error.strerror}") from error
        finally:
            log.close()
    return freed


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
