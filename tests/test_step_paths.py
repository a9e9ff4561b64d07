"""The hand-written step paths: the reference's weights within a stated tolerance, and exact in themselves."""

import dataclasses
import math
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference_cases import KNOBS, PAIRS, config_of
from tests.running import Cli, has_compiled_path, quick
from tests.test_engine import Syncs
from tests.test_reference import compare, files, tolerance
from tui_trainer.config import RunConfig, change
from tui_trainer.engine import compiled, data, device, model, paths
from tui_trainer.engine.data import Examples, Splits
from tui_trainer.engine.graph import GraphStep
from tui_trainer.engine.manual import ManualStep, is_plain
from tui_trainer.engine.optim import Optimizers
from tui_trainer.engine.step import AutogradStep
from tui_trainer.engine.trainer import Trainer
from tui_trainer.text import InputError

__all__ = ["files"]  # the fixture

NEAR = 2e-6
MUON_NEAR = 1e-3  # Muon orthogonalises in bfloat16, where the last bit of a gradient may turn a rounding
COMPILED = pytest.mark.skipif(not has_compiled_path(), reason="no C++ compiler")
PATHS = ["manual", pytest.param("compiled", marks=COMPILED)]
PLAIN = [
    words
    for words in (*KNOBS, *(" ".join(row) for row in PAIRS))
    if "FILE" not in words and "init=zeros" not in words and is_plain(config_of(words))
]
"""Of zeros all classes come out alike, and rounding decides which one counts as the answer."""


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("words", PLAIN)
def test_weights_after_every_step(words: str, path: str) -> None:
    near = MUON_NEAR if "muon" in words else max(NEAR, tolerance(words))
    compare(config_of(f"{words} step_path={path}"), Path(), near)


def steps(config: RunConfig, images: torch.Tensor, labels: torch.Tensor, chunks: Sequence[int]) -> AutogradStep:
    """A path that has trained on all examples in order, `chunks` steps a call and then the rest."""
    network = model.build(config)
    path = paths.make(
        config.training.step_path, network, Optimizers(config, network, torch.device("cpu")), images, labels, "fp32"
    )
    path.configure(config)
    network.train()
    size = config.training.batch_size
    order, at = torch.arange(len(labels)), 0
    for count in (*chunks, math.ceil(len(labels) / size)):
        part = order[at : at + count * size]
        if len(part):
            path.run(part, [1.0] * math.ceil(len(part) / size))
        at += len(part)
    return path


def weights(path: AutogradStep) -> list[torch.Tensor]:
    return [tensor.clone() for tensor in path.model.state_dict().values()]


shapes = st.fixed_dictionaries(
    {
        "hidden": st.lists(st.integers(1, 150), max_size=3),
        "inputs": st.integers(1, 70),
        "classes": st.integers(2, 40),
        "examples": st.integers(1, 260),
        "batch_size": st.integers(1, 260),
        "optimizer": st.sampled_from(["sgd", "adam", "adadelta", "rmsprop"]),
        "activation": st.sampled_from(["relu", "tanh", "sigmoid", "elu", "leaky_relu", "identity"]),
        "chunks": st.lists(st.integers(1, 5), max_size=4),
    }
)


@pytest.mark.parametrize("path", PATHS)
@settings(max_examples=60, deadline=None)
@given(shape=shapes)
def test_any_shape(path: str, shape: dict[str, object]) -> None:
    """Odd widths, last batches, batches beyond a tile: autograd's weights; and the same bits however it is chunked."""
    inputs, classes, examples = (int(str(shape[key])) for key in ("inputs", "classes", "examples"))
    hidden = "-".join(map(str, shape["hidden"])) or "none"  # type: ignore[call-overload]
    draw = torch.Generator().manual_seed(1)
    images, labels = torch.rand(examples, inputs, generator=draw), torch.randint(classes, (examples,), generator=draw)

    def config(name: str) -> RunConfig:
        words = f"optimizer={shape['optimizer']} activation={shape['activation']} batch_size={shape['batch_size']}"
        return config_of(f"{words} hidden_sizes={hidden} learning_rate=0.01 step_path={name}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunConfig, "layer_sizes", property(lambda c: (inputs, *c.network.hidden_sizes, classes)))
        reference = steps(config("autograd"), images, labels, [])
        whole = steps(config(path), images, labels, [])
        cut = steps(config(path), images, labels, shape["chunks"])  # type: ignore[arg-type]
    (sums, norm), (their_sums, their_norm) = whole.read(), reference.read()
    few = examples <= 10 * int(str(shape["batch_size"]))  # in many steps a ReLU's kink makes much of a rounding
    if few and shape["optimizer"] == "sgd":  # adaptive ones divide by the gradient, which may be all but 0
        for ours, theirs in zip(weights(whole), weights(reference), strict=True):
            assert torch.allclose(ours, theirs, rtol=1e-3, atol=2e-5)
        assert sums.loss == pytest.approx(their_sums.loss, rel=1e-4)
        assert norm == pytest.approx(their_norm, rel=1e-3, abs=1e-6)
    assert all(map(torch.equal, weights(whole), weights(cut)))
    assert cut.read()[0] == sums


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("words", ["sgd", "sgd momentum=0.9", "adam"])
def test_every_step_takes_its_own_rate(words: str, path: str) -> None:
    images, labels, order = torch.rand(64, 64), torch.randint(10, (64,)), torch.arange(64)
    found = []
    for name in (path, "autograd"):
        one = steps(config_of(f"optimizer={words} batch_size=16 step_path={name}"), images, labels, [])
        one.run(order, [1.0, 0.5, 4.0, 0.25])
        found.append(weights(one))
    for ours, theirs in zip(*found, strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("kind", [ManualStep, GraphStep])
def test_where_a_chunk_ends_changes_no_bit_of_the_sum_of_losses(kind: type[ManualStep]) -> None:
    config = config_of("batch_size=2")
    losses = torch.tensor([1e16, 1, -1e16, 1, 1, 1], dtype=torch.float64)  # whose sum depends on the order
    sums = []
    for chunks in ([6], [2, 4], [4, 2], [2, 2, 2]):
        network = model.build(config)
        optimizers = Optimizers(config, network, torch.device("cpu"))
        path = kind(network, optimizers, torch.rand(6, 64), torch.zeros(6, dtype=torch.int64), "fp32")
        path.configure(config)
        for part in losses.split(chunks):
            path.add_losses(part)
        sums.append(path.loss.item())
    assert len(set(sums)) == 1


@COMPILED
@pytest.mark.parametrize("words", ["sgd hidden_sizes=67-33", "adam", "rmsprop", "sgd hidden_sizes=720-700"])
def test_threads_change_no_bit_of_the_compiled_path(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They share the examples, or the columns of layers too wide for a core's cache."""
    monkeypatch.setattr(compiled, "FLOPS_A_THREAD", 1)
    images, labels = torch.rand(500, 64), torch.randint(10, (500,))
    config = config_of(f"optimizer={words} batch_size=130 learning_rate=0.01 step_path=compiled")
    found = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        path = steps(config, images, labels, [])
        assert path.net.threads == path.threads.best == threads  # type: ignore[attr-defined]
        found.append((weights(path), path.read()))
    torch.set_num_threads(1)
    for other, numbers in found[1:]:
        assert all(map(torch.equal, other, found[0][0]))
        assert numbers[0] == found[0][1][0]
    if config.optimizer.name == "sgd":
        reference = steps(change(config, {"training.step_path": "autograd"}), images, labels, [])
        for ours, theirs in zip(found[0][0], weights(reference), strict=True):
            assert torch.allclose(ours, theirs, rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("optimizer", ["sgd", "sgd momentum=0.9", "adam", "adadelta", "muon", "adam clip_norm=0.1"])
def test_no_step_makes_the_host_wait(optimizer: str, path: str) -> None:
    config = quick(*f"optimizer={optimizer} dropout=0 step_path={path}".split())
    numerics = device.choose(config)
    device.prepare(numerics)
    t = Trainer(config, data.load(config, Path(), numerics.torch_device), numerics)
    order, factors = torch.arange(1257), t.factors(13)
    t.path.run(order, factors)
    with Syncs(tensor for name, tensor in t.optimizers.tensors().items() if name.endswith("/step")) as syncs:
        t.path.run(order, factors)
        assert syncs.count == 0


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_weight_that_is_no_number_is_seen_in_the_loss(path: str, optimizer: str) -> None:
    config = config_of(f"optimizer={optimizer} step_path={path}")
    splits = data.load(config, Path(), torch.device("cpu"))
    images = splits.train.images.clone()
    images[3, 5] = math.nan
    poisoned = Splits(Examples(images, splits.train.labels), splits.validation, splits.test)
    t = Trainer(config, poisoned, device.choose(config))
    t.path.run(torch.arange(16), [1.0])
    assert math.isnan(t.path.read()[0].loss)


def test_the_fastest_path_that_can_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    fastest = "compiled" if has_compiled_path() else "manual"
    assert paths.choose(quick(), "cpu") == fastest
    assert paths.choose(quick(), "cuda") == "autograd"
    for words in ("batch_norm=true", "activation=gelu", "activation=maxout", "precision=bf16"):
        assert paths.choose(quick(words), "cpu") == "autograd"
    monkeypatch.setattr(compiled, "library", lambda: None)
    assert paths.choose(quick(), "cpu") == "manual"
    assert paths.choose(quick(), "cpu", recorded="autograd") == "autograd"
    assert paths.choose(quick(), "cpu", recorded="compiled") == "manual"  # gone: the resume is refused for it
    for words, why in (("step_path=compiled", "C.. compiler"), ("step_path=manual batch_norm=true", "cannot train")):
        with pytest.raises(InputError, match=f"training.step_path.*{why}"):
            paths.choose(quick(*words.split()), "cpu")


def test_a_resumed_run_keeps_its_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a faster one is there now; what was compiled otherwise is not resumed in silence."""
    begun = dataclasses.asdict(device.choose(quick("step_path=manual")))
    resumed, differing = device.settle(quick(), begun)
    assert (resumed.step_path, differing) == ("manual", [])
    if has_compiled_path():
        begun = dataclasses.asdict(device.choose(quick()))
        monkeypatch.setattr(compiled, "library", lambda: (None, "another"))
        assert device.settle(quick(), begun)[1] == ["versions"]


def test_without_a_compiler_that_works_runs_train_all_the_same_and_pip_brings_one(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A stand-in for its package calls this machine's own: the real one takes a minute."""
    own = next(compiled.compilers(), None)
    broken = tmp_path / "c++"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("CXX", str(broken))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    few = ("train", "digits", "--plain", "--set", "epochs=1", "--set", "hidden_sizes=8")
    told = cli(*few)
    assert "no compiled step" in told and "pip install ziglang" in told and "finished" in told
    assert "manual" in cli("show", "last")
    status, _, err = cli.result(*few, "--set", "step_path=compiled")
    assert status == 2 and "training.step_path" in err
    if own is None or len(own) > 1:  # it is there already
        return
    package = tmp_path / "site" / "ziglang"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(f"import os, sys\nos.execv({own[0]!r}, [{own[0]!r}, *sys.argv[2:]])\n")
    monkeypatch.setenv("PYTHONPATH", str(package.parent), prepend=os.pathsep)
    assert "building the training step" in cli(*few) and "compiled" in cli("show", "last")
    told = cli(*few)
    assert "building the training step" not in told and "pip install" not in told


def test_threads_follow_the_load() -> None:
    threads = compiled.Threads(4)
    cost = {1: 3.0, 2: 2.0, 4: 1.0}

    def chunks(count: int) -> int:
        for _ in range(count):
            for used in (threads.trial(), threads.best):
                if used:
                    threads.took(used, cost[used])
        return threads.best

    assert chunks(5) == 4
    cost |= {2: 9.0, 4: 9.0}  # somebody else came
    assert chunks(5 * compiled.TRIAL_EVERY) == 1
    cost |= {2: 1.0}
    assert chunks(10 * compiled.TRIAL_EVERY) == 2
    assert compiled.Threads(1).trial() is None
