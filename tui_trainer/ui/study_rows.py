"""The rows of a study as its screen shows them; a row is looked at again only when one of its runs has moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui_trainer.studies.follow import MemberState, RowState, StudyFollower
from tui_trainer.studies.measures import is_measure
from tui_trainer.studies.results import Column, columns
from tui_trainer.text import clean
from tui_trainer.ui.curves import recent
from tui_trainer.ui.words import marked, sparkline

SPARK = 10
ORDER = ("running", "starting", "paused", "failed", "interrupted", "stopped", "waiting", "finished", "skipped")
"""The first of these that one of its runs has is what a row is called."""
LIVE = ("starting", "running", "paused")


@dataclass(frozen=True)
class Cell:
    """What stands in a cell, in which theme colour, and what it sorts by; None comes last."""

    text: str
    value: float | str | None = None
    colour: str = ""
    number: bool = False


@dataclass(frozen=True)
class RowView:
    """One line of the table. `number` is the row's place in the study, which gives its colour and glyph."""

    name: str
    number: int
    status: str
    cells: tuple[Cell, ...]


def row_status(row: RowState) -> str:
    found = {member.status for member in row.members}
    return next((status for status in ORDER if status in found), "waiting")


class StudyRows:
    """`titles`: what stands above the columns, as many as each row has cells."""

    def __init__(self, follower: StudyFollower) -> None:
        self.follower = follower
        self.wide = True
        """Room enough for sparklines beside the epochs; else they stand last, where little is lost."""
        self.views: dict[str, RowView] = {}
        self._seen: dict[str, object] = {}
        self._columns: list[Column] = []
        self._fields: dict[tuple[str, str], Cell] = {}
        self._arranged: list[str] = []
        self.waiting: list[str] = []
        """Rows that have still to start, the next one first."""
        self._events = -1

    @property
    def titles(self) -> list[str]:
        found = ["row", "state", "epoch", *(clean(column.title, 60) for column in self._columns)]
        found.insert(self._spark_place, "val accuracy")
        return found

    @property
    def _spark_place(self) -> int:
        return 3 if self.wide else 3 + len(self._columns)

    def refresh(self, wide: bool = True) -> list[RowView]:
        """Every row in the study's order."""
        if wide != self.wide:
            self.wide = wide
            self._seen.clear()
        follower = self.follower
        names = [row.row.name for row in follower.rows]
        if names != self._arranged:
            self._arranged = names
            self._columns = differing_columns(columns(follower.study, follower.rows), follower.rows)
            self._seen.clear()
        if follower.state.events_seen != self._events:
            self._events = follower.state.events_seen
            begun = follower.state.runs
            self.waiting = list(dict.fromkeys(m.row for m in follower.state.wanted if m.key not in begun))
        places = {name: place for place, name in enumerate(self.waiting, 1)}
        for number, row in enumerate(follower.rows):
            name = row.row.name
            seen = (
                places.get(name),
                len(follower.analyses),
                *((m.status, m.state.events_seen if m.state else 0) for m in row.members),
            )
            if self._seen.get(name) != seen:
                self._seen[name] = seen
                self.views[name] = self._view(number, row, places.get(name))
        return [self.views[name] for name in names]

    def _view(self, number: int, row: RowState, place: int | None) -> RowView:
        name, status = row.row.name, row_status(row)
        cells = [
            Cell(clean(name, 60), number),
            _status_cell(row, status, place),
            _progress_cell(row),
            *(self._cell(column, row) for column in self._columns),
        ]
        cells.insert(self._spark_place, _spark_cell(row))
        return RowView(name, number, status, tuple(cells))

    def _cell(self, column: Column, row: RowState) -> Cell:
        key = (row.row.name, column.key)
        if key in self._fields:
            return self._fields[key]
        found = column.read(row, self.follower.analyses, False)
        value = found.number if found.number is not None else found.text if found.text != "–" else None
        cell = Cell(clean(found.text, 40), value, number=found.number is not None or is_measure(column.key))
        if not is_measure(column.key):
            self._fields[key] = cell
        return cell


def differing_columns(found: Sequence[Column], rows: Sequence[RowState]) -> list[Column]:
    """Without the hyperparameters that are the same in every row."""
    if len(rows) < 2:
        return list(found)
    return [c for c in found if is_measure(c.key) or len({c.read(row, {}, True).text for row in rows}) > 1]


def _status_cell(row: RowState, status: str, place: int | None) -> Cell:
    """With several seeds how many are done, else which of those that wait it is."""
    words, colour = marked(status)
    if len(row.members) > 1:
        words += f" {sum(member.status == 'finished' for member in row.members)}/{len(row.members)}"
    elif status == "waiting" and place:
        words += f" {place}."
    return Cell(words, ORDER.index(status), colour)


def _progress_cell(row: RowState) -> Cell:
    """Epochs of the run that trains now, or that came farthest."""
    members = [member for member in row.members if member.state]
    shown = next((m for m in members if m.status in LIVE), members[-1] if members else None)
    if shown is None or shown.state is None:
        return Cell("–", None, "$muted", number=True)
    return Cell(f"{shown.state.epoch}/{shown.state.epochs}", share(shown), number=True)


def share(member: MemberState) -> float:
    """How much of the run is done."""
    if member.status == "finished":
        return 1.0
    return member.state.step / max(member.state.total_steps, 1) if member.state else 0.0


def _spark_cell(row: RowState) -> Cell:
    """Validation accuracy over the epochs of the run that came last."""
    states = [member.state for member in row.members if member.state and member.state.last_epoch]
    if not states:
        return Cell("")
    last = states[-1].last_epoch
    values = recent(states[-1].series["val_accuracy"], SPARK)
    return Cell(sparkline(values, SPARK), last.val_accuracy if last else None, "$accent")
