"""Columns of a study's table: fields of the config, measures of the runs, and those of the lab's report sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tui_trainer.config import VARIANTS, RunConfig, differences, flatten, knobs_of
from tui_trainer.studies.definition import Sharpness, Study
from tui_trainer.studies.measures import ACCURACIES, is_measure, measure
from tui_trainer.studies.results.estimate import Analyses, estimate
from tui_trainer.text import clean

if TYPE_CHECKING:
    from tui_trainer.studies.follow import RowState

NOT_HYPERPARAMETERS = {"training.seed", "training.threads", "training.device"}
NAMES = {
    "none": "none",
    "relu": "ReLU",
    "elu": "ELU",
    "silu": "SiLU",
    "gelu": "GELU",
    "sgd": "SGD",
    "rmsprop": "RMSprop",
}


@dataclass(frozen=True)
class Cell:
    """What a cell says, the number behind it, and the spread of that number over seeds."""

    text: str
    number: float | None = None
    deviation: float | None = None


@dataclass(frozen=True)
class Column:
    """`key`: a field's path, a measure's name, or a word of its own. `read` takes a row, the study's analyses, and
    whether only finished runs count."""

    key: str
    title: str
    read: Callable[[RowState, Analyses, bool], Cell]


def columns(study: Study, rows: Sequence[RowState]) -> list[Column]:
    """Those the study names; else the lab sheet's, if it is that report; else the fields that differ and accuracies."""
    if study.columns:
        return [named(name) for name in study.columns]
    configs = [row.row.config for row in rows]
    if study.report == "evaluation-report":
        return sheet_columns(configs)
    printed = [name for row in rows for name in row.row.published]
    epsilons = [epsilon for one in study.analyses if isinstance(one, Sharpness) for epsilon in one.epsilons]
    sharpness = [f"sharpness@{epsilon:g}" for epsilon in epsilons]
    names = dict.fromkeys((*ACCURACIES, *printed, *sharpness, "best_epoch", "seconds"))
    return [*map(_field, differing(configs)), *map(_measured, names)]


def differing(configs: Iterable[RunConfig]) -> list[str]:
    """Paths of the hyperparameters in which any two of the configs differ, in the order of the form.

    What differs only because each optimizer has defaults of its own is left out.
    """
    first, *others = configs
    paths = {path for other in others for path in differences(first, other)} - NOT_HYPERPARAMETERS
    order = dict.fromkeys(path for config in (first, *others) for path in flatten(config))
    return [path for path in order if path in paths and any(_is_chosen(config, path) for config in (first, *others))]


def _is_chosen(config: RunConfig, path: str) -> bool:
    knob = knobs_of(config).get(path)
    if knob is None:
        return False
    of_its_own = knob.group in VARIANTS and knob.name not in ("name", "learning_rate")
    return not of_its_own or flatten(config)[path] != knob.default


def named(name: str) -> Column:
    """The column of a measure or of a field, as a study file names it."""
    return _measured(name) if is_measure(name) else _field(name)


def _measured(name: str) -> Column:
    words = measure(name)

    def read(row: RowState, analyses: Analyses, finished: bool) -> Cell:
        found = estimate(row, name, analyses, finished)
        if found is None:
            return Cell("–")
        return Cell(words.text(found.mean, found.deviation), found.mean, found.deviation)

    return Column(name, words.title, read)


def _field(path: str) -> Column:
    group, _, name = path.partition(".")
    title = group if name == "name" else name.replace("_", " ")
    return Column(path, title, lambda row, analyses, finished: field_cell(row.row.config, path))


def field_cell(config: RunConfig, path: str) -> Cell:
    """A field's value as a person writes it; a dash where this config has no such field."""
    knob = knobs_of(config).get(path)
    if knob is None:
        return Cell("–")
    value = flatten(config)[path]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return Cell(clean(knob.render(value), 200), value if is_number else None)


def sheet_columns(configs: Sequence[RunConfig]) -> list[Column]:
    """The twelve columns of the lab's evaluation report, in its order."""
    epochs = {config.training.epochs for config in configs}
    time = f"{epochs.pop()}-epoch training time" if len(epochs) == 1 else "training time"

    def of_config(key: str, title: str, read: Callable[[RunConfig], Any]) -> Column:
        def cell(row: RowState, analyses: Analyses, finished: bool) -> Cell:
            value = read(row.row.config)
            if isinstance(value, str):
                return Cell(NAMES.get(value, value.capitalize().replace("_", " ")))
            return Cell(f"{value:g}", value)

        return Column(key, title, cell)

    return [
        of_config("training.batch_size", "batch size", lambda c: c.training.batch_size),
        of_config("network.activation", "activation", lambda c: c.network.activation),
        of_config("layers", "layers", lambda c: len(c.network.hidden_sizes) + 1),
        of_config("network.hidden_sizes", "layer size", _layer_size),
        of_config("training.epochs", "epochs", lambda c: c.training.epochs),
        of_config("network.init", "initialisation", lambda c: c.network.init),
        of_config("optimizer.name", "optimizer", lambda c: c.optimizer.name),
        of_config("optimizer.learning_rate", "learning rate", lambda c: c.optimizer.learning_rate),
        of_config("regularization.weight_decay", "weight decay", lambda c: c.regularization.weight_decay or "none"),
        Column("seconds", time, _measured("seconds").read),
        Column("best_epoch", "early stopping epoch", _measured("best_epoch").read),
        Column("best_test_accuracy", "accuracy", _measured("best_test_accuracy").read),
    ]


def _layer_size(config: RunConfig) -> int | str:
    """Units of each hidden layer: one number where all are equal, as the sheet has it."""
    sizes = config.network.hidden_sizes
    return sizes[0] if len(set(sizes)) == 1 else "-".join(map(str, sizes)) or "none"
