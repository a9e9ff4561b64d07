"""What is done to every row on its way to the terminal: colours left out, glyphs replaced by ASCII."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.filter import LineFilter

from tui_trainer.text import in_ascii, unicode_terminal

SELECTED = 0.2  # brightness: `$accent 25%` of the colourless theme is brighter, a panel darker
QUIET = 0.8  # brightness: muted text is darker


@lru_cache(2048)
def _colourless(style: Style) -> Style:
    """Bold, underlined and reversed as before; a highlighted background becomes reversed, quiet text dim."""
    highlighted = style.bgcolor is not None and Color.from_rich_color(style.bgcolor).brightness > SELECTED
    quiet = style.color is not None and Color.from_rich_color(style.color).brightness < QUIET
    plain = style.without_color
    if highlighted:
        return plain + Style(reverse=True)
    return plain + Style(dim=True) if quiet else plain


class Colourless(LineFilter):
    """The terminal's own two colours, as NO_COLOR asks for."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [Segment(text, _colourless(style) if style else None, control) for text, style, control in segments]


class Ascii(LineFilter):
    """Every glyph outside ASCII replaced by one of the same width."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [Segment(in_ascii(text), style, control) for text, style, control in segments]


def keep_blocks(app: App[Any]) -> bool:
    """Does half a block, its colour on another, reach the terminal as it is?"""
    filtered = any(isinstance(each, Colourless | Ascii) for each in app.get_line_filters())
    return unicode_terminal() and app.console.color_system != "standard" and not filtered
