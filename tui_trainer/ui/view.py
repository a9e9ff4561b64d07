"""How the charts of a run are looked at: what x counts, which part of it is seen, and where the cursor stands."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from tui_trainer.runs.state import RunState
from tui_trainer.ui import axes
from tui_trainer.ui.scale import UNITS, Unit

RECENT = 0.2  # of what is trained, at least
LEAST = 8.0  # steps that a window holds

Span = tuple[float, float]


@dataclass(frozen=True)
class View:
    """Places are steps of the run, whatever its axis counts."""

    unit: Unit = "epochs"
    recent: bool = False
    window: Span | None = None
    cursor: float | None = None
    until: float | None = None
    """What comes after is drawn faint."""

    @property
    def whole(self) -> bool:
        return not self.recent and self.window is None

    def next_unit(self) -> View:
        return replace(self, unit=UNITS[(UNITS.index(self.unit) + 1) % len(UNITS)])

    def zoom(self, state: RunState, factor: float) -> View:
        """A window so many times as wide about the cursor, or about the middle; the whole once all would be in it."""
        (low, high), limit = span(state, self), whole(state)[1]
        middle = (low + high) / 2 if self.cursor is None else self.cursor
        width = max((high - low) * factor, min(LEAST, limit))
        if width >= limit:
            return replace(self, window=None, recent=False)
        return replace(self, window=_inside(middle - width / 2, width, limit), recent=False)

    def pan(self, state: RunState, share: float) -> View:
        """The window moved by a share of its width."""
        if self.whole:
            return self
        low, high = span(state, self)
        return replace(self, window=_inside(low + share * (high - low), high - low, whole(state)[1]), recent=False)

    def point(self, state: RunState, step: float) -> View:
        """The cursor at a step that has been trained; a window comes along."""
        step = min(max(step, 0.0), float(state.step))
        low, high = span(state, self)
        if self.window and not low <= step <= high:
            width = high - low
            return replace(self, cursor=step, window=_inside(step - width / 2, width, whole(state)[1]))
        return replace(self, cursor=step if self.window else min(max(step, low), high))


def whole(state: RunState) -> Span:
    per_epoch = state.steps_per_epoch
    return 0.0, axes.stage(state.step / per_epoch, state.total_steps / per_epoch) * per_epoch


def span(state: RunState, view: View) -> Span:
    """The first and the last step in sight."""
    if view.window:
        return view.window
    if view.recent and state.step > LEAST:
        width = axes.round_up(RECENT * state.step, axes.STAGES)
        quarter = width / 4  # a window that moves with every point would be drawn anew with each
        end = math.ceil(state.step / quarter) * quarter
        return max(0.0, end - width), end
    return whole(state)


def _inside(low: float, width: float, limit: float) -> Span:
    low = max(0.0, min(low, limit - width))
    return low, low + width
