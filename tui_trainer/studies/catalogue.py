"""Study files: bundled ones beside the presets, and the user's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from tui_trainer import presets
from tui_trainer.config.change import brief, limit
from tui_trainer.studies import check
from tui_trainer.studies.definition import Claim, Grid, Line, RunEntry, Sharpness, Study, Table, Throughput
from tui_trainer.studies.directory import id_of
from tui_trainer.text import InputError, clean, nearest

SUFFIX = ".study.toml"
TABLES: dict[str, tuple[type[Table], ...]] = {
    "runs": (RunEntry,),
    "grids": (Grid,),
    "claims": (Claim,),
    "analyses": (Sharpness, Line, Throughput),
}


@dataclass(frozen=True)
class Definition:
    """A study file under its name: `evaluation-report`, `lab-report/table-1`, `yours/mine`."""

    name: str
    path: Path
    study: Study


def files() -> Iterator[tuple[str, Path]]:
    """Name and file of every study: bundled ones, then `yours/…`."""
    return presets.toml_files(SUFFIX)


def read(path: Path, name: str) -> Definition:
    """One study file, checked with the presets it names. Raises `InputError`, a line for each thing wrong."""
    study = parse(path)
    if problems := check.problems(study):
        raise InputError(*(clean(f"{path}: {problem}", 400) for problem in problems))
    return Definition(name, path, study)


def parse(path: Path) -> Study:
    """What the file says, its presets not looked at. Raises `InputError`, a line for each thing wrong."""
    values = presets.read_toml(path)
    try:
        return Study.model_validate(values)
    except ValidationError as error:
        raise InputError(*(f"{path}: {line}" for line in _explain(error))) from None


def load_all(presets_too: bool = True) -> tuple[list[Definition], list[str]]:
    """Every sound study, and what is wrong with the others.

    Without `presets_too` the presets they name are not looked at, which takes most of the time.
    """
    known = dict(files())
    found: list[Definition] = []
    problems: list[str] = []
    for name, path in known.items():
        try:
            _check_alone(name, known)
            found.append(read(path, name) if presets_too else Definition(name, path, parse(path)))
        except InputError as error:
            problems += error.problems
    return found, problems


def load(name: str) -> Definition:
    """The study of this name (`evaluation-report`, `table-1`), or a file ending in `.study.toml`."""
    if name.endswith(SUFFIX):
        path = Path(name)
        return read(path, path.name.removesuffix(SUFFIX))
    known = dict(files())
    full = presets.full_name(name, known, "study")
    _check_alone(full, known)
    return read(known[full], full)


def _check_alone(name: str, known: Mapping[str, Path]) -> None:
    """Raises `InputError` where another study's directory would have the same name."""
    for other, path in known.items():
        if other != name and id_of(other) == id_of(name):
            raise InputError(f"{known[name]}: a second study would be called {id_of(name)}, beside {path}; rename one")


def _explain(error: ValidationError) -> Iterator[str]:
    """pydantic's errors in our words: the key, what was given, the limit."""
    for item in error.errors(include_url=False):
        path = [str(part) for part in item["loc"]]
        if path[:1] == ["analyses"] and len(path) > 2:
            path.pop(2)  # pydantic puts the chosen union member into the path
        key, given, context = ".".join(path), brief(item["input"]), item.get("ctx", {})
        match item["type"]:
            case "value_error":
                problem = str(context["error"])
            case "extra_forbidden":
                problem = f"no such key{nearest(path[-1], _keys_beside(path))}"
            case "missing":
                problem = "is missing"
            case "literal_error" | "union_tag_invalid":
                expected = str(context.get("expected") or context.get("expected_tags")).replace("'", "")
                problem = f"{given} is not one of {expected}"
            case "union_tag_not_found":
                key, problem = f"{key}.kind", "is missing; one of sharpness, line, throughput"
            case "list_type" | "dict_type":
                problem = f"{given} is not a {'list' if item['type'] == 'list_type' else 'table'}"
            case kind:
                problem = limit(kind, given, context) or f"{given}: {item['msg']}"
        yield clean(f"{key}: {problem}" if key else problem, 300)


def _keys_beside(path: list[str]) -> Iterable[str]:
    models = TABLES.get(path[0], (Study,)) if len(path) > 1 else (Study,)
    return [key for model in models for key in model.model_fields]
