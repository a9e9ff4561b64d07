"""Wishes sent to a live worker: one small JSON file each in `inbox/`, taken in name order."""

import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tui_trainer.files import open_regular


class Command(msgspec.Struct, tag_field="command", tag=str.lower, kw_only=True):
    id: str = msgspec.field(default_factory=lambda: uuid.uuid4().hex)


class Pause(Command, kw_only=True):
    """Save, then wait; the epoch stops advancing until a `Resume`."""


class Resume(Command, kw_only=True):
    """Go on after a `Pause`."""


class Save(Command, kw_only=True):
    """Write a checkpoint that stays until somebody deletes it."""


class Stop(Command, kw_only=True):
    """End the run; save first unless `discard`."""

    discard: bool = False


class Set(Command, kw_only=True):
    """Change fields of the config from the next step on, by dotted path."""

    changes: dict[str, Any]


AnyCommand = Pause | Resume | Save | Stop | Set

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(AnyCommand)
LARGEST = 65_536


def send(inbox: Path, command: Command) -> str:
    """Put a command into the inbox, whole or not at all; returns its id, which `Applied` will name."""
    name = f"{time.time_ns():020}-{command.id}"
    temporary = inbox / f".{name}.tmp"
    temporary.write_bytes(_encoder.encode(command))
    temporary.replace(inbox / f"{name}.json")
    return command.id


AnyOf = TypeVar("AnyOf")


def receive(inbox: Path) -> Iterator[tuple[Path, AnyCommand | None]]:
    """Commands waiting for a run's worker, as `waiting` gives them."""
    return waiting(inbox, _decoder)


def waiting(inbox: Path, decoder: msgspec.json.Decoder[AnyOf]) -> Iterator[tuple[Path, AnyOf | None]]:
    """Waiting commands in order, each with its file, which the receiver deletes; None where a file is no command."""
    with os.scandir(inbox) as entries:
        names = [e.name for e in entries if e.name.endswith(".json") and e.name[0] != "." and not e.is_dir()]
    for path in (inbox / name for name in sorted(names)):
        try:
            with open_regular(path) as stream:
                yield path, decoder.decode(stream.read(LARGEST))
        except (OSError, msgspec.MsgspecError, RecursionError):
            yield path, None
