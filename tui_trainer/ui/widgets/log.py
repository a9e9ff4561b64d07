"""The run's log: what its events say, as they come; by level, searched, followed or held still."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import Reactive, reactive
from textual.widgets import Input, RichLog

from tui_trainer.runs.events import Level
from tui_trainer.runs.state import LogLine, RunState
from tui_trainer.text import clean
from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.words import MUTED, clock

GLYPH = {"info": "", "warning": "! ", "error": "✗ "}
KEPT = 1000
SLACK = 250  # lines above that before the oldest go: writing all again takes a moment
LEVELS: tuple[tuple[str, frozenset[str]], ...] = (
    ("all", frozenset({"info", "warning", "error"})),
    ("warnings and errors", frozenset({"warning", "error"})),
    ("errors", frozenset({"error"})),
)


class Entry(NamedTuple):
    level: Level
    text: Text


class LogLines(RichLog):
    """Goes with what is written, unless it is `held`: somebody has scrolled up."""

    held = reactive(False, init=False)
    virtual_size = Reactive(Size(0, 0), layout=False)
    """A new line moves nothing else: without this every line would lay out the whole screen."""

    def watch_virtual_size(self, size: Size) -> None:
        self.vertical_scrollbar.window_virtual_size = size.height

    def __init__(self) -> None:
        super().__init__(id="log-lines", wrap=True, markup=False, highlight=False, min_width=20)

    class Wider(Message):
        """Or narrower: a line is wrapped only once, when it is written."""

    def on_resize(self, event: events.Resize) -> None:
        self.post_message(self.Wider())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if new_value >= self.max_scroll_y:
            self.held = False
        elif new_value < old_value:
            self.held = True


class LogSearch(Input):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "next match", key_display="enter", tooltip="The first again after the last"),
        Binding("escape", "screen.home", "close search", tooltip="Back to the log"),
    ]


class LogPanel(Vertical):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("end", "follow", "follow", show=False, tooltip="To the newest line, and on with it"),
    ]

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.entries: list[Entry] = []
        self.last: LogLine | None = None
        self.level = 0
        self.words = ""
        self.matches: list[int] = []
        """Where, in rows of the log, a match begins."""
        self.at = 0
        self.unseen = 0
        self.wrapped_at = 0

    def compose(self) -> ComposeResult:
        yield LogLines()
        yield Line(id="log-status")
        yield LogSearch(id="log-search", placeholder="search the log", compact=True)

    def on_mount(self) -> None:
        self.watch(self.log_lines, "held", self._tell, init=False)

    @property
    def log_lines(self) -> LogLines:
        return self.query_one(LogLines)

    def follow(self, state: RunState) -> None:
        """Append the lines that came since the last call."""
        fresh: list[LogLine] = []
        for line in reversed(state.log):
            if line is self.last or len(fresh) == KEPT:
                break
            fresh.append(line)
        for line in reversed(fresh):
            self._add(Entry(line.level, self._text(line)))
            self.last = line
        if fresh:
            self._go_with_it()
        if len(self.entries) > KEPT + SLACK:
            del self.entries[:-KEPT]
            self._write_all()
        self._tell()

    def quote(self, title: str, lines: list[str]) -> None:
        """Foreign lines under a title of their own."""
        self._add(Entry("error", Text(title, "bold")))
        for line in lines:
            self._add(Entry("error", Text("  " + clean(line, 500))))
        self._go_with_it()

    def say(self, moment: float, words: str, failed: bool) -> None:
        """What the dashboard itself found out; no event of the run."""
        level: Level = "error" if failed else "info"
        self._add(Entry(level, self._text(LogLine(moment, level, clean(words)))))
        self._go_with_it()

    def cycle_level(self) -> None:
        """All lines, warnings and errors, errors alone."""
        self.level = (self.level + 1) % len(LEVELS)
        self._write_all()
        self._tell()

    def open_search(self) -> None:
        self.add_class("-searching")
        self.query_one(Input).focus()

    @on(Input.Changed)
    def search(self, event: Input.Changed) -> None:
        event.stop()
        self.words = event.value.strip().lower()
        self.log_lines.held |= bool(self.words)
        self._write_all()
        self.at = len(self.matches) - 1
        self._show_match()

    @on(Input.Submitted)
    def next_match(self, event: Input.Submitted) -> None:
        event.stop()
        if self.matches:
            self.at = (self.at + 1) % len(self.matches)
            self._show_match()

    def close_search(self) -> bool:
        """False where there was none."""
        if not self.has_class("-searching"):
            return False
        self.remove_class("-searching")
        self.query_one(Input).value = ""
        self.log_lines.focus()
        return True

    def action_follow(self) -> None:
        self.log_lines.held = False
        self.log_lines.scroll_end(animate=False)
        self._tell()

    def on_log_lines_wider(self) -> None:
        """Wrap again, for the room there is now."""
        width = self.log_lines.scrollable_content_region.width
        if width != self.wrapped_at:
            self.wrapped_at = width
            self._write_all()

    def _add(self, entry: Entry) -> None:
        self.entries.append(entry)
        if self.wrapped_at and entry.level in LEVELS[self.level][1]:
            self.unseen += 1
            self._write(entry)

    def _write(self, entry: Entry) -> None:
        text = entry.text
        if self.words and self.words in text.plain.lower():
            text = text.copy()
            start = text.plain.lower().find(self.words)
            while start >= 0:
                text.stylize("reverse", start, start + len(self.words))
                start = text.plain.lower().find(self.words, start + len(self.words))
            self.matches.append(len(self.log_lines.lines))
        self.log_lines.write(text, scroll_end=False)

    def _go_with_it(self) -> None:
        """To the end at once: the log itself would scroll after it has painted, and paint again."""
        if not self.log_lines.held:
            self.log_lines.scroll_end(animate=False, immediate=True, x_axis=False)

    def _write_all(self) -> None:
        """Everything anew, where it is: at the end, or as far up as it was scrolled."""
        lines = self.log_lines
        held, place = lines.held, lines.scroll_y
        lines.clear()
        lines.held = held
        self.matches = []
        for entry in self.entries:
            if entry.level in LEVELS[self.level][1]:
                self._write(entry)
        if held:
            self._hold(place)
        self._go_with_it()
        self.at = max(0, min(self.at, len(self.matches) - 1))

    def _hold(self, place: float) -> None:
        """Scroll there once all that was written has its place, and stay."""

        def scroll() -> None:
            self.log_lines.scroll_to(y=place, animate=False)
            self.log_lines.held = True

        self.log_lines.held = True
        self.call_after_refresh(scroll)

    def _show_match(self) -> None:
        if self.matches:
            self._hold(max(0, self.matches[self.at] - 1))
        self._tell()

    def _tell(self) -> None:
        """What is not as usual: a filter, a search, lines that came below."""
        if not self.log_lines.held:
            self.unseen = 0
        said = []
        if self.level:
            said.append(f"{LEVELS[self.level][0]} only")
        if self.words:
            count = len(self.matches)
            said.append(f"match {self.at + 1} of {count}" if count else "no match")
        if self.unseen:
            said.append(f"↓ {self.unseen} new, end follows")
        status = self.query_one("#log-status", Line)
        status.content = Content.styled("  ".join(said), MUTED)
        status.display = bool(said)

    def _text(self, line: LogLine) -> Text:
        variables = self.app.theme_variables
        colour = {"warning": variables["warning"], "error": variables["error"]}.get(line.level, "")
        return Text.assemble((clock(line.time), "dim"), f" {GLYPH[line.level]}", (line.message, colour))
