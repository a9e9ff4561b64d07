"""How events are read: by any number of readers, while they are written."""

from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from tui_trainer.files import open_regular
from tui_trainer.runs.events import AnyEvent

_decoder = msgspec.json.Decoder(AnyEvent)
Line = TypeVar("Line")


class LineReader(Generic[Line]):
    """A reader's end: whole lines that came since the last call. Never writes, never waits.

    A torn last line stays unread until it is whole; a line that is none of `decoder`'s is skipped and counted in
    `unreadable`.
    """

    def __init__(self, path: Path, decoder: msgspec.json.Decoder[Line]) -> None:
        self.path = path
        self.decoder = decoder
        self.offset = 0
        self.unreadable = 0

    def read(self, limit: int = 1 << 24) -> list[Line]:
        """New lines, from at most about `limit` bytes, or as many as one line takes."""
        try:
            with open_regular(self.path) as stream:
                stream.seek(self.offset)
                block = stream.read(limit)
        except OSError:  # not there yet, or not now
            return []
        whole = block.rfind(b"\n") + 1
        if not whole and len(block) == limit:  # rubbish, perhaps, but what comes after it need not be
            return self.read(2 * limit)
        self.offset += whole
        block = block[:whole]
        try:  # all at once, three times as fast as one by one
            found = self.decoder.decode_lines(block)
            if len(found) == block.count(b"\n"):
                return found
        except (msgspec.MsgspecError, RecursionError):
            pass
        return [line for text in block.split(b"\n")[:-1] if (line := self._decode(text)) is not None]

    def _decode(self, text: bytes) -> Line | None:
        try:
            return self.decoder.decode(text)
        except (msgspec.MsgspecError, RecursionError):
            self.unreadable += 1
            return None


class EventReader(LineReader[AnyEvent]):
    """The events of a run."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _decoder)
