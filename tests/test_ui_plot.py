"""Charts: always the room they are given, every float survived, lines and dots in the same place, quiet axes."""

import math
from pathlib import Path

import pytest
from textual.geometry import Size

from tests.dashboard import FakeRun
from tui_trainer.runs.follow import load
from tui_trainer.runs.state import RunState
from tui_trainer.ui import axes
from tui_trainer.ui.curves import picture
from tui_trainer.ui.overlay import Trace, overlay
from tui_trainer.ui.plot import Band, Curve, Drawing, Mark, Picture
from tui_trainer.ui.rows import Row

AXES = axes.epochs(10, 10, 60), axes.linear(0, 1, 5)


def of(*curves: Curve, marks: tuple[Mark, ...] = ()) -> Picture:
    return Picture(curves, marks, *AXES, "epoch")


def draw(drawing: Drawing, width: int, height: int, ascii_only: bool = False) -> list[Row]:
    return drawing.at(width, height).draw(ascii_only)


def text(rows: list[Row]) -> list[str]:
    return ["".join(piece for piece, _ in row) for row in rows]


FALLING = Curve("train", [i / 10 for i in range(100)], [math.exp(-i / 30) for i in range(100)])


@pytest.mark.parametrize("width", [1, 5, 12, 13, 40, 200])
@pytest.mark.parametrize("height", [1, 3, 4, 5, 30])
def test_a_picture_fills_its_room_exactly(width: int, height: int) -> None:
    rows = text(draw(of(FALLING, marks=(Mark("best", "★", 5, 0.2),)), width, height))
    assert [len(row) for row in rows] == [width] * height


@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan, 1.7e308, -1.7e308])
def test_values_that_plotext_cannot_draw_are_left_out(bad: float) -> None:
    spoiled = Curve("train", [*FALLING.xs, 10.0], [*FALLING.ys, bad])
    assert draw(of(spoiled), 60, 12) == draw(of(FALLING), 60, 12)


def test_a_picture_without_points_has_its_axes() -> None:
    rows = text(draw(of(), 60, 12))
    assert rows[-1].startswith("epoch")
    assert "10" in rows[-1]
    assert "1.0" in "".join(rows)


def test_plain_terminals_get_plain_characters() -> None:
    marks = (Mark("best", "★", 5, 0.2), Mark("saved", "◆", 3), Mark("changed", "▲", 7))
    dotted = Curve("validation", FALLING.xs, FALLING.ys, glyph="●")
    rows = text(draw(of(FALLING, dotted, marks=marks), 60, 12, ascii_only=True))
    assert "".join(rows).isascii()
    assert "o" in "".join(rows)


@pytest.mark.parametrize("height", [0.0, 0.1, 0.37, 0.5, 0.83, 1.0])
def test_dots_and_marks_lie_on_their_line(height: float) -> None:
    level = Curve("validation", [0, 5, 10], [height] * 3, glyph="●")
    rows = text(draw(of(level, marks=(Mark("best", "★", 5, height),)), 60, 14))
    drawn = [row for row in rows[:-2] if any("⠀" <= c <= "⣿" or c in "●★" for c in row)]
    assert len(drawn) == 1
    assert "●" in drawn[0]
    assert "★" in drawn[0]


def test_each_curve_keeps_its_style() -> None:
    low = Curve("validation", [0, 10], [0.1, 0.1])
    high = Curve("train", [0, 10], [0.9, 0.9])
    styles = [
        {style for piece, style in row if any("⠀" <= c <= "⣿" for c in piece)} for row in draw(of(low, high), 60, 14)
    ]
    assert [s for s in styles if s] == [{"train"}, {"validation"}]


def test_a_line_of_one_point_is_a_glyph() -> None:
    (row,) = [row for row in text(draw(of(Curve("train", [5], [0.5])), 60, 14)) if "○" in row]
    assert not any("⠀" < character <= "⣿" for character in row)
    assert "○" not in "".join(text(draw(of(FALLING), 60, 14)))


def test_curves_that_lie_together_take_turns() -> None:
    alike = [Curve(f"series{n}", [2, 4, 6, 8], [0.5] * 4, glyph, n / 3) for n, glyph in enumerate("●▲■")]
    seen = [character for character in "".join(text(draw(of(*alike), 60, 14))) if character in "●▲■"]
    assert seen == ["■", "▲", "●", "■"]  # the one on top first


def test_one_more_point_changes_few_rows() -> None:
    before = draw(of(Curve("train", FALLING.xs[:-1], FALLING.ys[:-1])), 80, 20)
    after = draw(of(FALLING), 80, 20)
    assert 1 <= sum(a != b for a, b in zip(before, after, strict=True)) <= 2


def test_the_epoch_axis_holds_all_and_moves_seldom() -> None:
    limits = [axes.epochs(step / 50, 100, 60).high for step in range(5001)]
    assert all(limit >= step / 50 for step, limit in enumerate(limits))
    assert limits[-1] == 100
    assert len(set(limits)) <= 15


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 0), (97.3, 97.31), (1e-9, 2e-9), (0, 1e12), (-3, 5)])
def test_linear_axes_hold_their_values(low: float, high: float) -> None:
    axis = axes.linear(low, high, 5)
    assert axis.low <= low <= high <= axis.high
    assert 2 <= len(axis.ticks) <= 7
    assert len({label for _, label in axis.ticks}) == len(axis.ticks)


@pytest.mark.parametrize(("low", "high"), [(1e-8, 3), (0.05, 0.09), (1, 1), (0.002, 2.3), (1e-300, 1e300)])
def test_logarithmic_axes_hold_their_values(low: float, high: float) -> None:
    axis = axes.logarithmic(low, high, 6)
    assert 10**axis.low <= low * 1.001
    assert 10**axis.high >= high * 0.999
    assert axis.ticks


def test_a_logarithmic_axis_has_one_notation() -> None:
    assert [label for _, label in axes.logarithmic(1e-6, 10, 4).ticks] == ["1e-6", "1e-4", "1e-2", "1"]
    assert [label for _, label in axes.logarithmic(0.01, 1, 3).ticks] == ["0.01", "0.1", "1"]


@pytest.mark.parametrize("loss", [0.0, -1.0, math.inf, math.nan])
@pytest.mark.parametrize("log", [False, True])
def test_a_diverging_run_is_drawn(tmp_path: Path, loss: float, log: bool) -> None:
    fake = FakeRun(tmp_path).start().train(1, 2)
    fake.metrics(2.5, loss=0.3).metrics(3.0, loss=loss)
    shown = picture(load(fake.run), "loss", Size(60, 14), log=log)
    assert isinstance(shown, Picture)
    assert math.isfinite(shown.y.low)
    assert math.isfinite(shown.y.high)
    assert [len(row) for row in text(draw(shown, 60, 14))] == [60] * 14


def test_accuracy_is_in_percent_and_marks_are_where_they_belong(tmp_path: Path) -> None:
    fake = FakeRun(tmp_path).start().train(1, 2, 3)
    fake.save(2)
    shown = picture(load(fake.run), "accuracy", Size(60, 14))
    assert isinstance(shown, Picture)
    validation = next(curve for curve in shown.curves if curve.style == "validation")
    assert list(validation.xs) == [1, 2, 3]
    assert validation.ys == pytest.approx([90.1, 90.2, 90.3])
    assert {(mark.glyph, mark.x) for mark in shown.marks} == {("★", 3.0), ("◆", 2.0)}


def seeds(root: Path, *runs: list[float], epochs: int = 10) -> tuple[RunState, ...]:
    """States of runs that have reached these validation accuracies."""
    found = []
    for accuracies in runs:
        fake = FakeRun(root, epochs=epochs).start()
        for epoch, accuracy in enumerate(accuracies, 1):
            fake.train(epoch, accuracy=accuracy - epoch / 1000)  # which `train` adds
        found.append(load(fake.run))
    return tuple(found)


def test_seeds_become_their_mean_with_a_band_of_one_sample_deviation(root: Path) -> None:
    states = seeds(root, [0.5, 0.6, 0.7], [0.7, 0.8], [0.6, 0.7])
    shown = overlay([Trace("a", 0, states)], "val_accuracy", Size(60, 14))
    curve = next(curve for curve in shown.curves if curve.glyph)
    assert list(curve.xs) == [1, 2, 3]
    assert curve.ys == pytest.approx([60, 70, 70])  # the third of the one seed that got there
    (band,) = shown.bands
    assert list(band.xs) == [1, 2]
    assert band.lows == pytest.approx([50, 60])
    assert band.highs == pytest.approx([70, 80])


def test_one_seed_has_no_band(root: Path) -> None:
    assert overlay([Trace("a", 0, seeds(root, [0.5, 0.6]))], "val_accuracy", Size(60, 14)).bands == ()


def test_traces_differ_without_colour_and_the_chosen_one_lies_on_top(root: Path) -> None:
    states = seeds(root, [0.5, 0.6])
    traces = [Trace(f"row-{n}", n, states) for n in range(16)]
    assert len({(trace.colour, trace.glyph()) for trace in traces}) == 16
    assert len({trace.glyph() for trace in traces[:8]}) == len({trace.glyph(True) for trace in traces[:8]}) == 8
    shown = overlay(traces[:8], "val_accuracy", Size(60, 14), chosen="row-2")
    assert shown.curves[-1].style == "series2+chosen"
    assert {curve.style for curve in shown.curves} == {*(f"series{n}" for n in (0, 1, 3, 4, 5, 6, 7)), "series2+chosen"}


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1.7e308])
@pytest.mark.parametrize("log", [False, True])
def test_seeds_that_diverge_are_drawn_as_far_as_numbers_go(root: Path, bad: float, log: bool) -> None:
    states = seeds(root, [0.5, 0.6], [0.5, 0.6])
    states[0].epochs_done[1].val_loss = bad
    shown = overlay([Trace("a", 0, states)], "val_loss", Size(60, 14), log=log)
    assert [len(row) for row in text(draw(shown, 60, 14))] == [60] * 14


def test_a_band_shades_the_cells_between_its_lines_and_nothing_else() -> None:
    curve = Curve("series0", [0, 10], [0.5, 0.5])
    band = Band("band0", [0, 10], [0.26, 0.26], [0.74, 0.74])
    rows = draw(Picture((curve,), (), *AXES, "epoch", (band,)), 60, 22)
    shaded = [y for y, row in enumerate(rows) if any(style.startswith("band0") for _, style in row)]
    assert shaded == list(range(5, 15))  # of twenty rows the middle half
    assert any(style == "band0+series0" for row in rows for _, style in row)
    assert text(rows) == text(draw(Picture((curve,), (), *AXES, "epoch"), 60, 22))
