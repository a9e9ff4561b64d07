"""The person's notes on a run: `notes.toml` in its directory. Written by command line and dashboard, never by a worker.

    format = 1
    tags = ["baseline", "for-the-report"]
    note = "the seed of figure 4"
    pins = ["e0012-s003600.safetensors"]  # checkpoints that stay, whatever else is cleared away
    archived = false

Other keys and comments that a person added stay.
"""

from __future__ import annotations

import fcntl
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import msgspec

from tui_trainer.files import open_regular, write_whole
from tui_trainer.text import InputError, clean, reason

if TYPE_CHECKING:
    from tui_trainer.runs.directory import Run

FORMAT = 1
LARGEST = 1 << 20  # bytes of the file
MOST_TAGS = 32
TAG_LIMIT = 32  # characters
NOTE_LIMIT = 4000
_TAG = re.compile(r"[a-z0-9][a-z0-9._-]*")


class Notes(msgspec.Struct, frozen=True):
    """What a person says about a run; `pins` are names of checkpoint files."""

    tags: tuple[str, ...] = ()
    note: str = ""
    pins: tuple[str, ...] = ()
    archived: bool = False


def read(run: Run) -> Notes:
    """The notes on a run, none where there is no file. Raises `InputError` where they cannot be read."""
    return _checked(_content(run), run)


def tag(run: Run, words: Sequence[str]) -> Notes:
    """Add a tag for each `word` or `+word`, take it away for each `-word`. Raises `InputError`, one line a bad word."""
    added, taken = _sorted_out(words)

    def tagged(notes: Notes) -> Notes:
        tags = dict.fromkeys([*notes.tags, *added])
        return msgspec.structs.replace(notes, tags=tuple(word for word in tags if word not in taken))

    return change(run, tagged)


def _sorted_out(words: Sequence[str]) -> tuple[list[str], set[str]]:
    names = [word[1:] if word[:1] in ("+", "-") else word for word in words]
    problems = [
        f"tag: {name[:60]!r} is not one: small letters, digits, '.', '_' and '-', {TAG_LIMIT} characters at most"
        for name in names
        if not _TAG.fullmatch(name) or len(name) > TAG_LIMIT
    ]
    if problems:
        raise InputError(*problems)
    taken = {name for name, word in zip(names, words, strict=True) if word.startswith("-")}
    return [name for name in names if name not in taken], taken


def annotate(run: Run, text: str) -> Notes:
    """Replace the note; an empty text takes it away."""
    return change(run, lambda notes: msgspec.structs.replace(notes, note=text.strip()))


def archive(run: Run, archived: bool = True) -> Notes:
    """Take the run out of the lists, or back into them; nothing on disk moves."""
    return change(run, lambda notes: msgspec.structs.replace(notes, archived=archived))


def pin(run: Run, file: str, pinned: bool = True) -> Notes:
    """Keep a checkpoint whatever else is cleared away, or no longer."""

    def with_pin(notes: Notes) -> Notes:
        others = tuple(other for other in notes.pins if other != file)
        return msgspec.structs.replace(notes, pins=(*others, file) if pinned else others)

    return change(run, with_pin)


def change(run: Run, make: Callable[[Notes], Notes]) -> Notes:
    """Replace the notes by what `make` makes of them, at once or not at all. Raises `InputError`."""
    import tomlkit

    file = run.notes_file
    try:
        with _alone(run):
            content = _content(run)
            notes = make(_checked(content, run))
            _check(notes)
            document = tomlkit.parse(content)
            document.update({"format": FORMAT, **msgspec.to_builtins(notes)})
            write_whole(file, tomlkit.dumps(document).encode())
    except (OSError, UnicodeEncodeError) as error:
        raise InputError(f"{file}: cannot be written: {reason(error)}") from None
    return notes


def _check(notes: Notes) -> None:
    problems = []
    if len(notes.tags) > MOST_TAGS:
        problems.append(f"tag: {len(notes.tags)} tags are more than the most allowed, {MOST_TAGS}")
    if len(notes.note) > NOTE_LIMIT:
        problems.append(f"note: {len(notes.note):,} characters are more than the most allowed, {NOTE_LIMIT:,}")
    if problems:
        raise InputError(*problems)


def _content(run: Run) -> str:
    try:
        with open_regular(run.notes_file) as stream:
            return stream.read(LARGEST).decode("utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise InputError(f"{run.notes_file}: cannot be read: {reason(error)}") from None


def _checked(content: str, run: Run) -> Notes:
    """What the file says, without anything a screen could stumble over."""
    try:
        values = tomllib.loads(content)
        said = values.pop("format", FORMAT)
        found = msgspec.convert(values, Notes)
    except (ValueError, RecursionError) as error:  # msgspec's are ValueErrors too
        raise InputError(f"{run.notes_file}: cannot be read: {clean(str(error), 300)}") from None
    if not isinstance(said, int) or said > FORMAT:
        raise InputError(f"{run.notes_file}: format: {said!r:.40} is newer than this program's {FORMAT}")
    return Notes(
        tuple(dict.fromkeys(clean(word, TAG_LIMIT) for word in found.tags[:MOST_TAGS])),
        "\n".join(clean(line, NOTE_LIMIT) for line in found.note[:NOTE_LIMIT].splitlines()),
        found.pins,
        found.archived,
    )


@contextmanager
def _alone(run: Run) -> Iterator[None]:
    """While no other command or dashboard changes these notes."""
    descriptor = os.open(run.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # a network share without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
