"""What the commands share: arguments, finding a run, a line of progress."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

from tui_trainer.cli.dashboard import runs_root
from tui_trainer.text import InputError, clean

if TYPE_CHECKING:
    from tui_trainer.config import RunConfig
    from tui_trainer.runs.directory import Run
    from tui_trainer.runs.state import RunState

RunName = Annotated[str, typer.Argument(metavar="RUN", help="id, unique beginning of one, or 'last'")]
RunNames = Annotated[list[str], typer.Argument(metavar="RUN…", help="ids, unique beginnings of them, or 'last'")]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="change a field; repeatable")]
Name = Annotated[str | None, typer.Option(help="the run's name; the preset's, or the parent's, by default")]
Detach = Annotated[bool, typer.Option("--detach", help="start, print the id, leave")]
Gpu = Annotated[
    str,
    typer.Option("--gpu", metavar="UUID|NUMBER|auto", help="train on this GPU; auto: the one with most free memory"),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="do not ask")]
Plain = Annotated[bool, typer.Option("--plain", help="print lines instead of opening the dashboard")]
CheckpointName = Annotated[str, typer.Option("--checkpoint", help="best, last, an epoch as e12, or a file")]
BAR = 24  # cells


def find(reference: str) -> Run:
    from tui_trainer.runs import directory

    return directory.find(runs_root(), reference)


def configured(base: RunConfig, settings: list[str] | None) -> RunConfig:
    """`base` with what `--set` says. Raises `InputError`, also for a file that nobody would read."""
    from tui_trainer import datasets
    from tui_trainer.config import apply

    wanted = apply(base, settings or [])
    data = wanted.data
    if data.file not in ("", base.data.file) and data.name not in datasets.OWN:
        kind = datasets.own_kind(data.file) or "csv"
        raise InputError(f"--set file: data={data.name} reads no file; add --set data={kind}")
    return wanted


def checkpoint_file(chosen: Run, state: RunState, name: str) -> Path:
    """The file meant by best, last, an epoch (e12), a file's name in the run, or a path."""
    if name == "last":
        found = state.newest_checkpoint
    elif name == "best":
        best = state.best
        found = next((c for c in state.checkpoints.values() if best and c.step == best.step), None)
    elif name[:1] == "e" and name[1:].isdecimal() and len(name) < 20:
        ends = {c.epoch: c for c in state.checkpoints.values() if c.val_accuracy is not None}
        found = ends.get(int(name[1:]))
        if found is None:
            here = ", ".join(f"e{epoch}" for epoch in sorted(ends)) or "none"
            raise InputError(f"--checkpoint {name}: {chosen.id} keeps no checkpoint of this epoch's end; it has {here}")
    else:
        for file in (f"{chosen.checkpoints}/{name}", name):
            if os.path.isfile(file):  # noqa: PTH113 - a path object complains of names that are too long for one
                return Path(file)
        raise InputError(f"--checkpoint {clean(name, 200)}: neither a checkpoint of {chosen.id} nor another file")
    if found is None:
        raise InputError(f"--checkpoint {name}: {chosen.id} has no such checkpoint on disk yet")
    return chosen.checkpoints / found.file


class Progress:
    """One line on a terminal's stderr, overwritten as work goes on and gone when it is over; nothing elsewhere."""

    def __init__(self, title: str = "") -> None:
        from tui_trainer.runs import progress

        self.title = title
        self.measured = progress.Progress()
        self.shown = 0

    def __enter__(self) -> Self:
        return self

    def tell(self, told: Mapping[str, Any]) -> None:
        """A job's line of progress, as a bar with the rate and the time left."""
        from tui_trainer.text import unicode_terminal

        self.measured.take(told)
        full, empty = ("━", "─") if unicode_terminal() else ("#", "-")
        fraction = self.measured.fraction
        done = round(fraction * BAR)
        bar = full * done + empty * (BAR - done)
        self.show(f"{self.title} {bar} {int(100 * fraction):>3} %  {'  '.join(self.measured.parts())}")

    def show(self, words: str) -> None:
        if sys.stderr.isatty():
            words = words[: shutil.get_terminal_size().columns - 1]
            print(f"\r{words:<{self.shown}}", end="", file=sys.stderr, flush=True)
            self.shown = len(words)

    def __exit__(self, *_: object) -> None:
        if self.shown:
            print(f"\r{'':<{self.shown}}\r", end="", file=sys.stderr, flush=True)
