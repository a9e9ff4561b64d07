"""From a run's state to the pictures of its charts, with other runs over them."""

from __future__ import annotations

import math
import operator
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

from textual.geometry import Size

from tui_trainer.runs.series import Bucket, Series
from tui_trainer.runs.state import TERMINAL, RunState
from tui_trainer.ui import axes, settings
from tui_trainer.ui.draw import GUTTER
from tui_trainer.ui.plot import LARGEST, Band, Curve, Drawing, Mark, Message, Picture
from tui_trainer.ui.rows import OTHERS
from tui_trainer.ui.scale import LABELS, Scale
from tui_trainer.ui.view import View, span, whole

SMOOTHING = tuple(map(float, settings.SMOOTHING))
SETTLED = 0.05  # share of the x range left out of a linear y range: the first fall would flatten all that follows
MARGIN = 0.05  # of a window, beside it: lines go on to its edges
LOG_PARTS = 10
MOST_FADED = 4  # other runs up to which their training is drawn too


@dataclass(frozen=True)
class Quantity:
    """What a chart of a run shows: series of means over steps, or over epochs, and one of every epoch."""

    title: str
    train: tuple[str, ...] = ()
    """The first of them with the most points is drawn."""
    each_epoch: str = ""
    log: bool = False
    scale: float = 1.0
    noisy: bool = True
    """Whether smoothing its training says more."""


QUANTITIES = {
    "loss": Quantity("loss", ("train_loss", "epoch_train_loss"), "val_loss", log=True),
    "accuracy": Quantity("accuracy %", ("train_accuracy", "epoch_train_accuracy"), "val_accuracy", scale=100.0),
    "rate": Quantity("learning rate", ("learning_rate",), log=True, noisy=False),
    "gradient": Quantity("gradient norm", ("gradient_norm",), log=True),
    "throughput": Quantity("images/s", ("images_per_second",)),
    "gap": Quantity("gap: val − train loss", (), "gap", noisy=False),
}


class Other(NamedTuple):
    """A run drawn over the charts of another; `number` gives its colour and glyph."""

    name: str
    number: int
    state: RunState

    @property
    def colour(self) -> int:
        return self.number + 2  # the first two are near those of training and validation

    @property
    def glyph(self) -> str:
        return OTHERS[self.number]


def picture(
    state: RunState,
    name: str,
    size: Size,
    log: bool = False,
    smoothing: float = 0.0,
    view: View | None = None,
    others: Sequence[Other] = (),
) -> Drawing:
    """The chart of a name of `QUANTITIES`; accuracy in percent, a log10 axis where `log` and the quantity allow it."""
    quantity, view = QUANTITIES[name], view or View()
    if not any(series_of(state, part).steps for part in (*quantity.train, quantity.each_epoch) if part):
        return Message(_absence(state, name))
    log = log and quantity.log
    columns = max(size.width - GUTTER - 1, 1)
    scale = Scale(state, view.unit)
    x = _x_axis(state, view, scale, columns, others)
    lines = _Lines(quantity, x, columns, log)
    curves: list[Curve] = []
    for other in others:
        curves += lines.of_other(other, Scale(other.state, view.unit), len(others) <= MOST_FADED)
    own, bands = lines.of_run(state, scale, smoothing if quantity.noisy else 0.0)
    if view.until is not None:
        own = [part for curve in own for part in _cut(curve, scale.place(view.until))]
    curves += own
    ticks = min(max(size.height // 3, 3), 7)
    axis = _y_axis(name, tuple(curves), x, log, ticks)
    cursor = None if view.cursor is None else scale.place(view.cursor)
    return Picture(tuple(curves), _marks(state, name, log, scale), x, axis, LABELS[view.unit], bands, cursor)


def _absence(state: RunState, name: str) -> str:
    """Why there is nothing to draw."""
    if state.status in TERMINAL or state.status == "interrupted":
        return "no numbers were written"
    if name == "gradient" and state.metrics:
        return "this run does not measure it"
    return "drawn after the first epoch" if state.metrics else "waiting for the first numbers"


def series_of(state: RunState, name: str) -> Series:
    """One of the state's series, or the generalisation gap of every epoch."""
    if name != "gap":
        return state.series[name]
    validation, train = state.series["val_loss"], state.series["epoch_train_loss"]
    return Series(validation.steps, array("d", map(operator.sub, validation.values, train.values)))


def train_series(state: RunState, quantity: Quantity) -> Series | None:
    """Means over the last steps, or over each epoch where epochs end faster than means are sent."""
    return max((state.series[name] for name in quantity.train), key=lambda s: len(s.steps), default=None)


def _x_axis(state: RunState, view: View, scale: Scale, columns: int, others: Sequence[Other]) -> axes.Axis:
    if not view.whole:
        low, high = scale.places(span(state, view))
        return scale.axis(low, high, columns)
    ends = [_end(state, scale), *(_end(other.state, Scale(other.state, view.unit)) for other in others)]
    return scale.axis(0.0, max(ends), columns)


def _end(state: RunState, scale: Scale) -> float:
    """Where the axis ends that holds one run; how long it will take in all is not known."""
    return axes.stage(state.seconds, math.inf) if scale.unit == "time" else scale.place(whole(state)[1])


class _Lines:
    """A quantity of several runs on one axis."""

    def __init__(self, quantity: Quantity, x: axes.Axis, columns: int, log: bool) -> None:
        self.quantity = quantity
        self.x = x
        self.columns = columns
        self.log = log

    def of_run(self, state: RunState, scale: Scale, smoothing: float) -> tuple[list[Curve], tuple[Band, ...]]:
        """Training and validation; where it is smoothed, least and greatest of the raw values as a band."""
        curves, bands = [], []
        if series := train_series(state, self.quantity):
            buckets, xs = self._buckets(series, scale, 3 * self.columns)
            curves.append(Curve("train", xs, self._heights(smoothed([b.mean for b in buckets], smoothing))))
            if smoothing:
                bands.append(
                    _envelope(xs, self._heights(b.low for b in buckets), self._heights(b.high for b in buckets))
                )
        if self.quantity.each_epoch:
            series = series_of(state, self.quantity.each_epoch)
            curves.append(self._line("validation", series, scale, "●"))
        return curves, tuple(bands)

    def of_other(self, other: Other, scale: Scale, faded: bool) -> list[Curve]:
        train = train_series(other.state, self.quantity)
        if not self.quantity.each_epoch:
            return [self._line(f"series{other.colour}", train, scale, other.glyph)] if train else []
        series = series_of(other.state, self.quantity.each_epoch)
        line = self._line(f"series{other.colour}", series, scale, other.glyph)
        return [self._line(f"faded{other.colour}", train, scale), line] if train and faded else [line]

    def _line(self, style: str, series: Series, scale: Scale, glyph: str = "") -> Curve:
        buckets, xs = self._buckets(series, scale, 2 * self.columns)
        return Curve(style, xs, self._heights(bucket.mean for bucket in buckets), glyph)

    def _buckets(self, series: Series, scale: Scale, count: int) -> tuple[list[Bucket], list[float]]:
        """The points in sight and a few beside them, with their places."""
        margin = MARGIN * (self.x.high - self.x.low)
        first = math.floor(scale.step(self.x.low - margin))
        last = None if self.x.low == 0 else math.ceil(scale.step(self.x.high + margin))
        if scale.unit == "log steps":  # each part of the axis in buckets of its own, for it holds many times more steps
            width = (self.x.high - self.x.low) / LOG_PARTS
            ends = [math.floor(scale.step(self.x.low + width * part)) for part in range(1, LOG_PARTS + 1)]
            parts = pairwise([first, *ends])
            each = -(-count // LOG_PARTS)
            buckets = [bucket for begin, end in parts for bucket in series.buckets(each, begin + 1, end)]
        else:
            buckets = series.buckets(count, max(first, 0), last)
        return buckets, scale.places([bucket.step for bucket in buckets])

    def _heights(self, values: Iterable[float]) -> list[float]:
        return [position(self.quantity.scale * value, self.log) for value in values]


def _envelope(xs: list[float], lows: list[float], highs: list[float]) -> Band:
    finite = [point for point in zip(xs, lows, highs, strict=True) if all(map(math.isfinite, point))]
    return Band("envelope", *([point[i] for point in finite] for i in range(3)))


def _cut(curve: Curve, until: float) -> list[Curve]:
    """A curve up to a place, and faint what comes after."""
    kept = bisect_right(curve.xs, until)
    before = replace(curve, xs=curve.xs[:kept], ys=curve.ys[:kept])
    after = Curve("later", curve.xs[max(kept - 1, 0) :], curve.ys[max(kept - 1, 0) :])
    return [after, before] if kept < len(curve.xs) else [curve]


def position(value: float, log: bool) -> float:
    """Where a value lies on its axis; NaN, which is not drawn, where it lies nowhere."""
    if not log:
        return value
    return math.log10(value) if axes.SMALLEST < value < LARGEST else math.nan


def smoothed(values: list[float], weight: float) -> list[float]:
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


def _y_axis(name: str, curves: tuple[Curve, ...], x: axes.Axis, log: bool, ticks: int) -> axes.Axis:
    match name:
        case "loss" | "gradient":
            return loss_axis(curves, x, log, ticks)
        case "accuracy":
            return percent_axis(curves, x, ticks)
        case "gap":
            heights = [y for y in _settled(curves, x) if abs(y) < 1e12]
            return axes.linear(min(heights, default=0.0), max(heights, default=1.0), ticks)
        case _:
            return rate_axis(curves, x, log, ticks)


def _seen(curves: tuple[Curve, ...], x: axes.Axis) -> list[tuple[float, float]]:
    """The finite points between the ends of the x axis."""
    points = (point for curve in curves for point in zip(curve.xs, curve.ys, strict=True))
    return [point for point in points if x.low <= point[0] <= x.high and math.isfinite(point[1])]


def _settled(curves: tuple[Curve, ...], x: axes.Axis) -> list[float]:
    """The heights after the first few percent of the x range, or all while there are few."""
    points = _seen(curves, x)
    late = [height for place, height in points if place >= SETTLED * x.high]
    return late if len(late) >= 8 else [height for _, height in points]


def loss_axis(curves: tuple[Curve, ...], x: axes.Axis, log: bool, ticks: int) -> axes.Axis:
    if log:
        return _log_axis(curves, x, ticks)
    heights = [max(-1e12, min(height, 1e12)) for height in _settled(curves, x)]
    low = min(heights, default=0.0) if x.low > 0 else 0.0  # a window shows what differs in it
    return axes.linear(low, max(heights, default=1.0) or 1.0, ticks)


def rate_axis(curves: tuple[Curve, ...], x: axes.Axis, log: bool, ticks: int) -> axes.Axis:
    """All of it: a warm-up begins where a loss would still be settling."""
    if log:
        return _log_axis(curves, x, ticks)
    return axes.linear(0.0, min(max((y for _, y in _seen(curves, x)), default=0.0), 1e12) or 1.0, ticks)


def _log_axis(curves: tuple[Curve, ...], x: axes.Axis, ticks: int) -> axes.Axis:
    heights = [y for _, y in _seen(curves, x)]
    if not heights:
        return axes.logarithmic(0.01, 1.0, ticks)
    return axes.logarithmic(10 ** min(heights), 10 ** max(heights), ticks)


def percent_axis(curves: tuple[Curve, ...], x: axes.Axis, ticks: int) -> axes.Axis:
    heights = _settled(curves, x)
    low, high = min(heights, default=0.0), max(heights, default=100.0)
    return axes.linear(low, 100.0 if high > 80 and x.low == 0 else high, ticks)


def _marks(state: RunState, name: str, log: bool, scale: Scale) -> tuple[Mark, ...]:
    marks = [Mark("saved", "◆", scale.place(c.step)) for c in state.checkpoints.values() if kept(c.kinds)]
    marks += [Mark("changed", "▲", scale.place(change.step)) for change in state.changes]
    if state.early_stop:
        marks.append(Mark("ended", "■", scale.place(state.early_stop.epoch * state.steps_per_epoch)))
    if (best := state.best) and name in ("loss", "accuracy"):
        place = position(best.val_loss if name == "loss" else 100 * best.val_accuracy, log)
        if math.isfinite(place):
            marks.append(Mark("best", "★", scale.place(best.step), place))
    return tuple(marks)


def kept(kinds: list[str]) -> bool:
    """A checkpoint that stays until somebody deletes it."""
    return bool({"save", "every"} & set(kinds))


def recent(series: Series, count: int) -> tuple[float, ...]:
    """A series reduced to `count` means, for a sparkline."""
    return tuple(bucket.mean for bucket in series.buckets(count) if math.isfinite(bucket.mean))
