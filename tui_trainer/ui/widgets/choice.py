"""One of a few words, all in sight: arrows, space or a click choose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from tui_trainer.ui.words import MUTED

ROOM_BESIDE = 18  # cells for the note


class Choice(Widget, can_focus=True):
    """`relu` `tanh` `sigmoid` in a row; where they do not fit, the chosen one with its number.

    `words`: what a choice is called, where it is not called as it is.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "previous", show=False),
        Binding("right,space", "move(1)", "pick", key_display="← →"),
    ]

    class Changed(Message):
        """Another word was chosen."""

        def __init__(self, choice: Choice, value: str) -> None:
            super().__init__()
            self.choice = choice
            self.value = value

        @property
        def control(self) -> Choice:
            return self.choice

    value = reactive("")

    def __init__(
        self, choices: tuple[str, ...], value: str, words: Mapping[str, str] | None = None, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self.choices = choices
        self.words = words or {choice: choice for choice in choices}
        self.set_reactive(Choice.value, value)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """All words where they leave room for a note beside them, else the longest one."""
        everything = sum(len(word) + 2 for word in self.words.values())
        if everything <= container.width - ROOM_BESIDE:
            return everything
        return max(map(len, self.words.values())) + 2 + len(" 1/1 ‹ ›")

    def render(self) -> Content:
        if self._all_fit:
            pieces = [piece for choice in self.choices for piece in self._word(choice)]
            return Content.assemble(*pieces)
        number = self.choices.index(self.value) + 1
        return Content.assemble(*self._word(self.value), (f" {number}/{len(self.choices)} ‹ ›", MUTED))

    @property
    def _all_fit(self) -> bool:
        return sum(len(word) + 2 for word in self.words.values()) <= self.size.width

    def _word(self, choice: str) -> tuple[tuple[str, str], ...]:
        word = self.words[choice]
        if choice != self.value:
            return ((f" {word} ", MUTED),)
        if self.has_focus:
            return ((f" {word} ", "reverse"),)
        return ((" ", ""), (word, "bold underline"), (" ", ""))

    def action_move(self, step: int) -> None:
        self.choose(self.choices[(self.choices.index(self.value) + step) % len(self.choices)])

    def choose(self, value: str) -> None:
        if value != self.value:
            self.value = value
            self.post_message(self.Changed(self, value))

    def on_click(self, event: events.Click) -> None:
        if not self._all_fit:
            self.action_move(1)
            return
        edge = 0
        for choice in self.choices:
            edge += len(self.words[choice]) + 2
            if event.x < edge:
                self.choose(choice)
                return
