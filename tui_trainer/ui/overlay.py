"""From several runs to one picture of each metric: a curve for every setting, its seeds as mean and ± sd band."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from textual.geometry import Size

from tui_trainer.runs.state import RunState, Series
from tui_trainer.ui import axes
from tui_trainer.ui.curves import loss_axis, percent_axis, position
from tui_trainer.ui.plot import GUTTER, Band, Curve, Picture, glyph
from tui_trainer.ui.themes import DARK_SERIES

COLOURS = len(DARK_SERIES)  # more curves take them again, with other glyphs
MOST_CURVES = 8  # in one chart; more cannot be told apart
MOST_WITH_TRAINING = 4  # so many traces leave room for the training curve of each
MOST_BANDS = 3

# metric → its title, its series, and the series that is drawn thin beside it
METRICS = {
    "val_accuracy": ("val accuracy %", "val_accuracy", "epoch_train_accuracy"),
    "val_loss": ("val loss", "val_loss", "epoch_train_loss"),
    "train_accuracy": ("train accuracy %", "epoch_train_accuracy", ""),
    "train_loss": ("train loss", "epoch_train_loss", ""),
}


@dataclass(frozen=True)
class Trace:
    """What becomes one curve: a run, or the seeds of one setting. `number` gives colour and glyph."""

    name: str
    number: int
    states: tuple[RunState, ...]

    @property
    def colour(self) -> int:
        return self.number % COLOURS

    def glyph(self, ascii_only: bool = False) -> str:
        return glyph(self.number + self.number // COLOURS, ascii_only)


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


def overlay(traces: Sequence[Trace], metric: str, size: Size, log: bool = False, chosen: str = "") -> Picture:
    """One curve for each trace over epochs, the chosen one on top; accuracy in percent, a log10 axis where `log`."""
    _, name, beside = METRICS[metric]
    columns = max(size.width - GUTTER, 1)
    log &= name.endswith("loss")
    curves: list[Curve] = []
    bands: list[Band] = []
    if beside and len(traces) <= MOST_WITH_TRAINING:
        curves = [_curve(trace, beside, f"faded{trace.colour}", columns, log) for trace in traces]
    ordered = sorted(traces, key=lambda trace: trace.name == chosen)
    for place, trace in enumerate(ordered):
        style = f"series{trace.colour}+chosen" if trace.name == chosen else f"series{trace.colour}"
        curves.append(_curve(trace, name, style, columns, log, trace.glyph(), place / len(ordered)))
    if len(traces) <= MOST_BANDS or chosen:
        banded = [trace for trace in reversed(ordered) if len(traces) <= MOST_BANDS or trace.name == chosen]
        bands = [band for trace in banded if (band := _band(trace, name, columns, log))]
    states = [state for trace in traces for state in trace.states]
    done = max((state.step / state.steps_per_epoch for state in states), default=0.0)
    x = axes.epochs(done, max((state.epochs for state in states), default=1), columns)
    ticks = min(max(size.height // 3, 3), 7)
    drawn = tuple(curves)
    y = loss_axis(drawn, x.high, log, ticks) if name.endswith("loss") else percent_axis(drawn, x.high, ticks)
    return Picture(drawn, (), x, y, "epoch", tuple(bands))


def _curve(trace: Trace, name: str, style: str, columns: int, log: bool, glyph: str = "", phase: float = 0.0) -> Curve:
    xs, ys = _points(trace, average([state.series[name] for state in trace.states]).mean, name, columns, log)
    return Curve(style, xs, ys, glyph, phase)


def _band(trace: Trace, name: str, columns: int, log: bool) -> Band | None:
    """Mean ± sd, as far as two seeds have come; none where there is only one."""
    if len(trace.states) < 2:
        return None
    averaged = average([state.series[name] for state in trace.states])
    xs, lows = _points(trace, averaged.low, name, columns, log)
    _, highs = _points(trace, averaged.high, name, columns, log)
    kept = [p for p in zip(xs, lows, highs, strict=True) if math.isfinite(p[1]) and math.isfinite(p[2])]
    if not kept:
        return None
    return Band(f"band{trace.colour}", [x for x, _, _ in kept], [low for _, low, _ in kept], [h for _, _, h in kept])


def _points(trace: Trace, series: Series, name: str, columns: int, log: bool) -> tuple[list[float], list[float]]:
    """Places in epochs and heights on the axis, about two for each column."""
    buckets = series.buckets(2 * columns)
    per_epoch = trace.states[0].steps_per_epoch if trace.states else 1
    scale = 100.0 if name.endswith("accuracy") else 1.0
    return [bucket.step / per_epoch for bucket in buckets], [position(scale * bucket.mean, log) for bucket in buckets]
