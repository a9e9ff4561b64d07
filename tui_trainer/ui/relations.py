"""Pictures of a study that are not over epochs: a measure against a field, and the way between two rows' weights."""

from __future__ import annotations

import math
from collections.abc import Sequence

from textual.geometry import Size

from tui_trainer.studies.definition import Line
from tui_trainer.studies.measures import measure
from tui_trainer.studies.results import Estimate, Group, across, between, is_logarithmic
from tui_trainer.studies.results.estimate import Analyses
from tui_trainer.ui import axes
from tui_trainer.ui.draw import GUTTER
from tui_trainer.ui.palette import CURVES
from tui_trainer.ui.plot import Band, Curve, Picture
from tui_trainer.ui.rows import glyph


def against(found: Sequence[Group], name: str, size: Size) -> Picture:
    """A curve for each group; numbers far apart on a logarithmic axis, words one beside the other."""
    points = [point for group in found for point in group.points]
    numbers = [number for number, _, _ in points if number is not None]
    columns = max(size.width - GUTTER, 1)
    if not points or len(numbers) < len(points):
        words = list(dict.fromkeys(text for _, text, _ in points))
        places = {text: float(place) for place, text in enumerate(words)}
        x = axes.Axis(-0.5, max(len(words) - 0.5, 0.5), tuple((float(i), w[:12]) for i, w in enumerate(words)))
    elif is_logarithmic(numbers):
        places = {text: math.log10(number or 1.0) for number, text, _ in points}
        x = axes.logarithmic(min(numbers), max(numbers), max(columns // 10, 2))
    else:
        places = {text: number or 0.0 for number, text, _ in points}
        x = axes.linear(min(numbers), max(numbers), max(columns // 10, 2))
    scale = 100.0 if measure(name).unit == "%" else 1.0
    curves, bands = [], []
    for number, group in enumerate(found):
        ordered = sorted((places[text], ours) for _, text, ours in group.points)
        xs = [place for place, _ in ordered]
        lines = _lines([ours for _, ours in ordered], scale)
        curves.append(Curve(f"series{number % CURVES}", xs, lines[1], glyph(number)))
        if any(ours.deviation for _, ours in ordered):
            bands.append(Band(f"band{number % CURVES}", xs, lines[0], lines[2]))
    return Picture(tuple(curves), (), x, _heights(curves, bands, size), "", tuple(bands))


def way(wanted: Line, analyses: Analyses, quantity: str, size: Size) -> Picture:
    """`loss` or `accuracy` of training and test set along w(α) = α·w₂ + (1 − α)·w₁, mean and ± sd over seeds."""
    found = between(wanted, analyses)
    scale = 100.0 if quantity == "accuracy" else 1.0
    curves, bands = [], []
    for number, part in enumerate(("train", "test") if found else ()):
        lines = _lines(across(found, f"{part}_{quantity}"), scale)
        xs = list(found[0]["alpha"])
        curves.append(Curve(f"series{number}", xs, lines[1], glyph(number) if number else ""))
        if len(found) > 1:
            bands.append(Band(f"band{number}", xs, lines[0], lines[2]))
    columns = max(size.width - GUTTER, 1)
    x = axes.linear(wanted.low, wanted.high, max(columns // 10, 2))
    return Picture(tuple(curves), (), x, _heights(curves, bands, size), "α", tuple(bands))


def _lines(estimates: Sequence[Estimate], scale: float) -> tuple[list[float], list[float], list[float]]:
    """Mean − sd, mean, mean + sd."""
    spreads = [(ours.mean, ours.deviation or 0.0) for ours in estimates]
    return (
        [scale * (mean - spread) for mean, spread in spreads],
        [scale * mean for mean, _ in spreads],
        [scale * (mean + spread) for mean, spread in spreads],
    )


def _heights(curves: Sequence[Curve], bands: Sequence[Band], size: Size) -> axes.Axis:
    """A linear axis that holds every curve and band."""
    values = [y for curve in curves for y in curve.ys] + [y for band in bands for y in (*band.lows, *band.highs)]
    finite = [value for value in values if abs(value) < 1e12] or [0.0, 1.0]
    return axes.linear(min(finite), max(finite), min(max(size.height // 3, 3), 7))
