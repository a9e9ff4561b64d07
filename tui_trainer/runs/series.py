"""Measured quantities over steps, and neighbouring points drawn as one."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import NamedTuple


class Bucket(NamedTuple):
    """Several neighbouring points of a series as one: where they end, their least, mean and greatest value."""

    step: int
    low: float
    mean: float
    high: float


@dataclass
class Series:
    """One measured quantity over steps, every point kept."""

    steps: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))
    full: dict[int, list[Bucket]] = field(default_factory=dict, repr=False, compare=False)
    """By the points in each: the full buckets from the first point on, as far as they have been asked for."""

    def append(self, step: int, value: float) -> None:
        self.steps.append(step)
        self.values.append(value)

    def rewind(self, step: int) -> None:
        """Forget every point after `step`."""
        kept = bisect_right(self.steps, step)
        del self.steps[kept:], self.values[kept:]
        self.full.clear()

    def buckets(self, count: int, first: int = 0, last: int | None = None) -> list[Bucket]:
        """The points with first ≤ step ≤ last as at most `count` buckets, for a chart about that many dots wide.

        A bucket holds a power of two of points and begins at a multiple of it, so that a new point changes the last
        bucket only, and a chart that has drawn the others need not draw them again.
        """
        begin = bisect_right(self.steps, first - 1)
        end = len(self.steps) if last is None else bisect_right(self.steps, last)
        points = 1
        while -(-end // points) - begin // points > count:
            points *= 2
        if begin or points == 1 or end < len(self.steps):
            return self._reduce(begin, end, points)
        known = self.full.setdefault(points, [])
        known += self._reduce(len(known) * points, end - end % points, points)
        return known + self._reduce(len(known) * points, end, points)

    def _reduce(self, begin: int, end: int, points: int) -> list[Bucket]:
        """The points from one index to before another, as buckets; all NaN where one of them is."""
        found = []
        for at in range(begin - begin % points, end, points):
            last = min(at + points, end)
            values = self.values[max(at, begin) : last]
            mean = sum(values) / len(values)
            low, high = (math.nan, math.nan) if math.isnan(mean) else (min(values), max(values))
            found.append(Bucket(self.steps[last - 1], low, mean, high))
        return found
