"""Charts: always the room they are given, every float survived, lines and dots in the same place, quiet axes."""

import math
from pathlib import Path

import pytest
from textual.geometry import Size

from tests.dashboard import FakeRun
from tui_trainer.runs.follow import load
from tui_trainer.ui import axes
from tui_trainer.ui.curves import picture
from tui_trainer.ui.plot import Curve, Mark, Picture, Row, draw

AXES = axes.epochs(10, 10, 60), axes.linear(0, 1, 5)


def of(*curves: Curve, marks: tuple[Mark, ...] = ()) -> Picture:
    return Picture(curves, marks, *AXES, "epoch")


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
    dotted = Curve("validation", FALLING.xs, FALLING.ys, dotted=True)
    rows = text(draw(of(FALLING, dotted, marks=marks), 60, 12, ascii_only=True))
    assert "".join(rows).isascii()
    assert "o" in "".join(rows)


@pytest.mark.parametrize("height", [0.0, 0.1, 0.37, 0.5, 0.83, 1.0])
def test_dots_and_marks_lie_on_their_line(height: float) -> None:
    level = Curve("validation", [0, 5, 10], [height] * 3, dotted=True)
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


@pytest.mark.parametrize("loss", [0.0, -1.0, math.inf, math.nan])
@pytest.mark.parametrize("log", [False, True])
def test_a_diverging_run_is_drawn(tmp_path: Path, loss: float, log: bool) -> None:
    fake = FakeRun(tmp_path).start().train(1, 2)
    fake.metrics(2.5, loss=0.3).metrics(3.0, loss=loss)
    shown = picture(load(fake.run), "loss", Size(60, 14), log=log)
    assert math.isfinite(shown.y.low)
    assert math.isfinite(shown.y.high)
    assert [len(row) for row in text(draw(shown, 60, 14))] == [60] * 14


def test_accuracy_is_in_percent_and_marks_are_where_they_belong(tmp_path: Path) -> None:
    fake = FakeRun(tmp_path).start().train(1, 2, 3)
    fake.save(2)
    shown = picture(load(fake.run), "accuracy", Size(60, 14))
    validation = next(curve for curve in shown.curves if curve.style == "validation")
    assert list(validation.xs) == [1, 2, 3]
    assert validation.ys == pytest.approx([90.1, 90.2, 90.3])
    assert {(mark.glyph, mark.x) for mark in shown.marks} == {("★", 3.0), ("◆", 2.0)}
