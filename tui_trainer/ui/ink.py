"""Signed pictures in the look in force: one colour above 0, another below, the paler the nearer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.content import Content

from tui_trainer.ui.filters import keep_blocks
from tui_trainer.ui.pixels import LEVELS, Pixels, signed_cells, signed_character
from tui_trainer.ui.words import MUTED


class Ink:
    """Blocks of two pixels; where there are no blocks or no colours, characters that tell the sign by their shape."""

    def __init__(self, colours: Mapping[str, str], blocks: bool) -> None:
        """`colours` by name, as in a theme of `themes.py`."""
        self.colours, self.blocks = colours, blocks
        self.paper = Color.parse(colours["panel"])
        self.above, self.below = Color.parse(colours["train"]), Color.parse(colours["validation"])
        self.segment = lru_cache(maxsize=None)(self._segment)

    @classmethod
    def of(cls, app: App[Any], before: Ink | None = None) -> Ink:
        """That of the look in force, which is the one before where nothing has changed."""
        blocks = keep_blocks(app)
        if before and before.colours is app.theme_variables and before.blocks == blocks:
            return before
        return cls(app.theme_variables, blocks)

    def rows(self, picture: Pixels) -> list[list[Segment]]:
        return [[self.segment(top, bottom) for top, bottom in row] for row in signed_cells(picture)]

    @property
    def legend(self) -> Content:
        """What the colours, or the characters, mean."""
        above, below = ("█", "█") if self.blocks else (signed_character(n, n) for n in (LEVELS - 1, 1 - LEVELS))
        return Content.assemble((above, "$train"), (" above 0  ", MUTED), (below, "$validation"), (" below", MUTED))

    def _segment(self, top: int, bottom: int) -> Segment:
        if self.blocks:
            return Segment("▀", Style(color=self._colour(top).rich_color, bgcolor=self._colour(bottom).rich_color))
        hue = self.above if top + bottom > 0 else self.below
        return Segment(signed_character(top, bottom), Style(color=hue.rich_color, bgcolor=self.paper.rich_color))

    def _colour(self, level: int) -> Color:
        return self.paper.blend(self.above if level > 0 else self.below, abs(level) / (LEVELS - 1))
