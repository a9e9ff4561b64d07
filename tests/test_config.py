"""The config: every field is declared once, written and read back without loss, and wrong values are named."""

import itertools
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from tests.configs import configs
from tui_trainer.config import (
    OPTIMIZERS,
    SCHEDULES,
    RunConfig,
    apply,
    build,
    change,
    differences,
    flatten,
    groups,
    knobs,
    knobs_of,
)
from tui_trainer.names import resolve
from tui_trainer.runs import directory
from tui_trainer.text import InputError


@settings(max_examples=100, deadline=None)
@given(configs())
def test_every_field_is_written_and_read_back(wanted: RunConfig) -> None:
    known = knobs_of(wanted)
    assert known.keys() == flatten(wanted).keys()
    for path, value in flatten(wanted).items():
        assert known[path].parse(known[path].render(value)) == value
    written = [f"{path}={known[path].render(value)}" for path, value in flatten(wanted).items()]
    assert apply(RunConfig(), written) == wanted
    assert apply(wanted, []) == wanted
    assert (wanted.digest() == RunConfig().digest()) == (wanted == RunConfig())


@settings(max_examples=30, deadline=None)
@given(configs())
def test_a_run_directory_keeps_the_config(tmp_path_factory: pytest.TempPathFactory, wanted: RunConfig) -> None:
    run = directory.create(tmp_path_factory.mktemp("runs"), wanted, "name", "a/preset – ü", Path("data"))
    record = directory.read_record(run)
    from_any_folder = {"data.file": str(Path(wanted.data.file).absolute())}
    assert record.config == change(wanted, from_any_folder)
    assert (record.name, record.preset, record.data_root) == ("name", "a/preset – ü", Path("data").absolute())


def test_every_field_has_words_for_a_person_and_a_default_within_bounds() -> None:
    for optimizer, schedule in itertools.product(OPTIMIZERS, SCHEDULES):
        made = build({"optimizer": {"name": optimizer}, "schedule": {"name": schedule}})
        assert (made.optimizer.name, made.schedule.name) == (optimizer, schedule)
        values, known = flatten(made), knobs_of(made)
        for path, knob in known.items():
            assert knob.help.endswith("."), path
            assert knob.path == path == f"{knob.group}.{knob.name}"
            assert (knob.kind == "choice") == bool(knob.choices)
            assert knob.default == values[path]
            field, _, when = knob.when.partition(": ")
            assert not when or set(when.split()) <= set(known[f"{knob.group}.{field}"].choices), path


SHORT = {
    "epochs": "training.epochs",
    "seed": "training.seed",
    "learning_rate": "optimizer.learning_rate",
    "dropout": "network.dropout",
    "hidden_sizes": "network.hidden_sizes",
    "activation": "network.activation",
    "optimizer": "optimizer.name",
    "schedule": "schedule.name",
    "data": "data.name",
    "batch_size": "training.batch_size",
    "training.epochs": "training.epochs",
}


@pytest.mark.parametrize("short", SHORT)
def test_short_names(short: str) -> None:
    assert resolve(short, knobs()) == SHORT[short]


def test_a_short_name_that_fits_two_fields_is_refused() -> None:
    with pytest.raises(ValueError, match=r"could be schedule\.patience or early_stopping\.patience"):
        resolve("patience", knobs("adam", "plateau"))
    assert resolve("patience", knobs()) == "early_stopping.patience"


def test_settings_as_the_issue_writes_them() -> None:
    wanted = (
        "epochs=5 seed=7 learning_rate=0.01 dropout=0.3 hidden_sizes=128-64 activation=tanh optimizer=sgd batch_size=10"
    )
    made = apply(RunConfig(), wanted.split())
    assert made.layer_sizes == (64, 128, 64, 10) and made.architecture == "64-128-64-10"
    assert made.layer_parameters == [64 * 128 + 128, 128 * 64 + 64, 64 * 10 + 10]
    assert (made.training.epochs, made.training.seed, made.training.batch_size) == (5, 7, 10)
    assert isinstance(made.optimizer, groups.Sgd) and made.optimizer.learning_rate == 0.01
    assert made.steps_per_epoch == 126
    assert apply(made, ["hidden_sizes=none"]).layer_sizes == (64, 10)
    assert apply(RunConfig(), ["learning_rate=0.5", "optimizer=sgd"]).optimizer.learning_rate == 0.5


def test_another_optimizer_keeps_the_learning_rate_and_drops_the_rest() -> None:
    tuned = build({"optimizer": {"name": "adam", "learning_rate": 0.25, "betas": (0.5, 0.5)}})
    assert apply(tuned, ["optimizer=sgd"]).optimizer == groups.Sgd(learning_rate=0.25)


def test_another_schedule_keeps_the_warm_up_and_drops_the_rest() -> None:
    tuned = build({"schedule": {"name": "step", "warmup_epochs": 2.5, "gamma": 0.5}})
    assert apply(tuned, ["schedule=exponential"]).schedule == groups.Exponential(warmup_epochs=2.5)
    assert apply(tuned, ["schedule=one_cycle"]).schedule == groups.OneCycle()
    assert change(tuned, {"schedule.name": "cosine", "schedule.cycles": 3}).schedule == groups.Cosine(
        warmup_epochs=2.5, cycles=3
    )


def test_fields_that_do_not_fit_together_are_each_named() -> None:
    with pytest.raises(InputError) as refusal:
        apply(RunConfig(), ["data=moons", "split=60k-10k", "distortion=0.1", "optimizer=sgd", "nesterov=true"])
    assert [problem.partition(": ")[2].partition(":")[0] for problem in refusal.value.problems] == [
        "data.split",
        "noise.distortion",
        "optimizer.nesterov",
    ]


def test_differences_name_every_field_that_differs() -> None:
    other = apply(RunConfig(), ["optimizer=sgd", "epochs=3"])
    assert differences(RunConfig(), other) == {
        "optimizer.name": ("adam", "sgd"),
        "optimizer.betas": ((0.9, 0.999), None),
        "optimizer.eps": (1e-8, None),
        "optimizer.momentum": (None, 0.0),
        "optimizer.nesterov": (None, False),
        "optimizer.dampening": (None, 0.0),
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
    (
        "optimizer.name",
        "adamm",
        "'adamm' is not one of sgd, adagrad, rmsprop, adadelta, adam, adamw, nadam, radam, muon (did you mean 'adam'?)",
    ),
    ("network.hidden_sizes", [0], "network.hidden_sizes.0: 0 is below the least allowed, 1"),
    ("network.hidden_sizes", [65_537], "above the most allowed, 65536"),
    ("network.hidden_sizes", [1] * 5000, "network.hidden_sizes: has 5000 values, must have at most 100"),
    ("network.hidden_sizes", 64, "network.hidden_sizes"),
    ("network.hidden_sizes", ["64"], "'64' is not a whole number"),
    ("network.dropout", 1.0, "1.0 must be below 1"),
    ("network.dropuot", 0.1, "network.dropuot: no such setting (did you mean 'dropout'?)"),
    ("network.epochs", 1, "network.epochs: no such setting (did you mean 'training.epochs'?)"),
    ("network.dropout", [0.1, 0.2, 0.3], "network.dropout: has 3 values for 2 hidden layers; give 1 or all"),
    ("layers.frozen", 3, "layers.frozen: 3 of 3 layers leave nothing to train"),
    ("optimizer.name", "muom", "(did you mean 'muon'?)"),
    ("schedule.name", "cosin", "(did you mean 'cosine'?)"),
    ("schedule.cycles", 2, "schedule.cycles: a setting of cosine, but the schedule is constant"),
    ("data.name", "csv", "data.file: is missing; csv needs the path of your file"),
    ("noise.distortion", 2.0, "above the most allowed, 1"),
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
        (
            {"optimizer": {}},
            "optimizer.name: is missing; one of sgd, adagrad, rmsprop, adadelta, adam, adamw, nadam, radam, muon",
        ),
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
    assert keys == {"training.epochs", "training.batch_size", "training.sead", "network.dropout.0", "optimizer.rho"}


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
