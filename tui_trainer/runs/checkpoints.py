"""The checkpoints of a run as a person deals with them. Their content is the engine's."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from tui_trainer.runs.directory import Run
from tui_trainer.runs.events import Checkpoint
from tui_trainer.runs.launch import liveness
from tui_trainer.runs.state import RunState
from tui_trainer.text import clean


def newest_on_disk(state: RunState, folder: Path) -> Checkpoint | None:
    """The newest checkpoint whose file exists: the one that a resume goes on from."""
    there = (c for c in state.checkpoints.values() if (folder / c.file).is_file())
    return max(there, key=lambda c: (c.step, c.time), default=None)


def why_kept(run: Run, state: RunState, file: str, pins: Collection[str]) -> str:
    """Why this checkpoint cannot be deleted now, in words; empty where it can."""
    name = clean(file.removesuffix(".safetensors"), 40)
    if liveness(run) != "dead":
        return f"{name}: belongs to the worker while the run lives"
    if file in pins:
        return f"{name}: is pinned; i lets it go"
    newest = newest_on_disk(state, run.checkpoints)
    if newest and newest.file == file:
        return f"{name}: is the newest, from which the run goes on"
    return "" if file in state.checkpoints else f"{name}: is gone already"
