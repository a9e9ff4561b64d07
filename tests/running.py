"""How the tests run things: the command line as a process, a worker's life inside the test, faults at the os calls."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from functools import cache
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from tui_trainer.config import RunConfig, apply
from tui_trainer.runs import directory, events, follow, jobs
from tui_trainer.runs.directory import Run
from tui_trainer.runs.state import RunState
from tui_trainer.text import InputError

QUICK = apply(
    RunConfig(), ["hidden_sizes=16", "batch_size=100", "epochs=3", "threads=1", "device=cpu", "last_seconds=0"]
)
LONG = (
    "hidden_sizes=64-64",
    "batch_size=1",
    "epochs=6",
    "threads=1",
    "device=cpu",
    "last_seconds=0",
    "step_path=autograd",  # the slowest
)
"""Settings of a run on digits that lasts long enough to be met on its way: about two seconds, but for its epochs."""


def quick(*settings: str) -> RunConfig:
    """A config that trains in a few hundredths of a second, with `--set` settings."""
    return apply(QUICK, list(settings))


def validating(*results: tuple[float, float]) -> Callable[..., tuple[float, float]]:
    """Stands in for `evaluate`: this loss and accuracy each time, the last again and again; every answer is right."""
    left = list(results)

    def evaluate(_model: Any, examples: Any, _progress: Any = None, answers: list[Any] | None = None) -> Any:
        if answers is not None:
            answers.append(examples.labels)
        return left.pop(0) if len(left) > 1 else left[0]

    return evaluate


class Program(subprocess.Popen[str]):
    """A program in a session of its own, which ends, with all it started there, when the test has done with it."""

    def __exit__(self, *exception: Any) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        super().__exit__(*exception)


@cache
def has_compiled_path() -> bool:
    """Whether there is a compiler; of the processes that run the tests one builds the native step, the others wait."""
    from platformdirs import user_cache_path

    from tui_trainer.engine import compiled

    folder = user_cache_path("tui-trainer") / "steps"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return compiled.library() is not None


def job_here(*arguments: str, on_progress: Callable[[dict[str, Any]], None] | None = None) -> Any:
    """`jobs.run_job` in this process, which has torch already; a new one takes seconds to load it."""
    from tui_trainer.engine import __main__ as engine

    with process_put_back(), redirect_stdout(StringIO()) as said:
        engine.run_job(arguments[0], list(arguments[1:]))
    for told in map(json.loads, said.getvalue().splitlines()):
        if "problems" in told:
            raise InputError(*told["problems"])
        if "result" in told:
            return told["result"]
        if on_progress:
            on_progress(told["progress"])
    raise AssertionError(f"{arguments[0]}: no result")


@dataclass(frozen=True)
class Cli:
    """The real `tui-trainer`, without a terminal and without a network."""

    runs: Path
    data: Path

    @property
    def environment(self) -> dict[str, str]:
        nowhere = {f"{scheme}_proxy": "http://127.0.0.1:9" for scheme in ("http", "https", "all")}
        return {**os.environ, **nowhere, "TUI_TRAINER_RUNS": str(self.runs), "TUI_TRAINER_DATA": str(self.data)}

    def start(self, *arguments: str) -> Program:
        return Program(
            [sys.executable, "-m", "tui_trainer", *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def result(self, *arguments: str) -> tuple[int, str, str]:
        """Exit status, stdout, stderr; in this process, which has at hand what a new one would first load."""
        from tui_trainer.cli import dashboard, run

        with ExitStack() as stack:
            stack.enter_context(mock.patch.dict(os.environ, self.environment))
            stack.enter_context(mock.patch.dict(dashboard.overrides, clear=True))
            stack.enter_context(mock.patch.object(jobs, "run_job", job_here))
            stack.enter_context(mock.patch.object(sys, "argv", ["tui-trainer", *arguments]))
            stack.enter_context(mock.patch.object(sys, "stdin", stack.enter_context(Path(os.devnull).open())))
            out, err = (TextIOWrapper(BytesIO(), "utf-8", write_through=True) for _ in range(2))
            stack.enter_context(redirect_stdout(out))
            stack.enter_context(redirect_stderr(err))
            with pytest.raises(SystemExit) as ended:
                run()
        said, complained = (stream.buffer.getvalue().decode() for stream in (out, err))
        return int(ended.value.code or 0), said, complained

    def process_result(self, *arguments: str) -> tuple[int, str, str]:
        """The same of a process of its own."""
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=100)
        return process.returncode, out, err

    def __call__(self, *arguments: str) -> str:
        """What it prints when all is well."""
        status, out, err = self.result(*arguments)
        assert status == 0, f"{arguments}: exit status {status}\n{out}\n{err}"
        return out

    def train(self, *settings: str, preset: str = "digits") -> Run:
        """Start a run and leave it to its worker."""
        options = [word for setting in settings for word in ("--set", setting)]
        return self.find(self("train", preset, "--detach", *options).split()[-1])

    def find(self, reference: str) -> Run:
        return directory.find(self.runs, reference)


def eventually(condition: Callable[[], object], description: str) -> None:
    deadline = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {description}"
        time.sleep(0.02)


def wait(run: Run, until: Callable[[RunState], bool]) -> RunState:
    """The run's state as soon as the condition holds."""
    follower = follow.Follower(run)
    assert follow.wait(follower, until, timeout=90), (
        f"waited in vain; {follower.state.status}, {list(follower.state.log)}"
    )
    return follower.state


def wait_for_end(run: Run) -> RunState:
    """The run's state when its worker has gone."""
    follower = follow.Follower(run)
    assert follow.wait(follower, lambda _: not follower.alive, timeout=90)
    return follower.catch_up()


def outcome(state: RunState) -> tuple[object, ...]:
    """Everything about a run's end that may not depend on how it got there."""
    epochs = [(e.epoch, e.step, e.train_loss, e.train_accuracy, e.val_loss, e.val_accuracy) for e in state.epochs_done]
    tests = {key: (e.epoch, e.loss, e.accuracy) for key, e in state.evaluations.items()}
    newest = state.newest_checkpoint
    return newest.weights_sha256 if newest else None, epochs, tests, state.best.epoch if state.best else None


class Killed(BaseException):
    """The process is gone: no handler of the product may catch this."""


@contextmanager
def watched(react: Callable[[events.AnyEvent], None], before: bool = False) -> Iterator[None]:
    """Call `react` after (or before) each event that a worker in this process writes."""
    real = events.EventLog.append

    def append(log: events.EventLog, event: events.AnyEvent) -> None:
        if before:
            react(event)
        real(log, event)
        if not before:
            react(event)

    with mock.patch.object(events.EventLog, "append", append):
        yield


@contextmanager
def process_put_back() -> Iterator[None]:
    """Undo what a worker does to its process: signal handlers, and the processor's treatment of tiny numbers."""
    import torch

    numbers = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
        torch.set_flush_denormal(False)


def work(run: Run, data: Path = Path(), changes: dict[str, Any] | None = None, approximate: bool = False) -> RunState:
    """Be the run's worker in this very process, until its end."""
    from tui_trainer.engine import worker

    with process_put_back():
        worker.work(worker.Order(str(run.path), str(data), changes or {}, approximate))
    return follow.load(run)


def make_run(root: Path, config: RunConfig = QUICK) -> Run:
    return directory.create(root, config, "test", "", Path("/nowhere"))


OS_CALLS = ("open", "write", "pwrite", "fsync", "rename", "replace", "unlink", "close", "ftruncate")


class Disk:
    """Counts the os calls of a save. Call number `fails_at` raises `fault`; after `Killed`, so does every later one."""

    def __init__(self, fails_at: int, fault: BaseException, after: bool = False) -> None:
        self.fails_at = fails_at
        self.fault = fault
        self.after = after
        self.calls: list[str] = []

    @property
    def is_dead(self) -> bool:
        return isinstance(self.fault, Killed) and len(self.calls) >= self.fails_at

    def __enter__(self) -> "Disk":
        self.patches = [mock.patch.object(os, name, self._faulty(name, getattr(os, name))) for name in OS_CALLS]
        for patch in self.patches:
            patch.start()
        return self

    def __exit__(self, *_: object) -> None:
        for patch in self.patches:
            patch.stop()

    def _faulty(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if self.is_dead:
                raise self.fault
            self.calls.append(name)
            if len(self.calls) != self.fails_at:
                return real(*arguments, **options)
            if name in ("write", "pwrite") and not self.after:  # half of it gets through
                real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2], *arguments[2:])
            elif name == "close" or self.after:
                real(*arguments, **options)
            raise self.fault

        return call
