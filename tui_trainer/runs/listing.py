"""One run as of a moment, as every list of runs shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tui_trainer.runs.directory import Run
from tui_trainer.runs.notes import Notes
from tui_trainer.text import clean

if TYPE_CHECKING:
    from tui_trainer.runs.series import Series
    from tui_trainer.runs.state import RunState

SPARK = 8
"""Points of `Summary.accuracies`."""
LIVE = frozenset({"starting", "running", "paused"})
RESUMABLE = frozenset({"stopped", "interrupted"})


@dataclass(frozen=True)
class Summary:
    """One run as of a moment. `status` is a `RunStatus`, or `unreadable` with the reason.

    `facts` is everything `show --json` says of it. Names and reasons are clean; what else is in `facts` is as it was
    written.
    """

    run: Run
    name: str
    status: str
    reason: str = ""
    epoch: int = 0
    epochs: int = 0
    val_accuracy: float | None = None
    test_accuracy: float | None = None
    accuracies: tuple[float, ...] = ()
    seconds_left: float | None = None
    notes: Notes = field(default_factory=Notes)
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def live(self) -> bool:
        return self.status in LIVE

    @property
    def resumable(self) -> bool:
        return self.status in RESUMABLE


def of_state(run: Run, state: RunState, notes: Notes) -> Summary:
    """The run as its events tell it now."""
    left = state.seconds_left if state.status in LIVE else None
    return of_facts(run, state.summary(), notes, means(state.series["val_accuracy"]), left)


def of_facts(
    run: Run,
    facts: Mapping[str, Any],
    notes: Notes,
    accuracies: tuple[float, ...] = (),
    seconds_left: float | None = None,
) -> Summary:
    """The run as `RunState.summary` told it once."""
    return Summary(
        run,
        clean(facts["name"], 80) or run.id,
        facts["status"],
        clean(facts["reason"]),
        facts["epoch"],
        facts["epochs"],
        facts["val_accuracy"],
        facts["test_accuracy"],
        accuracies,
        seconds_left,
        notes,
        {**facts, "tags": list(notes.tags), "note": notes.note, "pins": list(notes.pins), "archived": notes.archived},
    )


def means(series: Series, count: int = SPARK) -> tuple[float, ...]:
    """A series reduced to `count` means at most, for a sparkline."""
    if len(series.values) <= count:
        return tuple(series.values)
    return tuple(bucket.mean for bucket in series.buckets(count))
