"""Several runs side by side: where their settings differ, what came of it, their curves in one chart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.screen import Screen
from textual.theme import Theme
from textual.widgets import DataTable

from tui_trainer.runs.directory import Run
from tui_trainer.runs.follow import Follower
from tui_trainer.studies.compare import Compared, compare, rows
from tui_trainer.text import InputError, clean, plural, unicode_terminal
from tui_trainer.ui.messages import OpenWanted
from tui_trainer.ui.overlay import Trace
from tui_trainer.ui.report import Piece, fit
from tui_trainer.ui.sight import in_sight, repaint_seconds
from tui_trainer.ui.widgets.footer import KeyFooter
from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.widgets.overlay import Overlay
from tui_trainer.ui.widgets.wide_table import WideTable
from tui_trainer.ui.words import MUTED, shortened, status, without_moment

TICK_SECONDS = 0.5  # between looks at the runs; over a slow link they are painted less often
NAME_WIDTH = 24


class CompareScreen(Screen[None]):
    KIND = "table"
    HELP = (
        "One column for each run: the settings in which they differ, then their numbers; in brackets the difference "
        "from the first run. The chart draws all of them, with the glyph and colour of their column; thin lines are "
        "training. The arrow keys choose a run, also one to the right of › or to the left of ‹; enter opens it. Runs "
        "that still train are followed."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right_square_bracket", "chart(1)", "chart", key_display="[ ]", tooltip="The next chart"),
        Binding("left_square_bracket", "chart(-1)", "chart before", show=False, key_display="["),
        Binding("y", "log_scale", "log", tooltip="Losses on a logarithmic axis, or a linear one"),
        Binding("m", "maximise", "max", tooltip="The focused panel alone, or both again"),
        Binding("escape", "home", "back", tooltip="Back to where you came from"),
    ]

    only = reactive("", init=False)
    """The panel that has the room of both, if one has."""

    class CaughtUp(Message):
        """Everything written before the screen was opened has been read."""

    def __init__(self, runs: Sequence[Run]) -> None:
        super().__init__()
        self.followers = [Follower(run) for run in runs]
        self.caught_up = False
        self.ticks = 0
        self.stale = False

    def compose(self) -> ComposeResult:
        yield Line(Content.styled("reading the runs…", MUTED), id="compare-top")
        yield CompareTable(id="compare-table")
        yield Overlay(id="charts")
        yield KeyFooter()

    def on_mount(self) -> None:
        self.table.focus()
        self.app.theme_changed_signal.subscribe(self, self._redress)
        self.read_all()

    @work(thread=True)
    def read_all(self) -> None:
        for follower in self.followers:
            try:
                follower.catch_up()
            except (OSError, InputError) as error:
                self.app.call_from_thread(self.notify, clean(str(error), 300), severity="error", markup=False)
        self.post_message(self.CaughtUp())

    def on_compare_screen_caught_up(self) -> None:
        self.caught_up = True
        states = (follower.state for follower in self.followers)
        self.charts.traces = tuple(
            Trace(clean(state.name, 40) or state.id, number, (state,)) for number, state in enumerate(states)
        )
        self._show()
        self.set_interval(TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        self.ticks += 1
        changed = [self._poll(follower) for follower in self.followers]
        self.stale |= any(changed)
        if self.stale and self.ticks % round(repaint_seconds(self.app) / TICK_SECONDS) == 0 and in_sight(self):
            self._show()

    def _poll(self, follower: Follower) -> bool:
        try:
            return follower.poll()
        except (OSError, InputError):  # deleted meanwhile: what was read stays on screen
            return False

    @property
    def table(self) -> CompareTable:
        return self.query_one(CompareTable)

    @property
    def charts(self) -> Overlay:
        return self.query_one(Overlay)

    def _show(self) -> None:
        if not self.caught_up:
            return
        self.stale = False
        found = compare([follower.state for follower in self.followers])
        pieces: list[Piece] = [(0, Content.styled(f"Compare {plural(len(found.runs), 'run')}", "bold"))]
        counts = Counter(state.status for state in found.runs)
        for word, count in counts.items():
            pieces.append((1, Content.assemble(status(word), (f" {count}" if len(counts) > 1 else "", MUTED))))
        if found.are_seeds:
            pieces.append((2, Content.styled("seeds of one setting", MUTED)))
        # of an id the moment it was made says least here
        pieces += [
            (3, Content.styled(clean(" ".join(map(without_moment, words.split())), 120), MUTED))
            for words in found.kinship
        ]
        self.query_one("#compare-top", Line).content = fit(pieces, self.size.width - 2)
        self.table.show(found, self.charts.traces)
        self._show_charts()

    @on(DataTable.ColumnHighlighted)
    def _show_charts(self) -> None:
        self.charts.chosen = self._chosen.name if self._chosen else ""
        self.charts.redraw()

    @property
    def _chosen(self) -> Trace | None:
        """The run whose column is highlighted."""
        at = self.table.cursor_column - 1
        return self.charts.traces[at] if 0 <= at < len(self.charts.traces) else None

    @on(DataTable.ColumnSelected)
    def open_run(self) -> None:
        if self._chosen:
            self.post_message(OpenWanted(self.followers[self._chosen.number].run))

    def _redress(self, theme: Theme) -> None:
        self.table.cells.clear()
        self._show()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    def on_screen_resume(self) -> None:
        self._show()

    def action_chart(self, step: int) -> None:
        self.charts.move(step)

    def action_log_scale(self) -> None:
        self.charts.log_scale = not self.charts.log_scale

    def action_maximise(self) -> None:
        self.only = "" if self.only else "table" if self.table.has_focus else "charts"

    def watch_only(self, before: str, only: str) -> None:
        self.remove_class(f"-only-{before}")
        self.set_class(bool(only), f"-only-{only}")
        self.charts.alone = only == "charts"

    def action_home(self) -> None:
        if self.only:
            self.only = ""
        else:
            self.dismiss()


class CompareTable(WideTable):
    """Settings that differ and measures down, runs across."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "open", key_display="enter", tooltip="Open the run of this column"),
    ]

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id, cursor_type="column", fixed_columns=1)
        self.cursor_foreground_priority = "renderable"
        self.cells: list[tuple[str, ...]] = []

    def show(self, found: Compared, traces: Sequence[Trace]) -> None:
        """Made anew where anything differs: a comparison is a page, not a stream."""
        cells = rows(found)
        if cells == self.cells:
            return
        at, self.cells = max(self.cursor_column, 1), cells
        scrolled = self.scroll_offset
        self.clear(columns=True)
        titles = [Text(""), *map(self._title, traces), *([Text("mean over seeds")] if found.are_seeds else [])]
        for column, title in enumerate(titles):
            title.justify = "left" if column == 0 else "right"
            width = max(title.cell_len, *(cell_len(clean(row[column], 80)) for row in cells)) if cells else 1
            self.add_column(title, width=width)
        muted = self.app.theme_variables["muted"]
        for name, *values in cells:
            label = Text(clean(name.replace("_", " "), 60), muted if name in found.fields else "")
            self.add_row(label, *(Text(clean(value, 80), justify="right") for value in values))
        self.move_cursor(column=at)
        self.scroll_to(*scrolled, animate=False)

    def _title(self, trace: Trace) -> Text:
        glyph = trace.glyph(not unicode_terminal())
        name = Text(shortened(trace.name, NAME_WIDTH))
        return Text.assemble((f"{glyph} ", self.app.theme_variables[f"series{trace.colour}"]), name)
