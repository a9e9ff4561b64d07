"""The facts a coordinator writes to a study's `events.jsonl`, as workers do for runs."""

from typing import Any, Literal

import msgspec

from tui_trainer.runs.events import Event, Log

FORMAT = 1
Status = Literal["queued", "running", "analysing", "finished", "stopped"]


class Started(Event, kw_only=True):
    """A coordinator took the study; `jobs` runs at a time."""

    format: int = FORMAT
    pid: int
    host: str
    jobs: int


class State(Event, kw_only=True):
    status: Status
    reason: str = ""


class Announced(Event, kw_only=True):
    """The member's run will be the directory of this id. On disk before the directory is made."""

    member: str
    run: str


class Launched(Event, kw_only=True):
    """The member's run got a worker, in this slot."""

    member: str
    slot: int


class Failed(Event, kw_only=True):
    """The coordinator will not start this member again."""

    member: str
    reason: str


class Skipped(Event, kw_only=True):
    """These members are not wanted any more, a live one is stopped and saved; or, undone, they are wanted again."""

    members: list[str]
    undone: bool = False


class Added(Event, kw_only=True):
    """One row more, as `Row.as_json` writes it."""

    row: dict[str, Any]


class Grown(Event, kw_only=True):
    """Every row has this many seeds from now on."""

    seeds: int


class Moved(Event, kw_only=True):
    """The row's next runs start before those of `before`, or last where that is empty."""

    row: str
    before: str = ""


class Analysed(Event, kw_only=True):
    """An analysis ended: its result is in the file of this stem, or the reason says why there is none."""

    stem: str
    reason: str = ""


class Applied(Event, kw_only=True):
    """A command was carried out, or refused."""

    id: str
    command: str
    ok: bool = True
    message: str = ""


AnyEvent = Started | State | Announced | Launched | Failed | Skipped | Added | Grown | Moved | Analysed | Applied | Log
DECODER = msgspec.json.Decoder(AnyEvent)
