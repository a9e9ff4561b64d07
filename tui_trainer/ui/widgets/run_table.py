"""A table of thousands of runs: only the lines that are seen are made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from tui_trainer.runs.listing import Summary
from tui_trainer.text import unicode_terminal
from tui_trainer.ui.columns import DEFAULT, GAP, Column, fitting
from tui_trainer.ui.palette import CURVES
from tui_trainer.ui.rows import glyph, shown
from tui_trainer.ui.words import marked, shortened, without_moment

MARK = 2  # cells before a line for the mark of runs to compare


class RunTable(ScrollView, can_focus=True):
    """The first line is the heading; `cursor` is the place of the highlighted run among `rows`."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"run-table--heading", "run-table--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", key_display="enter", tooltip="Watch the run and control it"),
        Binding("up", "move(-1)", "up", show=False),
        Binding("down", "move(1)", "down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("home", "end(False)", "first", show=False),
        Binding("end", "end(True)", "last", show=False),
    ]

    cursor = reactive(0, init=False)

    class Open(Message):
        """The person wants to see the highlighted run."""

    class Moved(Message):
        """Another run is highlighted."""

    class SortBy(Message):
        """The person wants the table sorted by this field."""

        def __init__(self, field: str) -> None:
            super().__init__()
            self.field = field

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.rows: Sequence[Summary] = ()
        self.marks: list[str] = []
        self.fields: tuple[str, ...] = DEFAULT
        self.sorted_by = "id"
        self.falling = True

    @property
    def columns(self) -> list[Column]:
        return fitting(self.fields, self.scrollable_content_region.width - MARK)

    @property
    def summary(self) -> Summary | None:
        """The highlighted run."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def show(self, rows: Sequence[Summary], afresh: bool = False) -> None:
        """Bring the table up to date; the highlight stays on its run, else where it was, or `afresh` on the first."""
        chosen = self.summary
        at = next((i for i, row in enumerate(rows) if chosen and row.run == chosen.run), None)
        self.rows = rows
        self.virtual_size = Size(0, len(rows) + 1)
        place = 0 if afresh else min(self.cursor, max(len(rows) - 1, 0))
        self.set_reactive(RunTable.cursor, place if at is None else at)
        self._keep_in_view()
        self.refresh()
        self.post_message(self.Moved())

    def validate_cursor(self, cursor: int) -> int:
        return max(0, min(cursor, len(self.rows) - 1))

    def watch_cursor(self, before: int, now: int) -> None:
        if self._keep_in_view():
            self.refresh()
        else:
            for row in (before, now):
                self.refresh(Region(0, row + 1 - self.scroll_offset.y, self.size.width, 1))
        self.post_message(self.Moved())

    def _keep_in_view(self) -> bool:
        """Scroll so far that the highlighted run is seen; whether that was needed."""
        seen = max(self.size.height - 1, 1)
        top = round(self.scroll_target_y)
        wanted = min(max(top, self.cursor - seen + 1), self.cursor)
        if wanted == top:
            return False
        self.scroll_to(y=wanted, animate=False, force=True)
        return True

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        at = self.scroll_offset.y + y - 1
        if y == 0:
            content, name = self._heading(), "run-table--heading"
        elif at < len(self.rows):
            content, name = self._row(self.rows[at]), "run-table--cursor" if at == self.cursor else ""
        else:
            content, name = Content(""), ""
        style = self.get_visual_style(name) if name else self.visual_style
        return Visual.to_strips(self, content.truncate(width, ellipsis=True), width, 1, style, pad=True)[0]

    def _heading(self) -> Content:
        arrows = "▾▴" if unicode_terminal() else "v^"
        cells = []
        for column in self.columns:  # the arrow on the side of the title where its column has room
            title = column.title
            if column.field == self.sorted_by:
                arrow = arrows[0] if self.falling else arrows[1]
                title = f"{arrow} {title}" if column.right else f"{title} {arrow}"
            room = GAP + column.width
            cells.append(f"{title:>{room}}" if column.right else f"{'':{GAP}}{title:<{column.width}}")
        return Content("".join(cells))

    def _row(self, summary: Summary) -> Content:
        parts: list[Content | tuple[str, str]] = [self._mark(summary)]
        for number, column in enumerate(self.columns):
            parts.append((" " * GAP if number else "", ""))
            if column.field == "status":
                word, colour = marked(summary.status)
                parts.append(_fitted(word, column).stylize(colour))
            elif column.field == "name":
                name = summary.name if summary.status != "unreadable" else without_moment(summary.name)
                parts.append(_fitted(shortened(name, column.width), column))
            elif summary.status == "unreadable":
                parts.append((summary.reason.removeprefix(f"{summary.run.path}/"), "$text-error"))
                break
            else:
                parts.append(_fitted(column.text(summary), column))
        line = Content.assemble(*parts)
        return line.stylize("$muted") if summary.notes.archived else line

    def _mark(self, summary: Summary) -> tuple[str, str]:
        if summary.run.id not in self.marks:
            return " " * MARK, ""
        number = self.marks.index(summary.run.id)
        return shown(glyph(number)).ljust(MARK), f"$series{number % CURVES}"

    def action_open(self) -> None:
        if self.summary:
            self.post_message(self.Open())

    def action_move(self, rows: int) -> None:
        self.cursor += rows

    def action_page(self, pages: int) -> None:
        self.cursor += pages * max(self.size.height - 2, 1)

    def action_end(self, last: bool) -> None:
        self.cursor = len(self.rows) - 1 if last else 0

    def on_resize(self) -> None:
        self._keep_in_view()

    def on_click(self, event: events.Click) -> None:
        """A click on a title sorts, on a run highlights it, on the highlighted one opens it."""
        if event.y == 0:
            self._sort_at(event.x - MARK)
            return
        at = self.scroll_offset.y + event.y - 1
        if at == self.cursor:
            self.action_open()
        elif at < len(self.rows):
            self.cursor = at

    def _sort_at(self, x: int) -> None:
        for column in self.columns:
            if x < column.width:
                self.post_message(self.SortBy(column.field))
                return
            x -= column.width + GAP


def _fitted(text: str, column: Column) -> Content:
    """Cut or padded to the column's width, in cells."""
    content = Content(text)
    if column.right and content.cell_length <= column.width:
        return content.pad_left(column.width - content.cell_length)
    return content.truncate(column.width, ellipsis=True, pad=True)
