"""A line of all epochs of a run, one of them chosen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from tui_trainer.text import unicode_terminal
from tui_trainer.ui.rows import shown
from tui_trainer.ui.words import MUTED


class Scrubber(Widget, can_focus=True):
    """Positions count from 0 to `last`, with the first and the last epoch at its ends.

    A mouse moves it too; keys are the screen's.
    """

    DEFAULT_CSS = "Scrubber { height: 1; }"

    class Moved(Message):
        """The person chose this position with the mouse."""

        def __init__(self, position: int) -> None:
            super().__init__()
            self.position = position

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.position = 0
        self.last = 0
        self.ends = ("", "")
        self.marks: tuple[tuple[int, str, str], ...] = ()

    def show(self, position: int, epochs: Sequence[int], marks: Iterable[tuple[int, str, str]]) -> None:
        """Marks are position, glyph and colour; the later ones over the first."""
        self.position, self.last, self.marks = position, len(epochs) - 1, tuple(marks)
        self.ends = (f"epoch {epochs[0]} ", f" {epochs[-1]}") if epochs else ("", "")
        self.refresh()

    @property
    def length(self) -> int:
        """Cells between the ends."""
        return self.content_size.width - sum(map(len, self.ends))

    def render(self) -> Content:
        if self.length < 1:
            return Content()
        full, empty, knob = ("━", "─", "┃") if unicode_terminal() else ("=", "-", "|")
        here = self._column(self.position)
        cells = [(full, "$accent") if x < here else (empty, "$faint") for x in range(self.length)]
        for position, glyph, colour in self.marks:
            cells[self._column(position)] = (shown(glyph), colour)
        cells[here] = (knob, "bold $accent")
        before, after = self.ends
        return Content.assemble((before, MUTED), *cells, (after, MUTED))

    def _column(self, position: int) -> int:
        share = min(max(position / self.last, 0.0), 1.0) if self.last else 1.0
        return round(share * (self.length - 1))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self.capture_mouse()
        self._point(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self.app.mouse_captured is self:
            self._point(event)

    def on_mouse_up(self) -> None:
        self.release_mouse()

    def _point(self, event: events.MouseEvent) -> None:
        share = (event.x - self.gutter.left - len(self.ends[0])) / max(self.length - 1, 1)
        self.post_message(self.Moved(round(min(max(share, 0.0), 1.0) * self.last)))
