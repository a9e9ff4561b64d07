"""What the person concludes from a study, kept beside it and printed in its report."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import TextArea

from tui_trainer.studies import notes
from tui_trainer.studies.directory import StudyDirectory
from tui_trainer.text import InputError, clean
from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.words import MUTED

KEYS = "ctrl+s saves and closes   esc closes"


class ConclusionsScreen(ModalScreen[bool]):
    """Its result: whether something was saved."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "save", priority=True),
        Binding("escape", "close", "close", priority=True),
    ]

    def __init__(self, directory: StudyDirectory, title: str) -> None:
        super().__init__()
        self.directory = directory
        self.study_title = title
        self.saved = ""
        self.warned = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog conclusions"):
            yield Line(Content.assemble(("Conclusions", "bold"), (f"   {self.study_title}", MUTED)))
            yield TextArea(id="conclusions-text", soft_wrap=True, tab_behavior="focus")
            yield Line(Content.styled(KEYS, MUTED), id="conclusions-status")

    def on_mount(self) -> None:
        area = self.query_one(TextArea)
        area.cursor_blink = False
        try:
            said = notes.conclusions(self.directory)
            self.saved = "\n".join(clean(line, notes.MOST) for line in said.split("\n"))
        except InputError as error:
            self._say(error.problems[0], "$text-error")
        area.load_text(self.saved)
        area.move_cursor(area.document.end)
        area.focus()

    def action_save(self) -> None:
        try:
            notes.write_conclusions(self.directory, self.query_one(TextArea).text)
        except InputError as error:
            self._say(error.problems[0], "$text-error")
        else:
            self.dismiss(True)

    def action_close(self) -> None:
        """What was typed is not lost by one key."""
        if self.query_one(TextArea).text == self.saved or self.warned:
            self.dismiss(False)
            return
        self.warned = True
        self._say("not saved: ctrl+s saves it, esc again drops it", "$text-warning")

    def on_text_area_changed(self) -> None:
        self.warned = False

    def _say(self, words: str, colour: str) -> None:
        self.query_one("#conclusions-status", Line).content = Content.styled(words, colour)
