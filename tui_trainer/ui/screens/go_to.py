"""Go to a field of the form by words of its name or its help."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui_trainer.config import Knob
from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.words import MUTED

KEYS = "↑ ↓ choose   enter goes there   esc closes"


class GoToScreen(ModalScreen[str | None]):
    """Its result: the path of the field chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "before"),
        Binding("down", "move(1)", "next"),
        Binding("escape", "dismiss", "close"),
    ]

    def __init__(self, knobs: Sequence[Knob]) -> None:
        super().__init__()
        self.knobs = knobs

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog go-to"):
            yield Line(Content.assemble(("Go to a field", "bold"), ("   words of its name or help", MUTED)))
            yield Input(placeholder="as in: rate, or layers frozen", id="wanted", compact=True)
            yield OptionList(id="found", compact=True)
            yield Line(Content.styled(KEYS, MUTED), id="go-to-keys")

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self.narrow()
        self.query_one(Input).focus()

    @on(Input.Changed)
    def narrow(self) -> None:
        """The fields that have every word, in the name rather than in the help, at its beginning rather than within."""
        words = self.query_one(Input).value.lower().replace("_", " ").split()
        found = [knob for knob in self.knobs if all(word in f"{_name(knob)} {knob.help.lower()}" for word in words)]
        if words:
            found.sort(key=lambda k: (not k.name.startswith(words[0]), not all(word in _name(k) for word in words)))
        listed = self.query_one(OptionList)
        listed.set_options(Option(_row(knob), id=knob.path) for knob in found)
        listed.highlighted = 0 if found else None
        keys = Content.styled(KEYS, MUTED) if found else Content.styled("! no field has these words", "$text-warning")
        self.query_one("#go-to-keys", Line).content = keys

    def action_move(self, step: int) -> None:
        listed = self.query_one(OptionList)
        if listed.highlighted is not None:
            listed.highlighted = (listed.highlighted + step) % listed.option_count

    @on(Input.Submitted)
    def go(self) -> None:
        listed = self.query_one(OptionList)
        if listed.highlighted is not None:
            self.dismiss(listed.get_option_at_index(listed.highlighted).id)

    @on(OptionList.OptionSelected)
    def clicked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)


def _name(knob: Knob) -> str:
    return knob.path.replace(".", " ").replace("_", " ")


def _row(knob: Knob) -> Content:
    group, name = (part.replace("_", " ") for part in (knob.group, knob.name))
    return Content.assemble((f" {group:<15} ", MUTED), name)
