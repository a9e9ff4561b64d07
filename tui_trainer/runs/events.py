"""The facts a worker writes to `events.jsonl`, one JSON object a line, and how they are appended."""

import errno
import os
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from tui_trainer.runs.maps import Layers

FORMAT = 1
Status = Literal["starting", "running", "paused", "finished", "stopped", "failed"]
Level = Literal["info", "warning", "error"]
# bounds, since a log may come from anywhere: what lies outside no reader could count, divide by or show
Count = Annotated[int, Meta(ge=0, le=10**15)]
Moment = Annotated[float, Meta(ge=0, le=2.5e11)]  # until the year 9892


class Event(msgspec.Struct, tag_field="type", tag=str.lower, kw_only=True, omit_defaults=True):
    """`time`: seconds since 1970 by the wall clock, for people; order and durations never depend on it."""

    time: Moment = msgspec.field(default_factory=time.time)


class Started(Event, kw_only=True):
    """A worker took the run. Everything that decides the bits is here, and is reused when the run is resumed."""

    format: int = FORMAT
    pid: int
    host: str
    device: str
    device_name: str
    threads: int
    precision: str
    step_path: str
    versions: dict[str, str]
    data_file: str = ""
    parameters: int
    train_examples: int
    steps_per_epoch: Annotated[int, Meta(ge=1, le=10**15)]
    layer_sizes: list[int] = []
    validation_is_test: bool = False
    resumed_from: str = ""
    exact: bool = True
    gpu: str = ""
    """The UUID of the NVIDIA GPU it trains on."""


class State(Event, kw_only=True):
    """The run's status changed; a new worker's first word is `starting`, with its process number."""

    status: Status
    reason: str = ""
    pid: int = 0


class Metrics(Event, kw_only=True, gc=False):
    """Means over the steps since the last `Metrics`; `step` is the last of them. `seconds` is training time so far.

    `gradient_norm` is of that last step; None where it overflowed.
    """

    epoch: Count
    step: Count
    loss: float
    accuracy: float
    gradient_norm: float | None
    learning_rate: float
    images_per_second: float
    seconds: float


class Epoch(Event, kw_only=True):
    """Completed epoch `epoch`: running means over its training steps, then validation with its final weights."""

    epoch: Count
    step: Count
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    images_per_second: float
    seconds: float
    training_seconds: float
    evaluation_seconds: float
    saving_seconds: float


class OfPlane(Event, kw_only=True):
    """What a network with two inputs does over the part of the plane between these edges."""

    epoch: Count
    step: Count
    left: float
    right: float
    bottom: float
    top: float


class Boundary(OfPlane, kw_only=True):
    """The class it answers on a grid of the plane, a digit a cell, first row on top.

    `points`: training examples to draw on it, as (x, y, class).
    """

    rows: Annotated[list[Annotated[str, Meta(min_length=1, max_length=500)]], Meta(min_length=1, max_length=500)]
    points: Annotated[list[tuple[float, float, int]], Meta(max_length=10_000)]


class Neurons(OfPlane, kw_only=True):
    """What every unit computes."""

    layers: Layers


MOST_CLASSES = 64
"""Of a confusion matrix: with more it would fill the log, and no terminal."""


class Confusion(Event, kw_only=True):
    """How many examples of a split were answered how after an epoch: by true class, then by predicted class."""

    epoch: Count
    step: Count
    split: Literal["train", "validation", "test"]
    counts: Annotated[
        list[Annotated[list[Count], Meta(max_length=MOST_CLASSES)]],
        Meta(min_length=1, max_length=MOST_CLASSES),
    ]


class EarlyStop(Event, kw_only=True):
    """After epoch `epoch` the metric had not got better since `best_epoch` for as long as early stopping waits."""

    epoch: Count
    best_epoch: Count
    metric: str


class Evaluated(Event, kw_only=True):
    """Loss and accuracy of the final weights, or of the best epoch's, on one whole split."""

    which: Literal["final", "best"]
    epoch: Count
    step: Count
    split: Literal["train", "validation", "test"]
    loss: float
    accuracy: float
    examples: int


class Checkpoint(Event, kw_only=True):
    """A checkpoint is committed: it has its final name and verifies."""

    file: str
    kinds: list[str]
    epoch: Count
    step: Count
    bytes: int
    weights_sha256: str
    val_accuracy: float | None = None


class Removed(Event, kw_only=True):
    """A checkpoint that is no longer needed was deleted."""

    file: str


class Log(Event, kw_only=True):
    level: Level
    message: str


class Applied(Event, kw_only=True):
    """A command was carried out, or refused, after step `step`."""

    id: str
    command: str
    epoch: Count
    step: Count
    ok: bool = True
    message: str = ""
    changes: dict[str, Any] = msgspec.field(default_factory=dict)


class Rewound(Event, kw_only=True):
    """The run goes on from here: metrics after `step` are void."""

    epoch: Count
    step: Count
    seconds: float


AnyEvent = (
    Started
    | State
    | Metrics
    | Epoch
    | Boundary
    | Neurons
    | Confusion
    | EarlyStop
    | Evaluated
    | Checkpoint
    | Removed
    | Log
    | Applied
    | Rewound
)

_encoder = msgspec.json.Encoder()


class EventLog:
    """The writer's end: appends whole lines. The caller holds the lock beside the file.

    A torn last line left by a crash is cut when the log is opened. A disk that is full never stops training: what
    could not be written is counted, and the gap is stated with the first event that fits again.
    """

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self.lost = 0
        self.end = _end_of_last_line(self.descriptor)
        os.ftruncate(self.descriptor, self.end)

    def append(self, event: Event) -> None:
        if self.lost:
            gap = Log(level="error", message=f"{self.lost} events could not be written and are lost")
            if not self._write(_encoder.encode(gap) + b"\n"):
                self.lost += 1
                return
            self.lost = 0
        if not self._write(_encoder.encode(event) + b"\n"):
            self.lost += 1

    def commit(self, event: Event) -> None:
        """Append; when this returns, the event survives the machine's end. Raises OSError where it may not."""
        self.append(event)
        if self.lost:
            raise OSError(errno.EIO, "events cannot be written")
        os.fsync(self.descriptor)

    def _write(self, line: bytes) -> bool:
        try:
            if os.pwrite(self.descriptor, line, self.end) == len(line):
                self.end += len(line)
                return True
            os.ftruncate(self.descriptor, self.end)
        except OSError:
            pass
        return False

    def close(self) -> None:
        os.close(self.descriptor)


def _end_of_last_line(descriptor: int) -> int:
    end = os.fstat(descriptor).st_size
    while end:
        start = max(0, end - 65_536)
        block = os.pread(descriptor, end - start, start)
        newline = block.rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0
