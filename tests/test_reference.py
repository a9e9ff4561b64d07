"""Every value of every knob means what plain PyTorch makes of it: weights compared after each step.

On the CPU the same kernels run in the same order, so nearly everything must be equal to the bit. `CLOSE` names the
settings whose arithmetic is written in another order in the reference; there, and on CUDA, float32 may round otherwise.
"""

import csv
import itertools
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch

from tests import reference
from tests.reference import History
from tests.reference_cases import BASE, KNOBS, LIVE, ON_CUDA, ON_MNIST, PAIRS, REGULARISERS, config_of, missing
from tui_trainer.config import OPTIMIZERS, RunConfig
from tui_trainer.engine import data, device
from tui_trainer.engine import train as loop
from tui_trainer.engine.train import NothingKept
from tui_trainer.engine.trainer import Trainer
from tui_trainer.runs import events
from tui_trainer.runs.state import Change

CLOSE = {
    "accumulate": 2e-6,  # shares of a batch are scaled one by one
    "max_norm": 2e-6,  # torch.renorm divides by length + 1e-7
    "schedule": 2e-6,  # PyTorch's schedulers multiply on from step to step
    "rates=slice": 2e-6,
    "adam_learning_rate": 2e-6,
    "scaling=standardise": 2e-6,
    # differentiated, not added: an adaptive step is g/|g|, so rounding shows where g is nearly 0; steps are near 1e-2
    "weight_decay_mode=loss": 1e-4,
    "distortion": 1e-4,  # bilinear look-up by hand; the same
}
"""Absolute tolerance by setting."""
cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a .csv and an .npz of 3 classes."""
    folder = tmp_path_factory.mktemp("own")
    random = np.random.RandomState(0)
    y = np.arange(120) % 3
    x = (random.normal(size=(120, 4)) + y[:, None]).astype(np.float32)
    np.savez(folder / "own.npz", x=x, y=y)
    with (folder / "own.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["a", "b", "kind", "c", "d"])
        writer.writerows([[a, b, "xyz"[k], c, d] for (a, b, c, d), k in zip(x.tolist(), y, strict=True)])
    return folder


def trained(config: RunConfig, root: Path, changes: list[Change]) -> tuple[list[torch.Tensor], History]:
    """The engine's own training, looked at after every step: initial weights, then what the reference also tells."""
    numerics = device.choose(config)
    device.prepare(numerics, config.training.deterministic)
    t = Trainer(config, data.load(config, root, numerics.torch_device), numerics)
    t.pending = changes
    told = History()

    def weights() -> list[torch.Tensor]:
        return [tensor.detach().cpu().clone() for tensor in t.model.state_dict().values()]

    def look() -> bool:
        if t.step > len(told.weights):
            told.weights.append(weights())
        return True

    def report(event: events.AnyEvent) -> None:
        look()
        if isinstance(event, events.Epoch):
            numbers = (event.train_loss, event.train_accuracy, event.val_loss, event.val_accuracy, event.learning_rate)
            told.epochs.append(numbers)

    initial = weights()
    with mock.patch.object(loop, "CHUNK_SECONDS", 0):
        assert loop.train(t, NothingKept(), report, look)
    told.early_stop_epoch = t.early_stop_epoch
    return initial, told


def compare(config: RunConfig, root: Path, near: float, fused: bool = True, change: Change | None = None) -> History:
    initial, ours = trained(config, root, [change] if change else [])
    on = device.choose(config).torch_device
    theirs = reference.train(config, root, on, initial, {change.step: change.changes} if change else {}, fused)
    assert len(ours.weights) == len(theirs.weights) > 0
    near = near if on.type == "cpu" else 1e-4
    for step, (left, right) in enumerate(zip(ours.weights, theirs.weights, strict=True), 1):
        for number, (a, b) in enumerate(zip(left, right, strict=True)):
            same = torch.allclose(a, b, rtol=1e-4, atol=near) if near else torch.equal(a, b)
            assert same, f"after step {step}, tensor {number}: off by {(a - b).abs().max():.3g}"
    assert ours.epochs == [pytest.approx(epoch, rel=1e-4, abs=1e-9) for epoch in theirs.epochs]
    assert ours.early_stop_epoch == theirs.early_stop_epoch
    return ours


def tolerance(words: str) -> float:
    """0 is equality to the bit."""
    return max((near for setting, near in CLOSE.items() if setting in words), default=0.0)


@pytest.mark.parametrize("words", [*KNOBS, *(pytest.param(words, marks=cuda) for words in ON_CUDA)])
def test_every_knob(words: str, files: Path) -> None:
    config = config_of(words, files)
    told = compare(config, Path(), tolerance(words))
    if config.schedule.name == "plateau":
        assert len({epoch[-1] for epoch in told.epochs}) > 1, "the rate never falls"
    if config.early_stopping.mode != "off":
        assert told.early_stop_epoch, "never stops"


@pytest.mark.parametrize("words", ON_MNIST)
def test_every_cut_of_mnist(words: str, mnist: Path) -> None:
    compare(config_of(words), mnist, tolerance(words))


@pytest.mark.parametrize("row", PAIRS, ids=" ".join)
def test_every_pair_of_activation_init_optimizer_and_regulariser(row: tuple[str, ...]) -> None:
    words = " ".join(row)
    compare(config_of(words), Path(), tolerance(words))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_against_the_plain_loop_over_parameters(name: str) -> None:
    """The slowest, most readable kernels of torch.optim: other kernels, so float32 may round otherwise."""
    compare(config_of(f"optimizer={name} learning_rate=0.003 weight_decay=0.01"), Path(), 2e-6, fused=False)


@pytest.mark.parametrize("case", LIVE)
def test_a_live_change_acts_from_the_next_step_on(case: str) -> None:
    words, changes = LIVE[case]
    changed = compare(config_of(words), Path(), 1e-4, change=Change("x", 0, 4, changes))
    _, unchanged = trained(config_of(words), Path(), [])
    same = [all(map(torch.equal, a, b)) for a, b in zip(changed.weights, unchanged.weights, strict=False)]
    assert all(same[:4]) and (not all(same) or len(changed.weights) != len(unchanged.weights))


def test_the_table_has_every_value_of_every_knob(files: Path) -> None:
    configs = [config_of(words, files) for words in (*KNOBS, *ON_MNIST, *ON_CUDA)]
    assert missing(configs) == []
    assert any("nadam" in gap for gap in missing([c for c in configs if c.optimizer.name != "nadam"]))


def test_the_pairs_are_all_there() -> None:
    configs = [config_of(" ".join(row)) for row in PAIRS]
    values: list[list[str]] = [[c.network.activation for c in configs], [c.network.init for c in configs]]
    values += [[c.optimizer.name for c in configs], [row[3] for row in PAIRS]]
    sizes = [9, 8, len(OPTIMIZERS), len(REGULARISERS)]
    for (left, some), (right, others) in itertools.combinations(zip(values, sizes, strict=True), 2):
        assert len(set(zip(left, right, strict=True))) == some * others


def test_accumulated_batches_are_one_large_batch() -> None:
    """By the field's words alone: four batches of 16 make the update of one batch of 64."""
    _, small = trained(config_of("accumulate=4 optimizer=sgd"), Path(), [])
    _, large = trained(config_of("batch_size=64 optimizer=sgd"), Path(), [])
    for left, right in zip(small.weights, large.weights, strict=True):
        assert all(torch.allclose(a, b, rtol=1e-4, atol=2e-6) for a, b in zip(left, right, strict=True))


def test_base_is_what_it_says() -> None:
    config = config_of("")
    assert (config.steps_per_epoch, config.split.train % config.training.batch_size) == (6, 10), BASE
