"""Every experiment of the sources has its preset, with the settings as printed, and the quick ones do as they say."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.running import Cli, make_run, work
from tui_trainer import presets
from tui_trainer.config import RunConfig, apply


@dataclass(frozen=True)
class Facts:
    """What a source says of one training, in the order of its tables."""

    split: str
    architecture: str
    activation: str
    init: str
    optimizer: str
    learning_rate: float
    batch: int
    epochs: int
    decay: float = 0.0
    dropout: float = 0.0


def facts_of(config: RunConfig) -> Facts:
    return Facts(
        config.split_name,
        config.architecture,
        config.network.activation,
        config.network.init,
        config.optimizer.name,
        config.optimizer.learning_rate,
        config.training.batch_size,
        config.training.epochs,
        config.regularization.weight_decay,
        config.network.dropout[0],
    )


LAB = "50k-10k-10k"
WHOLE = "60k-10k"
F1 = "784-512-512-512-512-512-10"
INITS = {"relu": "pytorch", "tanh": "xavier_uniform", "sigmoid": "pytorch"}
TABLE = {
    **{
        f"evaluation-report/setting-{name}": Facts(
            WHOLE, "784-200-200-200-10", "relu", "he_normal", optimizer, rate, 200, 100, decay
        )
        for name, optimizer, rate, decay in (
            ("1", "adadelta", 0.1, 0.0),
            ("2", "adam", 0.0001, 0.0),
            ("3", "adadelta", 0.1, 0.01),
            ("4", "adam", 0.0001, 0.01),
            ("3-code", "adadelta", 0.1, 0.001),
            ("4-code", "adam", 0.0001, 0.001),
        )
    },
    **{
        f"lab-report/{hidden}-{activation}": Facts(
            LAB, f"784-{hidden}-10", activation, INITS[activation], "sgd", 0.01, 100, 10
        )
        for hidden in ("128-128", "128-64-32-16", "128-64")
        for activation in INITS
    },
    **{
        f"lab-report/batch-{batch}": Facts(LAB, "784-128-128-10", "tanh", "xavier_uniform", "sgd", 0.01, batch, 5)
        for batch in (1, 10, 40, 70, 100, 130, 160)
    },
    **{
        f"lab-report/overfit-{hidden}{ending}": Facts(
            LAB, f"784-{hidden}-10", "relu", "pytorch", "sgd", 0.01, batch, epochs
        )
        for hidden, ending, batch, epochs in (
            ("800-800-800", "", 8000, 300),
            ("512-256-128-64-32-16", "", 8000, 300),
            ("800-512-256-800-1200", "", 8000, 300),
            ("800-800-800", "-batch-2000", 2000, 500),
        )
    },
    **{
        f"lab-report/800-800-800{ending}": Facts(
            LAB, "784-800-800-800-10", "relu", "pytorch", "sgd", 0.01, 10, 20, decay, dropout
        )
        for ending, decay, dropout in (("", 0.0, 0.0), ("-decay", 0.001, 0.0), ("-dropout", 0.0, 0.5))
    },
    **{
        f"first-mlp/{name}": Facts(WHOLE, f"784-{hidden}-10", "relu", "lecun_normal", "adam", 0.001, 100, epochs)
        for name, hidden, epochs in (
            ("50-50-units", "50-50", 20),
            ("50-units", "50", 20),
            ("1000-units", "1000-1000", 3),
            ("3000-units", "3000-3000", 3),
        )
    },
    "batch-size/small-batch": Facts(WHOLE, F1, "relu", "he_normal", "adam", 0.001, 256, 20),
    "batch-size/large-batch": Facts(WHOLE, F1, "relu", "he_normal", "adam", 0.001, 6000, 100),
    "sgd-from-scratch/logistic-regression": Facts(LAB, "784-10", "relu", "pytorch", "sgd", 0.02, 64, 1, 1e-5),
    "sgd-from-scratch/50-units": Facts(LAB, "784-50-10", "relu", "pytorch", "sgd", 0.02, 64, 1, 1e-5),
    "sgd-from-scratch/50-units-adam": Facts(LAB, "784-50-10", "relu", "pytorch", "adam", 0.001, 64, 3),
    "sgd-from-scratch/50-units-one-cycle": Facts(LAB, "784-50-10", "relu", "pytorch", "adam", 0.01, 64, 1),
}
OURS = [
    "digits",
    "batch-size/four-layer",
    "lab-report/noisy-mnist",
    "lab-report/noisy-mnist-regularised",
    "sgd-from-scratch/fashion-mnist",
    "sgd-from-scratch/fine-tune-fashion-mnist",
    "toys/circles",
    "toys/moons",
    "toys/spiral",
    "xor/and-perceptron",
    "xor/xor-mlp",
    "xor/xor-perceptron",
]
PRINTED = {
    "lab-report/128-128-relu": "91.33, 92.20 and 91.70 %",
    "lab-report/128-128-tanh": "92.17, 92.57 and 92.66 %",
    "lab-report/128-128-sigmoid": "33.28, 40.28 and 40.99 %",
    "lab-report/128-64-32-16-relu": "91.23, 92.10 and 91.74 %",
    "lab-report/128-64-32-16-tanh": "92.36, 92.85 and 92.66 %",
    "lab-report/128-64-32-16-sigmoid": "33.29, 38.71 and 37.74 %",
    "lab-report/800-800-800": "99.89, 98.11 and 98.05 %",
    "lab-report/800-800-800-decay": "99.18, 97.94 and 97.88 %",
    "lab-report/800-800-800-dropout": "99.89, 98.07 and 98.16 %",
    "first-mlp/1000-units": "5,500",
    "first-mlp/3000-units": "13,000",
}


def test_nothing_is_missing_and_nothing_else_is_there() -> None:
    found, problems = presets.load_all()
    assert not problems
    assert sorted(preset.name for preset in found) == sorted([*TABLE, *OURS])


@pytest.mark.parametrize("name", TABLE)
def test_settings_are_the_sources(name: str) -> None:
    config = presets.load(name).config
    assert facts_of(config) == TABLE[name]
    assert config.regularization.clip_norm == config.regularization.clip_value == 0
    assert config.network.batch_norm == (TABLE[name].architecture == F1)
    if name.startswith("sgd-from-scratch/") and TABLE[name].decay:
        assert (config.decay_mode, config.regularization.weight_decay_on) == ("loss", "all")
    elif not name.startswith("first-mlp/"):
        assert config.decay_mode == "gradient"
    assert config.schedule.name == ("one_cycle" if name.endswith("one-cycle") else "constant")


@pytest.mark.parametrize("name", [*TABLE, *OURS])
def test_a_student_is_told_what_it_is(name: str) -> None:
    preset = presets.load(name)
    assert 0 < len(preset.title) <= 60
    for words in (preset.summary, preset.expect, preset.source):
        assert 10 < len(words) <= 280
        assert words == words.strip()
    if name in PRINTED:
        assert PRINTED[name] in preset.expect
        assert "printed" in preset.expect.lower()


def test_the_command_line_checks_them_all(cli: Cli, tmp_path: Path) -> None:
    assert cli("presets", "check").startswith(f"{len(TABLE) + len(OURS)} presets and ")
    shown = cli("presets", "show", "50-units-one-cycle")
    assert "schedule.rise" in shown
    bad = tmp_path / "bad.toml"
    bad.write_text('[data]\nname = "xor"\nsplit = "60k-10k"\n[noise]\ndistortion = 0.1\n[layers]\nfrozen = 9\n')
    status, _, err = cli.result("presets", "check", str(bad))
    assert status == 2
    assert [line.removeprefix(f"{bad}: ").split(":")[0] for line in err.splitlines()] == [
        "data.split",
        "noise.distortion",
        "layers.frozen",
    ]


def accuracy(name: str, seed: int, root: Path, data: Path = Path()) -> float:
    """Of the final weights on the test part."""
    config = apply(presets.load(name).config, [f"seed={seed}", "threads=1", "device=cpu"])
    return work(make_run(root, config), data).evaluations["final", "test"].accuracy


@pytest.mark.parametrize("seed", range(5))
def test_a_perceptron_solves_and_but_not_xor_and_a_hidden_layer_solves_both(seed: int, root: Path) -> None:
    assert accuracy("xor/and-perceptron", seed, root) == 1
    assert accuracy("xor/xor-perceptron", seed, root) <= 0.75
    assert accuracy("xor/xor-mlp", seed, root) == 1


@pytest.mark.parametrize(
    ("name", "least"), [("toys/moons", 0.95), ("toys/circles", 0.98), ("toys/spiral", 0.95), ("digits", 0.95)]
)
def test_toys_are_learnt(name: str, least: float, root: Path) -> None:
    assert accuracy(name, 0, root) >= least


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("sgd-from-scratch/logistic-regression", 0.875, 0.89),
        ("sgd-from-scratch/50-units-adam", 0.945, 0.965),
        ("sgd-from-scratch/50-units-one-cycle", 0.955, 0.97),
    ],
)
def test_fast_ai_as_published(name: str, least: float, most: float, root: Path, mnist: Path) -> None:
    assert least <= accuracy(name, 0, root, mnist) <= most
