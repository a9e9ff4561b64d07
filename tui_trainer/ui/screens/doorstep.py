"""Where the dashboard begins that was asked for a run or a study: home is made once somebody wants to go there."""

from __future__ import annotations

from textual.message import Message
from textual.screen import Screen

from tui_trainer.ui.messages import HomeWanted


class Doorstep(Screen[None]):
    KIND = "home"

    def __init__(self, wanted: Message) -> None:
        super().__init__()
        self.wanted = wanted
        self.passed = False

    def on_screen_suspend(self) -> None:
        self.passed = True

    def on_screen_resume(self) -> None:
        self.post_message(HomeWanted() if self.passed else self.wanted)
