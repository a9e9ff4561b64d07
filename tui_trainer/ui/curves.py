"""From a run's state to the pictures of its charts."""

from __future__ import annotations

import math
from typing import Literal

from textual.geometry import Size

from tui_trainer.runs.series import Series
from tui_trainer.runs.state import RunState
from tui_trainer.ui import axes
from tui_trainer.ui.draw import GUTTER
from tui_trainer.ui.plot import LARGEST, Curve, Mark, Picture

Quantity = Literal["loss", "accuracy", "rate"]
SMOOTHING = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98)
SETTLED = 0.05  # share of the x range left out of a linear y range: the first fall would flatten all that follows


def picture(state: RunState, quantity: Quantity, size: Size, log: bool = False, smoothing: float = 0.0) -> Picture:
    """Training and validation, or the learning rate, over epochs; accuracy in percent, a log10 axis where `log`."""
    columns = max(size.width - GUTTER, 1)
    ticks = min(max(size.height // 3, 3), 7)
    if quantity == "rate":
        curves: tuple[Curve, ...] = (_curve(state, "learning_rate", "train", 3 * columns, log),)
    else:
        curves = (
            _curve(state, _train_series(state, quantity), "train", 3 * columns, log, smoothing),
            _curve(state, f"val_{quantity}", "validation", 2 * columns, log),
        )
    x = axes.epochs(state.step / state.steps_per_epoch, state.epochs, columns)
    match quantity:
        case "loss":
            axis = loss_axis(curves, x.high, log, ticks)
        case "accuracy":
            axis = percent_axis(curves, x.high, ticks)
        case "rate":
            axis = rate_axis(curves, log, ticks)
    return Picture(curves, _marks(state, quantity, log), x, axis, "epoch")


def _train_series(state: RunState, quantity: Quantity) -> str:
    """Means over the last steps, or over each epoch where epochs end faster than means are sent."""
    fine, coarse = f"train_{quantity}", f"epoch_train_{quantity}"
    return fine if len(state.series[fine].steps) >= len(state.series[coarse].steps) else coarse


def _curve(state: RunState, name: str, style: str, count: int, log: bool, smoothing: float = 0.0) -> Curve:
    buckets = state.series[name].buckets(count)
    values = _smoothed([bucket.mean for bucket in buckets], smoothing)
    scale = 100.0 if name.endswith("accuracy") else 1.0
    places = [bucket.step / state.steps_per_epoch for bucket in buckets]
    heights = [position(value, log) * (1.0 if log else scale) for value in values]
    return Curve(style, places, heights, "●" if style == "validation" else "")


def position(value: float, log: bool) -> float:
    """Where a value lies on its axis; NaN, which is not drawn, where it lies nowhere."""
    if not log:
        return value
    return math.log10(value) if 0 < value < LARGEST else math.nan


def _smoothed(values: list[float], weight: float) -> list[float]:
    """Exponential moving average of the points drawn, without the pull of its start towards zero."""
    if not weight:
        return values
    total = norm = 0.0
    smooth = []
    for value in values:
        if math.isfinite(value):
            total = weight * total + (1 - weight) * value
            norm = weight * norm + (1 - weight)
            smooth.append(total / norm)
        else:
            smooth.append(value)
    return smooth


def _settled(curves: tuple[Curve, ...], last: float) -> list[float]:
    """The finite heights after the first few percent of the x range, or all while there are few."""
    points = [p for curve in curves for p in zip(curve.xs, curve.ys, strict=True) if math.isfinite(p[1])]
    late = [y for x, y in points if x >= SETTLED * last]
    return late if len(late) >= 8 else [y for _, y in points]


def loss_axis(curves: tuple[Curve, ...], last: float, log: bool, ticks: int) -> axes.Axis:
    if log:
        return _log_axis(curves, ticks)
    heights = _settled(curves, last)
    return axes.linear(0.0, min(max(heights, default=1.0), 1e12) or 1.0, ticks)


def rate_axis(curves: tuple[Curve, ...], log: bool, ticks: int) -> axes.Axis:
    """All of it: a warm-up begins where a loss would still be settling."""
    if log:
        return _log_axis(curves, ticks)
    return axes.linear(0.0, max((y for curve in curves for y in curve.ys), default=0.0) or 1.0, ticks)


def _log_axis(curves: tuple[Curve, ...], ticks: int) -> axes.Axis:
    heights = [y for curve in curves for y in curve.ys if math.isfinite(y)]
    if not heights:
        return axes.logarithmic(0.01, 1.0, ticks)
    return axes.logarithmic(10 ** min(heights), 10 ** max(heights), ticks)


def percent_axis(curves: tuple[Curve, ...], last: float, ticks: int) -> axes.Axis:
    heights = _settled(curves, last)
    low, high = min(heights, default=0.0), max(heights, default=100.0)
    return axes.linear(low, 100.0 if high > 80 else high, ticks)


def _marks(state: RunState, quantity: Quantity, log: bool) -> tuple[Mark, ...]:
    per_epoch = state.steps_per_epoch
    marks = [Mark("saved", "◆", c.step / per_epoch) for c in state.checkpoints.values() if kept(c.kinds)]
    marks += [Mark("changed", "▲", change.step / per_epoch) for change in state.changes]
    if state.early_stop:
        marks.append(Mark("ended", "■", float(state.early_stop.epoch)))
    if (best := state.best) and quantity != "rate":
        value = best.val_loss if quantity == "loss" else 100 * best.val_accuracy
        place = position(value, log)
        if math.isfinite(place):
            marks.append(Mark("best", "★", best.step / per_epoch, place))
    return tuple(marks)


def kept(kinds: list[str]) -> bool:
    """A checkpoint that stays until somebody deletes it."""
    return bool({"save", "every"} & set(kinds))


def recent(series: Series, count: int) -> tuple[float, ...]:
    """A series reduced to `count` means, for a sparkline."""
    return tuple(bucket.mean for bucket in series.buckets(count) if math.isfinite(bucket.mean))
