"""`fold` for studies: from a plan and the coordinator's events to what is wanted, in which order, and where it runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tui_trainer.runs.events import Level, Log
from tui_trainer.runs.state import LogLine
from tui_trainer.studies import events
from tui_trainer.studies.plan import Member, Plan, Row
from tui_trainer.text import InputError, clean


@dataclass
class StudyState:
    """Everything the coordinator's events tell. Members are named by their key, `row/seed`."""

    rows: list[Row]
    seeds: int
    order: list[str] = field(init=False)
    """Rows as they start; the table keeps its own order, which claims about rows rely on."""
    status: events.Status | None = None
    reason: str = ""
    jobs: int = 0
    starts: int = 0
    """How often a coordinator took the study."""
    pid: int = 0
    """The last coordinator's process."""
    runs: dict[str, str] = field(default_factory=dict)
    slots: dict[str, int] = field(default_factory=dict)
    """Where each run's worker was last started."""
    failed: dict[str, str] = field(default_factory=dict)
    """Members this coordinator gave up, and why; the next one tries them again."""
    skipped: set[str] = field(default_factory=set)
    analysed: dict[str, str] = field(default_factory=dict)
    """Stem → why there is no result, or nothing."""
    acknowledged: dict[str, events.Applied] = field(default_factory=dict)
    log: deque[LogLine] = field(default_factory=lambda: deque(maxlen=2000))
    lines_seen: int = 0
    events_seen: int = 0

    def __post_init__(self) -> None:
        self.order = [row.name for row in self.rows]

    @classmethod
    def of(cls, plan: Plan) -> StudyState:
        return cls(list(plan.rows), plan.seeds)

    @property
    def wanted(self) -> list[Member]:
        """Members in the order they start, skipped ones left out: the first seed of every row, then the second, …"""
        by_name = {row.name: row for row in self.rows}
        ranked = [
            (index, rank, member)
            for rank, name in enumerate(self.order)
            for index, member in enumerate(by_name[name].members)
            if member.key not in self.skipped
        ]
        return [member for _, _, member in sorted(ranked, key=lambda entry: entry[:2])]

    def row(self, name: str) -> Row:
        """Raises `InputError` when the study has no such row."""
        for row in self.rows:
            if row.name == name:
                return row
        raise InputError(f"ROW: {name[:80]!r} is not a row; rows are: {', '.join(row.name for row in self.rows)}")


def fold(state: StudyState, event: events.AnyEvent) -> None:
    """Take one event into the state."""
    state.events_seen += 1
    _FOLDERS[type(event)](state, event)


def _started(state: StudyState, event: events.Started) -> None:
    state.starts += 1
    state.pid = event.pid
    state.jobs = event.jobs
    state.failed.clear()
    state.analysed = {stem: reason for stem, reason in state.analysed.items() if not reason}


def _state(state: StudyState, event: events.State) -> None:
    state.status, state.reason = event.status, clean(event.reason)
    _note(state, event, f"{event.status}: {event.reason}" if event.reason else event.status)


def _announced(state: StudyState, event: events.Announced) -> None:
    state.runs[event.member] = event.run
    _note(state, event, f"{event.member}: {event.run}")


def _launched(state: StudyState, event: events.Launched) -> None:
    state.slots[event.member] = event.slot


def _failed(state: StudyState, event: events.Failed) -> None:
    state.failed[event.member] = clean(event.reason)
    _note(state, event, f"{event.member}: failed: {event.reason}", "error")


def _skipped(state: StudyState, event: events.Skipped) -> None:
    members = set(event.members)
    state.skipped = state.skipped - members if event.undone else state.skipped | members
    _note(state, event, f"{'wanted again' if event.undone else 'skipped'}: {', '.join(event.members)}")


def _added(state: StudyState, event: events.Added) -> None:
    row = Row.from_json(event.row)
    state.rows.append(row)
    state.order.append(row.name)
    _note(state, event, f"added: {row.name}")


def _grown(state: StudyState, event: events.Grown) -> None:
    state.seeds = event.seeds
    state.rows[:] = [row.with_seeds(event.seeds) for row in state.rows]
    _note(state, event, f"{event.seeds} seeds of every row")


def _moved(state: StudyState, event: events.Moved) -> None:
    state.order.remove(event.row)
    at = state.order.index(event.before) if event.before else len(state.order)
    state.order.insert(at, event.row)


def _analysed(state: StudyState, event: events.Analysed) -> None:
    state.analysed[event.stem] = event.reason
    _note(state, event, f"{event.stem}: {event.reason or 'analysed'}", "error" if event.reason else "info")


def _applied(state: StudyState, event: events.Applied) -> None:
    state.acknowledged[event.id] = event
    words = f"{event.command}: {event.message}" if event.message else event.command
    _note(state, event, words, "info" if event.ok else "warning")


def _log(state: StudyState, event: Log) -> None:
    _note(state, event, event.message, event.level)


def _note(state: StudyState, event: events.AnyEvent, message: str, level: Level = "info") -> None:
    state.lines_seen += 1
    state.log.append(LogLine(event.time, level, clean(message)))


_FOLDERS: dict[type, Callable[[StudyState, Any], None]] = {
    events.Started: _started,
    events.State: _state,
    events.Announced: _announced,
    events.Launched: _launched,
    events.Failed: _failed,
    events.Skipped: _skipped,
    events.Added: _added,
    events.Grown: _grown,
    events.Moved: _moved,
    events.Analysed: _analysed,
    events.Applied: _applied,
    Log: _log,
}
