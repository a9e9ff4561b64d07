"""What is wrong with a study file beyond its types: presets, rows, fields and measures it names and nobody knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tui_trainer.config import OPTIMIZERS, SCHEDULES, knobs
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


def _fields() -> set[str]:
    """Every field there is, whatever the optimizer and the schedule."""
    return {path for o in OPTIMIZERS for s in SCHEDULES for path in knobs(o, s)}


def _column(name: str) -> str:
    if not _measure(name) or name in _fields():
        return ""
    return f"{name[:80]!r} is neither a field nor a measure{nearest(name, [*_fields(), *MEASURES])}"


def _chart(name: str) -> str:
    what, against, field = name.partition(" against ")
    if not against:
        known = list(PER_EPOCH)
        return "" if name in known else f"{name[:80]!r} is not measured every epoch{nearest(name, known)}"
    if problem := _measure(what):
        return problem
    return "" if field in _fields() else f"{field[:80]!r} is no field{nearest(field, _fields())}"
