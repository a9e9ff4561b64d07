"""Follow a study: its coordinator's events and its runs, as command line, screen and reports see them. Never writes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tui_trainer.files import open_regular
from tui_trainer.runs.directory import Run
from tui_trainer.runs.follow import Follower
from tui_trainer.runs.launch import liveness, why_interrupted
from tui_trainer.runs.reader import LineReader
from tui_trainer.runs.state import LogLine, RunState
from tui_trainer.studies import catalogue, events
from tui_trainer.studies.directory import StudyDirectory
from tui_trainer.studies.plan import Member, Plan, Row
from tui_trainer.studies.state import StudyState, fold
from tui_trainer.text import InputError, clean

StudyStatus = Literal["queued", "running", "analysing", "finished", "stopped", "interrupted"]
MemberStatus = Literal[
    "waiting", "starting", "running", "paused", "finished", "failed", "stopped", "interrupted", "skipped"
]
SETTLED = frozenset({"finished", "failed", "skipped"})
"""What a member stays as long as the coordinator does not start it again."""


@dataclass
class MemberState:
    member: Member
    status: MemberStatus = "waiting"
    reason: str = ""
    run: Run | None = None
    state: RunState | None = None
    follower: Follower | None = None


@dataclass
class RowState:
    row: Row
    members: list[MemberState]


class StudyFollower:
    """A study's state, brought up to date by each `poll`. Raises `InputError` when its files cannot be read."""

    def __init__(self, directory: StudyDirectory, runs_root: Path) -> None:
        self.directory = directory
        self.runs_root = runs_root
        self.plan = Plan.read(directory.plan_file)
        self.study = catalogue.parse(directory.definition_file)
        self.name = self.plan.name
        self.title = self.study.title or self.name
        self.state = StudyState.of(self.plan)
        self.rows: list[RowState] = []
        self.status: StudyStatus = "interrupted"
        self.reason = ""
        self.alive = False
        self.analyses: dict[str, dict[str, Any]] = {}
        """Stem of an analysis's file → what it holds."""
        self._reader = LineReader(directory.events_file, events.DECODER)
        self._members: dict[str, MemberState] = {}
        self._lines_given = 0
        self._arrange()

    def poll(self, progress: Callable[[int, int], None] | None = None) -> bool:
        """Take in what came since the last call; True when anything a person could see has changed.

        `progress` is told the runs looked at, and of how many.
        """
        before = (self.state.events_seen, self.status, self.alive)
        starts = self.state.starts
        self.alive = liveness(self.directory) == "alive"  # asked first, as of a run
        for event in self._reader.read():
            fold(self.state, event)
        if self.state.events_seen != before[0]:
            self._arrange()
        self._judge()
        fresh = self.state.starts != starts
        polled = []
        for number, entry in enumerate(self._members.values(), start=1):
            polled.append(self._poll_member(entry, fresh))
            if progress:
                progress(number, len(self._members))
        read = self._read_analyses()
        return any(polled) or read or before != (self.state.events_seen, self.status, self.alive)

    def catch_up(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Everything written so far."""
        while True:
            offset = self._reader.offset
            self.poll(progress)
            if self._reader.offset == offset:
                return

    def new_lines(self) -> list[LogLine]:
        """Log lines of the coordinator that came since the last call."""
        count = self.state.lines_seen - self._lines_given
        self._lines_given = self.state.lines_seen
        return list(self.state.log)[-count:] if count else []

    def _arrange(self) -> None:
        """Rows and members as the events have them; members that were there keep what is known of them."""
        known = self._members
        self._members = {
            member.key: known.get(member.key) or MemberState(member)
            for row in self.state.rows
            for member in row.members
        }
        self.rows = [RowState(row, [self._members[m.key] for m in row.members]) for row in self.state.rows]

    def _judge(self) -> None:
        """The status as it really is: a coordinator without a last word was interrupted."""
        told, self.reason = self.state.status, self.state.reason
        if self.alive or told in ("finished", "stopped"):
            self.status = told or "queued"
        elif self.status != "interrupted" or not self.reason:
            self.status = "interrupted"
            self.reason = clean(why_interrupted(self.directory, self.directory.coordinator_log), 300)

    def _poll_member(self, entry: MemberState, fresh: bool) -> bool:
        """Look at the member's run, if it may have changed: finished ones stay so."""
        before = (entry.status, entry.reason)
        changed = False
        id = self.state.runs.get(entry.member.key)
        if id and (entry.follower is None or entry.follower.run.id != id):
            try:
                entry.follower = Follower(Run(self.runs_root / id))
            except InputError:  # announced, and not made yet, or deleted
                entry.follower = None
            else:
                entry.run, entry.state = entry.follower.run, entry.follower.catch_up()
        elif entry.follower and (entry.status not in SETTLED or fresh):
            changed = entry.follower.poll()
        entry.status, entry.reason = self._status(entry)
        return changed or (entry.status, entry.reason) != before

    def _status(self, entry: MemberState) -> tuple[MemberStatus, str]:
        key, state = entry.member.key, entry.state
        if state and state.status == "finished":
            return "finished", state.reason
        if key in self.state.skipped and not (entry.follower and entry.follower.alive):
            return "skipped", ""
        if key in self.state.failed:
            return "failed", self.state.failed[key]
        if state:
            return state.status, state.reason
        return ("starting" if self.alive and key in self.state.runs else "waiting"), ""

    def _read_analyses(self) -> bool:
        """Results that came since the last call."""
        new = [stem for stem, reason in self.state.analysed.items() if not reason and stem not in self.analyses]
        for stem in new:
            try:
                with open_regular(self.directory.analyses / f"{stem}.json") as stream:
                    self.analyses[stem] = dict(json.loads(stream.read()))
            except (OSError, ValueError, TypeError, RecursionError):
                self.analyses[stem] = {}
        return bool(new)


def load(directory: StudyDirectory, progress: Callable[[int, int], None] | None = None) -> StudyFollower:
    """The study as of now."""
    follower = StudyFollower(directory, directory.runs_root)
    follower.catch_up(progress)
    return follower


def wait(
    follower: StudyFollower, until: Callable[[StudyFollower], bool], timeout: float, interval: float = 0.05
) -> bool:
    """Poll until the condition holds; False after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        follower.poll()
        if until(follower):
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(interval)
