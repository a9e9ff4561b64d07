"""What the screen below shows, and every key that works there."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from tui_trainer.ui.keys import actions
from tui_trainer.ui.words import MUTED, STATUS, status

RUN_STATES = tuple(word for word in STATUS if word != "unreadable")
EVERYWHERE = (("tab", "the next panel or field"), ("^p", "all actions by name"))


class HelpScreen(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,enter", "dismiss", "close"),
    ]

    def __init__(self, below: Screen[object]) -> None:
        super().__init__()
        self.below = below
        self.actions = actions(below, self.app)

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog help"):
            yield Static(self.page(), markup=False)

    def page(self) -> Content:
        """From the screen's own words and bindings, so that it cannot fall behind them."""
        lines = [Content.assemble((f"{' '.join(a.keys):<14}", "bold $accent"), a.words) for a in self.actions]
        lines += [Content.assemble((f"{keys:<14}", "bold $accent"), words) for keys, words in EVERYWHERE]
        states = Content("   ").join(status(word) for word in getattr(self.below, "STATES", RUN_STATES))
        return Content("\n").join(
            [
                Content(getattr(self.below, "HELP", "")),
                Content(""),
                *lines,
                Content(""),
                states,
                Content.styled("esc closes", MUTED),
            ]
        )
