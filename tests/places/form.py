"""The form, its dialogs, and the search for a learning rate."""

from __future__ import annotations

from textual.widgets import Input

from tests import test_ui_find_rate
from tests.screens import Open, Place, Step, World, place, see
from tui_trainer import presets

FORM: list[Step] = [see("8,970 parameters"), "e", Open("FormScreen"), see("hidden")]


@place(large=True)
def form(world: World) -> Place:
    return Place(world.app(), FORM)


@place()
def form_errors(world: World) -> Place:
    place = Place(world.app(), [*FORM])

    def spoil() -> None:
        for path, text in (("training-epochs", "0"), ("network-hidden_sizes", "64-x")):
            place.app.screen.query_one(f"#field-{path} Input", Input).value = text

    place.steps.extend([spoil, see("! 1", "whole num")])
    return place


@place()
def form_fork(world: World) -> Place:
    return Place(world.app(world.finished()), [see("finished"), "f", Open("FormScreen"), see("Fork of")])


@place()
def form_preflight(world: World) -> Place:
    return Place(world.app(), [*FORM, "f4", Open("PreflightScreen"), see("640 images/s", "does not learn")])


@place()
def find_a_rate(world: World) -> Place:
    def tell() -> None:
        test_ui_find_rate.FakeJob.latest.tell(57, {"suggestions": test_ui_find_rate.RATES})

    steps: list[Step] = [see("8,970 parameters"), "f", Open("FindRateScreen"), see("starting"), tell, see("57 updates")]
    return Place(world.app(), steps)


@place()
def go_to(world: World) -> Place:
    return Place(world.app(), [*FORM, "ctrl+g", Open("GoToScreen"), "r a t e", see("learning rate")])


@place()
def command(world: World) -> Place:
    return Place(world.app(), [*FORM, "f3", Open("CommandScreen"), see("tui-trainer train")])


@place()
def save_preset(world: World) -> Place:
    presets.save("digits", presets.load("digits").config, "as it was before")
    steps: list[Step] = [*FORM, "f2", Open("SavePresetScreen"), see("what it trains"), "enter", see("enter again")]
    return Place(world.app(), steps)
