"""The run's log: what its events say, as they come."""

from __future__ import annotations

from collections import deque

from rich.text import Text
from textual import events
from textual.widgets import RichLog

from tui_trainer.runs.state import LogLine, RunState
from tui_trainer.text import clean
from tui_trainer.ui.words import clock

GLYPH = {"info": "", "warning": "! ", "error": "✗ "}
KEPT = 1000


class LogPanel(RichLog):
    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id, wrap=True, markup=False, highlight=False, max_lines=4 * KEPT, min_width=20)
        self.entries: deque[Text] = deque(maxlen=KEPT)
        self.last: LogLine | None = None
        self.wrapped_at = 0

    def follow(self, state: RunState) -> None:
        """Append the lines that came since the last call."""
        fresh: list[LogLine] = []
        for line in reversed(state.log):
            if line is self.last or len(fresh) == KEPT:
                break
            fresh.append(line)
        for line in reversed(fresh):
            self._add(self._text(line))
            self.last = line

    def quote(self, title: str, lines: list[str]) -> None:
        """Foreign lines under a title of their own."""
        self._add(Text(title, "bold"))
        for line in lines:
            self._add(Text("  " + clean(line, 500)))

    def on_resize(self, event: events.Resize) -> None:
        """Wrap again: the log itself wraps a line only once, when it is written."""
        if event.size.width != self.wrapped_at:
            self.wrapped_at = event.size.width
            self.clear()
            for entry in self.entries:
                self.write(entry)

    def _add(self, entry: Text) -> None:
        self.entries.append(entry)
        if self.wrapped_at:
            self.write(entry)

    def _text(self, line: LogLine) -> Text:
        variables = self.app.theme_variables
        colour = {"warning": variables["warning"], "error": variables["error"]}.get(line.level, "")
        return Text.assemble((clock(line.time), "dim"), f" {GLYPH[line.level]}", (line.message, colour))
