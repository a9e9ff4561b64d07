"""The table of a study: a line a row, how far each has come, and what must be said under it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_trainer.studies.measures import measure
from tui_trainer.studies.results.columns import Cell, Column, columns
from tui_trainer.studies.results.estimate import Estimate, estimate, within_noise
from tui_trainer.text import clean

if TYPE_CHECKING:
    from tui_trainer.studies.follow import RowState, StudyFollower

DECISIVE = ("test_accuracy", "best_test_accuracy", "val_accuracy", "best_val_accuracy")
VALIDATION_IS_TEST = "Validation is the test set: an epoch picked on it flatters the accuracy."


@dataclass(frozen=True)
class Line:
    """A row of the table. `standing`: `finished`, `2 of 3 seeds finished, 1 running`, `failed: why`."""

    name: str
    standing: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    header: tuple[Column, ...]
    lines: tuple[Line, ...]


def table(follower: StudyFollower, finished: bool = True) -> Table:
    """Of finished runs; with `finished` false, of what there is so far."""
    header = tuple(columns(follower.study, follower.rows))
    lines = (
        Line(
            row.row.name,
            standing(row),
            tuple(column.read(row, follower.analyses, finished) for column in header),
        )
        for row in follower.rows
    )
    return Table(header, tuple(lines))


def standing(row: RowState) -> str:
    """How far the row's runs have come, in words, with the reason of the first that failed."""
    counts = Counter(member.status for member in row.members)
    if len(counts) == 1:
        words = str(row.members[0].status)
    else:
        others = [f"{count} {status}" for status, count in counts.items() if status != "finished"]
        words = ", ".join([f"{counts['finished']} of {len(row.members)} seeds finished", *others])
    reason = next((m.reason for m in row.members if m.status == "failed" and m.reason), "")
    return f"{words}: {clean(reason, 200)}" if reason else words


def footnotes(follower: StudyFollower) -> list[str]:
    """What a reader of the table must know."""
    notes = []
    if any(m.state and m.state.validation_is_test for row in follower.rows for m in row.members):
        notes.append(VALIDATION_IS_TEST)
    seeds = max((len(row.members) for row in follower.rows), default=0)
    if seeds > 1:
        notes.append(f"Mean ± sample standard deviation over {seeds} seeds.")
    else:
        notes.append("One seed: the spread over seeds is unknown.")
    if unfinished := [f"{row.row.name} ({standing(row)})" for row in follower.rows if standing(row) != "finished"]:
        shown = ", ".join(unfinished[:10]) + (f" and {len(unfinished) - 10} more" if len(unfinished) > 10 else "")
        notes.append(f"Not complete: {shown}.")
    return notes


def verdicts(follower: StudyFollower) -> list[str]:
    """Of the accuracy that decides: the best row, and the rows that seed noise keeps from being told apart from it.

    By `within_noise`: Welch's t-test at 5 %, not corrected for the number of rows.
    """
    if len(follower.rows) < 2:
        return []
    shown = {column.key for column in columns(follower.study, follower.rows)}
    said = (_verdict(follower, name) for name in DECISIVE if name in shown)
    return [words for words in said if words][:1]


def _verdict(follower: StudyFollower, name: str) -> str:
    found: dict[str, Estimate] = {}
    for row in follower.rows:
        if ours := estimate(row, name, follower.analyses):
            found[row.row.name] = ours
    if len(found) < 2:
        return ""
    words = measure(name)
    best, top = max(found.items(), key=lambda item: item[1].mean)
    title = f"{words.title[0].upper()}{words.title[1:]}: best is {best}, {words.text(top.mean, top.deviation)}"
    noise = {other: within_noise(top, ours) for other, ours in found.items() if other != best}
    if None in noise.values():
        return f"{title}; with one seed a row, seed noise is unknown."
    alike = [other for other, within in noise.items() if within]
    if not alike:
        return f"{title}; every other row lies below it by more than seed noise."
    return f"{title}; within seed noise of it (Welch's t-test, 5 %): {', '.join(alike)}."
