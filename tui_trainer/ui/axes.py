"""Axes that seldom move: limits and ticks on round numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

ROUND = (1.0, 2.0, 5.0, 10.0)
SMALLEST = 1e-300  # arithmetic ends near the least of floats
STAGES = (1.0, 1.5, 2.0, 3.0, 5.0, 8.0)


@dataclass(frozen=True)
class Axis:
    """Limits, and the ticks between them as (position, label)."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]


def round_up(value: float, steps: Iterable[float] = ROUND) -> float:
    """The least of `steps` × 10ⁿ that is not below a positive `value`."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (*steps, 10.0) if step * power >= value * (1 - 1e-9))


def linear(low: float, high: float, count: int) -> Axis:
    """A linear axis that holds low … high, with about `count` ticks at most."""
    size = max(abs(low), abs(high))
    if not high - low > max(size * 1e-9, SMALLEST):  # nothing between them could be told apart
        high = low + (size if size > SMALLEST else 1.0) * 0.1
    step = round_up((high - low) / max(count - 1, 1))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    decimals = max(0, -math.floor(math.log10(step)))
    ticks = tuple((i * step, label(i * step, decimals)) for i in range(first, last + 1))
    return Axis(first * step, last * step, ticks)


def label(value: float, decimals: int) -> str:
    """Fixed; where that would be long as `2.5e-5`, `150k` or `1.2M`."""
    for limit, size, unit in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if limit <= abs(value) < 1e12:
            return f"{value / size:g}{unit}"
    if not value:
        return "0"
    if decimals <= 3 and abs(value) < 1e4:
        return f"{value:.{decimals}f}"
    digits, _, power = f"{value:.1e}".partition("e")
    return f"{digits.removesuffix('.0')}e{int(power)}"


def logarithmic(low: float, high: float, count: int) -> Axis:
    """An axis of log10 positions that holds low … high, both positive; limits are 1, 2 or 5 × 10ⁿ."""
    ends = [math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)]
    grid = [step * 10.0**power for power in range(ends[0] - 1, ends[1] + 1) for step in (1, 2, 5)]
    first = max((value for value in grid if value <= low * 1.0001), default=low)
    last = min(value for value in [*grid, 10.0 ** (ends[1] + 1)] if value >= high * 0.9999 and value > first)
    inside = [value for value in grid if first <= value <= last]
    decades = [value for value in inside if abs(math.log10(value) - round(math.log10(value))) < 1e-9]
    if len(inside) > count and len(decades) >= 2:
        every = -(-len(decades) // count)
        inside = decades[::every]
    labels = [f"{value:.3g}" for value in inside]
    if any("e" in words for words in labels):  # one notation for all
        labels = [_as_power(value) for value in inside]
    places = [math.log10(value) for value in inside]
    return Axis(math.log10(first), math.log10(last), tuple(zip(places, labels, strict=True)))


def _as_power(value: float) -> str:
    """`2e-6`; `2` where the power is none."""
    digits, _, power = f"{value:.0e}".partition("e")
    return f"{digits}e{int(power)}" if int(power) else digits


def decades(low: float, high: float, count: int) -> Axis:
    """An axis of log10 positions with these limits, ticks at 1, 2, 5 × 10ⁿ, or fewer: at most `count`."""
    powers = range(math.floor(low), math.ceil(high) + 1)
    for steps in ((1, 2, 5), (1,)):
        found = [step * 10**power for power in powers for step in steps]
        ticks = [(math.log10(value), label(value, 0)) for value in found if low <= math.log10(value) <= high]
        if len(ticks) <= count:
            break
    return Axis(low, high, tuple(ticks[:: max(1, -(-len(ticks) // count))]))


def stage(progress: float, total: float) -> float:
    """Where an axis ends that grows with a run: at one of few places, so that it moves some ten times in all.

    At `total` at the latest, unless there is more already, and never below 1.
    """
    if progress <= 0:
        return 1.0
    return max(min(max(total, progress), round_up(progress, STAGES)), 1.0)


def epochs(progress: float, total: int, width: int) -> Axis:
    """Whole epochs, from 0 to the stage that a run has reached."""
    high = stage(progress, total)
    return between(0.0, high, max(1.0, round_up(high / max(width // 10, 2))), lambda place: f"{place:.0f}")


def between(low: float, high: float, step: float, name: Callable[[float], str]) -> Axis:
    """An axis with these limits, and a tick at each multiple of `step` between them."""
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return Axis(low, high, tuple((i * step, name(i * step)) for i in range(first, last + 1)))
