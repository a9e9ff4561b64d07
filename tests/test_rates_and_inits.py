"""Learning rates value by value against PyTorch's schedulers and fast.ai's slices; initial weights by their rule."""

import math

import pytest
import torch

from tests.reference_cases import config_of
from tests.reference_parts import Rate, even_mults, rates_of_layers
from tui_trainer.config import SCHEDULES, RunConfig
from tui_trainer.engine import model
from tui_trainer.engine.optim import layer_rates
from tui_trainer.engine.schedule import factors

LONG = [  # twelve epochs of six updates
    "schedule=constant",
    "schedule=constant warmup_epochs=2.5",
    "schedule=step schedule.every_epochs=5",
    "schedule=step schedule.every_epochs=2 gamma=0.7 warmup_epochs=3",
    "schedule=multi_step milestones=2-7-11 gamma=0.5",
    "schedule=multi_step milestones=1-2 warmup_epochs=1.5",
    "schedule=exponential",
    "schedule=exponential per=step gamma=0.99 warmup_epochs=1",
    "schedule=exponential per=epoch gamma=0.7 warmup_epochs=0.5",
    "schedule=cosine",
    "schedule=cosine final_share=0.2 warmup_epochs=2",
    "schedule=cosine per=epoch",
    "schedule=cosine per=epoch cycles=4 final_share=0.01",
    "schedule=cosine per=step cycles=6",
    "schedule=cosine per=step cycles=11 warmup_epochs=1",
    "schedule=one_cycle",
    "schedule=one_cycle rise=0.5 start_divisor=4 final_divisor=1",
    "schedule=one_cycle rise=0.001",
    "schedule=one_cycle rise=0.999",
    "schedule=one_cycle steps=31",
    "schedule=cosine steps=31",
]


@pytest.mark.parametrize("words", LONG)
def test_each_value_is_pytorchs(words: str) -> None:
    config = config_of(f"{words} epochs=12")
    rate, total = Rate(config, config.steps_per_epoch), config.total_steps
    expected = []
    for _ in range(total):
        expected.append(rate.factor)
        rate.updated()
    ours = factors(config, 0, total)
    assert ours == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert len(set(ours)) > 1 or words == "schedule=constant"
    chunks = [factor for first in range(0, total, 5) for factor in factors(config, first, min(5, total - first))]
    assert chunks == ours, "a value depends on where chunks end"


def test_each_schedule_is_there() -> None:
    assert {config_of(words).schedule.name for words in LONG} == set(SCHEDULES) - {"plateau"}  # with the whole loop


def at(words: str, *updates: int) -> list[float]:
    return [factors(config_of(words), update, 1)[0] for update in updates]


def test_values_a_person_can_work_out() -> None:
    ten = "epochs=10"  # 60 updates
    assert at(f"{ten} schedule=step schedule.every_epochs=4", 23, 24, 48) == pytest.approx([1, 0.1, 0.01])
    assert at(f"{ten} schedule=cosine", 0, 30, 60, 99) == pytest.approx([1, 0.5, 0, 0])
    assert at(f"{ten} schedule=cosine cycles=2", 0, 15, 30, 45) == pytest.approx([1, 0.5, 1, 0.5])
    assert at(f"{ten} schedule=one_cycle", 0, 14, 59, 99) == pytest.approx([1 / 25, 1, 1 / 25e4, 1 / 25e4])
    assert at(f"{ten} warmup_epochs=2", 0, 5, 11, 12) == pytest.approx([1 / 12, 0.5, 1, 1])
    assert factors(config_of("schedule=plateau gamma=0.5"), 7, 2, falls=3) == [0.125, 0.125]


def test_a_cycle_of_one_update_does_not_divide_by_zero() -> None:
    for words in ("steps=1", "steps=2 rise=0.5", "steps=1 rise=0.5"):
        for factor in factors(config_of(f"schedule=one_cycle {words}"), 0, 3):
            assert 0 < factor <= 1


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("rates=same", [0.1, 0.1, 0.1]),
        ("rates=slice_last", [0.1 / 3, 0.1 / 3, 0.1]),
        ("rates=slice first_rate=0.001", [0.001, 0.01, 0.1]),
        ("rates=slice first_rate=0.001 hidden_sizes=9-8-7-6", even_mults(0.001, 0.1, 5)),
        ("rates=slice hidden_sizes=none", [0.1]),
        ("rates=slice_last hidden_sizes=none", [0.1]),
        ("rates=slice first_rate=0.4 hidden_sizes=5", [0.4, 0.1]),
    ],
)
def test_layers_have_fast_ais_slices(words: str, expected: list[float]) -> None:
    config = config_of(f"{words} learning_rate=0.1")
    assert layer_rates(config) == pytest.approx(expected, rel=1e-12)
    assert layer_rates(config) == pytest.approx(rates_of_layers(config, 0.1), rel=1e-12)


def layers(config: RunConfig) -> list[tuple[torch.Tensor, torch.Tensor]]:
    built = [module for module in model.build(config) if isinstance(module, torch.nn.Linear)]
    return [(layer.weight.detach().double(), layer.bias.detach().double()) for layer in built]


ROOT2 = math.sqrt(2)
GAINS = [  # activation, init_gain, init, what its paper or PyTorch's table says
    ("relu", "published", "he_normal", ROOT2),
    ("tanh", "published", "he_normal", ROOT2),
    ("leaky_relu", "published", "he_normal", math.sqrt(2 / (1 + 0.3**2))),
    ("leaky_relu", "published", "he_uniform", math.sqrt(2 / (1 + 0.3**2))),
    ("relu", "published", "he_uniform", ROOT2),
    ("tanh", "published", "xavier_normal", 1),
    ("tanh", "activation", "xavier_normal", 5 / 3),
    ("relu", "published", "xavier_uniform", 1),
    ("relu", "activation", "xavier_uniform", ROOT2),
    ("sigmoid", "activation", "xavier_uniform", 1),
    ("leaky_relu", "activation", "xavier_normal", math.sqrt(2 / (1 + 0.3**2))),
    ("gelu", "activation", "lecun_normal", ROOT2),
    ("silu", "activation", "he_normal", ROOT2),
    ("elu", "activation", "he_normal", ROOT2),
    ("identity", "activation", "he_normal", 1),
    ("maxout", "activation", "lecun_normal", 1),
    ("relu", "published", "lecun_normal", 1),
    ("tanh", "activation", "orthogonal", 5 / 3),
    ("relu", "published", "orthogonal", 1),
]


@pytest.mark.parametrize(("activation", "kind", "init", "gain"), GAINS)
def test_initial_weights_have_the_spread_of_their_rule(activation: str, kind: str, init: str, gain: float) -> None:
    words = f"activation={activation} leaky_slope=0.3 init_gain={kind} init={init} hidden_sizes=600-300"
    for weight, bias in layers(config_of(words)):
        outputs, inputs = weight.shape
        assert bias.count_nonzero() == 0
        if init == "orthogonal":
            short = weight if outputs <= inputs else weight.T
            assert torch.allclose(short @ short.T, gain**2 * torch.eye(len(short), dtype=torch.float64), atol=1e-5)
            continue
        fan = (inputs + outputs) / 2 if init.startswith("xavier") else inputs
        deviation = gain / math.sqrt(fan)
        error = 5 / math.sqrt(2 * weight.numel())  # five standard errors of a standard deviation
        assert weight.std().item() == pytest.approx(deviation, rel=error)
        assert abs(weight.mean().item()) < 5 * deviation / math.sqrt(weight.numel())
        largest = weight.abs().max().item() / deviation
        if init.endswith("uniform"):
            assert math.sqrt(3) * 0.99 < largest <= math.sqrt(3) * 1.000001
        else:
            assert largest > 2.5


def test_pytorchs_own_rule_and_zeros() -> None:
    for weight, bias in layers(config_of("init=pytorch hidden_sizes=600-300")):
        bound = 1 / math.sqrt(weight.shape[1])
        assert 0.99 * bound < weight.abs().max() <= bound * 1.000001
        assert weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.05)
        assert 0.5 * bound < bias.abs().max() <= bound * 1.000001
    for weight, bias in layers(config_of("init=zeros")):
        assert weight.count_nonzero() == bias.count_nonzero() == 0


def test_the_seed_alone_decides_the_weights() -> None:
    def first(words: str) -> torch.Tensor:
        return layers(config_of(words))[0][0]

    assert torch.equal(first("seed=1"), first("seed=1 batch_size=7 optimizer=muon dropout=0.5"))
    assert not torch.equal(first("seed=1"), first("seed=2"))
