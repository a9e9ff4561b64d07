"""What the screen of a study shows: its lines of words, its table, its charts, what its numbers say."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.screen import Screen
from textual.theme import Theme
from textual.widgets import Input

from tui_trainer.studies.directory import StudyDirectory
from tui_trainer.studies.follow import RowState, StudyFollower
from tui_trainer.text import InputError, clean
from tui_trainer.ui import study_report
from tui_trainer.ui.overlay import Trace
from tui_trainer.ui.sight import in_sight, repaint_seconds
from tui_trainer.ui.study_rows import StudyRows
from tui_trainer.ui.widgets.filter_box import FilterBox
from tui_trainer.ui.widgets.footer import KeyFooter
from tui_trainer.ui.widgets.line import Line, Lines
from tui_trainer.ui.widgets.study_charts import StudyCharts
from tui_trainer.ui.widgets.study_table import StudyTable
from tui_trainer.ui.words import MUTED

TICK_SECONDS = 0.5  # between looks at the study; over a slow link it is painted less often
WIDE = 100  # cells, as in the style sheet
PANELS = {"study-table": "table", "findings-panel": "findings"}  # by what has the focus; else the charts


class StudyView(Screen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "o", "sort(1)", "sort", show=False, tooltip="Sort by the next column; O turns the order round, as clicks do"
        ),
        Binding("O", "turn_round", "turn round", show=False, tooltip="Sort the other way"),
        Binding("slash", "filter", "filter", key_display="/", tooltip="Only rows with these words in a cell"),
        Binding("right_square_bracket", "chart(1)", "chart", key_display="[ ]", tooltip="The next chart"),
        Binding("left_square_bracket", "chart(-1)", "chart before", show=False, key_display="["),
        Binding("v", "findings", "verdicts", tooltip="Printed figures beside ours, claims, seed noise"),
        Binding("y", "log_scale", "log", show=False, tooltip="Losses on a logarithmic axis, or a linear one"),
        Binding("m", "maximise", "max", show=False, tooltip="The focused panel alone, or all again"),
        Binding("escape", "home", "home", tooltip="Back home; the study goes on"),
    ]

    only = reactive("", init=False)
    """The panel that has the room of all, if one has."""

    class CaughtUp(Message):
        """Everything written before the screen was opened has been read."""

    class Found(Message):
        """What the numbers say now."""

        def __init__(self, page: Content) -> None:
            super().__init__()
            self.page = page

    def __init__(self, directory: StudyDirectory) -> None:
        super().__init__()
        self.directory = directory
        self.follower = StudyFollower(directory, directory.runs_root)
        self.rows = StudyRows(self.follower)
        self.caught_up = False
        self.ticks = 0
        self.stale = False
        self.asked = ""
        self.offered: set[str] = set()
        self.found_of: object = None
        self.trouble = ""

    def compose(self) -> ComposeResult:
        with Vertical(id="study-top"):
            yield Line(Content.styled("reading the study…", MUTED), id="headline")
            yield Line(id="progress")
            yield Line(id="sentence")
        yield Line(id="glance")
        yield FilterBox("filter: words of a row", id="filter")
        yield StudyTable(id="study-table")
        with Container(id="study-bottom"):
            yield StudyCharts(self.follower, id="charts")
            with VerticalScroll(id="findings-panel"):
                yield Lines(id="findings")
        yield KeyFooter()

    def on_mount(self) -> None:
        self.table.focus()
        self.app.theme_changed_signal.subscribe(self, self._redress)
        self.read_all()

    @work(thread=True)
    def read_all(self) -> None:
        self.read(self.follower.catch_up)
        self.post_message(self.CaughtUp())

    def on_study_view_caught_up(self) -> None:
        self.caught_up = True
        self.show()
        self.set_interval(TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        """Take in what is new, show what changed."""
        self.ticks += 1
        self.stale |= bool(self.read(self.follower.poll)) or self.live
        if self.stale and self.ticks % round(repaint_seconds(self.app) / TICK_SECONDS) == 0 and in_sight(self):
            self.show()

    def read(self, read: Callable[[], object]) -> object:
        """The disk may refuse: said once, and tried again."""
        try:
            return read()
        except (OSError, InputError) as error:
            if str(error) != self.trouble:
                self.trouble = str(error)
                self.notify(f"the study cannot be read: {clean(str(error))}", severity="error", markup=False)
            return None

    @property
    def live(self) -> bool:
        """A coordinator has the study."""
        return self.follower.alive

    @property
    def table(self) -> StudyTable:
        return self.query_one(StudyTable)

    @property
    def charts(self) -> StudyCharts:
        return self.query_one(StudyCharts)

    @property
    def row(self) -> RowState | None:
        """The highlighted row."""
        return next((row for row in self.follower.rows if row.row.name == self.table.chosen), None)

    def possible(self) -> set[str]:
        """The actions that make sense now, of those that not every state allows."""
        return set()

    def show(self) -> None:
        if not self.caught_up:
            return
        self.stale = False
        self.show_words()
        views = self.rows.refresh(self.size.width >= WIDE)
        self.table.show(self.rows.titles, views)
        self._show_charts()
        self.find()
        if self.possible() != self.offered:
            self.offered = self.possible()
            self.refresh_bindings()

    def show_words(self) -> None:
        width = self.size.width - 2
        self.query_one("#headline", Line).content = study_report.headline(self.follower, width)
        self.query_one("#progress", Line).content = study_report.progress(self.follower, width)
        self.query_one("#sentence", Line).content = study_report.sentence(self.follower, width, self.asked)
        self.query_one("#glance", Line).content = study_report.glance(self.follower)

    def _show_charts(self) -> None:
        """The rows as they stand in the table."""
        numbered = {row.row.name: (number, row) for number, row in enumerate(self.follower.rows)}
        self.charts.chosen = self.table.chosen
        self.charts.traces = tuple(
            Trace(name, numbered[name][0], tuple(m.state for m in numbered[name][1].members if m.state))
            for name in self.table.order
            if name in numbered
        )
        self.charts.redraw()

    def find(self, again: bool = False) -> None:
        """Work out what the numbers say, if a run or an analysis has come further since, or `again`."""
        width = self.query_one("#findings-panel").scrollable_content_region.width
        states = tuple(member.status for row in self.follower.rows for member in row.members)
        of = (width, states, len(self.follower.analyses), self.follower.status)
        if width and (again or of != self.found_of):
            self.found_of = of
            self._work_out(width)

    @work(thread=True, exclusive=True, group="findings")
    def _work_out(self, width: int) -> None:
        self.post_message(self.Found(study_report.findings(self.follower, width)))

    def on_study_view_found(self, event: Found) -> None:
        self.query_one("#findings", Lines).content = event.page

    @on(StudyTable.Chosen)
    def follow_table(self) -> None:
        if self.caught_up:
            self._show_charts()

    def _redress(self, theme: Theme) -> None:
        """Text in the table has the colours it was made with."""
        self.table.rebuild()

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self.show)

    def on_screen_resume(self) -> None:
        if self.caught_up:  # until then the other thread reads
            self.read(self.follower.poll)
            self.show()

    def action_sort(self, step: int) -> None:
        self.table.sort_by((self.table.sorted_by + step) % len(self.table.titles), self.table.descending)

    def action_turn_round(self) -> None:
        self.table.sort_by(self.table.sorted_by, not self.table.descending)

    def action_filter(self) -> None:
        self.add_class("-filtering")
        self.query_one("#filter", Input).focus()

    @on(Input.Changed, "#filter")
    def narrow(self, event: Input.Changed) -> None:
        self.table.narrow(event.value)

    @on(Input.Submitted, "#filter")
    def to_table(self) -> None:
        self.table.focus()

    def action_show_all(self) -> None:
        self.remove_class("-filtering")
        self.query_one("#filter", Input).clear()
        self.table.focus()

    def action_log_scale(self) -> None:
        self.charts.log_scale = not self.charts.log_scale

    def action_chart(self, step: int) -> None:
        if self.only:
            self.only = "charts"
        self.charts.move(step)

    def action_findings(self) -> None:
        """In place of the charts where there is no room for both, else the focus on them."""
        self.toggle_class("-findings")
        panel = self.query_one("#findings-panel")
        (panel if self.has_class("-findings") else self.table).focus()
        self.call_after_refresh(self.find)  # it may have another width now

    def action_maximise(self) -> None:
        focused = self.focused.id if self.focused else None
        self.only = "" if self.only else PANELS.get(focused or "", "charts")

    def watch_only(self, before: str, only: str) -> None:
        self.remove_class(f"-only-{before}")
        self.set_class(bool(only), f"-only-{only}")
        self.charts.alone = only == "charts"
        self.call_after_refresh(self.find)

    def action_home(self) -> None:
        """First out of what hides the rest."""
        if self.has_class("-filtering"):
            self.action_show_all()
        elif self.only:
            self.only = ""
        else:
            self.dismiss()
