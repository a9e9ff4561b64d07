"""One run: is it learning, and what can I do about it?"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.timer import Timer
from textual.widgets import Footer

from tui_trainer.runs.commands import AnyCommand, Pause, Resume, Save, Stop, send
from tui_trainer.runs.directory import Run, list_runs
from tui_trainer.runs.follow import Follower
from tui_trainer.runs.launch import liveness
from tui_trainer.text import InputError
from tui_trainer.ui import report
from tui_trainer.ui.messages import CompareWanted, ForkWanted, ResumeWanted
from tui_trainer.ui.report import Moment
from tui_trainer.ui.screens.change import ChangeScreen
from tui_trainer.ui.screens.chart_keys import CHART_KEYS, ChartScreen
from tui_trainer.ui.screens.leave import LeaveScreen
from tui_trainer.ui.screens.stop import StopScreen
from tui_trainer.ui.widgets.charts import Charts
from tui_trainer.ui.widgets.controls import Controls
from tui_trainer.ui.widgets.line import Line, Lines
from tui_trainer.ui.widgets.log import LogPanel
from tui_trainer.ui.words import MUTED

TICK_SECONDS = 0.25  # between looks at the run; what was asked for is answered at once, the rest painted less often
START_TICK_SECONDS = 0.05
DEPENDENT = {"pause", "resume", "save", "stop", "change", "fork"}  # actions that not every state allows
PANELS = {"log": "log", "checkpoint-panel": "side"}  # by what has the focus; else the charts


class RunScreen(ChartScreen):
    KIND = "run"
    HELP = (
        "Above: state, progress, the newest numbers, and a line that says what is going on. The charts show training "
        "(mean over the last steps, the thin line) and validation (the line with dots, once an epoch); ★ is the best "
        "epoch, ◆ a checkpoint that stays, ▲ a live change, ■ where early stopping would end or has ended it; [ and ] "
        "lead to the learning rate, and with two inputs to the decision boundary. Pause, save, change and stop are "
        "asked of the worker; it acts within a moment and confirms in the log. Leaving, like esc, never stops the "
        "training."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p,space", "pause", "pause", tooltip="Save and wait, until you resume"),
        Binding("p,space,r", "resume", "resume", tooltip="Go on from the pause, or from the newest checkpoint"),
        Binding("s", "save", "save", tooltip="Write a checkpoint that stays"),
        Binding("x", "stop", "stop", tooltip="End this training; asks first"),
        Binding("l", "change", "change", tooltip="Change learning rate, epochs, dropout, … while it trains"),
        Binding("f", "fork", "fork", tooltip="A new run from the newest checkpoint of this one, settings changed"),
        Binding("c", "compare", "compare", show=False, tooltip="This run beside the one it was forked from"),
        Binding("b", "rewind", "rewind", show=False, tooltip="Back over its epochs, and a fork from one of them"),
        *CHART_KEYS,
        Binding("m", "maximise", "max", show=False, tooltip="The focused panel alone, or all again"),
        Binding("escape", "home", "home", tooltip="Back home; training goes on"),
    ]

    only = reactive("", init=False)
    """The panel that has the room of all, if one has."""

    class CaughtUp(Message):
        """Everything written before the screen was opened has been read."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run_directory = run
        self.follower = Follower(run)
        self.caught_up = False
        self.asked: dict[str, str] = {}
        self.launched_at: int | None = None
        self.ticks = 0
        self.stale = True
        self.log_quoted = False
        self.offered: set[str] = set()
        self.trouble = ""
        self.start_watch: Timer | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="run-top"):
            yield Line(Content.styled("reading the run…", MUTED), id="headline")
            yield Line(id="progress")
            yield Line(id="numbers")
            yield Line(id="sentence")
        yield Line(id="glance")
        yield Charts(self.follower.state, id="charts")
        with Horizontal(id="run-bottom"):
            yield LogPanel(id="log")
            with Vertical(id="side"):
                yield Controls(id="controls")
                with VerticalScroll(id="checkpoint-panel"):
                    yield Lines(id="checkpoints")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self.charts.chart("loss").focus()
        self.query_one(Controls).offer(set())
        self.read_all()

    @work(thread=True)
    def read_all(self) -> None:
        self._read(self.follower.catch_up)
        self.post_message(self.CaughtUp())

    def on_run_screen_caught_up(self) -> None:
        self.caught_up = True
        self._show_all()
        self.set_interval(TICK_SECONDS, self._tick)
        if self.live and self.follower.state.metrics is None:
            self.start_watch = self.set_interval(START_TICK_SECONDS, self._watch_start)

    def _watch_start(self) -> None:
        """Until the first numbers are there, look often: they are painted as soon as they come."""
        self.stale |= bool(self._read(self.follower.poll))
        if self.start_watch and (self.follower.state.metrics or not self.live):
            self.start_watch.stop()
            self._settle()
            self._show_all()

    def _tick(self) -> None:
        """Take in what is new, paint what changed."""
        self.ticks += 1
        changed = bool(self._read(self.follower.poll))
        self.stale |= changed
        if self._settle():
            self._show_words()
        if self.ticks % round(self.repaint_seconds / TICK_SECONDS) == 0 and (
            self.stale or self.follower.silence > report.HUNG_SECONDS
        ):
            self._show_words()
            self._show_charts()

    def _read(self, read: Callable[[], object]) -> object:
        """The disk may refuse, or hold what no worker wrote: said once, and tried again."""
        try:
            return read()
        except (OSError, InputError) as error:
            if str(error) != self.trouble:
                self.trouble = str(error)
                self.notify(f"the run cannot be read: {error}", severity="error", markup=False)
            return None

    def _settle(self) -> bool:
        """Forget what was asked once the worker has answered or is gone; True when there was such a thing."""
        state = self.follower.state
        over = [command for command in self.asked if command in state.acknowledged or not self.live]
        for command in over:
            word = self.asked.pop(command)
            answer = state.acknowledged.get(command)
            if answer is None:
                self.notify(f"{word}: the worker ended without an answer", severity="warning", markup=False)
            elif not answer.ok:
                self.notify(answer.message or f"{answer.command} was refused", severity="warning", markup=False)
        if self.launched_at is not None and (state.events_seen > self.launched_at or not self.live):
            self.launched_at = None
            return True
        return bool(over)

    @property
    def live(self) -> bool:
        """A worker has the run."""
        return self.follower.alive

    @property
    def moment(self) -> Moment:
        asked = "starting worker" if self.launched_at is not None else next(iter(self.asked.values()), "")
        return Moment(self.follower.state, self.follower.silence, asked)

    def _possible(self) -> set[str]:
        """The actions that make sense now."""
        status = self.follower.state.status
        if not self.caught_up or self.launched_at is not None:
            return set()
        fork = {"fork"} if self.follower.state.newest_checkpoint else set()
        if not self.live:
            return fork | ({"resume"} if status in ("stopped", "interrupted") else set())
        live = {"running": {"pause", "save", "stop", "change"}, "paused": {"resume", "save", "stop", "change"}}
        return fork | live.get(status, set())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action in self._possible() if action in DEPENDENT else True

    def _show_all(self) -> None:
        self._show_words()
        self._show_charts()

    def _show_words(self) -> None:
        if not self.caught_up:
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
        if ended_badly and not self.log_quoted and (lines := report.tail(self.run_directory.worker_log)):
            log.quote("last lines of worker.log", lines)
        self.log_quoted = ended_badly
        panel = self.query_one("#checkpoint-panel")
        self.query_one("#checkpoints", Lines).content = report.checkpoints(state, panel.scrollable_content_region.width)
        if self._possible() != self.offered:
            self.offered = self._possible()
            self.query_one(Controls).offer(self.offered)
            self.refresh_bindings()

    def _show_charts(self) -> None:
        if self.caught_up and self.is_current:
            self.stale = False
            self.charts.redraw()

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._show_words)

    def on_screen_resume(self) -> None:
        self._show_words()
        self._show_charts()

    def expect_worker(self) -> None:
        """A worker has been started on this run; its first word is still to come."""
        self.launched_at = self.follower.state.events_seen
        self._read(self.follower.poll)
        self._show_words()

    def _ask(self, command: AnyCommand, word: str) -> None:
        try:
            self.asked[send(self.run_directory.inbox, command)] = word
        except OSError as error:
            self.notify(f"the worker cannot be asked: {error.strerror}", severity="error", markup=False)
        self._show_words()

    def action_pause(self) -> None:
        self._ask(Pause(), "pausing")

    def action_resume(self) -> None:
        if self.live:
            self._ask(Resume(), "resuming")
        else:
            self.post_message(ResumeWanted(self.run_directory))

    def action_save(self) -> None:
        self._ask(Save(), "saving")

    def action_stop(self) -> None:
        self.app.push_screen(StopScreen(self.follower.state.name), self._stop)

    def _stop(self, choice: str | None) -> None:
        if choice:
            self._ask(Stop(discard=choice == "discard"), "stopping")

    def action_change(self) -> None:
        self.app.push_screen(ChangeScreen(self.follower), self._changed)

    def _changed(self, wanted: str | None) -> None:
        if wanted == "fork":
            self.action_fork()

    def action_fork(self) -> None:
        self.post_message(ForkWanted(self.follower))

    def action_rewind(self) -> None:
        from tui_trainer.ui.screens.rewind import RewindScreen

        self.app.push_screen(RewindScreen(self.follower))

    def action_compare(self) -> None:
        root, parent_id = self.run_directory.path.parent, self.follower.state.parent
        parent = next((run for run in list_runs(root) if run.id == parent_id), None)
        if parent:
            self.post_message(CompareWanted([parent, self.run_directory]))
        else:
            words = "this run has no parent here; on the home screen space marks runs and c compares them"
            self.notify(words, markup=False)

    def action_maximise(self) -> None:
        focused = self.focused.id if self.focused else None
        self.only = "" if self.only else PANELS.get(focused or "", "chart")

    def action_chart(self, step: int) -> None:
        if self.only:
            self.only = "chart"
        super().action_chart(step)

    def watch_only(self, before: str, only: str) -> None:
        self.remove_class(f"-only-{before}")
        self.set_class(bool(only), f"-only-{only}")
        self.charts.alone = only == "chart"

    def leave(self) -> None:
        """Leave the dashboard; first ask what becomes of a live training."""
        if liveness(self.run_directory) != "alive":  # asked anew: it may have ended since the last look
            self.app.exit()
            return
        newest = next(list_runs(self.run_directory.path.parent), None)
        reference = "last" if newest == self.run_directory else self.run_directory.id
        self.app.push_screen(LeaveScreen(self.follower, reference), self._left)

    def _left(self, farewell: str | None) -> None:
        if farewell is not None:
            self.app.exit(farewell)

    def action_home(self) -> None:
        if self.leave_chart():
            return
        if self.only:
            self.only = ""
        else:
            self.dismiss()
