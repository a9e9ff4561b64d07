"""Ask before a training is ended."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui_trainer.text import clean
from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.words import MUTED, choice


class StopScreen(ModalScreen[str | None]):
    """Its result: `save`, `discard`, or None to go on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "choose('save')", "save and stop"),
        Binding("d", "choose('discard')", "stop without saving"),
        Binding("escape", "dismiss", "go on"),
    ]

    def __init__(self, name: str) -> None:
        super().__init__()
        self.run_name = clean(name, 60)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Line(
                Content.assemble(
                    ("Stop ", "bold"), (self.run_name, "bold"), ("?", "bold"), ("   it can be resumed later", MUTED)
                )
            )
            yield OptionList(
                Option(choice("s", "save and stop", "writes a checkpoint first"), id="save"),
                Option(choice("d", "stop without saving", "keeps what is on disk"), id="discard"),
                Option(choice("esc", "go on training", ""), id=""),
                compact=True,
            )

    @on(OptionList.OptionSelected)
    def selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id or None)

    def action_choose(self, result: str) -> None:
        self.dismiss(result)
