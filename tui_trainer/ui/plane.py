"""Draw what a network with two inputs answers all over the plane, and the examples it learns from. Pure, as `plot`."""

from __future__ import annotations

from dataclasses import dataclass

from tui_trainer.runs.events import Boundary
from tui_trainer.ui.draw import GUTTER, Words
from tui_trainer.ui.palette import CLASSES
from tui_trainer.ui.rows import Row, blank, glyph, joined, plain

SHADES = " ·░:"
ASCII_SHADES = " .:-"
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Plane:
    """The answers as areas, a colour and a shade for each class, with the examples as glyphs on them."""

    boundary: Boundary | None

    def at(self, width: int, height: int) -> PlaneAt | Words:
        if self.boundary is None:
            return Words(width, height, "drawn after the first epoch")
        return PlaneAt(self.boundary, width, height)


@dataclass(frozen=True)
class PlaneAt:
    """The boundary comes whole or not at all: what can be seen of it is itself."""

    boundary: Boundary
    width: int
    height: int

    def draw(self, ascii_only: bool = False) -> list[Row]:
        """`height` rows of `width` cells; blank where there is no room for axes."""
        plane, width, height = self.boundary, self.width, self.height
        columns, lines = width - GUTTER - 1, height - 1
        if columns < 6 or lines < 3:
            return [blank(width)] * height
        cells = [[_area(plane, x, y, columns, lines, ascii_only) for x in range(columns)] for y in range(lines)]
        for px, py, label in plane.points:
            x = _cell(px, plane.left, plane.right, columns)
            y = _cell(py, plane.top, plane.bottom, lines)
            if 0 <= x < columns and 0 <= y < lines:
                area = cells[y][x][1].partition("+")[0]
                shown = plain(glyph(label)) if ascii_only else glyph(label)
                cells[y][x] = (shown, f"{area}+point{label % CLASSES}")
        labels = {0: plane.top, lines // 2: (plane.top + plane.bottom) / 2, lines - 1: plane.bottom}
        edge = "|" if ascii_only else "│"
        rows = []
        for y, line in enumerate(cells):
            place = f"{labels[y]:.2f}"[: GUTTER - 1] if y in labels else ""
            rows.append(((f"{place:>{GUTTER}}{edge}", "axis"), *joined(line)))
        return [*rows, ((_foot(plane, columns), "axis"),)]


def _area(plane: Boundary, x: int, y: int, columns: int, lines: int, ascii_only: bool) -> tuple[str, str]:
    """The shade of a cell, and its style: the answer at its middle."""
    row = plane.rows[min(int((y + 0.5) / lines * len(plane.rows)), len(plane.rows) - 1)]
    answer = row[min(int((x + 0.5) / columns * len(row)), len(row) - 1)]
    label = DIGITS.find(answer)
    shades = ASCII_SHADES if ascii_only else SHADES
    return shades[label % len(shades)], f"area{label % CLASSES}"


def _cell(value: float, low: float, high: float, cells: int) -> int:
    """The cell of a value on an axis of so many cells, -1 where it has none; `low` may be the greater end."""
    span = high - low
    if not span or value == high:
        return cells - 1
    share = (value - low) / span
    return int(share * cells) if 0 <= share <= 1 else -1


def _foot(plane: Boundary, columns: int) -> str:
    """The x axis: its ends and its middle."""
    left, middle, right = (f"{v:.2f}" for v in (plane.left, (plane.left + plane.right) / 2, plane.right))
    line = f"{middle:^{columns}}"
    line = left + line[len(left) : columns - len(right)] + right
    return f"{'':{GUTTER + 1}}{line[:columns]:<{columns}}"
