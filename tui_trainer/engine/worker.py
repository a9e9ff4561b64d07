"""The life of one run's worker: it takes the run, trains it, and leaves a last word however it ends."""

import logging
import os
import platform
import sys
import time
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import msgspec

from tui_trainer.config import build
from tui_trainer.engine import checkpoint, data, device
from tui_trainer.engine.control import Control, Inbox, Signals
from tui_trainer.engine.retention import Retention
from tui_trainer.engine.train import Report, train
from tui_trainer.engine.trainer import DivergedError, Trainer
from tui_trainer.runs import events
from tui_trainer.runs.directory import Run, read_record
from tui_trainer.runs.fold import fold
from tui_trainer.runs.reader import EventReader
from tui_trainer.runs.state import TERMINAL, Change, RunState
from tui_trainer.text import BETWEEN, InputError

WITHOUT_COMPILER = "no C++ compiler that works, so PyTorch computes the steps: slower; pip install ziglang brings one"


class Order(msgspec.Struct):
    """What the launcher asks of a worker. `approximate`: resume even where the bits would differ.

    `environment`: for a forked worker, which has its server's.
    """

    run: str
    data: str
    changes: dict[str, Any] = {}
    approximate: bool = False
    environment: dict[str, str] = {}


def read_order(order: bytes) -> Order:
    return msgspec.json.decode(order, type=Order)


def work(order: Order) -> int:
    """Train the run, whose lock this process holds, to its end. Returns the exit status: 1 when the run failed."""
    signals = Signals()
    run = Run(Path(order.run))
    state = history(run)
    before = state.status
    log = events.EventLog(run.events_file)
    inbox = Inbox(run.inbox, log.append)
    expire_commands(inbox, state, log.append, "sent before this worker started; expired")
    log.append(events.State(status="starting", pid=os.getpid()))
    try:
        with IntoEvents(log.append):
            last = train_run(run, inbox, state, order, signals, log.append)
    except InputError as error:  # refused before anything was trained: what was there is as it was
        fallback = before if before in TERMINAL else "stopped" if state.started else "failed"
        last = events.State(status=fallback, reason=BETWEEN.join(error.problems))  # type: ignore[arg-type]
    except DivergedError as error:
        kept = next((f"{path.stem} is kept" for path in checkpoint.scan(run.checkpoints)), "nothing was saved before")
        last = events.State(status="failed", reason=f"{error}; {kept}; try a smaller learning rate")
    except Exception as error:
        traceback.print_exc()
        memory = device.is_out_of_memory(error)
        reason = device.explain_out_of_memory(state.config) if memory else f"{type(error).__name__}: {error}"
        last = events.State(status="failed", reason=reason)
    expire_commands(inbox, state, log.append, "the run has ended")
    log.append(last)
    print(last.status, last.reason, file=sys.stderr)
    return 1 if last.status == "failed" else 0


class IntoEvents(logging.Handler):
    """While the block lasts, the run's log tells what the engine tells Python's."""

    logger = logging.getLogger("tui_trainer")

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.report = report

    def emit(self, record: logging.LogRecord) -> None:
        level: Literal["info", "warning"] = "warning" if record.levelno >= logging.WARNING else "info"
        self.report(events.Log(level=level, message=record.getMessage()))

    def __enter__(self) -> None:
        self.logger.addHandler(self)
        self.logger.setLevel(logging.INFO)

    def __exit__(self, *exception: object) -> None:
        self.logger.removeHandler(self)
        self.logger.setLevel(logging.NOTSET)


def history(run: Run) -> RunState:
    """The run's state by everything its log tells so far."""
    record = read_record(run)
    parent = record.start.parent if record.start else ""
    state = RunState(run.id, record.config, record.name, record.preset, parent)
    for event in EventReader(run.events_file).read(limit=-1):
        fold(state, event)
    return state


def expire_commands(inbox: Inbox, state: RunState, report: Report, why: str) -> None:
    """Refuse what waits in the inbox; a command whose answer is already in the log is just taken away."""
    try:
        waiting = inbox.waiting()
    except OSError:  # the directory is gone
        return
    for path, command in waiting:
        if command is not None and command.id not in state.acknowledged:
            name = type(command).__name__.lower()
            report(
                events.Applied(id=command.id, command=name, epoch=state.epoch, step=state.step, ok=False, message=why)
            )
        inbox.delete(path)


def train_run(run: Run, inbox: Inbox, state: RunState, order: Order, signals: Signals, report: Report) -> events.State:
    """Set the run up, from its newest checkpoint if it has one, train, and return its last state."""
    checkpoint.sweep(run.checkpoints)
    snapshot, damaged = checkpoint.newest(run.checkpoints)
    for problem in damaged:
        report(events.Log(level="warning", message=problem))
    config = build(snapshot.meta.config) if snapshot else state.first_config
    numerics, differing = device.settle(config, snapshot.meta.numerics if snapshot else None)
    if differing and not order.approximate:
        raise InputError(
            f"not resumed: {', '.join(differing)} changed since the run began, so the bits would change too; "
            "to go on all the same: tui-trainer resume RUN --approximate"
        )
    device.prepare(numerics, config.training.deterministic)
    device.check_memory(config, numerics.torch_device)
    splits = data.load(config, Path(order.data), numerics.torch_device)
    trainer = Trainer(config, splits, numerics)
    applied: list[str] = []
    if snapshot:
        trainer.restore(snapshot)
        applied = snapshot.meta.applied
    elif start := read_record(run).start:
        trainer.start_from(checkpoint.read(start.file), start.mode)
    pending = [c for c in (*state.changes, *state.pending) if c.id not in applied]
    trainer.pending = sorted(pending, key=lambda c: c.step)  # of equals, the newest last
    if order.changes:
        trainer.wish(Change(f"launch-{time.time_ns()}", trainer.epoch, trainer.step, order.changes))
    if state.step or trainer.step:
        report(events.Rewound(epoch=trainer.epoch, step=trainer.step, seconds=trainer.clock.seconds))
    report(
        events.Started(
            pid=os.getpid(),
            host=platform.node(),
            **asdict(numerics),
            parameters=sum(config.layer_parameters),
            train_examples=len(splits.train),
            steps_per_epoch=config.steps_per_epoch,
            layer_sizes=list(config.layer_sizes),
            validation_is_test=config.split.validation_is_test,
            resumed_from=snapshot.meta.file_name if snapshot else "",
            exact=not differing,
            gpu=device.uuid(numerics.torch_device),
        )
    )
    if numerics.step_path == "manual" and config.training.step_path == "auto" and not snapshot:
        report(events.Log(level="info", message=WITHOUT_COMPILER))
    keep = Retention(run.checkpoints, config.checkpoints, state.checkpoints, report)
    control = Control(inbox, trainer, keep, signals, report)
    report(events.State(status="running"))
    try:
        finished = train(trainer, keep, report, control.go_on)
    except Exception:
        keep.keep_waiting()
        raise
    return control.last_state if control.last_state and not finished else events.State(status="finished")
