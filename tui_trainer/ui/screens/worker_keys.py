"""What the screen of a run asks of its worker, and what it asks of the app about the run."""

from __future__ import annotations

from textual.binding import Binding

from tui_trainer.runs.commands import AnyCommand, Pause, Resume, Save, Stop, send
from tui_trainer.runs.directory import Run, list_runs
from tui_trainer.runs.follow import Follower
from tui_trainer.runs.launch import liveness
from tui_trainer.ui.messages import CompareWanted, ForkWanted, ResumeWanted
from tui_trainer.ui.screens.change import ChangeScreen
from tui_trainer.ui.screens.chart_keys import ChartScreen
from tui_trainer.ui.screens.leave import LeaveScreen
from tui_trainer.ui.screens.stop import StopScreen

WORKER_KEYS = (
    Binding("p,space", "pause", "pause", tooltip="Save and wait, until you resume"),
    Binding("p,space,r", "resume", "resume", tooltip="Go on from the pause, or from the newest checkpoint"),
    Binding("s", "save", "save", tooltip="Write a checkpoint that stays"),
    Binding("x", "stop", "stop", tooltip="End this training; asks first"),
    Binding("l", "change", "change", tooltip="Change learning rate, epochs, dropout, … while it trains"),
    Binding("f", "fork", "fork", tooltip="A new run from its newest checkpoint, settings changed"),
)
DOORS = (
    Binding("b", "rewind", "rewind", tooltip="Back over its epochs, and a fork from one of them"),
    Binding("w", "mistakes", "mistakes", tooltip="What it confuses, and its worst mistakes"),
    Binding("h", "neurons", "neurons", tooltip="What every unit computes, of a network with two inputs"),
    Binding("c", "compare", "compare", show=False, tooltip="This run beside the one it was forked from"),
)
"""To other screens about the run; last in a footer, which drops what it has no room for from its end."""
DEPENDENT = {"pause", "resume", "save", "stop", "change", "fork", "mistakes", "neurons"}
"""Actions that not every state, or not every network, allows."""


class WorkerScreen(ChartScreen):
    """A screen that follows a run, and what the keys above do. The worker's answers are the follower's to hear."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run_directory = run
        self.follower = Follower(run)
        self.asked: dict[str, str] = {}
        """What was asked and is not answered: the command's id, and a word for it."""
        self.launched_at: int | None = None
        """How many events there were when a worker was started whose first word is still to come."""

    @property
    def live(self) -> bool:
        """A worker has the run."""
        return self.follower.alive

    def show_words(self) -> None:
        """Say at once what has been asked."""
        raise NotImplementedError

    def possible(self) -> set[str]:
        """The actions of `DEPENDENT` that make sense now."""
        state = self.follower.state
        if self.launched_at is not None:
            return set()
        always = {"fork", "mistakes"} if state.newest_checkpoint else set()
        always |= {"mistakes"} if state.confusion else set()
        always |= {"neurons"} if self.charts.plane else set()
        if not self.live:
            return always | ({"resume"} if state.status in ("stopped", "interrupted") else set())
        live = {"running": {"pause", "save", "stop", "change"}, "paused": {"resume", "save", "stop", "change"}}
        return always | live.get(state.status, set())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action in self.possible() if action in DEPENDENT else True

    def settle(self) -> bool:
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

    def _ask(self, command: AnyCommand, word: str) -> None:
        try:
            self.asked[send(self.run_directory.inbox, command)] = word
        except OSError as error:
            self.notify(f"the worker cannot be asked: {error.strerror}", severity="error", markup=False)
        self.show_words()

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

    def action_mistakes(self) -> None:
        from tui_trainer.ui.screens.mistakes import MistakesScreen

        self.app.push_screen(MistakesScreen(self.follower))

    def action_neurons(self) -> None:
        from tui_trainer.ui.screens.neurons import NeuronsScreen

        self.app.push_screen(NeuronsScreen(self.follower))

    @property
    def parent_run(self) -> Run | None:
        """The run this one was forked from, where it is still here."""
        runs = list_runs(self.run_directory.path.parent) if self.follower.state.parent else ()
        return next((run for run in runs if run.id == self.follower.state.parent), None)

    def action_compare(self) -> None:
        if parent := self.parent_run:
            self.post_message(CompareWanted([parent, self.run_directory]))
        else:
            words = "this run has no parent here; on the home screen space marks runs and c compares them"
            self.notify(words, markup=False)

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
