"""Many runs: listed, and side by side."""

from __future__ import annotations

from tests.dashboard import make_app
from tests.places.home import home_mixed
from tests.screens import Open, Place, Step, World, place, see
from tui_trainer.runs import directory, notes


@place(large=True)
def compare(world: World) -> Place:
    parent = world.finished("parent")
    start = directory.Start(parent.run.id, next(iter(sorted(parent.run.checkpoints.iterdir()))), "continue")
    child = directory.create(world.root, parent.config, "child", "digits", world.root / "no-data", start)
    steps: list[Step] = [Open("RunScreen"), see("child"), "c", Open("CompareScreen"), see("parent", "child")]
    return Place(make_app(world.root, child), steps)


@place()
def no_runs(world: World) -> Place:
    return Place(world.app(), [see("8,970 parameters"), "a", Open("RunsScreen"), see("0 runs", "No runs yet")])


@place(large=True)
def all_runs(world: World) -> Place:
    place = home_mixed(world)
    place.steps.extend(["a", Open("RunsScreen"), see("done", "alive", "burst")])
    return place


@place()
def runs_filtered(world: World) -> Place:
    place = all_runs(world)
    place.steps.extend(["slash", "d o n e", see("done", "97.20 %")])
    return place


@place()
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


@place()
def tags(world: World) -> Place:
    place = noted_run(world)
    place.steps.extend(["t", Open("AskLineScreen"), "minus p a p e r", see("-paper")])
    return place


@place()
def note(world: World) -> Place:
    place = noted_run(world)
    place.steps.extend(["n", Open("AskLineScreen"), see("an empty line takes it away")])
    return place
