"""The person's settings: their screen, their file, their keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input, OptionList

from tests.dashboard import LARGE, FakeRun, make_app, seen, wait_for, wait_for_screen, wait_to_see
from tui_trainer.text import InputError
from tui_trainer.ui import keymap, settings
from tui_trainer.ui.settings import Settings


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings of this test alone."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return settings.settings_file()


async def test_a_choice_holds_at_once_and_is_saved(tmp_path: Path, file: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        await pilot.press("comma")
        await wait_to_see(pilot, "strong light", "checkpoint panel", 'in the file: theme = "trainer-dark"')
        await pilot.press("right")
        await wait_for(pilot, lambda: app.theme == "trainer-light", "the light theme")
        await wait_to_see(pilot, 'in the file: theme = "trainer-light"')
        await pilot.press("down", "down", "down", "right")
        await wait_for(pilot, lambda: app.slow_link, "slow link")
        app.screen.query_one("#commands", OptionList).focus()
        await wait_to_see(pilot, 'in the file: keys."everywhere.help"')
    assert settings.load() == (Settings(theme="trainer-light", slow_link="on"), [])
    assert file.is_file()


async def test_an_action_is_put_on_another_key_unless_that_is_taken(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        await pilot.press("comma")
        await wait_for_screen(pilot, "SettingsScreen")
        await wait_to_see(pilot, "everywhere")
        pilot.app.screen.query_one("#commands", OptionList).focus()
        await pilot.press("enter")
        await wait_to_see(pilot, "Press the key for help")
        await pilot.press("q")
        await wait_to_see(pilot, "q is taken: everywhere, leave")
        await pilot.press("9")
        await wait_for_screen(pilot, "SettingsScreen")
        await pilot.press("escape")
        await wait_for_screen(pilot, "HomeScreen")
        await wait_to_see(pilot, "9 help")
        await pilot.press("9")
        await wait_for_screen(pilot, "HelpScreen")
    assert settings.load()[0].keys == {"everywhere.help": "9"}


async def test_charts_begin_with_the_smoothing_that_is_set(tmp_path: Path, file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_text("smoothing = 0.9\n")
    fake = FakeRun(tmp_path / "runs").take().start().train(1, 2).finish()
    app = make_app(tmp_path / "runs", fake.run)
    app.settings = settings.load()[0]
    async with app.run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "✓ finished", "smooth 0.9")
        await pilot.press("plus")
        await wait_to_see(pilot, "smooth 0.95")
    assert settings.load() == (Settings(smoothing="0.9"), [])


async def test_the_columns_of_all_runs_stay_as_they_were_chosen(tmp_path: Path) -> None:
    FakeRun(tmp_path / "runs").take().start().train(1).finish()
    async with make_app(tmp_path / "runs").run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "✓ finished")
        await pilot.press("a")
        await wait_to_see(pilot, "best val")
        await pilot.press("o")
        await wait_for_screen(pilot, "ColumnsScreen")
        await pilot.press("down", "down", "space", "enter")
        await wait_for(pilot, lambda: "best val" not in seen(pilot), "one column less")
    again = make_app(tmp_path / "runs")
    again.settings, _ = settings.load()
    async with again.run_test(size=LARGE) as pilot:
        await pilot.press("a")
        await wait_for_screen(pilot, "RunsScreen")
        await wait_to_see(pilot, "digits", "epoch")
        assert "best val" not in seen(pilot)


async def test_keys_are_letters_while_somebody_types(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    app.settings = Settings(keys={"everywhere.leave": "z"})
    async with app.run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "digits", "z leave")
        await pilot.press("slash", "z", "comma", "question_mark", "g")
        await wait_for(pilot, lambda: app.screen.query_one("#filter", Input).value == "z,?g", "what was typed")
        assert app.is_running
        assert type(app.screen).__name__ == "HomeScreen"


async def test_a_file_that_cannot_be_read_is_told_and_never_replaced(tmp_path: Path, file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_text("theme = [")
    found, problems = settings.load()
    assert found == Settings()
    app = make_app(tmp_path)
    app.problems = problems
    async with app.run_test(size=LARGE, notifications=True) as pilot:
        await wait_to_see(pilot, "defaults")
        app.change_setting("theme", "trainer-light")
        await wait_to_see(pilot, "nothing")
    assert file.read_text() == "theme = ["
    with pytest.raises(InputError, match=r"settings\.toml: cannot be read"):
        settings.save(found)


def test_what_is_wrong_in_the_file_is_named(file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_text(
        'them = "x"\nnotify = 3\ncolumns = "epoch"\ncharts = 3\n'
        '[keys]\n"everywhere.hlep" = "z"\n"everywhere.leave" = 1\n'
    )
    found, problems = settings.load()
    assert problems == [
        f"{file}: them: there is no such setting (did you mean 'theme'?)",
        f"{file}: notify: '3' is none of off, bell, osc9, both",
        f'{file}: columns: must be names of fields, as ["status", "test_accuracy"]',
        f'{file}: charts: must be words of titles, as "loss accuracy"',
        f'{file}: keys.everywhere.leave: must be keys joined by commas, as "p,space"',
    ]
    assert keymap.unknown(found.keys) == [
        "keys.everywhere.hlep: there is no such action (did you mean 'everywhere.help'?)"
    ]


def test_saving_keeps_the_persons_comments(file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_text('# mine\ntheme = "trainer-light" # at noon\n')
    settings.save(Settings(theme="trainer-mono"))
    assert file.read_text().startswith('# mine\ntheme = "trainer-mono" # at noon\n')


async def test_the_footer_keeps_what_leads_on_where_there_is_little_room(tmp_path: Path) -> None:
    async with make_app(tmp_path).run_test(size=(48, 24)) as pilot:
        await wait_to_see(pilot, "q leave", "? help", "enter start")
        assert "guide" not in seen(pilot).splitlines()[-1]
