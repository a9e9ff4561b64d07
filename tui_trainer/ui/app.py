"""The dashboard: home → form → run. Training happens in other processes; this one only reads and asks."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.geometry import Size
from textual.message import Message
from textual.screen import ModalScreen, Screen
from textual.timer import Timer

from tui_trainer.runs.directory import Run
from tui_trainer.text import InputError, unicode_terminal
from tui_trainer.ui import settings, themes
from tui_trainer.ui.filters import Ascii, Colourless
from tui_trainer.ui.keymap import name_bindings
from tui_trainer.ui.keys import actions
from tui_trainer.ui.launcher import Launcher
from tui_trainer.ui.messages import AllRunsWanted, DataWanted, OpenWanted, StudyWanted
from tui_trainer.ui.navigation import Navigation
from tui_trainer.ui.settings import Settings

if TYPE_CHECKING:
    from tui_trainer.studies.directory import StudyDirectory

ASCII, COLOURLESS = Ascii(), Colourless()
# layouts of app.tcss by the least cells they need
WIDTHS = [(0, "-tiny"), (40, "-narrow"), (100, "-wide")]
START_SECONDS = 2.0  # in which everything that stays has been made
RESIZED_SECONDS = 0.5  # in which a new size should have reached the screens
HEIGHTS = [(0, "-flat"), (8, "-short"), (16, "-low"), (32, "-tall"), (48, "-high")]


class TrainerApp(Navigation):
    """Its result is a line to print once the terminal is back, or nothing."""

    TITLE = "tui-trainer"
    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "help", key_display="?", tooltip="What this screen shows, and its keys"),
        Binding("f1", "help", "help", show=False),
        Binding("q", "leave", "leave", tooltip="Leave; training goes on unless you stop it"),
        Binding("comma", "settings", "settings", show=False, key_display=",", tooltip="Looks and keys"),
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
        name_bindings()
        super().__init__()
        self.settings = wanted or Settings()
        self.problems: list[str] = []
        self.runs_root = runs_root
        self.data_root = data_root
        self.launcher = launcher
        self.opened = opened
        self.sized: Size | None = None
        self.resized: Timer | None = None
        for theme in themes.THEMES:
            self.register_theme(theme)
        self.take_looks()

    def take_looks(self) -> None:
        """Draw as the settings say, and with no colours where the environment asks for none."""
        name = self.settings.theme
        self.theme = themes.MONO.name if self.no_color else name
        self.ascii_only = self.settings.ascii == "on" or (self.settings.ascii == "auto" and not unicode_terminal())
        self.set_class(self.theme == themes.MONO.name, "-colourless")
        self.drawn_through = [COLOURLESS] * (self.theme == themes.MONO.name) + [ASCII] * self.ascii_only

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), *self.drawn_through]

    @property
    def slow_link(self) -> bool:
        """Few repaints: the terminal is far away."""
        return self.settings.slow_link == "on" or (self.settings.slow_link == "auto" and "SSH_TTY" in os.environ)

    def get_default_screen(self) -> Screen[None]:
        screen = self.make_home() if self.opened is None else self._make_doorstep(self.opened)
        self._make_ready(screen)
        return screen

    def _make_doorstep(self, opened: Run | StudyDirectory) -> Screen[None]:
        from tui_trainer.ui.screens.doorstep import Doorstep

        return Doorstep(OpenWanted(opened) if isinstance(opened, Run) else StudyWanted(opened))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict((themes.DARK if self.current_theme.dark else themes.LIGHT).variables)

    def on_mount(self) -> None:
        if not self.is_headless:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                loop.add_signal_handler(number, self.exit)
        self.set_keymap(dict(self.settings.keys))
        if not gc.isenabled():
            self.set_timer(START_SECONDS, collect_garbage)
        if self.problems:
            self.call_after_refresh(
                self.complain, InputError(*self.problems)
            )  # before there is a screen nobody sees it

    def on_resize(self, event: events.Resize) -> None:
        """Textual hands a new size on by a timer that never fires where the process is held up as it starts."""
        if self.resized:
            self.resized.stop()
        if self.sized not in (None, event.size):
            self.resized = self.set_timer(RESIZED_SECONDS, self._hand_size_on)
        self.sized = event.size

    def _hand_size_on(self) -> None:
        for screen in self.screen_stack:
            screen.post_message(events.Resize(self.size, self.size))

    def on_unmount(self) -> None:
        self.launcher.close()

    def change_setting(self, name: str, value: str | tuple[str, ...]) -> None:
        """Take a setting into force, and write the file."""
        self.settings = replace(self.settings, **{name: value})  # type: ignore[arg-type]
        self.take_looks()
        self.refresh_css(animate=False)
        self._save_settings()

    def change_keys(self, keys: Mapping[str, str]) -> None:
        """Put actions on other keys, from now on and in the file."""
        self.settings = replace(self.settings, keys=keys)
        self.set_keymap(dict(keys))
        self._save_settings()

    def _save_settings(self) -> None:
        try:
            settings.save(self.settings)
        except OSError as error:
            self.complain(InputError(f"{settings.settings_file()}: cannot be written: {error.strerror}"))
        except InputError as error:
            self.complain(error)

    def action_settings(self) -> None:
        from tui_trainer.ui.screens.settings import SettingsScreen

        if not isinstance(self.screen, ModalScreen | SettingsScreen):
            self.push_screen(SettingsScreen())

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

    def _go(self, wanted: Message) -> None:
        self.post_message(wanted)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every action of the screen by its name and keys, then looks and pictures."""
        for action in actions(screen, self):
            if action.enabled:
                run = partial(self.run_action, action.binding.action, action.node)
                title = f"{action.binding.description} ({' '.join(action.keys)})"
                yield SystemCommand(title, action.binding.tooltip, run)
        yield SystemCommand("Go to all runs", "Sort, filter, tag, archive, delete", partial(self._go, AllRunsWanted()))
        yield SystemCommand("Go to data sets", "What is here, and how to get more", partial(self._go, DataWanted()))
        for theme, words in settings.LOOKS.items():
            yield SystemCommand(f"Theme {words}", "Take this look", partial(self.change_setting, "theme", theme))
        yield SystemCommand("Picture", "Save this screen as an SVG file", self.deliver_screenshot)


def collect_garbage() -> None:
    """From now on; what is there stays, and is not looked through again and again."""
    gc.freeze()
    gc.enable()


def run(runs_root: Path, data_root: Path, opened: Run | StudyDirectory | None = None) -> None:
    """The dashboard until the person leaves, starting on the run or study `opened`, if one is given."""
    wanted, problems = settings.load()
    app = TrainerApp(runs_root, data_root, Launcher(), opened, wanted)
    app.problems = problems
    farewell = app.run()
    if farewell:
        print(farewell)
    if not app.is_web and not os.isatty(0):  # the terminal has died: textual's thread may read from it for ever
        sys.stdout.flush()
        os._exit(0)
