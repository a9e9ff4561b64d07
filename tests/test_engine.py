"""The engine computes what a plain PyTorch loop computes, to the bit where both use the same kernels."""

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from tests.running import make_run, quick, work
from tests.test_resume import run_on, splits, trainer
from tui_trainer import config as configs
from tui_trainer.config import RunConfig, build
from tui_trainer.engine import data, device, evaluate, model, paths
from tui_trainer.engine.data import Examples, order_of
from tui_trainer.engine.seeds import seed_of
from tui_trainer.engine.trainer import Trainer
from tui_trainer.text import InputError

KINDS = ("weight", "bias")
EXACT = ("step_path=autograd", "batch_size=50")  # PyTorch's own kernels in PyTorch's own order
LIMITS = "dropout=0.2 input_dropout=0.1 weight_decay=0.1 clip_norm=0.1 clip_value=0.1 max_norm=1 label_smoothing=0.1"
ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}
OPTIMIZERS: dict[str, tuple[list[str], Callable[[Any], torch.optim.Optimizer]]] = {
    "sgd": (
        ["optimizer=sgd", "learning_rate=0.1", "weight_decay=0.01"],
        lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.01, fused=True),
    ),
    "momentum": (
        ["optimizer=sgd", "learning_rate=0.1", "momentum=0.9"],
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, fused=True),
    ),
    "adam": (
        ["learning_rate=0.01", "betas=0.8,0.99", "eps=0.001", "weight_decay=0.01"],
        lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.8, 0.99), eps=0.001, weight_decay=0.01, fused=True),
    ),
    "adadelta": (
        ["optimizer=adadelta", "learning_rate=0.5", "rho=0.8", "eps=1e-5", "weight_decay=0.01"],
        lambda p: torch.optim.Adadelta(p, lr=0.5, rho=0.8, eps=1e-5, weight_decay=0.01),
    ),
}


def plain_network(config: RunConfig) -> nn.Sequential:
    """As one writes it by hand, with the engine's first weights."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(config.layer_sizes):
        layers += [nn.Linear(inputs, outputs), ACTIVATIONS[config.network.activation]()]
    network = nn.Sequential(*layers[:-1])
    network.load_state_dict(model.build(config).state_dict())
    return network


def update(t: Trainer, order: Tensor) -> None:
    """One update for each batch of `order`."""
    t.path.run(order, t.factors(math.ceil(len(order) / t.config.training.batch_size)))


def epoch_batches(config: RunConfig, epoch: int) -> list[tuple[Tensor, Tensor]]:
    train, size = splits().train, config.training.batch_size
    order = order_of(config.training.seed, epoch, len(train))
    return [
        (train.images[order[at : at + size]], train.labels[order[at : at + size]]) for at in range(0, len(train), size)
    ]


def test_the_numbers_of_an_epoch_are_those_of_a_plain_loop(tmp_path: Path) -> None:
    settings, make = OPTIMIZERS["adam"]
    config = quick(*settings, "activation=tanh", "hidden_sizes=16-8", "epochs=2", *EXACT)
    t = trainer(config)
    epochs = run_on(t, tmp_path)

    network = plain_network(config)
    algorithm = make(network.parameters())
    for number in (1, 2):
        loss_sum, correct = 0.0, 0
        for images, labels in epoch_batches(config, number):
            algorithm.zero_grad()
            logits = network(images)
            loss = functional.cross_entropy(logits, labels)
            loss.backward()
            algorithm.step()
            loss_sum += loss.item() * len(labels)
            correct += int((logits.argmax(1) == labels).sum())
        _, step, train_loss, train_accuracy, val_loss, val_accuracy = epochs[number - 1]
        assert step == number * 26  # the last, smaller batch is trained on: 25 of 50, one of 7
        assert train_accuracy == correct / 1257
        assert math.isclose(train_loss, loss_sum / 1257, rel_tol=1e-12)
        with torch.no_grad():
            logits = network(splits().validation.images)
        assert val_accuracy == int((logits.argmax(1) == splits().validation.labels).sum()) / 270
        wanted = functional.cross_entropy(logits.double(), splits().validation.labels).item()
        assert math.isclose(val_loss, wanted, rel_tol=1e-5)
    for (name, ours), plain in zip(t.model.state_dict().items(), network.state_dict().values(), strict=True):
        assert torch.equal(ours, plain), name


def by_formula(optimizer: str, gradient: Tensor, weights: Tensor, memory: dict[str, Tensor], step: int) -> Tensor:
    """The update as the papers print it."""
    if optimizer != "momentum":
        gradient = gradient + 0.01 * weights
    zero = torch.zeros_like(weights)
    match optimizer:
        case "sgd":
            return -0.1 * gradient
        case "momentum":
            memory["v"] = 0.9 * memory.get("v", zero) + gradient
            return -0.1 * memory["v"]
        case "adam":
            memory["m"] = 0.8 * memory.get("m", zero) + 0.2 * gradient
            memory["v"] = 0.99 * memory.get("v", zero) + 0.01 * gradient**2
            return -0.01 * (memory["m"] / (1 - 0.8**step)) / ((memory["v"] / (1 - 0.99**step)).sqrt() + 0.001)
        case _:
            memory["g"] = 0.8 * memory.get("g", zero) + 0.2 * gradient**2
            update = -((memory.get("d", zero) + 1e-5).sqrt() / (memory["g"] + 1e-5).sqrt()) * gradient
            memory["d"] = 0.8 * memory.get("d", zero) + 0.2 * update**2
            return 0.5 * update


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_optimizers_follow_their_formulas_in_double_precision(optimizer: str) -> None:
    config = quick(*OPTIMIZERS[optimizer][0], "activation=tanh", *EXACT)
    t = trainer(config)
    network = plain_network(config).double()
    memories: list[dict[str, Tensor]] = [{} for _ in network.parameters()]
    batches = epoch_batches(config, 1)[:5]
    for step, (images, labels) in enumerate(batches, 1):
        loss = functional.cross_entropy(network(images.double()), labels)
        gradients = torch.autograd.grad(loss, list(network.parameters()))
        with torch.no_grad():
            for weights, gradient, memory in zip(network.parameters(), gradients, memories, strict=True):
                weights.add_(by_formula(optimizer, gradient, weights, memory, step))
    update(t, order_of(0, 1, 1257)[:250])
    for ours, exact in zip(t.model.parameters(), network.parameters(), strict=True):
        torch.testing.assert_close(ours.double(), exact, rtol=1e-4, atol=1e-6)


def test_the_network_is_a_sequence_of_layers() -> None:
    def names(*settings: str) -> list[str]:
        return [type(layer).__name__ for layer in model.build(quick(*settings))]

    assert names("hidden_sizes=8-4", "activation=tanh") == ["Linear", "Tanh", "Linear", "Tanh", "Linear"]
    assert names("hidden_sizes=8", "batch_norm=true") == ["Linear", "BatchNorm1d", "ReLU", "Linear"]
    assert names("hidden_sizes=none") == ["Linear"]


def test_dropout_is_no_layer_so_that_keys_never_shift() -> None:
    words = ("hidden_sizes=80-40", "activation=sigmoid")  # which is never 0
    plain, dropped = (model.build(quick(*words, f"dropout={rates}")) for rates in ("0", "0.25,0.5"))
    assert [*plain.state_dict()] == [*dropped.state_dict()] == [f"{n}.{k}" for n in (0, 2, 4) for k in KINDS]
    images = torch.ones(1000, 64)
    assert torch.equal(dropped.eval()(images), plain.eval()(images))
    seen: list[Tensor] = []
    for place in (2, 4):
        dropped[place].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    dropped.train()(images)
    assert [round((values == 0).double().mean().item(), 1) for values in seen] == [0.2, 0.5]
    kept, whole = seen[0] != 0, plain[1](plain[0](images))
    torch.testing.assert_close(0.75 * seen[0][kept], whole[kept])


def test_the_same_seed_gives_the_same_bits_and_another_does_not(tmp_path: Path) -> None:
    def ends(*settings: str) -> str:
        t = trainer(quick("dropout=0.3", *settings))
        run_on(t, tmp_path)
        return t.capture().meta.weights_sha256

    assert ends() == ends() != ends("seed=1")


def test_orders_are_permutations_that_depend_on_seed_and_epoch_alone() -> None:
    orders = [order_of(seed, epoch, 1257) for seed in (0, 1) for epoch in (1, 2)]
    for order in orders:
        assert torch.equal(order.sort().values, torch.arange(1257))
    assert len({tuple(order.tolist()) for order in orders}) == 4
    torch.manual_seed(9)
    assert torch.equal(order_of(0, 1, 1257), orders[0])
    purposes = {seed_of(0, purpose, epoch) for purpose in ("weights", "order", "dropout") for epoch in (0, 1)}
    assert len(purposes) == 6 and all(0 <= seed < 2**63 for seed in purposes)


def test_weights_and_sums_do_not_depend_on_chunks() -> None:
    order = order_of(0, 1, 1257)
    ends = []
    for chunk in (100, 200, 700, 1257, 1300):
        t = trainer(quick("dropout=0.2"))
        for piece in order.split(chunk):
            update(t, piece)
        if chunk == 700:  # looking does not touch
            t.path.read()
        ends.append((t.capture().meta.weights_sha256, *t.path.read()))
    assert len(set(ends)) == 1


class Syncs(TorchDispatchMode):
    """Counts what makes the host wait for the device; tensors `on_host` lie in its own memory wherever one trains."""

    def __init__(self, on_host: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0
        self.on_host = {id(tensor) for tensor in on_host}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        waits = ("_local_scalar_dense", "nonzero", "is_nonzero", "equal.default")
        self.count += any(name in str(func) for name in waits) and id(args[0]) not in self.on_host
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("settings", [f"optimizer={name} {LIMITS}" for name in configs.OPTIMIZERS])
def test_no_step_makes_the_host_wait(settings: str) -> None:
    t = trainer(quick(*settings.split(), "step_path=autograd"))
    update(t, torch.arange(1257))
    counters = [tensor for name, tensor in t.optimizers.tensors().items() if name.endswith(("/step", "/mu_product"))]
    with Syncs(counters) as syncs:
        update(t, torch.arange(1257))
        assert syncs.count == 0
        t.path.loss.item()  # type: ignore[attr-defined]
        assert syncs.count == 1  # the counter counts


def test_the_gradient_norm_is_that_of_all_parameters() -> None:
    t = trainer(quick("step_path=autograd"))
    update(t, torch.arange(100))
    whole = torch.cat([p.grad.flatten() for p in t.model.parameters() if p.grad is not None])
    assert math.isclose(t.path.read()[1], whole.double().norm().item(), rel_tol=1e-5)


def test_evaluation_is_exact_repeatable_and_without_dropout() -> None:
    t = trainer(quick("dropout=0.5"))
    examples = Examples(splits().train.images.repeat(8, 1), splits().train.labels.repeat(8))  # more than one batch
    t.model.eval()
    logits = t.model(examples.images).detach()
    t.model.train()
    before = torch.get_rng_state()
    loss, accuracy = evaluate.evaluate(t.model, examples)
    assert (loss, accuracy) == evaluate.evaluate(t.model, examples)
    assert torch.equal(before, torch.get_rng_state()) and t.model.training
    assert accuracy == (logits.argmax(1) == examples.labels).double().mean().item()
    assert math.isclose(loss, functional.cross_entropy(logits.double(), examples.labels).item(), rel_tol=1e-5)


def test_a_batch_larger_than_the_data_set_is_the_data_set(root: Path) -> None:
    state = work(make_run(root, quick("batch_size=5000", "epochs=2")))
    assert state.status == "finished" and state.step == 2 and state.started and state.started.steps_per_epoch == 1


def test_lower_precision_trains_close_by(tmp_path: Path) -> None:
    full, coarse = trainer(quick("epochs=10")), trainer(quick("epochs=10", "precision=bf16"))
    ends = [run_on(t, tmp_path)[-1] for t in (full, coarse)]
    assert abs(ends[0][3] - ends[1][3]) < 0.05 and ends[0] != ends[1]
    assert {parameter.dtype for parameter in coarse.model.parameters()} == {torch.float32}


def test_data_are_scaled_to_one_and_cut_as_the_config_says(mnist: Path) -> None:
    digits = splits()
    assert (len(digits.train), len(digits.validation), len(digits.test)) == (1257, 270, 270)
    assert digits.train.images.min() == 0 and digits.train.images.max() == 1
    config = build({"data": {"name": "mnist"}})
    loaded = data.load(config, mnist, torch.device("cpu"))
    assert loaded.validation is loaded.test and config.split.validation_is_test
    assert loaded.train.images.shape == (60_000, 784) and loaded.train.images.max() == 1


@pytest.fixture
def threads_of_this_process() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_pytorch_gets_as_many_threads_as_a_step_can_use(
    monkeypatch: pytest.MonkeyPatch, threads_of_this_process: None
) -> None:
    """The compiled path shares its steps by itself."""
    monkeypatch.setattr(device, "MOST_THREADS", 16)
    wide = "hidden_sizes=1000-1000 batch_size=1000"

    def threads(words: str) -> int:
        numerics = device.choose(quick(*words.split()))
        device.prepare(numerics, deterministic=False)  # a run of few threads leaves the next one as many
        return numerics.threads

    assert threads("threads=0 step_path=autograd") == threads("threads=0 step_path=manual") == 1
    assert threads(f"threads=0 step_path=manual {wide}") == 16
    assert threads("threads=0 step_path=manual hidden_sizes=400-400 batch_size=50") == 4  # 57 million operations
    assert threads("threads=5 step_path=manual") == 5
    monkeypatch.setattr(paths, "choose", lambda *_: "compiled")
    assert threads("threads=0") == 16


def test_what_decides_the_bits_is_chosen_once_and_kept() -> None:
    config = quick("threads=0")
    first = device.choose(config)
    recorded = {**vars(first), "threads": 7}
    assert device.settle(config, recorded) == (device.Numerics(**recorded), [])
    assert device.settle(quick("threads=3"), recorded) == (device.Numerics(**{**recorded, "threads": 3}), ["threads"])
    assert device.settle(config, None) == (first, [])
    assert device.settle(config, {**vars(first), "versions": {}}) == (first, ["versions"])
    assert first.precision == "fp32" and first.versions["torch"] == torch.__version__
    with pytest.raises(InputError, match="'tf32' needs CUDA"):
        device.choose(quick("precision=tf32"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA here")
def test_a_device_that_is_not_here_is_refused() -> None:
    with pytest.raises(InputError, match=r"training\.device: 'cuda' is not available here"):
        device.choose(quick("device=cuda"))


def test_a_network_larger_than_memory_is_refused_before_it_is_made() -> None:
    config = quick("hidden_sizes=" + "-".join(["65536"] * 50))
    with pytest.raises(InputError) as refusal:
        device.check_memory(config, torch.device("cpu"))
    (problem,) = refusal.value.problems
    assert problem.startswith("network.hidden_sizes: 64-65536-") and "TiB" in problem and "free" in problem
    device.check_memory(quick(), torch.device("cpu"))
    assert "choose a smaller batch_size" in device.explain_out_of_memory(config)
