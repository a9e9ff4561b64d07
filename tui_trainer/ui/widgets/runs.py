"""The recent runs, a line each, kept in place while they change."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui_trainer.text import duration, percent
from tui_trainer.ui.recent import SPARK, Summary
from tui_trainer.ui.words import MUTED, sparkline, status

STATUS_WIDTH = 14


class RunList(OptionList):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "open", key_display="enter", tooltip="Watch the run and control it"),
        Binding("r", "resume", "resume", tooltip="Go on with a stopped or interrupted run"),
        Binding("tab", "app.focus_next", "presets", tooltip="Go to the presets"),
    ]

    class Resume(Message):
        """The person wants this run to go on."""

        def __init__(self, summary: Summary) -> None:
            super().__init__()
            self.summary = summary

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id, compact=True)
        self.summaries: list[Summary] = []

    def show(self, summaries: list[Summary]) -> None:
        """Bring the list up to date; the highlight stays on its run."""
        before, self.summaries = self.summaries, summaries
        if [old.run for old in before] == [new.run for new in summaries]:
            for index, (old, new) in enumerate(zip(before, summaries, strict=True)):
                if old != new:
                    self.replace_option_prompt_at_index(index, self._row(new))
            return
        chosen = before[self.highlighted].run if self.highlighted is not None and before else None
        self.set_options([Option(self._row(summary), id=summary.run.id) for summary in summaries])
        runs = [summary.run for summary in summaries]
        if chosen in runs:
            self.highlighted = runs.index(chosen)
        elif runs:
            self.highlighted = 0

    def on_resize(self, event: events.Resize) -> None:
        for index, summary in enumerate(self.summaries):
            self.replace_option_prompt_at_index(index, self._row(summary))

    @property
    def summary(self) -> Summary | None:
        """The highlighted run."""
        return self.summaries[self.highlighted] if self.highlighted is not None and self.summaries else None

    def action_resume(self) -> None:
        if self.summary:
            self.post_message(self.Resume(self.summary))

    def _row(self, summary: Summary) -> Content:
        return row(summary, self.scrollable_content_region.width)


def row(summary: Summary, width: int) -> Content:
    """One run in `width` cells; what matters least leaves first where it is narrow."""
    word = status(summary.status)
    start = word.pad_right(max(STATUS_WIDTH - word.cell_length, 1))
    name_width = min(24, max(12, width - STATUS_WIDTH - 52))
    name = Content(summary.name).truncate(name_width - 1, ellipsis=True, pad=True)
    if summary.status == "unreadable":
        return Content.assemble(start, name, " ", (summary.reason, MUTED))
    epoch = f" epoch {summary.epoch:>4}/{summary.epochs:<5}"
    if summary.test_accuracy is not None:
        accuracy = f"test {percent(summary.test_accuracy):>8}"
    else:
        accuracy = f"val  {percent(summary.val_accuracy):>8}"
    if summary.resumable:
        last = "r resume"
    else:
        last = f"{duration(summary.seconds_left)} left" if summary.live and summary.seconds_left is not None else ""
    spark = sparkline(summary.accuracies, SPARK).ljust(SPARK)
    parts: list[tuple[str, str]] = [(epoch, ""), (accuracy, ""), (f"  {spark}", "$accent"), (f" {last:>11}", MUTED)]
    room = width - STATUS_WIDTH - name_width
    shown: list[tuple[str, str]] = []
    for text, colour in parts:
        if len(text) > room:
            break
        shown.append((text, colour))
        room -= len(text)
    return Content.assemble(start, name, *shown)
