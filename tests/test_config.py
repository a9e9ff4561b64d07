"""The config: every field is declared once, written and read back without loss, and wrong values are named."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_trainer import config
from tui_trainer.config import OPTIMIZERS, RunConfig, apply, build, change, differences, flatten, knobs, resolve
from tui_trainer.runs import directory
from tui_trainer.text import InputError

unit = st.floats(0, 1, exclude_max=True)
positive = st.floats(0, 1, exclude_min=True)
rate = st.floats(0, 100, exclude_min=True)
OPTIMIZER_STRATEGIES = {
    "sgd": st.fixed_dictionaries({"name": st.just("sgd"), "learning_rate": rate, "momentum": unit}),
    "adam": st.fixed_dictionaries(
        {"name": st.just("adam"), "learning_rate": rate, "betas": st.tuples(unit, unit), "eps": positive}
    ),
    "adadelta": st.fixed_dictionaries(
        {"name": st.just("adadelta"), "learning_rate": rate, "rho": unit, "eps": positive}
    ),
}
configs = st.fixed_dictionaries(
    {
        "data": st.sampled_from(
            [{"name": "digits"}, {"name": "digits", "split": "70-15-15"}, {"name": "mnist", "split": "50k-10k-10k"}]
        ),
        "network": st.fixed_dictionaries(
            {
                "hidden_sizes": st.lists(st.integers(1, 65_536), max_size=100),
                "activation": st.sampled_from(("relu", "tanh", "sigmoid")),
                "dropout": unit,
            }
        ),
        "optimizer": st.one_of(*OPTIMIZER_STRATEGIES.values()),
        "regularization": st.fixed_dictionaries({"weight_decay": st.floats(0, 100)}),
        "training": st.fixed_dictionaries(
            {
                "epochs": st.integers(1, 1_000_000),
                "seed": st.integers(0, 2**63 - 1),
                "batch_size": st.integers(1, 10**7),
            }
        ),
        "checkpoints": st.fixed_dictionaries({"best": st.booleans(), "last_seconds": st.floats(0, 86_400)}),
    }
).map(build)


@settings(max_examples=100, deadline=None)
@given(configs)
def test_every_field_is_written_and_read_back(wanted: RunConfig) -> None:
    known = knobs(wanted.optimizer.name)
    assert known.keys() == flatten(wanted).keys()
    for path, value in flatten(wanted).items():
        assert known[path].parse(known[path].render(value)) == value
    written = [f"{path}={known[path].render(value)}" for path, value in flatten(wanted).items()]
    assert apply(RunConfig(), written) == wanted
    assert apply(wanted, []) == wanted
    assert (wanted.digest() == RunConfig().digest()) == (wanted == RunConfig())


@settings(max_examples=30, deadline=None)
@given(configs)
def test_a_run_directory_keeps_the_config(tmp_path_factory: pytest.TempPathFactory, wanted: RunConfig) -> None:
    run = directory.create(tmp_path_factory.mktemp("runs"), wanted, "name", "a/preset – ü", Path("data"))
    record = directory.read_record(run)
    assert record.config == wanted
    assert (record.name, record.preset, record.data_root) == ("name", "a/preset – ü", Path("data").absolute())


def test_every_field_has_words_for_a_person_and_a_default_within_bounds() -> None:
    for optimizer in OPTIMIZERS:
        for path, knob in knobs(optimizer).items():
            assert knob.help.endswith("."), path
            assert knob.path == path == f"{knob.group}.{knob.name}"
            assert (knob.kind == "choice") == bool(knob.choices)
        assert build({"optimizer": {"name": optimizer}}).optimizer.name == optimizer


SHORT = {
    "epochs": "training.epochs",
    "seed": "training.seed",
    "learning_rate": "optimizer.learning_rate",
    "dropout": "network.dropout",
    "hidden_sizes": "network.hidden_sizes",
    "activation": "network.activation",
    "optimizer": "optimizer.name",
    "data": "data.name",
    "batch_size": "training.batch_size",
    "training.epochs": "training.epochs",
}


@pytest.mark.parametrize("short", SHORT)
def test_short_names(short: str) -> None:
    assert resolve(short, knobs()) == SHORT[short]


def test_a_short_name_that_fits_two_fields_is_refused() -> None:
    name = knobs()["training.epochs"]
    with pytest.raises(ValueError, match=r"could be a\.x or b\.x"):
        resolve("x", {"a.x": name, "b.x": name})


def test_settings_as_the_issue_writes_them() -> None:
    wanted = (
        "epochs=5 seed=7 learning_rate=0.01 dropout=0.3 hidden_sizes=128-64 activation=tanh optimizer=sgd batch_size=10"
    )
    made = apply(RunConfig(), wanted.split())
    assert made.layer_sizes == (64, 128, 64, 10) and made.architecture == "64-128-64-10"
    assert made.layer_parameters == [64 * 128 + 128, 128 * 64 + 64, 64 * 10 + 10]
    assert (made.training.epochs, made.training.seed, made.training.batch_size) == (5, 7, 10)
    assert isinstance(made.optimizer, config.Sgd) and made.optimizer.learning_rate == 0.01
    assert made.steps_per_epoch == 126
    assert apply(made, ["hidden_sizes=none"]).layer_sizes == (64, 10)
    assert apply(RunConfig(), ["learning_rate=0.5", "optimizer=sgd"]).optimizer.learning_rate == 0.5


def test_another_optimizer_keeps_the_learning_rate_and_drops_the_rest() -> None:
    tuned = build({"optimizer": {"name": "adam", "learning_rate": 0.25, "betas": (0.5, 0.5)}})
    assert apply(tuned, ["optimizer=sgd"]).optimizer == config.Sgd(learning_rate=0.25)


def test_differences_name_every_field_that_differs() -> None:
    other = apply(RunConfig(), ["optimizer=sgd", "epochs=3"])
    assert differences(RunConfig(), other) == {
        "optimizer.name": ("adam", "sgd"),
        "optimizer.betas": ((0.9, 0.999), None),
        "optimizer.eps": (1e-8, None),
        "optimizer.momentum": (None, 0.0),
        "training.epochs": (20, 3),
    }
    assert differences(other, other) == {}


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


WRONG: list[tuple[str, Any, str]] = [
    ("training.epochs", 0, "training.epochs: 0 is below the least allowed, 1"),
    ("training.epochs", -1, "-1 is below"),
    ("training.epochs", 10**7, "is above the most allowed, 1000000"),
    ("training.epochs", True, "training.epochs: True is not a whole number"),
    ("training.epochs", 3.0, "3.0 is not a whole number"),
    ("training.epochs", "3", "'3' is not a whole number"),
    ("training.epochs", None, "None is not a whole number"),
    ("training.epochs", [3], "[3] is not a whole number"),
    ("training.epochs", nested(5000), "is not a whole number"),
    ("training.seed", 2**63, "above the most allowed"),
    ("training.seed", 1 << 40_000, "training.seed: this int"),
    ("training.batch_size", 0, "below the least allowed, 1"),
    ("training.device", "gpu", "'gpu' is not one of auto, cuda, mps, cpu"),
    ("training.device", "cdua", "(did you mean 'cuda'?)"),
    ("training.device", 3, "3 is not one of"),
    ("training.threads", 5000, "above the most allowed, 1024"),
    ("optimizer.learning_rate", 0.0, "must be above 0"),
    ("optimizer.learning_rate", -0.1, "-0.1 must be above 0"),
    ("optimizer.learning_rate", math.nan, "nan is not a finite number"),
    ("optimizer.learning_rate", math.inf, "inf is not a finite number"),
    ("optimizer.learning_rate", 1e400, "inf is not a finite number"),
    ("optimizer.learning_rate", 101.0, "above the most allowed, 100"),
    ("optimizer.learning_rate", "0.1", "'0.1' is not a number"),
    ("optimizer.learning_rate", True, "True is not a number"),
    ("optimizer.betas", [0.9], "optimizer.betas: has 1 values, must have at least 2"),
    ("optimizer.betas", [0.9, 1.0], "optimizer.betas.1: 1.0 must be below 1"),
    ("optimizer.momentum", 0.9, "optimizer.momentum: a setting of sgd, but the optimizer is adam"),
    ("optimizer.name", "adamm", "'adamm' is not one of sgd, adam, adadelta (did you mean 'adam'?)"),
    ("network.hidden_sizes", [0], "network.hidden_sizes.0: 0 is below the least allowed, 1"),
    ("network.hidden_sizes", [65_537], "above the most allowed, 65536"),
    ("network.hidden_sizes", [1] * 5000, "network.hidden_sizes: has 5000 values, must have at most 100"),
    ("network.hidden_sizes", 64, "network.hidden_sizes"),
    ("network.hidden_sizes", ["64"], "'64' is not a whole number"),
    ("network.dropout", 1.0, "1.0 must be below 1"),
    ("network.dropuot", 0.1, "network.dropuot: no such setting (did you mean 'dropout'?)"),
    ("network.epochs", 1, "network.epochs: no such setting (did you mean 'training.epochs'?)"),
    ("checkpoints.best", 1, "1 is neither true nor false"),
    ("data.split", "60k-10k", "data.split: '60k-10k' does not cut digits; choose 70-15-15"),
    ("data.name", "minst", "(did you mean 'mnist'?)"),
    ("data.\x1b[2J\n", 1, "data.[2J : no such setting"),
]


@pytest.mark.parametrize(("path", "value", "words"), WRONG, ids=range(len(WRONG)))
def test_wrong_values_are_named_with_their_key_and_limit(path: str, value: Any, words: str) -> None:
    with pytest.raises(InputError) as refusal:
        change(RunConfig(), {path: value})
    (problem,) = refusal.value.problems
    assert words in problem and problem.isprintable() and len(problem) <= 300


def test_tables_that_are_no_tables() -> None:
    for values, words in (
        ({"trainig": {}}, "trainig: no such table or setting (did you mean 'training'?)"),
        ({"training": 3}, "training: 3 is not a table of settings"),
        ({"optimizer": {}}, "optimizer.name: is missing; one of sgd, adam, adadelta"),
        ({"optimizer": 3}, "optimizer"),
    ):
        with pytest.raises(InputError) as refusal:
            build(values, "f.toml")
        assert refusal.value.problems[0].startswith(f"f.toml: {words}")


def test_all_problems_are_told_at_once() -> None:
    training = {"epochs": 0, "batch_size": "x", "sead": 1}
    with pytest.raises(InputError) as refusal:
        build({"training": training, "network": {"dropout": 2.0}, "optimizer": {"name": "sgd", "rho": 0.9}})
    keys = {problem.partition(":")[0] for problem in refusal.value.problems}
    assert keys == {"training.epochs", "training.batch_size", "training.sead", "network.dropout", "optimizer.rho"}


SETTINGS = {
    "epochs=1_000": "'1_000' is not a whole number",
    "epochs=٣": "'٣' is not a whole number",
    "epochs=" + "9" * 5000: "is not a whole number",
    "epochs=": "'' is not a whole number",
    "epochs=1.5": "'1.5' is not a whole number",
    "learning_rate=fast": "'fast' is not a number",
    "learning_rate=-inf": "is not a finite number",
    "hidden_sizes=64--64": "is not whole numbers joined by '-'",
    "hidden_sizes=-64": "is not whole numbers joined by '-'",
    "betas=0.9": "must have at least 2",
    "betas=0.9,x": "is not numbers joined by ','",
    "best=yes": "is neither true nor false",
    "activation=rleu": "(did you mean 'relu'?)",
    "=3": "no such setting",
    "optimizer=": "'' is not one of",
    "momentum=0.5": "momentum: no such setting",
}


@pytest.mark.parametrize("setting", SETTINGS, ids=range(len(SETTINGS)))
def test_wrong_settings(setting: str) -> None:
    with pytest.raises(InputError) as refusal:
        apply(RunConfig(), [setting])
    (problem,) = refusal.value.problems
    assert problem.startswith("--set") and SETTINGS[setting] in problem and len(problem) < 300
