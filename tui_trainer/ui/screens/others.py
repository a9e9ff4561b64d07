"""Which other runs to draw over the charts of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui_trainer.runs.directory import Run
from tui_trainer.runs.listing import Summary
from tui_trainer.runs.summaries import read_all
from tui_trainer.text import clean, percent
from tui_trainer.ui.rows import OTHERS, shown
from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.words import MUTED, marked, shortened

KEYS = "space mark   enter draw the marked ones   / filter   esc closes"


class OthersScreen(ModalScreen[tuple[str, ...] | None]):
    """Its result: ids of runs in the order they were marked, or None where the person wants no change."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "mark"),
        Binding("slash", "filter", "filter"),
        Binding("escape", "back", "close"),
    ]

    class Listed(Message):
        """Every run has been read."""

        def __init__(self, summaries: list[Summary]) -> None:
            super().__init__()
            self.summaries = summaries

    def __init__(self, run: Run, parent: str, drawn: Sequence[str]) -> None:
        super().__init__()
        self.run_directory = run
        self.parent_id = parent
        self.drawn = tuple(drawn)
        self.chosen = list(drawn)
        self.summaries: list[Summary] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog others"):
            yield Line(Content.assemble(("Other runs over these charts", "bold"), (f"   {len(OTHERS)} at most", MUTED)))
            yield Input(placeholder="filter: words of a run", id="others-filter", compact=True)
            yield OptionList(compact=True, id="others-list")
            yield Line(Content.styled("reading the runs…", MUTED), id="others-status")

    def on_mount(self) -> None:
        self.list.focus()
        self.read_runs()

    @property
    def list(self) -> OptionList:
        return self.query_one("#others-list", OptionList)

    @work(thread=True)
    def read_runs(self) -> None:
        found, _ = read_all(self.run_directory.path.parent)
        others = [summary for summary in found if summary.run.id != self.run_directory.id]
        # newest first, as they are listed; a run is most often held against the one it was forked from
        self.post_message(self.Listed(sorted(others, key=lambda summary: summary.run.id != self.parent_id)))

    @on(Listed)
    def take(self, event: Listed) -> None:
        self.summaries = event.summaries
        self.show()

    @on(Input.Changed)
    def show(self) -> None:
        """The runs with all the words of the filter."""
        words = self.query_one("#others-filter", Input).value.lower().split()
        at, listed = self.list.highlighted, self.list
        shown = [summary for summary in self.summaries if all(word in _text(summary).lower() for word in words)]
        listed.set_options([Option(self._row(summary), id=summary.run.id) for summary in shown])
        listed.highlighted = min(at or 0, len(shown) - 1) if shown else None
        words_below = KEYS if self.summaries else "there is no other run here yet   esc closes"
        self.query_one("#others-status", Line).content = Content.styled(words_below, MUTED)

    def _row(self, summary: Summary) -> Content:
        id = summary.run.id
        mark, colour = " ", ""
        if id in self.chosen:
            number = self.chosen.index(id)
            mark = shown(OTHERS[number])
            colour = f"$series{number + 2}"
        text, status_colour = marked(summary.status)
        best = summary.facts["best_val_accuracy"]
        origin = "parent" if id == self.parent_id else clean(str(summary.facts["preset"]), 24)
        return Content.assemble(
            (f" {mark} ", colour),
            f"{shortened(clean(summary.name), 24):<25}",
            (f"{text:<14}", status_colour),
            f"{percent(best):>9}" if best is not None else f"{'':9}",
            (f"  {origin}", MUTED),
        )

    def action_mark(self) -> None:
        at = self.list.highlighted
        if at is None:
            return
        id = str(self.list.get_option_at_index(at).id)
        if id in self.chosen:
            self.chosen.remove(id)
        elif len(self.chosen) < len(OTHERS):
            self.chosen.append(id)
        else:
            self.notify(f"{len(OTHERS)} runs are drawn at most", markup=False)
        self.show()

    @on(OptionList.OptionSelected)
    def draw(self, event: OptionList.OptionSelected) -> None:
        """Those that are marked; the highlighted one where none ever was."""
        nothing = not self.chosen and not self.drawn
        self.dismiss((str(event.option_id),) if nothing else tuple(self.chosen))

    def action_filter(self) -> None:
        self.query_one(Input).focus()

    def action_back(self) -> None:
        """First out of the filter."""
        if self.query_one(Input).has_focus:
            self.list.focus()
        else:
            self.dismiss(None)

    @on(Input.Submitted)
    def to_list(self) -> None:
        self.list.focus()

    def on_key(self, event: events.Key) -> None:
        if event.key == "down" and self.query_one(Input).has_focus:
            self.list.focus()


def _text(summary: Summary) -> str:
    return " ".join((summary.name, str(summary.facts["preset"]), summary.run.id, summary.status))
