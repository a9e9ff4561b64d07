"""What is refused before anything is trained, and the epochs at which a training notes that it would stop, or stops."""

from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock

import psutil
import pytest
import torch

from tests.reference_cases import config_of
from tests.running import Killed, make_run, quick, validating, watched, work
from tests.test_resume_every_config import trainer
from tui_trainer.config import RunConfig, is_live
from tui_trainer.engine import data, device, model
from tui_trainer.engine import train as loop
from tui_trainer.engine.train import NothingKept
from tui_trainer.runs import commands, events
from tui_trainer.runs.state import Change
from tui_trainer.text import InputError, size

CPU = torch.device("cpu")


def bytes_of(config: RunConfig) -> int:
    """By hand, four bytes a number: weights, gradients, two for Adam; data with labels of eight; a batch's values.

    Besides, two layers of the 1257 examples evaluated at once, and three copies of the weights and Adam's two.
    """
    sizes = config.layer_sizes
    parameters = sum(inputs * outputs + outputs for inputs, outputs in pairwise(sizes))
    copies, evaluated = 3 * 3 * parameters, 2 * 1257 * max(sizes[1:])
    return 4 * (4 * parameters + 1797 * (64 + 2) + 3 * config.training.batch_size * sum(sizes) + evaluated + copies)


def test_a_width_that_cannot_fit_is_refused_with_computed_bytes_before_anything_is_allocated(root: Path) -> None:
    config = quick("hidden_sizes=65536-65536-65536")
    needed, free = bytes_of(config), psutil.virtual_memory().available
    assert needed > free
    with mock.patch.object(data, "load") as load, mock.patch.object(model, "build") as build:
        state = work(make_run(root, config))
    assert not load.called and not build.called
    assert (state.status, state.started) == ("failed", None)
    assert "64-65536-65536-65536-10 (8,594,980,874 parameters)" in state.reason
    assert f"needs about {size(needed)}" in state.reason
    assert "free" in state.reason and "cpu" in state.reason


@pytest.mark.parametrize(("spare", "fits"), [(0, True), (-1, False)])
def test_what_just_fits_is_trained(spare: int, fits: bool) -> None:
    config = quick("hidden_sizes=300")
    with mock.patch.object(psutil, "virtual_memory") as memory:
        memory.return_value.available = bytes_of(config) + spare
        if fits:
            device.check_memory(config, device.choose(config).torch_device)
        else:
            with pytest.raises(InputError, match=r"network\.hidden_sizes: 64-300-10"):
                device.check_memory(config, device.choose(config).torch_device)


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        # 1257 examples to train on, 270 each to validate and to test; 40 sums behind 10 units
        ("input_noise=0.1", 1257 * 64),
        ("input_noise=0.1 distortion=0.1", 2 * 1257 * 64),
        ("distortion=0.1 on_evaluation=true", 1797 * 64),
        ("activation=maxout maxout_pieces=4", (4 + 9) * (64 + 1) * 30 + 3 * 100 * 30 + 2 * 1257 * 30),
    ],
)
def test_copies_with_noise_and_the_sums_behind_maxout_units_are_counted(words: str, numbers: int) -> None:
    config = quick("hidden_sizes=10")
    more = device.memory_needed(quick("hidden_sizes=10", *words.split()), CPU)
    assert sum(more.values()) - sum(device.memory_needed(config, CPU).values()) == 4 * numbers


def test_on_a_gpu_larger_batches_are_evaluated_and_what_is_saved_lies_elsewhere() -> None:
    config = quick("data=mnist", "hidden_sizes=300")
    on_cpu, on_gpu = (device.memory_needed(config, torch.device(name)) for name in ("cpu", "cuda"))
    assert (on_cpu["evaluation"], on_gpu["evaluation"]) == (4 * 2 * 2048 * 300, 4 * 2 * 16_384 * 300)
    assert (on_cpu["saving"], on_gpu["saving"]) == (3 * (on_cpu["weights"] + on_cpu["optimizer_state"]), 0)


def test_a_run_does_not_go_on_with_another_file_of_its_name_unless_asked(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "points.csv"
    file.write_text("a,b,label\n" + "1,2,x\n3,1,y\n" * 20)
    run = make_run(root, quick("data=csv", f"file={file}", "epochs=2"))
    work(run)
    file.write_text("a,b,label\n" + '1.0,2,"x"\n3,1,y\n' * 20)  # written otherwise, but the same
    state = work(run, changes={"training.epochs": 3})
    assert (state.status, state.reason, state.epoch) == ("finished", "", 3)
    file.write_text("a,b,label\n" + "1,2,x\n3,1,y\n" * 19 + "1,2,x\n3,1,x\n")
    refused = work(run, changes={"training.epochs": 4})
    assert refused.reason.startswith("not resumed: data_file changed since the run began") and refused.epoch == 3
    state = work(run, changes={"training.epochs": 4}, approximate=True)
    assert state.epoch == 4 and state.started and not state.started.exact


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        ("batch_norm=true batch_size=89", True),
        ("batch_norm=true batch_size=1", True),
        ("batch_norm=true batch_size=1 drop_last=true", True),
        ("batch_norm=true batch_size=89 drop_last=true", False),
        ("batch_norm=true batch_size=90", False),
        ("batch_norm=true batch_size=88", False),
        ("batch_norm=true batch_size=500", False),
        ("batch_norm=false batch_size=89", False),
        ("batch_norm=true batch_size=89 hidden_sizes=none", False),
        ("batch_norm=true batch_size=500 train_size=1 drop_last=true", True),
    ],
)
def test_a_last_batch_of_one_example_cannot_be_normalised(words: str, refused: bool) -> None:
    config = config_of(words)
    if refused:
        with pytest.raises(InputError, match=r"network\.batch_norm: .* leave a last batch of one"):
            trainer(config, [])
    else:
        loop.train(trainer(config, []), NothingKept(), lambda _: None, lambda: True)


def test_freezing_every_layer_leaves_nothing_to_train() -> None:
    with pytest.raises(InputError, match=r"layers\.frozen: 3 of 3 layers leave nothing to train"):
        config_of("frozen=3")
    t = trainer(config_of("frozen=2"), [])
    with pytest.raises(InputError, match="nothing to train"):
        t.change(Change("x", 0, 0, {"layers.frozen": 3}))


def test_where_the_sum_of_squares_starts_is_no_live_setting() -> None:
    assert is_live("optimizer.lr_decay") and not is_live("optimizer.initial_accumulator")


VALIDATION = [(0.9, 0.5), (0.7, 0.7), (0.8, 0.7), (0.6, 0.6), (0.5, 0.7), (0.4, 0.8), (0.3, 0.8)]
"""Loss and accuracy of each epoch."""


def stops(words: str, changes: list[Change] | None = None) -> tuple[int, list[tuple[int, int, str]], int]:
    """Epochs trained, what was said of stopping, the best epoch."""
    t = trainer(config_of(f"epochs=7 {words}"), changes or [])
    told: list[events.AnyEvent] = []
    with mock.patch.object(loop, "evaluate", validating(*VALIDATION, (0.0, 0.0))):
        loop.train(t, NothingKept(), told.append, lambda: True)
    assert t.best
    early = [(e.epoch, e.best_epoch, e.metric) for e in told if isinstance(e, events.EarlyStop)]
    return len([e for e in told if isinstance(e, events.Epoch)]), early, t.best.epoch


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("mode=off patience=1", (7, [], 6)),
        ("mode=record patience=2", (7, [(4, 2, "val_accuracy")], 6)),  # the first of equal epochs is the best
        ("mode=stop patience=2", (4, [(4, 2, "val_accuracy")], 2)),
        ("mode=stop patience=1", (3, [(3, 2, "val_accuracy")], 2)),
        ("mode=stop patience=4", (7, [], 6)),
        ("mode=stop patience=2 metric=val_loss", (7, [], 6)),
        ("mode=record patience=1 metric=val_loss", (7, [(3, 2, "val_loss")], 6)),
        ("mode=stop patience=2 min_delta=0.15", (4, [(4, 2, "val_accuracy")], 2)),
        ("mode=stop patience=3 min_delta=0.25", (4, [(4, 1, "val_accuracy")], 2)),
    ],
)
def test_early_stopping(words: str, expected: tuple[Any, ...]) -> None:
    assert stops(" ".join(f"early_stopping.{word}" for word in words.split())) == expected


def test_another_metric_is_watched_afresh() -> None:
    """An accuracy of 0.7 is no better loss than 0.6."""
    words = "early_stopping.mode=record early_stopping.patience=9"
    change = Change("x", 0, 15, {"early_stopping.metric": "val_loss", "early_stopping.patience": 2})  # in epoch 3
    assert stops(words, [change]) == (7, [], 6)
    change = Change("x", 0, 15, {"early_stopping.metric": "val_loss", "early_stopping.min_delta": 9.0})
    again = Change("y", 0, 16, {"early_stopping.patience": 2})
    assert stops(words, [change, again]) == (7, [(5, 3, "val_loss")], 6)


@pytest.mark.usefixtures("every_step_is_a_chunk")
def test_a_change_given_on_resume_comes_before_those_made_again_later(root: Path) -> None:
    run = make_run(root, quick("last_seconds=1000", "best=false"))
    wishes: dict[int, commands.AnyCommand] = {
        5: commands.Save(),
        11: commands.Set(changes={"optimizer.learning_rate": 0.01}),
    }

    def react(event: events.AnyEvent) -> None:
        if isinstance(event, events.Metrics):
            if event.step in wishes:
                commands.send(run.inbox, wishes.pop(event.step))
            if event.step == 12:
                raise Killed

    with pytest.raises(Killed), watched(react):
        work(run)
    state = work(run, changes={"regularization.weight_decay": 0.1})
    assert state.status == "finished"
    assert [(c.step, *c.changes) for c in state.changes] == [
        (5, "regularization.weight_decay"),
        (11, "optimizer.learning_rate"),
    ]


@pytest.fixture
def every_step_is_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "CHUNK_SECONDS", 0)
    monkeypatch.setattr(loop, "METRICS_INTERVAL", 0)
