"""Any runs side by side: the fields in which they differ, their numbers, who stems from whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tui_trainer.config import RunConfig, change, differences, flatten, knobs_of
from tui_trainer.runs.state import RunState
from tui_trainer.studies.measures import MEASURES
from tui_trainer.studies.results import Estimate
from tui_trainer.text import clean


@dataclass(frozen=True)
class Delta:
    """One measure of every run. `differences`: from the first run; None where either has no number."""

    measure: str
    values: tuple[float | None, ...]
    differences: tuple[float | None, ...]
    estimate: Estimate | None
    """Mean and spread, where the runs are seeds of one config."""


@dataclass(frozen=True)
class Compared:
    """`fields`: path of a field that differs → its value in each run, None where the run has no such field."""

    runs: tuple[RunState, ...]
    fields: dict[str, tuple[Any, ...]]
    are_seeds: bool
    deltas: tuple[Delta, ...]
    kinship: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "runs": [state.id for state in self.runs],
            "fields": {path: list(values) for path, values in self.fields.items()},
            "seeds_of_one_config": self.are_seeds,
            "measures": {
                delta.measure: {
                    "values": delta.values,
                    "differences": delta.differences,
                    "mean": delta.estimate.mean if delta.estimate else None,
                    "deviation": delta.estimate.deviation if delta.estimate else None,
                }
                for delta in self.deltas
            },
            "kinship": list(self.kinship),
        }


def compare(runs: Sequence[RunState]) -> Compared:
    """The runs in the order given; the first is what the others are compared with."""
    configs = [state.config for state in runs]
    paths = dict.fromkeys(path for other in configs[1:] for path in differences(configs[0], other))
    flat = [flatten(config) for config in configs]
    unseeded = {_without_seed(config).digest() for config in configs}
    are_seeds = len(runs) > 1 and len(unseeded) == 1 and "training.seed" in paths
    return Compared(
        runs=tuple(runs),
        fields={path: tuple(values.get(path) for values in flat) for path in paths},
        are_seeds=are_seeds,
        deltas=tuple(_deltas(runs, are_seeds)),
        kinship=tuple(_kinship(runs)),
    )


def field_texts(compared: Compared, path: str) -> list[str]:
    """The field's value in each run as a person writes it; a dash where a run has no such field."""
    knobs = [knobs_of(state.config).get(path) for state in compared.runs]
    return [
        clean(knob.render(value), 200) if knob else "–"
        for knob, value in zip(knobs, compared.fields[path], strict=True)
    ]


def _without_seed(config: RunConfig) -> RunConfig:
    return change(config, {"training.seed": 0})


def _deltas(runs: Sequence[RunState], are_seeds: bool) -> Iterator[Delta]:
    numbers = [state.numbers() for state in runs]
    for name in MEASURES:
        values = tuple(own[name] for own in numbers)
        known = [value for value in values if value is not None]
        if not known:
            continue
        first = values[0]
        apart = (None if value is None or first is None else value - first for value in values)
        yield Delta(name, values, tuple(apart), Estimate.of(known) if are_seeds else None)


def _kinship(runs: Sequence[RunState]) -> Iterator[str]:
    """Which run began with the weights of which."""
    ids = {state.id for state in runs}
    for state in runs:
        if state.parent:
            where = "" if state.parent in ids else ", which is not among these"
            yield f"{state.id} stems from {clean(state.parent, 200)}{where}"


def rows(compared: Compared) -> list[tuple[str, ...]]:
    """The comparison as lines of a table: a column a run, and one more for mean and spread over seeds."""
    found = []
    for path in compared.fields:
        found.append((path, *field_texts(compared, path), *([""] if compared.are_seeds else [])))
    for delta in compared.deltas:
        words = MEASURES[delta.measure]
        cells = [words.text(delta.values[0])]
        for value, apart in zip(delta.values[1:], delta.differences[1:], strict=True):
            cells.append(words.text(value) + (f" ({words.difference(apart)})" if apart else ""))
        if compared.are_seeds:
            cells.append(words.text(delta.estimate.mean, delta.estimate.deviation) if delta.estimate else "–")
        found.append((words.title, *cells))
    return found
