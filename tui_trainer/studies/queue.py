"""The queue of studies: each waiting coordinator holds a place, and whoever holds the turn runs.

One queue a machine, though homes may be shared. A place is an empty file `<rank>-<id>` that its coordinator writes and
renames; one whose coordinator is dead does not count.
"""

from __future__ import annotations

import os
import platform
import re
import time
from dataclasses import dataclass
from pathlib import Path

from tui_trainer.runs.launch import liveness, take_lock
from tui_trainer.studies.directory import StudyDirectory, studies_root
from tui_trainer.text import InputError


@dataclass(frozen=True)
class Place:
    rank: int
    directory: StudyDirectory
    file: Path


@dataclass(frozen=True)
class Queue:
    path: Path
    studies: Path
    id: str = "queue"

    @property
    def lock_file(self) -> Path:
        """Held by the coordinator whose turn it is."""
        return self.path / "turn"

    def places(self) -> list[Place]:
        """Who waits, the next one first."""
        found = []
        try:
            names = [entry.name for entry in os.scandir(self.path)]
        except OSError:
            return []
        for name in names:
            rank, _, id = name.partition("-")
            directory = StudyDirectory(self.studies / id)
            if id and rank.isdecimal() and liveness(directory) == "alive":
                found.append(Place(int(rank), directory, self.path / name))
        return sorted(found, key=lambda place: (place.rank, place.directory.id))

    def enter(self, directory: StudyDirectory, first: bool = False) -> None:
        """Take the last place, or the first; an earlier place of the same study is given up."""
        self.path.mkdir(parents=True, exist_ok=True)
        rank = min((place.rank for place in self.places()), default=time.time_ns()) - 1 if first else time.time_ns()
        old = list(self._of(directory))
        (self.path / f"{rank:020}-{directory.id}").touch()
        for file in old:
            file.unlink(missing_ok=True)

    def leave(self, directory: StudyDirectory) -> None:
        for file in self._of(directory):
            file.unlink(missing_ok=True)

    def _of(self, directory: StudyDirectory) -> list[Path]:
        return [file for file in self.path.glob(f"*-{directory.id}") if file.name.partition("-")[2] == directory.id]

    def take_turn(self, directory: StudyDirectory) -> int | None:
        """The turn, held through a descriptor, if nobody has it and nobody else is next."""
        places = self.places()
        if (places and places[0].directory != directory) or liveness(self) == "alive":
            return None
        try:
            turn = take_lock(self)
        except InputError:
            return None
        self.leave(directory)
        return turn


def queue(runs_root: Path) -> Queue:
    """The queue of this machine."""
    studies = studies_root(runs_root)
    return Queue(studies / f".queue-{re.sub(r'[^A-Za-z0-9.-]', '-', platform.node())}", studies)
