"""Draw a picture of curves into rows of styled text, with plotext. Pure: the same picture gives the same rows."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Protocol

from tui_trainer.ui.axes import Axis

GUTTER = 6  # cells for the labels of the y axis, always the same, so that a new label moves nothing
LARGEST = 1e300  # plotext overflows near the end of the float range
GLYPHS = "●▲■◆○△□◇"
ASCII_GLYPHS = "o^#*%@&x"

Row = tuple[tuple[str, str], ...]
"""Neighbouring pieces of one row: text, and the name of its style."""

_SGR = re.compile(r"\x1b\[([0-9;]*)m")
_ASCII = str.maketrans("┤│└┬─★" + GLYPHS, "+|++-*" + ASCII_GLYPHS)


def glyph(number: int, ascii_only: bool = False) -> str:
    """The glyph of one of several curves or classes; after eight they come again."""
    glyphs = ASCII_GLYPHS if ascii_only else GLYPHS
    return glyphs[number % len(glyphs)]


class Drawing(Protocol):
    """What a chart shows."""

    def draw(self, width: int, height: int, ascii_only: bool = False) -> list[Row]:
        """Exactly `height` rows of `width` cells."""

    def dots(self, width: int, height: int) -> Drawing:
        """What of it can be seen at this size: equal for two drawings that look the same."""


@dataclass(frozen=True)
class Curve:
    """One line. A glyph, if it has one, is set on it every few points, which tells it from others without colour."""

    style: str
    xs: Sequence[float]
    ys: Sequence[float]
    glyph: str = ""
    phase: float = 0.0
    """Where the first glyph stands, as a share of the way to the next: curves that lie together take turns."""


@dataclass(frozen=True)
class Band:
    """The cells between two lines over the same places, shaded behind the curves."""

    style: str
    xs: Sequence[float]
    lows: Sequence[float]
    highs: Sequence[float]


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
    bands: tuple[Band, ...] = ()
    """Where they overlap the first is seen."""

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
        bands = tuple(
            replace(
                band,
                xs=[on_grid(x, self.x, across) for x in band.xs],
                lows=[on_grid(y, self.y, down) for y in band.lows],
                highs=[on_grid(y, self.y, down) for y in band.highs],
            )
            for band in self.bands
        )
        return replace(self, curves=tuple(map(snapped, self.curves)), marks=marks, bands=bands)


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
        if curve.glyph:
            # counted from the first point, a power of two apart, so that glyphs stay where they are as points come
            every = 1 << max(0, math.ceil(math.log2(len(xs) * 6 / (width - GUTTER))))
            first = int(curve.phase * every)
            chosen = [*zip(xs[first::every], ys[first::every], strict=True), (xs[-1], ys[-1])]
            dots = [_cell(picture, px, py, width, height) for px, py in chosen]
            plotext.scatter([px for px, _ in dots], [py for _, py in dots], marker=curve.glyph, color=len(styles))
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
    rows = _shaded(rows, _shades(picture, width, height))
    return [*rows[:-1], _with_label(rows[-1], picture.x_label)]


def _shades(picture: Picture, width: int, height: int) -> dict[tuple[int, int], str]:
    """Row and column of every cell inside a band, with the band's style."""
    columns, lines = width - GUTTER - 1, height - 2
    found: dict[tuple[int, int], str] = {}
    for band in picture.bands:
        places = [_dot(x, picture.x, columns, 2) // 2 for x in band.xs]
        lows = [lines - 1 - _dot(y, picture.y, lines, 4) // 4 for y in band.lows]
        highs = [lines - 1 - _dot(y, picture.y, lines, 4) // 4 for y in band.highs]
        edges = list(zip(places, lows, highs, strict=True))
        for (left, low, high), (right, next_low, next_high) in pairwise([*edges, *edges[-1:]]):
            for column in range(max(left, 0), min(right, columns - 1) + 1):
                share = (column - left) / (right - left) if right > left else 0.0
                top = round(high + share * (next_high - high))
                bottom = round(low + share * (next_low - low))
                for row in range(max(top, 0), min(bottom, lines - 1) + 1):
                    found.setdefault((row, GUTTER + 1 + column), band.style)
    return found


def _shaded(rows: list[Row], shades: dict[tuple[int, int], str]) -> list[Row]:
    """The rows with the style of its shade under that of every shaded cell."""
    touched = {row for row, _ in shades}
    return [_shaded_row(row, y, shades) if y in touched else row for y, row in enumerate(rows)]


def _shaded_row(row: Row, y: int, shades: dict[tuple[int, int], str]) -> Row:
    cells = [(character, style) for text, style in row for character in text]
    styled = [
        (character, f"{shade}+{style}" if (shade := shades.get((y, x))) else style)
        for x, (character, style) in enumerate(cells)
    ]
    return tuple(("".join(c for c, _ in same), style) for style, same in groupby(styled, key=lambda cell: cell[1]))


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
    return axis.low + (axis.high - axis.low) * (_dot(value, axis, cells, dots) // dots) / (cells - 1)


def _dot(value: float, axis: Axis, cells: int, dots: int) -> int:
    """The dot that braille sets for a value on an axis of so many cells; outside 0 … cells × dots - 1 nothing shows."""
    return round((value - axis.low) / (axis.high - axis.low) * (cells * dots - 1))


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
    """The x label in the corner below the labels of the y axis, as far as the first tick's label leaves it free."""
    text = "".join(part for part, _ in row)
    free = min(len(text) - len(text.lstrip()), GUTTER)
    return ((label[:free].ljust(free) + text[free:], "axis"),)
