"""tui-trainer itself: a run through its real worker, events and checkpoints on, the dashboard attached if asked."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.terminal import PROGRAM, Screen
from benchmarks.workloads import Workload
from tui_trainer.runs.commands import Stop, send
from tui_trainer.runs.directory import Run, list_runs
from tui_trainer.runs.follow import Follower
from tui_trainer.runs.state import RunState
from tui_trainer.text import InputError

SETTLED = 3.0  # seconds
LIMIT = 300.0  # seconds after which a run that tells nothing is given up


@dataclass(frozen=True)
class Sample:
    """`seconds` of a step, in steady-state epochs; `first` from the command to the first epoch's last word."""

    seconds: float
    first: float
    step_path: str


class Training:
    """A run that goes on while the block lasts, in a folder of its own; then it is stopped and forgotten."""

    def __init__(self, arguments: list[str], attached: bool, folder: str) -> None:
        self.began = time.perf_counter()
        environment = {**os.environ, "TUI_TRAINER_RUNS": folder}
        self.screen = Screen("train", *arguments, environment=environment) if attached else None
        if not attached:
            detached = [*PROGRAM, "train", *arguments, "--detach"]
            subprocess.run(detached, env=environment, check=True, capture_output=True)
        self.wait_for(lambda: any(list_runs(Path(folder))))
        self.run: Run = next(list_runs(Path(folder)))
        self.follower = Follower(self.run)

    @property
    def state(self) -> RunState:
        return self.follower.state

    @property
    def elapsed(self) -> float:
        """Since the command was given."""
        return time.perf_counter() - self.began

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Look ten times a second, and read what the dashboard draws meanwhile."""
        deadline = time.perf_counter() + LIMIT
        while not condition():
            if time.perf_counter() > deadline:
                raise InputError(f"nothing came for {LIMIT:.0f} s")
            self.wait(0.1)

    def wait(self, seconds: float) -> None:
        """Let time pass, in which the dashboard draws."""
        if self.screen:
            self.screen.read(seconds)
        else:
            time.sleep(seconds)

    def wait_for_state(self, condition: Callable[[RunState], bool]) -> None:
        def holds() -> bool:
            self.follower.poll()
            if self.state.status in ("failed", "interrupted"):
                raise InputError(self.state.reason)
            return condition(self.state)

        self.wait_for(holds)

    def close(self) -> None:
        if self.follower.alive:
            send(self.run.inbox, Stop(discard=True))
            self.wait_for(lambda: self.follower.poll() and not self.follower.alive)
        if self.screen:
            self.screen.close()


@contextmanager
def training(arguments: list[str], attached: bool) -> Iterator[Training]:
    with tempfile.TemporaryDirectory() as folder:
        going = Training(arguments, attached, folder)
        try:
            yield going
        finally:
            going.close()


def sample(work: Workload, seconds: float, device: str, attached: bool, step_path: str) -> Sample:
    """Train for about `seconds` after the first epoch, which is the warm-up. Raises `InputError`."""
    arguments = [work.preset, *work.settings, "--set", f"device={device}", "--set", f"step_path={step_path}"]
    with training(arguments, attached) as going:
        going.wait_for_state(lambda state: bool(state.epochs_done))
        first = going.elapsed
        if attached:  # until the dashboard's own start is over
            going.wait_for_state(lambda _: going.elapsed > first + SETTLED)
        warm = going.state.epochs_done[-1]

        def has_enough(state: RunState) -> bool:
            last = state.epochs_done[-1]
            return last.epoch > warm.epoch and last.training_seconds - warm.training_seconds >= seconds

        going.wait_for_state(has_enough)
        last = going.state.epochs_done[-1]
        started = going.state.started
        return Sample(
            (last.training_seconds - warm.training_seconds) / (last.step - warm.step),
            first,
            started.step_path if started else "",
        )


def whole(work: Workload, epochs: int, device: str) -> float:
    """Seconds from the command to the run's last word: validation, checkpoints and dashboard included."""
    arguments = [work.preset, *work.settings, "--set", f"device={device}", "--set", f"epochs={epochs}"]
    with training(arguments, attached=True) as going:
        going.wait_for_state(lambda state: state.status == "finished")
        return going.elapsed
