"""A measure over epochs, mean and spread over the seeds of a row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_trainer.studies.measures import PER_EPOCH
from tui_trainer.studies.results.estimate import Estimate

if TYPE_CHECKING:
    from tui_trainer.studies.follow import RowState

MOST_TOGETHER = 12  # more curves in one chart cannot be told apart


@dataclass(frozen=True)
class Curve:
    """`points`: the estimate after each of `epochs`, over the seeds that trained that long."""

    row: str
    epochs: tuple[int, ...]
    points: tuple[Estimate, ...]


def curve(row: RowState, series: str) -> Curve | None:
    """`series` (a name of `PER_EPOCH`) of the row's finished runs; None as long as there is none."""
    assert series in PER_EPOCH
    by_epoch: dict[int, list[float]] = {}
    for member in row.members:
        if member.status == "finished" and member.state:
            for epoch in member.state.epochs_done:
                by_epoch.setdefault(epoch.epoch, []).append(getattr(epoch, series))
    epochs = sorted(by_epoch)
    points = [found for epoch in epochs if (found := Estimate.of(by_epoch[epoch]))]
    return Curve(row.row.name, tuple(epochs), tuple(points)) if points else None


def together(rows: Iterable[RowState], series: str) -> tuple[list[Curve], str]:
    """The curves one chart can hold, in the table's order, and in words which those are where it cannot hold all."""
    known = [found for row in rows if (found := curve(row, series))]
    if len(known) <= MOST_TOGETHER:
        return known, ""
    upwards = PER_EPOCH[series].unit in ("%", "images/s")
    ends = sorted(known, key=lambda c: c.points[-1].mean, reverse=upwards)[:MOST_TOGETHER]
    which = "highest" if upwards else "lowest"
    return [c for c in known if c in ends], f"The {MOST_TOGETHER} rows of {len(known)} that end {which}."
