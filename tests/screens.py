"""What places of the dashboard are made of: a world in which nothing differs between two visits, and ways through it.

A place is made of runs that a worker would have written and of steps: keys, and what must be seen before the next.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from tests import test_preflight, test_ui_find_rate
from tests.dashboard import FakeRun, make_app, seen, wait_for, wait_for_screen, wait_to_see
from tests.studies import FakeStudy
from tui_trainer import machine, machine_load, session
from tui_trainer.machine import GIB
from tui_trainer.runs import directory, events, follow
from tui_trainer.studies.directory import StudyDirectory
from tui_trainer.ui import settings as settings_file
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.screens import find_rate
from tui_trainer.ui.settings import Settings
from tui_trainer.ui.widgets import job_line
from tui_trainer.ui.widgets import machine as machine_panel

BEGAN = 1_795_185_000.0
"""2026-11-20 14:30:00 UTC."""
DEVICES = [
    machine.Device("cuda", "NVIDIA H200", 0, 0, 131 * GIB, 139 * GIB, 3, "GPU-7f3a", 41),
    machine.Device("cpu", "a processor", cores=16, load=0.5),
]
LOADING = ("looking", "reading the run")
LOAD = machine_load.Load(cpu=37.0, memory_used=9 * GIB, memory_total=64 * GIB, process_cpu=98.0, process_memory=GIB)


class World:
    """Runs and studies under one root, with a clock that only their events move."""

    def __init__(self, root: Path, stack: ExitStack) -> None:
        self.root, self.stack = root, stack
        self.now = BEGAN
        self.made = 0

    def new_id(self, name: str) -> str:
        self.made += 1
        return f"2026-11-20-1430{self.made:02}-{name}-{self.made:04x}"

    def run(self, trained: int = 3, epochs: int = 10, name: str = "", preset: str = "digits") -> FakeRun:
        """A run whose worker lives."""
        fake = FakeRun(self.root, preset, epochs, name).take().start().train(*range(1, trained + 1))
        self.stack.callback(fake.release)
        return fake

    def finished(self, name: str = "", accuracy: float = 0.9, preset: str = "digits") -> FakeRun:
        fake = self.run(4, 6, name, preset)
        fake.save(4, "best")
        fake.train(5, 6, accuracy=accuracy)
        fake.save(6)
        return fake.finish()

    def study(self, seeds: int = 1) -> FakeStudy:
        """A study whose coordinator lives."""
        fake = FakeStudy(self.root, seeds=seeds).take().tell("running")
        self.stack.callback(fake.release)
        return fake

    def app(self, opened: FakeRun | FakeStudy | None = None) -> TrainerApp:
        at = opened.run if isinstance(opened, FakeRun) else opened.directory if opened else None
        assert at is None or isinstance(at, directory.Run | StudyDirectory)
        return make_app(self.root, at)


@contextmanager
def frozen(folder: Path) -> Iterator[World]:
    """A world in which clock, ids, paths, devices, readings and settings are always the same."""
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.chdir(folder)
        world = World(Path("runs"), stack)
        append = events.EventLog.append

        def stamp(log: events.EventLog, event: events.AnyEvent) -> None:
            world.now += 1
            append(log, msgspec.structs.replace(event, time=world.now))

        patch.setattr(events.EventLog, "append", stamp)
        patch.setattr(time, "time", lambda: world.now + 2)
        patch.setattr(directory, "new_id", world.new_id)
        patch.setattr(machine, "devices", lambda: DEVICES)
        patch.setattr(machine, "visible", lambda: DEVICES[:1])
        patch.setattr(machine_panel, "_free", lambda _: 200 * GIB)
        patch.setattr(machine_load.Sampler, "sample", lambda *_, **__: LOAD)
        patch.setattr(follow.Follower, "silence", 0.0)
        patch.setattr(settings_file, "settings_file", lambda: Path("config/settings.toml"))
        patch.setattr(session, "warning", lambda *_: "")
        patch.setattr(job_line, "Job", test_preflight.FakeJob)
        patch.setattr(find_rate, "Job", test_ui_find_rate.FakeJob)
        patch.setattr(Input, "cursor_blink", False)
        patch.setattr(TextArea, "cursor_blink", False)
        for name, value in {
            "XDG_CONFIG_HOME": str(folder / "config"),
            "LC_ALL": "C.UTF-8",
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "TZ": "UTC",
        }.items():
            patch.setenv(name, value)
        for name in ("NO_COLOR", "SSH_TTY", "TMUX", "SLURM_JOB_ID"):
            patch.delenv(name, raising=False)
        time.tzset()
        stack.callback(time.tzset)
        yield world


@dataclass(frozen=True)
class Seen:
    """Words to wait for, the same in ASCII."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class Open:
    """A screen to wait for."""

    screen: str


Step = str | Seen | Open | Callable[[], object]


@dataclass(frozen=True)
class Place:
    """Where an app opens, and the way from there: keys to press, `Seen` and `Open` to wait for, functions to call."""

    app: TrainerApp
    steps: list[Step] = field(default_factory=list)

    async def reach(self, pilot: Pilot[str], tiny: bool = False) -> None:
        """A tiny terminal shows few words: there it is enough that all has come to rest."""
        for step in self.steps:
            match step:
                case str():
                    await pilot.press(*step.split())
                case Open(screen):
                    await wait_for_screen(pilot, screen)
                case Seen(words) if not tiny:
                    await wait_to_see(pilot, *words)
                case Seen():
                    await settled(pilot)
                case _:
                    step()
        await settled(pilot)


PLACES: dict[str, Callable[[World], Place]] = {}
LARGE_TOO: set[str] = set()
"""Places whose layout has more to it where there is room."""


def place(large: bool = False) -> Callable[[Callable[[World], Place]], Callable[[World], Place]]:
    """Of a function: it makes one of `PLACES`, of its own name."""

    def note(make: Callable[[World], Place]) -> Callable[[World], Place]:
        PLACES[make.__name__] = make
        LARGE_TOO.update([make.__name__] * large)
        return make

    return note


def see(*words: str) -> Seen:
    return Seen(words)


async def settled(pilot: Pilot[str]) -> None:
    """Nothing is loading, and what is seen stays as it is over several looks."""
    looks: list[str] = []

    def is_settled() -> bool:
        app = pilot.app
        looks.append(seen(pilot))
        busy = any(not worker.is_finished for worker in app.workers) or app._animator._animations
        if busy or any(words in looks[-1] for words in LOADING) or app.screen._dirty_widgets or looks[-1] != looks[0]:
            looks[:] = looks[-1:]
        return len(looks) >= 6

    await wait_for(pilot, is_settled, "all has come to rest")


def in_ascii(app: TrainerApp) -> None:
    app.settings = Settings(ascii="on")
    app.take_looks()
