"""The person's settings of the dashboard: one file, read when it opens and written by its screen."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from tui_trainer.files import open_regular, write_whole
from tui_trainer.text import InputError, clean, nearest

LARGEST = 1 << 16  # bytes of the file
LOOKS = {
    "trainer-dark": "dark",
    "trainer-light": "light",
    "trainer-contrast": "strong dark",
    "trainer-contrast-light": "strong light",
    "trainer-mono": "no colours",
}
THEMES = tuple(LOOKS)
ENDINGS = {"off": "off", "bell": "bell", "osc9": "desktop", "both": "bell and desktop"}
SMOOTHING = ("0", "0.5", "0.8", "0.9", "0.95", "0.98")
SWITCH = {"auto": "auto", "on": "on", "off": "off"}


@dataclass(frozen=True)
class Setting:
    """One of the settings that are a choice. `words`: its values in the file, the first the default, and on screen."""

    name: str
    title: str
    words: Mapping[str, str]
    help: str


CHOICES = (
    Setting("theme", "theme", LOOKS, "Colours: dark or light, the same with strong contrast, or none."),
    Setting("notify", "when a run ends", ENDINGS, "When a watched run ends: the bell, a desktop notification."),
    Setting(
        "smoothing",
        "smoothing",
        {share: share if float(share) else "none" for share in SMOOTHING},
        "How smooth the curves of training are at first; on a chart + and - change it.",
    ),
    Setting("slow_link", "slow link", SWITCH, "Repaint rarely, for a terminal far away; auto: logged in over SSH."),
    Setting("ascii", "plain ASCII", SWITCH, "Draw with plain ASCII; auto: where the locale is not UTF-8."),
)


@dataclass(frozen=True)
class Settings:
    """What each setting of `CHOICES` is, the columns chosen for the table of all runs, none for the usual ones, the
    words by which charts of a run are chosen, none for all, and the keys a person has put actions on, by the action's
    id."""

    theme: str = THEMES[0]
    notify: str = "off"
    smoothing: str = SMOOTHING[0]
    slow_link: str = "auto"
    ascii: str = "auto"
    columns: tuple[str, ...] = ()
    charts: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)


def settings_file() -> Path:
    from platformdirs import user_config_path

    return user_config_path("tui-trainer") / "settings.toml"


def load(file: Path | None = None) -> tuple[Settings, list[str]]:
    """The settings, and a line for each thing in the file that is not one; what is wrong there keeps its default."""
    file = file or settings_file()
    try:
        with open_regular(file) as stream:
            content = stream.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise ValueError(f"larger than {LARGEST // 1024} KiB")
        values = tomllib.loads(content.decode("utf-8-sig"))
    except FileNotFoundError:
        return Settings(), []
    except (OSError, ValueError, RecursionError) as error:
        return Settings(), [f"{file}: cannot be read, so defaults hold: {error}"]
    return judge(values, str(file))


def judge(values: Mapping[str, Any], file: str) -> tuple[Settings, list[str]]:
    """What the file's values mean, and what is wrong with them."""
    settings, problems = Settings(), []
    choices = {setting.name: tuple(setting.words) for setting in CHOICES}
    for name, value in values.items():
        if name in choices and str(value) in choices[name]:
            settings = replace(settings, **{name: str(value)})  # type: ignore[arg-type]
        elif name in choices:
            problems.append(f"{file}: {name}: {str(value)[:40]!r} is none of {', '.join(choices[name])}")
        elif name == "columns" and isinstance(value, list) and all(isinstance(field, str) for field in value):
            settings = replace(settings, columns=tuple(clean(field, 80) for field in value))
        elif name == "columns":
            problems.append(f'{file}: columns: must be names of fields, as ["status", "test_accuracy"]')
        elif name == "charts" and isinstance(value, str):
            settings = replace(settings, charts=clean(value, 200))
        elif name == "charts":
            problems.append(f'{file}: charts: must be words of titles, as "loss accuracy"')
        elif name == "keys" and isinstance(value, dict):
            good = {action: keys for action, keys in value.items() if isinstance(keys, str) and keys.strip()}
            problems += [
                f'{file}: keys.{action}: must be keys joined by commas, as "p,space"' for action in value.keys() - good
            ]
            settings = replace(settings, keys=good)
        else:
            known = [one.name for one in fields(Settings)]
            problems.append(f"{file}: {name[:40]}: there is no such setting{nearest(name, known)}")
    return settings, problems


def save(settings: Settings, file: Path | None = None) -> None:
    """Write them, keeping comments and whatever else the person's file holds.

    Raises OSError; `InputError` where the file is there and cannot be read: it is never replaced.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    file = file or settings_file()
    try:
        document = tomlkit.parse(file.read_text("utf-8-sig"))
    except FileNotFoundError:
        document = tomlkit.document()
    except (ValueError, TOMLKitError) as error:
        raise InputError(f"{file}: cannot be read, so nothing is written to it: {error}") from None
    for setting in CHOICES:
        document[setting.name] = getattr(settings, setting.name)
    if settings.columns or "columns" in document:
        document["columns"] = list(settings.columns)
    if settings.charts or "charts" in document:
        document["charts"] = settings.charts
    if settings.keys or "keys" in document:
        document["keys"] = dict(settings.keys)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, tomlkit.dumps(document).encode())
