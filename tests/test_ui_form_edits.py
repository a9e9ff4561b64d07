"""The form as an editor: undo, reset, go to a field, save as a preset, take along as a command."""

import shlex
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.dashboard import LARGE, make_app, screen_of, wait_for, wait_for_screen, wait_to_see
from tests.test_ui_form import open_form, write
from tui_trainer import config, presets
from tui_trainer.runs.directory import Start
from tui_trainer.ui.messages import Fork
from tui_trainer.ui.screens.command import CommandScreen
from tui_trainer.ui.screens.form import command_line
from tui_trainer.ui.widgets.choice import Choice


async def test_edits_are_undone_redone_and_reset(root: Path) -> None:
    async with make_app(root).run_test(size=LARGE) as pilot:
        screen = await open_form(pilot)
        await write(pilot, "optimizer.learning_rate", "0.02")
        optimizer = screen.fields.find("optimizer.name")
        assert optimizer
        optimizer.query_one(Choice).focus()
        await pilot.press("left")
        await wait_to_see(pilot, "rho", "2 changes", "optimizer  adam → adadelta")
        await pilot.press("ctrl+z")
        await wait_to_see(pilot, "betas", "1 change", "learning rate  0.001 → 0.02")
        assert optimizer.value == "adam" and optimizer.has_focus_within
        await pilot.press("ctrl+z")
        await wait_for(pilot, lambda: screen.verdict.config == presets.load("digits").config, "the preset again")
        await pilot.press("ctrl+y")
        await wait_to_see(pilot, "learning rate  0.001 → 0.02")
        await pilot.press("f8")
        await wait_for(pilot, lambda: screen.verdict.config == presets.load("digits").config, "the preset's rate")
        await pilot.press("ctrl+z")
        await wait_to_see(pilot, "learning rate  0.001 → 0.02")


async def test_a_field_is_found_by_a_part_of_its_name_or_of_its_help(root: Path) -> None:
    async with make_app(root).run_test(size=(80, 24)) as pilot:
        screen = await open_form(pilot)
        await pilot.press("ctrl+g")
        await wait_for_screen(pilot, "GoToScreen")
        await pilot.press(*"nowhere")
        await wait_to_see(pilot, "! no field has these words")
        pilot.app.screen.query_one(Input).value = "seed"
        await wait_to_see(pilot, "enter goes there", "training")
        await pilot.press("enter")
        await wait_for_screen(pilot, "FormScreen")
        field = screen.fields.find("training.seed")
        await wait_for(pilot, lambda: field and field.has_focus_within, "the field has the focus")
        await pilot.press("ctrl+g")
        await wait_for_screen(pilot, "GoToScreen")
        await pilot.press(*"L2", "enter")  # a word of its help
        await wait_for_screen(pilot, "FormScreen")
        field = screen.fields.find("regularization.weight_decay")
        await wait_for(pilot, lambda: field and field.has_focus_within, "the field has the focus")


def test_the_command_of_a_fork_leads_from_the_run_as_it_is_now_to_what_the_form_says() -> None:
    digits = presets.load("digits")
    now = config.apply(digits.config, ["learning_rate=0.5", "epochs=40"])  # changed after the checkpoint
    fork = Fork(
        "run", now, 1, 40, Start("2026-run", Path("/x/checkpoints/e0001-s000040.safetensors"), "continue"), Path()
    )
    wanted = config.apply(digits.config, ["optimizer=sgd", "momentum=0.9"])
    words = shlex.split(command_line(digits, wanted, "run-fork", fork))
    assert words[:3] == ["tui-trainer", "fork", "2026-run"]
    assert words[-4:] == ["--checkpoint", "e0001-s000040.safetensors", "--name", "run-fork"]
    assert config.apply(now, words[4:-4:2]) == wanted


def test_a_file_typed_before_another_data_set_was_chosen_is_not_in_the_command() -> None:
    digits = presets.load("digits")
    wanted = config.apply(digits.config, ["file=own.csv", "epochs=3"])
    assert command_line(digits, wanted, "digits", None) == "tui-trainer train digits --set epochs=3"


async def test_a_form_is_kept_as_a_preset_and_taken_along_as_a_command(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presets, "own_folder", lambda: tmp_path / "presets")
    presets.save("mine", presets.load("digits").config, "")
    async with make_app(root).run_test(size=LARGE) as pilot:
        screen = await open_form(pilot)
        await write(pilot, "network.hidden_sizes", "800-800-800")
        await wait_for(pilot, lambda: screen.verdict.config, "a sound config")
        wanted = screen.verdict.config
        assert wanted and wanted.network.hidden_sizes == (800, 800, 800)
        await pilot.press("f3")
        await wait_for_screen(pilot, "CommandScreen")
        shown = screen_of(pilot, CommandScreen).command
        await wait_to_see(pilot, "tui-trainer train digits --set hidden_sizes=800-800-800", "copied")
        assert pilot.app.clipboard == shown
        assert config.apply(presets.load("digits").config, shlex.split(shown)[4::2]) == wanted
        await pilot.press("escape", "f2")
        await wait_for_screen(pilot, "SavePresetScreen")
        pilot.app.screen.query_one("#preset-name", Input).value = "../mine"
        await pilot.press("enter")
        await wait_to_see(pilot, "is not a name")
        pilot.app.screen.query_one("#preset-name", Input).value = "mine"
        await wait_to_see(pilot, "enter saves")
        await pilot.press("enter")
        await wait_to_see(pilot, "enter again replaces it")
        await pilot.press("enter")
        await wait_for_screen(pilot, "FormScreen")
        saved = presets.load("yours/mine")
        assert saved.config == wanted and saved.summary == "digits with hidden_sizes=800-800-800"
        await pilot.press("escape")
        await wait_to_see(pilot, "yours", "mine")
