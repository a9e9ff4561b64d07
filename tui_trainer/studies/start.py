"""Start a study: make its directory, or find the one begun before, and give it a coordinator."""

from __future__ import annotations

import os
import sys
from itertools import count
from pathlib import Path

from tui_trainer.runs import commands as inbox
from tui_trainer.runs.directory import check_name
from tui_trainer.runs.events import EventLog
from tui_trainer.runs.launch import locked, owner, owner_of, sign, start_detached, take_lock
from tui_trainer.studies import commands, directory, events, follow, plan
from tui_trainer.studies.catalogue import Definition
from tui_trainer.studies.definition import RunEntry, Study
from tui_trainer.studies.directory import StudyDirectory
from tui_trainer.studies.slots import most_useful, threads
from tui_trainer.text import InputError


def prepare(
    definition: Definition,
    runs_root: Path,
    data_root: Path,
    id: str = "",
    seeds: int | None = None,
    settings: list[str] | None = None,
    jobs: int | None = None,
) -> StudyDirectory:
    """The study's directory: the one begun before if the same is wanted, with more seeds perhaps, else a new one.

    Raises `InputError`.
    """
    id = check_name(id, "--as") if id else directory.id_of(definition.name)
    begun = StudyDirectory(directory.studies_root(runs_root) / id)
    if begun.plan_file.exists():
        _check_same(definition, begun, seeds, settings)
        return begun
    study = definition.study
    each_row = seeds or study.seeds
    rows = plan.rows(study, each_row, settings or [], 0)
    each = threads(jobs or most_useful(rows, study.one_at_a_time))
    rows = plan.rows(study, each_row, settings or [], each)
    wanted = plan.Plan(definition.name, each_row, settings or [], each, data_root.absolute(), tuple(rows))
    return directory.create(runs_root, id, definition.path.read_bytes(), wanted)


def prepare_run(preset: str, name: str, runs_root: Path, data_root: Path, settings: list[str]) -> StudyDirectory:
    """A study of one run, so that a run can wait its turn like any other."""
    import tomlkit

    if preset.endswith(".toml"):
        preset = str(Path(preset).absolute())
    study = Study(title=f"One run: {name}", seeds=1, runs=[RunEntry(preset=preset, name=name)])
    each = threads(1)
    wanted = plan.Plan(name, 1, settings, each, data_root.absolute(), tuple(plan.rows(study, 1, settings, each)))
    content = tomlkit.dumps(study.model_dump(exclude_defaults=True)).encode()
    taken = {begun.id for begun in directory.list_studies(runs_root)}
    ids = (directory.id_of(name) + (f"-{number}" if number > 1 else "") for number in count(1))
    return directory.create(runs_root, next(id for id in ids if id not in taken), content, wanted)


def _check_same(definition: Definition, begun: StudyDirectory, seeds: int | None, settings: list[str] | None) -> None:
    """Raises `InputError` where the study begun before is not what is wanted now; more seeds are added to it."""
    follower = follow.load(begun)
    before = follower.plan
    other = f"delete it with: tui-trainer study delete {begun.id}, or give this one another name with --as"
    if before.name != definition.name:
        raise InputError(f"study {begun.id}: was begun from {before.name}; {other}")
    if any(getattr(definition.study, part) != getattr(follower.study, part) for part in ("runs", "grids", "set")):
        raise InputError(f"{definition.path}: says other runs than study {begun.id} was begun with; {other}")
    if settings and settings != before.settings:
        had = " ".join(before.settings) or "nothing"
        raise InputError(f"--set: study {begun.id} was begun with {had} set; {other}")
    if seeds and seeds < follower.state.seeds:
        raise InputError(f"--seeds: study {begun.id} was begun with {follower.state.seeds}; {other}")
    if seeds and seeds > follower.state.seeds:
        with locked(begun):
            write(begun, events.Grown(seeds=seeds))


def write(begun: StudyDirectory, *what: events.AnyEvent) -> None:
    """Append events to a study without a coordinator, whose lock the caller holds."""
    log = EventLog(begun.events_file)
    try:
        for event in what:
            log.commit(event)
    except OSError as error:
        raise InputError(f"{begun.events_file}: cannot be written: {error.strerror}") from error
    finally:
        log.close()


def launch(begun: StudyDirectory, jobs: int | None = None, now: bool = False) -> None:
    """Give the study a coordinator, detached from this terminal. Raises `InputError` when it has one."""
    follower = follow.load(begun)
    before = follower.plan
    jobs = jobs or most_useful([row.row for row in follower.rows], follower.study.one_at_a_time, before.threads)
    lock = take_lock(begun)
    try:
        # -P: nothing in the current folder must become one of our modules
        command = [sys.executable, "-P", "-m", "tui_trainer.studies", str(begun.path.absolute()), str(lock), str(jobs)]
        coordinator = start_detached([*command, *(["now"] if now else [])], begun.coordinator_log, lock)
        sign(lock, owner_of(coordinator.pid, "coordinator"))
    except OSError as error:
        raise InputError(f"{begun.path}: no coordinator could be started: {error.strerror}") from error
    finally:
        os.close(lock)


def ask(begun: StudyDirectory, command: commands.AnyCommand, timeout: float = 30.0) -> str:
    """Send the study a command and wait for the answer; a study at rest is changed here and now.

    Returns what was answered. Raises `InputError` with a refusal.
    """
    follower = follow.load(begun)
    if not follower.alive:
        if isinstance(command, commands.Stop | commands.First):
            raise InputError(f"study {begun.id}: has no coordinator to ask; it is {follower.status}")
        with locked(begun):
            write(begun, *commands.consequences(follow.load(begun).state, command))
        return ""
    # what comes before a coordinator's first word is left over from another's time, and expires
    follow.wait(follower, lambda f: not f.alive or (owner(begun) or f.state).pid == f.state.pid, timeout)
    try:
        sent = inbox.send(begun.inbox, command)
    except OSError as error:
        raise InputError(f"{begun.inbox}: cannot be written, so nobody can be asked: {error.strerror}") from error
    follow.wait(follower, lambda f: sent in f.state.acknowledged or not f.alive, timeout)
    follower.catch_up()
    answer = follower.state.acknowledged.get(sent)
    if answer is None:
        raise InputError(f"study {begun.id}: no answer from its coordinator; it is {follower.status}")
    if not answer.ok:
        raise InputError(*(f"study {begun.id}: {line}" for line in answer.message.splitlines()))
    return answer.message
