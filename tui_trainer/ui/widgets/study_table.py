"""The table of a study, filled as its runs go on: sorted, filtered, and only cells that changed are drawn again."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import ClassVar, Self

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.widgets import DataTable

from tui_trainer.text import unicode_terminal
from tui_trainer.ui.overlay import Trace
from tui_trainer.ui.study_rows import Cell, RowView
from tui_trainer.ui.widgets.wide_table import WideTable

TITLE_WIDTH = 16  # from so many letters on, a title takes two lines


class StudyTable(WideTable):
    """`order` has the names of the rows that are shown, as they are shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "open", key_display="enter", tooltip="Open the run of this row"),
    ]

    quiet = False  # of the class: the table draws itself while it is made

    class Chosen(Message):
        """The highlighted row, or the order of the rows, has changed."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id, cursor_type="row", header_height=2, fixed_columns=1)
        self.cursor_foreground_priority = "renderable"
        self.views: dict[str, RowView] = {}
        self.titles: list[str] = []
        self.order: list[str] = []
        self.sorted_by = 0
        self.descending = False
        self.words: list[str] = []
        self.drawn: dict[tuple[str, int], Cell] = {}

    @property
    def chosen(self) -> str:
        """The name of the highlighted row; nothing where there is none."""
        return self.order[self.cursor_row] if 0 <= self.cursor_row < len(self.order) else ""

    def show(self, titles: Sequence[str], views: Sequence[RowView]) -> None:
        """Bring the table up to date; the highlight stays on its row."""
        self.views = {view.name: view for view in views}
        if list(titles) != self.titles:
            self.titles = list(titles)
            self.sorted_by = min(self.sorted_by, len(self.titles) - 1)
            self.rebuild()
            return
        order = self._wanted()
        if set(order) != set(self.order):
            self.rebuild()
            return
        self._draw_changed()
        if order != self.order:
            self._reorder(order)

    def rebuild(self) -> None:
        """All of it anew: other columns, other rows, another theme."""
        chosen = self.chosen
        self.clear(columns=True)
        self.drawn.clear()
        for number, title in enumerate(self.titles):
            label = self._title(number, title)
            widths = (self._text(view, number).cell_len for view in self.views.values())
            self.add_column(label, width=max(*map(cell_len, label.plain.splitlines()), *widths), key=str(number))
        self.order = self._wanted()
        for name in self.order:
            view = self.views[name]
            self.add_row(*(self._text(view, column) for column in range(len(self.titles))), key=name)
            self.drawn.update({(name, column): cell for column, cell in enumerate(view.cells)})
        if chosen in self.order:
            self.move_cursor(row=self.order.index(chosen))
        self.post_message(self.Chosen())

    def sort_by(self, column: int, descending: bool) -> None:
        self.sorted_by, self.descending = column, descending
        for number, title in enumerate(self.titles):
            self.ordered_columns[number].label = self._title(number, title)
        self._reorder(self._wanted())

    def narrow(self, words: str) -> None:
        """Only rows that have every one of the words in one of their cells."""
        self.words = words.lower().split()
        self.rebuild()

    def _wanted(self) -> list[str]:
        shown = [
            view
            for view in self.views.values()
            if all(any(word in cell.text.lower() for cell in view.cells) for word in self.words)
        ]
        known = [view for view in shown if view.cells[self.sorted_by].value is not None]
        known.sort(key=self._rank, reverse=self.descending)
        unknown = [view for view in shown if view.cells[self.sorted_by].value is None]
        return [view.name for view in (*known, *unknown)]

    def _rank(self, view: RowView) -> tuple[bool, float, str]:
        value = view.cells[self.sorted_by].value
        return (True, 0.0, value) if isinstance(value, str) else (False, value or 0.0, "")

    def _draw_changed(self) -> None:
        for index, name in enumerate(self.order):
            view = self.views[name]
            changed = [column for column, cell in enumerate(view.cells) if self.drawn[(name, column)] != cell]
            for column in changed:
                text = self._text(view, column)
                if text.cell_len > self.ordered_columns[column].width:
                    self.rebuild()
                    return
                self.drawn[(name, column)] = view.cells[column]
                self.quiet = True
                self.update_cell(name, str(column), text)
                self.quiet = False
            if changed:
                self.refresh_row(index)

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """The table's own `update_cell` would draw every row again for one cell."""
        if self.quiet:
            return self
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def _reorder(self, order: list[str]) -> None:
        chosen, self.order = self.chosen, order
        places = {self._text(self.views[name], 0).plain: place for place, name in enumerate(order)}
        self.sort("0", key=lambda text: places[text.plain])
        if chosen in order:
            self.move_cursor(row=order.index(chosen), scroll=False)
        self.post_message(self.Chosen())

    def _title(self, number: int, title: str) -> Text:
        arrows = "▾▴" if unicode_terminal() else "v^"
        arrow = (arrows[0] if self.descending else arrows[1]) if number == self.sorted_by else " "
        width = next(w for w in range(TITLE_WIDTH, 100) if len(textwrap.wrap(title, w)) < 3)
        words = "\n".join(["", *textwrap.wrap(title, width)][-2:])
        if any(view.cells[number].number for view in self.views.values()):
            above, _, last = words.rpartition("\n")
            return Text(f"{above}\n{arrow} {last}", justify="right")
        return Text(f"{words} {arrow}")

    def _text(self, view: RowView, column: int) -> Text:
        cell = view.cells[column]
        colours = self.app.theme_variables
        colour = colours.get(cell.colour.removeprefix("$"), "")
        if column == 0:
            trace = Trace(view.name, view.number, ())
            glyph = trace.glyph(not unicode_terminal())
            return Text.assemble((f"{glyph} ", colours[f"series{trace.colour}"]), cell.text)
        return Text(cell.text, colour, justify="right" if cell.number else "left")

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        event.stop()
        self.post_message(self.Chosen())

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        event.stop()
        column = event.column_index
        self.sort_by(column, not self.descending if column == self.sorted_by else column > 2)
