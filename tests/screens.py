"""Every place of the dashboard that a person can be at, and how to get there; nothing of it differs between two visits.

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

from tests import test_mistakes, test_preflight, test_ui_find_rate
from tests.dashboard import FakeRun, make_app, seen, wait_for, wait_for_screen, wait_to_see
from tests.studies import FakeStudy
from tui_trainer import machine, machine_load, presets, session
from tui_trainer.machine import GIB
from tui_trainer.runs import directory, events, follow, notes
from tui_trainer.studies.directory import StudyDirectory
from tui_trainer.studies.events import Failed
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


def home_empty(world: World) -> Place:
    return Place(world.app(), [see("No runs yet", "digits", "8,970 parameters", "NVIDIA H200")])


def home_live(world: World) -> Place:
    world.run(4, name="alive")
    return Place(world.app(), [see("running", "alive", "4/10")])


def home_mixed(world: World) -> Place:
    world.finished("done")
    world.run(2, name="cut").release()
    world.run(2, name="halted").write(events.State(status="stopped")).release()
    world.run(2, name="burst").write(events.State(status="failed", reason="out of memory: batch 32")).release()
    FakeRun(world.root, name="spoilt").run.config_file.write_text("spoilt")
    study = world.study()
    study.finish("slow")
    world.run(3, name="alive")
    return Place(world.app(), [see("running", "alive", "interrupted", "study")])


def home_unreadable(world: World) -> Place:
    spoilt = FakeRun(world.root, name="spoilt").run
    spoilt.config_file.write_text(spoilt.config_file.read_text().replace("format = ", "format = 9"))
    FakeRun(world.root, name="torn").run.config_file.write_text("torn")
    study = world.study()
    study.release()
    (study.directory.path / "plan.json").write_text("{")
    return Place(world.app(), [see("newer than", "cannot be read"), "tab"])


def home_filter(world: World) -> Place:
    return Place(world.app(), [see("digits"), "slash", "t a n h", see("128-128-tanh")])


FORM: list[Step] = [see("8,970 parameters"), "e", Open("FormScreen"), see("hidden")]


def form(world: World) -> Place:
    return Place(world.app(), FORM)


def form_errors(world: World) -> Place:
    place = Place(world.app(), [*FORM])

    def spoil() -> None:
        for path, text in (("training-epochs", "0"), ("network-hidden_sizes", "64-x")):
            place.app.screen.query_one(f"#field-{path} Input", Input).value = text

    place.steps.extend([spoil, see("! 1", "whole num")])
    return place


def form_fork(world: World) -> Place:
    return Place(world.app(world.finished()), [see("finished"), "f", Open("FormScreen"), see("Fork of")])


def form_preflight(world: World) -> Place:
    return Place(world.app(), [*FORM, "f4", Open("PreflightScreen"), see("640 images/s", "does not learn")])


def find_a_rate(world: World) -> Place:
    def tell() -> None:
        test_ui_find_rate.FakeJob.latest.tell(57, {"suggestions": test_ui_find_rate.RATES})

    steps: list[Step] = [see("8,970 parameters"), "f", Open("FindRateScreen"), see("starting"), tell, see("57 updates")]
    return Place(world.app(), steps)


def run_starting(world: World) -> Place:
    fake = FakeRun(world.root).take()
    world.stack.callback(fake.release)
    return Place(world.app(fake), [see("starting", "loading torch")])


def run_live(world: World) -> Place:
    fake = world.run(5)
    fake.save(4, "best")
    fake.write(events.Log(level="warning", message="a warning of some words"))
    fake.metrics(5.5, loss=0.17)
    return Place(world.app(fake), [see("running", "5/10")])


def run_paused(world: World) -> Place:
    return Place(world.app(world.run(4).write(events.State(status="paused"))), [see("paused")])


def run_finished(world: World) -> Place:
    return Place(world.app(world.finished()), [see("finished", "97.20 %")])


def run_failed(world: World) -> Place:
    fake = world.run(1)
    fake.run.worker_log.write_text("Traceback\nRuntimeError: no memory\n")
    fake.write(events.State(status="failed", reason="out of memory: batch 32")).release()
    return Place(world.app(fake), [see("failed", "out of memory")])


def run_diverged(world: World) -> Place:
    fake = world.run(2)
    fake.write(events.State(status="failed", reason="the loss is not finite; a smaller learning rate may help"))
    fake.release()
    return Place(world.app(fake), [see("failed", "not finite")])


def run_interrupted(world: World) -> Place:
    fake = world.run(2)
    fake.save(2)
    fake.release()
    return Place(world.app(fake), [see("interrupted")])


def run_stopped(world: World) -> Place:
    fake = world.run(2)
    fake.save(2)
    fake.write(events.State(status="stopped", reason="saved e0002-s000080.safetensors")).release()
    return Place(world.app(fake), [see("stopped")])


def boundary(world: World) -> Place:
    fake = world.run(3, preset="xor/xor-mlp").bound(3)
    return Place(world.app(fake), [see("running"), "right_square_bracket", see("decision boundary")])


def neurons(world: World) -> Place:
    fake = world.run(3, preset="xor/xor-mlp").bound(3).drew(3)
    return Place(world.app(fake), [see("running"), "h", Open("NeuronsScreen"), see("layer 1"), "right"])


def rewind(world: World) -> Place:
    steps: list[Step] = [see("finished"), "b", Open("RewindScreen"), see("epoch 6/6"), "left left", see("epoch 4/6")]
    return Place(world.app(world.finished()), steps)


def others(world: World) -> Place:
    for name in ("wide", "deep"):
        world.finished(name, accuracy=0.5)
    steps: list[Step] = [see("finished"), "o", Open("OthersScreen"), see("wide", "deep")]
    return Place(world.app(world.finished("mine")), steps)


def overlay(world: World) -> Place:
    place = others(world)
    place.steps.extend(["space", "enter", Open("RunScreen"), see("mine")])
    return place


def log_search(world: World) -> Place:
    fake = world.run(2)
    fake.write(*(events.Log(level="info", message=f"line {number} of many") for number in range(30)))
    return Place(world.app(fake), [see("running"), "slash", "l i n e space 1", see("line 11 of 11")])


def checkpoints(world: World) -> Place:
    return Place(world.app(world.finished()), [see("finished"), "k", see("e0006")])


def maximised(world: World) -> Place:
    return Place(world.app(world.run(5)), [see("running"), "m"])


def change_live(world: World) -> Place:
    return Place(world.app(world.run(3)), [see("running"), "l", Open("ChangeScreen"), see("learning rate")])


def stop(world: World) -> Place:
    return Place(world.app(world.run(3)), [see("running"), "x", Open("StopScreen"), see("Stop digits?")])


def leave(world: World) -> Place:
    return Place(world.app(world.run(3)), [see("running"), "q", Open("LeaveScreen"), see("Leave digits?")])


def help_on_run(world: World) -> Place:
    return Place(world.app(world.run(3)), [see("running"), "question_mark", Open("HelpScreen")])


def help_on_home(world: World) -> Place:
    return Place(world.app(), [see("8,970 parameters"), "question_mark", Open("HelpScreen")])


def palette(world: World) -> Place:
    return Place(
        world.app(world.run(3)), [see("running"), "ctrl+p", Open("CommandPalette"), see("Picture", "Theme no colours")]
    )


def mistakes(world: World) -> Place:
    fake = world.finished()
    test_mistakes.FakeJob.asked = []
    test_mistakes.FakeJob.results = [test_mistakes.result((1, 0), (0, 2), (1, 2))]
    world.stack.enter_context(pytest.MonkeyPatch.context()).setattr(job_line, "Job", test_mistakes.FakeJob)
    return Place(world.app(fake), [see("finished"), "w", Open("MistakesScreen"), see("3 mistakes", "1 of 3")])


def compare(world: World) -> Place:
    parent = world.finished("parent")
    start = directory.Start(parent.run.id, next(iter(sorted(parent.run.checkpoints.iterdir()))), "continue")
    child = directory.create(world.root, parent.config, "child", "digits", world.root / "no-data", start)
    steps: list[Step] = [Open("RunScreen"), see("child"), "c", Open("CompareScreen"), see("parent", "child")]
    return Place(make_app(world.root, child), steps)


def study_live(world: World) -> Place:
    fake = world.study(seeds=2)
    fake.finish("slow", 0, accuracy=0.94)
    fake.begin("fast", 0).train(1, 2, 3)
    return Place(world.app(fake), [see("running", "Three rates", "1/6 runs")])


def study_finished(world: World) -> Place:
    fake = world.study()
    for row, accuracy in (("slow", 0.90), ("middling", 0.965), ("fast", 0.95)):
        fake.finish(row, accuracy=accuracy)
    fake.tell("finished").release()
    return Place(world.app(fake), [see("finished", "3/3 runs")])


def study_troubled(world: World) -> Place:
    fake = world.study()
    fake.begin("slow").train(1, 2)
    fake.write(Failed(member="fast/0", reason="out of memory"))
    fake.release()
    return Place(world.app(fake), [see("interrupted", "failed")])


def study_report(world: World) -> Place:
    place = study_finished(world)

    def name_it() -> None:
        place.app.screen.query_one(Input).value = "/home/somebody/three-rates.html"

    place.steps.extend(["w", Open("ReportScreen"), see("Write a report"), name_it])
    return place


def guide(world: World) -> Place:
    return Place(world.app(), [see("8,970 parameters"), "g", see("Welcome to tui-trainer")])


def go_to(world: World) -> Place:
    return Place(world.app(), [*FORM, "ctrl+g", Open("GoToScreen"), "r a t e", see("learning rate")])


def command(world: World) -> Place:
    return Place(world.app(), [*FORM, "f3", Open("CommandScreen"), see("tui-trainer train")])


def data_sets(world: World) -> Place:
    return Place(world.app(), [see("8,970 parameters"), "d", Open("DataScreen"), see("emnist-letters", "absent")])


def settings(world: World) -> Place:
    return Place(world.app(), [see("8,970 parameters"), "comma", Open("SettingsScreen"), see("everywhere")])


def no_runs(world: World) -> Place:
    return Place(world.app(), [see("8,970 parameters"), "a", Open("RunsScreen"), see("0 runs", "No runs yet")])


def all_runs(world: World) -> Place:
    place = home_mixed(world)
    place.steps.extend(["a", Open("RunsScreen"), see("done", "alive", "burst")])
    return place


def runs_filtered(world: World) -> Place:
    place = all_runs(world)
    place.steps.extend(["slash", "d o n e", see("done", "97.20 %")])
    return place


def save_preset(world: World) -> Place:
    presets.save("digits", presets.load("digits").config, "as it was before")
    steps: list[Step] = [*FORM, "f2", Open("SavePresetScreen"), see("what it trains"), "enter", see("enter again")]
    return Place(world.app(), steps)


def columns(world: World) -> Place:
    place = all_runs(world)
    place.steps.extend(["o", Open("ColumnsScreen"), see("what does not fit"), "down down space"])
    return place


def noted_run(world: World) -> Place:
    """All runs, the highlight on one that has tags and a note."""
    place = all_runs(world)
    run = next(run for run in directory.list_runs(world.root) if "done" in run.id)
    notes.tag(run, ["baseline", "paper"])
    notes.annotate(run, "as printed in table 2")
    place.steps.extend(["end up", see("as printed in table 2")])
    return place


def tags(world: World) -> Place:
    place = noted_run(world)
    place.steps.extend(["t", Open("AskLineScreen"), "minus p a p e r", see("-paper")])
    return place


def note(world: World) -> Place:
    place = noted_run(world)
    place.steps.extend(["n", Open("AskLineScreen"), see("an empty line takes it away")])
    return place


LARGE_TOO = (
    home_empty,
    home_mixed,
    form,
    run_live,
    run_finished,
    boundary,
    neurons,
    rewind,
    mistakes,
    compare,
    all_runs,
    study_live,
)
"""Places whose layout has more to it where there is room."""
PLACES: dict[str, Callable[[World], Place]] = {
    place.__name__: place
    for place in (
        home_empty,
        home_live,
        home_mixed,
        home_unreadable,
        home_filter,
        form,
        form_errors,
        form_fork,
        form_preflight,
        find_a_rate,
        run_starting,
        run_live,
        run_paused,
        run_finished,
        run_failed,
        run_diverged,
        run_interrupted,
        run_stopped,
        boundary,
        neurons,
        rewind,
        others,
        overlay,
        log_search,
        checkpoints,
        maximised,
        change_live,
        stop,
        leave,
        help_on_run,
        help_on_home,
        palette,
        mistakes,
        compare,
        study_live,
        study_finished,
        study_troubled,
        study_report,
        guide,
        go_to,
        command,
        data_sets,
        settings,
        no_runs,
        all_runs,
        runs_filtered,
        save_preset,
        columns,
        tags,
        note,
    )
}


def in_ascii(app: TrainerApp) -> None:
    app.settings = Settings(ascii="on")
    app.take_looks()
