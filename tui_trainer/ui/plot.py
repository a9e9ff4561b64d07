"""Draw a picture of curves into rows of styled text, with plotext. Pure: the same picture gives the same rows."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

from tui_trainer.ui.axes import Axis

GUTTER = 6  # cells for the labels of the y axis, always the same, so that a new label moves nothing
LARGEST = 1e300  # plotext overflows near the end of the float range

Row = tuple[tuple[str, str], ...]
"""Neighbouring pieces of one row: text, and the name of its style."""

_SGR = re.compile(r"\x1b\[([0-9;]*)m")
_ASCII = str.maketrans(
    {"┤": "+", "│": "|", "└": "+", "┬": "+", "─": "-", "●": "o", "◆": "*", "★": "*", "▲": "^", "■": "#"}
)


class Drawing(Protocol):
    """What a chart shows."""

    def draw(self, width: int, height: int, ascii_only: bool = False) -> list[Row]:
        """Exactly `height` rows of `width` cells."""

    def dots(self, width: int, height: int) -> Drawing:
        """What of it can be seen at this size: equal for two drawings that look the same."""


@dataclass(frozen=True)
class Curve:
    """One line. `dotted`: every few points a dot is set on it, which tells it from others without colour."""

    style: str
    xs: Sequence[float]
    ys: Sequence[float]
    dotted: bool = False


@dataclass(frozen=True)
class Mark:
    """A glyph at a place; at the foot of the chart where `y` is None."""

    style: str
    glyph: str
    x: float
    y: float | None = None


@dataclass(frozen=True)
class Picture:
    curves: tuple[Curve, ...]
    marks: tuple[Mark, ...]
    x: Axis
    y: Axis
    x_label: str

    def draw(self, width: int, height: int, ascii_only: bool = False) -> list[Row]:
        return draw(self, width, height, ascii_only)

    def dots(self, width: int, height: int) -> Picture:
        """The picture on the grid of dots that braille can show: equal where it looks the same."""
        across, down = 2 * (width - GUTTER - 1), 4 * (height - 2)

        def on_grid(value: float, axis: Axis, dots: int) -> float:
            share = (value - axis.low) / (axis.high - axis.low)
            return round(min(max(share, -1.0), 2.0) * dots) if math.isfinite(share) else -1

        def place(x: float, y: float) -> tuple[float, float]:
            return on_grid(x, self.x, across), on_grid(y, self.y, down)

        def snapped(curve: Curve) -> Curve:
            places = list(dict.fromkeys(map(place, curve.xs, curve.ys)))
            return replace(curve, xs=[x for x, _ in places], ys=[y for _, y in places])

        marks = tuple(replace(m, x=place(m.x, 0)[0], y=None if m.y is None else place(0, m.y)[1]) for m in self.marks)
        return replace(self, curves=tuple(map(snapped, self.curves)), marks=marks)


def draw(picture: Picture, width: int, height: int, ascii_only: bool = False) -> list[Row]:
    """`height` rows of `width` cells; blank where there is no room for axes."""
    blank: Row = ((" " * width, ""),)
    if width < GUTTER + 6 or height < 4:
        return [blank] * height
    import plotext

    # plotext's figure is a global: set up, drawn and read here in one go
    plotext.clear_figure()
    plotext.limit_size(False, False)
    plotext.plot_size(width, height)
    plotext.theme("clear")
    plotext.xaxes(True, False)
    plotext.yaxes(True, False)
    x, y = picture.x, picture.y
    plotext.xlim(x.low, x.high)
    plotext.ylim(y.low, y.high)
    plotext.xticks([place for place, _ in x.ticks], [label for _, label in x.ticks])
    labels = _spaced(y, height - 3)
    plotext.yticks([place for place, _ in labels], [label.rjust(GUTTER) for _, label in labels])
    line = "." if ascii_only else "braille"
    styles: list[str] = []
    for curve in picture.curves:
        xs, ys = _drawable(curve)
        if not xs:
            continue
        styles.append(curve.style)
        plotext.plot(xs, ys, marker=line, color=len(styles))
        if curve.dotted:
            # counted from the first point, a power of two apart, so that dots stay where they are as points come
            every = 1 << max(0, math.ceil(math.log2(len(xs) * 6 / (width - GUTTER))))
            chosen = [*zip(xs[::every], ys[::every], strict=True), (xs[-1], ys[-1])]
            dots = [_cell(picture, px, py, width, height) for px, py in chosen]
            plotext.scatter([px for px, _ in dots], [py for _, py in dots], marker="●", color=len(styles))
    for mark in picture.marks:
        if x.low <= mark.x <= x.high:
            styles.append(mark.style)
            place = y.low if mark.y is None else min(max(mark.y, y.low), y.high)
            px, py = _cell(picture, mark.x, place, width, height)
            plotext.scatter([px], [py], marker=mark.glyph, color=len(styles))
    if not styles:
        plotext.scatter([x.low - 1.0], [y.low])  # plotext draws no axes without data: a point outside the limits
    drawn = plotext.build()
    plotext.clear_figure()
    if ascii_only:
        drawn = drawn.translate(_ASCII)
    rows = [_row(text, styles, width) for text in drawn.split("\n")[:height]]
    return [*rows[:-1], _with_label(rows[-1], picture.x_label)]


def _drawable(curve: Curve) -> tuple[list[float], list[float]]:
    pairs = [(x, y) for x, y in zip(curve.xs, curve.ys, strict=True) if math.isfinite(y) and abs(y) < LARGEST]
    return [x for x, _ in pairs], [y for _, y in pairs]


def _cell(picture: Picture, x: float, y: float, width: int, height: int) -> tuple[float, float]:
    """The place whose cell is the one that a line of braille dots goes through at (x, y).

    plotext rounds glyphs to the nearest cell and braille to the nearest of its 2 × 4 dots, which may lie in another.
    """
    columns, rows = width - GUTTER - 1, height - 2
    return _snapped(x, picture.x, columns, 2), _snapped(y, picture.y, rows, 4)


def _snapped(value: float, axis: Axis, cells: int, dots: int) -> float:
    span = axis.high - axis.low
    cell = round((value - axis.low) / span * (cells * dots - 1)) // dots
    return axis.low + span * cell / (cells - 1)


def _spaced(axis: Axis, rows: int) -> tuple[tuple[float, str], ...]:
    """Every n-th tick, so that a row at least lies between two labels."""
    places = [(place - axis.low) / (axis.high - axis.low) * rows for place, _ in axis.ticks]
    closest = min((after - before for before, after in pairwise(places)), default=2.0)
    return axis.ticks[:: max(1, math.ceil(1.9 / max(closest, 0.01)))]


def _row(text: str, styles: list[str], width: int) -> Row:
    """plotext's colours are numbers: each is the place of a curve's style. Everything else is the axis."""
    pieces: list[tuple[str, str]] = []
    style = "axis"
    used = 0
    for index, part in enumerate(_SGR.split(text)):
        if index % 2:
            style = styles[int(part[5:]) - 1] if part.startswith("38;5;") else "axis"
        elif part:
            pieces.append((part, style))
            used += len(part)
    if used < width:
        pieces.append((" " * (width - used), "axis"))
    return tuple(pieces)


def _with_label(row: Row, label: str) -> Row:
    """The x label in the free corner below the labels of the y axis."""
    text = "".join(part for part, _ in row)
    return ((label[:GUTTER].ljust(GUTTER) + text[GUTTER:], "axis"),)
