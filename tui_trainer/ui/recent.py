"""The runs and studies on disk as the home screen lists them. Used from a thread: what leaves it is frozen."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tui_trainer.runs import notes
from tui_trainer.runs.directory import Run, list_runs
from tui_trainer.runs.follow import Follower
from tui_trainer.runs.listing import Summary, of_state
from tui_trainer.runs.notes import Notes
from tui_trainer.runs.summaries import ABSENT, Stamp, stamp_of
from tui_trainer.studies.directory import StudyDirectory, list_studies
from tui_trainer.studies.follow import StudyFollower
from tui_trainer.text import InputError, clean
from tui_trainer.ui.study_report import seconds_left, wanted

SHOWN = 50
MOST_STUDIES = 20


@dataclass(frozen=True)
class StudySummary:
    """One study as of a moment. `status` is a `StudyStatus`, or `unreadable`; `changed` begins as run ids do."""

    directory: StudyDirectory
    name: str
    status: str
    changed: str
    reason: str = ""
    done: int = 0
    total: int = 0
    seconds_left: float | None = None

    @property
    def live(self) -> bool:
        return self.status in ("queued", "running", "analysing")

    @property
    def resumable(self) -> bool:
        return self.status in ("stopped", "interrupted")


class RecentStudies:
    """Follows the studies that were last at work."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.followers: dict[str, StudyFollower] = {}

    def refresh(self) -> list[StudySummary]:
        """Live ones first, then those that changed last."""
        found = sorted(
            ((_changed(place), place) for place in list_studies(self.root)), key=lambda f: f[0], reverse=True
        )
        summaries = [self._refresh(changed, place) for changed, place in found[:MOST_STUDIES]]
        return sorted(summaries, key=lambda summary: not summary.live)

    def _refresh(self, changed: str, place: StudyDirectory) -> StudySummary:
        try:
            follower = self.followers.get(place.id)
            if follower is None:
                follower = self.followers[place.id] = StudyFollower(place, self.root)
                follower.catch_up()
            else:
                follower.poll()
        except (InputError, OSError) as error:
            return StudySummary(place, place.id, "unreadable", changed, clean(str(error)))
        members = wanted(follower)
        return StudySummary(
            place,
            clean(follower.title, 80) or place.id,
            follower.status,
            changed,
            follower.reason,
            sum(member.status == "finished" for member in members),
            len(members),
            seconds_left(follower) if follower.alive else None,
        )


def in_order(studies: Sequence[StudySummary], runs: Sequence[Summary]) -> list[Summary | StudySummary]:
    """What is live, then what can be resumed, then the rest; studies before runs that live, the newest first."""
    rest: list[tuple[str, Summary | StudySummary]] = [(run.run.id, run) for run in runs]
    rest += [(study.changed, study) for study in studies if not study.live]
    rest.sort(key=lambda entry: entry[0], reverse=True)
    listed = [*(study for study in studies if study.live), *(summary for _, summary in rest)]
    return sorted(listed, key=lambda summary: 0 if summary.live else 1 if summary.resumable else 2)


def _changed(place: StudyDirectory) -> str:
    """The moment of its last event, in UTC as run ids have it."""
    try:
        moment = place.events_file.stat().st_mtime
    except OSError:
        moment = 0.0
    return time.strftime("%Y-%m-%d-%H%M%S", time.gmtime(moment))


class RecentRuns:
    """Follows the newest runs that are not archived; each `refresh` reads only what came since the last."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.followers: dict[str, Follower] = {}
        self.summaries: dict[str, Summary] = {}
        self.noted: dict[str, tuple[Stamp, Notes]] = {}
        self.older = 0

    def refresh(self) -> list[Summary]:
        """Newest first."""
        runs = [run for run in list_runs(self.root) if not self._archived(run)]
        self.older = max(0, len(runs) - SHOWN)
        shown = runs[:SHOWN]
        for gone in self.summaries.keys() - {run.id for run in shown}:
            del self.summaries[gone]
            self.followers.pop(gone, None)
        for run in shown:
            self._refresh(run)
        return [self.summaries[run.id] for run in shown]

    def _archived(self, run: Run) -> bool:
        """Read again only where the notes have changed; runs without any cost one question to the disk."""
        stamp = stamp_of(f"{run.path}/notes.toml")
        if stamp == ABSENT:
            return False
        known = self.noted.get(run.id)
        if known is None or known[0] != stamp:
            try:
                said = notes.read(run)
            except InputError:  # told by the table of all runs
                said = Notes()
            known = self.noted[run.id] = (stamp, said)
        return known[1].archived

    def _refresh(self, run: Run) -> None:
        try:
            follower = self.followers.get(run.id) or self.followers.setdefault(run.id, Follower(run))
            if run.id not in self.summaries:
                follower.catch_up()
            elif not follower.poll():
                return
        except (InputError, OSError) as error:
            self.summaries[run.id] = Summary(run, run.id, "unreadable", clean(str(error)))
            return
        self.summaries[run.id] = of_state(run, follower.state, Notes())
