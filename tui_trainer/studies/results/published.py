"""What a study's source printed and claimed, beside what our runs say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from tui_trainer.studies.measures import at_epoch, measure
from tui_trainer.studies.results.estimate import Estimate, estimate, within_noise

if TYPE_CHECKING:
    from tui_trainer.studies.definition import Claim, Study
    from tui_trainer.studies.follow import StudyFollower

ROUNDING = 1e-12  # printed decimals are not exact in binary
Decision = Literal["holds", "does not hold", "within seed noise", "not run"]


@dataclass(frozen=True)
class Comparison:
    """A printed figure and ours."""

    row: str
    measure: str
    printed: float
    ours: Estimate | None
    tolerance: float | None
    """As the study states it; None where it states none."""
    note: str = ""

    @property
    def difference(self) -> float | None:
        return None if self.ours is None else self.ours.mean - self.printed

    @property
    def margin(self) -> float:
        """How far ours may lie from the printed value: the larger of tolerance and 2 standard deviations over seeds."""
        spread = self.ours.deviation if self.ours else None
        return max(self.tolerance or 0.0, 2 * (spread or 0.0))

    @property
    def verdict(self) -> Literal["reproduced", "differs", "not run"]:
        if self.difference is None:
            return "not run"
        return "reproduced" if abs(self.difference) <= self.margin + ROUNDING else "differs"


def comparisons(follower: StudyFollower) -> list[Comparison]:
    """Every printed figure of the study, row by row."""
    study = follower.study
    found = []
    for row in follower.rows:
        for name, printed in row.row.published.items():
            ours = estimate(row, name, follower.analyses)
            tolerance = study.tolerance.get(name, study.tolerance.get(at_epoch(name)[0]))
            found.append(Comparison(row.row.name, name, printed, ours, tolerance, _note(study, name, ours, tolerance)))
    return found


def _note(study: Study, name: str, ours: Estimate | None, tolerance: float | None) -> str:
    notes = []
    if ours and ours.deviation is None and tolerance is None:
        notes.append("one seed and no stated tolerance: nothing but the same number would count")
    if measure(name).is_timing and not study.one_at_a_time:
        notes.append("timed while other runs may have shared the machine")
    return "; ".join(notes)


@dataclass(frozen=True)
class ClaimResult:
    """`values`: the claim's measure, row by row, in the order of the claim."""

    claim: Claim
    values: tuple[tuple[str, Estimate | None], ...]
    verdict: Decision
    detail: str


def claims(follower: StudyFollower) -> list[ClaimResult]:
    """Every claim of the study, decided by the runs there are."""
    rows = {row.row.name: row for row in follower.rows}
    found = []
    for claim in follower.study.claims:
        names = claim.rows or list(rows)
        values = tuple(
            (name, estimate(rows[name], claim.measure, follower.analyses) if name in rows else None) for name in names
        )
        known = [(name, ours) for name, ours in values if ours]
        if len(known) < max(2, len(values)):
            missing = ", ".join(name for name, ours in values if not ours) or "a second row"
            found.append(ClaimResult(claim, values, "not run", f"without a number: {missing}"))
        else:
            found.append(ClaimResult(claim, values, *_decide(claim, known)))
    return found


Known = list[tuple[str, Estimate]]


def _decide(claim: Claim, known: Known) -> tuple[Decision, str]:
    (_, first), (_, second) = known[:2]
    match claim.holds:
        case "falls":
            return _monotone(claim, known, lambda before, after: before > after, "falls")
        case "rises":
            return _monotone(claim, known, lambda before, after: before < after, "rises")
        case "ratio":
            if second.mean == 0:
                return "does not hold", f"{known[1][0]} is 0: there is no ratio"
            ratio = first.mean / second.mean
            return "holds" if ratio >= claim.least else "does not hold", f"ratio {ratio:.3g}, claimed {claim.least:g}"
        case "below":
            return _pair(claim, known, first.mean < second.mean)
        case "above":
            return _pair(claim, known, first.mean > second.mean)


def _pair(claim: Claim, known: Known, holds: bool) -> tuple[Decision, str]:
    (name, first), (other, second) = known[:2]
    words = measure(claim.measure)
    detail = f"{name} {words.text(first.mean, first.deviation)}, {other} {words.text(second.mean, second.deviation)}"
    if within_noise(first, second):
        return "within seed noise", detail
    return "holds" if holds else "does not hold", detail


def _monotone(claim: Claim, known: Known, onward: Callable[[float, float], bool], word: str) -> tuple[Decision, str]:
    """From the first row to the last. A step back in between refutes it, unless seeds explain it."""
    words = measure(claim.measure)
    ends = f"{words.text(known[0][1].mean)} to {words.text(known[-1][1].mean)}"
    if back := list(_steps_back(known, onward)):
        return "does not hold", f"{ends}, but not from {', '.join(back)}"
    if not onward(known[0][1].mean, known[-1][1].mean) or within_noise(known[0][1], known[-1][1]):
        return "within seed noise", ends
    return "holds", f"{word} from {ends}"


def _steps_back(known: Known, onward: Callable[[float, float], bool]) -> Iterator[str]:
    for (name, before), (next_name, after) in pairwise(known):
        if not onward(before.mean, after.mean) and not within_noise(before, after):
            yield f"{name} to {next_name}"
