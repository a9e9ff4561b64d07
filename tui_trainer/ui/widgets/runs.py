"""The recent studies and runs, a line each, kept in place while they change."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui_trainer.runs.directory import Run
from tui_trainer.runs.listing import SPARK, Summary
from tui_trainer.text import duration, percent, unicode_terminal
from tui_trainer.ui.overlay import Trace
from tui_trainer.ui.recent import StudySummary
from tui_trainer.ui.words import MUTED, bar, shortened, sparkline, status, without_moment

STATUS_WIDTH = 14
BESIDE = 40  # cells of all that follows status and name, but for what stands last
LAST = 11  # cells of hours left
BAR, LONG_BAR = 5, 20
WIDE = 80  # cells beside status and name from which there is room for the long bar
MARK = 2  # cells before a line for the mark of runs to compare


class RunList(OptionList):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "open", key_display="enter", tooltip="Watch the run and control it"),
        Binding("r", "resume", "resume", tooltip="Go on with a stopped or interrupted run or study"),
        Binding("space", "mark", "mark", tooltip="Mark the run, to compare it with others"),
        Binding("c", "compare", "compare", tooltip="The marked runs and the highlighted one side by side"),
        Binding("tab", "app.focus_next", "presets", tooltip="Go to the presets"),
    ]

    class Resume(Message):
        """The person wants this run to go on."""

        def __init__(self, summary: Summary | StudySummary) -> None:
            super().__init__()
            self.summary = summary

    class Compare(Message):
        """The person wants to see these runs side by side."""

        def __init__(self, runs: list[Run]) -> None:
            super().__init__()
            self.runs = runs

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id, compact=True)
        self.summaries: list[Summary | StudySummary] = []
        self.marked: list[Run] = []
        self.lasts = False
        """Something stands last in a line; else names have that room."""

    def show(self, summaries: list[Summary | StudySummary]) -> None:
        """Bring the list up to date; the highlight stays on its line."""
        before, self.summaries = self.summaries, summaries
        lasts, self.lasts = self.lasts, any(map(_last, summaries))
        lines = [_id(summary) for summary in summaries]
        self.marked = [run for run in self.marked if run.id in lines]
        if [_id(old) for old in before] == lines:
            for index, (old, new) in enumerate(zip(before, summaries, strict=True)):
                if old != new or lasts != self.lasts:
                    self.replace_option_prompt_at_index(index, self._row(new))
            return
        chosen = _id(before[self.highlighted]) if self.highlighted is not None and before else None
        self.set_options([Option(self._row(summary), id=_id(summary)) for summary in summaries])
        if chosen in lines:
            self.highlighted = lines.index(chosen)
        elif lines:
            self.highlighted = 0

    def on_resize(self, event: events.Resize) -> None:
        self._redraw()

    def _redraw(self) -> None:
        for index, summary in enumerate(self.summaries):
            self.replace_option_prompt_at_index(index, self._row(summary))

    @property
    def summary(self) -> Summary | StudySummary | None:
        """The highlighted line."""
        return self.summaries[self.highlighted] if self.highlighted is not None and self.summaries else None

    def action_resume(self) -> None:
        if self.summary:
            self.post_message(self.Resume(self.summary))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self.marked) if action == "compare" else True

    def action_mark(self) -> None:
        if isinstance(self.summary, Summary) and self.summary.status != "unreadable":
            run = self.summary.run
            self.marked = (
                [other for other in self.marked if other != run] if run in self.marked else [*self.marked, run]
            )
            self._redraw()
            self.refresh_bindings()
            self.action_cursor_down()

    def action_compare(self) -> None:
        """What is marked, and what is highlighted if that alone would leave nothing to compare."""
        chosen = list(self.marked)
        if len(chosen) < 2 and isinstance(self.summary, Summary) and self.summary.run not in chosen:
            chosen.append(self.summary.run)
        self.post_message(self.Compare(chosen))

    def _row(self, summary: Summary | StudySummary) -> Content:
        width = self.scrollable_content_region.width - MARK
        if isinstance(summary, StudySummary):
            return Content.assemble(" " * MARK, study_row(summary, width, self.lasts))
        marked = summary.run in self.marked
        trace = Trace("", self.marked.index(summary.run) if marked else 0, ())
        mark = trace.glyph(not unicode_terminal()) if marked else " "
        return Content.assemble((mark.ljust(MARK), f"$series{trace.colour}"), row(summary, width, self.lasts))


def _id(summary: Summary | StudySummary) -> str:
    return summary.run.id if isinstance(summary, Summary) else f"study {summary.directory.id}"


def _last(summary: Summary | StudySummary) -> str:
    """What stands last in its line: how it goes on, or how long it will take."""
    if summary.resumable:
        return "r resume"
    return f"{duration(summary.seconds_left)} left" if summary.live and summary.seconds_left is not None else ""


def study_row(summary: StudySummary, width: int, lasts: bool = True) -> Content:
    """One study in `width` cells."""
    word = status(summary.status)
    start = word.pad_right(max(STATUS_WIDTH - word.cell_length, 1))
    if summary.status == "unreadable":
        return _unreadable(start, summary.name, summary.reason, summary.directory.path, width)
    runs = f"{summary.done}/{summary.total} runs"
    last = f" {_last(summary):>{LAST}}" if lasts else ""
    room = max(width - STATUS_WIDTH - 16 - len(last), 8)
    name = Content(f"study · {summary.name}").truncate(room, ellipsis=True, pad=True)
    return Content.assemble(start, name, f" {runs:>14}", (last, MUTED))


def _unreadable(start: Content, id: str, reason: str, path: Path, width: int) -> Content:
    """Why, as far as there is room: of the id the date may go, and the path, which is the id again."""
    name = _name(without_moment(id), _name_width(width, lasts=True))
    return Content.assemble(start, name, " ", (reason.removeprefix(f"{path}/"), MUTED))


def _name(name: str, width: int) -> Content:
    return Content(shortened(name, width - 1)).truncate(width - 1, pad=True)


def _name_width(width: int, lasts: bool) -> int:
    return min(24, max(12, width - STATUS_WIDTH - BESIDE - LAST * lasts))


def row(summary: Summary, width: int, lasts: bool = True) -> Content:
    """One run in `width` cells; what matters least leaves first where it is narrow."""
    word = status(summary.status)
    start = word.pad_right(max(STATUS_WIDTH - word.cell_length, 1))
    if summary.status == "unreadable":
        return _unreadable(start, summary.name, summary.reason, summary.run.path, width)
    name_width = _name_width(width, lasts)
    name = _name(summary.name, name_width)
    count = f"{summary.epoch:>{min(4, 7 - len(str(summary.epochs)))}}/{summary.epochs} ".ljust(9)
    if summary.test_accuracy is not None:
        accuracy = f"test {percent(summary.test_accuracy):>8}"
    else:
        accuracy = f"val  {percent(summary.val_accuracy):>8}"
    room = width - STATUS_WIDTH - name_width
    length = BAR if room < WIDE else LONG_BAR
    done = bar(summary.epoch / max(summary.epochs, 1), length) if summary.live else Content("epoch".ljust(length))
    parts = [
        Content.assemble(" ", done, " ", count),
        Content(accuracy),
        Content.styled(f" {sparkline(summary.accuracies, SPARK):<{SPARK}}", "$accent"),
        Content.styled(f" {_last(summary):>{LAST - 1}}" if lasts else "", MUTED),
    ]
    shown: list[Content] = []
    for part in parts:
        if part.cell_length > room:
            break
        shown.append(part)
        room -= part.cell_length
    return Content.assemble(start, name, *shown)
