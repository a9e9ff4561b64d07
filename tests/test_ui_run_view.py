"""How the run screen shows a run: charts, panels, sizes, colours, help."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.dashboard import (
    LARGE,
    live_run,
    open_on,
    seen,
    wait_for,
    wait_for_screen,
    wait_to_see,
)
from tui_trainer.runs import events
from tui_trainer.runs.commands import Save
from tui_trainer.ui.widgets.chart import Chart


async def test_the_loss_can_be_logarithmic_and_smooth(root: Path) -> None:
    with live_run(root, trained=8) as fake:
        fake.metrics(8.5, loss=0.00123)
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running", "y log")
            assert "0.01" not in drawn(pilot, "loss")
            accuracy = drawn(pilot, "accuracy")
            await pilot.press("y")
            await wait_for(pilot, lambda: "0.01" in drawn(pilot, "loss"), "a tick of a logarithmic axis")
            assert drawn(pilot, "accuracy") == accuracy
            sharp = drawn(pilot, "loss")
            await pilot.press("plus", "plus", "plus")
            await wait_to_see(pilot, "smooth 0.9")
            assert drawn(pilot, "loss") != sharp
            await pilot.press("minus", "minus", "minus", "minus")
            await wait_for(pilot, lambda: drawn(pilot, "loss") == sharp, "no smoothing")


def drawn(pilot: Pilot[str], chart: str) -> str:
    rows = pilot.app.screen.query_one(f"#{chart}", Chart).rows
    return "\n".join("".join(text for text, _ in row) for row in rows)


async def test_a_chart_repaints_only_what_changed(root: Path) -> None:
    with live_run(root, epochs=8, trained=6) as fake:
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running")
            chart = pilot.app.screen.query_one("#loss", Chart)
            await wait_for(pilot, lambda: chart.rows and not pilot.app.screen._dirty_widgets, "the first drawing")
            repainted: list[int] = []
            real = chart.render_line

            def note(y: int) -> object:
                repainted.append(y)
                return real(y)

            chart.render_line = note  # type: ignore[method-assign, assignment]
            before = list(chart.rows)
            fake.metrics(6.5, loss=0.2)
            await wait_for(pilot, lambda: chart.rows != before and repainted, "a new drawing")
            assert set(repainted) == {y for y, row in enumerate(chart.rows) if row != before[y]}
            assert len(set(repainted)) <= 3


async def test_narrow_terminals_show_one_chart_at_a_time(root: Path) -> None:
    with live_run(root) as fake:
        async with open_on(fake).run_test(size=(80, 24)) as pilot:
            await wait_to_see(pilot, "▶ running", "loss  ⠒⠒", "epoch  0", "q leave")
            assert "accuracy %" not in seen(pilot)
            await pilot.press("right_square_bracket")
            await wait_to_see(pilot, "accuracy %", "100┤")
            assert "loss  ⠒⠒" not in seen(pilot)
            await pilot.press("left_square_bracket")
            await wait_to_see(pilot, "loss  ⠒⠒")


async def test_one_panel_can_have_all_the_room(root: Path) -> None:
    with live_run(root) as fake:
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "accuracy %", "epoch 3  train")
            await pilot.press("m")
            await wait_for(pilot, lambda: "accuracy %" not in seen(pilot), "the loss alone")
            assert "epoch 3  train" not in seen(pilot)
            await pilot.press("right_square_bracket")
            await wait_to_see(pilot, "accuracy %")
            assert "loss  ⠒⠒" not in seen(pilot)
            await pilot.press("escape")
            await wait_to_see(pilot, "accuracy %", "loss  ⠒⠒", "epoch 3  train")


async def test_the_smallest_view_has_what_matters(root: Path) -> None:
    with live_run(root) as fake:
        async with open_on(fake).run_test(size=(20, 5)) as pilot:
            await wait_to_see(pilot, "▶ running", "epoch 3/10", "val 90.30 %")


async def test_help_lists_every_key_of_the_screen(root: Path) -> None:
    with live_run(root) as fake:
        async with open_on(fake).run_test(size=(120, 60)) as pilot:
            await wait_to_see(pilot, "▶ running")
            await pilot.press("question_mark")
            await wait_to_see(pilot, "p space", "Write a checkpoint that stays", "smoother", "esc closes", "q ^q")
            await pilot.press("escape")
            await wait_for_screen(pilot, "RunScreen")


async def test_the_palette_has_the_actions(root: Path) -> None:
    with live_run(root) as fake:
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running")
            await pilot.press("ctrl+p")
            await wait_for_screen(pilot, "CommandPalette")
            await pilot.press(*"save")
            await wait_to_see(pilot, "save (s)")
            await pilot.press("enter")
            await wait_for(pilot, lambda: [type(c) for c in fake.commands] == [Save], "a wish to save")


async def test_states_are_told_without_colour(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    with live_run(root) as fake:
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running", "train", "val")
            strips = pilot.app.screen._compositor.render_strips()
            styles = [segment.style for strip in strips for segment in strip if segment.style]
            colours = [style.color.get_truecolor() for style in styles if style.color]
            assert all(colour.red == colour.green == colour.blue for colour in colours)


async def test_a_light_theme_can_be_chosen(root: Path) -> None:
    with live_run(root) as fake:
        app = open_on(fake)
        async with app.run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running")
            app.theme = "textual-light"
            await pilot.pause()
            await wait_to_see(pilot, "▶ running", "loss  ⠒⠒")


async def test_the_log_wraps_to_the_room_there_is(root: Path) -> None:
    with live_run(root) as fake:
        fake.write(
            events.Log(
                level="warning", message="a warning of some words that needs more than one line when it is narrow"
            )
        )
        async with open_on(fake).run_test(size=(160, 40)) as pilot:
            await wait_to_see(pilot, "! a warning of some words that needs more than one line when it")
            await pilot.resize_terminal(80, 24)
            await wait_for(pilot, lambda: "words that needs" not in seen(pilot), "the log is wrapped")
            await wait_to_see(pilot, "! a warning of some words")
            await pilot.resize_terminal(160, 40)
            await wait_to_see(pilot, "! a warning of some words that needs more than one line when it")
