"""What screens ask for by messages, done: screens opened above one another, runs and studies started.

A screen is imported when it is first shown, and what only it needs with it: the first paint waits for no other.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import work
from textual.app import App
from textual.css.query import NoMatches
from textual.screen import Screen

from tui_trainer.runs import directory
from tui_trainer.runs.launch import liveness
from tui_trainer.text import InputError, clean
from tui_trainer.ui.keymap import name_bindings
from tui_trainer.ui.launcher import Launcher
from tui_trainer.ui.messages import (
    CompareWanted,
    DataWanted,
    Fork,
    ForkWanted,
    FormWanted,
    GpuWanted,
    OpenWanted,
    ResumeWanted,
    StartWanted,
    StudyResumeWanted,
    StudyStartWanted,
    StudyWanted,
)

if TYPE_CHECKING:
    from tui_trainer.studies.catalogue import Definition
    from tui_trainer.studies.directory import StudyDirectory


class Navigation(App[str]):
    """The part of the app that answers its screens."""

    runs_root: Path
    data_root: Path
    launcher: Launcher

    def on_start_likely(self) -> None:
        self.launcher.warm_up()

    async def on_home_wanted(self) -> None:
        await self.push_screen(self.make_home())

    def make_home(self) -> Screen[None]:
        from tui_trainer.ui.screens.home import HomeScreen

        return HomeScreen(self.runs_root, self.data_root)

    async def on_data_wanted(self, event: DataWanted) -> None:
        from tui_trainer.ui.screens.data import DataScreen

        await self._show(DataScreen(self.data_root, event.name))

    def on_gpu_wanted(self, event: GpuWanted) -> None:
        self.launcher.choose_gpu(event.uuid)

    def on_preset_saved(self) -> None:
        from tui_trainer.ui.screens.home import HomeScreen

        for screen in self.screen_stack:
            if isinstance(screen, HomeScreen):
                screen.read_presets()

    def on_start_wanted(self, event: StartWanted) -> None:
        """Make a run, start its worker and watch it; where that cannot be, say so and leave nothing behind."""
        from tui_trainer.ui.describe import absence

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

    async def on_open_wanted(self, event: OpenWanted) -> None:
        from tui_trainer.ui.screens.run import RunScreen

        if isinstance(self.screen, RunScreen) and self.screen.run_directory == event.run:
            self.screen.expect_worker()
            return
        try:
            await self._show(RunScreen(event.run))
        except InputError as error:
            await self._refuse(error)

    async def on_all_runs_wanted(self) -> None:
        from tui_trainer.ui.screens.runs import RunsScreen

        await self._show(RunsScreen(self.runs_root))

    async def on_form_wanted(self, event: FormWanted) -> None:
        from tui_trainer.ui.screens.form import FormScreen

        await self._show(FormScreen(event.preset, self.data_root, find_rate=event.find_rate))

    async def on_fork_wanted(self, event: ForkWanted) -> None:
        """The form with everything as it was at this checkpoint; for the newest one, as it is now."""
        from tui_trainer.presets import Preset
        from tui_trainer.runs.checkpoints import newest_on_disk
        from tui_trainer.ui.screens.form import FormScreen

        follower, state = event.follower, event.follower.state
        folder = follower.run.checkpoints
        begun = event.checkpoint or newest_on_disk(state, folder)
        if begun is None or not (folder / begun.file).is_file():
            trouble = f"{clean(begun.file, 60)} is gone" if begun else "has no checkpoint on disk to fork from"
            self.complain(InputError(f"{clean(state.name, 60)}: {trouble}"))
            return
        start = directory.Start(follower.run.id, folder / begun.file, "continue")
        fork = Fork(clean(state.name, 40), state.config, begun.epoch, begun.step, start, follower.data_root)
        config = state.config_at(begun.step) if event.checkpoint else state.config
        await self._show(FormScreen(Preset(state.preset, Path(), config), follower.data_root, fork))

    async def on_compare_wanted(self, event: CompareWanted) -> None:
        from tui_trainer.ui.screens.compare import CompareScreen

        try:
            await self.push_screen(CompareScreen(event.runs))
        except InputError as error:
            self.complain(error)

    async def on_study_wanted(self, event: StudyWanted) -> None:
        from tui_trainer.ui.screens.study import StudyScreen

        if isinstance(self.screen, StudyScreen) and self.screen.directory == event.directory:
            return
        try:
            await self._show(StudyScreen(event.directory))
        except InputError as error:
            await self._refuse(error)

    def on_study_start_wanted(self, event: StudyStartWanted) -> None:
        """Give the study a coordinator, unless it has one, and watch it."""
        self._start_study(lambda: self._prepare(event.definition))

    def _prepare(self, definition: Definition) -> StudyDirectory:
        """The study begun before, or a new one. Raises `InputError`, also where its data are not on this machine."""
        from tui_trainer.studies import plan, start
        from tui_trainer.ui.describe import absence

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

    async def _show(self, screen: Screen[None]) -> None:
        """Home lies below every other screen; a run lies above the table it was opened from, else above home alone.

        Nothing else is asked of the app until the screen is whole.
        """
        below = getattr(self.screen, "KIND", "page")
        if below == "home" or (below == "table" and getattr(screen, "KIND", "page") == "run"):
            await self.push_screen(screen)
        else:
            await self.switch_screen(screen)

    async def _refuse(self, error: InputError) -> None:
        """What was to be opened cannot be; home, where there is nothing else to go back to."""
        from tui_trainer.ui.screens.doorstep import Doorstep

        self.complain(error)
        if isinstance(self.screen, Doorstep):
            await self.on_home_wanted()

    def _handle_exception(self, error: Exception) -> None:
        """As textual's; but a screen that is closed before it was whole lacks parts of itself, which is no fault."""
        if self.is_running or not isinstance(error, NoMatches):
            super()._handle_exception(error)

    def push_screen(self, screen: Any, *args: Any, **options: Any) -> Any:
        """As textual's, for a screen made ready."""
        self._make_ready(screen)
        return super().push_screen(screen, *args, **options)

    def switch_screen(self, screen: Any) -> Any:
        """As textual's, for a screen made ready."""
        self._make_ready(screen)
        return super().switch_screen(screen)

    def _make_ready(self, screen: Any) -> None:
        """Ids for its keys, and at once the layout for this terminal: Textual finds it after a first, wide, paint."""
        name_bindings(screen)
        if isinstance(screen, Screen):
            for size, limits in zip(self.size, (self.HORIZONTAL_BREAKPOINTS, self.VERTICAL_BREAKPOINTS), strict=True):
                screen.add_class(*[name for least, name in limits or () if size >= least][-1:])

    def complain(self, error: InputError) -> None:
        """Show what cannot be done, and why."""
        self.notify("\n".join(error.problems), severity="error", timeout=10, markup=False)
