"""Which columns a table of runs has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import SelectionList

from tui_trainer.ui.columns import STANDARD
from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.words import MUTED


class ColumnsScreen(ModalScreen[tuple[str, ...] | None]):
    """Its result: the fields chosen, in the order of the list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "take", priority=True),
        Binding("escape", "dismiss", "close"),
    ]

    def __init__(self, chosen: Sequence[str], settings: Iterable[str]) -> None:
        super().__init__()
        self.chosen = set(chosen)
        self.settings = list(settings)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog columns"):
            yield Line(Content.assemble(("Columns", "bold"), ("   what does not fit is left out, from the end", MUTED)))
            yield SelectionList[str](
                *((Content(each.title), each.field, each.field in self.chosen) for each in STANDARD),
                *((Content(path), path, path in self.chosen) for path in self.settings),
                compact=True,
            )
            yield Line(Content.styled("space chooses   enter does it   esc closes", MUTED))

    def on_mount(self) -> None:
        self.query_one(SelectionList).focus()

    def action_take(self) -> None:
        chosen = set(self.query_one(SelectionList).selected)
        order = [each.field for each in STANDARD] + self.settings
        self.dismiss(tuple(field for field in order if field in chosen))
