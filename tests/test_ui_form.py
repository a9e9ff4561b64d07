"""The form: every field there is, what is wrong beside it, and no start until nothing is."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input

from tests.dashboard import LARGE, launcher_of, make_app, seen, wait_for, wait_for_screen, wait_to_see
from tui_trainer.config import change, knobs
from tui_trainer.presets import load
from tui_trainer.runs.directory import list_runs, read_record
from tui_trainer.ui.screens.form import FormScreen
from tui_trainer.ui.widgets.choice import Choice
from tui_trainer.ui.widgets.field import Field


async def open_form(pilot: Pilot[str]) -> FormScreen:
    await wait_to_see(pilot, "64-64-64-10")
    await pilot.press("e")
    await wait_for_screen(pilot, "FormScreen")
    await wait_to_see(pilot, "hidden sizes")
    screen = pilot.app.screen
    assert isinstance(screen, FormScreen)
    return screen


async def write(pilot: Pilot[str], path: str, text: str) -> None:
    """Type into a field as a person does."""
    editor = pilot.app.screen.query_one(f"#field-{path.replace('.', '-')} Input", Input)
    editor.focus()
    await pilot.press("home", "ctrl+k", *text)
    await wait_for(pilot, lambda: editor.value == text, f"{path} reads {text}")


def fields(screen: FormScreen) -> dict[str, Field]:
    return {field.knob.path: field for field in screen.query(Field)}


async def test_every_field_of_the_config_is_there_in_its_order(root: Path) -> None:
    async with make_app(root).run_test(size=LARGE) as pilot:
        screen = await open_form(pilot)
        assert list(fields(screen)) == list(knobs("adam"))


async def test_a_change_is_started_under_its_name(root: Path) -> None:
    app = make_app(root)
    async with app.run_test(size=LARGE) as pilot:
        screen = await open_form(pilot)
        await write(pilot, "training.epochs", "5")
        await wait_to_see(pilot, "• preset 30")
        await write(pilot, "network.hidden_sizes", "32")
        await wait_to_see(pilot, "• preset 64-64", "2,410 parameters")
        screen.query_one("#name", Input).value = "mine"
        await pilot.press("ctrl+s")
        await wait_for_screen(pilot, "RunScreen")
        (run,) = list_runs(root)
        assert launcher_of(app).started == [run]
        record = read_record(run)
        changes = {"training.epochs": 5, "network.hidden_sizes": (32,)}
        assert record.config == change(load("digits").config, changes)
        assert (record.name, record.preset) == ("mine", "digits")
        await pilot.press("escape")
        await wait_for_screen(pilot, "HomeScreen")


async def test_a_wrong_value_keeps_start_off_and_says_why(root: Path) -> None:
    app = make_app(root)
    async with app.run_test(size=LARGE) as pilot:
        screen = await open_form(pilot)
        await write(pilot, "training.epochs", "0")
        await write(pilot, "training.seed", "x")
        await wait_to_see(pilot, "network", "training  ! 2", "training.epochs: 0 is below", "(and 1 more)")
        assert screen.query_one("#start", Button).disabled
        await pilot.press("ctrl+s")
        await wait_for(pilot, lambda: len(app._notifications), "the reason, again")
        assert app.screen is screen
        assert list(list_runs(root)) == []
        assert fields(screen)["training.epochs"].query_one(Input).value == "0"
        await write(pilot, "training.epochs", "3")
        await write(pilot, "training.seed", "1")
        await wait_for(pilot, lambda: not screen.query_one("#start", Button).disabled, "start is on")
        await pilot.click("#start")
        await wait_for_screen(pilot, "RunScreen")


async def test_a_name_that_is_none_keeps_start_off(root: Path) -> None:
    async with make_app(root).run_test(size=LARGE) as pilot:
        screen = await open_form(pilot)
        start, name = screen.query_one("#start", Button), screen.query_one("#name", Input)
        for bad in ("", "../x", "-rf", "a/b", "x" * 61):
            name.value = bad
            await wait_for(pilot, lambda: start.disabled, "start is off")
            await wait_to_see(pilot, "is not a name")
            name.value = "good"
            await wait_for(pilot, lambda: not start.disabled, "start is on")


async def test_another_optimizer_brings_its_own_fields(root: Path) -> None:
    app = make_app(root)
    async with app.run_test(size=LARGE) as pilot:
        screen = await open_form(pilot)
        fields(screen)["optimizer.name"].query_one(Choice).focus()
        await pilot.press(*["left"] * 4)
        await wait_to_see(pilot, "momentum", "• preset adam")
        assert list(fields(screen)) == list(knobs("sgd"))
        await write(pilot, "optimizer.momentum", "0.9")
        await pilot.press("f5")
        await wait_for_screen(pilot, "RunScreen")
        (run,) = list_runs(root)
        assert read_record(run).config.optimizer.model_dump() == {
            "name": "sgd",
            "learning_rate": 0.01,
            "momentum": 0.9,
            "nesterov": False,
            "dampening": 0.0,
        }


async def test_help_follows_the_focus(root: Path) -> None:
    async with make_app(root).run_test(size=LARGE) as pilot:
        await open_form(pilot)
        await write(pilot, "optimizer.learning_rate", "0.1")
        knob = knobs("adam")["optimizer.learning_rate"]
        await wait_to_see(pilot, knob.help, f"lower ↓ {knob.lower}", f"higher ↑ {knob.higher}")
        await pilot.press("backspace", "x")
        await wait_for(pilot, lambda: "lower ↓" not in seen(pilot), "the error instead of the hint")


async def test_data_that_is_absent_keeps_start_off(root: Path) -> None:
    async with make_app(root).run_test(size=LARGE) as pilot:
        screen = await open_form(pilot)
        fields(screen)["data.name"].query_one(Choice).focus()
        await pilot.press("right")

        fields(screen)["data.split"].query_one(Choice).choose("auto")
        await wait_to_see(pilot, "mnist is not on this machine", "data fetch mnist", "784 → 64")
        assert screen.query_one("#start", Button).disabled


async def test_groups_are_a_way_to_their_first_field(root: Path) -> None:
    async with make_app(root).run_test(size=(80, 24)) as pilot:
        screen = await open_form(pilot)
        screen.query_one("#groups").focus()
        await pilot.press("end", "enter")
        await wait_for(pilot, lambda: fields(screen)["checkpoints.every_epochs"].has_focus_within, "the field")
        await wait_to_see(pilot, "last seconds")


@pytest.mark.parametrize("key", ["down", "enter"])
async def test_a_key_leads_through_every_field(root: Path, key: str) -> None:
    async with make_app(root).run_test(size=(80, 24)) as pilot:
        screen = await open_form(pilot)
        shown = [field for field in fields(screen).values() if field.display]
        for field in shown[:-1]:
            assert field.has_focus_within, field.knob.path
            await pilot.press(key)
        assert shown[-1].has_focus_within


async def test_letters_are_text_while_typing_and_esc_goes_home(root: Path) -> None:
    app = make_app(root)
    async with app.run_test(size=LARGE) as pilot:
        screen = await open_form(pilot)
        screen.query_one("#name", Input).focus()
        await pilot.press("end", *"q?xs")
        assert screen.query_one("#name", Input).value == "digitsq?xs"
        assert app.screen is screen
        await pilot.press("escape")
        await wait_for_screen(pilot, "HomeScreen")
        assert list(list_runs(root)) == []


async def test_a_click_chooses_a_word(root: Path) -> None:
    async with make_app(root).run_test(size=LARGE) as pilot:
        screen = await open_form(pilot)
        gain = fields(screen)["network.init_gain"].query_one(Choice)
        await pilot.click(gain, offset=(len(" published ") + 2, 0))
        await wait_for(pilot, lambda: gain.value == "activation", "the second word is chosen")
        await wait_to_see(pilot, "• preset publ")
        crowded = fields(screen)["network.activation"].query_one(Choice)
        await pilot.click(crowded)
        await wait_for(pilot, lambda: crowded.value == "leaky_relu", "the next of words that do not fit")
