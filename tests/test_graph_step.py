"""The graph step path. Off CUDA its steps run one operation after another: all but the recording itself is the same."""

import dataclasses
import importlib
from pathlib import Path

import pytest
import torch

from tests import test_resume_every_config as resume
from tests.reference_cases import LIVE, config_of
from tests.test_engine import Syncs
from tests.test_reference import compare
from tui_trainer.config import RunConfig
from tui_trainer.engine import data, device, graph, model, paths
from tui_trainer.engine.optim import Optimizers
from tui_trainer.engine.step import AutogradStep
from tui_trainer.runs.state import Change
from tui_trainer.text import InputError

NEAR = 5e-6
RECORDABLE = ["sgd momentum=0.9", "rmsprop optimizer.momentum=0.5", "adadelta", "adamw", "nadam", "radam"]
WORDS = [
    *(f"optimizer={name} weight_decay=0.01 schedule=one_cycle" for name in RECORDABLE),
    "optimizer=sgd dropout=0.3 input_dropout=0.2 input_noise=0.1 accumulate=2 clip_norm=0.5 max_norm=0.4",
    "frozen=2 unfreeze_epoch=2 batch_norm=true rates=slice weight_decay=0.1 weight_decay_mode=loss clip_value=0.02",
]
cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here, which is what records")


@pytest.fixture
def capturable_on_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch's optimizers run there as they do on CUDA."""
    for name in ("rmsprop", "adadelta", "nadam", "radam"):
        module = importlib.import_module(f"torch.optim.{name}")
        monkeypatch.setattr(module, "_get_capturable_supported_devices", lambda *_, **__: ["cpu"])


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=cuda)])
def where(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, capturable_on_cpu: None) -> str:
    """The device of a run on the graph path, three steps a replay; the CPU is taken for one that records."""
    monkeypatch.setattr(graph, "AT_ONCE", 3)
    if request.param == "cpu":
        choose = device.choose

        def chosen(config: RunConfig, recorded: device.Numerics | None = None) -> device.Numerics:
            return dataclasses.replace(choose(config, recorded), step_path="graph")

        monkeypatch.setattr(device, "choose", chosen)
    return str(request.param)


def on(where: str, words: str) -> RunConfig:
    return config_of(f"{words} device={where}" + (" step_path=graph" if where == "cuda" else ""))


@pytest.mark.parametrize("words", WORDS)
def test_weights_of_the_reference_and_exact_however_it_is_cut(words: str, where: str) -> None:
    config = on(where, words)
    compare(config, Path(), 1e-4 if "=loss" in words else NEAR)  # in chunks of one step
    resume.check(config, [], [config.total_steps - 3])  # in chunks that grow


@pytest.mark.parametrize("case", ["sgd", "dropout", "limits", "unfreezing"])
def test_live_changes(case: str, where: str) -> None:
    words, changes = LIVE[case]
    words = words.replace("batch_norm=true", "")  # before it the gradient of a bias is rounding alone
    compare(on(where, words), Path(), 1e-4, change=Change("x", 0, 4, changes))


def test_only_what_is_part_of_the_recording_makes_it_anew(where: str) -> None:
    t = resume.trainer(on(where, "dropout=0.1"), [])
    t.path.run(torch.arange(90, device=t.device), t.factors(6))
    recorded = dict(t.path.replays)  # type: ignore[attr-defined]
    assert recorded.keys() == {(3, 16), (1, 16), (1, 10)}
    place = t.path.wanted.data_ptr()  # type: ignore[attr-defined]
    t.change(Change("a", 0, 0, {"optimizer.learning_rate": 0.1, "schedule.name": "cosine"}))
    assert t.path.replays == recorded  # type: ignore[attr-defined]
    assert t.path.wanted.data_ptr() == place  # type: ignore[attr-defined]
    t.change(Change("b", 0, 0, {"regularization.clip_norm": 0.1}))
    assert not t.path.replays  # type: ignore[attr-defined]


@pytest.mark.parametrize("optimizer", ["sgd", "adadelta", "nadam"])
def test_no_step_makes_the_host_wait(optimizer: str, where: str) -> None:
    t = resume.trainer(on(where, f"optimizer={optimizer} clip_norm=0.1 weight_decay=0.1 max_norm=1"), [])
    order, factors = torch.arange(90, device=t.device), t.factors(6)
    t.path.run(order, factors)
    if where == "cuda":
        torch.cuda.set_sync_debug_mode("error")
        try:
            t.path.run(order, factors)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    else:
        with Syncs([]) as syncs:
            t.path.run(order, factors)
        assert syncs.count == 0


def test_it_is_taken_only_on_request_and_where_it_can() -> None:
    assert paths.choose(config_of("step_path=auto"), "cuda") == "autograd"
    assert paths.choose(config_of("step_path=graph"), "cuda") == "graph"
    for words, where, why in (("", "cpu", "needs CUDA, and this is cpu"), ("optimizer=muon", "cuda", "record muon")):
        with pytest.raises(InputError, match=f"training.step_path: 'graph'.* {why}"):
            paths.choose(config_of(f"{words} step_path=graph"), where)


@pytest.mark.parametrize("optimizer", ["sgd momentum=0.9", "adadelta", "nadam", "muon"])
def test_a_step_whose_gradients_overflow_changes_nothing(optimizer: str, capturable_on_cpu: None) -> None:
    """fp16's loss scaling, on the CPU: the first steps overflow, a later one too."""
    words = f"optimizer={optimizer} weight_decay=0.5 weight_decay_mode=decoupled max_norm=0.01 precision=bf16"
    config = config_of(words)
    numerics = device.choose(config)
    examples = data.load(config, Path(), numerics.torch_device).train
    network = model.build(config)
    optimizers = Optimizers(config, network, numerics.torch_device, capturable=True)
    path = AutogradStep(network, optimizers, examples.images, examples.labels, "fp16")
    path.configure(config)
    assert path.scaler is not None
    order = torch.arange(16)

    def state() -> list[torch.Tensor]:
        return [tensor.clone() for tensor in (*network.state_dict().values(), *optimizers.tensors().values())]

    def overflow() -> None:
        path.scaler.load_state_dict({**path.scaler.state_dict(), "scale": 2.0**120})  # type: ignore[union-attr]
        with Syncs([]) as syncs:
            path.run(order, [1.0])
        assert syncs.count == 0

    weights = [tensor.clone() for tensor in network.state_dict().values()]
    overflow()
    assert all(map(torch.equal, weights, network.state_dict().values()))
    assert all(bool((t == name.endswith("/mu_product")).all()) for name, t in optimizers.tensors().items())
    assert path.scaler.get_scale() == 2.0**119
    path.scaler.load_state_dict({**path.scaler.state_dict(), "scale": 1.0})
    path.run(order, [1.0])
    before = state()
    assert not all(map(torch.equal, weights, network.state_dict().values()))
    overflow()
    assert all(map(torch.equal, before, state()))
