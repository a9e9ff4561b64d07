"""One line in which a person types which charts are wanted."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input

from tui_trainer.ui.widgets.filter_box import FilterBox
from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.words import MUTED


class ChartFilter(Horizontal):
    """Not there until it is opened; it stays as long as it leaves any chart out.

    What is chosen is a setting of the dashboard.
    """

    class Typed(Message):
        """Other words; none show every chart."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    class Done(Message):
        """The person goes back to the charts, and these words shall stay."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    def compose(self) -> ComposeResult:
        yield FilterBox("loss norm: charts with one of these words", id="chart-words")
        yield Line(id="chart-count")

    def open(self) -> None:
        self.add_class("-open")
        self.query_one(Input).focus()

    def recall(self, words: str) -> None:
        """As it was left with these words."""
        self.add_class("-open")
        self.query_one(Input).value = words

    def close(self) -> None:
        """Every chart again."""
        self.remove_class("-open")
        self.query_one(Input).value = ""
        self.post_message(self.Done(""))

    def tell(self, words: str) -> None:
        self.query_one(Line).content = Content.styled(words, MUTED)

    @on(Input.Changed)
    def type(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Typed(event.value))

    @on(Input.Submitted)
    def submit(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self.post_message(self.Done(event.value))
        else:
            self.close()
