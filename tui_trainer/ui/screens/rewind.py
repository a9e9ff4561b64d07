"""Back over the epochs of a run: what was known then, and a fork from there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from tui_trainer.runs.directory import Run
from tui_trainer.runs.events import Checkpoint, Epoch
from tui_trainer.runs.follow import Follower
from tui_trainer.runs.state import RunState
from tui_trainer.text import clean, duration, percent
from tui_trainer.ui.messages import ForkWanted
from tui_trainer.ui.report import Piece, fit
from tui_trainer.ui.rows import shown
from tui_trainer.ui.screens.chart_keys import CHART_KEYS, ChartScreen
from tui_trainer.ui.sight import in_sight
from tui_trainer.ui.widgets.chart import Chart
from tui_trainer.ui.widgets.chart_filter import ChartFilter
from tui_trainer.ui.widgets.charts import Charts
from tui_trainer.ui.widgets.footer import KeyFooter
from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.widgets.scrubber import Scrubber
from tui_trainer.ui.words import MUTED, without_moment

FIRST, LAST = -(10**9), 10**9  # further than any run is long


class RewindScreen(ChartScreen):
    HELP = (
        "The line above the charts is the run from its first epoch to its last: ◆ checkpoints that are still there, "
        "★ the best epoch, ▲ live changes. The arrow keys move along it. What came after the epoch is drawn faint, and "
        "the charts read every curve where it lies. A fork begins at the nearest checkpoint at or before the epoch, "
        "with the settings of that moment. A run that was itself forked has its parent drawn over it."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "epoch", key_display="← →", priority=True, tooltip="The epoch before"),
        Binding("right", "move(1)", "next epoch", show=False, priority=True, tooltip="The next epoch"),
        Binding("pageup", "move(-10)", "10 back", show=False, priority=True, tooltip="Ten epochs back"),
        Binding("pagedown", "move(10)", "10 on", show=False, priority=True, tooltip="Ten epochs on"),
        Binding("home", f"move({FIRST})", "first", show=False, priority=True, tooltip="The first epoch"),
        Binding("end", f"move({LAST})", "last", show=False, priority=True, tooltip="The last epoch"),
        Binding("f", "fork", "fork from here", tooltip="A new run from the nearest checkpoint at or before this epoch"),
        *(key for key in CHART_KEYS if key.action != "cursor"),
        Binding("m", "maximise", "max", show=False, tooltip="One chart alone, or all again"),
        Binding("escape", "back", "back", tooltip="Back to the run"),
    ]

    def __init__(self, follower: Follower) -> None:
        super().__init__()
        self.follower = follower
        self.at = max(len(follower.state.epochs_done) - 1, 0)
        self.events_shown = -1

    def compose(self) -> ComposeResult:
        with Vertical(id="rewind-top"):
            yield Line(id="rewind-title")
            yield Scrubber(id="scrubber")
            yield Line(id="rewind-numbers")
            yield Line(id="rewind-checkpoint")
            yield Line(id="rewind-changes")
        yield Charts(self.follower.state, id="charts")
        yield ChartFilter(id="chart-filter")
        yield KeyFooter()

    def on_mount(self) -> None:
        self.query_one(Scrubber).focus()
        parent = self.follower.run.path.with_name(self.follower.state.parent or "-")
        if Run(parent).config_file.is_file():  # it may have been deleted
            self.draw_others([parent.name])
        self.show()
        self.set_interval(self.repaint_seconds, self._tick)

    def _tick(self) -> None:
        """The run may still be training; the screen below reads its events."""
        if in_sight(self) and self.follower.state.events_seen != self.events_shown:
            self.show()

    def show(self) -> None:
        state, width = self.follower.state, self.size.width - 2
        self.events_shown = state.events_seen
        self.at = min(self.at, max(len(state.epochs_done) - 1, 0))  # a resume may have taken some back
        epoch = state.epochs_done[self.at] if state.epochs_done else None
        folder = self.follower.run.checkpoints
        self.query_one("#rewind-title", Line).content = _title(state, epoch, width)
        self.query_one("#rewind-numbers", Line).content = _numbers(state, epoch, width)
        self.query_one("#rewind-checkpoint", Line).content = _origin(state, epoch, folder)
        self.query_one("#rewind-changes", Line).content = _changes(state, epoch)
        self.query_one(Scrubber).show(self.at, [e.epoch for e in state.epochs_done], _marks(state, folder))
        if epoch:
            before = self.charts.view
            step = float(epoch.step)
            self.charts.view = replace(before.point(state, step), until=step)
        self.charts.redraw()

    def on_resize(self) -> None:
        self.call_after_refresh(self.show)

    def action_move(self, by: int) -> None:
        self.at = min(max(self.at + by, 0), max(len(self.follower.state.epochs_done) - 1, 0))
        self.show()

    @on(Scrubber.Moved)
    def move_to(self, event: Scrubber.Moved) -> None:
        self.at = event.position
        self.show()

    @on(Chart.Pointed)
    def move_to_cursor(self) -> None:
        """To the epoch nearest to where the charts have just put their cursor."""
        step, done = self.charts.view.cursor, self.follower.state.epochs_done
        if step is not None and done:
            self.at = min(range(len(done)), key=lambda at: abs(done[at].step - step))
            self.show()

    def action_fork(self) -> None:
        state, done = self.follower.state, self.follower.state.epochs_done
        nearest = checkpoint_before(state, done[self.at].step, self.follower.run.checkpoints) if done else None
        if nearest:
            self.post_message(ForkWanted(self.follower, nearest))
        else:
            self.notify("there is no checkpoint at or before this epoch", severity="warning")

    def action_maximise(self) -> None:
        self.charts.alone = not self.charts.alone

    def action_back(self) -> None:
        if self.charts.alone:
            self.charts.alone = False
        else:
            self.dismiss()


def checkpoint_before(state: RunState, step: int, folder: Path) -> Checkpoint | None:
    """The newest checkpoint at or before a step whose file exists."""
    there = (c for c in state.checkpoints.values() if c.step <= step and (folder / c.file).is_file())
    return max(there, key=lambda c: (c.step, c.time), default=None)


def _title(state: RunState, epoch: Epoch | None, width: int) -> Content:
    name = Content.assemble(("Rewind ", "bold"), (clean(state.name, 60) or state.id, "bold"))
    if epoch is None:
        return fit([(0, name), (0, Content.styled("no epoch is complete yet", MUTED))], width)
    where = Content.assemble(("epoch ", MUTED), (f"{epoch.epoch}/{state.epochs}", "bold"))
    step = Content.assemble(("step ", MUTED), f"{epoch.step:,}")
    parent = Content.styled(f"fork of {clean(without_moment(state.parent), 40)}", MUTED) if state.parent else Content()
    best = (
        Content.styled(f"{shown('★')} best epoch", "$best")
        if state.best and state.best.epoch == epoch.epoch
        else Content()
    )
    pieces: list[Piece] = [(0, name), (0, where), (2, step), (1, best), (3, parent)]
    return fit([piece for piece in pieces if piece[1]], width)


def _numbers(state: RunState, epoch: Epoch | None, width: int) -> Content:
    """What was known after this epoch."""
    if epoch is None:
        return Content()
    gap = epoch.val_loss - epoch.train_loss
    pieces: list[Piece] = [
        (0, _pair("loss", f"{epoch.train_loss:.4f}", f"{epoch.val_loss:.4f}")),
        (0, _pair("accuracy", percent(epoch.train_accuracy), percent(epoch.val_accuracy))),
        (2, Content.assemble(("gap ", MUTED), f"{gap:+.4f}")),
        (1, Content.assemble(("learning rate ", MUTED), f"{epoch.learning_rate:.4g}")),
        (1, Content.assemble(duration(epoch.seconds), (" trained", MUTED))),
    ]
    return fit(pieces, width)


def _pair(label: str, train: str, validation: str) -> Content:
    return Content.assemble(
        (f"{label} ", MUTED), ("train ", "$train"), f"{train} ", ("val ", "$validation"), validation
    )


def _origin(state: RunState, epoch: Epoch | None, folder: Path) -> Content:
    """Where a fork would begin, and what would have kept a checkpoint here where there is none."""
    if epoch is None:
        return Content()
    nearest = checkpoint_before(state, epoch.step, folder)
    remedy = f"every_epochs = {epoch.epoch} would have kept one"
    if nearest is None:
        return Content.styled(f"no checkpoint until here; checkpoints.{remedy}", "$text-warning")
    name = Content.styled(f"{shown('◆')} {clean(nearest.file.removesuffix('.safetensors'), 40)}", "$saved")
    if nearest.step == epoch.step:
        return Content.assemble(name, (f"  {', '.join(map(clean, nearest.kinds))}  ", MUTED), "f forks from here")
    return Content.assemble(name, f"  f forks from epoch {nearest.epoch}", (f"; {remedy} here", MUTED))


def _changes(state: RunState, epoch: Epoch | None) -> Content:
    """The live changes until then, the newest first."""
    made = [change for change in state.changes if epoch and change.step <= epoch.step]
    if not made:
        return Content.styled("no live changes until here" if epoch else "", MUTED)
    words = [
        f"{clean(path, 40)} = {f'{value:.4g}' if isinstance(value, float) else clean(str(value), 30)} @{change.epoch}"
        for change in reversed(made)
        for path, value in change.changes.items()
    ]
    return Content.assemble((f"{shown('▲')} ", "$changed"), ", ".join(words[:6]))


def _marks(state: RunState, folder: Path) -> list[tuple[int, str, str]]:
    """Positions on the scrubber; a fork does not begin with epoch 1."""
    first = state.epochs_done[0].epoch if state.epochs_done else 1
    there = [c for c in state.checkpoints.values() if (folder / c.file).is_file()]
    marks = [(change.epoch - first, "▲", "$changed") for change in state.changes]
    marks += [(checkpoint.epoch - first, "◆", "$saved") for checkpoint in there]
    return [*marks, (state.best.epoch - first, "★", "$best")] if state.best else marks
