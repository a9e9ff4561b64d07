"""Rows of styled text, the glyphs in them, and what stands for those where there is only ASCII."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from tui_trainer.text import unicode_terminal

GLYPHS = "●▲■◆○△□◇"
ASCII_GLYPHS = "o^#x%@&="
OTHERS = "○△□◇▽◎"
"""Of runs drawn over the charts of another, whose marks are the filled ones."""

Row = tuple[tuple[str, str], ...]
"""Neighbouring pieces of one row: text, and the name of its style."""
Cell = tuple[str, str]

_BRAILLE = "".join(map(chr, range(0x2801, 0x2900)))
_PLAIN = str.maketrans("┤│└┬─★▽◎⠀" + GLYPHS + _BRAILLE, "+|++-*v$ " + ASCII_GLYPHS + "." * len(_BRAILLE))


def glyph(number: int) -> str:
    """The glyph of one of several curves or classes; after eight they come again."""
    return GLYPHS[number % len(GLYPHS)]


def plain(text: str) -> str:
    """The same in ASCII, in charts and in their legends alike."""
    return text.translate(_PLAIN)


def shown(text: str) -> str:
    """As this terminal can show it."""
    return text if unicode_terminal() else plain(text)


def joined(cells: Iterable[Cell]) -> Row:
    """Neighbours of one style as one piece."""
    return tuple(("".join(c for c, _ in same), style) for style, same in groupby(cells, key=lambda cell: cell[1]))


def blank(width: int) -> Row:
    return ((" " * width, ""),)
