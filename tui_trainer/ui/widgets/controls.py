"""The buttons beside the charts: what can be asked of the run now."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button

BUTTONS = (("pause", "‖ pause"), ("resume", "▶ resume"), ("save", "◆ save"), ("stop", "■ stop"), ("change", "▲ change"))


class Controls(Horizontal):
    """A button for each action of the screen; those that make no sense now are off."""

    def compose(self) -> ComposeResult:
        for action, label in BUTTONS:
            yield Button(label, id=action, compact=True)

    def offer(self, possible: set[str]) -> None:
        for button in self.query(Button):
            button.disabled = button.id not in possible
        self.set_class("resume" in possible, "-resumable")

    @on(Button.Pressed)
    async def act(self, event: Button.Pressed) -> None:
        event.stop()
        await self.run_action(f"screen.{event.button.id}")
