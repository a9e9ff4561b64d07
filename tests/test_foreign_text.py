"""Whatever stands in names, logs, files and labels: screens show it as text, clean, and in its own place."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
import tomlkit
from rich.cells import cell_len
from textual.pilot import Pilot

from tests import test_mistakes
from tests.dashboard import FakeRun, seen
from tests.screens import Open, Place, World, frozen, see, settled
from tests.studies import THREE, FakeStudy
from tui_trainer import presets
from tui_trainer.runs import events
from tui_trainer.studies import notes
from tui_trainer.ui.widgets import job_line

EVIL = (
    "[bold [/ [@click=app.quit] \x1b[2J\x1b[31m \x1b]52;c;eA==\x07 \x1b]8;;http://x\x1b\\ \x9b31m\x85 "
    "\u202e\u2066 \u200b\u200d\ufeff 漢字 👩‍👩‍👧 🏳️‍🌈 \r\n\t " + "x" * 10_000
)


def evil_run(world: World, finish: bool = True) -> FakeRun:
    """A run all of whose words are somebody else's."""
    fake = world.run(2, epochs=3, name="mine")
    file = fake.run.path / "config.toml"
    values = tomllib.loads(file.read_text())
    values["run"] |= {"name": EVIL, "preset": EVIL}
    file.write_text(tomlkit.dumps(values))
    fake.run.notes_file.write_text(tomlkit.dumps({"note": EVIL[:4000]}))
    fake.save(1)
    fake.write(
        events.Log(level="error", message=EVIL),
        events.Checkpoint(file=EVIL, kinds=["save"], epoch=2, step=2, bytes=1, weights_sha256=EVIL, val_accuracy=0.9),
    )
    if finish:
        fake.run.worker_log.write_text(EVIL)
        fake.write(events.State(status="failed", reason=EVIL)).release()
    return fake


def home(world: World) -> Place:
    own = presets.own_folder()
    own.mkdir(parents=True)
    words = dict.fromkeys(("title", "summary", "expect", "source"), EVIL[:2000])
    (own / "evil.toml").write_text(tomlkit.dumps(words))
    (own / "spoilt.toml").write_text(tomlkit.dumps({EVIL: 1}))
    evil_run(world)
    return Place(world.app(), [see("digits", "failed"), "end", see("yours")])


def run(world: World) -> Place:
    return Place(world.app(evil_run(world)), [see("failed")])


def log(world: World) -> Place:
    return Place(world.app(evil_run(world)), [see("failed"), "i i slash", "b o l d", see("bold")])


def leave(world: World) -> Place:
    return Place(world.app(evil_run(world, finish=False)), [see("running"), "q", Open("LeaveScreen")])


def fork(world: World) -> Place:
    return Place(world.app(evil_run(world)), [see("failed"), "f", Open("FormScreen")])


def all_runs(world: World) -> Place:
    evil_run(world)
    return Place(world.app(), [see("failed"), "a", Open("RunsScreen"), see("failed")])


def others(world: World) -> Place:
    evil_run(world)
    return Place(world.app(world.finished("mine")), [see("finished"), "o", Open("OthersScreen"), see("failed")])


def compare(world: World) -> Place:
    evil_run(world)
    evil_run(world)
    return Place(world.app(), [see("failed"), "tab space space c", Open("CompareScreen")])


def mistakes(world: World) -> Place:
    fake = world.finished()
    test_mistakes.FakeJob.asked = []
    test_mistakes.FakeJob.results = [test_mistakes.result((1, 0), (0, 2)) | {"classes": [EVIL, "dog", EVIL]}]
    world.stack.enter_context(pytest.MonkeyPatch.context()).setattr(job_line, "Job", test_mistakes.FakeJob)
    return Place(world.app(fake), [see("finished"), "w", Open("MistakesScreen"), see("2 mistakes")])


def refused(world: World) -> Place:
    fake = world.finished()
    test_mistakes.FakeJob.asked = []
    test_mistakes.FakeJob.results = [EVIL]
    world.stack.enter_context(pytest.MonkeyPatch.context()).setattr(job_line, "Job", test_mistakes.FakeJob)
    return Place(world.app(fake), [see("finished"), "w", Open("MistakesScreen"), see("!")])


def study(world: World) -> Place:
    words = tomlkit.parse(THREE)
    words["title"] = words["source"] = words["notes"] = EVIL[:300]
    fake = FakeStudy(world.root, tomlkit.dumps(words)).take().tell("running")
    world.stack.callback(fake.release)
    notes.write_conclusions(fake.directory, EVIL)
    fake.finish("slow")
    fake.tell("stopped", EVIL)
    fake.release()
    return Place(world.app(fake), [see("stopped")])


def conclusions(world: World) -> Place:
    place = study(world)
    place.steps.extend(["c", Open("ConclusionsScreen")])
    return place


SCREENS: dict[str, Callable[[World], Place]] = {
    screen.__name__: screen
    for screen in (
        home,
        run,
        log,
        leave,
        fork,
        all_runs,
        others,
        compare,
        mistakes,
        refused,
        study,
        conclusions,
    )
}


def check(pilot: Pilot[str], width: int) -> None:
    for row in seen(pilot).split("\n"):
        hidden = [character for character in row if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl")]
        assert not hidden, ascii(row)
        assert cell_len(row) == width, ascii(row)


@pytest.mark.parametrize("name", SCREENS)
async def test_screen(name: str, tmp_path: Path) -> None:
    with frozen(tmp_path) as world:
        place = SCREENS[name](world)
        async with place.app.run_test(size=(120, 40)) as pilot:
            await place.reach(pilot)
            check(pilot, 120)
            assert "[bold" in seen(pilot)
            await pilot.resize_terminal(80, 24)
            await settled(pilot)
            check(pilot, 80)
