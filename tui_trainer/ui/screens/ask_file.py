"""Where to write a file."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.words import MUTED

KEYS = "enter writes it   esc closes"


class AskFileScreen(ModalScreen[Path | None]):
    """Its result: a file in a folder that exists, or None. What is there already is replaced only when asked twice."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "close")]

    def __init__(self, question: str, proposed: Path) -> None:
        super().__init__()
        self.question = question
        self.proposed = proposed
        self.replaced: Path | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Line(Content.styled(self.question, "bold"))
            yield Input(str(self.proposed), id="file", compact=True)
            yield Line(Content.styled(KEYS, MUTED), id="file-status")

    @on(Input.Submitted)
    def take(self, event: Input.Submitted) -> None:
        file = Path(event.value.strip()).expanduser()
        if not event.value.strip() or file.is_dir():
            self._say("name a file, not a folder")
        elif not file.parent.is_dir():
            self._say("there is no such folder")
        elif file.exists() and file != self.replaced:
            self.replaced = file
            self._say("this file exists: enter again replaces it")
        else:
            self.dismiss(file)

    def _say(self, words: str) -> None:
        self.query_one("#file-status", Line).content = Content.styled(f"! {words}", "$text-warning")
