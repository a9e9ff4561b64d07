"""From several runs to one picture of each metric: a curve for every setting, its seeds as mean and ± sd band."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from textual.geometry import Size

from tui_trainer.runs.series import Series
from tui_trainer.runs.state import RunState
from tui_trainer.studies.measures import PER_EPOCH
from tui_trainer.ui import axes
from tui_trainer.ui.curves import loss_axis, percent_axis, position, rate_axis
from tui_trainer.ui.draw import GUTTER
from tui_trainer.ui.palette import CURVES
from tui_trainer.ui.plot import Band, Curve, Picture
from tui_trainer.ui.rows import glyph, plain

MOST_CURVES = 8  # in one chart; more cannot be told apart
MOST_WITH_TRAINING = 4  # so many traces leave room for the training curve of each
MOST_BANDS = 3
TRAINING = {"val_accuracy": "train_accuracy", "val_loss": "train_loss"}  # drawn thin beside the other


@dataclass(frozen=True)
class Trace:
    """What becomes one curve: a run, or the seeds of one setting. `number` gives colour and glyph."""

    name: str
    number: int
    states: tuple[RunState, ...]

    @property
    def colour(self) -> int:
        return self.number % CURVES

    def glyph(self, ascii_only: bool = False) -> str:
        own = glyph(self.number + self.number // CURVES)
        return plain(own) if ascii_only else own


@dataclass(frozen=True)
class Averaged:
    """A series as the mean over seeds; `low` and `high` one sample standard deviation off, where two seeds are."""

    mean: Series
    low: Series
    high: Series


def average(found: Sequence[Series]) -> Averaged:
    """Point by point, over the seeds that have come so far; NaN where one of them diverged."""
    import numpy as np

    longest = max(found, key=lambda series: len(series.steps), default=Series())
    table = np.zeros((len(found), len(longest.steps)))
    there = np.zeros(table.shape, dtype=bool)
    for row, series in enumerate(found):
        table[row, : len(series.values)] = series.values
        there[row, : len(series.values)] = True
    counts = there.sum(axis=0)
    with np.errstate(invalid="ignore", over="ignore"):
        mean = table.sum(axis=0) / counts
        squares = (np.where(there, table - mean, 0.0) ** 2).sum(axis=0)
        spread = np.sqrt(squares / np.maximum(counts - 1, 1))
    several = int((counts > 1).sum())  # a prefix: seeds only ever lack the end
    steps = longest.steps
    return Averaged(
        Series(steps, array("d", mean)),
        Series(steps[:several], array("d", (mean - spread)[:several])),
        Series(steps[:several], array("d", (mean + spread)[:several])),
    )


def title(metric: str) -> str:
    """Of a chart of this name of `PER_EPOCH`."""
    words = PER_EPOCH[metric]
    return f"{words.title}{f' {words.unit}' if words.unit not in ('', 'epoch') else ''}"


def overlay(traces: Sequence[Trace], metric: str, size: Size, log: bool = False, chosen: str = "") -> Picture:
    """One curve for each trace over epochs, the chosen one on top; accuracy in percent, a log10 axis where `log`.

    `metric` is a name of `PER_EPOCH`.
    """
    columns = max(size.width - GUTTER, 1)
    log &= not is_accuracy(metric)
    curves: list[Curve] = []
    if metric in TRAINING and len(traces) <= MOST_WITH_TRAINING:
        curves = [_Drawn(t, TRAINING[metric], columns, log).curve(f"faded{t.colour}") for t in traces]
    bands: list[Band] = []
    ordered = sorted(traces, key=lambda trace: trace.name == chosen)
    for place, trace in enumerate(ordered):
        drawn = _Drawn(trace, metric, columns, log)
        style = f"series{trace.colour}+chosen" if trace.name == chosen else f"series{trace.colour}"
        curves.append(drawn.curve(style, trace.glyph(), place / len(ordered)))
        if len(trace.states) > 1 and (len(traces) <= MOST_BANDS or trace.name == chosen):
            bands.insert(0, drawn.band())
    states = [state for trace in traces for state in trace.states]
    done = max((state.step / state.steps_per_epoch for state in states), default=0.0)
    x = axes.epochs(done, max((state.epochs for state in states), default=1), columns)
    return Picture(tuple(curves), (), x, _axis(metric, curves, x, log, size), "epoch", tuple(bands))


def is_accuracy(metric: str) -> bool:
    return PER_EPOCH[metric].unit == "%"


def _axis(metric: str, curves: Sequence[Curve], x: axes.Axis, log: bool, size: Size) -> axes.Axis:
    ticks = min(max(size.height // 3, 3), 7)
    if is_accuracy(metric):
        return percent_axis(tuple(curves), x, ticks)
    if metric.endswith("loss"):
        return loss_axis(tuple(curves), x, log, ticks)
    return rate_axis(tuple(curves), x, log, ticks)


class _Drawn:
    """A metric of a trace, reduced to about two points for each column of the chart."""

    def __init__(self, trace: Trace, metric: str, columns: int, log: bool) -> None:
        self.trace, self.columns, self.log = trace, columns, log
        self.scale = 100.0 if is_accuracy(metric) else 1.0
        self.averaged = average([over_epochs(state, metric) for state in trace.states])

    def curve(self, style: str, glyph: str = "", phase: float = 0.0) -> Curve:
        return Curve(style, *self._points(self.averaged.mean), glyph, phase)

    def band(self) -> Band:
        """Mean ± sd, as far as two seeds have come."""
        xs, lows = self._points(self.averaged.low)
        _, highs = self._points(self.averaged.high)
        finite = [p for p in zip(xs, lows, highs, strict=True) if all(map(math.isfinite, p))]
        return Band(f"band{self.trace.colour}", *([p[i] for p in finite] for i in range(3)))

    def _points(self, series: Series) -> tuple[list[float], list[float]]:
        """Places in epochs, and heights on the axis."""
        per_epoch = self.trace.states[0].steps_per_epoch
        buckets = series.buckets(2 * self.columns)
        places = [bucket.step / per_epoch for bucket in buckets]
        return places, [position(self.scale * bucket.mean, self.log) for bucket in buckets]


def over_epochs(state: RunState, metric: str) -> Series:
    done = state.epochs_done
    return Series(array("q", (e.step for e in done)), array("d", (getattr(e, metric) for e in done)))
