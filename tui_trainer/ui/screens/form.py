"""The form: every field of the config, checked as you type, and what would be trained."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from tui_trainer import datasets
from tui_trainer.config import RunConfig, change, settings, steps_between
from tui_trainer.presets import Preset, command, variation
from tui_trainer.runs.directory import check_name
from tui_trainer.text import InputError, clean, plural
from tui_trainer.ui.describe import absence, changes, hint, model_card
from tui_trainer.ui.draft import Draft, Verdict
from tui_trainer.ui.messages import Fork, PresetSaved, StartLikely, StartWanted
from tui_trainer.ui.screens.command import CommandScreen
from tui_trainer.ui.screens.find_rate import FindRateScreen
from tui_trainer.ui.screens.go_to import GoToScreen
from tui_trainer.ui.screens.preflight import PreflightScreen, time_card, verdicts
from tui_trainer.ui.screens.save_preset import SavePresetScreen
from tui_trainer.ui.widgets.field import Field
from tui_trainer.ui.widgets.fields import Fields, title
from tui_trainer.ui.widgets.footer import KeyFooter
from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.words import MUTED


class FormScreen(Screen[None]):
    HELP = (
        "Every setting of the training, filled in from the preset. What you type is checked at once by the same rules "
        "the command line uses; a line that begins with ! says what is wrong, and nothing starts until it is right. "
        "• marks what you changed, with the preset's value. Words in a row are chosen with the arrow keys. "
        "Choosing another optimizer or schedule shows that one's settings. Sizes of layers are written 800-800-800. "
        "Pre-flight measures what the training would take; undo brings back whatever was changed, field by field."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "start", "start", priority=True, tooltip="Make the run and start training"),
        Binding("f5", "start", "start", show=False),
        Binding("ctrl+f", "find_rate", "find rate", priority=True, tooltip="Try learning rates and suggest one"),
        Binding("f4", "preflight", "pre-flight", tooltip="Measure memory and time, and whether it can learn at all"),
        Binding("ctrl+z", "undo", "undo", priority=True, tooltip="Take the last change back"),
        Binding("ctrl+y", "redo", "redo", priority=True, show=False, tooltip="Make it again"),
        Binding("f8", "reset", "reset field", show=False, tooltip="Give the field the preset's value"),
        Binding("escape", "back", "back", tooltip="Home, without starting"),
        Binding("f2", "save_preset", "save preset", tooltip="Keep these settings as a preset of your own"),
        Binding("f3", "copy_command", "copy command", tooltip="The same training as a line for the shell"),
        Binding("ctrl+g", "go_to", "go to", priority=True, tooltip="A field by words of its name or its help"),
        Binding("up", "app.focus_previous", "previous field", show=False),
        Binding("down,enter", "app.focus_next", "next field", show=False),
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
        self.measured: tuple[RunConfig, dict[str, Any]] | None = None

    def compose(self) -> ComposeResult:
        with Horizontal(id="form-top"):
            if self.fork:
                file = self.fork.start.file.stem
                heading = Content.assemble(("Fork", "bold"), (f" of {self.fork.name} at {file}", MUTED))
            else:
                heading = Content.assemble(("New run", "bold"), (f" from {self.preset.name}", MUTED))
            yield Line(heading, id="form-title")
            yield Line(Content.styled("name", MUTED), id="name-label")
            name = f"{self.fork.name}-fork" if self.fork else self.preset.run_name
            yield Input(name, id="name", compact=True)
        with Horizontal(id="form"):
            fields = Fields(self.draft, "was" if self.fork else "preset", id="fields")
            yield OptionList(*(Option(title(group), id=group) for group in fields.groups), id="groups", compact=True)
            yield fields
            with VerticalScroll(id="card-panel", can_focus=False):
                yield Static(id="card", markup=False)
        with Vertical(id="form-bottom"):
            yield Static(id="field-help", markup=False)
            with Horizontal(id="start-row"):
                yield Button("Start", id="start", variant="primary", compact=True)
                yield Line(id="start-reason")
        yield KeyFooter()

    def on_mount(self) -> None:
        self.judge()
        # what a fork cannot do without is more epochs
        field = self.fields.find("training.epochs") if self.fork else self.query(Field).first()
        if field:
            field.focus_editor()
        self.set_timer(0.5, lambda: self.post_message(StartLikely()))
        if self.find_rate:
            self.action_find_rate()

    @on(Fields.Edited)
    @on(Input.Changed, "#name")
    def judge(self) -> None:
        """Ask the config, and show its answer everywhere it belongs."""
        self.verdict = self.draft.check()
        self.fields.show(self.verdict)
        self._count_wrong()
        self._show_card()
        self._show_reason()
        self._explain()

    @property
    def fields(self) -> Fields:
        return self.query_one(Fields)

    def _count_wrong(self) -> None:
        """Beside each group: how many of its fields are wrong."""
        groups = self.query_one("#groups", OptionList)
        wrong = Counter(self.draft.knobs[path].group for path in self.verdict.errors)
        for group in self.fields.groups:
            if wrong[group] != self.wrong[group]:  # each replacement is a new layout
                label = Content.assemble(title(group), (f"  ! {wrong[group]}", "$text-error") if wrong[group] else "")
                groups.replace_option_prompt(group, label)
        self.wrong = wrong

    def _show_card(self) -> None:
        width = max(self.query_one("#card-panel").scrollable_content_region.width, 20)
        config = self.verdict.config
        if config is None:
            card = Content.styled("The network appears here once every field is valid.", MUTED)
        else:
            parts = [changes(self.preset.config, config, width), model_card(config, width)]
            if self.measured and self.measured[0] == config:
                found = self.measured[1]
                parts.append(
                    Content("\n").join(
                        [Content.styled("Pre-flight", "bold"), *time_card(found, width), *verdicts(found)]
                    )
                )
            card = Content("\n\n").join(part for part in parts if part)
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
            self.reasons.append(f"training.epochs: the checkpoint is at epoch {self.fork.epoch}; give more")
        self.query_one("#start", Button).disabled = bool(self.reasons)
        config = self.verdict.config
        if self.reasons:
            more = f"   (and {len(self.reasons) - 1} more)" if len(self.reasons) > 1 else ""
            words = Content.styled(f"! {self.reasons[0]}{more}", "$text-error")
        elif config:
            training = config.training
            changed = len(steps_between(self.preset.config, config))
            facts = [plural(changed, "change")] if changed else []
            facts += [
                plural(sum(config.layer_parameters), "parameter"),
                f"{plural(config.total_epochs, 'epoch')} of {plural(config.steps_per_epoch, 'step')}",
                f"batch {training.batch_size}",
            ]
            words = Content.styled(" · ".join(facts), MUTED)
        self.query_one("#start-reason", Line).content = words

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self._explain()
        if field := self.fields.focused:
            groups = self.query_one("#groups", OptionList)
            groups.highlighted = groups.get_option_index(field.knob.group)

    def _explain(self) -> None:
        """The focused field: what it is, and what is wrong with it or what less and more of it do."""
        field = self.fields.focused
        page = Content("\n").join([Content(field.knob.help), hint(field.knob, field.error)]) if field else Content("")
        self.query_one("#field-help", Static).update(page)

    @on(Input.Submitted)
    def go_on(self) -> None:
        """Enter in a text field leads to the next one, as in every other."""
        self.focus_next()

    @on(OptionList.OptionSelected, "#groups")
    def go_to_group(self, event: OptionList.OptionSelected) -> None:
        self.fields.go_to_group(str(event.option_id))

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._show_card)

    @on(Button.Pressed, "#start")
    def action_start(self) -> None:
        if self.reasons or self.verdict.config is None:
            self.notify(self.reasons[0], title="not started", severity="error", markup=False)
            return
        name = self.query_one("#name", Input).value
        self.post_message(StartWanted(self.verdict.config, name, self.preset.name, self.fork))

    def _trainable(self, refusal: str) -> RunConfig | None:
        """The config as typed where its data are here too, or None after saying what is wrong."""
        config = self._sound(refusal)
        if config and (problem := absence(config, self.data_root)):
            self.notify(problem, title=refusal, severity="error", markup=False)
            return None
        return config

    def action_find_rate(self) -> None:
        if config := self._trainable("no rate can be tried"):
            start = self.fork.start.file if self.fork else None
            self.app.push_screen(FindRateScreen(config, self.data_root, start), self._take_rate)

    def action_preflight(self) -> None:
        if config := self._trainable("nothing can be measured"):
            self.app.push_screen(PreflightScreen(config, self.data_root), partial(self._measured, config))

    def _measured(self, config: RunConfig, found: dict[str, Any] | None) -> None:
        if found:
            self.measured = config, found
            self._show_card()

    def _take_rate(self, rate: float | None) -> None:
        if rate is not None:
            self.fields.write("optimizer.learning_rate", str(rate))

    def action_undo(self) -> None:
        self.fields.travel(self.draft.undo, "nothing to undo")

    def action_redo(self) -> None:
        self.fields.travel(self.draft.redo, "nothing to redo")

    def action_reset(self) -> None:
        """Give the focused field back the value of the preset."""
        if field := self.fields.focused:
            self.fields.write(field.knob.path, self.draft.original(field.knob.path))

    def action_go_to(self) -> None:
        shown = [field.knob for field in self.fields.query(Field) if field.display]
        self.app.push_screen(GoToScreen(shown), self._go)

    def _go(self, path: str | None) -> None:
        if path and (field := self.fields.find(path)):
            field.focus_editor()

    def _sound(self, refusal: str) -> RunConfig | None:
        """The config as typed, or None after saying what is wrong with it."""
        if self.verdict.config is None:
            self.notify(self.reasons[0], title=refusal, severity="error", markup=False)
        return self.verdict.config

    def action_save_preset(self) -> None:
        if config := self._sound("not saved"):
            offered = self.query_one("#name", Input).value
            origin = replace(self.preset, name=self.fork.name) if self.fork else self.preset
            words = clean(variation(origin, config), 500)
            self.app.push_screen(SavePresetScreen(config, offered, words), self._saved)

    def _saved(self, name: str | None) -> None:
        if name is not None:
            self.post_message(PresetSaved())
            self.notify(f"yours/{name} is on the home screen", title="saved")

    def action_copy_command(self) -> None:
        if config := self._sound("not copied"):
            name = self.query_one("#name", Input).value
            self.app.push_screen(CommandScreen(command_line(self.preset, config, name, self.fork)))

    def action_back(self) -> None:
        self.dismiss()


def command_line(preset: Preset, config: RunConfig, name: str, fork: Fork | None) -> str:
    """The command that starts what the form would start."""
    base = fork.config if fork else preset.config  # what the command begins with, whatever checkpoint it takes
    if config.data.name not in datasets.OWN:  # a file that was typed before another data set was chosen
        config = change(config, {"data.file": base.data.file})
    changed = settings(base, config)
    if fork:
        return command("fork", fork.start.parent, changed, ["--checkpoint", fork.start.file.name, "--name", name])
    return command("train", preset.name, changed, ["--name", name] if name != preset.run_name else [])
