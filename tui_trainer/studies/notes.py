"""The person's notes on a study: `notes.toml` in its directory. Written by command line and dashboard, nothing else."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from tui_trainer.files import open_regular, write_whole
from tui_trainer.text import InputError, clean, reason

if TYPE_CHECKING:
    from tui_trainer.studies.directory import StudyDirectory

MOST = 20_000  # characters of conclusions
LARGEST = 1 << 20  # bytes of the file


def conclusions(directory: StudyDirectory) -> str:
    """What the person concluded; nothing where there are no notes. Raises `InputError` where they cannot be read."""
    return str(_read(directory).get("conclusions", ""))


def printable(directory: StudyDirectory) -> list[str]:
    """The conclusions line by line, free of control characters."""
    return [clean(line, MOST) for line in conclusions(directory).splitlines()]


def write_conclusions(directory: StudyDirectory, text: str) -> None:
    """Replace the conclusions, at once or not at all; other notes stay. Raises `InputError`."""
    import tomlkit

    if len(text) > MOST:
        raise InputError(f"conclusions: {len(text):,} characters are more than the most allowed, {MOST:,}")
    file = directory.notes_file
    values = {**_read(directory), "conclusions": text}
    try:
        write_whole(file, tomlkit.dumps(values).encode())
    except (OSError, UnicodeEncodeError) as error:
        raise InputError(f"{file}: cannot be written: {reason(error)}") from None


def _read(directory: StudyDirectory) -> dict[str, object]:
    file = directory.notes_file
    try:
        with open_regular(file) as stream:
            return tomllib.loads(stream.read(LARGEST).decode())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{file}: cannot be read: {reason(error)}") from None
