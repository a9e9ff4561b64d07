"""Run directories: where they lie, how they are made, found and deleted."""

from __future__ import annotations

import os
import re
import shutil
import tomllib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tui_trainer.files import open_regular, write_whole, written
from tui_trainer.text import InputError, reason

if TYPE_CHECKING:
    from tui_trainer.config import RunConfig

FORMAT = 1
LARGEST = 1 << 20  # bytes of a config.toml
NAME_LIMIT = 60
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def runs_root(override: Path | None = None) -> Path:
    """`--runs`, else `$TUI_TRAINER_RUNS`, else the user's data directory."""
    if override is not None:
        return override
    if named := os.environ.get("TUI_TRAINER_RUNS"):
        return Path(named)
    from platformdirs import user_data_path

    return user_data_path("tui-trainer") / "runs"


@dataclass(frozen=True)
class Directory:
    """What a process writes its events to and takes commands from: a run's directory, or a study's."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def events_file(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def inbox(self) -> Path:
        return self.path / "inbox"

    @property
    def lock_file(self) -> Path:
        return self.path / "lock"


class Run(Directory):
    """One run directory."""

    @property
    def config_file(self) -> Path:
        return self.path / "config.toml"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def start_file(self) -> Path:
        return self.path / "start.safetensors"

    @property
    def notes_file(self) -> Path:
        return self.path / "notes.toml"

    @property
    def worker_log(self) -> Path:
        return self.path / "worker.log"


@dataclass(frozen=True)
class Start:
    """Where a run begins if not from the seed: a checkpoint of `parent`, to continue or to take the weights from."""

    parent: str
    file: Path
    mode: Literal["continue", "weights"]


@dataclass(frozen=True)
class Record:
    """What `config.toml` says: how the run came to be, and its resolved config."""

    config: RunConfig
    name: str
    preset: str
    data_root: Path
    start: Start | None = None


def check_name(name: str, option: str = "--name") -> str:
    """A name as it is, or an `InputError` with the rule and the option that gave it."""
    if len(name) > NAME_LIMIT or not _NAME.fullmatch(name):
        raise InputError(
            f"{option}: {name[:80]!r} is not a name: letters, digits, '.', '_' and '-', "
            f"not first a sign, {NAME_LIMIT} characters at most"
        )
    return name


def create(
    root: Path,
    config: RunConfig,
    name: str,
    preset: str,
    data_root: Path,
    start: Start | None = None,
    id: str = "",
) -> Run:
    """A new run directory with its config written, and a copy of the checkpoint it starts from.

    It gets the `id` somebody has announced, or a new one. Raises `InputError`, leaving nothing behind.
    """
    check_name(name)
    import tomlkit

    if config.data.file:  # a worker resumed from another folder must find it too
        from tui_trainer.config import change

        config = change(config, {"data.file": str(written(config.data.file).absolute())})
    header = {"format": FORMAT, "name": name, "preset": preset, "data_root": str(data_root.absolute())}
    if start:
        header |= {"parent": start.parent, "start": start.mode}
    try:
        content = tomlkit.dumps({"run": header, **config.model_dump(mode="json")}).encode()
    except UnicodeEncodeError:
        raise InputError(f"{str(data_root)!r}: the name of the data folder is not UTF-8") from None
    try:
        root.mkdir(parents=True, exist_ok=True)
        run = _make_directory(root, name, id)
    except OSError as error:
        raise InputError(f"{root}: no run can be made here: {error.strerror}") from error
    try:
        run.inbox.mkdir()
        run.checkpoints.mkdir()
        if start:
            shutil.copyfile(start.file, run.start_file)
        write_whole(run.config_file, content)  # last: a run that has it is whole
    except OSError as error:
        shutil.rmtree(run.path, ignore_errors=True)
        raise InputError(f"{run.path}: cannot be written: {error.strerror}") from error
    return run


def new_id(name: str) -> str:
    """`2026-11-20-143000-setting-1-7f3a`: the moment in UTC, the name, four random digits."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    moment = datetime.now(UTC).strftime("%Y-%m-%d-%H%M%S")
    return f"{moment}-{slug}-{uuid.uuid4().hex[:4]}"


def _make_directory(root: Path, name: str, id: str) -> Run:
    while True:
        path = root / (id or new_id(name))
        try:
            path.mkdir()
        except FileExistsError:
            if id:
                raise
            continue
        return Run(path)


def read_record(run: Run) -> Record:
    """Raises `InputError` when `config.toml` is absent, unreadable or of a newer format."""
    try:
        with open_regular(run.config_file) as stream:
            values: dict[str, Any] = tomllib.loads(stream.read(LARGEST).decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{run.config_file}: cannot be read: {reason(error)}") from None
    header = values.pop("run", {})
    if not isinstance(header, dict) or not isinstance(header.get("format"), int):
        raise InputError(f"{run.config_file}: run.format: missing; not a run's config")
    if header["format"] > FORMAT:
        raise InputError(f"{run.config_file}: run.format: {header['format']} is newer than this program's {FORMAT}")
    from tui_trainer.config import build  # only here: a list of runs needs no configs, and is read at once without

    mode = header.get("start")
    start = Start(str(header.get("parent", "")), run.start_file, mode) if mode in ("continue", "weights") else None
    return Record(
        build(values, str(run.config_file)),
        str(header.get("name", "")),
        str(header.get("preset", "")),
        Path(str(header.get("data_root", ""))),
        start,
    )


def list_runs(root: Path) -> Iterator[Run]:
    """Every run under `root`, newest first. Links that lead out of `root` are not runs."""
    try:
        names = [entry.name for entry in os.scandir(root) if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return
    for name in sorted(names, reverse=True):
        # `.deleted-…`: half gone; thousands of runs: a path object takes as long as the question
        if not name.startswith(".") and os.path.isfile(f"{root}/{name}/config.toml"):  # noqa: PTH113
            yield Run(root / name)


def find(root: Path, reference: str) -> Run:
    """The run named by its id, a unique prefix of it, or `last`. Raises `InputError`."""
    runs = list(list_runs(root))
    if not runs:
        raise InputError(f"RUN: there are no runs in {root} yet")
    if reference == "last":
        return runs[0]
    matches = [run for run in runs if run.id.startswith(reference)] if reference else []
    exact = [run for run in matches if run.id == reference]
    if len(exact or matches) == 1:
        return (exact or matches)[0]
    if matches:
        raise InputError(f"RUN: {reference!r} begins {len(matches)} ids, such as {matches[0].id} and {matches[1].id}")
    raise InputError(f"RUN: no run begins with {reference[:80]!r} in {root}; see: tui-trainer runs")


def delete(run: Run) -> None:
    """Delete the directory. The caller holds the run's lock."""
    # renamed first, so that a deletion cut short leaves no half run in the list
    doomed = run.path.with_name(f".deleted-{run.id}")
    run.path.rename(doomed)
    shutil.rmtree(doomed)
