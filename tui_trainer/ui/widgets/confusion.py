"""What a network confuses with what: counts of true against predicted classes, shaded."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.style import Style
from rich.text import Text
from textual.color import Color
from textual.coordinate import Coordinate

from tui_trainer.text import clean
from tui_trainer.ui.themes import MONO
from tui_trainer.ui.widgets.wide_table import WideTable

MOST_NAME = 12  # cells of a class's name on the left
CORNER = "true \\ predicted"
LEAST_HEADING = 6  # and above its column, where there is no room for more
RECALL = 8
SHADES = "░▒▓█"


class Confusion(WideTable):
    """One row a true class, one column a predicted one, recall on the right, precision below.

    `picked` says which examples the highlighted cell stands for.
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id, cursor_type="cell", fixed_columns=1, cell_padding=0)
        self.cursor_foreground_priority = "renderable"
        self.found: Mapping[str, Any] = {}
        self.drawn: Sequence[Sequence[Text]] = ()
        self.wide = 0

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self.fill(self.found))

    def fill(self, found: Mapping[str, Any]) -> None:
        """All of it anew: another result, another theme. The highlight goes to the corner, which means all."""
        self.found = found
        self.clear(columns=True)
        self.wide = self._wide(found) if found else 0
        self.drawn = self._rows(found) if found else ()
        if not found:
            return
        self._heading(CORNER, len(CORNER), right=False)
        for name in found["classes"]:
            self._heading(clean(name, min(self.wide, MOST_NAME)), self.wide)
        self._heading("recall %", RECALL)
        for row in self.drawn:
            self.add_row(*row)

    def update(self, found: Mapping[str, Any]) -> None:
        """Other counts of the same classes: only the cells that differ, and the highlight stays."""
        same = self.drawn and self.found["classes"] == found["classes"] and self.wide == self._wide(found)
        if not same:
            self.fill(found)
            return
        before, self.found, self.drawn = self.drawn, found, self._rows(found)
        for y, (old, new) in enumerate(zip(before, self.drawn, strict=True)):
            for x, (was, text) in enumerate(zip(old, new, strict=True)):
                if (was, was.style) != (text, text.style):
                    self.update_cell_at(Coordinate(y, x), text)

    def on_focus(self) -> None:
        self.cursor_background_priority = "css"  # else the shade of a count hides where the highlight is

    def on_blur(self) -> None:
        self.cursor_background_priority = "renderable"

    def on_resize(self) -> None:
        if self.found and self.wide != self._wide(self.found):
            place = self.cursor_coordinate
            self.fill(self.found)
            self.move_cursor(row=place.row, column=place.column, animate=False)

    def _wide(self, found: Mapping[str, Any]) -> int:
        """Cells of a count: enough for all examples of a class, so that moving counts need no more, and for names."""
        most = max(*map(sum, found["confusion"]), 1)
        longest = max(len(clean(name, MOST_NAME)) for name in found["classes"])
        beside = len(CORNER) + RECALL + 4
        room = (self.scrollable_content_region.width - beside) // len(found["classes"]) - 2
        return max(len(f"{most:,}"), min(longest, max(room, LEAST_HEADING)), 3)

    def _rows(self, found: Mapping[str, Any]) -> Sequence[Sequence[Text]]:
        names = [clean(name, MOST_NAME) for name in found["classes"]]
        counts = found["confusion"]
        wide = self.wide
        wrong = max((n for t, row in enumerate(counts) for p, n in enumerate(row) if t != p), default=0)
        rows: list[list[Text]] = []
        decimals = 1 if wide > 3 else 0  # as many as there is room for below the columns
        for label, (name, row) in enumerate(zip(names, counts, strict=True)):
            shaded = [
                self._cell(n, wide, label == column, wrong, found["recall"][label]) for column, n in enumerate(row)
            ]
            rows.append([Text(f" {name}"), *shaded, Text(f" {_share(found['recall'][label], decimals):>{RECALL}} ")])
        precision = (Text(f" {_share(p, decimals):>{wide}} ") for p in found["precision"])
        return [*rows, [Text(" precision %", "dim"), *precision, Text("")]]

    def _heading(self, words: str, width: int, right: bool = True) -> None:
        self.add_column(Text(f" {words:>{width}} " if right else f" {words:<{width}} "), width=width + 2)

    def _cell(self, count: int, width: int, right: bool, most_wrong: int, recall: float | None) -> Text:
        """A count, the darker the more mistakes, or, on the diagonal, the more of its class are right.

        Without colours a character before it is darker.
        """
        if not count:
            return Text(f" {'·':>{width}} ", Style(dim=True))
        theme = self.app.current_theme
        if theme.name == MONO.name:
            share = (recall or 0) if right else count / most_wrong
            return Text(f"{SHADES[math.ceil(share * len(SHADES)) - 1]}{count:>{width},} ", Style(bold=not right))
        hue = theme.success if right else theme.error
        strength = 0.35 * (recall or 0) if right else 0.12 + 0.43 * count / most_wrong
        ground = Color.parse(theme.background or "black").blend(Color.parse(hue or "white"), strength)
        return Text(f" {count:>{width},} ", Style(bgcolor=ground.rich_color, bold=not right))

    def picked(self, place: Coordinate) -> tuple[int | None, int | None]:
        """True and predicted class of the examples a cell stands for; None for any.

        The corner stands for all mistakes, the diagonal and the edges for those of one class.
        """
        classes = len(self.found.get("classes", ()))
        true = place.row if place.row < classes else None
        predicted = place.column - 1 if 1 <= place.column <= classes else None
        if place == Coordinate(0, 0):
            return None, None
        return true, (None if true == predicted else predicted)

    def mistakes_in(self, counts: Sequence[Sequence[int]]) -> int:
        """How many of these the highlighted cell stands for; the pictures may be fewer."""
        true, predicted = self.picked(self.cursor_coordinate)
        return sum(
            count
            for t, row in enumerate(counts)
            for p, count in enumerate(row)
            if t != p and true in (None, t) and predicted in (None, p)
        )


def _share(fraction: float | None, decimals: int) -> str:
    """In percent; 100 only where none is wrong."""
    if fraction is None or fraction == 1:
        return "–" if fraction is None else "100"
    return f"{min(100 * fraction, 100 - 0.1**decimals):.{decimals}f}"
