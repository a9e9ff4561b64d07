"""Every run of a folder in a line, from a cache where nothing has changed since: folding thousands of logs takes long.

The cache is one file outside the run directories. It can be deleted at any time, is rebuilt when it cannot be read, and
is never believed of a run that lives. Nothing here imports what a list that comes from the cache does not need.
"""

from __future__ import annotations

import gc
import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

import tui_trainer
from tui_trainer.runs import listing, notes
from tui_trainer.runs.directory import Run, list_runs
from tui_trainer.runs.launch import liveness
from tui_trainer.runs.listing import Summary
from tui_trainer.runs.notes import Notes
from tui_trainer.text import InputError, clean

if TYPE_CHECKING:
    from tui_trainer.runs.follow import Follower

CACHE_FORMAT = 3  # counts up whenever a summary says something new
Stamp = tuple[int, int, int]
"""Size, time in nanoseconds and inode of a file."""
ABSENT: Stamp = (0, 0, 0)


class Entry(msgspec.Struct):
    """A run's summary, as `RunState.summary` gives it, the person's notes, and the files they were made of."""

    stamps: tuple[Stamp, ...]
    facts: dict[str, Any]
    accuracies: tuple[float, ...]
    notes_stamp: Stamp
    notes: Notes


class Cache(msgspec.Struct):
    """By run id. One of another version of the program is not used."""

    version: str
    entries: dict[str, Entry]


class Summaries:
    """The runs under a folder; each `refresh` reads only what has changed since the last. For one thread at a time."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.file = cache_file(root)
        self.entries: dict[str, Entry] | None = None
        self.lines: dict[str, Summary] = {}
        self.followers: dict[str, Follower] = {}
        self.problems: list[str] = []
        """What is wrong with runs and notes that could not be read at the last `refresh`."""

    def refresh(self) -> list[Summary]:
        """Every run, newest first, unreadable ones with the reason."""
        collects = gc.isenabled()
        gc.disable()  # nearly all is kept: looking for garbage in thousands of summaries takes as long as reading them
        try:
            return self._refresh()
        finally:
            if collects:
                gc.enable()

    def _refresh(self) -> list[Summary]:
        known = read_cache(self.file) if self.entries is None else self.entries
        entries: dict[str, Entry] = {}
        lines: dict[str, Summary] = {}
        self.problems = []
        for run in list_runs(self.root):
            stamps, notes_stamp = stamps_of(run)
            entry, line = known.get(run.id), self.lines.get(run.id)
            lasting = liveness(run) == "dead"  # asked after the stamps were taken: a later write changes the files
            if not (entry and lasting and entry.stamps == stamps and entry.notes_stamp == notes_stamp):
                known_entry = entry if entry and lasting and entry.stamps == stamps else None
                line, entry = self._read(run, known_entry, stamps, notes_stamp)
            elif line is None or line.live:
                line = listing.of_facts(run, entry.facts, entry.notes, entry.accuracies)
            if lasting:
                self.followers.pop(run.id, None)
                if entry:
                    entries[run.id] = entry
            lines[run.id] = line
        for gone in self.followers.keys() - lines.keys():
            del self.followers[gone]
        if entries != known:
            write_cache(self.file, entries)
        self.entries, self.lines = entries, lines
        return list(lines.values())

    def _read(
        self, run: Run, known: Entry | None, stamps: tuple[Stamp, ...], notes_stamp: Stamp
    ) -> tuple[Summary, Entry | None]:
        """A run of which something has changed; no entry where something of it cannot be read."""
        try:
            said, trouble = notes.read(run), ""
        except InputError as error:
            said, trouble = Notes(), str(error)
            self.problems += error.problems
        try:
            if known:
                line = listing.of_facts(run, known.facts, said, known.accuracies)
                entry = Entry(stamps, known.facts, known.accuracies, notes_stamp, said)
            else:
                line = listing.of_state(run, self._follower(run).catch_up(), said)
                entry = Entry(stamps, dict(line.facts), line.accuracies, notes_stamp, said)
        except (InputError, OSError) as error:
            self.followers.pop(run.id, None)
            self.problems += error.problems if isinstance(error, InputError) else [f"{run.path}: {error}"]
            return Summary(run, clean(run.id), "unreadable", clean(str(error)), notes=said), None
        return line, None if trouble else entry

    def _follower(self, run: Run) -> Follower:
        from tui_trainer.runs.follow import Follower

        return self.followers.get(run.id) or self.followers.setdefault(run.id, Follower(run))


def read_all(root: Path) -> tuple[list[Summary], list[str]]:
    """Every run under `root` that can be read, newest first, and what is wrong with the others."""
    summaries = Summaries(root)
    return [line for line in summaries.refresh() if line.status != "unreadable"], summaries.problems


def stamps_of(run: Run) -> tuple[tuple[Stamp, ...], Stamp]:
    """Of the files that a summary is made of, and of the notes."""
    place = f"{run.path}/"
    return tuple(stamp_of(place + name) for name in ("events.jsonl", "config.toml", "lock")), stamp_of(
        place + "notes.toml"
    )


def stamp_of(file: str) -> Stamp:
    try:
        found = os.stat(file)  # noqa: PTH116 - thousands of them: a path object takes as long as the question
    except OSError:
        return ABSENT
    return found.st_size, found.st_mtime_ns, found.st_ino


def cache_file(root: Path) -> Path:
    from platformdirs import user_cache_path

    digest = hashlib.sha256(os.fsencode(root.absolute())).hexdigest()[:16]
    return user_cache_path("tui-trainer") / f"runs-{digest}.json"


def _version() -> str:
    return f"{tui_trainer.__version__}, {CACHE_FORMAT}"


def read_cache(file: Path) -> dict[str, Entry]:
    try:
        cache = msgspec.json.decode(file.read_bytes(), type=Cache)
    except (OSError, msgspec.MsgspecError, RecursionError):
        return {}
    return cache.entries if cache.version == _version() else {}


def write_cache(file: Path, entries: dict[str, Entry]) -> None:
    """Without a cache a listing only takes longer, so a disk that refuses is no failure."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(msgspec.json.encode(Cache(_version(), entries)))
        temporary.replace(file)
