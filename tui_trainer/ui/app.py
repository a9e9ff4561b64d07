"""The dashboard: home → form → run. Training happens in other processes; this one only reads and asks.

A screen is imported when it is first shown: the first paint waits for no other.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen

from tui_trainer.presets import Preset
from tui_trainer.runs import directory
from tui_trainer.runs.checkpoints import newest_on_disk
from tui_trainer.runs.directory import Run
from tui_trainer.runs.launch import liveness
from tui_trainer.studies import plan, start
from tui_trainer.studies.catalogue import Definition
from tui_trainer.studies.directory import StudyDirectory
from tui_trainer.text import InputError, clean
from tui_trainer.ui import settings, themes
from tui_trainer.ui.describe import absence
from tui_trainer.ui.keys import actions
from tui_trainer.ui.launcher import Launcher
from tui_trainer.ui.messages import (
    CompareWanted,
    Fork,
    ForkWanted,
    FormWanted,
    OpenWanted,
    ResumeWanted,
    StartWanted,
    StudyResumeWanted,
    StudyStartWanted,
    StudyWanted,
)
from tui_trainer.ui.settings import Settings

# layouts of app.tcss by the least cells they need
WIDTHS = [(0, "-tiny"), (40, "-narrow"), (100, "-wide")]
HEIGHTS = [(0, "-flat"), (8, "-short"), (16, "-low"), (32, "-tall"), (48, "-high")]


class TrainerApp(App[str]):
    """Its result is a line to print once the terminal is back, or nothing."""

    TITLE = "tui-trainer"
    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "help", key_display="?", tooltip="What this screen shows, and its keys"),
        Binding("f1", "help", "help", show=False),
        Binding("q", "leave", "leave", tooltip="Leave the dashboard; training goes on unless you stop it"),
        Binding("ctrl+q", "leave", "leave", show=False, priority=True),
    ]

    def __init__(
        self,
        runs_root: Path,
        data_root: Path,
        launcher: Launcher,
        opened: Run | StudyDirectory | None = None,
        wanted: Settings | None = None,
    ) -> None:
        super().__init__()
        self.settings = wanted or Settings()
        self.problems: list[str] = []
        self.runs_root = runs_root
        self.data_root = data_root
        self.launcher = launcher
        self.opened = opened
        for theme in themes.THEMES:
            self.register_theme(theme)
        self.theme = self.settings.theme

    @property
    def slow_link(self) -> bool:
        """Few repaints: the terminal is far away."""
        return self.settings.slow_link == "on" or (self.settings.slow_link == "auto" and "SSH_TTY" in os.environ)

    def get_default_screen(self) -> Screen[None]:
        from tui_trainer.ui.screens.home import HomeScreen

        return HomeScreen(self.runs_root, self.data_root)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return themes.variables(self.current_theme.dark)

    def on_mount(self) -> None:
        if not self.is_headless:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                loop.add_signal_handler(number, self.exit)
        if self.problems:
            self.complain(InputError(*self.problems))
        if isinstance(self.opened, StudyDirectory):
            self.post_message(StudyWanted(self.opened))
        elif self.opened:
            self.post_message(OpenWanted(self.opened))

    def on_unmount(self) -> None:
        self.launcher.close()

    def on_start_likely(self) -> None:
        self.launcher.warm_up()

    def on_preset_saved(self) -> None:
        from tui_trainer.ui.screens.home import HomeScreen

        for screen in self.screen_stack:
            if isinstance(screen, HomeScreen):
                screen.read_presets()

    def on_start_wanted(self, event: StartWanted) -> None:
        """Make a run, start its worker and watch it; where that cannot be, say so and leave nothing behind."""
        try:
            data_root, start = (event.fork.data_root, event.fork.start) if event.fork else (self.data_root, None)
            if missing := absence(event.config, data_root):
                raise InputError(missing)
            run = directory.create(self.runs_root, event.config, event.name, event.preset, data_root, start)
            try:
                self.launcher.start(run, data_root)
            except InputError:
                directory.delete(run)
                raise
        except InputError as error:
            self.complain(error)
        else:
            self.post_message(OpenWanted(run))

    def on_resume_wanted(self, event: ResumeWanted) -> None:
        """Start a worker on a run that has none, and watch it."""
        try:
            said = self.launcher.start(event.run, directory.read_record(event.run).data_root)
        except InputError as error:
            self.complain(error)
            return
        if said:
            self.notify(said, timeout=10, markup=False)
        self.post_message(OpenWanted(event.run))

    def on_open_wanted(self, event: OpenWanted) -> None:
        from tui_trainer.ui.screens.run import RunScreen

        if isinstance(self.screen, RunScreen) and self.screen.run_directory == event.run:
            self.screen.expect_worker()
            return
        try:
            self._show(RunScreen(event.run))
        except InputError as error:
            self.complain(error)

    def on_form_wanted(self, event: FormWanted) -> None:
        from tui_trainer.ui.screens.form import FormScreen

        self._show(FormScreen(event.preset, self.data_root, find_rate=event.find_rate))

    def on_fork_wanted(self, event: ForkWanted) -> None:
        """The form with everything as it was at this checkpoint; for the newest one, as it is now."""
        from tui_trainer.ui.screens.form import FormScreen

        follower, state = event.follower, event.follower.state
        folder = follower.run.checkpoints
        begun = event.checkpoint or newest_on_disk(state, folder)
        if begun is None or not (folder / begun.file).is_file():
            trouble = f"{clean(begun.file, 60)} is gone" if begun else "has no checkpoint on disk to fork from"
            self.complain(InputError(f"{clean(state.name, 60)}: {trouble}"))
            return
        start = directory.Start(follower.run.id, folder / begun.file, "continue")
        fork = Fork(clean(state.name, 40), begun.epoch, begun.step, start, follower.data_root)
        config = state.config_at(begun.step) if event.checkpoint else state.config
        self._show(FormScreen(Preset(state.preset, Path(), config), follower.data_root, fork))

    def on_compare_wanted(self, event: CompareWanted) -> None:
        from tui_trainer.ui.screens.compare import CompareScreen

        try:
            self.push_screen(CompareScreen(event.runs))
        except InputError as error:
            self.complain(error)

    def on_study_wanted(self, event: StudyWanted) -> None:
        from tui_trainer.ui.screens.study import StudyScreen

        if isinstance(self.screen, StudyScreen) and self.screen.directory == event.directory:
            return
        try:
            self._show(StudyScreen(event.directory))
        except InputError as error:
            self.complain(error)

    def on_study_start_wanted(self, event: StudyStartWanted) -> None:
        """Give the study a coordinator, unless it has one, and watch it."""
        self._start_study(lambda: self._prepare(event.definition))

    def _prepare(self, definition: Definition) -> StudyDirectory:
        """The study begun before, or a new one. Raises `InputError`, also where its data are not on this machine."""
        configs = {row.config.data.name: row.config for row in plan.rows(definition.study, 1, [], 0)}
        if missing := [words for config in configs.values() if (words := absence(config, self.data_root))]:
            raise InputError(*missing)
        return start.prepare(definition, self.runs_root, self.data_root)

    def on_study_resume_wanted(self, event: StudyResumeWanted) -> None:
        self._start_study(lambda: event.directory)

    @work(thread=True)
    def _start_study(self, find: Callable[[], StudyDirectory]) -> None:
        """In a thread: all its runs may have to be read first."""
        try:
            directory = find()
            if liveness(directory) != "alive":
                self.launcher.start_study(directory)
        except InputError as error:
            self.call_from_thread(self.complain, error)
        else:
            self.post_message(StudyWanted(directory))

    def change_setting(self, name: str, value: str) -> None:
        """Take a setting of `settings.CHOICES` into force, and write the file."""
        self.settings = replace(self.settings, **{name: value})  # type: ignore[arg-type]
        self.theme = self.settings.theme
        try:
            settings.save(self.settings)
        except OSError as error:
            self.complain(InputError(f"{settings.settings_file()}: cannot be written: {error.strerror}"))

    def _show(self, screen: Screen[None]) -> None:
        """Home lies below every other screen; a run lies above the table it was opened from, else above home alone."""
        below = getattr(self.screen, "KIND", "page")
        if below == "home" or (below == "table" and getattr(screen, "KIND", "page") == "run"):
            self.push_screen(screen)
        else:
            self.switch_screen(screen)

    def complain(self, error: InputError) -> None:
        """Show what cannot be done, and why."""
        self.notify("\n".join(error.problems), severity="error", timeout=10, markup=False)

    def action_leave(self) -> None:
        """Leave at once, unless the screen has something to ask or to say first."""
        if isinstance(self.screen, ModalScreen):
            return
        leave = getattr(self.screen, "leave", self.exit)
        leave()

    def action_help(self) -> None:
        from tui_trainer.ui.screens.help import HelpScreen

        if not isinstance(self.screen, ModalScreen):
            self.push_screen(HelpScreen(self.screen))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every action of the screen by its name and keys, then looks and pictures."""
        for action in actions(screen, self):
            if action.enabled:
                run = partial(self.run_action, action.binding.action, action.node)
                title = f"{action.binding.description} ({' '.join(action.keys)})"
                yield SystemCommand(title, action.binding.tooltip, run)
        yield SystemCommand("Theme", "Choose another look", self.action_change_theme)
        yield SystemCommand("Picture", "Save this screen as an SVG file", self.deliver_screenshot)


def run(runs_root: Path, data_root: Path, opened: Run | StudyDirectory | None = None) -> None:
    """The dashboard until the person leaves, starting on the run or study `opened`, if one is given."""
    wanted, problems = settings.load()
    app = TrainerApp(runs_root, data_root, Launcher(), opened, wanted)
    app.problems = problems
    farewell = app.run()
    if farewell:
        print(farewell)
