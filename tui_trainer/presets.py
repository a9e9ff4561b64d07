"""Presets: TOML files that name some of a config's fields and say what to expect; bundled ones and the user's own."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui_trainer.config import VARIANTS, RunConfig, build, change, settings
from tui_trainer.files import open_regular, write_whole, written
from tui_trainer.runs.directory import NAME_LIMIT, check_name
from tui_trainer.text import InputError, clean, nearest

LARGEST = 1 << 20  # bytes; a preset is a page of text
WORDS = ("title", "summary", "expect", "source")


@dataclass(frozen=True)
class Preset:
    """One named starting point: `summary` what is trained, `expect` what comes out, `source` who published it."""

    name: str
    path: Path
    config: RunConfig
    title: str = ""
    summary: str = ""
    expect: str = ""
    source: str = ""

    @property
    def folder(self) -> str:
        return self.name.rpartition("/")[0]

    @property
    def short_name(self) -> str:
        return self.name.rpartition("/")[2]

    @property
    def run_name(self) -> str:
        """What a run of it is called by default: the short name in the characters that a run's may have."""
        return re.sub(r"[^A-Za-z0-9._-]+", "-", self.short_name).strip("-._")[:NAME_LIMIT] or "run"


def bundled_folder() -> Path:
    """`_presets` inside an installed wheel, `presets/` at the root of a checkout."""
    package = Path(__file__).parent
    installed = package / "_presets"
    return installed if installed.is_dir() else package.parent / "presets"


def own_folder() -> Path:
    """Where the user's own presets lie."""
    from platformdirs import user_config_path

    return user_config_path("tui-trainer") / "presets"


def read(path: Path, name: str) -> Preset:
    """One preset file. Raises `InputError`, a line for each thing wrong, naming the file and the key."""
    values = read_toml(path)
    words: dict[str, str] = {}
    problems: list[str] = []
    for key in WORDS:
        text = values.pop(key, "")
        if not isinstance(text, str) or len(text) > 2000:
            problems.append(f"{path}: {key}: must be a text of at most 2,000 characters")
        else:
            words[key] = clean(text, 2000)
    try:
        config = build(values, str(path))
    except InputError as error:
        raise InputError(*problems, *error.problems) from None
    if problems:
        raise InputError(*problems)
    return Preset(name, path, config, **words)


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a preset or study file. Raises `InputError` where it is not one a person may have written."""
    try:
        with open_regular(path) as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    if len(content) > LARGEST:
        raise InputError(f"{path}: larger than a preset may be, {LARGEST:,} bytes")
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}") from None
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise InputError(f"{path}: not TOML: {error or 'nested too deeply'}") from None


def files() -> Iterator[tuple[str, Path]]:
    """Name and file of every preset: bundled ones, `digits` first, then `yours/…`."""
    for name, path in toml_files(".toml"):
        if not name.endswith(".study"):
            yield name, path


def toml_files(suffix: str) -> Iterator[tuple[str, Path]]:
    """Name and file of what ends in `suffix`: bundled files, those in no folder first, then the user's own."""
    bundled = bundled_folder()
    names = {str(path.relative_to(bundled)).removesuffix(suffix): path for path in bundled.rglob(f"*{suffix}")}
    for name in sorted(names, key=lambda name: ("/" in name, name)):
        yield name, names[name]
    for path in sorted(own_folder().glob(f"*{suffix}")):
        yield f"yours/{path.name.removesuffix(suffix)}", path


class TakenError(InputError):
    """There is a preset of this name already."""


def variation(base: Preset, config: RunConfig) -> str:
    """A preset made of another one, in a sentence: `digits with optimizer=sgd, learning_rate=0.1`."""
    changed = ", ".join(settings(base.config, config))
    return f"{base.name} with {changed}" if changed else base.summary


def save(name: str, config: RunConfig, summary: str, replace: bool = False) -> Path:
    """Write a preset of one's own, found from then on as `yours/NAME`. Returns its file.

    Raises `InputError`: for a name that is none, for one that is taken unless `replace`, and where nothing can be
    written.
    """
    import tomlkit

    check_name(name, "preset")
    if name.endswith((".toml", ".study")):
        raise InputError(f"preset: {name!r} ends like a file; leave the ending away")
    path = own_folder() / f"{name}.toml"
    if path.exists() and not replace:
        raise TakenError(f"preset: there is a {name} already, {path}; --yes replaces it")
    if config.data.file:  # used from another folder, it must find the file too
        config = change(config, {"data.file": str(written(config.data.file).absolute())})
    words = {"summary": clean(summary, 2000)} if summary else {}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, tomlkit.dumps({**words, **tables(config)}).encode())
    except (OSError, UnicodeEncodeError) as error:
        raise InputError(f"{path}: cannot be written: {getattr(error, 'strerror', '') or 'not UTF-8'}") from None
    return path


def tables(config: RunConfig) -> dict[str, dict[str, Any]]:
    """What a preset file of this config has to say: the fields that are not as they are by default."""
    found: dict[str, dict[str, Any]] = {}
    for group, values in config.model_dump(mode="json").items():
        usual = type(getattr(config, group))().model_dump(mode="json")
        table = {key: value for key, value in values.items() if value != usual[key]}
        if group in VARIANTS and (table or values["name"] != RunConfig.model_fields[group].default.name):
            table = {"name": values["name"], **table}
        if table:
            found[group] = table
    return found


def command(verb: str, subject: str, changed: list[str], options: list[str]) -> str:
    """A line for a shell: `tui-trainer train digits --set epochs=5`."""
    given = [word for setting in changed for word in ("--set", setting)]
    return shlex.join(["tui-trainer", verb, subject, *given, *options])


def load_all() -> tuple[list[Preset], list[str]]:
    """Every sound preset, and what is wrong with the others."""
    found: list[Preset] = []
    problems: list[str] = []
    for name, path in files():
        try:
            found.append(read(path, name))
        except InputError as error:
            problems += error.problems
    return found, problems


def load(name: str) -> Preset:
    """The preset of this name (`digits`, `evaluation-report/setting-2`), or a file ending in `.toml`."""
    if name.endswith(".toml"):
        return read(Path(name), Path(name).stem)
    known = dict(files())
    full = full_name(name, known, "preset")
    return read(known[full], full)


def full_name(name: str, known: Collection[str], kind: str) -> str:
    """The one of `known` meant by a full name or by its last part. Raises `InputError`, naming the nearest."""
    if name in known:
        return name
    tails = [full for full in known if full.rpartition("/")[2] == name]
    if len(tails) == 1:
        return tails[0]
    if tails:
        raise InputError(f"{kind} {name!r} could be {' or '.join(tails)}")
    listed = {"preset": "presets", "study": "study list"}[kind]
    raise InputError(f"{kind} {name[:80]!r} is unknown{nearest(name, known)}; see: tui-trainer {listed}")
