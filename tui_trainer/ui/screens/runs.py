"""All runs: sorted, filtered, noted on, archived, taken away and brought back."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from tui_trainer.runs import disk, filter
from tui_trainer.runs.filter import Filter
from tui_trainer.runs.listing import Summary
from tui_trainer.runs.summaries import Summaries
from tui_trainer.text import InputError
from tui_trainer.ui.columns import DEFAULT, column
from tui_trainer.ui.messages import CompareWanted, OpenWanted, ResumeWanted
from tui_trainer.ui.run_list import detail, headline
from tui_trainer.ui.screens.columns import ColumnsScreen
from tui_trainer.ui.screens.run_changes import CHANGE_KEYS, RunChanges
from tui_trainer.ui.sight import in_sight
from tui_trainer.ui.widgets.filter_box import FilterBox
from tui_trainer.ui.widgets.footer import KeyFooter
from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.widgets.run_table import RunTable
from tui_trainer.ui.words import MUTED

if TYPE_CHECKING:
    from tui_trainer.ui.app import TrainerApp

REFRESH_SECONDS = 3.0
EXAMPLE = "filter: val_accuracy>98% optimizer=adam -tag:debug, or words of a name"
NO_RUNS = "No runs yet. esc, then enter on a preset: digits trains in seconds and downloads nothing."
NO_MATCH = "No run is like this. esc clears the filter; archived runs: archived=true"


class RunsScreen(RunChanges):
    KIND = "table"
    HELP = (
        "Every run on disk, newest first. / filters: words of a name, or fields with = != > >= < <= and ~ for "
        "contains, as in val_accuracy>98% optimizer=adam -tag:debug; - turns a word round, and every setting is a "
        "field. s sorts by the next column, S the other way round, a click on a title too. Tags, notes and the "
        "archive are kept beside the run. What is deleted goes to the trash and comes back with ctrl+z; "
        "tui-trainer trash empty gives its disk back. Keys act on the marked runs, else on the highlighted one."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", key_display="/", tooltip="Show only runs like this"),
        Binding("s", "sort", "sort", tooltip="Sort by the next column"),
        Binding("S", "turn_round", "turn round", show=False, tooltip="Sort the other way"),
        Binding("o", "columns", "columns", tooltip="Choose what the table shows"),
        Binding("space", "mark", "mark", tooltip="Mark the run, to compare or change several"),
        Binding("c", "compare", "compare", tooltip="The marked runs and the highlighted one side by side"),
        *CHANGE_KEYS,
        Binding("r", "resume", "resume", show=False, tooltip="Go on with a stopped or interrupted run"),
        Binding("escape", "back", "back", tooltip="Clear the filter, or back to where you came from"),
    ]

    AUTO_FOCUS = ""

    class Read(Message):
        """The runs on disk, as of now."""

        def __init__(self, found: list[Summary]) -> None:
            super().__init__()
            self.found = found

    class Measured(Message):
        """The disk they take."""

        def __init__(self, report: disk.Report) -> None:
            super().__init__()
            self.report = report

    def __init__(self, runs_root: Path) -> None:
        super().__init__()
        self.runs_root = runs_root
        self.summaries = Summaries(runs_root)
        self.reading = threading.Lock()
        self.found: list[Summary] | None = None
        self.fields: list[str] = []
        self.wanted = Filter()
        self.report: disk.Report | None = None

    def compose(self) -> ComposeResult:
        yield Line(Content.styled("reading the runs…", MUTED), id="runs-top")
        yield FilterBox(EXAMPLE, id="runs-filter")
        yield Static("", id="no-such-runs", markup=False)
        yield RunTable(id="run-table")
        yield Line(id="runs-detail")
        yield KeyFooter()

    def on_mount(self) -> None:
        self.table.fields = cast("TrainerApp", self.app).settings.columns or DEFAULT
        self.read_runs(measure=True)
        self.set_interval(REFRESH_SECONDS, self.read_runs)

    def on_screen_resume(self) -> None:
        self.read_runs()

    @property
    def table(self) -> RunTable:
        return self.query_one(RunTable)

    @work(thread=True, group="runs")
    def read_runs(self, measure: bool = False) -> None:
        if not (in_sight(self) or measure) or not self.reading.acquire(blocking=measure):
            return
        try:
            found = self.summaries.refresh()
            self.post_message(self.Read(found))
            if measure:
                self.post_message(self.Measured(disk.report(found, self.runs_root)))
        finally:
            self.reading.release()

    def reread(self, _: object = None) -> None:
        self.read_runs(measure=True)

    @on(Read)
    def take(self, event: Read) -> None:
        if event.found != self.found:
            self.found = event.found
            self.fields = filter.fields_of(event.found)
            known = {summary.run.id for summary in event.found}
            self.table.marks = [id for id in self.table.marks if id in known]
            self.show()

    @on(Measured)
    def measured(self, event: Measured) -> None:
        self.report = event.report
        self.show_top()

    @on(Input.Changed, "#runs-filter")
    def filter_changed(self) -> None:
        self.show(afresh=True)

    def show(self, afresh: bool = False) -> None:
        """The runs that are wanted, in the order that is wanted; a filter that is wrong leaves those there were."""
        found = self.found or []
        problem = ""
        try:
            self.wanted = filter.parse(self.query_one("#runs-filter", Input).value, self.fields) if found else Filter()
        except InputError as error:
            problem = error.problems[0]
        archived = self.wanted.asks_of("archived")
        shown = [run for run in found if (archived or not run.notes.archived) and self.wanted(run)]
        table = self.table
        if (table.sorted_by, table.falling) != ("id", True):
            shown = filter.order(shown, table.sorted_by, table.falling)
        table.show(shown, afresh)
        self.set_class(not shown and self.found is not None, "-nothing")
        if shown and self.focused is None:  # before the runs are read there is no line to be on
            table.focus()
        self.query_one("#no-such-runs", Static).update(NO_MATCH if found else NO_RUNS)
        self.show_top(problem)

    def show_top(self, problem: str = "") -> None:
        if self.found is not None:
            problems = [problem] if problem else self.summaries.problems
            problems = [words.removeprefix(f"{self.runs_root}/") for words in problems]
            table = self.table
            self.query_one("#runs-top", Line).content = headline(
                self.found, len(table.rows), len(table.marks), self.report, problems, self.size.width - 2
            )

    @on(RunTable.Moved)
    def show_detail(self) -> None:
        self.query_one("#runs-detail", Line).content = detail(self.table.summary)

    def on_resize(self) -> None:
        self.call_after_refresh(self.show_top)

    # what the table shows

    def action_filter(self) -> None:
        self.add_class("-filtering")
        self.query_one("#runs-filter", Input).focus()

    @on(Input.Submitted, "#runs-filter")
    def to_table(self) -> None:
        self.table.focus()

    def action_show_all(self) -> None:
        self.query_one("#runs-filter", Input).clear()
        self.remove_class("-filtering")
        self.table.focus()

    def action_back(self) -> None:
        """First out of the filter, then out of the marks, then back."""
        if self.has_class("-filtering"):
            self.action_show_all()
        elif self.table.marks:
            self.table.marks = []
            self.table.refresh()
            self.show_top()
        else:
            self.dismiss()

    def action_sort(self) -> None:
        fields = [each.field for each in self.table.columns]
        at = fields.index(self.table.sorted_by) + 1 if self.table.sorted_by in fields else 0
        self.sort_by(fields[at % len(fields)])

    def sort_by(self, field: str) -> None:
        """Numbers and moments from the greatest, words from the first."""
        self.table.sorted_by = field
        self.table.falling = field == "id" or column(field).right
        self.show()

    def action_turn_round(self) -> None:
        self.table.falling = not self.table.falling
        self.show()

    @on(RunTable.SortBy)
    def sort_by_title(self, event: RunTable.SortBy) -> None:
        if event.field == self.table.sorted_by:
            self.action_turn_round()
        else:
            self.sort_by(event.field)

    def action_columns(self) -> None:
        settings = [field for field in self.fields if "." in field]
        self.app.push_screen(ColumnsScreen(self.table.fields, settings), self._columns_chosen)

    def _columns_chosen(self, fields: tuple[str, ...] | None) -> None:
        if fields is not None:
            self.table.fields = fields
            self.table.refresh()
            cast("TrainerApp", self.app).change_setting("columns", fields)

    # what is done with runs

    @property
    def chosen(self) -> list[Summary]:
        """The marked runs, else the highlighted one."""
        marked = [run for run in self.found or [] if run.run.id in self.table.marks]
        return marked or ([self.table.summary] if self.table.summary else [])

    def action_mark(self) -> None:
        run, marks = self.table.summary, self.table.marks
        if run and run.status != "unreadable":
            self.table.marks = [id for id in marks if id != run.run.id]
            if len(self.table.marks) == len(marks):
                self.table.marks.append(run.run.id)
            self.table.refresh()
            self.table.action_move(1)
            self.show_top()

    @on(RunTable.Open)
    def open_run(self) -> None:
        run = self.table.summary
        if run and run.status == "unreadable":
            self.notify(run.reason, severity="error", markup=False)
        elif run:
            self.post_message(OpenWanted(run.run))

    def action_resume(self) -> None:
        run = self.table.summary
        if run and run.resumable:
            self.post_message(ResumeWanted(run.run))
        elif run:
            words = f"{run.name} is {run.status}; only stopped and interrupted runs resume here"
            self.notify(words, markup=False)

    def action_compare(self) -> None:
        by_id = {run.run.id: run.run for run in self.found or []}
        chosen = [by_id[id] for id in self.table.marks]
        if len(chosen) < 2 and self.table.summary and self.table.summary.run not in chosen:
            chosen.append(self.table.summary.run)
        if len(chosen) < 2:
            self.notify("space marks a run; c compares the marked ones and the one highlighted", markup=False)
        else:
            self.post_message(CompareWanted(chosen))
