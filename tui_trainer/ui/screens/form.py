"""The form: every field of the config, checked as you type, and what would be trained."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button, Footer, Input, OptionList, Static
from textual.widgets.option_list import Option

from tui_trainer.config import Knob
from tui_trainer.presets import Preset
from tui_trainer.runs.directory import check_name
from tui_trainer.text import InputError, plural
from tui_trainer.ui.describe import absence, hint, model_card
from tui_trainer.ui.draft import CHOOSERS, Draft, Verdict
from tui_trainer.ui.messages import Fork, StartLikely, StartWanted
from tui_trainer.ui.screens.find_rate import FindRateScreen
from tui_trainer.ui.widgets.field import Field
from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.words import MUTED


class FormScreen(Screen[None]):
    HELP = (
        "Every setting of the training, filled in from the preset. What you type is checked at once by the same rules "
        "the command line uses; a line that begins with ! says what is wrong, and nothing starts until it is right. "
        "• marks what you changed, with the preset's value. Words in a row are chosen with the arrow keys. "
        "Choosing another optimizer or schedule shows that one's settings."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "start", "start", priority=True, tooltip="Make the run and start training"),
        Binding("f5", "start", "start", show=False),
        Binding("ctrl+f", "find_rate", "find rate", priority=True, tooltip="Try learning rates and suggest one"),
        Binding("up", "app.focus_previous", "previous field", show=False),
        Binding("down,enter", "app.focus_next", "next field", show=False),
        Binding("escape", "back", "back", tooltip="Home, without starting"),
    ]

    def __init__(self, preset: Preset, data_root: Path, fork: Fork | None = None, find_rate: bool = False) -> None:
        super().__init__()
        self.find_rate = find_rate
        self.data_root = data_root
        self.fork = fork
        self.preset = preset
        self.draft = Draft(preset.config)
        self.verdict: Verdict = self.draft.check()
        self.reasons: list[str] = []
        self.wrong: Counter[str] = Counter()

    def compose(self) -> ComposeResult:
        with Horizontal(id="form-top"):
            if self.fork:
                file = self.fork.start.file.stem
                title = Content.assemble(("Fork", "bold"), (f" of {self.fork.name} at {file}", MUTED))
            else:
                title = Content.assemble(("New run", "bold"), (f" from {self.preset.name}", MUTED))
            yield Line(title, id="form-title")
            yield Line(Content.styled("name", MUTED), id="name-label")
            name = f"{self.fork.name}-fork" if self.fork else self.preset.short_name
            yield Input(name, id="name", compact=True)
        with Horizontal(id="form"):
            yield OptionList(*(Option(_title(group), id=group) for group in self._groups()), id="groups", compact=True)
            with Vertical(id="fields"):  # not a VerticalScroll, which would take up and down for itself
                for group, knobs in self._groups().items():
                    yield Vertical(
                        Line(Content.styled(_title(group), "bold"), classes="heading"),
                        *self._fields(knobs),
                        id=f"group-{group}",
                        classes="group",
                    )
            with VerticalScroll(id="card-panel", can_focus=False):
                yield Static(id="card", markup=False)
        with Vertical(id="form-bottom"):
            yield Static(id="field-help", markup=False)
            with Horizontal(id="start-row"):
                yield Button("Start", id="start", variant="primary", compact=True)
                yield Line(id="start-reason")
        yield Footer(compact=True, show_command_palette=False)

    def _groups(self) -> dict[str, list[Knob]]:
        return {group: list(knobs) for group, knobs in groupby(self.draft.knobs.values(), key=lambda knob: knob.group)}

    def _fields(self, knobs: list[Knob]) -> list[Field]:
        origin = "was" if self.fork else "preset"
        return [Field(knob, self.draft.read(knob.path), origin) for knob in knobs]

    def on_mount(self) -> None:
        self.judge()
        self.query(Field).first().focus_editor()
        self.set_timer(0.5, lambda: self.post_message(StartLikely()))
        if self.find_rate:
            self.action_find_rate()

    @on(Field.Changed)
    async def take(self, event: Field.Changed) -> None:
        self.draft.write(event.path, event.text)
        if event.path in CHOOSERS:
            await self._swap_settings(CHOOSERS[event.path])
        self.judge()

    async def _swap_settings(self, name: str) -> None:
        """The settings of the optimizer or schedule chosen now, in the place of the other's."""
        group = self.query_one(f"#group-{name}")
        async with self.batch():
            await group.query(Field).exclude(f"#field-{name}-name").remove()
            settings = [knob for knob in self._groups()[name] if knob.path not in CHOOSERS]
            await group.mount(*self._fields(settings))

    @on(Input.Changed, "#name")
    def judge(self) -> None:
        """Ask the config, and show its answer everywhere it belongs."""
        self.verdict = self.draft.check()
        for field in self.query(Field):
            path = field.knob.path
            field.show(self.verdict.errors.get(path, ""), self.draft.changed_from(path))
            field.display = field.knob.counts(self.draft.read)
        self._count_wrong()
        self._show_card()
        self._show_reason()
        self._explain()

    def _count_wrong(self) -> None:
        """Beside each group: how many of its fields are wrong."""
        groups = self.query_one("#groups", OptionList)
        wrong = Counter(self.draft.knobs[path].group for path in self.verdict.errors)
        for group in self._groups():
            if wrong[group] != self.wrong[group]:  # each replacement is a new layout
                label = Content.assemble(_title(group), (f"  ! {wrong[group]}", "$text-error") if wrong[group] else "")
                groups.replace_option_prompt(group, label)
        self.wrong = wrong

    def _show_card(self) -> None:
        width = max(self.query_one("#card-panel").scrollable_content_region.width, 20)
        config = self.verdict.config
        card = (
            model_card(config, width)
            if config
            else Content.styled("The network appears here once every field is valid.", MUTED)
        )
        self.query_one("#card", Static).update(card)

    def _show_reason(self) -> None:
        """Why Start is off, or what it will do."""
        errors = self.verdict.errors
        self.reasons = [f"{path}: {error}" for path, error in errors.items()] + list(self.verdict.others)
        try:
            check_name(self.query_one("#name", Input).value)
        except InputError as error:
            self.reasons += [problem.removeprefix("--") for problem in error.problems]
        if self.verdict.config and (missing := absence(self.verdict.config, self.data_root)):
            self.reasons.append(missing)
        if self.verdict.config and self.fork and self.verdict.config.total_steps <= self.fork.step:
            where = f"the checkpoint is at epoch {self.fork.epoch} already"
            self.reasons.append(f"training.epochs: {where}; give more to go on from it")
        self.query_one("#start", Button).disabled = bool(self.reasons)
        config = self.verdict.config
        if self.reasons:
            more = f"   (and {len(self.reasons) - 1} more)" if len(self.reasons) > 1 else ""
            words = Content.styled(f"! {self.reasons[0]}{more}", "$text-error")
        elif config:
            training = config.training
            facts = [
                plural(sum(config.layer_parameters), "parameter"),
                f"{plural(config.total_epochs, 'epoch')} of {plural(config.steps_per_epoch, 'step')}",
                f"batch {training.batch_size}",
            ]
            words = Content.styled(" · ".join(facts), MUTED)
        self.query_one("#start-reason", Line).content = words

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self._explain()
        if field := self._field:
            groups = self.query_one("#groups", OptionList)
            groups.highlighted = groups.get_option_index(field.knob.group)

    @property
    def _field(self) -> Field | None:
        """The field that has the focus."""
        return next((field for field in self.query(Field) if field.has_focus_within), None)

    def _explain(self) -> None:
        """The focused field: what it is, and what is wrong with it or what less and more of it do."""
        field = self._field
        page = Content("\n").join([Content(field.knob.help), hint(field.knob, field.error)]) if field else Content("")
        self.query_one("#field-help", Static).update(page)

    @on(Input.Submitted)
    def go_on(self) -> None:
        """Enter in a text field leads to the next one, as in every other."""
        self.focus_next()

    @on(OptionList.OptionSelected, "#groups")
    def go_to_group(self, event: OptionList.OptionSelected) -> None:
        group = self.query_one(f"#group-{event.option_id}")
        next(field for field in group.query(Field) if field.display).focus_editor()
        self.query_one("#fields").scroll_to_widget(group, animate=False, top=True)

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._show_card)

    @on(Button.Pressed, "#start")
    def action_start(self) -> None:
        if self.reasons or self.verdict.config is None:
            self.notify(self.reasons[0], title="not started", severity="error", markup=False)
            return
        name = self.query_one("#name", Input).value
        self.post_message(StartWanted(self.verdict.config, name, self.preset.name, self.fork))

    def action_find_rate(self) -> None:
        config = self.verdict.config
        problem = next(iter(self.reasons), "") if config is None else absence(config, self.data_root)
        if problem or config is None:
            self.notify(problem, title="no rate can be tried", severity="error", markup=False)
            return
        start = self.fork.start.file if self.fork else None
        self.app.push_screen(FindRateScreen(config, self.data_root, start), self._take_rate)

    def _take_rate(self, rate: float | None) -> None:
        """Write the rate that was found into its field, as if typed."""
        if rate is not None:
            field = self.query_one("#field-optimizer-learning_rate", Field)
            field.query_one(Input).value = str(rate)
            field.focus_editor()

    def action_back(self) -> None:
        self.dismiss()


def _title(group: str) -> str:
    return group.replace("_", " ")
