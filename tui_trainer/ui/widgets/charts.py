"""The charts of a run, as many side by side as there is room for; the others are reached with [ and ]."""

from __future__ import annotations

from functools import partial
from typing import cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.geometry import Size
from textual.reactive import reactive

from tui_trainer import datasets
from tui_trainer.config import RunConfig
from tui_trainer.runs.state import RunState
from tui_trainer.ui.curves import SMOOTHING, Quantity, picture
from tui_trainer.ui.plane import COLOURS, Plane, point_glyph
from tui_trainer.ui.plot import Drawing
from tui_trainer.ui.widgets.chart import Chart, Legend

TITLES = {"loss": "loss", "boundary": "decision boundary", "accuracy": "accuracy %", "rate": "learning rate"}
WIDTHS = (100, 160)  # from so many cells on: two charts, three
CURVES = (Legend("train", "⠒⠒", "..", "train"), Legend("validation", "⠒●⠒", ".o.", "val"))
BEST = Legend("best", "★", "*", "best")
SAVED = Legend("saved", "◆", "*", "saved")
CHANGED = Legend("changed", "▲", "^", "changed")
ENDED = Legend("ended", "■", "#", "early stop")
MOST_CLASSES = 6


class Charts(Horizontal):
    """`current` is the chart that is always in sight; `alone` gives it the room of all."""

    log_scale = reactive(False, init=False)
    smoothing = reactive(0, init=False)
    alone = reactive(False, init=False)

    def __init__(self, state: RunState, id: str | None = None) -> None:
        super().__init__(id=id)
        self.state = state
        self.current = "loss"
        self.first = 0
        self.plane = _has_two_inputs(state.config)

    def compose(self) -> ComposeResult:
        for name, title in TITLES.items():
            yield Chart(title, (), id=name)

    def on_mount(self) -> None:
        for name in TITLES:
            self.chart(name).source = partial(self._drawing, name)
        self.label()
        self.choose_shown()

    def chart(self, name: str) -> Chart:
        return self.query_one(f"#{name}", Chart)

    @property
    def order(self) -> list[str]:
        return [name for name in TITLES if name != "boundary" or self.plane]

    def choose_shown(self) -> None:
        """Show the current chart and its neighbours."""
        order, room = self.order, 1 + sum(self.size.width >= width for width in WIDTHS)
        at = order.index(self.current)
        self.first = max(0, min(self.first, at, len(order) - room), at - room + 1)
        shown = [self.current] if self.alone else order[self.first : self.first + room]
        for name in TITLES:
            self.chart(name).display = name in shown
            self.chart(name).set_class(name != shown[0], "-beside")

    def move(self, step: int) -> None:
        """To the next chart, or the one before."""
        order = self.order
        self.current = order[(order.index(self.current) + step) % len(order)]
        self.choose_shown()
        self.chart(self.current).focus()
        self.redraw()

    def redraw(self) -> None:
        if self.state.boundary and not self.plane:  # a file of one's own turns out to have two inputs
            self.plane = True
            self.choose_shown()
        self.label()
        for chart in self.query(Chart):
            if chart.display:
                chart.redraw()

    def label(self) -> None:
        """Legends and notes; each is drawn only when it differs."""
        marks = [SAVED]
        if self.state.changes:
            marks.append(CHANGED)
        if self.state.early_stop:
            marks.append(ENDED)
        for name in ("loss", "accuracy"):
            self.chart(name).legend = (*CURVES, BEST, *marks)
        self.chart("rate").legend = tuple(marks)
        self.chart("loss").note = self.chart("rate").note = "y linear" if self.log_scale else "y log"
        smooth = f"smooth {SMOOTHING[self.smoothing]:g}" if self.smoothing else "+ - smooth"
        self.chart("accuracy").note = smooth
        if boundary := self.state.boundary:
            self.chart("boundary").note = f"epoch {boundary.epoch}"
            labels = sorted({label for _, _, label in boundary.points})[:MOST_CLASSES]
            self.chart("boundary").legend = tuple(
                Legend(f"point{label % COLOURS}", point_glyph(label), point_glyph(label, True), f"class {label}")
                for label in labels
            )

    def _drawing(self, name: str, size: Size) -> Drawing:
        if name == "boundary":
            return Plane(self.state.boundary)
        log = self.log_scale and name != "accuracy"
        return picture(self.state, cast(Quantity, name), size, log, SMOOTHING[self.smoothing])

    def watch_log_scale(self) -> None:
        self.redraw()

    def watch_smoothing(self) -> None:
        self.redraw()

    def watch_alone(self) -> None:
        self.choose_shown()

    def on_resize(self, event: events.Resize) -> None:
        self.choose_shown()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.current = event.widget.id or self.current


def _has_two_inputs(config: RunConfig) -> bool:
    """Known without reading a file of one's own, which may be gone."""
    return config.data.name not in ("csv", "npz") and datasets.dataset(config.data.name).inputs == 2
