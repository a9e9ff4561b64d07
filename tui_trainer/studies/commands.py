"""Wishes sent to a study's coordinator, and what each one makes happen."""

from __future__ import annotations

from typing import Any

import msgspec

from tui_trainer.runs.commands import Command
from tui_trainer.studies import events
from tui_trainer.studies.plan import Row
from tui_trainer.studies.state import StudyState
from tui_trainer.text import InputError


class Stop(Command, kw_only=True):
    """Stop and save the live runs, start no others, end."""


class Skip(Command, kw_only=True):
    """Leave rows out, or single members as `row/seed`; live ones are stopped and saved. `undo` wants them again."""

    targets: list[str]
    undo: bool = False


class Add(Command, kw_only=True):
    """One row more, as `Row.as_json` writes it."""

    row: dict[str, Any]


class Move(Command, kw_only=True):
    """Start the row's runs before those of another row, or last."""

    row: str
    before: str = ""


class First(Command, kw_only=True):
    """Be the next in the queue."""


AnyCommand = Stop | Skip | Add | Move | First
DECODER = msgspec.json.Decoder(AnyCommand)


def consequences(state: StudyState, command: AnyCommand) -> list[events.AnyEvent]:
    """What the command changes in the study's plan. Raises `InputError` for what cannot be done."""
    match command:
        case Skip(targets=targets, undo=undo):
            keys = [key for target in targets for key in _members(state, target)]
            return [events.Skipped(members=keys, undone=undo)]
        case Add(row=values):
            row = Row.from_json(values)
            if row.name in state.order:
                raise InputError(f"ROW: there is a row {row.name!r} already; give this one another --name")
            return [events.Added(row=values)]
        case Move(row=name, before=before):
            for row_name in (name, before):
                if row_name:
                    state.row(row_name)
            if name == before:
                raise InputError(f"--before: {name!r} cannot start before itself")
            return [events.Moved(row=name, before=before)]
    return []


def _members(state: StudyState, target: str) -> list[str]:
    """The keys meant by `row` or `row/seed`."""
    name, slash, seed = target.partition("/")
    keys = [member.key for member in state.row(name).members]
    if not slash:
        return keys
    if target not in keys:
        raise InputError(
            f"ROW: {name!r} has no seed {seed[:30]!r}; it has {', '.join(k.rpartition('/')[2] for k in keys)}"
        )
    return [target]
