"""A measure against a field of the config, and the way between two rows' weights: what charts of both kinds draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tui_trainer.studies.results.columns import differing, field_cell, named
from tui_trainer.studies.results.estimate import Analyses, Estimate, estimate

if TYPE_CHECKING:
    from tui_trainer.config import RunConfig
    from tui_trainer.studies.definition import Line
    from tui_trainer.studies.follow import RowState

LOG_SPAN = 20.0  # values that lie so many times apart are spread on a logarithmic axis


@dataclass(frozen=True)
class Group:
    """Rows that differ in the field alone: where each lies, what it is called there, and its estimate."""

    name: str
    points: tuple[tuple[float | None, str, Estimate], ...]


def groups(rows: Sequence[RowState], name: str, field: str, analyses: Analyses) -> list[Group]:
    """The measure `name` of every row that has it, by the values of all other fields that differ."""
    path = named(field).key
    others = [other for other in differing(row.row.config for row in rows) if other != path]
    found: dict[str, list[tuple[float | None, str, Estimate]]] = {}
    for row in rows:
        if ours := estimate(row, name, analyses):
            cell = field_cell(row.row.config, path)
            found.setdefault(_group(row.row.config, others), []).append((cell.number, cell.text, ours))
    return [Group(words, tuple(points)) for words, points in found.items()]


def _group(config: RunConfig, paths: Sequence[str]) -> str:
    """`adam, learning rate 0.001`: the fields that tell a group of points from another, as far as it has them."""
    cells = [(path, named(path).title, field_cell(config, path).text) for path in paths]
    return ", ".join(
        text if path.endswith(".name") else f"{title} {text}" for path, title, text in cells if text != "–"
    )


def is_logarithmic(numbers: Sequence[float]) -> bool:
    """Are the values spread so far that only a logarithmic axis shows them all?"""
    return bool(numbers) and min(numbers) > 0 and max(numbers) >= LOG_SPAN * min(numbers)


def between(wanted: Line, analyses: Analyses) -> list[Mapping[str, Any]]:
    """What was measured along w(α) = α·w₂ + (1 − α)·w₁, for each seed there is."""
    stem = f"line-{wanted.first}-{wanted.second}-s"
    results = (result for name, result in sorted(analyses.items()) if name.removeprefix(stem).isdecimal())
    return [result for result in results if result.get("alpha")]


def across(found: Sequence[Mapping[str, Any]], quantity: str) -> list[Estimate]:
    """Place by place the estimate over all seeds."""
    return [ours for ours in map(Estimate.of, zip(*(result[quantity] for result in found), strict=True)) if ours]
