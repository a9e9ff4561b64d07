"""How far a piece of long work is, how fast it goes, and how long it still takes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from tui_trainer.text import duration, size

WINDOW_SECONDS = 10.0
"""The rate is that of the last moments: work that stalls or hurries is told as it is now."""
LEAST_SECONDS = 0.5
"""A rate measured over less is noise."""


class Progress:
    """Fed with `done` and `of`, in `unit`, as jobs tell them; everything else follows from when they came."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.done = 0.0
        self.of = 0.0
        self.unit = ""
        self._seen: deque[tuple[float, float]] = deque()

    def take(self, told: Mapping[str, Any]) -> None:
        """A job's line of progress; another unit, or less done than before, begins another part of the work."""
        done, of, unit = float(told["done"]), float(told["of"]), str(told["unit"])
        if unit != self.unit or done < self.done:
            self._seen.clear()
        self.done, self.of, self.unit = done, of, unit
        now = self.clock()
        self._seen.append((now, done))
        while now - self._seen[0][0] > WINDOW_SECONDS and len(self._seen) > 2:
            self._seen.popleft()

    @property
    def fraction(self) -> float:
        """Of the work, in [0, 1]; 0 where nobody knows how much there is."""
        return min(self.done / self.of, 1.0) if self.of > 0 else 0.0

    @property
    def rate(self) -> float | None:
        """Units a second; None before there is enough to tell."""
        if not self._seen:
            return None
        (began, first), (last, done) = self._seen[0], self._seen[-1]
        return (done - first) / (last - began) if last - began >= LEAST_SECONDS else None

    @property
    def seconds_left(self) -> float | None:
        return (self.of - self.done) / self.rate if self.rate and self.of > 0 else None

    def parts(self) -> list[str]:
        """What a line says beside its bar, the most important first; what is not known is left out."""
        if not self.unit:
            return ["starting"]
        amount = f"{self._amount(self.done)} of {self._amount(self.of, unit=True)}" if self.of else ""
        said = [amount or self._amount(self.done, unit=True)]
        if self.seconds_left is not None:
            said.append(f"{duration(self.seconds_left)} left")
        if self.rate:
            said.append(f"{self._amount(self.rate)}{'' if self.unit == 'bytes' else f' {self.unit}'}/s")
        return said

    def _amount(self, value: float, unit: bool = False) -> str:
        if self.unit == "bytes":
            return size(value)
        number = f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"
        return f"{number} {self.unit}" if unit else number
