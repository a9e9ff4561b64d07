"""From a study file to rows and runs: every config resolved, once, before anything is started."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from tui_trainer import presets
from tui_trainer.config import VARIANTS, RunConfig, apply, build, change, knobs
from tui_trainer.files import open_regular, write_whole
from tui_trainer.names import resolve
from tui_trainer.runs.directory import NAME_LIMIT
from tui_trainer.studies.definition import Grid, RunEntry, Study
from tui_trainer.text import InputError, clean, nearest

FORMAT = 1
MOST_RUNS = 100_000
_ROW_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=,+-]{0,119}")


@dataclass(frozen=True)
class Member:
    """One run of a study: a row with one seed. `run_name` tells it from the row's other runs in a list of all."""

    row: str
    seed: int
    preset: str
    config: RunConfig
    run_name: str

    @property
    def key(self) -> str:
        return f"{self.row}/{self.seed}"


@dataclass(frozen=True)
class Row:
    """One line of the table. `config` is the first seed's; `published` measure → printed value."""

    name: str
    preset: str
    config: RunConfig
    published: Mapping[str, float]
    note: str
    members: tuple[Member, ...]

    def with_seeds(self, count: int) -> Row:
        """The row with as many members, their seeds counted up from its config's."""
        training = self.config.training
        members = tuple(
            Member(
                self.name,
                seed,
                self.preset,
                self.config.model_copy(update={"training": training.model_copy(update={"seed": seed})}),
                _run_name(self.name, f"-seed-{seed}" if count > 1 else ""),
            )
            for seed in range(training.seed, training.seed + count)
        )
        return replace(self, members=members)

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "preset": self.preset,
            "config": self.config.model_dump(mode="json"),
            "published": dict(self.published),
            "note": self.note,
            "seeds": len(self.members),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Row:
        config = build(values["config"])
        row = cls(values["name"], values["preset"], config, values["published"], values["note"], ())
        return row.with_seeds(values["seeds"])


@dataclass(frozen=True)
class Plan:
    """What a study was started with, decided once so that a restart changes no bit: `name` is the study file's.

    `seeds` a row; `settings` as after `--set`; `threads` of each run.
    """

    name: str
    seeds: int
    settings: list[str]
    threads: int
    data_root: Path
    rows: tuple[Row, ...]

    def write(self, path: Path) -> None:
        header = {"format": FORMAT, "name": self.name, "seeds": self.seeds, "settings": self.settings}
        rest = {"threads": self.threads, "data_root": str(self.data_root), "rows": [row.as_json() for row in self.rows]}
        write_whole(path, json.dumps(header | rest).encode())

    @classmethod
    def read(cls, path: Path) -> Plan:
        """Raises `InputError` when it cannot be read or is of a newer format."""
        try:
            with open_regular(path) as stream:
                values = json.loads(stream.read())
            if values["format"] > FORMAT:
                raise InputError(f"{path}: format: {values['format']} is newer than this program's {FORMAT}")
            rows = tuple(Row.from_json(row) for row in values["rows"])
            return cls(
                str(values["name"]),
                int(values["seeds"]),
                [str(setting) for setting in values["settings"]],
                int(values["threads"]),
                Path(values["data_root"]),
                rows,
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(f"{path}: cannot be read: {clean(repr(error), 200)}") from None


def rows(study: Study, seeds: int, settings: list[str], threads: int) -> list[Row]:
    """Every row of the study, `settings` (key=value) made in each, runs of `threads` threads where they name none.

    Raises `InputError`: unknown presets and fields, an empty or huge grid, two rows of one name.
    """
    problems: list[str] = []
    found: dict[str, Row] = {}
    preset = cache(presets.load)
    for where, name, entry, values in _entries(study, problems):
        try:
            config = with_fields(preset(entry.preset).config, study.set, "set")
            config = with_fields(config, entry.set, f"{where}.set")
            config = with_fields(config, values, f"{where}.fields")
            config = apply(config, settings)
        except InputError as error:
            problems += [line for problem in error.problems if (line := _located(problem, where)) not in problems]
            continue
        if threads and not config.training.threads:
            config = change(config, {"training.threads": threads})
        published = entry.published if isinstance(entry, RunEntry) else {}
        note = entry.note if isinstance(entry, RunEntry) else ""
        if name in found:
            problems.append(f"{where}: a second row is called {name!r}; give it another name")
        elif not _ROW_NAME.fullmatch(name):
            problems.append(
                f"{where}.name: {name[:80]!r} is no name for a row: letters, digits and ._=,+- , 120 at most"
            )
        elif config.training.seed + seeds > 2**63:
            problems.append(f"{where}: training.seed: {config.training.seed} leaves no room for {seeds} seeds")
        else:
            found[name] = Row(name, preset(entry.preset).name, config, published, note, ()).with_seeds(seeds)
    if problems:
        raise InputError(*problems)
    return list(found.values())


def single(preset: str, name: str, settings: list[str], threads: int, seeds: int) -> Row:
    """A row made of one preset, for a study that goes on. Raises `InputError`."""
    entry = RunEntry(preset=preset, name=name)
    return rows(Study(runs=[entry], seeds=seeds), seeds, settings, threads)[0]


Entry = tuple[str, str, RunEntry | Grid, dict[str, Any]]


def _entries(study: Study, problems: list[str]) -> Iterator[Entry]:
    """Where it stands in the file, the row's name, its table, and the values a grid gives it."""
    sizes = [math.prod(len(values) for values in grid.fields.values()) for grid in study.grids]
    for index, (grid, size) in enumerate(zip(study.grids, sizes, strict=True)):
        problems += _grid_problems(grid, size, f"grids.{index}")
    if problems:
        return
    if (total := (len(study.runs) + sum(sizes)) * study.seeds) > MOST_RUNS:
        problems.append(f"seeds: {study.seeds:,} of every row make {total:,} runs; at most {MOST_RUNS:,}")
        return
    for index, entry in enumerate(study.runs):
        yield f"runs.{index}", entry.name or entry.preset.rpartition("/")[2].removesuffix(".toml"), entry, {}
    for index, grid in enumerate(study.grids):
        for combination in product(*grid.fields.values()):
            values = dict(zip(grid.fields, combination, strict=True))
            words = [f"{field.rpartition('.')[2]}={_word(value)}" for field, value in values.items()]
            yield f"grids.{index}", ",".join(([grid.name] if grid.name else []) + words), grid, values


def _run_name(row: str, ending: str) -> str:
    """The row as a run may be called."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", row)[: NAME_LIMIT - len(ending)] + ending


def _grid_problems(grid: Grid, size: int, where: str) -> Iterator[str]:
    if not grid.fields:
        yield f"{where}.fields: is empty; a grid needs fields with their values"
    for field, values in grid.fields.items():
        if not values:
            yield f"{where}.fields.{field}: has no values; a grid over nothing has no runs"
    if size > grid.most:
        yield f"{where}: {size:,} combinations, more than {grid.most:,}; take fewer values, or set most (≤ 10,000)"


def _word(value: object) -> str:
    """A grid's value inside a row's name: `0.1`, `128-64`, `adam`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "-".join(map(_word, value)) or "none"
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", str(value))[:40]


def _located(problem: str, where: str) -> str:
    """Problems of `--set` and of the study's own `set` are the same in every row; others belong to one."""
    return problem if problem.startswith(("--set", "set.", f"{where}.")) else f"{where}: {problem}"


def with_fields(config: RunConfig, values: Mapping[str, Any], where: str) -> RunConfig:
    """`config` with fields set by path or unambiguous last part, as a table of a study file gives them.

    Raises `InputError`, each line beginning with `where` and the key.
    """
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= {f"{name}.{field}": v for field, v in value.items()} if isinstance(value, dict) else {name: value}
    chosen = {group: flat.get(group, flat.get(f"{group}.name", getattr(config, group).name)) for group in VARIANTS}
    problems = [
        f"{where}.{group}: {str(name)[:60]!r} is not one of {', '.join(VARIANTS[group][0])}"
        f"{nearest(str(name), VARIANTS[group][0])}"
        for group, name in chosen.items()
        if name not in VARIANTS[group][0]
    ]
    known = knobs(**{group: str(name) for group, name in chosen.items()})
    changes: dict[str, Any] = {}
    for name, value in flat.items():
        try:
            changes[resolve(name, known)] = value
        except ValueError as error:
            problems.append(f"{where}.{name}: {error}")
    if not problems:
        try:
            return change(config, changes) if changes else config
        except InputError as error:
            problems = [f"{where}.{problem}" for problem in error.problems]
    raise InputError(*problems)
