"""The columns that a table of runs can have, and what stands in their cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tui_trainer.runs.filter import as_text, value_of
from tui_trainer.runs.listing import Summary
from tui_trainer.text import clean, duration, percent, rate

GAP = 2  # cells between columns
LEAST_NAME, MOST_NAME = 16, 40


@dataclass(frozen=True)
class Column:
    """A field of a run; numbers to the right. Its width leaves room for an arrow beside the title."""

    field: str
    title: str
    width: int
    right: bool = False
    words: Callable[[Any], str] | None = None

    def text(self, summary: Summary) -> str:
        """What stands in the cell of this run, clean."""
        value = value_of(summary, self.field)
        if self.field == "id":
            return begun(summary.run.id)
        if self.field == "epoch":
            return f"{_short(summary.epoch)}/{_short(summary.epochs)}" if summary.epochs else "–"
        if self.field == "verdict" and summary.facts.get("verdict_epoch"):
            return f"{value}, epoch {summary.facts['verdict_epoch']}"
        if value is None or value == "":
            return "–" if self.right else ""
        if self.words:
            return self.words(value)
        if isinstance(value, float):
            return f"{value:.4g}"
        if isinstance(value, int) and not isinstance(value, bool):
            return f"{value:,}"
        return clean(" ".join(value) if self.field == "tags" else as_text(value), 200)


def begun(id: str) -> str:
    """The local time at which a run was made, as its id tells it in UTC; the day alone if in another year."""
    try:
        moment = datetime.strptime(id[:17], "%Y-%m-%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return ""
    here, now = moment.astimezone(), datetime.now().astimezone()
    return f"{here:%m-%d %H:%M}" if here.year == now.year else f"{here:%Y-%m-%d}"


def _short(epochs: int) -> str:
    return str(epochs) if epochs < 10_000 else f"{epochs / 1000:.3g}k"


STANDARD = (
    Column("status", "state", 13),
    Column("epoch", "epoch", 9, True),
    Column("best_val_accuracy", "best val", 9, True, percent),
    Column("test_accuracy", "test", 8, True, percent),
    Column("verdict", "verdict", 21),
    Column("tags", "tags", 14),
    Column("id", "begun", 11),
    Column("seconds", "time", 8, True, duration),
    Column("preset", "preset", 26),
    Column("note", "note", 24),
    Column("val_accuracy", "val", 8, True, percent),
    Column("val_loss", "val loss", 9, True),
    Column("train_accuracy", "train", 8, True, percent),
    Column("train_loss", "train loss", 11, True),
    Column("best_epoch", "best epoch", 11, True),
    Column("images_per_second", "throughput", 17, True, rate),
    Column("parameters", "parameters", 11, True),
    Column("device", "device", 8),
)
DEFAULT = ("status", "epoch", "best_val_accuracy", "test_accuracy", "id", "verdict", "tags", "seconds")


def column(field: str) -> Column:
    """The column of any field: one of the standard ones, or one for a setting."""
    known = next((each for each in STANDARD if each.field == field), None)
    if known:
        return known
    title = field.removesuffix(".name").rpartition(".")[2].replace("_", " ")
    return Column(field, title, max(len(title) + 2, 10), right=field.startswith("training."))


def fitting(fields: Sequence[str], width: int) -> list[Column]:
    """The run's name, then what fits into `width` cells beside it; the name takes what is left over."""
    room = width - LEAST_NAME
    shown = []
    for each in map(column, fields):
        if each.width + GAP <= room:
            shown.append(each)
            room -= each.width + GAP
    return [Column("name", "run", min(LEAST_NAME + room, MOST_NAME)), *shown]
