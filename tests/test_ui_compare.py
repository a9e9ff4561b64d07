"""Runs side by side: marked on the home screen, or a run with its parent."""

from pathlib import Path

import pytest

from tests.dashboard import (
    LARGE,
    FakeRun,
    live_run,
    make_app,
    seen,
    wait_for,
    wait_for_screen,
    wait_to_see,
)
from tui_trainer.runs import directory
from tui_trainer.ui.screens.compare import CompareScreen
from tui_trainer.ui.screens.run import RunScreen


def finished(root: Path, preset: str, name: str, accuracy: float) -> FakeRun:
    return FakeRun(root, preset, epochs=3, name=name).take().start().train(1, 2, 3, accuracy=accuracy).finish(accuracy)


async def test_marked_runs_are_laid_side_by_side(root: Path) -> None:
    finished(root, "digits", "first", 0.90)
    finished(root, "evaluation-report/setting-1", "second", 0.95)
    finished(root, "digits", "third", 0.80)
    app = make_app(root)
    async with app.run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "first", "second", "third")
        lines = seen(pilot).splitlines()
        places = [
            next(i for i, line in enumerate(lines) if f"finished    {name}" in line) for name in ("first", "second")
        ]
        top = next(i for i, line in enumerate(lines) if "finished" in line)
        await pilot.press("tab", "home", "space", "up", "c")
        await wait_for(pilot, lambda: len(app._notifications), "one run is not enough")
        await pilot.press("space")
        for place in places:
            await pilot.press("home", *["down"] * (place - top), "space")
        await wait_to_see(pilot, "● ✓ finished    first", "▲ ✓ finished    second")
        await pilot.press("home", "c")
        await wait_for_screen(pilot, "CompareScreen")
        await wait_to_see(pilot, "Compare 2 runs", "● first", "▲ second", "adadelta", "validation accuracy %")
        assert "third" not in seen(pilot)
        await wait_to_see(pilot, "90.00 %", "95.00 % (+5.00 points)")
        assert "training.epochs" not in seen(pilot)  # the same in both
        await pilot.press("right_square_bracket", "right_square_bracket")
        await wait_to_see(pilot, "training accuracy %")
        await pilot.press("escape")
        await wait_for_screen(pilot, "HomeScreen")


async def test_a_narrow_comparison_shows_whole_columns_and_the_chosen_one(root: Path) -> None:
    names = [f"number-{word}" for word in ("one", "two", "three", "four")]
    runs = [finished(root, "digits", name, 0.9 + number / 100).run for number, name in enumerate(names)]
    app = make_app(root)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_screen(pilot, "HomeScreen")
        app.push_screen(CompareScreen(runs))
        await wait_to_see(pilot, "Compare 4 runs  ✓ finished", "● number-one")

        def titles() -> str:
            return seen(pilot).splitlines()[2]

        assert titles().rstrip().endswith("›") and titles().split() == ["●", "number-one", "▲", "number-two", "›"]
        await pilot.press("right", "right")
        await wait_for(pilot, lambda: "■ number-three" in titles(), "the chosen run")
        assert "‹" in titles() and "›" in titles() and "number-one" not in titles()
        await wait_to_see(pilot, "■ numb…three", "◆ numb…-four")  # above the chart, where there is less room
        assert "best epoch" in seen(pilot)  # what the numbers are stays


async def test_a_live_run_in_a_comparison_is_followed_and_can_be_opened(root: Path) -> None:
    finished(root, "digits", "over", 0.90)
    with live_run(root, trained=2) as fake:
        app = make_app(root)
        async with app.run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running", "✓ finished")
            await pilot.press("tab", "space", "space", "c")
            await wait_to_see(pilot, "Compare 2 runs", "90.20 %")
            fake.train(3, 4)
            await wait_to_see(pilot, "90.40 %")
            screen = app.screen
            assert isinstance(screen, CompareScreen)
            await pilot.press(
                *["right"] * screen.followers.index(next(f for f in screen.followers if f.run == fake.run))
            )
            await pilot.press("enter")
            await wait_for_screen(pilot, "RunScreen")
            assert isinstance(app.screen, RunScreen)
            assert app.screen.run_directory == fake.run
            await pilot.press("escape")
            await wait_to_see(pilot, "Compare 2 runs")


async def test_a_fork_is_compared_with_its_parent(root: Path) -> None:
    parent = finished(root, "digits", "parent", 0.90)
    file = parent.save(3)
    start = directory.Start(parent.run.id, file, "continue")
    child = directory.create(root, parent.config, "child", "digits", root / "no-data", start)
    app = make_app(root, child)
    async with app.run_test(size=LARGE) as pilot:
        await wait_for_screen(pilot, "RunScreen")
        await wait_to_see(pilot, "child")
        await wait_to_see(pilot, "⠒○⠒ parent")  # over its charts from the first
        await pilot.press("c")
        await wait_to_see(pilot, "Compare 2 runs  ✓ finished 1  ! interrupted 1", "● parent", "▲ child", "stems from")
        await pilot.resize_terminal(80, 24)
        await wait_for(pilot, lambda: "stems from" not in seen(pilot), "less room")
        await wait_to_see(pilot, "✓ finished 1  ! interrupted 1")


async def test_a_run_without_a_parent_says_how_to_compare(root: Path) -> None:
    fake = finished(root, "digits", "alone", 0.90)
    app = make_app(root, fake.run)
    async with app.run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "✓ finished")
        await pilot.press("c")
        await wait_for(pilot, lambda: len(app._notifications), "a hint")
        assert "space marks runs" in next(iter(app._notifications)).message


@pytest.mark.parametrize("size", [(20, 5), (80, 24), (200, 60)])
async def test_foreign_names_are_literal_at_every_size(root: Path, size: tuple[int, int]) -> None:
    runs = [finished(root, "digits", name, 0.9) for name in ("one", "two")]
    for fake in runs:
        text = fake.run.config_file.read_text().replace('name = "', 'name = "[red]\\u001b[2J', 1)
        fake.run.config_file.write_text(text)
    app = make_app(root)
    async with app.run_test(size=size) as pilot:
        await wait_for_screen(pilot, "HomeScreen")
        app.push_screen(CompareScreen([fake.run for fake in runs]))
        await wait_to_see(pilot, "Compare 2 runs")
        assert "\x1b" not in seen(pilot)
        if size[1] > 5:
            await wait_to_see(pilot, "[red][2Jone", "[red][2Jtwo")
