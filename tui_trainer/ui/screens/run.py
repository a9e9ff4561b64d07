"""One run: is it learning, and what can I do about it?"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.timer import Timer

from tui_trainer.runs.directory import Run
from tui_trainer.runs.state import TERMINAL
from tui_trainer.runs.verdict import Verdict, verdict
from tui_trainer.text import InputError, clean, percent
from tui_trainer.ui import report
from tui_trainer.ui.notify import announce
from tui_trainer.ui.report import Moment
from tui_trainer.ui.screens.chart_keys import CHART_KEYS
from tui_trainer.ui.screens.worker_keys import DOORS, WORKER_KEYS, WorkerScreen
from tui_trainer.ui.sight import in_sight
from tui_trainer.ui.widgets.chart_filter import ChartFilter
from tui_trainer.ui.widgets.charts import Charts
from tui_trainer.ui.widgets.checkpoints import CheckpointList, CheckpointPanel
from tui_trainer.ui.widgets.controls import Controls
from tui_trainer.ui.widgets.footer import KeyFooter
from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.widgets.log import LogPanel
from tui_trainer.ui.widgets.summary import Summary
from tui_trainer.ui.widgets.system import SystemPanel
from tui_trainer.ui.words import MUTED

TICK_SECONDS = 0.25  # between looks at the run; what was asked for is answered at once, the rest painted less often
START_TICK_SECONDS = 0.05
ANNOUNCED = ("finished", "failed", "interrupted")
PANELS = {"log": "log", "checkpoint-panel": "side", "summary": "side"}  # by what has the focus; else the charts


class RunScreen(WorkerScreen):
    KIND = "run"
    HELP = (
        "Above: state, progress, the newest numbers, what is going on, and the verdict on the curves. On the charts "
        "the thin line is training, a mean over the last steps, the line with dots validation, once an epoch; ★ is "
        "the best epoch, ◆ a checkpoint that stays, ▲ a live change, ■ where early stopping would end or has ended "
        "it. What is asked of the worker it confirms in the log. Leaving, like esc, never stops the training."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        *WORKER_KEYS,
        *CHART_KEYS,
        Binding("k", "checkpoints", "checkpoints", tooltip="Verify, evaluate, fork, export, delete one"),
        Binding("slash", "search", "search log", show=False, key_display="/", tooltip="enter next match, esc closes"),
        Binding("i", "level", "log level", show=False, tooltip="All lines, warnings and errors, errors alone"),
        Binding("m", "maximise", "max", show=False, tooltip="The focused panel alone, or all again"),
        Binding("escape", "home", "home", tooltip="Back home; training goes on"),
        *DOORS,
    ]

    only = reactive("", init=False)
    """The panel that has the room of all, if one has."""

    class CaughtUp(Message):
        """Everything written before the screen was opened has been read."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.caught_up = False
        self.ticks = 0
        self.stale = True
        self.log_quoted = False
        self.offered: set[str] = set()
        self.trouble = ""
        self.start_watch: Timer | None = None
        self.was_live = False
        self.judged: tuple[object, Verdict] | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="run-top"):
            yield Line(Content.styled("reading the run…", MUTED), id="headline")
            yield Line(id="progress")
            yield Line(id="numbers")
            yield Line(id="sentence")
        yield Line(id="glance")
        yield Charts(self.follower.state, id="charts", reading=True)
        yield ChartFilter(id="chart-filter")
        with Horizontal(id="run-bottom"):
            yield LogPanel(id="log")
            with Vertical(id="side"):
                yield Controls(id="controls")
                with Horizontal(id="side-panels"):
                    yield CheckpointPanel(self.follower, id="checkpoint-panel")
                    yield SystemPanel(self.follower, id="system")
                    yield Summary(self.follower, id="summary")
        yield KeyFooter()

    def on_mount(self) -> None:
        self.charts.chart(self.charts.current).focus()
        self.query_one(Controls).offer(set())
        self.read_all()

    @work(thread=True)
    def read_all(self) -> None:
        self._read(self.follower.catch_up)
        self.post_message(self.CaughtUp())

    def on_run_screen_caught_up(self) -> None:
        self.caught_up, self.was_live = True, self.live
        self.charts.reading = False
        self._show_all()
        if parent := self.parent_run:  # whoever forks wants to see what became different
            self.draw_others([parent.id])
        self.set_interval(TICK_SECONDS, self._tick)
        if self.live and self.follower.state.metrics is None:
            self.start_watch = self.set_interval(START_TICK_SECONDS, self._watch_start)

    def _watch_start(self) -> None:
        """Until the first numbers are there, look often: they are painted as soon as they come."""
        self.stale |= bool(self._read(self.follower.poll))
        if self.start_watch and (self.follower.state.metrics or not self.live):
            self.start_watch.stop()
            self.settle()
            self._show_all()

    def _tick(self) -> None:
        """Take in what is new, paint what changed."""
        self.ticks += 1
        changed = bool(self._read(self.follower.poll))
        self.stale |= changed
        if self.settle():
            self.show_words()
        self._announce_end()
        if self.ticks % round(self.repaint_seconds / TICK_SECONDS) == 0 and (
            self.stale or self.follower.silence > report.HUNG_SECONDS
        ):
            self.show_words()
            self._show_charts()

    def _announce_end(self) -> None:
        """Once, where a run that was watched has ended by itself."""
        state, was_live = self.follower.state, self.was_live
        self.was_live = self.live
        if was_live and not self.live and state.status in ANNOUNCED:
            accuracy = state.accuracy("final", "test")
            result = f"test {percent(accuracy)}" if accuracy is not None else state.reason
            announce(self.app, f"{state.name} {state.status}{f': {result}' if result else ''}")

    def _read(self, read: Callable[[], object]) -> object:
        """The disk may refuse, or hold what no worker wrote: said, and tried again."""
        try:
            found = read()
        except (OSError, InputError) as error:
            if str(error) != self.trouble:
                self.trouble, self.stale = str(error), True
                self.notify(f"the run cannot be read: {error}", severity="error", markup=False)
            return None
        self.trouble = ""
        return found

    @property
    def moment(self) -> Moment:
        asked = "starting worker" if self.launched_at is not None else next(iter(self.asked.values()), "")
        return Moment(self.follower.state, self.follower.silence, asked, self.verdict, self.trouble)

    @property
    def verdict(self) -> Verdict:
        """Judged anew where an epoch or the end has come since."""
        state = self.follower.state
        seen = (state.last_epoch, len(state.epochs_done), state.status)
        if self.judged is None or self.judged[0] != seen:
            self.judged = (seen, verdict(state))
        return self.judged[1]

    def possible(self) -> set[str]:
        return super().possible() if self.caught_up else set()

    def _show_all(self) -> None:
        self.show_words()
        self._show_charts()

    def show_words(self) -> None:
        if not (self.caught_up and self.display):  # it may have gone, and its parts with it
            return
        moment, width = self.moment, self.size.width - 2
        state = moment.state
        self.query_one("#headline", Line).content = report.headline(moment, width)
        self.query_one("#progress", Line).content = report.progress(moment, width)
        self.query_one("#numbers", Line).content = report.numbers(moment, width)
        self.query_one("#sentence", Line).content = report.sentence(moment, width)
        self.query_one("#glance", Line).content = report.glance(moment)
        log = self.query_one(LogPanel)
        log.follow(state)
        ended_badly = state.status in ("failed", "interrupted")
        if ended_badly and not self.log_quoted:
            told = f"{state.status} {state.reason}"  # the worker's last line: what the log above ends with
            if lines := [line for line in report.tail(self.run_directory.worker_log) if clean(line) != told]:
                log.quote("last lines of worker.log", lines)
        self.log_quoted = ended_badly
        self.query_one(CheckpointPanel).show()
        self.query_one(SystemPanel).show()
        over = not self.live and state.status in (*TERMINAL, "interrupted")
        self.set_class(over, "-over")
        if over:
            self.query_one(Summary).show(self.verdict)
        if self.possible() != self.offered:
            self.offered = self.possible()
            self.query_one(Controls).offer(self.offered)
            self.refresh_bindings()

    def _show_charts(self) -> None:
        if self.caught_up and in_sight(self):
            self.stale = False
            self.charts.redraw()

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self.show_words)

    def on_screen_resume(self) -> None:
        self.show_words()
        self._show_charts()

    def expect_worker(self) -> None:
        """A worker has been started on this run; its first word is still to come."""
        self.launched_at = self.follower.state.events_seen
        self._read(self.follower.poll)
        self.show_words()

    @on(CheckpointPanel.Told)
    def log_words(self, event: CheckpointPanel.Told) -> None:
        self.query_one(LogPanel).say(time.time(), event.words, event.failed)

    def action_checkpoints(self) -> None:
        """To the list; from it, back to the charts."""
        listed = self.query_one(CheckpointList)
        if listed.has_focus:
            self._back_to_charts()
        else:
            self.add_class("-listing")  # where it is narrow the summary of a run has its room
            listed.focus()

    def _back_to_charts(self) -> None:
        self.remove_class("-listing")
        self.charts.chart(self.charts.current).focus()

    def action_search(self) -> None:
        if self.only and self.only != "log":
            self.only = ""
        self.query_one(LogPanel).open_search()

    def action_choose(self) -> None:
        if self.only != "chart":
            self.only = ""
        super().action_choose()

    def action_level(self) -> None:
        self.query_one(LogPanel).cycle_level()

    def action_maximise(self) -> None:
        focused = self.focused.ancestors_with_self if self.focused else []
        self.only = "" if self.only else next((PANELS[w.id] for w in focused if w.id in PANELS), "chart")

    def action_chart(self, step: int) -> None:
        if self.only:
            self.only = "chart"
        super().action_chart(step)

    def watch_only(self, before: str, only: str) -> None:
        self.remove_class(f"-only-{before}")
        self.set_class(bool(only), f"-only-{only}")
        self.charts.alone = only == "chart"

    def action_home(self) -> None:
        """One step back: out of a search, a chart's keys, a maximised panel, a list; then home."""
        if self.query_one(LogPanel).close_search() or self.leave_chart():
            return
        if self.only:
            self.only = ""
        elif self.query_one(CheckpointList).has_focus:
            self._back_to_charts()
        else:
            self.dismiss()
