"""What `runs` lists of every run, from a cache where nothing has changed since: folding thousands of logs takes long.

The cache is one file outside the run directories. It can be deleted at any time, is rebuilt when it cannot be read, and
is never believed of a run that lives.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

import tui_trainer
from tui_trainer.runs.directory import Run, list_runs
from tui_trainer.runs.follow import load
from tui_trainer.runs.launch import liveness
from tui_trainer.text import InputError

Stamp = tuple[tuple[int, int, int], ...]


class Entry(msgspec.Struct):
    """A run's summary, as `RunState.summary` gives it, and the files it was made of."""

    stamp: Stamp
    summary: dict[str, Any]


class Cache(msgspec.Struct):
    """By run id. One of another version of the program is not used."""

    version: str
    entries: dict[str, Entry]


def read_all(root: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """The summary of every run under `root`, newest first, and what is wrong with runs that cannot be read."""
    file = cache_file(root)
    known = read_cache(file)
    entries: dict[str, Entry] = {}
    summaries: list[dict[str, Any]] = []
    problems: list[str] = []
    for run in list_runs(root):
        stamp, entry = stamp_of(run), known.get(run.id)
        lasting = liveness(run) == "dead"  # asked after the stamp was taken: what is written later changes the files
        if entry is None or entry.stamp != stamp or not lasting:
            try:
                entry = Entry(stamp, load(run).summary())
            except InputError as error:
                problems += error.problems
                continue
        summaries.append(entry.summary)
        if lasting:
            entries[run.id] = entry
    if entries != known:
        write_cache(file, entries)
    return summaries, problems


def stamp_of(run: Run) -> Stamp:
    """Size, time and inode of the files that a summary is made of; zeros where one is absent."""
    stamps = []
    for file in (run.events_file, run.config_file, run.lock_file):
        try:
            found = file.stat()
        except OSError:
            stamps.append((0, 0, 0))
        else:
            stamps.append((found.st_size, found.st_mtime_ns, found.st_ino))
    return tuple(stamps)


def cache_file(root: Path) -> Path:
    from platformdirs import user_cache_path

    digest = hashlib.sha256(os.fsencode(root.absolute())).hexdigest()[:16]
    return user_cache_path("tui-trainer") / f"runs-{digest}.json"


def read_cache(file: Path) -> dict[str, Entry]:
    try:
        cache = msgspec.json.decode(file.read_bytes(), type=Cache)
    except (OSError, msgspec.MsgspecError, RecursionError):
        return {}
    return cache.entries if cache.version == tui_trainer.__version__ else {}


def write_cache(file: Path, entries: dict[str, Entry]) -> None:
    """Without a cache a listing only takes longer, so a disk that refuses is no failure."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(msgspec.json.encode(Cache(tui_trainer.__version__, entries)))
        temporary.replace(file)
