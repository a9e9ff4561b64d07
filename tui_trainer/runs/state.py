"""Everything any reader knows about a run, as `fold` makes it of the events."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from tui_trainer.config import RunConfig, change
from tui_trainer.runs import events
from tui_trainer.runs.series import Series
from tui_trainer.runs.verdict import verdict
from tui_trainer.text import InputError

RunStatus = Literal["starting", "running", "paused", "finished", "stopped", "failed", "interrupted"]
TERMINAL: frozenset[str] = frozenset({"finished", "stopped", "failed"})


class LogLine(NamedTuple):
    time: float
    level: events.Level
    message: str


class Change(NamedTuple):
    """A live change: the command's id, the step after which it took effect, and the fields changed."""

    id: str
    epoch: int
    step: int
    changes: dict[str, Any]


def outweighed(pending: Iterable[Change], wish: Mapping[str, Any]) -> list[Change]:
    """What is left to make again of changes after which a person wished for others: nothing of those fields.

    Another schedule brings all of its settings along.
    """

    def is_left(path: str) -> bool:
        return path not in wish and not ("schedule.name" in wish and path.startswith("schedule."))

    left = (c._replace(changes={path: v for path, v in c.changes.items() if is_left(path)}) for c in pending)
    return [c for c in left if c.changes]


# name of a series → field of `Metrics`, or of `Epoch`; only the gradient's norm may be absent from one
METRIC_SERIES = (
    ("train_loss", "loss"),
    ("train_accuracy", "accuracy"),
    ("learning_rate", "learning_rate"),
    ("images_per_second", "images_per_second"),
    ("seconds", "seconds"),
)
EPOCH_SERIES = {
    "val_loss": "val_loss",
    "val_accuracy": "val_accuracy",
    "epoch_train_loss": "train_loss",
    "epoch_train_accuracy": "train_accuracy",
}


def _no_series() -> dict[str, Series]:
    """Every series, empty. Those that each `Metrics` event adds to share their steps: folding is half appending."""
    steps: array[int] = array("q")
    together = {name: Series(steps) for name, _ in METRIC_SERIES}
    return together | {name: Series() for name in ("gradient_norm", *EPOCH_SERIES)}


@dataclass
class RunState:
    """Everything the events tell about a run. Accuracies are fractions, `seconds` training time without pauses."""

    id: str
    first_config: RunConfig
    name: str = ""
    preset: str = ""
    parent: str = ""
    status: RunStatus = "starting"
    reason: str = ""
    worker_pid: int = 0
    started: events.Started | None = None
    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    metrics: events.Metrics | None = None
    epochs_done: list[events.Epoch] = field(default_factory=list)
    best: events.Epoch | None = None
    early_stop: events.EarlyStop | None = None
    boundary: events.Boundary | None = None
    neurons: events.Neurons | None = None
    confusion: events.Confusion | None = None
    evaluations: dict[tuple[str, str], events.Evaluated] = field(default_factory=dict)
    checkpoints: dict[str, events.Checkpoint] = field(default_factory=dict)
    hashes: dict[int, str] = field(default_factory=dict)
    """`weights_sha256` after every step that ever had a checkpoint, deleted ones included."""
    series: dict[str, Series] = field(default_factory=_no_series)
    log: deque[LogLine] = field(default_factory=lambda: deque(maxlen=2000))
    lines_seen: int = 0
    changes: list[Change] = field(default_factory=list)
    pending: list[Change] = field(default_factory=list)
    """Changes that a rewind took back and the worker will make again at their steps."""
    config: RunConfig = field(init=False)
    """`first_config` with the live changes so far."""
    acknowledged: dict[str, events.Applied] = field(default_factory=dict)
    events_seen: int = 0
    unreadable: int = 0
    last_event: float = 0.0

    def __post_init__(self) -> None:
        self.config = self.first_config

    def config_at(self, step: int) -> RunConfig:
        """`first_config` with the live changes up to this step."""
        config = self.first_config
        for made in self.changes:
            if made.step <= step:
                config = change(config, made.changes)
        return config

    @property
    def epochs(self) -> int:
        return -(-self.total_steps // self.steps_per_epoch)

    @property
    def steps_per_epoch(self) -> int:
        """As the worker counted them: a person's own file may have gone since."""
        if self.started:
            return self.started.steps_per_epoch
        try:
            return self.config.steps_per_epoch
        except InputError:
            return 1

    @property
    def architecture(self) -> str:
        """`784-200-200-200-10`, or a dash before the worker has said so."""
        return "-".join(map(str, self.started.layer_sizes)) if self.started else "–"

    @property
    def parameters(self) -> int | None:
        return self.started.parameters if self.started else None

    @property
    def validation_is_test(self) -> bool:
        return self.started is not None and self.started.validation_is_test

    @property
    def total_steps(self) -> int:
        training = self.config.training
        return training.steps or training.epochs * self.steps_per_epoch

    @property
    def last_epoch(self) -> events.Epoch | None:
        return self.epochs_done[-1] if self.epochs_done else None

    @property
    def newest_checkpoint(self) -> events.Checkpoint | None:
        return max(self.checkpoints.values(), key=lambda c: (c.step, c.time), default=None)

    @property
    def images_per_second(self) -> float | None:
        """Training throughput of the last completed epoch, or of the last moments of the first."""
        if self.last_epoch:
            return self.last_epoch.images_per_second
        return self.metrics.images_per_second if self.metrics else None

    @property
    def seconds_left(self) -> float | None:
        """Estimated from the speed of the last hundred measurements, evaluation and saving included."""
        seconds = self.series["seconds"]
        if len(seconds.steps) < 2:
            return None
        first = max(0, len(seconds.steps) - 100)
        steps = seconds.steps[-1] - seconds.steps[first]
        return (seconds.values[-1] - seconds.values[first]) / steps * (self.total_steps - self.step) if steps else None

    def accuracy(self, which: Literal["final", "best"], split: str) -> float | None:
        found = self.evaluations.get((which, split))
        return found.accuracy if found else None

    def numbers(self) -> dict[str, float | None]:
        """Every number that sums up the run: None as long as it has not been measured."""
        last, best, early = self.last_epoch, self.best, self.early_stop
        running = self.metrics if last is None else None
        tested = self.evaluations.get(("final", "test"))
        return {
            "parameters": self.parameters,
            "train_loss": last.train_loss if last else running.loss if running else None,
            "train_accuracy": last.train_accuracy if last else running.accuracy if running else None,
            "train_accuracy_evaluated": self.accuracy("final", "train"),
            "val_loss": last.val_loss if last else None,
            "val_accuracy": last.val_accuracy if last else None,
            "test_loss": tested.loss if tested else None,
            "test_accuracy": tested.accuracy if tested else None,
            "best_epoch": best.epoch if best else None,
            "best_val_accuracy": best.val_accuracy if best else None,
            "best_test_accuracy": self.accuracy("best", "test"),
            "early_stop_epoch": early.epoch if early else None,
            "seconds": self.seconds,
            "training_seconds": last.training_seconds if last else None,
            "evaluation_seconds": last.evaluation_seconds if last else None,
            "images_per_second": self.images_per_second,
        }

    def summary(self) -> dict[str, Any]:
        """What `show --json` prints; every value is a plain JSON value."""
        newest, started, judged = self.newest_checkpoint, self.started, verdict(self)
        return {
            "id": self.id,
            "name": self.name,
            "preset": self.preset,
            "parent": self.parent,
            "status": self.status,
            "reason": self.reason,
            "device": started.device if started else None,
            "device_name": started.device_name if started else None,
            "threads": started.threads if started else None,
            "precision": started.precision if started else None,
            "step_path": started.step_path if started else None,
            "epoch": self.epoch,
            "epochs": self.epochs,
            "step": self.step,
            "steps": self.total_steps,
            **self.numbers(),
            "verdict": judged.word,
            "verdict_epoch": judged.epoch,
            "verdict_reason": judged.reason,
            "validation_is_test": self.validation_is_test,
            "checkpoints": [
                {
                    "file": c.file,
                    "kinds": c.kinds,
                    "epoch": c.epoch,
                    "step": c.step,
                    "bytes": c.bytes,
                    "val_accuracy": c.val_accuracy,
                    "weights_sha256": c.weights_sha256,
                }
                for c in sorted(self.checkpoints.values(), key=lambda c: c.step)
            ],
            "weights_sha256": newest.weights_sha256 if newest else None,
            "changes": [c._asdict() for c in self.changes],
            "unreadable_events": self.unreadable,
            "config": self.config.model_dump(mode="json"),
        }
