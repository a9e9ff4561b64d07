"""One line in which a person types which charts are wanted."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input

from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.words import MUTED


class ChartFilter(Horizontal):
    """Not there until it is opened; it stays as long as it leaves any chart out."""

    class Typed(Message):
        """Other words; none show every chart."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    class Done(Message):
        """The person goes back to the charts."""

    def compose(self) -> ComposeResult:
        yield Input(id="chart-words", placeholder="loss norm: charts with one of these words", compact=True)
        yield Line(id="chart-count")

    def open(self) -> None:
        self.add_class("-open")
        self.query_one(Input).focus()

    def close(self) -> bool:
        """Every chart again; False where there was nothing to close."""
        if not self.has_class("-open"):
            return False
        self.remove_class("-open")
        self.query_one(Input).value = ""
        return True

    def tell(self, words: str) -> None:
        self.query_one(Line).content = Content.styled(words, MUTED)

    @on(Input.Changed)
    def type(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Typed(event.value))

    @on(Input.Submitted)
    def submit(self, event: Input.Submitted) -> None:
        event.stop()
        if not event.value.strip():
            self.close()
        self.post_message(self.Done())
