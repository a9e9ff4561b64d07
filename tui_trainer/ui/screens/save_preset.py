"""Save what the form says as a preset of one's own."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from tui_trainer import presets
from tui_trainer.config import RunConfig
from tui_trainer.text import InputError
from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.words import MUTED

KEYS = "enter saves   tab the other line   esc closes"


class SavePresetScreen(ModalScreen[str | None]):
    """Its result: the name it was saved under. `summary` is offered as its description."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "close")]

    def __init__(self, config: RunConfig, name: str, summary: str) -> None:
        super().__init__()
        self.config = config
        self.offered = name
        self.summary = summary
        self.taken = ""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog save-preset"):
            yield Line(Content.assemble(("Save as a preset", "bold"), ("   it stands on the home screen", MUTED)))
            yield Line(Content.styled("name: letters, digits, '.', '_' and '-'", MUTED))
            yield Input(self.offered, id="preset-name", compact=True)
            yield Line(Content.styled("what it trains, in a sentence", MUTED))
            yield Input(self.summary, id="preset-summary", compact=True)
            yield Line(Content.styled(KEYS, MUTED), id="preset-status")

    @on(Input.Changed)
    def forget(self) -> None:
        self.taken = ""
        self._say(KEYS, MUTED)

    @on(Input.Submitted)
    def save(self) -> None:
        """The second enter on a name that is taken replaces what has it."""
        name, summary = (self.query_one(f"#preset-{key}", Input).value for key in ("name", "summary"))
        try:
            presets.save(name, self.config, summary, replace=self.taken == name)
        except presets.TakenError:
            self.taken = name
            self._say(f"! there is a {name} already: enter again replaces it", "$text-warning")
        except InputError as error:
            self._say(f"! {error.problems[0]}", "$text-error")
        else:
            self.dismiss(name)

    def _say(self, words: str, colour: str) -> None:
        self.query_one("#preset-status", Line).content = Content.styled(words, colour)
