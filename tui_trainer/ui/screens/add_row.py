"""One row more for a study: a preset, with fields changed."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from tui_trainer.studies import plan
from tui_trainer.studies.follow import StudyFollower
from tui_trainer.studies.plan import Row
from tui_trainer.text import InputError
from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.words import MUTED

EXAMPLE = "PRESET [name=NAME] [key=value …], as in: digits name=slow learning_rate=0.0001"


class AddRowScreen(ModalScreen[Row | None]):
    """Its result: the row, checked, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "close")]

    def __init__(self, follower: StudyFollower) -> None:
        super().__init__()
        self.follower = follower

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Line(Content.assemble(("Add a row", "bold"), ("   it starts after the others", MUTED)))
            yield Input(placeholder=EXAMPLE, id="row", compact=True)
            yield Line(Content.styled("enter adds it   esc closes", MUTED), id="row-status")

    @on(Input.Submitted)
    def add(self, event: Input.Submitted) -> None:
        preset, *words = event.value.split() or [""]
        name = next((word.removeprefix("name=") for word in words if word.startswith("name=")), "")
        settings = [word for word in words if not word.startswith("name=")]
        state = self.follower.state
        try:
            row = plan.single(preset, name, settings, self.follower.plan.threads, state.seeds)
            if row.name in state.order:
                raise InputError(f"there is a row {row.name!r} already; give this one another: name=…")
        except InputError as error:
            self.query_one("#row-status", Line).content = Content.styled(f"! {error.problems[0]}", "$text-error")
        else:
            self.dismiss(row)
