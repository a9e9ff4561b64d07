"""Where a run's time goes."""

import time
from typing import Literal

Phase = Literal["training", "evaluation", "saving", "paused"]


class Clock:
    """Monotonic seconds by phase; pauses are counted apart and belong to no total."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {"training": 0.0, "evaluation": 0.0, "saving": 0.0, "paused": 0.0}
        self.phase: Phase = "paused"
        self.since = time.monotonic()

    def enter(self, phase: Phase) -> None:
        now = time.monotonic()
        self.spent[self.phase] += now - self.since
        self.phase, self.since = phase, now

    @property
    def seconds(self) -> float:
        """Training, evaluation and saving so far."""
        self.enter(self.phase)
        return self.spent["training"] + self.spent["evaluation"] + self.spent["saving"]
