"""A question with a few answers, each with a key of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.words import MUTED, choice


@dataclass(frozen=True)
class Answer:
    """`words` say what comes of it."""

    key: str
    id: str
    name: str
    words: str = ""


class AskScreen(ModalScreen[str | None]):
    """Its result: the id of the answer, or None where the person wants nothing of it."""

    def __init__(self, question: str, detail: str, answers: Sequence[Answer], decline: str) -> None:
        super().__init__()
        self.question = question
        self.detail = detail
        self.answers = answers
        self.decline = decline

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Line(Content.assemble((self.question, "bold"), (f"   {self.detail}", MUTED)))
            yield OptionList(
                *(Option(choice(answer.key, answer.name, answer.words), id=answer.id) for answer in self.answers),
                Option(choice("esc", self.decline, "")),
                compact=True,
            )

    def on_key(self, event: events.Key) -> None:
        chosen = next((answer.id for answer in self.answers if answer.key == event.key), None)
        if chosen is not None or event.key == "escape":
            event.stop()
            self.dismiss(chosen)

    @on(OptionList.OptionSelected)
    def selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)
