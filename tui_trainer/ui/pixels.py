"""Small pictures as characters, grey ones and signed ones: two pixels in a cell, one above the other. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

LEVELS = 16  # of grey: as many as eyes tell apart in a cell
RAMP = " .:-=+*#%@"
ABOVE, BELOW = " .:o8@", " '-~=%"  # dots and rings for what is above 0, strokes for what is below

Pixels = list[list[int]]
"""Rows of grey levels from 0 to 255; in a signed picture from -255 to 255."""


def rows_of(values: Sequence[int], shape: tuple[int, int]) -> Pixels:
    height, width = shape
    return [list(values[row * width : (row + 1) * width]) for row in range(height)]


def factor(shape: tuple[int, int], width: int, lines: int) -> float:
    """How many times larger a picture may be drawn in so many cells: whole numbers, or 1/2, 1/3, … where it must."""
    high, wide = shape
    larger = min(width // wide, 2 * lines // high)
    if larger >= 1:
        return float(larger)
    return 1 / max(-(-wide // max(width, 1)), -(-high // max(2 * lines, 1)))


def extent(shape: tuple[int, int], times: float) -> tuple[int, int]:
    """Rows and columns of pixels of a picture drawn `times` as large."""
    high, wide = shape
    if times >= 1:
        return high * int(times), wide * int(times)
    step = round(1 / times)
    return -(-high // step), -(-wide // step)


def scaled(picture: Pixels, times: float) -> Pixels:
    """Each pixel `times` as large; below 1 the mean of the pixels that fall together."""
    if times >= 1:
        whole = int(times)
        return [[value for value in row for _ in range(whole)] for row in picture for _ in range(whole)]
    step = round(1 / times)
    return [
        [_mean(picture, top, left, step) for left in range(0, len(picture[0]), step)]
        for top in range(0, len(picture), step)
    ]


def _mean(picture: Pixels, top: int, left: int, step: int) -> int:
    block = [value for row in picture[top : top + step] for value in row[left : left + step]]
    return round(sum(block) / len(block))


def cells(picture: Pixels) -> list[list[tuple[int, int]]]:
    """The levels, below `LEVELS`, of the upper and the lower pixel of each cell."""
    return [[(top * LEVELS // 256, bottom * LEVELS // 256) for top, bottom in row] for row in _pairs(picture)]


def signed_cells(picture: Pixels) -> list[list[tuple[int, int]]]:
    """The same of a signed picture: levels between `-LEVELS` and `LEVELS`, 0 only where the pixel is almost 0."""
    most = LEVELS - 1
    return [[(round(top * most / 255), round(bottom * most / 255)) for top, bottom in row] for row in _pairs(picture)]


def _pairs(picture: Pixels) -> Iterator[list[tuple[int, int]]]:
    """The upper and the lower pixel of the cells, row by row."""
    even = picture if len(picture) % 2 == 0 else [*picture, [0] * len(picture[0])]
    for upper, lower in zip(even[::2], even[1::2], strict=True):
        yield list(zip(upper, lower, strict=True))


def character(top: int, bottom: int) -> str:
    """The two levels of a cell as one character, the more ink the higher."""
    return RAMP[(top + bottom) * (len(RAMP) - 1) // (2 * (LEVELS - 1))]


def signed_character(top: int, bottom: int) -> str:
    """Two signed levels as one character, which tells their sign without colour, and by its ink how far from 0."""
    ramp = ABOVE if top + bottom > 0 else BELOW
    return ramp[-(-abs(top + bottom) * (len(ramp) - 1) // (2 * (LEVELS - 1)))]
