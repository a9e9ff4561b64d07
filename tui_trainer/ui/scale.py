"""What the x axis of a run's charts counts: epochs, steps, steps on a log10 axis, or the time trained."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from tui_trainer.runs.state import RunState
from tui_trainer.text import duration
from tui_trainer.ui import axes

Unit = Literal["epochs", "steps", "log steps", "time"]
UNITS: tuple[Unit, ...] = ("epochs", "steps", "log steps", "time")
LABELS: dict[Unit, str] = {"epochs": "epoch", "steps": "step", "log steps": "step", "time": "time"}
SECONDS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
POINTS = 400  # of the time after each step: as many as an axis has dots


class Scale:
    """Places on the axis for steps of one run, and back."""

    def __init__(self, state: RunState, unit: Unit) -> None:
        self.unit = unit
        self.per_epoch = state.steps_per_epoch
        self.steps: list[int] = []
        self.seconds: list[float] = []
        if unit == "time":
            measured = {bucket.step: bucket.high for bucket in state.series["seconds"].buckets(POINTS)}
            known = {0: 0.0} | measured | {state.step: state.seconds}
            self.steps, self.seconds = sorted(known), [known[step] for step in sorted(known)]

    def places(self, steps: Sequence[float]) -> list[float]:
        if self.unit == "steps":
            return list(steps)
        if self.unit == "epochs":
            return [step / self.per_epoch for step in steps]
        if self.unit == "log steps":
            return [math.log10(max(step, 1.0)) for step in steps]
        import numpy as np

        interpolated: list[float] = np.interp(steps, self.steps, self.seconds).tolist()
        return interpolated

    def place(self, step: float) -> float:
        return self.places([step])[0]

    def step(self, place: float) -> float:
        """Of a place; the last step of the run where it lies after that in time."""
        if self.unit == "steps":
            return place
        if self.unit == "epochs":
            return place * self.per_epoch
        if self.unit == "log steps":
            return float(10.0**place)
        import numpy as np

        return float(np.interp(place, self.seconds, self.steps))

    def axis(self, low: float, high: float, columns: int) -> axes.Axis:
        """From one place to another, a label at most every ten columns."""
        if not high > low:
            high = low + 1.0
        if self.unit == "log steps":
            return axes.decades(low, high, max(columns // 10, 2))
        least = (high - low) / max(columns // 10, 2)
        step = axes.round_up(least)
        if self.unit == "time":
            step = next((seconds for seconds in SECONDS if seconds >= least), step)
        elif low == 0:  # whole epochs; only a window may be narrower
            step = max(step, 1.0)
        decimals = max(0, -math.floor(math.log10(step)))
        return axes.between(low, high, step, lambda place: self._label(place, high, decimals))

    def _label(self, place: float, high: float, decimals: int) -> str:
        if self.unit != "time":
            return axes.label(place, decimals)
        return f"{place:g} s" if high < 120 else duration(place) if place else "0"

    def words(self, step: float) -> str:
        """A step as the axis counts it."""
        if self.unit in ("steps", "log steps"):
            return f"step {step:,.0f}"
        return f"epoch {step / self.per_epoch:.2f}" if self.unit == "epochs" else duration(self.place(step))
