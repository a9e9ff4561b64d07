"""What the cursor of a run's charts reads: the value of each curve where it stands, beside the glyph of the curve."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from tui_trainer.runs.series import Series
from tui_trainer.runs.state import RunState
from tui_trainer.text import rate
from tui_trainer.ui.curves import QUANTITIES, Other, series_of, train_series
from tui_trainer.ui.scale import Scale, Unit


class Reading(NamedTuple):
    """One curve: its style and glyph, whose or what it is, its value in words."""

    style: str
    glyph: str
    name: str
    value: str


def readings(state: RunState, name: str, step: float, unit: Unit, others: Sequence[Other] = ()) -> list[Reading]:
    """Of the chart of this name, at a step of its own run; others at the same place of the axis."""
    quantity = QUANTITIES[name]
    found = []
    if series := train_series(state, quantity):
        label = "train" if quantity.each_epoch else ""
        found.append(Reading("train", "⠒⠒", label, value(name, nearest(series, step))))
    if quantity.each_epoch:
        label = "val" if quantity.train else ""
        series = series_of(state, quantity.each_epoch)
        found.append(Reading("validation", "⠒●⠒", label, value(name, nearest(series, step))))
    place = Scale(state, unit).place(step)
    for other in others:
        drawn = (
            series_of(other.state, quantity.each_epoch) if quantity.each_epoch else train_series(other.state, quantity)
        )
        if drawn:
            at = nearest(drawn, Scale(other.state, unit).step(place))
            found.append(Reading(f"series{other.colour}", other.glyph, other.name, value(name, at)))
    return found


def nearest(series: Series, step: float) -> float | None:
    """The value measured closest to a step."""
    steps = series.steps
    if not steps:
        return None
    at = bisect_left(steps, step)
    around = [i for i in (at - 1, at) if 0 <= i < len(steps)]
    return series.values[min(around, key=lambda i: abs(steps[i] - step))]


def value(name: str, number: float | None) -> str:
    """A number of the chart of this name, with its unit."""
    if number is None:
        return "–"
    match name:
        case "accuracy":
            return f"{100 * number:.2f} %"
        case "throughput":
            return rate(number)
        case "gap":
            return f"{number:+.4f}"
        case _:
            return f"{number:.4g}"
