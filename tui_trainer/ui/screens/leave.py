"""Leave while the run is live: detach, or end it. Says what is on disk, and waits for the worker's word."""

from __future__ import annotations

import time
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui_trainer import session
from tui_trainer.runs.commands import Stop, send
from tui_trainer.runs.follow import Follower
from tui_trainer.runs.state import TERMINAL
from tui_trainer.text import clean, duration
from tui_trainer.ui.saved import on_disk
from tui_trainer.ui.widgets.line import Line, Lines
from tui_trainer.ui.words import MUTED, choice

PATIENCE_SECONDS = 15.0


class LeaveScreen(ModalScreen[str | None]):
    """Its result: a line to print after leaving, or None to stay. The run's screen below keeps the state up to date."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "detach", "detach"),
        Binding("s", "stop(False)", "save and stop"),
        Binding("x", "stop(True)", "discard"),
        Binding("escape", "dismiss", "stay"),
    ]

    def __init__(self, follower: Follower, reference: str) -> None:
        super().__init__()
        self.follower = follower
        self.reference = reference
        self.discard: bool | None = None
        self.sent = ""
        self.asked_at = 0.0

    def compose(self) -> ComposeResult:
        name, warning = clean(self.follower.state.name, 60), session.warning()
        promise = "" if warning else "   training goes on unless you stop it"
        with Vertical(classes="dialog"):
            yield Line(Content.assemble((f"Leave {name}?", "bold"), (promise, MUTED)))
            if warning:
                yield Lines(Content.styled(f"! {warning}", "$text-warning"), id="leave-warning")
            yield OptionList(
                Option(choice("d", "detach", f"attach again: tui-trainer attach {self.reference}"), id="detach"),
                Option(choice("s", "save and stop", ""), id="save"),
                Option(choice("x", "discard", "stop without saving; keeps what is on disk"), id="discard"),
                Option(choice("esc", "stay", ""), id="stay"),
                compact=True,
            )
            yield Line(id="leave-status")

    def on_mount(self) -> None:
        self._tell_disk()
        self.set_interval(0.25, self._look)

    def _tell_disk(self) -> None:
        words = on_disk(self.follower.state, self.follower.run.checkpoints)
        self.query_one(OptionList).replace_option_prompt("save", choice("s", "save and stop", words))

    def _look(self) -> None:
        """Once stopping was chosen: ask when the worker can hear, leave when it has ended."""
        state = self.follower.state
        if self.discard is None:
            if not self.follower.alive:
                self.dismiss(None)  # it ended by itself: there is nothing left to choose, and the screen shows its end
            else:
                self._tell_disk()
            return
        if state.status in TERMINAL or not self.follower.alive:
            self.dismiss(f"{state.status} at epoch {state.epoch} · go on: tui-trainer resume {self.reference}")
            return
        if not self.sent and state.status != "starting":  # a worker that starts takes no commands yet
            try:
                self.sent = send(self.follower.run.inbox, Stop(discard=self.discard))
            except OSError as error:
                self._say(f"the worker cannot be asked: {error.strerror}", "$text-error")
                return
        answer = state.acknowledged.get(self.sent)
        if answer and not answer.ok:
            self._say(f"the worker refused: {answer.message}", "$text-error")
            return
        waited = time.monotonic() - self.asked_at
        if waited > PATIENCE_SECONDS:
            self._say(f"no end yet after {duration(waited)}: wait on, d detaches, esc stays", "$text-warning")
        else:
            self._say("stopping…" if self.discard else "saving and stopping…", "$text-accent")

    def _say(self, words: str, colour: str) -> None:
        self.query_one("#leave-status", Line).content = Content.styled(words, colour)

    @on(OptionList.OptionSelected)
    def selected(self, event: OptionList.OptionSelected) -> None:
        match event.option_id:
            case "detach":
                self.action_detach()
            case "save" | "discard":
                self.action_stop(event.option_id == "discard")
            case _:
                self.dismiss(None)

    def action_detach(self) -> None:
        self.dismiss(f"detached · attach again: tui-trainer attach {self.reference}")

    def action_stop(self, discard: bool) -> None:
        if self.discard is None:
            self.discard = discard
            self.asked_at = time.monotonic()
            self._look()
