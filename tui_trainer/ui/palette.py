"""What charts are drawn in: a style for each of its names, out of the colours of the look in force.

No component classes of textual: it would work out fifty of them for each chart whenever a class or the focus changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from rich.style import Style
from textual.color import Color

from tui_trainer.ui.themes import DARK_SERIES

CLASSES = 4
"""Colours for the classes of a decision boundary; more classes take them again, with other glyphs."""
CURVES = len(DARK_SERIES)
"""Colours for curves of which there may be many."""

_CLASS_COLOURS = ("train", "validation", "saved", "changed")
_BOLD = {"title", "focused", "best", "chosen", *(f"point{n}" for n in range(CLASSES))}
_TEXT: dict[str, tuple[str, float]] = {
    "title": ("foreground", 1),
    "focused": ("accent", 1),
    "axis": ("muted", 1),
    "note": ("muted", 1),
    "cursor": ("accent", 1),
    "later": ("faint", 1),
    "train": ("train", 1),
    "validation": ("validation", 1),
    "best": ("best", 1),
    "saved": ("saved", 1),
    "changed": ("changed", 1),
    "ended": ("warning", 1),
    **{f"area{n}": (colour, 0.6) for n, colour in enumerate(_CLASS_COLOURS)},
    **{f"point{n}": (colour, 1) for n, colour in enumerate(_CLASS_COLOURS)},
    **{f"series{n}": (f"series{n}", 1) for n in range(CURVES)},
    **{f"faded{n}": (f"series{n}", 0.55) for n in range(CURVES)},
}
_GROUND: dict[str, tuple[str, float]] = {
    "envelope": ("train", 0.18),
    **{f"area{n}": (colour, 0.22) for n, colour in enumerate(_CLASS_COLOURS)},
    **{f"band{n}": (f"series{n}", 0.18) for n in range(CURVES)},
}
"""Colours by their names in a theme, and how much of them; what has none of its own has that of plain text."""


class Palette:
    def __init__(self, colours: Mapping[str, str], ground: Color) -> None:
        """`colours` by name, as in a theme of `themes.py`; on this ground."""
        self.colours = colours
        self.ground = ground
        self.style = lru_cache(maxsize=None)(self._style)

    def _style(self, name: str) -> Style:
        """Of a name, or of several, the later ones' text over the first one's ground: `area0+point1`."""
        first, *others = name.split("+")
        ground, text = self.ground, Color.parse(self.colours["foreground"])
        if first in _GROUND:
            ground += self._colour(_GROUND[first])
        for part in (first, *others):
            text = self._colour(_TEXT[part]) if part in _TEXT else text
        bold = any(part in _BOLD for part in (first, *others))
        return Style(color=(ground + text).rich_color, bgcolor=ground.rich_color, bold=bold or None)

    def _colour(self, wanted: tuple[str, float]) -> Color:
        name, share = wanted
        return Color.parse(self.colours[name]).multiply_alpha(share)
