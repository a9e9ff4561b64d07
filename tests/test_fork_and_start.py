"""Runs that begin at another run's checkpoint, what is frozen, what is refused, and when a run ends early."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.reference_cases import config_of
from tests.running import Cli, quick, wait_for_end, work
from tests.test_resume_every_config import go, trainer
from tui_trainer.config import OPTIMIZERS, RunConfig
from tui_trainer.engine import checkpoint
from tui_trainer.runs import follow
from tui_trainer.runs.directory import Run, Start, create
from tui_trainer.runs.state import RunState
from tui_trainer.text import InputError


def new_run(root: Path, config: RunConfig, start: Start | None = None) -> Run:
    return create(root, config, "test", "", Path("/nowhere"), start)


def weights(run: Run) -> dict[str, torch.Tensor]:
    return checkpoint.read(newest(run)).part("model")


def newest(run: Run) -> Path:
    return next(checkpoint.scan(run.checkpoints))


def epochs(state: RunState) -> list[tuple[float, ...]]:
    return [(e.epoch, e.step, e.train_loss, e.val_loss, e.val_accuracy) for e in state.epochs_done]


@pytest.mark.parametrize(
    "words",
    [
        "optimizer=nadam dropout=0.3 batch_norm=true",
        "optimizer=muon schedule=exponential per=step input_noise=0.1",
        "schedule=plateau schedule.patience=0 schedule.min_delta=9 gamma=0.5 optimizer=rmsprop centered=true",
    ],
)
def test_a_fork_with_more_epochs_is_the_parent_carried_further(words: str, root: Path) -> None:
    parent = new_run(root, quick(*words.split()))
    work(parent)
    fork = new_run(root, quick(*words.split(), "epochs=5"), Start(parent.id, newest(parent), "continue"))
    forked = work(fork)
    carried = work(parent, changes={"training.epochs": 5})
    assert forked.status == carried.status == "finished" and forked.parent == parent.id
    assert epochs(forked) == epochs(carried)[3:] and len(epochs(carried)) == 5
    assert checkpoint.read(newest(fork)).meta.weights_sha256 == checkpoint.read(newest(parent)).meta.weights_sha256


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("weight_decay_on=weights rates=same", "weight_decay_on=weights rates=slice"),
        ("weight_decay_on=all", "weight_decay_on=weights"),
        ("weight_decay_on=weights optimizer=muon", "weight_decay_on=all optimizer=muon"),
    ],
)
def test_each_parameter_keeps_its_own_memory_when_a_fork_groups_them_otherwise(before: str, after: str) -> None:
    first = trainer(config_of(f"optimizer=adam {before}"), [])
    go(first, 6)
    second = trainer(config_of(f"optimizer=adam {after}"), [])
    second.start_from(first.capture(), "continue")

    def memories(t: Any) -> list[list[torch.Tensor]]:
        states = [member.state.get(p, {}) for p in t.model.parameters() for member in t.optimizers.members]
        return [[value for value in state.values() if value.ndim] for state in states]

    for left, right in zip(memories(first), memories(second), strict=True):
        assert len(left) == len(right) and all(map(torch.equal, left, right))
    go(second)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_fork_may_take_any_other_optimizer(name: str) -> None:
    first = trainer(config_of("optimizer=adamw weight_decay=0.01"), [])
    go(first, 6)
    second = trainer(config_of(f"optimizer={name} weight_decay=0.01 clip_norm=1 dropout=0.2 schedule=cosine"), [])
    second.start_from(first.capture(), "continue")
    assert (second.epoch, second.step, second.best) == (1, 6, None)
    go(second)
    assert second.step == 12


def test_within_an_epoch_only_with_the_same_division(root: Path) -> None:
    first = trainer(config_of(""), [])
    go(first, 4, chunk_seconds=0)
    inside = first.capture()
    for words in ("batch_size=8", "accumulate=2", "drop_last=true", "seed=4", "train_size=80"):
        with pytest.raises(InputError, match="lies inside an epoch that would be divided otherwise"):
            trainer(config_of(words), []).start_from(inside, "continue")
    second = trainer(config_of("learning_rate=0.02"), [])
    second.start_from(inside, "continue")
    go(second)
    assert second.step == 12
    go(first, 6)
    other = trainer(config_of("batch_size=8 epochs=3"), [])
    other.start_from(first.capture(), "continue")
    go(other)
    assert (other.epoch, other.step) == (3, 6 + 2 * 12)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("hidden_sizes=5", "do not fit the network 64-5-10"),
        ("batch_norm=true", "do not fit the network"),
        ("data=blobs", "do not fit the network 2-12-8-3"),
        ("", "nothing left to train"),
        ("steps=3", "nothing left to train"),
    ],
)
def test_a_fork_that_cannot_go_on_is_refused(words: str, problem: str) -> None:
    first = trainer(config_of(""), [])
    go(first)
    with pytest.raises(InputError, match=problem):
        trainer(config_of(words), []).start_from(first.capture(), "continue")


@pytest.mark.parametrize("words", ["", "batch_norm=true", "bias=false batch_norm=true dropout=0.2 activation=maxout"])
def test_fine_tuning_with_a_new_output_layer_and_frozen_first_layers(words: str, tmp_path: Path, root: Path) -> None:
    """Digits' ten classes, then six others of the same shape: frozen tensors are bit-identical afterwards."""
    parent = new_run(root, quick("hidden_sizes=16-12", *words.split()))
    work(parent)
    random = np.random.RandomState(0)
    own = tmp_path / "own.npz"
    np.savez(own, x=random.rand(300, 64).astype(np.float32), y=np.arange(300) % 6)
    settings = ("data=npz", f"file={own}", "hidden_sizes=16-12", *words.split(), "frozen=2", "weight_decay=0.1")
    start = Start(parent.id, newest(parent), "weights")
    child = new_run(root, quick(*settings), start)
    state = work(child)
    assert state.status == "finished" and state.parent == parent.id, state.reason
    before, after = weights(parent), weights(child)
    last = max(int(name.partition(".")[0]) for name in after)
    kept = [name for name in after if int(name.partition(".")[0]) < last]
    assert len(kept) == (4 if not words else 14 if "bias" not in words else 12)
    assert all(torch.equal(before[name], after[name]) for name in kept)
    assert (len(before[f"{last}.weight"]), len(after[f"{last}.weight"])) == (10, 6)
    fresh = trainer(quick(*settings), []).model.state_dict()[f"{last}.weight"]
    assert not torch.equal(fresh, after[f"{last}.weight"])
    thawed = new_run(root, quick(*settings, "unfreeze_epoch=2"), start)
    work(thawed)
    assert not any(torch.equal(before[name], weights(thawed)[name]) for name in kept if name.endswith(".weight"))


def test_the_command_line_forks_and_starts_from_weights(cli: Cli) -> None:
    parent = cli.train("hidden_sizes=16", "batch_size=100", "epochs=2", "threads=1")
    wait_for_end(parent)
    status, _, err = cli.result("fork", parent.id, "--detach")
    assert (status, len(list(cli.runs.iterdir()))) == (2, 1) and "nothing left to train" in err
    fork = cli.find(cli("fork", parent.id, "--set", "epochs=4", "--set", "batch_size=50", "--detach").split()[-1])
    other = cli.find(cli("train", "digits", "--from", parent.id, "--set", "hidden_sizes=16", "--detach").split()[-1])
    for run, first_epoch in ((fork, 3), (other, 1)):
        state = wait_for_end(run)
        assert (state.status, state.parent, state.epochs_done[0].epoch) == ("finished", parent.id, first_epoch)
        assert json.loads(cli("show", run.id, "--json"))["parent"] == parent.id
    assert follow.load(parent).status == "finished"


def test_a_field_that_is_not_live_is_refused_with_the_offer_to_fork(cli: Cli) -> None:
    run = cli.train("batch_size=1", "epochs=100000", "threads=1")
    status, out, err = cli.result("set", run.id, "batch_size=7", "optimizer=sgd", "hidden_sizes=5", "dropout=0.1")
    assert (status, out) == (2, "")
    for path in ("training.batch_size", "optimizer.name", "network.hidden_sizes"):
        assert f"{path}: cannot change in a run that has begun, but in a fork: tui-trainer fork" in err
    assert follow.load(run).status == "running" and not follow.load(run).changes
    cli("stop", run.id, "--discard")


@pytest.mark.parametrize(
    ("words", "further"),
    [
        ("epochs=2", "epochs=12"),
        ("steps=20 epochs=1", "steps=1020"),
        ("early_stopping.mode=stop patience=1 min_delta=1", "early_stopping.mode=off"),
    ],
)
def test_a_finished_run_says_what_would_carry_it_further(words: str, further: str, cli: Cli) -> None:
    run = new_run(cli.runs, quick(*words.split()))
    work(run)
    before = run.events_file.read_bytes()
    status, out, err = cli.result("resume", run.id)
    assert (status, out) == (2, "") and err.count("\n") == 1
    assert err.endswith(f"; to carry it further: tui-trainer resume {run.id} --set {further}\n")
    assert run.events_file.read_bytes() == before


def test_a_run_of_so_many_steps_is_carried_further_by_more_of_them(cli: Cli) -> None:
    run = new_run(cli.runs, quick("steps=20", "epochs=1"))
    work(run)
    assert "resumed from e0002-s000020" in cli("resume", run.id, "--set", "steps=30")
    assert wait_for_end(run).step == 30
