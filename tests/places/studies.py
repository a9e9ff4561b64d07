"""Studies in each of their states."""

from __future__ import annotations

from textual.widgets import Input

from tests.screens import Open, Place, World, place, see
from tui_trainer.studies.events import Failed


@place(large=True)
def study_live(world: World) -> Place:
    fake = world.study(seeds=2)
    fake.finish("slow", 0, accuracy=0.94)
    fake.begin("fast", 0).train(1, 2, 3)
    return Place(world.app(fake), [see("running", "Three rates", "1/6 runs")])


@place()
def study_finished(world: World) -> Place:
    fake = world.study()
    for row, accuracy in (("slow", 0.90), ("middling", 0.965), ("fast", 0.95)):
        fake.finish(row, accuracy=accuracy)
    fake.tell("finished").release()
    return Place(world.app(fake), [see("finished", "3/3 runs")])


@place()
def study_troubled(world: World) -> Place:
    fake = world.study()
    fake.begin("slow").train(1, 2)
    fake.write(Failed(member="fast/0", reason="out of memory"))
    fake.release()
    return Place(world.app(fake), [see("interrupted", "failed")])


@place()
def study_report(world: World) -> Place:
    place = study_finished(world)

    def name_it() -> None:
        place.app.screen.query_one(Input).value = "/home/somebody/three-rates.html"

    place.steps.extend(["w", Open("ReportScreen"), see("Write a report"), name_it])
    return place
