"""One line of text asked of a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from tui_trainer.text import InputError
from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.words import MUTED

KEYS = "enter does it   esc closes"


class AskLineScreen(ModalScreen[bool]):
    """Its result: whether `take` took the line. A line it refuses with `InputError` may be mended."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "close")]

    def __init__(self, question: str, detail: str, value: str, take: Callable[[str], object]) -> None:
        super().__init__()
        self.question = question
        self.detail = detail
        self.value = value
        self.take = take

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog ask-line"):
            yield Line(Content.assemble((self.question, "bold"), (f"   {self.detail}", MUTED)))
            yield Input(self.value, id="line", compact=True, select_on_focus=False)
            yield Line(Content.styled(KEYS, MUTED), id="line-status")

    @on(Input.Submitted)
    def submit(self, event: Input.Submitted) -> None:
        try:
            self.take(event.value)
        except InputError as error:
            self.query_one("#line-status", Line).content = Content.styled(f"! {error.problems[0]}", "$text-error")
        else:
            self.dismiss(True)

    def action_close(self) -> None:
        self.dismiss(False)
