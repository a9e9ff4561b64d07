"""The table of all runs: found, sorted, noted on, taken away and brought back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from textual.pilot import Pilot

from tests.dashboard import (
    FakeRun,
    launcher_of,
    live_run,
    make_app,
    screen_of,
    seen,
    wait_for,
    wait_for_screen,
    wait_to_see,
)
from tests.studies import live_study
from tui_trainer.runs import directory, events, notes
from tui_trainer.runs.directory import Run
from tui_trainer.runs.listing import Summary
from tui_trainer.runs.summaries import Summaries
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.columns import column
from tui_trainer.ui.recent import RecentRuns
from tui_trainer.ui.screens.runs import RunsScreen
from tui_trainer.ui.widgets.run_table import RunTable
from tui_trainer.ui.words import without_moment

NAMES = ("first", "second", "third")


def three(root: Path) -> list[FakeRun]:
    """Finished runs with accuracies of 50, 70 and 60 per cent."""
    accuracies = (0.5, 0.7, 0.6)
    return [
        FakeRun(root, name=name).take().start().train(1, accuracy=accuracy).finish()
        for name, accuracy in zip(NAMES, accuracies, strict=True)
    ]


@asynccontextmanager
async def table_of(root: Path, *words: str, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Pilot[str]]:
    """The screen, open from home, once these words are seen on it."""
    app = make_app(root)
    async with app.run_test(size=size) as pilot:
        await wait_for_screen(pilot, "HomeScreen")
        await pilot.press("a")
        await wait_for_screen(pilot, "RunsScreen")
        await wait_to_see(pilot, *words)
        yield pilot


def order(pilot: Pilot[str]) -> list[str]:
    """Names of the runs as they are listed."""
    return [row.name for row in screen_of(pilot, RunsScreen).table.rows]


async def type_line(pilot: Pilot[str], text: str) -> None:
    await wait_for_screen(pilot, "AskLineScreen")
    keys = {"+": "plus", "-": "minus", " ": "space"}
    await pilot.press(*(keys.get(letter, letter) for letter in text), "enter")
    await wait_for_screen(pilot, "RunsScreen")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_filter_counts_as_it_is_typed_and_names_what_is_wrong(root: Path, size: tuple[int, int]) -> None:
    three(root)
    async with table_of(root, "3 runs", "third", size=size) as pilot:
        await pilot.press("slash", *"second")
        await wait_to_see(pilot, "1 of 3 runs")
        assert order(pilot) == ["second"]
        await pilot.press(*["backspace"] * 6, *"epoc", "equals_sign", "1")
        await wait_to_see(pilot, "no run has a field 'epoc' (did you mean 'epoch'?)")
        await wait_to_see(pilot, "enter keep  esc show all")
        await pilot.press("escape")
        await wait_for(pilot, lambda: len(order(pilot)) == 3, "all runs again")
        await pilot.press("escape")
        await wait_for_screen(pilot, "HomeScreen")


async def test_columns_are_chosen_and_sort_the_table(root: Path) -> None:
    three(root)
    async with table_of(root, "third") as pilot:
        title = seen(pilot).splitlines()[1].index("best val")
        await pilot.click(RunTable, offset=(title + 1, 0))
        await wait_for(pilot, lambda: order(pilot) == ["second", "third", "first"], "the best first")
        assert " ▾ best val" in seen(pilot)
        await pilot.press("S")
        await wait_for(pilot, lambda: order(pilot) == ["first", "third", "second"], "the worst first")
        await pilot.press("o")
        await wait_for_screen(pilot, "ColumnsScreen")
        await pilot.press("space", "end", "space", "enter")
        await wait_for_screen(pilot, "RunsScreen")
        await wait_for(pilot, lambda: "state" not in seen(pilot).splitlines()[1], "one column less")
        assert "training." not in seen(pilot).splitlines()[1]


async def test_runs_are_noted_archived_deleted_and_every_change_taken_back(root: Path) -> None:
    runs = [fake.run for fake in three(root)]
    async with table_of(root, "third") as pilot:
        screen = screen_of(pilot, RunsScreen)
        screen.table.cursor = order(pilot).index("second")
        await pilot.press("t")
        await type_line(pilot, "debug seed-1")
        await wait_to_see(pilot, "debug seed-1")
        await pilot.press("n")
        await type_line(pilot, "as printed")
        await wait_to_see(pilot, "as printed")
        await pilot.press("a")
        await wait_to_see(pilot, "2 of 3 runs", "1 archived")
        assert "second" not in [run.name for run in RecentRuns(root).refresh()]
        await pilot.press("d")
        await wait_for_screen(pilot, "AskScreen")
        await pilot.press("d")
        await wait_to_see(pilot, "1 of 2 runs")
        assert len(list(directory.list_runs(root))) == 2
        await pilot.press("ctrl+z")
        await wait_to_see(pilot, "2 of 3 runs")
        await pilot.press("ctrl+z")
        await wait_for(pilot, lambda: len(order(pilot)) == 3, "no run is archived")
        await pilot.press("ctrl+z", "ctrl+z")
        await wait_for(pilot, lambda: notes.read(runs[1]) == notes.Notes(), "no notes")
        await pilot.press("ctrl+z")
        await wait_for(pilot, lambda: "nothing to take back" in str([n.message for n in pilot.app._notifications]), "")


async def test_runs_are_compared_resumed_and_opened_and_a_live_one_stays(root: Path) -> None:
    stopped = three(root)[0].write(events.State(status="stopped"))
    with live_run(root) as fake:
        async with table_of(root, "running") as pilot:
            screen = screen_of(pilot, RunsScreen)
            screen.table.cursor = order(pilot).index("digits")
            await pilot.press("d")
            await wait_for_screen(pilot, "AskScreen")
            await pilot.press("d")
            await wait_for_screen(pilot, "RunsScreen")
            await wait_for(pilot, lambda: len(pilot.app._notifications), "why not")
            assert fake.run.path.is_dir()
            screen.table.cursor = 0
            await pilot.press("space", "space")
            await wait_to_see(pilot, "2 marked")
            await pilot.press("c")
            await wait_to_see(pilot, "Compare 2 runs")
            await pilot.press("escape")
            await wait_for_screen(pilot, "RunsScreen")
            screen.table.cursor = order(pilot).index("first")
            await pilot.press("r")
            await wait_for_screen(pilot, "RunScreen")
            assert isinstance(pilot.app, TrainerApp)
            assert [run.id for run in launcher_of(pilot.app).started] == [stopped.run.id]
            await pilot.press("escape")
            await wait_for_screen(pilot, "RunsScreen")


async def test_no_runs_and_unreadable_ones_are_told(root: Path) -> None:
    async with table_of(root, "No runs yet"):
        pass
    broken = three(root)[0].run
    broken.config_file.write_text("[run\n")
    async with table_of(root, "? unreadable", "cannot be read", size=(80, 24)) as pilot:
        assert len(order(pilot)) == 3 and seen(pilot).splitlines()[0].startswith(" 3 runs  ")
        assert f"  {without_moment(broken.id)} " in seen(pilot)
        screen_of(pilot, RunsScreen).table.cursor = order(pilot).index(broken.id)
        await wait_to_see(pilot, f" {broken.id} · config.toml: cannot be read: ", "line 1, column")


async def test_seeds_of_one_row_are_told_apart(root: Path) -> None:
    with live_study(root, seeds=2) as fake:
        for seed in (0, 1):
            fake.finish("middling", seed)
        async with table_of(root, "middling-seed-0", "middling-seed-1", size=(80, 24)):
            pass


@pytest.mark.parametrize(
    ("epoch", "epochs", "words"), [(3, 30, "3/30"), (9576, 20_000, "9576/20k"), (20_000, 20_000, "20k/20k")]
)
def test_many_epochs_are_shortened_not_cut(root: Path, epoch: int, epochs: int, words: str) -> None:
    summary = Summary(Run(root / "2026-11-20-a"), "a", "running", epoch=epoch, epochs=epochs)
    assert column("epoch").text(summary) == words and len(words) <= column("epoch").width


async def test_of_thousands_of_runs_only_what_is_seen_is_made(root: Path) -> None:
    facts: dict[str, Any] = {"checkpoints": [], "best_epoch": None}
    rows = [Summary(Run(root / f"2026-11-20-run-{i:04}"), f"run-{i:04}", "finished", facts=facts) for i in range(3000)]
    with (
        mock.patch.object(Summaries, "refresh", lambda _: rows),
        mock.patch.object(RunTable, "_row", autospec=True, side_effect=RunTable._row) as made,
    ):
        async with table_of(root, "3,000 runs", "run-0000") as pilot:
            await pilot.press("end")
            await wait_to_see(pilot, "run-2999")
            await pilot.press("slash", *"run-15")
            await wait_to_see(pilot, "100 of 3,000 runs", "run-1500")
    assert made.call_count < len(rows)
