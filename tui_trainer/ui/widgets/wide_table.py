"""A table that may be wider than its room: whole columns only, and a sign where it goes on."""

from __future__ import annotations

from itertools import accumulate

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.strip import Strip
from textual.widgets import DataTable


class WideTable(DataTable[Text]):
    """The fixed columns stay; of the others those are seen that fit as a whole. Left and right lead on by columns."""

    def _edges(self) -> list[int]:
        """Where each column begins, and where the last one ends."""
        return list(accumulate((column.get_render_width(self) for column in self.ordered_columns), initial=0))

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        scrolled, room, edges = self.scroll_offset.x, self.scrollable_content_region.width, self._edges()
        if edges[-1] <= room:
            return strip
        left = edges[min(self.fixed_columns, len(edges) - 1)]
        whole = [edge - scrolled for edge in edges if left <= edge - scrolled <= room]
        if len(whole) < 2:  # none fits
            return strip
        title = y == self.header_height - 1
        begin, end = max(whole[0], left + 1), min(whole[-1], room - 1)  # a sign may take the padding of a column
        goes_on = "›" if title and edges[-1] > scrolled + room else ""
        return Strip.join(
            [
                strip.crop(0, left),
                self._covered(strip.crop(left, begin), "‹" if title and scrolled else ""),
                strip.crop(begin, end),
                self._covered(strip.crop(end), goes_on.rjust(room - end)),
            ]
        )

    def _covered(self, strip: Strip, sign: str) -> Strip:
        """A sign in place of what these cells say, on the ground of the table, or of its highlighted row."""
        ground = self.rich_style.bgcolor
        if self.cursor_type == "row":
            ground = next((segment.style.bgcolor for segment in strip if segment.style), ground)
        style = Style(color=self.app.theme_variables["accent"], bgcolor=ground, bold=True)
        return Strip([Segment(sign.ljust(strip.cell_length), style)])

    def action_cursor_right(self) -> None:
        if self.cursor_type == "row":
            self._lead(1)
        else:
            super().action_cursor_right()

    def action_cursor_left(self) -> None:
        if self.cursor_type == "row":
            self._lead(-1)
        else:
            super().action_cursor_left()

    def _lead(self, step: int) -> None:
        """The next column, or the one before, to where the scrolled ones begin."""
        left = self._edges()[self.fixed_columns]
        places = [edge - left for edge in self._edges()[self.fixed_columns :]]
        beyond = [place for place in places if (place - self.scroll_offset.x) * step > 0]
        if beyond:
            self.scroll_to(x=beyond[0 if step > 0 else -1], animate=False)
