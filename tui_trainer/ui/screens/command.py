"""A command line to take along: shown, and copied."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.words import MUTED

COPIED = "copied, where the terminal lets a program copy   esc closes"


class CommandScreen(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "dismiss", "close")]

    def __init__(self, command: str) -> None:
        super().__init__()
        self.command = command

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog command"):
            yield Line(Content.assemble(("On a command line", "bold"), ("   the same training", MUTED)))
            yield Static(self.command, id="command", markup=False)
            yield Line(Content.styled(COPIED, MUTED), id="command-status")

    def on_mount(self) -> None:
        self.app.copy_to_clipboard(self.command)
