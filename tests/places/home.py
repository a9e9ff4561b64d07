"""The home screen, and what is reached from it."""

from __future__ import annotations

from tests.dashboard import FakeRun
from tests.screens import Open, Place, World, place, see
from tui_trainer.runs import events


@place(large=True)
def home_empty(world: World) -> Place:
    return Place(world.app(), [see("No runs yet", "digits", "8,970 parameters", "NVIDIA H200")])


@place()
def home_live(world: World) -> Place:
    world.run(4, name="alive")
    return Place(world.app(), [see("running", "alive", "4/10")])


@place(large=True)
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


@place()
def home_unreadable(world: World) -> Place:
    spoilt = FakeRun(world.root, name="spoilt").run
    spoilt.config_file.write_text(spoilt.config_file.read_text().replace("format = ", "format = 9"))
    FakeRun(world.root, name="torn").run.config_file.write_text("torn")
    study = world.study()
    study.release()
    (study.directory.path / "plan.json").write_text("{")
    return Place(world.app(), [see("newer than", "cannot be read"), "tab"])


@place()
def home_filter(world: World) -> Place:
    return Place(world.app(), [see("digits"), "slash", "t a n h", see("128-128-tanh")])


@place()
def guide(world: World) -> Place:
    return Place(world.app(), [see("8,970 parameters"), "g", see("Welcome to tui-trainer")])


@place()
def help_on_home(world: World) -> Place:
    return Place(world.app(), [see("8,970 parameters"), "question_mark", Open("HelpScreen")])


@place()
def data_sets(world: World) -> Place:
    return Place(world.app(), [see("8,970 parameters"), "d", Open("DataScreen"), see("emnist-letters", "absent")])


@place()
def settings(world: World) -> Place:
    return Place(world.app(), [see("8,970 parameters"), "comma", Open("SettingsScreen"), see("everywhere")])
