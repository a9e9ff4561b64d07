"""A run's charts: six quantities of any numbers, what x counts, windows, the cursor, honest legends."""

import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from textual.geometry import Size
from textual.pilot import Pilot

from tests.dashboard import (
    LARGE,
    FakeRun,
    live_run,
    make_app,
    open_on,
    seen,
    started,
    wait_for,
    wait_for_screen,
    wait_to_see,
)
from tui_trainer import presets
from tui_trainer.runs import events
from tui_trainer.runs.fold import fold
from tui_trainer.runs.state import RunState
from tui_trainer.ui.curves import QUANTITIES, Other, picture
from tui_trainer.ui.plot import Picture
from tui_trainer.ui.readings import readings
from tui_trainer.ui.scale import UNITS
from tui_trainer.ui.settings import load as load_settings
from tui_trainer.ui.view import View, span
from tui_trainer.ui.widgets.chart import Chart

NUMBERS = some.one_of(
    some.floats(),
    some.floats(0, 3),
    some.sampled_from([0.0, -1.0, math.nan, math.inf, -math.inf, 1e-300, 1.7e308]),
)


def trained(*values: float) -> RunState:
    """A state whose every quantity took these values, an epoch each."""
    state = RunState("run", presets.load("digits").config)
    fold(state, started(steps_per_epoch=40))
    for epoch, value in enumerate(values, 1):
        common: dict[str, Any] = {"epoch": epoch, "step": 40 * epoch, "learning_rate": value}
        common["images_per_second"] = value
        seconds = float(epoch)
        fold(state, events.Metrics(loss=value, accuracy=value, gradient_norm=value, seconds=seconds, **common))
        losses: dict[str, Any] = {
            "train_loss": value,
            "train_accuracy": value,
            "val_loss": -value,
            "val_accuracy": value,
        }
        spent: dict[str, Any] = {"training_seconds": 0.9, "evaluation_seconds": 0.08, "saving_seconds": 0.02}
        fold(state, events.Epoch(seconds=seconds, **common, **losses, **spent))
    return state


@settings(max_examples=40, deadline=None)
@given(
    values=some.lists(NUMBERS, max_size=60),
    name=some.sampled_from(list(QUANTITIES)),
    size=some.tuples(some.integers(1, 130), some.integers(1, 40)),
    log=some.booleans(),
    smoothing=some.sampled_from([0.0, 0.9]),
    unit=some.sampled_from(UNITS),
    recent=some.booleans(),
    zooms=some.integers(0, 12),
    ascii_only=some.booleans(),
)
def test_any_numbers_fill_their_room_exactly(
    values: list[float],
    name: str,
    size: tuple[int, int],
    log: bool,
    smoothing: float,
    unit: str,
    recent: bool,
    zooms: int,
    ascii_only: bool,
) -> None:
    state = trained(*values)
    view = View(unit=unit, recent=recent, until=40.0)  # type: ignore[arg-type]
    for _ in range(zooms):
        view = view.zoom(state, 0.5).pan(state, 0.25)
    view = view.point(state, 60.0)
    others = [Other("other", 0, trained(*values[::2]))]
    drawing = picture(state, name, Size(*size), log, smoothing, view, others)
    rows = drawing.at(*size).draw(ascii_only)
    assert ["".join(text for text, _ in row).isascii() for row in rows] == [True] * size[1] or not ascii_only
    assert [sum(len(text) for text, _ in row) for row in rows] == [size[0]] * size[1]
    assert readings(state, name, view.cursor or 0.0, view.unit, others)


def test_the_gap_is_validation_minus_training() -> None:
    shown = picture(trained(-0.5, -0.25), "gap", Size(60, 14))
    assert isinstance(shown, Picture)
    assert list(shown.curves[0].ys) == [1.0, 0.5]


def test_a_logarithmic_axis_shows_the_first_steps_as_finely_as_the_last() -> None:
    state = trained(*[1.0] * 200)  # a mean each forty steps
    shown = picture(state, "loss", Size(60, 14), view=View(unit="log steps"))
    assert isinstance(shown, Picture)
    xs = shown.curves[0].xs
    assert list(xs) == sorted(xs)
    assert [place for place in xs if place < 2.5] == pytest.approx([math.log10(40 * n) for n in range(1, 8)])
    assert [words for _, words in shown.x.ticks] == ["1", "10", "100", "1000"]


def test_windows_stay_inside_the_run_and_follow_the_cursor() -> None:
    state = trained(*[1.0] * 100)
    view = View().zoom(state, 0.5)
    assert span(state, view) == (1000, 3000)
    assert span(state, view.pan(state, -9)) == (0, 2000)
    assert span(state, view.pan(state, 9)) == (2000, 4000)
    assert span(state, view.point(state, 3900.0)) == (2000, 4000)
    assert view.zoom(state, 2.0).whole
    low, high = span(state, View(recent=True))
    assert low <= 0.85 * state.step
    assert state.step <= high
    assert View().point(state, 1e9).cursor == state.step


def drawn(pilot: Pilot[str], chart: str) -> str:
    rows = pilot.app.screen.query_one(f"#{chart}", Chart).rows
    return "\n".join("".join(text for text, _ in row) for row in rows)


async def test_the_axis_counts_what_is_asked_for_and_the_cursor_reads_every_curve(root: Path) -> None:
    with live_run(root, epochs=20, trained=8) as fake:
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running", "epoch  0")
            await pilot.press("u")
            await wait_for(pilot, lambda: "\nstep  " in drawn(pilot, "loss"), "steps on the axis")
            await pilot.press("u")
            await wait_for(
                pilot, lambda: re.search(r"step +1 +10 +100 ", drawn(pilot, "loss")), "powers of ten on the axis"
            )
            await pilot.press("u")
            await wait_for(pilot, lambda: "8 s" in drawn(pilot, "loss"), "time on the axis")
            await pilot.press("u", "v")
            await wait_to_see(pilot, "epoch 8.00", "train 0.1111", "val 0.1500", "val 90.80 %", "esc leaves")
            whole = drawn(pilot, "loss")
            await pilot.press("z")
            await wait_for(pilot, lambda: drawn(pilot, "loss") != whole, "half of it")
            await pilot.press("left")
            await wait_to_see(pilot, "epoch 7.9")
            await pilot.press("0", "escape")
            await wait_to_see(pilot, "★ best")
            assert "esc leaves" not in seen(pilot)
            assert drawn(pilot, "loss").splitlines()[1:] != whole.splitlines()[1:]  # no line of the cursor
            await pilot.click("#loss", offset=(20, 5))
            await wait_to_see(pilot, "esc leaves")


async def test_a_large_terminal_shows_all_six(root: Path) -> None:
    with live_run(root) as fake:
        async with open_on(fake).run_test(size=(200, 60)) as pilot:
            await wait_to_see(pilot, "loss  ⠒⠒", "accuracy %", "learning rate", "gradient norm", "images/s", "gap: val")


async def test_a_run_without_numbers_says_that_it_waits(root: Path) -> None:
    fake = FakeRun(root).take()
    async with open_on(fake).run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "◌ starting", "waiting for the first numbers")
    fake.release()


async def test_a_legend_shows_the_glyphs_of_the_plot(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    with live_run(root, trained=6) as fake:
        fake.save(2)
        fake.write(events.Applied(id="1", command="set", epoch=4, step=160, changes={"optimizer.learning_rate": 0.5}))
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "* best", "x saved", "^ changed")
            (legend, *plot) = drawn(pilot, "loss").splitlines()
            assert all(glyph in "".join(plot) for glyph in "*x^o")
            assert legend.isascii()


def charts_in_sight(pilot: Pilot[str]) -> list[str | None]:
    return [chart.id for chart in pilot.app.screen.query(Chart) if chart.display]


async def test_charts_are_chosen_by_words_as_they_are_typed(root: Path) -> None:
    with live_run(root) as fake:
        async with make_app(root, fake.run).run_test(size=(160, 50)) as pilot:
            await wait_to_see(pilot, "running", "loss", "learning rate")
            everything = charts_in_sight(pilot)
            wide = pilot.app.screen.query_one("#accuracy", Chart).size.width
            await pilot.press("g", *"ZZZ")
            await wait_to_see(pilot, "no such chart: all")
            assert charts_in_sight(pilot) == everything
            await pilot.press(*["backspace"] * 3, *"AcC", "space", *"norm")
            await wait_to_see(pilot, "2 of 6")
            await wait_for(pilot, lambda: charts_in_sight(pilot) == ["accuracy", "gradient"], "two charts")
            await wait_for(pilot, lambda: pilot.app.screen.query_one("#accuracy", Chart).size.width > wide, "more room")
            await pilot.press("enter", "right_square_bracket", "right_square_bracket", "right_square_bracket")
            assert pilot.app.focused is pilot.app.screen.query_one("#gradient")
            assert charts_in_sight(pilot) == ["accuracy", "gradient"]
            await pilot.press("m")
            await wait_for(pilot, lambda: charts_in_sight(pilot) == ["gradient"], "maximised")
            await pilot.press("m", "g", *"acc")  # in place of the words before
            await wait_to_see(pilot, "1 of 6")
            await wait_for(pilot, lambda: charts_in_sight(pilot) == ["accuracy"], "the chart that was current is gone")
            await pilot.press("escape")
            await wait_for(pilot, lambda: charts_in_sight(pilot) == everything, "all again")
            await wait_for_screen(pilot, "RunScreen")
            await pilot.press("g", "enter")
            await wait_for(pilot, lambda: isinstance(pilot.app.focused, Chart), "nothing typed, nothing left open")
            await pilot.press("escape")
            await wait_for_screen(pilot, "HomeScreen")


async def test_the_boundary_alone_has_no_cursor_to_lose(root: Path) -> None:
    with live_run(root, preset="xor/xor-mlp") as fake:
        fake.bound(3)
        async with make_app(root, fake.run).run_test(size=(80, 24)) as pilot:
            await wait_to_see(pilot, "running")
            await pilot.press("g", *"bound", "enter")
            await wait_to_see(pilot, "decision boundary", "1 of 7")
            await pilot.press("v", "right", "v", "right_square_bracket")
            assert charts_in_sight(pilot) == ["boundary"]
            await pilot.press("g", *"[/x\u202e")
            await wait_to_see(pilot, "no such chart")


async def test_rewind_shows_chosen_charts_too(root: Path) -> None:
    with live_run(root) as fake:
        async with make_app(root, fake.run).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "running")
            await pilot.press("b")
            await wait_for_screen(pilot, "RewindScreen")
            await pilot.press("g", *"images", "enter")
            await wait_for(pilot, lambda: charts_in_sight(pilot) == ["throughput"], "one chart")
            await pilot.press("left", "g", "escape")
            await wait_for(pilot, lambda: len(charts_in_sight(pilot)) > 1, "all again")
            await wait_for_screen(pilot, "RewindScreen")


async def test_the_choice_of_charts_stays_until_it_is_taken_back(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    fake = FakeRun(root).take().start().train(1, 2).finish()
    async with open_on(fake).run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "✓ finished")
        await pilot.press("g", *"norm")
        await wait_to_see(pilot, "enter keep  esc show all")
        await pilot.press("enter", "escape")
        await wait_for_screen(pilot, "HomeScreen")
        await wait_to_see(pilot, "✓ finished")
        await pilot.press("tab", "enter")
        await wait_to_see(pilot, "norm", "1 of 6 charts, g changes")
        assert charts_in_sight(pilot) == ["gradient"]
    again = open_on(fake)
    again.settings, _ = load_settings()
    async with again.run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "✓ finished", "1 of 6 charts")
        assert charts_in_sight(pilot) == ["gradient"]
        await pilot.press("g", "escape")
        await wait_for(pilot, lambda: len(charts_in_sight(pilot)) > 1, "all again")
    assert load_settings()[0].charts == ""
