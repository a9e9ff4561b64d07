"""The runs on disk as the home screen lists them. Used from a thread: what leaves it is frozen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tui_trainer.runs.directory import Run, list_runs
from tui_trainer.runs.follow import Follower
from tui_trainer.runs.state import TERMINAL, RunState
from tui_trainer.text import InputError, clean
from tui_trainer.ui.curves import recent

SHOWN = 50
SPARK = 8


@dataclass(frozen=True)
class Summary:
    """One run as of a moment. `status` is a `RunStatus`, or `unreadable` with the reason."""

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

    @property
    def live(self) -> bool:
        return self.status in ("starting", "running", "paused")

    @property
    def resumable(self) -> bool:
        return self.status in ("stopped", "interrupted")


class RecentRuns:
    """Follows the newest runs; each `refresh` reads only what came since the last."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.followers: dict[str, Follower] = {}
        self.summaries: dict[str, Summary] = {}
        self.older = 0

    def refresh(self) -> list[Summary]:
        """Newest first."""
        runs = list(list_runs(self.root))
        self.older = max(0, len(runs) - SHOWN)
        shown = runs[:SHOWN]
        for gone in self.summaries.keys() - {run.id for run in shown}:
            del self.summaries[gone]
            self.followers.pop(gone, None)
        for run in shown:
            self._refresh(run)
        return [self.summaries[run.id] for run in shown]

    def _refresh(self, run: Run) -> None:
        try:
            follower = self.followers.get(run.id) or self.followers.setdefault(run.id, Follower(run))
            if run.id not in self.summaries:
                follower.catch_up()
            elif not follower.poll():
                return
        except (InputError, OSError) as error:
            self.summaries[run.id] = Summary(run, run.id, "unreadable", clean(str(error)))
            return
        self.summaries[run.id] = summarise(follower)


def summarise(follower: Follower) -> Summary:
    state: RunState = follower.state
    last = state.last_epoch
    return Summary(
        run=follower.run,
        name=clean(state.name) or state.id,
        status=state.status,
        reason=state.reason,
        epoch=state.epoch,
        epochs=state.epochs,
        val_accuracy=last.val_accuracy if last else None,
        test_accuracy=state.accuracy("final", "test"),
        accuracies=recent(state.series["val_accuracy"], SPARK),
        seconds_left=None if state.status in TERMINAL else state.seconds_left,
    )
