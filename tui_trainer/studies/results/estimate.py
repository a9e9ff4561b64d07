"""Mean and spread of a measure over the seeds of a row, and when two of them cannot be told apart."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from tui_trainer.studies.measures import value

if TYPE_CHECKING:
    from tui_trainer.studies.follow import MemberState, RowState

LEVEL = 0.05
Analyses = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Estimate:
    """`deviation`: the sample standard deviation over seeds (n - 1 in the denominator); None of a single seed."""

    mean: float
    deviation: float | None
    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Iterable[float]) -> Self | None:
        """None of no values; of values that are not finite, a mean and a deviation that are not either."""
        known = tuple(values)
        if not known:
            return None
        if not all(map(math.isfinite, known)):
            return cls(sum(known), math.nan if len(known) > 1 else None, known)
        return cls(statistics.fmean(known), statistics.stdev(known) if len(known) > 1 else None, known)


def estimate(row: RowState, measure: str, analyses: Analyses, finished: bool = True) -> Estimate | None:
    """Over the row's finished members, or with `finished` false over all that have the number yet."""
    return Estimate.of(number for _, number in by_seed(row, measure, analyses, finished) if number is not None)


def by_seed(
    row: RowState, measure: str, analyses: Analyses, finished: bool = True
) -> list[tuple[MemberState, float | None]]:
    """The number of each member; None where it is not known, or its run has not finished."""
    return [
        (
            member,
            value(member.state, measure, _sharpness(member, analyses))
            if member.state and (member.status == "finished" or not finished)
            else None,
        )
        for member in row.members
    ]


def _sharpness(member: MemberState, analyses: Analyses) -> Mapping[str, Any]:
    found = analyses.get(f"sharpness-{member.member.row}-s{member.member.seed}", {})
    return dict(found.get("sharpness", {}))


def within_noise(a: Estimate, b: Estimate) -> bool | None:
    """Could the two means differ by the luck of their seeds alone? None where a single seed leaves that unknown.

    Welch's t-test (1947), two-sided at 5 %: true where it does not reject that the means are equal.
    """
    if a.deviation is None or b.deviation is None:
        return None
    from scipy.special import stdtr  # Student's t; takes long to load

    count_a, count_b = len(a.values), len(b.values)
    variance_a, variance_b = a.deviation**2 / count_a, b.deviation**2 / count_b
    variance = variance_a + variance_b
    if variance == 0:
        return a.mean == b.mean
    freedom = 1 / ((variance_a / variance) ** 2 / (count_a - 1) + (variance_b / variance) ** 2 / (count_b - 1))
    return bool(2 * stdtr(freedom, -abs(a.mean - b.mean) / math.sqrt(variance)) >= LEVEL)
