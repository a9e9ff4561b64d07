"""Whatever the config, a run cut at any step and read back from its checkpoint's file goes on to the same bits."""

import os
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.reference_cases import REGULARISERS, config_of
from tests.running import has_compiled_path, make_run, wait, wait_for_end
from tui_trainer.config import OPTIMIZERS, RunConfig, build, knobs
from tui_trainer.engine import checkpoint, data, device
from tui_trainer.engine import train as loop
from tui_trainer.engine.manual import is_plain
from tui_trainer.engine.train import NothingKept
from tui_trainer.engine.trainer import Trainer
from tui_trainer.runs import commands, events, follow, launch
from tui_trainer.runs.directory import Run
from tui_trainer.runs.state import TERMINAL, Change, RunState

DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")),
]
FIELDS = ("epoch", "step", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "learning_rate")
CASES = [
    *(f"optimizer={name} weight_decay=0.01" for name in OPTIMIZERS),
    "optimizer=sgd momentum=0.9 nesterov=true weight_decay_mode=decoupled weight_decay=0.1",
    "optimizer=rmsprop optimizer.momentum=0.9 centered=true",
    "optimizer=adam rates=slice weight_decay_on=weights weight_decay=0.01 weight_decay_mode=loss",
    "dropout=0.3,0.5 input_dropout=0.2",
    "dropout=0.5 batch_norm=true activation=maxout",
    "schedule=one_cycle",
    "schedule=one_cycle steps=15",
    "schedule=cosine cycles=3 warmup_epochs=0.5",
    "schedule=cosine cycles=2 per=epoch epochs=4",
    "schedule=exponential per=step",
    "schedule=plateau schedule.patience=0 schedule.min_delta=9 gamma=0.5",
    "schedule=plateau schedule.patience=1 schedule.metric=val_accuracy",
    "early_stopping.mode=record early_stopping.patience=1 early_stopping.min_delta=9",
    "early_stopping.mode=stop early_stopping.patience=2 early_stopping.min_delta=9 epochs=5",
    "early_stopping.mode=stop early_stopping.metric=val_loss early_stopping.patience=1 early_stopping.min_delta=0.5",
    "input_noise=0.3 distortion=0.2 label_noise=0.2 on_evaluation=true",
    "frozen=2 batch_norm=true",
    "frozen=1 unfreeze_epoch=2 batch_norm=true optimizer=adagrad",
    "frozen=2 unfreeze_epoch=2 optimizer=muon",
    "accumulate=4",
    "accumulate=3 drop_last=true batch_norm=true clip_norm=0.5",
    "drop_last=true max_norm=0.4 clip_value=0.02 label_smoothing=0.1",
    "steps=8",
    "precision=bf16 batch_norm=true dropout=0.2",
    "deterministic=false hidden_sizes=none",
]
LIVE: list[tuple[int, dict[str, Any]]] = [  # step, what is set
    (2, {"optimizer.learning_rate": 0.02, "network.dropout": (0.5,)}),
    (6, {"regularization.weight_decay": 0.1, "layers.frozen": 1}),
    (8, {"regularization.clip_norm": 0.3, "schedule.name": "cosine"}),
    (9, {"training.epochs": 4, "layers.frozen": 0, "regularization.label_smoothing": 0.1}),
    (13, {"early_stopping.mode": "record", "early_stopping.patience": 1, "early_stopping.min_delta": 9.0}),
]


def changes() -> list[Change]:
    return [Change(f"c{step}", 0, step, wish) for step, wish in LIVE]


def trainer(config: RunConfig, pending: list[Change]) -> Trainer:
    numerics = device.choose(config)
    device.prepare(numerics, config.training.deterministic)
    t = Trainer(config, data.load(config, Path(), numerics.torch_device), numerics)
    t.pending = pending
    return t


def go(t: Trainer, until: int | None = None, chunk_seconds: float = 1.0) -> list[tuple[object, ...]]:
    """Train to step `until`, or to the end; what was said of epochs, early stopping and the final weights."""
    told: list[events.AnyEvent] = []
    with mock.patch.object(loop, "CHUNK_SECONDS", chunk_seconds):
        if until is None or t.step < until:
            loop.train(t, NothingKept(), told.append, lambda: until is None or t.step < until)
    found: list[tuple[object, ...]] = [
        tuple(getattr(e, name) for name in FIELDS) for e in told if isinstance(e, events.Epoch)
    ]
    found += [(e.epoch, e.best_epoch, e.metric) for e in told if isinstance(e, events.EarlyStop)]
    return found + [(e.split, e.loss, e.accuracy, e.step) for e in told if isinstance(e, events.Evaluated)]


def interrupted(config: RunConfig, pending: list[Change], cut: int) -> tuple[Trainer, list[tuple[object, ...]]]:
    """The trainer at the end of a run that was cut after step `cut`, written, read back, and gone on with."""
    first = trainer(config, list(pending))
    before = go(first, cut, chunk_seconds=0)
    with tempfile.TemporaryDirectory() as folder:
        snapshot = checkpoint.read(checkpoint.write(first.capture("last"), Path(folder)))
    torch.rand(3)  # another process has drawn other random numbers
    second = trainer(build(snapshot.meta.config), [c for c in pending if c.id not in snapshot.meta.applied])
    second.restore(snapshot)
    assert second.step == cut
    return second, before + go(second)


def same_state(one: Trainer, other: Trainer) -> None:
    """Weights, optimizer, and every memory; all but the time it took, and the random numbers, which two share here."""
    left, right = one.capture(), other.capture()
    assert left.meta.weights_sha256 == right.meta.weights_sha256
    for name in set(left.meta.__struct_fields__) - {"seconds"}:
        assert getattr(left.meta, name) == getattr(right.meta, name), name
    assert left.tensors.keys() == right.tensors.keys()
    assert all(tensor.equal(right.tensors[name]) for name, tensor in left.tensors.items() if name[:4] != "rng/")


def check(config: RunConfig, pending: list[Change], cuts: list[int]) -> None:
    whole = trainer(config, list(pending))
    told = go(whole)
    for cut in cuts:
        second, also_told = interrupted(config, pending, cut)
        assert sorted(map(str, also_told)) == sorted(map(str, told)), f"cut after step {cut}"
        same_state(second, whole)


HAND_WRITTEN = [
    f"{words} step_path={path}"
    for path in ("manual", "compiled")
    for words in CASES
    if is_plain(config_of(words)) and (path == "manual" or has_compiled_path())
]


@pytest.mark.parametrize("words", HAND_WRITTEN)
def test_cut_on_the_hand_written_paths(words: str) -> None:
    test_cut_within_and_at_the_end_of_an_epoch(words, "cpu")


@pytest.mark.parametrize("where", DEVICES)
@pytest.mark.parametrize("words", CASES)
def test_cut_within_and_at_the_end_of_an_epoch(words: str, where: str) -> None:
    config = config_of(f"epochs=3 {words} device={where}" if "epochs" not in words else f"{words} device={where}")
    per_epoch = config.steps_per_epoch
    check(config, [], [1, per_epoch, min(per_epoch + 2, config.total_steps - 1)])


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("path", ["manual", "auto"])
def test_live_changes_on_the_hand_written_paths(optimizer: str, path: str) -> None:
    check(config_of(f"optimizer={optimizer} epochs=3 step_path={path}"), changes(), [1, 2, 3, 6, 7, 8, 9, 14, 20])


@pytest.mark.parametrize("where", DEVICES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_live_changes_are_kept_or_made_again(optimizer: str, where: str) -> None:
    """Cut before, at and after each change, which is in the checkpoint or is replayed from the log."""
    config = config_of(f"optimizer={optimizer} device={where} epochs=3 dropout=0.1 batch_norm=true")
    check(config, changes(), [1, 2, 3, 6, 7, 8, 9, 14, 20])


@pytest.mark.parametrize(
    ("at", "wish"),
    [
        (27, {"early_stopping.mode": "stop"}),  # within the epoch after the one it was noted in
        (9, {"training.steps": 10}),
        (9, {"training.steps": 9}),  # the run ends where it stands
    ],
    ids=str,
)
def test_told_to_stop_within_an_epoch(at: int, wish: dict[str, Any]) -> None:
    words = "early_stopping.mode=record early_stopping.patience=1 early_stopping.min_delta=9 epochs=5 batch_size=8"
    config = config_of(words)
    pending = [Change("x", 0, at, wish)]
    whole = trainer(config, list(pending))
    told = go(whole)
    first = trainer(config, list(pending))
    before = go(first, at, chunk_seconds=0)
    second = trainer(first.config, [])
    second.restore(first.capture())
    assert sorted(map(str, before + go(second))) == sorted(map(str, told))
    same_state(second, whole)


axes = {
    "optimizer": st.sampled_from(list(OPTIMIZERS)),
    "activation": st.sampled_from(knobs()["network.activation"].choices),
    "init": st.sampled_from([name for name in knobs()["network.init"].choices if name != "zeros"]),
    "schedule": st.sampled_from(["constant", "exponential", "cosine", "one_cycle", "plateau", "step"]),
    "batch_size": st.sampled_from([10, 16, 23, 90, 200]),
    "accumulate": st.sampled_from([1, 1, 2, 5]),
    "drop_last": st.sampled_from(["true", "false"]),
    "hidden_sizes": st.sampled_from(["7-5", "6-6"]),
    "frozen": st.sampled_from([0, 0, 1, 2]),
    "unfreeze_epoch": st.integers(0, 3),
    "rates": st.sampled_from(["same", "slice", "slice_last"]),
    "weight_decay_on": st.sampled_from(["all", "weights"]),
    "seed": st.integers(0, 2**63 - 1),
    "steps": st.sampled_from([0, 0, 7]),
    "step_path": st.sampled_from(["autograd", "auto"]),
}


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.fixed_dictionaries(axes), st.sets(st.sampled_from(REGULARISERS), max_size=4), st.data())
def test_any_config_cut_anywhere(chosen: dict[str, object], extra: set[str], draw: st.DataObject) -> None:
    fields = dict(word.split("=") for words in sorted(extra) for word in words.split())
    words = " ".join(f"{name}={value}" for name, value in {**chosen, **fields, "epochs": 3}.items())
    config = config_of(words)
    pending = draw.draw(st.sampled_from([[], changes()])) if not chosen["steps"] else []
    cut = draw.draw(st.integers(0, config.total_steps - 1))
    check(config, pending, [cut])


KILLED = [
    "optimizer=nadam dropout=0.2 schedule=one_cycle",
    "optimizer=muon batch_norm=true drop_last=true frozen=1 unfreeze_epoch=2 input_noise=0.1",
]
LASTS = "data=digits train_size=0 batch_size=2 epochs=1000 hidden_sizes=32-16 last_seconds=0"
"""Epochs of 629 steps, saved at each one's end, until it is told where to end."""


@pytest.mark.parametrize("words", KILLED)
def test_a_real_worker_killed_twice_with_live_changes(words: str, root: Path, server: launch.ForkServer) -> None:
    config = config_of(f"{LASTS} {words}")
    run = make_run(root, config)
    launch.launch(run, root, standby=server)
    reach(run, lambda state: state.epoch >= 1 and state.step > 640)
    change(run, {"optimizer.learning_rate": 0.002, "regularization.weight_decay": 0.001})
    reach(run, lambda state: state.step > state.changes[0].step + 20)
    first = kill(run)  # the change may be in no checkpoint, and then is made again
    launch.launch(run, root, standby=server)
    reach(run, lambda state: state.step > first.step and len(state.changes) == 1)
    change(run, {"regularization.clip_norm": 0.5})
    second = kill(run)
    launch.launch(run, root, standby=server)
    reach(run, lambda state: state.step > second.step and len(state.changes) == 2)
    assert follow.ask(run, commands.Pause()).ok
    change(run, {"training.epochs": follow.load(run).epoch + 1})
    assert follow.ask(run, commands.Resume()).ok
    ended = wait_for_end(run)
    assert ended.status == "finished" and ended.changes[:2] == second.changes and not ended.pending
    assert ended.changes[0] == first.changes[0]
    undisturbed = trainer(config, ended.changes)
    told = go(undisturbed)
    assert ended.newest_checkpoint
    assert ended.newest_checkpoint.weights_sha256 == undisturbed.capture().meta.weights_sha256
    assert [tuple(getattr(e, name) for name in FIELDS) for e in ended.epochs_done] == told[: ended.epochs]


def reach(run: Run, until: Callable[[RunState], bool]) -> None:
    state = wait(run, lambda state: state.status in TERMINAL or until(state))
    assert state.status == "running", f"{state.status}: {state.reason}"


def change(run: Run, changes: dict[str, Any]) -> None:
    assert follow.ask(run, commands.Set(changes=changes)).ok


def kill(run: Run) -> RunState:
    holder = launch.owner(run)
    assert holder
    os.kill(holder.pid, signal.SIGKILL)
    state = wait_for_end(run)
    assert state.status == "interrupted", state.status
    return state
