"""What the tests of the dashboard share: runs as a worker would have written them, and waiting for what is seen."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from textual.pilot import Pilot
from textual.screen import Screen

from tui_trainer import presets
from tui_trainer.config import change
from tui_trainer.runs import directory, events, launch
from tui_trainer.runs.commands import AnyCommand, Set, receive
from tui_trainer.runs.directory import Run
from tui_trainer.runs.maps import LEVELS, SIDE, ZERO, Layer, Unit
from tui_trainer.studies.directory import StudyDirectory
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.launcher import Launcher

PATIENCE_SECONDS = 30.0
S = TypeVar("S", bound=Screen[Any])
LARGE = (120, 40)
"""Columns and lines of a terminal that has room for every panel."""


class FakeLauncher(Launcher):
    """Notes what it is asked to start, does `then` in place of starting it."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[Run] = []
        self.studies: list[StudyDirectory] = []
        self.then: Callable[[], object] = lambda: None

    def warm_up(self) -> None:
        """No test needs a real worker in waiting."""

    def start(self, run: Run, data_root: Path) -> str:
        self.started.append(run)
        self.then()
        return ""

    def start_study(self, directory: StudyDirectory) -> None:
        self.studies.append(directory)
        self.then()


def make_app(root: Path, opened: Run | StudyDirectory | None = None, data_root: Path | None = None) -> TrainerApp:
    return TrainerApp(root, data_root or root / "no-data", FakeLauncher(), opened)


def open_on(fake: FakeRun) -> TrainerApp:
    return make_app(fake.run.path.parent, fake.run)


def launcher_of(app: TrainerApp) -> FakeLauncher:
    assert isinstance(app.launcher, FakeLauncher)
    return app.launcher


async def wait_for(pilot: Pilot[str], predicate: Callable[[], object], description: str) -> None:
    """Let the app work until the predicate holds; it may fail with a query that finds nothing yet."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not predicate():
        assert time.monotonic() < deadline, f"never happened: {description}\n{seen(pilot)}"
        await pilot.pause(0.02)


async def wait_to_see(pilot: Pilot[str], *words: str) -> None:
    await wait_for(pilot, lambda: all(word in seen(pilot) for word in words), f"{words} on the screen")


async def wait_for_screen(pilot: Pilot[str], name: str) -> None:
    """Until a screen of this class is open, and whole."""
    app = pilot.app
    await wait_for(pilot, lambda: type(app.screen).__name__ == name and app.screen.is_mounted, f"{name} is open")


def screen_of(pilot: Pilot[str], kind: type[S]) -> S:
    """The open screen, which is of this kind."""
    screen = pilot.app.screen
    assert isinstance(screen, kind)
    return screen


def seen(pilot: Pilot[str]) -> str:
    """What is on the terminal, as text."""
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


def line_of(pilot: Pilot[str], word: str) -> str:
    """The first line of a study's table with this word."""
    table = seen(pilot).splitlines()[4:]
    return next((line for line in table if word in line), "")


def started(**fields: Any) -> events.Started:
    """The first word of a worker that trains the digits on a processor, but for `fields`."""
    digits: dict[str, Any] = {"parameters": 1, "train_examples": 1257, "steps_per_epoch": 40}
    return events.Started(
        pid=os.getpid(),
        host="box",
        device="cpu",
        device_name="a processor",
        threads=2,
        precision="fp32",
        step_path="autograd",
        versions={},
        **digits | fields,
    )


class FakeRun:
    """A run directory, and the worker's pen."""

    def __init__(self, root: Path, preset: str = "digits", epochs: int = 10, name: str = "") -> None:
        chosen = presets.load(preset)
        self.config = change(chosen.config, {"training.epochs": epochs})
        self.run = directory.create(root, self.config, name or chosen.short_name, chosen.name, root / "no-data")
        self.log = events.EventLog(self.run.events_file)
        self.lock: int | None = None

    @property
    def steps(self) -> int:
        """Of one epoch."""
        return self.config.steps_per_epoch

    def take(self) -> FakeRun:
        """Hold the lock as a live worker does."""
        self.lock = launch.take_lock(self.run)
        launch.sign(self.lock, launch.owner_of(os.getpid(), "worker"))
        return self

    def release(self) -> None:
        if self.lock is not None:
            os.close(self.lock)
            self.lock = None

    def write(self, *written: events.AnyEvent) -> FakeRun:
        for event in written:
            self.log.append(event)
        return self

    def start(self) -> FakeRun:
        return self.write(started(steps_per_epoch=self.steps), events.State(status="running"))

    def train(self, *epochs: int, accuracy: float = 0.9) -> FakeRun:
        """Whole epochs, each a little better than the one before."""
        for epoch in epochs:
            for part in (0.25, 0.5, 0.75, 1.0):
                self.metrics(epoch - 1 + part, loss=1 / (epoch + part))
            step = epoch * self.steps
            self.write(
                events.Epoch(
                    epoch=epoch,
                    step=step,
                    train_loss=1 / epoch,
                    train_accuracy=0.95,
                    val_loss=1.2 / epoch,
                    val_accuracy=accuracy + epoch / 1000,
                    learning_rate=0.001,
                    images_per_second=123_000.0,
                    seconds=float(epoch),
                    training_seconds=0.9,
                    evaluation_seconds=0.08,
                    saving_seconds=0.02,
                )
            )
        return self

    def metrics(self, epochs: float, loss: float) -> FakeRun:
        return self.write(
            events.Metrics(
                epoch=int(epochs),
                step=round(epochs * self.steps),
                loss=loss,
                accuracy=0.9,
                gradient_norm=1.0,
                learning_rate=0.001,
                images_per_second=123_000.0,
                seconds=epochs,
            )
        )

    def save(self, epoch: int, kind: str = "save", seconds_ago: float = 0.0) -> Path:
        """A checkpoint, its event and its file."""
        name = f"e{epoch:04}-s{epoch * self.steps:06}.safetensors"
        self.write(
            events.Checkpoint(
                time=time.time() - seconds_ago,
                file=name,
                kinds=[kind],
                epoch=epoch,
                step=epoch * self.steps,
                bytes=1 << 20,
                weights_sha256="0" * 64,
                val_accuracy=0.9,
            )
        )
        (self.run.checkpoints / name).write_bytes(b"")
        return self.run.checkpoints / name

    def finish(self, test_accuracy: float = 0.972) -> FakeRun:
        epoch = self.config.training.epochs
        evaluated = events.Evaluated(
            which="final",
            epoch=epoch,
            step=epoch * self.steps,
            split="test",
            loss=0.1,
            accuracy=test_accuracy,
            examples=270,
        )
        self.write(evaluated, events.State(status="finished"))
        self.release()
        return self

    @property
    def commands(self) -> list[AnyCommand | None]:
        """What waits in the inbox."""
        return [command for _, command in receive(self.run.inbox)]

    def acknowledge(self, ok: bool = True, message: str = "", status: events.Status | None = None) -> None:
        """Do as the worker does with the one command that waits."""
        (path, command), *others = receive(self.run.inbox)
        assert command is not None
        assert not others
        path.unlink()
        if status:
            self.write(events.State(status=status))
        word = type(command).__name__.lower()
        changes = command.changes if isinstance(command, Set) and ok else {}
        applied = events.Applied(
            id=command.id, command=word, epoch=1, step=self.steps, ok=ok, message=message, changes=changes
        )
        self.write(applied)

    def bound(self, epoch: int) -> FakeRun:
        """The decision boundary of two classes: the left half is 0, the right half 1."""
        return self.write(
            events.Boundary(
                epoch=epoch,
                step=epoch * self.steps,
                left=-1.0,
                right=2.0,
                bottom=-0.5,
                top=1.5,
                rows=["0" * 24 + "1" * 24] * 24,
                points=[(-0.9, 1.4, 0), (1.9, -0.4, 1)],
            )
        )

    def drew(self, epoch: int, layers: list[Layer] | None = None) -> FakeRun:
        """What every unit computes, all over the same plane."""
        edges = {"left": -1.0, "right": 2.0, "bottom": -0.5, "top": 1.5}
        return self.write(events.Neurons(epoch=epoch, step=epoch * self.steps, layers=layers or some_layers(), **edges))


def some_layers() -> list[Layer]:
    """Two inputs, six half-planes of which one is dead, 64 units that are sums of them, two classes."""

    def unit(value: Callable[[float, float], float], bias: float | None = None, *weights: tuple[int, float]) -> Unit:
        along = [2 * place / (SIDE - 1) - 1 for place in range(SIDE)]
        values = [value(x, -y) for y in along for x in along]
        greatest = max(map(abs, values)) or 1.0
        cells = "".join(LEVELS[round(v / greatest * ZERO) + ZERO] for v in values)
        return Unit(cells, round(min(values), 3), round(max(values), 3), bias, list(weights))

    def cut(number: int) -> Callable[[float, float], float]:
        angle = math.pi * number / 6
        a, b = math.cos(angle), math.sin(angle)
        return lambda x, y: 0.0 if number == 4 else max(a * x + b * y + 0.1, 0.0)

    def ring(number: int) -> Callable[[float, float], float]:
        return lambda x, y: math.tanh(3 * (x * x + y * y - number / 8))

    planes = [unit(cut(n), 0.1, (0, round(math.cos(n), 3)), (1, round(math.sin(n), 3))) for n in range(6)]
    rings = [unit(ring(n), 0.5 - 0.25 * n, *((s, 1.5 - 0.7 * s) for s in range(6))) for n in range(8)]
    classes = [unit(lambda x, y, c=c: float((x * x + y * y < 0.5) == c), 0.5, (3, 2.0), (1, -1.0)) for c in (0, 1)]  # type: ignore[misc]
    inputs = [unit(lambda x, y: x), unit(lambda x, y: y)]
    return [Layer(2, inputs), Layer(6, planes), Layer(64, rings), Layer(2, classes)]


@contextmanager
def live_run(root: Path, preset: str = "digits", epochs: int = 10, trained: int = 3) -> Iterator[FakeRun]:
    """A run whose worker lives and has trained some epochs."""
    fake = FakeRun(root, preset, epochs).take().start().train(*range(1, trained + 1))
    try:
        yield fake
    finally:
        fake.release()
        fake.log.close()
