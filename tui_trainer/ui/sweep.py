"""The picture of a learning-rate sweep."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

from textual.geometry import Size

from tui_trainer.ui import axes
from tui_trainer.ui.draw import GUTTER
from tui_trainer.ui.plot import Curve, Mark, Picture

MARGIN = 0.3  # decades on either side, so that the outer labels have room
HEADROOM = 1.25  # of the first loss: what shoots up beyond it says no more


class Point(NamedTuple):
    """One update: log10 of its learning rate, the loss of its batch, and the smoothed loss so far."""

    place: float
    loss: float
    smoothed: float

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """From a line of the job's progress."""
        return cls(math.log10(told["learning_rate"]), told["loss"], told["smoothed"])


def picture(points: Sequence[Point], suggestions: Mapping[str, float], low: float, high: float, size: Size) -> Picture:
    """All rates from `low` to `high`, from the start on; each suggestion is its number, on the smoothed curve."""
    rates = axes.logarithmic(low, high, max((size.width - GUTTER) // 10, 2))
    x = axes.Axis(rates.low - MARGIN, rates.high + MARGIN, rates.ticks)
    places, losses, smoothed = ([point[i] for point in points] for i in range(3))
    least = min(losses, default=0.0)
    most = min(max(losses), HEADROOM * losses[0]) if losses else 1.0
    marks = []
    for number, rate in enumerate(suggestions.values(), 1):
        place = math.log10(rate)
        nearest = min(points, key=lambda point: abs(point.place - place))
        marks.append(Mark("best", str(number), place, nearest.smoothed))
    curves = (Curve("note", places, losses), Curve("train", places, smoothed))
    return Picture(curves, tuple(marks), x, axes.linear(least, most, min(max(size.height // 3, 3), 7)), "rate")
