"""Pictures of curves in the units of their axes, and what of them can be seen at some size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tui_trainer.ui.axes import Axis
from tui_trainer.ui.draw import GUTTER, Dot, Glyph, Plotted, Shade, Stroke, Words, pieces
from tui_trainer.ui.rows import Row

LARGEST = 1e300  # arithmetic on axes overflows near the end of the float range

ALONE = "○"  # in place of a line without glyphs that is one dot yet, which is hardly seen


class Visible(Protocol):
    """A drawing at one size. Two that are equal look the same."""

    def draw(self, ascii_only: bool = False) -> list[Row]:
        """Exactly as many rows as asked for, of exactly as many cells."""


class Drawing(Protocol):
    """What a chart shows."""

    def at(self, width: int, height: int) -> Visible:
        """What of it can be seen in `height` rows of `width` cells."""


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
class Message:
    """Words in place of a chart that has nothing to draw."""

    words: str

    def at(self, width: int, height: int) -> Words:
        return Words(width, height, self.words)


@dataclass(frozen=True)
class Picture:
    curves: tuple[Curve, ...]
    marks: tuple[Mark, ...]
    x: Axis
    y: Axis
    x_label: str
    bands: tuple[Band, ...] = ()
    """Where they overlap the first is seen."""
    cursor: float | None = None
    """Where a vertical line stands."""

    def at(self, width: int, height: int) -> Plotted:
        """The picture on the grid of 2 × 4 dots a cell that braille can show."""
        grid = _Grid(self.x, self.y, width - GUTTER - 1, height - 2)
        if grid.columns < 5 or grid.rows < 2:
            return Plotted(width, height)
        return Plotted(
            width,
            height,
            self.x,
            self.y,
            self.x_label,
            tuple(map(grid.stroke, self.curves)),
            tuple(grid.glyph(mark) for mark in self.marks if self.x.low <= mark.x <= self.x.high),
            tuple(shade for band in self.bands for shade in grid.shades(band)),
            None if self.cursor is None else grid.across(self.cursor) // 2,
        )


@dataclass(frozen=True)
class _Grid:
    """Dots count from the left and from below."""

    x: Axis
    y: Axis
    columns: int
    rows: int

    def across(self, value: float) -> int:
        return _dot(value, self.x, 2 * self.columns)

    def up(self, value: float) -> int:
        return _dot(value, self.y, 4 * self.rows)

    def stroke(self, curve: Curve) -> Stroke:
        pairs = zip(curve.xs, curve.ys, strict=True)
        dots = [(self.across(x), self.up(y)) for x, y in pairs if math.isfinite(y) and abs(y) < LARGEST]
        glyph = curve.glyph or (ALONE if len(set(dots)) == 1 else "")
        return Stroke(curve.style, pieces(dots), glyph, self._glyphs(dots, curve.phase) if glyph else ())

    def _glyphs(self, dots: list[Dot], phase: float) -> tuple[Dot, ...]:
        """Counted from the first point, a power of two apart, so that glyphs stay where they are as points come."""
        if not dots:
            return ()
        every = 1 << max(0, math.ceil(math.log2(len(dots) * 6 / self.columns)))
        return (*dots[int(phase * every) :: every], dots[-1])

    def glyph(self, mark: Mark) -> Glyph:
        height = self.y.low if mark.y is None else min(max(mark.y, self.y.low), self.y.high)
        return Glyph(mark.style, mark.glyph, (self.across(mark.x), self.up(height)))

    def shades(self, band: Band) -> list[Shade]:
        """A shade for each column of a band; its dots are lost between the cells."""
        edges = [
            (self.across(x) // 2, self.up(low) // 4, self.up(high) // 4)
            for x, low, high in zip(band.xs, band.lows, band.highs, strict=True)
        ]
        found: dict[int, Shade] = {}
        for (left, low, high), (right, next_low, next_high) in zip(edges, [*edges[1:], *edges[-1:]], strict=True):
            for column in range(max(left, 0), min(right, self.columns - 1) + 1):
                share = (column - left) / (right - left) if right > left else 0.0
                bottom = max(round(low + share * (next_low - low)), 0)
                top = min(round(high + share * (next_high - high)), self.rows - 1)
                if known := found.get(column):
                    bottom, top = min(bottom, known.bottom), max(top, known.top)
                if bottom <= top:
                    found[column] = Shade(band.style, column, bottom, top)
        return list(found.values())


def _dot(value: float, axis: Axis, dots: int) -> int:
    """The dot that stands for a value; outside 0 … dots - 1 nothing shows, and far outside makes no difference."""
    share = (value - axis.low) / (axis.high - axis.low)
    return round(min(max(share, -1.0), 2.0) * (dots - 1))
