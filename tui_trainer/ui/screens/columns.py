"""Which columns a table of runs has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui_trainer.text import unicode_terminal
from tui_trainer.ui.columns import STANDARD
from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.words import MUTED


class ColumnsScreen(ModalScreen[tuple[str, ...] | None]):
    """Its result: the fields chosen, in the order of the list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "choose", "choose"),
        Binding("escape", "dismiss", "close"),
    ]

    def __init__(self, chosen: Sequence[str], settings: Iterable[str]) -> None:
        super().__init__()
        self.chosen = set(chosen)
        self.titles = {each.field: each.title for each in STANDARD} | {path: path for path in settings}

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog columns"):
            yield Line(Content.assemble(("Columns", "bold"), ("   what does not fit is left out, from the end", MUTED)))
            yield OptionList(*(Option(self._line(field), id=field) for field in self.titles), compact=True)
            yield Line(Content.styled("space chooses   enter does it   esc closes", MUTED))

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()

    def _line(self, field: str) -> Content:
        mark = ("✓" if unicode_terminal() else "x") if field in self.chosen else " "
        return Content.assemble((f" {mark} ", "$accent"), self.titles[field])

    def action_choose(self) -> None:
        listed = self.query_one(OptionList)
        if listed.highlighted is not None and (field := listed.get_option_at_index(listed.highlighted).id):
            self.chosen ^= {field}
            listed.replace_option_prompt(field, self._line(field))

    @on(OptionList.OptionSelected)
    def take(self) -> None:
        self.dismiss(tuple(field for field in self.titles if field in self.chosen))
