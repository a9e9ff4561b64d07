"""The person's settings of the dashboard: one file, read when it opens and written by its screen."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from tui_trainer.files import open_regular, write_whole
from tui_trainer.text import InputError, nearest

LARGEST = 1 << 16  # bytes of the file
THEMES = ("trainer-dark", "trainer-light", "trainer-contrast", "trainer-contrast-light", "trainer-mono")
SWITCH = ("auto", "on", "off")


@dataclass(frozen=True)
class Setting:
    """One of the settings that are a choice of words; the first is the default."""

    name: str
    choices: tuple[str, ...]
    help: str


CHOICES = (
    Setting("theme", THEMES, "Colours: dark or light, the same with strong contrast, or none."),
    Setting("notify", ("off", "bell", "osc9", "both"), "When a watched run ends: the bell, a desktop notification."),
    Setting("slow_link", SWITCH, "Repaint rarely, for a terminal far away; auto: when logged in over SSH."),
    Setting("ascii", SWITCH, "Draw with plain ASCII; auto: where the locale is not UTF-8."),
)


@dataclass(frozen=True)
class Settings:
    """What each setting of `CHOICES` is, and the keys a person has put actions on, by the action's id."""

    theme: str = THEMES[0]
    notify: str = "off"
    slow_link: str = "auto"
    ascii: str = "auto"
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
    choices = {setting.name: setting.choices for setting in CHOICES}
    for name, value in values.items():
        if name in choices and value in choices[name]:
            settings = replace(settings, **{name: value})
        elif name in choices:
            problems.append(f"{file}: {name}: {str(value)[:40]!r} is none of {', '.join(choices[name])}")
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
    if settings.keys or "keys" in document:
        document["keys"] = dict(settings.keys)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, tomlkit.dumps(document).encode())
