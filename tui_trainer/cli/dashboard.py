"""Where runs and data lie, and the dashboard on them. Imports neither typer nor textual before it must."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tui_trainer.text import InputError

if TYPE_CHECKING:
    from tui_trainer.runs.directory import Run
    from tui_trainer.studies.directory import StudyDirectory

overrides: dict[str, Path] = {}
"""What `--runs` and `--data` say."""


def runs_root() -> Path:
    from tui_trainer.runs import directory

    return directory.runs_root(overrides.get("runs"))


def data_root() -> Path:
    from tui_trainer import datasets

    return datasets.data_root(overrides.get("data"))


def has_screen() -> bool:
    """Is there a terminal that can show the dashboard?"""
    if "TEXTUAL_DRIVER" in os.environ:  # a browser
        return True
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in ("", "dumb")


def open_dashboard(on: Run | StudyDirectory | None = None) -> None:
    gc.disable()  # nothing that is made while it starts is garbage; the app turns it on again
    from tui_trainer.ui import app as dashboard

    dashboard.run(runs_root(), data_root(), on)


def begin() -> None:
    """The dashboard, as `tui-trainer` without a command opens it."""
    if not has_screen():
        raise InputError("no terminal to draw on; try: tui-trainer train digits --plain, or tui-trainer --help")
    open_dashboard()
