"""`fold`: the one way from events to everything any reader knows about a run."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable
from itertools import groupby, islice
from operator import attrgetter
from typing import Any, cast

from tui_trainer.config import change
from tui_trainer.runs import events
from tui_trainer.runs.state import EPOCH_SERIES, METRIC_SERIES, Change, LogLine, RunState, outweighed
from tui_trainer.text import InputError, clean

CHECKPOINT_NAME = re.compile(r"e[0-9]{4,}-s[0-9]{6,}\.safetensors")


def fold(state: RunState, event: events.AnyEvent) -> None:
    """Take one event into the state."""
    state.events_seen += 1
    state.last_event = event.time
    _FOLDERS[type(event)](state, event)


def fold_all(state: RunState, several: Iterable[events.AnyEvent]) -> None:
    """Take them in as `fold` does one after another, only faster."""
    for kind, alike in groupby(several, type):
        if kind is events.Metrics:
            many = list(alike)
            state.events_seen += len(many)
            state.last_event = many[-1].time
            _many_metrics(state, cast("list[events.Metrics]", many))
        else:
            for event in alike:
                fold(state, event)


def _started(state: RunState, event: events.Started) -> None:
    state.started = event
    state.status, state.reason = "starting", ""
    state.evaluations.clear()
    resumed = f", resumed from {event.resumed_from}" if event.resumed_from else ""
    approximate = "" if event.exact else " (approximate: device, threads, versions or the data differ)"
    _note(
        state,
        event,
        f"started on {event.device_name}, {event.threads} threads, {event.precision}{resumed}{approximate}",
    )


def _state(state: RunState, event: events.State) -> None:
    state.status, state.reason = event.status, clean(event.reason)
    state.worker_pid = event.pid or state.worker_pid
    level: events.Level = "error" if event.status == "failed" else "info"
    _note(state, event, f"{event.status}: {event.reason}" if event.reason else event.status, level)


def _metrics(state: RunState, event: events.Metrics) -> None:
    _many_metrics(state, [event])


def _many_metrics(state: RunState, many: list[events.Metrics]) -> None:
    """Each quantity in one go: a long run is almost nothing but these."""
    state.metrics = many[-1]
    state.step, state.seconds = many[-1].step, many[-1].seconds
    series = state.series
    series["train_loss"].steps.extend(_steps(many))  # of all these series, which share one array
    for name, attribute in METRIC_SERIES:
        series[name].values.extend(array("d", list(map(attrgetter(attribute), many))))
    norms = [event for event in many if event.gradient_norm is not None]
    series["gradient_norm"].steps.extend(_steps(norms))
    series["gradient_norm"].values.extend(array("d", list(map(attrgetter("gradient_norm"), norms))))


def _steps(many: list[events.Metrics]) -> array[int]:
    return array("q", [event.step for event in many])


def _epoch(state: RunState, event: events.Epoch) -> None:
    state.epochs_done.append(event)
    state.epoch, state.step, state.seconds = event.epoch, event.step, event.seconds
    for name, attribute in EPOCH_SERIES.items():
        state.series[name].append(event.step, getattr(event, attribute))
    star = ""
    if state.best is None or event.val_accuracy > state.best.val_accuracy:
        state.best, star = event, "  ★ best"
    _note(
        state,
        event,
        f"epoch {event.epoch}  train {event.train_loss:.4f}  {100 * event.train_accuracy:.2f} %"
        f"  val {event.val_loss:.4f}  {100 * event.val_accuracy:.2f} %{star}",
    )


def _boundary(state: RunState, event: events.Boundary) -> None:
    state.boundary = event


def _neurons(state: RunState, event: events.Neurons) -> None:
    state.neurons = event


def _confusion(state: RunState, event: events.Confusion) -> None:
    """A log may come from anywhere: what is no square is no matrix."""
    if all(len(row) == len(event.counts) for row in event.counts):
        state.confusion = event


def _early_stop(state: RunState, event: events.EarlyStop) -> None:
    state.early_stop = event
    _note(state, event, f"early stopping: {event.metric} no better since epoch {event.best_epoch}")


def _evaluated(state: RunState, event: events.Evaluated) -> None:
    state.evaluations[(event.which, event.split)] = event
    weights = "final weights" if event.which == "final" else f"best epoch, {event.epoch},"
    _note(
        state,
        event,
        f"{weights} on {event.split}: loss {event.loss:.4f}  accuracy {100 * event.accuracy:.2f} %",
    )


def _checkpoint(state: RunState, event: events.Checkpoint) -> None:
    """A log may come from anywhere: a file of any other name would be looked for, opened and deleted by that name."""
    if not CHECKPOINT_NAME.fullmatch(event.file):
        return
    state.checkpoints[event.file] = event
    state.hashes[event.step] = event.weights_sha256
    state.step = max(state.step, event.step)  # a pause or a stop saves between two `Metrics`
    _note(state, event, f"saved {clean(event.file)} ({', '.join(map(clean, event.kinds))})")


def _removed(state: RunState, event: events.Removed) -> None:
    state.checkpoints.pop(event.file, None)


def _log(state: RunState, event: events.Log) -> None:
    _note(state, event, event.message, event.level)


def _applied(state: RunState, event: events.Applied) -> None:
    state.acknowledged[event.id] = event
    if len(state.acknowledged) > 1000:  # the oldest have long been read by whoever asked
        for old in list(islice(state.acknowledged, 500)):
            del state.acknowledged[old]
    if event.changes and event.ok and event.id not in {c.id for c in state.changes}:
        try:
            state.config = change(state.config, event.changes)
        except InputError as error:  # a log may come from anywhere, also one that somebody wrote into
            _note(state, event, f"{event.command}: cannot have been: {error}", "error")
            return
        state.changes.append(Change(event.id, event.epoch, event.step, event.changes))
        left = [c for c in state.pending if c.id != event.id]
        is_new = len(left) == len(state.pending)
        state.pending = outweighed(left, event.changes) if is_new else left
    level: events.Level = "info" if event.ok else "warning"
    _note(state, event, f"{event.command}: {event.message}" if event.message else event.command, level)


def _rewound(state: RunState, event: events.Rewound) -> None:
    for series in state.series.values():
        series.rewind(event.step)
    if state.metrics and state.metrics.step > event.step:
        state.metrics = None
    while state.epochs_done and state.epochs_done[-1].epoch > event.epoch:
        state.epochs_done.pop()
    for name in EPOCH_SERIES:  # an epoch that a change of `steps` ended early may end at this very step
        state.series[name].rewind(state.epochs_done[-1].step if state.epochs_done else 0)
    if state.early_stop and state.early_stop.epoch > event.epoch:
        state.early_stop = None
    if state.boundary and state.boundary.step > event.step:
        state.boundary = None
    if state.neurons and state.neurons.step > event.step:
        state.neurons = None
    if state.confusion and state.confusion.step > event.step:
        state.confusion = None
    state.best = max(state.epochs_done, key=lambda e: e.val_accuracy, default=None)  # max keeps the first of equals
    state.checkpoints = {file: c for file, c in state.checkpoints.items() if c.step <= event.step}
    state.hashes = {step: sha for step, sha in state.hashes.items() if step <= event.step}
    taken_back = [c for c in state.changes if (c.epoch, c.step) > (event.epoch, event.step)]
    if taken_back:
        state.changes = [c for c in state.changes if c not in taken_back]
        state.pending = [*taken_back, *state.pending]
        state.config = state.config_at(event.step)
    state.epoch, state.step, state.seconds = event.epoch, event.step, event.seconds
    _note(state, event, f"rewound to step {event.step:,}")


def _note(state: RunState, event: events.AnyEvent, message: str, level: events.Level = "info") -> None:
    state.lines_seen += 1
    state.log.append(LogLine(event.time, level, clean(message)))


_FOLDERS: dict[type, Callable[[RunState, Any], None]] = {
    events.Started: _started,
    events.State: _state,
    events.Metrics: _metrics,
    events.Epoch: _epoch,
    events.Boundary: _boundary,
    events.Neurons: _neurons,
    events.Confusion: _confusion,
    events.EarlyStop: _early_stop,
    events.Evaluated: _evaluated,
    events.Checkpoint: _checkpoint,
    events.Removed: _removed,
    events.Log: _log,
    events.Applied: _applied,
    events.Rewound: _rewound,
}
