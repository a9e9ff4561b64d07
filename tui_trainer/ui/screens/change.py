"""Change a setting of a live run: what may change, what it is now, what it becomes, and the worker's word on it."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui_trainer.config import Knob, RunConfig, change, flatten, is_live, knobs_of
from tui_trainer.runs.commands import Set, send
from tui_trainer.runs.follow import Follower
from tui_trainer.text import InputError, clean
from tui_trainer.ui.describe import hint
from tui_trainer.ui.widgets.field import Field
from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.words import MUTED

FIRST = "optimizer.learning_rate"  # what is changed most
KEYS = "↑ ↓ choose   enter edit, enter again sends   f fork   esc closes"
FIXED = "Fixed once a run has begun: f forks it, with this changed."


class ChangeScreen(ModalScreen[str | None]):
    """Its result: `fork` where the person wants that. The run's screen below keeps the state up to date."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "send"),
        Binding("f", "dismiss('fork')", "fork"),
        Binding("escape", "back", "back"),
    ]

    def __init__(self, follower: Follower) -> None:
        super().__init__()
        self.follower = follower
        self.config = follower.state.config
        self.knobs: list[Knob] = []
        self.text = ""
        self.sent = ""

    def compose(self) -> ComposeResult:
        name = clean(self.follower.state.name, 40)
        with Vertical(classes="dialog change"):
            yield Line(Content.assemble((f"Change {name}", "bold"), ("   from the next step on, recorded", MUTED)))
            yield OptionList(id="change-list", compact=True)
            yield Vertical(id="change-editor")
            yield Static(id="change-help", markup=False)
            yield Line(Content.styled(KEYS, MUTED), id="change-status")

    async def on_mount(self) -> None:
        self._list()
        self.query_one(OptionList).highlighted = next(i for i, k in enumerate(self.knobs) if k.path == FIRST)
        self.query_one(OptionList).focus()
        self.set_interval(0.25, self._look)

    def _list(self) -> None:
        """Every field that counts, those that may change first, each with its value."""
        values = flatten(self.config)
        known = knobs_of(self.config)
        counting = [k for k in known.values() if k.counts(lambda path: known[path].render(values[path]))]
        self.knobs = sorted(counting, key=lambda knob: not is_live(knob.path))
        listed = self.query_one(OptionList)
        at = listed.highlighted
        listed.set_options([Option(_row(knob, self.config), id=knob.path) for knob in self.knobs])
        listed.highlighted = at if at is None else min(at, len(self.knobs) - 1)

    @property
    def knob(self) -> Knob:
        """The field that is highlighted."""
        return self.knobs[self.query_one(OptionList).highlighted or 0]

    @property
    def current(self) -> str:
        return self.knob.render(flatten(self.config)[self.knob.path])

    @on(OptionList.OptionHighlighted)
    async def show_field(self) -> None:
        """The editor of the highlighted field, its value as it is."""
        knob, self.text = self.knob, self.current
        editor = self.query_one("#change-editor")
        async with self.batch():
            await editor.remove_children()
            if is_live(knob.path):
                await editor.mount(Field(knob, self.text, origin="was"))
            else:
                await editor.mount(Line(Content.styled(FIXED, "$text-warning")))
        self._judge()

    @on(OptionList.OptionSelected)
    def edit(self) -> None:
        for field in self.query(Field):
            field.focus_editor()

    @on(Field.Changed)
    def take(self, event: Field.Changed) -> None:
        if event.path == self.knob.path:  # not of a field that was just replaced
            self.text = event.text
            self._judge()

    def _judge(self) -> object:
        """The wished value, or None after saying what is wrong with it by the config's own rules."""
        knob, error, value = self.knob, "", None
        if is_live(knob.path):
            try:
                value = knob.parse(self.text)
                change(self.config, {knob.path: value})
            except (ValueError, InputError) as refusal:
                error, value = str(refusal).splitlines()[0].removeprefix(f"{knob.path}: "), None
        for field in self.query(Field):
            field.show(error, self.current if self.text != self.current else None)
        self.query_one("#change-help", Static).update(Content("\n").join([Content(knob.help), hint(knob, error)]))
        return value

    @on(Input.Submitted)
    def action_send(self) -> None:
        """Ask the worker for what is typed."""
        value = self._judge()
        if value is None:
            return
        if self.text == self.current:
            self._say(f"{self.knob.path} is {self.current} already", MUTED)
            return
        try:
            self.sent = send(self.follower.run.inbox, Set(changes={self.knob.path: value}))
            self._say(f"changing {self.knob.path}…", "$text-accent")
            self.query_one(OptionList).focus()
        except OSError as error:
            self._say(f"the worker cannot be asked: {error.strerror}", "$text-error")

    def _look(self) -> None:
        """Say what the worker answered; follow what others change."""
        state = self.follower.state
        if not self.follower.alive:
            self.notify("the run has ended: nothing can change any more", severity="warning")
            self.dismiss(None)
            return
        if state.config is not self.config:
            self.config = state.config
            self._list()
        if answer := state.acknowledged.get(self.sent):
            self.sent = ""
            if answer.ok:
                self._say(f"✓ {answer.message}, after step {answer.step:,}", "$text-success")
            else:
                self._say(f"! {answer.message or 'refused'}", "$text-error")

    def _say(self, words: str, colour: str) -> None:
        self.query_one("#change-status", Line).content = Content.styled(words, colour)

    def action_back(self) -> None:
        listed = self.query_one(OptionList)
        if listed.has_focus:
            self.dismiss(None)
        else:
            listed.focus()


def _row(knob: Knob, config: RunConfig) -> Content:
    value = clean(knob.render(flatten(config)[knob.path]), 40)
    group, name = (part.replace("_", " ") for part in (knob.group, knob.name))
    if is_live(knob.path):
        return Content.assemble((f" {group:<15} ", MUTED), f"{name:<20}", (value, "bold"))
    return Content.styled(f" {group:<15} {name:<20}{value:<18}  needs a fork", MUTED)
