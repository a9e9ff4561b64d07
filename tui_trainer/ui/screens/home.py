"""Home: what can I do here, and what is going on?"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input, OptionList, Static, Tree

from tui_trainer import presets
from tui_trainer.presets import Preset
from tui_trainer.runs.listing import Summary
from tui_trainer.studies import catalogue
from tui_trainer.studies.catalogue import Definition
from tui_trainer.ui import guide
from tui_trainer.ui.describe import command_of, page_of
from tui_trainer.ui.messages import (
    AllRunsWanted,
    CompareWanted,
    DataWanted,
    FormWanted,
    GpuWanted,
    OpenWanted,
    ResumeWanted,
    StartLikely,
    StartWanted,
    StudyResumeWanted,
    StudyStartWanted,
    StudyWanted,
)
from tui_trainer.ui.recent import RecentRuns, RecentStudies, StudySummary, in_order
from tui_trainer.ui.sight import in_sight
from tui_trainer.ui.widgets.filter_box import FilterBox
from tui_trainer.ui.widgets.footer import KeyFooter
from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.widgets.machine import Machine, MachinePanel, headline, look
from tui_trainer.ui.widgets.presets import Data, PresetTree
from tui_trainer.ui.widgets.runs import RunList
from tui_trainer.ui.words import MUTED

REFRESH_SECONDS = 1.0
LOOK_SECONDS = 5.0
FIRST_PAINT_SECONDS = 0.1  # threads wait so long, so as not to compete with the first paint
BROAD = 160  # columns from which the machine has a place beside the preset
SETTLE_SECONDS = 0.5  # whoever looks at presets for so long may start one: worth a standby worker
NO_RUNS = "No runs yet. Highlight a preset and press enter: digits trains in seconds and downloads nothing."


class HomeScreen(Screen[None]):
    KIND = "home"
    HELP = (
        "Presets are published trainings, grouped by where they come from: enter trains one as it is, e lets you "
        "change it first. A study, ≡, runs several and lays them beside what was printed. Below or beside them are "
        "your studies and runs: live ones first, then those that r resumes, then those that have ended, the newest "
        "first; enter opens one, space marks runs, c compares them. A run trains in a process of its own: leaving "
        "the dashboard never stops it. The machine is looked at every few seconds: ✓ is a data set that is here."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", key_display="/", tooltip="Show only presets with these words"),
        Binding("escape", "show_all", "all presets", show=False),
        Binding("a", "all_runs", "all runs", tooltip="Every run: sort, filter, tag, archive, delete"),
        Binding("d", "data", "data", tooltip="The data sets: what is here, how to get the others"),
        Binding("g", "guide", "guide", show=False, tooltip="The few keys to begin with"),
        Binding("u", "next_gpu", "choose GPU", show=False, tooltip="Which GPU new runs go to: the freest, or one"),
    ]

    class RunsRead(Message):
        """The runs on disk, as of now."""

        def __init__(self, summaries: list[Summary | StudySummary], older: int) -> None:
            super().__init__()
            self.summaries = summaries
            self.older = older

    class Looked(Message):
        """The machine, as of now."""

        def __init__(self, found: Machine) -> None:
            super().__init__()
            self.found = found

    def __init__(self, runs_root: Path, data_root: Path) -> None:
        super().__init__()
        self.data_root = data_root
        self.recent = RecentRuns(runs_root)
        self.studies = RecentStudies(runs_root)
        self.reading = threading.Lock()
        self.timers: list[Timer] = []
        self.machine: Machine | None = None
        self.gpu = ""
        self.looked_at: Data = None

    def compose(self) -> ComposeResult:
        with Horizontal(id="top"):
            yield Line(Content.styled("tui-trainer", "bold"), id="title")
            yield Line(Content.styled("looking for devices…", MUTED), id="device")
        with Container(id="home"):
            with Vertical(id="preset-panel", classes="panel"):
                yield Line(Content.styled("Presets", "bold"), classes="heading")
                yield FilterBox("filter: words of a name", id="filter")
                yield PresetTree(id="presets")
            with VerticalScroll(id="summary-panel", classes="panel", can_focus=False):
                yield Static(id="summary", markup=False)
                yield Static(id="guide", markup=False)
            with Vertical(id="run-panel", classes="panel"):
                yield Line(Content.styled("Runs", "bold"), id="runs-heading", classes="heading")
                yield Static(NO_RUNS, id="no-runs", markup=False)
                yield RunList(id="runs")
            with VerticalScroll(id="machine-panel", classes="panel", can_focus=False):
                yield Line(Content.styled("Machine", "bold"), classes="heading")
                yield MachinePanel(id="machine")
        yield Line(id="session")
        yield KeyFooter()

    def on_mount(self) -> None:
        self.read_presets()
        self.query_one(PresetTree).focus()
        self.timers = [
            self.set_interval(REFRESH_SECONDS, self.read_runs),
            self.set_interval(LOOK_SECONDS, self.look_around),
        ]
        self.set_timer(FIRST_PAINT_SECONDS, self.read_runs)
        self.set_timer(FIRST_PAINT_SECONDS, self.look_around)
        if guide.is_wanted():
            self.action_guide()
            guide.remember()
        self.set_timer(SETTLE_SECONDS, self.expect_start)

    def read_presets(self) -> None:
        found, problems = presets.load_all()
        studies, more = catalogue.load_all(presets_too=False)
        self.query_one(PresetTree).fill(found, studies, [*problems, *more])

    def on_screen_resume(self) -> None:
        if self.timers:
            for timer in self.timers:
                timer.resume()
            self.read_runs()
            self.look_around()
            self.show_summary()  # its data may have been fetched meanwhile
            self.set_timer(SETTLE_SECONDS, self.expect_start)

    def on_screen_suspend(self) -> None:
        for timer in self.timers:
            timer.pause()

    def expect_start(self) -> None:
        if in_sight(self):  # a run that is watched needs the cores itself
            self.post_message(StartLikely())

    @work(thread=True, exclusive=True, group="machine")
    def look_around(self) -> None:
        self.post_message(self.Looked(look(self.recent.root, self.data_root)))

    def on_home_screen_looked(self, event: Looked) -> None:
        self.machine = event.found
        self.show_machine()

    def show_machine(self) -> None:
        if found := self.machine:
            self.query_one("#device", Line).content = Content(headline(found, self.gpu))
            self.query_one(MachinePanel).show(found, self.gpu)
            self.query_one("#session", Line).content = Content.styled(found.warning, MUTED)
            self.set_class(bool(found.warning), "-warned")

    def action_next_gpu(self) -> None:
        """The freest, then each GPU in turn."""
        uuids = ["", *(gpu.uuid for gpu in self.machine.gpus)] if self.machine else [""]
        self.gpu = uuids[(uuids.index(self.gpu) + 1) % len(uuids)] if self.gpu in uuids else ""
        self.post_message(GpuWanted(self.gpu))
        self.show_machine()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self.machine and len(self.machine.gpus) > 1) if action == "next_gpu" else True

    def action_data(self) -> None:
        """The data sets, that of the highlighted preset first."""
        preset = self.query_one(PresetTree).preset
        self.post_message(DataWanted(preset.config.data.name if preset else ""))

    def action_guide(self) -> None:
        """Shown in place of what the highlighted preset is, until another is highlighted."""
        self.query_one("#guide", Static).update(guide.page())
        self.toggle_class("-guide")

    @work(thread=True, group="runs")
    def read_runs(self) -> None:
        # not below another screen, as when opened on a run, nor while the last reading, of a large folder, goes on
        if in_sight(self) and self.reading.acquire(blocking=False):
            try:
                listed = in_order(self.studies.refresh(), self.recent.refresh())
                self.post_message(self.RunsRead(listed, self.recent.older))
            finally:
                self.reading.release()

    def on_home_screen_runs_read(self, event: RunsRead) -> None:
        count = len(event.summaries)
        self.query_one(RunList).show(event.summaries)
        self.set_class(not count, "-no-runs")
        more = f"  the {count} newest; {event.older} older: tui-trainer runs" if event.older else ""
        self.query_one("#runs-heading", Line).content = Content.assemble(("Runs", "bold"), (more, MUTED))

    @on(Tree.NodeHighlighted)
    def look_at(self, event: Tree.NodeHighlighted[Data]) -> None:
        if self.looked_at not in (None, event.node.data):
            self.remove_class("-guide")
        self.looked_at = event.node.data
        self.show_summary()

    def show_summary(self) -> None:
        node = self.query_one(PresetTree).node
        width = max(self.query_one("#summary-panel").scrollable_content_region.width, 20)
        if node:
            data = [child.data for child in node.children] if node.children else node.data
            page = page_of(data, str(node.label), self.data_root, width)
        elif self.query_one("#filter", Input).value:
            page = Content.styled("no preset has these words", MUTED)
        else:
            return
        self.query_one("#summary", Static).update(page)

    def on_resize(self, event: events.Resize) -> None:
        if (broad := event.size.width >= BROAD) != self.has_class("-broad"):
            self.set_class(broad, "-broad")
            home, runs, panel = map(self.query_one, ("#home", "#run-panel", "#machine-panel"))
            if broad:  # beside the preset, else at the bottom
                home.move_child(panel, before=runs)
            else:
                home.move_child(panel, after=runs)
        self.call_after_refresh(self.show_summary)

    @on(Tree.NodeSelected)
    def start_preset(self, event: Tree.NodeSelected[Data]) -> None:
        preset = event.node.data
        if isinstance(preset, Preset):
            self.post_message(StartWanted(preset.config, preset.run_name, preset.name))
        elif isinstance(preset, Definition):
            self.post_message(StudyStartWanted(preset))

    def on_preset_tree_copy(self, event: PresetTree.Copy) -> None:
        command = command_of(event.chosen, self.recent.root, self.data_root)
        self.app.copy_to_clipboard(command)
        self.notify(command, title="Copied, where the terminal lets a program copy", timeout=10, markup=False)

    def on_preset_tree_edit(self, event: PresetTree.Edit) -> None:
        self.post_message(FormWanted(event.preset, event.find_rate))

    @on(OptionList.OptionSelected, "#runs")
    def open_run(self) -> None:
        summary = self.query_one(RunList).summary
        if summary and summary.status == "unreadable":
            self.notify(summary.reason, severity="error", markup=False)
        elif isinstance(summary, StudySummary):
            self.post_message(StudyWanted(summary.directory))
        elif summary:
            self.post_message(OpenWanted(summary.run))

    def on_run_list_compare(self, event: RunList.Compare) -> None:
        if len(event.runs) < 2:
            self.notify("space marks a run; c compares the marked ones and the one highlighted", markup=False)
        else:
            self.post_message(CompareWanted(event.runs))

    def on_run_list_resume(self, event: RunList.Resume) -> None:
        summary = event.summary
        if isinstance(summary, StudySummary) and summary.resumable:
            self.post_message(StudyResumeWanted(summary.directory))
        elif isinstance(summary, Summary) and summary.resumable:
            self.post_message(ResumeWanted(summary.run))
        else:
            words = f"{summary.name} is {summary.status}; only stopped and interrupted runs resume here"
            self.notify(words, markup=False)

    def action_all_runs(self) -> None:
        self.post_message(AllRunsWanted())

    def action_filter(self) -> None:
        self.add_class("-filtering")
        self.query_one("#filter", Input).focus()

    def action_show_all(self) -> None:
        self.remove_class("-filtering", "-guide")
        self.query_one("#filter", Input).clear()
        self.query_one(PresetTree).focus()

    @on(Input.Changed, "#filter")
    def narrow(self, event: Input.Changed) -> None:
        self.query_one(PresetTree).narrow(event.value)
        self.show_summary()

    @on(Input.Submitted, "#filter")
    def to_presets(self) -> None:
        self.query_one(PresetTree).focus()
