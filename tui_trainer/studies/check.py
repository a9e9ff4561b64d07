"""What is wrong with a study file beyond its types: presets, rows, fields and measures it names and nobody knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache

from tui_trainer.config import OPTIMIZERS, SCHEDULES, Knob, knobs
from tui_trainer.names import resolve
from tui_trainer.studies import plan
from tui_trainer.studies.definition import Claim, Line, Sharpness, Study
from tui_trainer.studies.measures import MEASURES, PER_EPOCH, measure
from tui_trainer.text import InputError, nearest


def problems(study: Study) -> list[str]:
    """A line for each thing wrong, `key: what, limit`; none when the study can be run and its table drawn."""
    found: list[str] = []
    try:
        names = [row.name for row in plan.rows(study, study.seeds, [], 0)]
    except InputError as error:
        found += error.problems
        names = []
    if names:
        for index, claim in enumerate(study.claims):
            found += _rows_of_claim(claim, names, f"claims.{index}.rows")
        for index, analysis in enumerate(study.analyses):
            if isinstance(analysis, Line):
                ends = {"first": analysis.first, "second": analysis.second}
                found += [
                    _unknown_row(name, names, f"analyses.{index}.{key}")
                    for key, name in ends.items()
                    if name not in names
                ]
    for index, analysis in enumerate(study.analyses):
        if isinstance(analysis, Sharpness):
            wrong = [epsilon for epsilon in analysis.epsilons if not 0 < epsilon <= 1]
            found += [f"analyses.{index}.epsilons: {epsilon} must be above 0 and at most 1" for epsilon in wrong]
    return [*found, *_names(study)]


def _rows_of_claim(claim: Claim, names: list[str], where: str) -> Iterator[str]:
    for name in claim.rows:
        if name not in names:
            yield _unknown_row(name, names, where)
    if claim.holds in ("ratio", "below", "above") and len(claim.rows) != 2:
        yield f"{where}: {claim.holds} compares two rows, here are {len(claim.rows)}"
    elif len(claim.rows) == 1:
        yield f"{where}: {claim.holds} needs two rows or more, or none for all"


def _unknown_row(name: str, names: list[str], where: str) -> str:
    return f"{where}: {name[:80]!r} is not a row{nearest(name, names)}"


def _names(study: Study) -> Iterator[str]:
    """Measures and fields by names that nobody knows."""
    for index, run in enumerate(study.runs):
        yield from _each(run.published, _measure, f"runs.{index}.published")
    yield from _each(study.tolerance, _measure, "tolerance")
    yield from _each(study.columns, _column, "columns")
    yield from _each(study.charts, _chart, "charts")
    for index, claim in enumerate(study.claims):
        yield from _each([claim.measure], _measure, f"claims.{index}.measure")


def _each(names: Iterable[str], look_up: Callable[[str], str], where: str) -> Iterator[str]:
    for name in names:
        if problem := look_up(name):
            yield f"{where}: {problem}"


def _measure(name: str) -> str:
    try:
        measure(name)
    except InputError as error:
        return str(error)
    return ""


@cache
def _fields() -> Mapping[str, Knob]:
    """Every field there is, whatever the optimizer and the schedule."""
    return {path: knob for o in OPTIMIZERS for s in SCHEDULES for path, knob in knobs(o, s).items()}


def _field(name: str) -> str:
    """Fields are named by their whole path here."""
    try:
        path = resolve(name, _fields())
    except ValueError as error:
        return f"{name[:80]!r}: {error}"
    return "" if path == name else f"{name!r}: write the whole path, {path}"


def _column(name: str) -> str:
    if name in _fields() or not _measure(name):
        return ""
    return f"{name[:80]!r} is neither a field, by its whole path, nor a measure{nearest(name, [*_fields(), *MEASURES])}"


def _chart(name: str) -> str:
    what, against, field = name.partition(" against ")
    if against:
        return _measure(what) or _field(field)
    return "" if name in PER_EPOCH else f"{name[:80]!r} is not measured every epoch{nearest(name, PER_EPOCH)}"
