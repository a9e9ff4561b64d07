"""Follow a run: its events as they come, its worker's liveness, its state. Any number of followers, none waited for."""

from __future__ import annotations

import time
from collections.abc import Callable

from tui_trainer.runs.commands import AnyCommand, Stop, send
from tui_trainer.runs.directory import Run, read_record
from tui_trainer.runs.events import Applied
from tui_trainer.runs.fold import fold_all
from tui_trainer.runs.launch import liveness, owner, terminate, why_interrupted
from tui_trainer.runs.reader import EventReader
from tui_trainer.runs.state import TERMINAL, LogLine, RunState
from tui_trainer.text import InputError, clean


class Follower:
    """A run's state, brought up to date by each `poll`. Raises `InputError` when its config cannot be read."""

    def __init__(self, run: Run) -> None:
        self.run = run
        record = read_record(run)
        parent = record.start.parent if record.start else ""
        self.state = RunState(run.id, record.config, record.name, record.preset, parent)
        self.data_root = record.data_root
        self.reader = EventReader(run.events_file)
        self.alive = False
        self.lines_given = 0
        self.silent_since = time.monotonic()

    def poll(self) -> bool:
        """Take in what came since the last call; True when anything a person could see has changed."""
        seen, status = self.state.events_seen, self.state.status
        alive = liveness(self.run) == "alive"  # asked first: a last word written in between is then read below
        fold_all(self.state, self.reader.read())
        self.state.unreadable = self.reader.unreadable
        self._judge(alive)
        if self.state.events_seen != seen:
            self.silent_since = time.monotonic()
        changed = self.state.events_seen != seen or self.state.status != status or alive != self.alive
        self.alive = alive
        return changed

    def catch_up(self) -> RunState:
        """Everything written so far."""
        while True:
            offset = self.reader.offset
            self.poll()
            if self.reader.offset == offset:
                return self.state

    def new_lines(self) -> list[LogLine]:
        """Log lines that came since the last call."""
        count = self.state.lines_seen - self.lines_given
        self.lines_given = self.state.lines_seen
        return list(self.state.log)[-count:] if count else []

    @property
    def silence(self) -> float:
        """Seconds without an event from a worker that should be training; 0 where silence means nothing."""
        if self.alive and self.state.status in ("starting", "running"):
            return time.monotonic() - self.silent_since
        return 0.0

    @property
    def only_starts(self) -> bool:
        """Has who holds the lock, a worker, said nothing yet?"""
        holder = owner(self.run)
        return holder is None or (holder.role == "worker" and holder.pid != self.state.worker_pid)

    def _judge(self, alive: bool) -> None:
        """The status as it really is: a worker without a last word, or a new worker without a first one."""
        state = self.state
        if not alive and state.status not in (*TERMINAL, "interrupted"):
            if liveness(self.run) == "unknown":
                return
            state.reason = clean(why_interrupted(self.run, self.run.worker_log), 300)
            if state.status == "paused":
                state.reason = f"while paused: {state.reason}"
            state.status = "interrupted"
        elif alive and state.status in (*TERMINAL, "interrupted") and self.only_starts:
            state.status, state.reason = "starting", ""


def load(run: Run) -> RunState:
    """The state of a run as of now."""
    return Follower(run).catch_up()


def wait(follower: Follower, until: Callable[[RunState], bool], timeout: float, interval: float = 0.03) -> bool:
    """Poll until the condition holds; False after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        follower.poll()
        if until(follower.state):
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(interval)


def ask(run: Run, command: AnyCommand, timeout: float = 60.0) -> Applied:
    """Send a command to the run's worker and wait for its acknowledgement.

    Raises `InputError` when no worker lives, it cannot be asked, ends without taking the command, or does not answer
    in time.
    """
    follower = Follower(run)
    state = follower.catch_up()
    if not follower.alive:
        raise InputError(f"{run.id}: has no worker to ask; it is {state.status}")
    # what comes before a worker's first word is left over from another's time, and expires
    wait(follower, lambda _: not (follower.alive and follower.only_starts), timeout)
    try:
        sent = send(run.inbox, command)
    except OSError as error:
        if isinstance(command, Stop) and not command.discard:  # on a full disk above all; a signal needs no room there
            return _stop_by_signal(follower, timeout)
        raise InputError(f"{run.inbox}: cannot be written, so the worker cannot be asked: {error.strerror}") from error
    wait(follower, lambda s: sent in s.acknowledged or not follower.alive, timeout)
    if answer := follower.catch_up().acknowledged.get(sent):
        return answer
    if not follower.alive:
        raise InputError(f"{run.id}: the worker ended before it took the command; the run is {follower.state.status}")
    raise InputError(f"{run.id}: no answer within {timeout:.0f} seconds; the command stays in its inbox")


def _stop_by_signal(follower: Follower, timeout: float) -> Applied:
    terminate(follower.run)
    if not wait(follower, lambda _: not follower.alive, timeout):
        raise InputError(f"{follower.run.id}: has been asked to end by a signal, but not done so yet")
    state = follower.catch_up()
    return Applied(id="", command="stop", epoch=state.epoch, step=state.step, message=state.reason)
