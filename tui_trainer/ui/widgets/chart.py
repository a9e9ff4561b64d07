"""A chart that repaints only the rows that changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui_trainer.text import unicode_terminal
from tui_trainer.ui.draw import GUTTER
from tui_trainer.ui.palette import Palette
from tui_trainer.ui.plot import Drawing, Visible
from tui_trainer.ui.rows import Row, plain


@dataclass(frozen=True)
class Legend:
    """One entry above the chart: a piece of line or a glyph in its style, and what it stands for."""

    style: str
    glyph: str
    label: str


class Chart(Widget, can_focus=True):
    """A title with legend, and below it the picture that `source` gives for the room there is.

    `source` is asked again by `redraw`, and after a resize.
    """

    source: reactive[Callable[[Size], Drawing] | None] = reactive(None, repaint=False)
    legend: reactive[tuple[Legend, ...]] = reactive((), repaint=False)
    note = reactive("", repaint=False)

    class Pointed(Message):
        """The person clicked at this share of the way along the x axis of the chart that has the focus."""

        def __init__(self, chart: Chart, share: float) -> None:
            super().__init__()
            self.chart = chart
            self.share = share

    def __init__(self, title: str, legend: tuple[Legend, ...], id: str | None = None) -> None:
        super().__init__(id=id)
        self.title = title
        self.set_reactive(Chart.legend, legend)
        self.rows: list[Row] = []
        self.seen: tuple[Row, Visible] | None = None
        self.ascii_only = not unicode_terminal()
        self.palette: Palette | None = None

    def redraw(self) -> None:
        """Draw the picture of now; only the cells that differ from those on screen are sent to the terminal."""
        width, height = self.content_size
        if self.source is None or width < 1 or height < 1:
            return
        size = Size(width, height - 1)
        seen = (self._header(width), self.source(size).at(*size))
        if self.rows and seen == self.seen:
            return
        self.seen = seen
        rows = [seen[0], *seen[1].draw(self.ascii_only)]
        before, self.rows = self.rows, rows
        if len(before) != len(rows):
            self.refresh()
            return
        changed = [
            Region(begin, y, end - begin, 1)
            for y, (old, new) in enumerate(zip(before, rows, strict=True))
            if old != new
            for begin, end in [_difference(old, new)]
        ]
        if changed:
            self.refresh(*changed)

    def watch_source(self) -> None:
        self.redraw()

    def watch_legend(self) -> None:
        self.redraw()

    def watch_note(self) -> None:
        self.redraw()

    def on_resize(self, event: events.Resize) -> None:
        self.rows = []
        self.redraw()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """The first click gives the focus, the next one points."""
        column, columns = event.x - self.gutter.left - GUTTER - 1, self.content_size.width - GUTTER - 1
        if self.has_focus and 0 <= column < columns:
            self.post_message(self.Pointed(self, column / max(columns - 1, 1)))

    def render_line(self, y: int) -> Strip:
        width, style = self.content_size.width, self._palette.style
        if y >= len(self.rows):
            return Strip.blank(width, style(""))
        row = self.rows[y]
        if y == 0 and self.has_focus:
            row = ((row[0][0], "focused"), *row[1:])
        return Strip([Segment(text, style(name)) for text, name in row]).adjust_cell_length(width, style(""))

    @property
    def _palette(self) -> Palette:
        """Of the look in force; `theme_variables` are made anew with each."""
        if self.palette is None or self.palette.colours is not self.app.theme_variables:
            self.palette = Palette(self.app.theme_variables, self.background_colors[1])
        return self.palette

    def _header(self, width: int) -> Row:
        pieces: list[tuple[str, str]] = [(f" {self.title}", "title")]
        used = cell_len(pieces[0][0])
        for index, entry in enumerate(self.legend):
            glyph = plain(entry.glyph) if self.ascii_only else entry.glyph
            more = [(f"  {glyph}", entry.style), (f" {entry.label}", "axis")]
            others = len(self.legend) - index
            if used + sum(cell_len(text) for text, _ in more) + (5 if others > 1 else 0) > width:
                more = [(f"  +{others}", "axis")]
            pieces += more
            used += sum(cell_len(text) for text, _ in more)
            if len(more) == 1:
                break
        if used + 3 + len(self.note) <= width:  # two cells before it, one behind
            pieces += [(self.note.rjust(width - used - 1) + " ", "note")]
        return tuple(pieces)


def _difference(before: Row, after: Row) -> tuple[int, int]:
    """The first cell in which two rows differ, and the one after the last: the whole row where characters are wide."""
    cells = [[(character, style) for text, style in row for character in text] for row in (before, after)]
    widths = [sum(cell_len(text) for text, _ in row) for row in (before, after)]
    if not len(cells[0]) == len(cells[1]) == widths[0] == widths[1]:
        return 0, max(widths)
    differ = [x for x, (old, new) in enumerate(zip(*cells, strict=True)) if old != new]
    return (differ[0], differ[-1] + 1) if differ else (0, 0)
