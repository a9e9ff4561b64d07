"""A run's checkpoints in words: a line of the list, and what of them is on disk."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from textual.content import Content

from tui_trainer.runs.checkpoints import newest_on_disk
from tui_trainer.runs.events import Checkpoint
from tui_trainer.runs.state import RunState
from tui_trainer.text import clean, percent, size, unicode_terminal
from tui_trainer.ui.curves import kept
from tui_trainer.ui.report import fit
from tui_trainer.ui.words import MUTED, ago

# what it is kept for → glyph, its ASCII stand-in, theme colour
BEST = ("★", "*", "$best")
STAYS = ("◆", "x", "$saved")
PASSING = ("·", ".", MUTED)
PIN = ("⚑", "P", "$accent")


def name(checkpoint: Checkpoint) -> str:
    """`e0041-s012300`: epoch and step."""
    return clean(checkpoint.file.removesuffix(".safetensors"), 40)


def lines(
    checkpoints: Sequence[Checkpoint], width: int, now: float, pins: Collection[str] = (), best: int | None = None
) -> list[tuple[str, Content]]:
    """Each by its file: what it is kept for, its epoch, accuracy on validation, size, age.

    The step is told where two are of one epoch. `best` is the step of the best epoch so far: it has been others before.
    """
    epochs = Counter(checkpoint.epoch for checkpoint in checkpoints)
    labels = _column((name(c) if epochs[c.epoch] > 1 else name(c).partition("-")[0] for c in checkpoints), "<")
    accuracies = _column((percent(c.val_accuracy) if c.val_accuracy is not None else "" for c in checkpoints), ">")
    sizes = _column((size(c.bytes) for c in checkpoints), ">")
    ages = _column((ago(max(0.0, now - c.time)) for c in checkpoints), ">")
    rows = []
    for checkpoint, label, accuracy, room, age in zip(checkpoints, labels, accuracies, sizes, ages, strict=True):
        kind = (
            BEST
            if "best" in checkpoint.kinds and checkpoint.step == best
            else STAYS
            if kept(checkpoint.kinds)
            else PASSING
        )
        pin = Content.styled(_glyph(PIN), PIN[2]) if checkpoint.file in pins else Content(" ")
        pieces = [
            (0, Content.assemble((_glyph(kind), kind[2]), pin, label)),
            (1, Content(accuracy)),
            (3, Content.styled(room, MUTED)),
            (2, Content.styled(age, MUTED)),
        ]
        rows.append((checkpoint.file, fit(pieces, width, " ")))
    return rows


def _column(cells: Iterable[str], align: str) -> list[str]:
    """Each as wide as the longest."""
    found = list(cells)
    width = max(map(len, found), default=0)
    return [f"{cell:{align}{width}}" for cell in found]


def _glyph(kind: tuple[str, str, str]) -> str:
    return kind[0] if unicode_terminal() else kind[1]


def on_disk(state: RunState, folder: Path) -> str:
    """The newest checkpoint on disk, and its age."""
    newest = newest_on_disk(state, folder)
    if newest is None:  # none yet, or the worker has replaced what the last look at its events knew of
        replaced = max((file.stem for file in folder.glob("e*.safetensors")), default="")
        return f"newest on disk: {clean(replaced, 40)}" if replaced else "no checkpoint on disk yet"
    return f"newest on disk: {name(newest)}, {ago(max(0.0, time.time() - newest.time))}"
