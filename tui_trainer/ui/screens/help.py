"""What the screen below shows, and every key that works there."""

from __future__ import annotations

import textwrap
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from tui_trainer.ui.keys import actions
from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.words import MUTED, STATUS, status

RUN_STATES = tuple(word for word in STATUS if word != "unreadable")
EVERYWHERE = (("tab", "the next panel or field"), ("^p", "all actions by name"))
KEY_WIDTH = 14  # cells


class HelpScreen(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,enter", "dismiss", "close"),
    ]

    def __init__(self, below: Screen[object]) -> None:
        super().__init__()
        self.below = below
        found = sorted(actions(below, self.app), key=lambda action: not action.binding.show)  # as in the footer first
        paired = {key for action in found if " " in action.keys[0] for key in action.keys[0].split()}  # as in `[ ]`
        self.rows = [(" ".join(action.keys), action.words) for action in found if not paired.issuperset(action.keys)]
        self.rows += EVERYWHERE

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog help"):
            with VerticalScroll(id="help-page"):
                yield Static(id="help-words", markup=False)
            yield Line(Content.styled("esc closes · ↑ ↓ move the page", MUTED), id="help-end")

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self.show_page)

    def show_page(self) -> None:
        width = self.query_one("#help-page").scrollable_content_region.width
        self.query_one("#help-words", Static).update(self.page(max(width - 1, 2 * KEY_WIDTH)))

    def page(self, width: int) -> Content:
        """From the screen's own words and bindings, so that it cannot fall behind them; `width` in cells."""
        lines = []
        for keys, words in self.rows:
            first, *more = textwrap.wrap(words, width - KEY_WIDTH)
            lines.append(Content.assemble((f"{keys:<{KEY_WIDTH - 1}} ", "bold $accent"), first))
            lines += [Content(" " * KEY_WIDTH + rest) for rest in more]
        states = Content("   ").join(status(word) for word in getattr(self.below, "STATES", RUN_STATES))
        return Content("\n").join([Content(getattr(self.below, "HELP", "")), Content(""), *lines, Content(""), states])
