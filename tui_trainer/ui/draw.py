"""Rows of styled text from dots on a grid. plotext draws axes and lines, and each piece of them only once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise
from typing import NamedTuple

from tui_trainer.ui.axes import Axis
from tui_trainer.ui.rows import Cell, Row, blank, joined, plain

GUTTER = 6  # cells for the labels of the y axis, always the same, so that a new label moves nothing
PIECE = 16  # points of a line drawn together: as points come, only its last piece is drawn again
BRAILLE = 0x2800

Dot = tuple[int, int]
"""Two a cell across, from the left; four a cell up, from below."""


class Stroke(NamedTuple):
    """A line through dots, in pieces that begin where the one before ends, with its glyph on some of them."""

    style: str
    pieces: tuple[tuple[Dot, ...], ...]
    glyph: str = ""
    glyphs: tuple[Dot, ...] = ()


class Glyph(NamedTuple):
    style: str
    glyph: str
    dot: Dot


class Shade(NamedTuple):
    """Cells of one column, from below, that lie in a band."""

    style: str
    column: int
    bottom: int
    top: int


@dataclass(frozen=True)
class Words:
    """Some words in the middle of a chart."""

    width: int
    height: int
    words: str

    def draw(self, ascii_only: bool = False) -> list[Row]:
        middle: Row = ((self.words[: self.width].center(self.width), "axis"),)
        return [middle if y == self.height // 2 else blank(self.width) for y in range(self.height)]


@dataclass(frozen=True)
class Plotted:
    """A picture on its grid; without axes where there is no room for them."""

    width: int
    height: int
    x: Axis | None = None
    y: Axis | None = None
    x_label: str = ""
    strokes: tuple[Stroke, ...] = ()
    marks: tuple[Glyph, ...] = ()
    shades: tuple[Shade, ...] = ()
    """Where they overlap the first is seen."""
    cursor: int | None = None
    """The column of a vertical line."""

    def draw(self, ascii_only: bool = False) -> list[Row]:
        """`height` rows of `width` cells."""
        if self.x is None or self.y is None:
            return [blank(self.width)] * self.height
        frame = _frame(self.x, self.y, self.width, self.height, self.x_label)
        cells: list[list[Cell]] = [[(character, "axis") for character in row] for row in frame]
        canvas = _Canvas(cells, self.width - GUTTER - 1, self.height - 2)
        if self.cursor is not None:
            canvas.column(self.cursor)
        for stroke in self.strokes:
            for piece in stroke.pieces:
                canvas.line(piece, stroke.style)
        canvas.take_turns(self.strokes)
        for mark in self.marks:
            canvas.put(mark.dot, mark.glyph, mark.style)
        for shade in reversed(self.shades):
            canvas.shade(shade)
        canvas.uncover()
        rows = [joined(row) for row in cells]
        return [tuple((plain(text), style) for text, style in row) for row in rows] if ascii_only else rows


class _Canvas:
    """The cells between the axes."""

    def __init__(self, cells: list[list[Cell]], columns: int, rows: int) -> None:
        self.cells = cells
        self.columns = columns
        self.rows = rows
        self.shades: dict[tuple[int, int], str] = {}

    def column(self, column: int) -> None:
        """A vertical line behind the curves."""
        if 0 <= column < self.columns:
            for row in self.cells[: self.rows]:
                row[GUTTER + 1 + column] = ("│", "cursor")

    def line(self, dots: tuple[Dot, ...], style: str) -> None:
        """On a canvas no larger than what of it is to be seen."""
        left = max(min(x for x, _ in dots) // 2, 0)
        right = min(max(x for x, _ in dots) // 2, self.columns - 1)
        low = max(min(y for _, y in dots) // 4, 0)
        high = min(max(y for _, y in dots) // 4, self.rows - 1)
        if left > right or low > high:
            return
        moved = tuple((x - 2 * left, y - 4 * low) for x, y in dots)
        top = self.rows - 1 - high
        for x, y, bits in _line(moved, right - left + 1, high - low + 1):
            row, at = self.cells[top + y], GUTTER + 1 + left + x
            drawn = ord(row[at][0])
            row[at] = (chr(bits | drawn if BRAILLE < drawn < BRAILLE + 256 else bits), style)

    def take_turns(self, strokes: Sequence[Stroke]) -> None:
        """The glyphs of all lines; where several lie in one cell, each is seen in some of such cells."""
        found: dict[Dot, dict[Cell, Dot]] = {}
        for stroke in reversed(strokes):  # the last one first, as it lies on top
            for dot in stroke.glyphs:
                found.setdefault((dot[0] // 2, dot[1] // 4), {})[stroke.glyph, stroke.style] = dot
        turn = 0
        for _, there in sorted(found.items()):
            (glyph, style), dot = list(there.items())[turn % len(there)]
            self.put(dot, glyph, style)
            turn += len(there) > 1

    def put(self, dot: Dot, glyph: str, style: str) -> None:
        """A glyph in the cell whose dot a line goes through."""
        x, y = dot[0] // 2, self.rows - 1 - dot[1] // 4
        if 0 <= x < self.columns and 0 <= y < self.rows:
            self.cells[y][GUTTER + 1 + x] = (glyph, style)

    def shade(self, shade: Shade) -> None:
        for y in range(shade.bottom, shade.top + 1):
            self.shades[self.rows - 1 - y, GUTTER + 1 + shade.column] = shade.style

    def uncover(self) -> None:
        """The style of its shade under that of every shaded cell."""
        for (y, x), shade in self.shades.items():
            character, style = self.cells[y][x]
            self.cells[y][x] = (character, f"{shade}+{style}" if character != " " else shade)


def pieces(dots: Sequence[Dot]) -> tuple[tuple[Dot, ...], ...]:
    """A line cut every so many points; neighbours on one dot become one."""
    cut = (dots[begin : begin + PIECE + 1] for begin in range(0, max(len(dots) - 1, 1), PIECE))
    return tuple(tuple(dot for dot, _ in groupby(piece)) for piece in cut if piece)


@lru_cache(maxsize=512)
def _line(dots: tuple[Dot, ...], columns: int, rows: int) -> list[tuple[int, int, int]]:
    """Column, row from above and braille character of every cell that a line goes through."""
    import plotext

    # plotext's figure is a global: set up, drawn and read in one go. Clearing all of it takes longer than most lines
    # do, so every drawing leaves it without data, and the axes leave it clear
    plotext.limit_size(False, False)
    plotext.plot_size(columns, rows)
    plotext.theme("clear")
    plotext.xaxes(False, False)
    plotext.yaxes(False, False)
    plotext.xfrequency(0)
    plotext.yfrequency(0)
    plotext.xlim(0, 2 * columns - 1)
    plotext.ylim(0, 4 * rows - 1)
    plotext.plot([x for x, _ in dots], [y for _, y in dots], marker="braille")
    drawn = plotext.build()
    plotext.clear_data()
    lines = drawn.replace("\x1b[0m", "").split("\n")[:rows]
    return [
        (x, y, ord(character)) for y, line in enumerate(lines) for x, character in enumerate(line) if character != " "
    ]


@lru_cache(maxsize=128)
def _frame(x: Axis, y: Axis, width: int, height: int, label: str) -> list[str]:
    """The axes with their labels, and room between them."""
    import plotext

    plotext.clear_figure()
    plotext.limit_size(False, False)
    plotext.plot_size(width, height)
    plotext.theme("clear")
    plotext.xaxes(True, False)
    plotext.yaxes(True, False)
    plotext.xlim(x.low, x.high)
    plotext.ylim(y.low, y.high)
    plotext.xticks([place for place, _ in x.ticks], [label for _, label in x.ticks])
    labels = _spaced(y, height - 3)
    plotext.yticks([place for place, _ in labels], [label[:GUTTER].rjust(GUTTER) for _, label in labels])
    plotext.scatter([2 * x.low - x.high], [y.low])  # it draws no axes without data: a point outside the limits
    drawn = plotext.build()
    plotext.clear_figure()
    rows = [row.ljust(width)[:width] for row in drawn.replace("\x1b[0m", "").split("\n")[:height]]
    free = min(len(rows[-1]) - len(rows[-1].lstrip()), GUTTER)  # as far as the first tick's label leaves it free
    return [*rows[:-1], label[:free].ljust(free) + rows[-1][free:]]


def _spaced(axis: Axis, rows: int) -> tuple[tuple[float, str], ...]:
    """Every n-th tick, so that a row at least lies between two labels."""
    places = [(place - axis.low) / (axis.high - axis.low) * rows for place, _ in axis.ticks]
    closest = min((after - before for before, after in pairwise(places)), default=2.0)
    return axis.ticks[:: max(1, math.ceil(1.9 / max(closest, 0.01)))]
