"""The charts of a run."""

from __future__ import annotations

from typing import cast

from textual.geometry import Size
from textual.reactive import reactive

from tui_trainer import datasets
from tui_trainer.config import RunConfig
from tui_trainer.runs.state import RunState
from tui_trainer.ui.curves import SMOOTHING, Quantity, picture
from tui_trainer.ui.plane import COLOURS, Plane
from tui_trainer.ui.plot import Drawing
from tui_trainer.ui.rows import glyph
from tui_trainer.ui.widgets.chart import Legend
from tui_trainer.ui.widgets.chart_row import ChartRow

TITLES = {"loss": "loss", "boundary": "decision boundary", "accuracy": "accuracy %", "rate": "learning rate"}
CURVES = (Legend("train", "⠒⠒", "train"), Legend("validation", "⠒●⠒", "val"))
BEST = Legend("best", "★", "best")
SAVED = Legend("saved", "◆", "saved")
CHANGED = Legend("changed", "▲", "changed")
ENDED = Legend("ended", "■", "early stop")
MOST_CLASSES = 6


class Charts(ChartRow):
    """Loss, accuracy and learning rate; the decision boundary where the network has two inputs."""

    smoothing = reactive(0, init=False)

    def __init__(self, state: RunState, id: str | None = None) -> None:
        super().__init__(TITLES, id=id)
        self.state = state
        self.plane = _has_two_inputs(state.config)

    @property
    def order(self) -> list[str]:
        return [name for name in TITLES if name != "boundary" or self.plane]

    def move(self, step: int) -> None:
        super().move(step)
        self.chart(self.current).focus()

    def redraw(self) -> None:
        if self.state.boundary and not self.plane:  # a file of one's own turns out to have two inputs
            self.plane = True
            self.choose_shown()
        super().redraw()

    def label(self) -> None:
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
                Legend(f"point{label % COLOURS}", glyph(label), f"class {label}") for label in labels
            )

    def drawing(self, name: str, size: Size) -> Drawing:
        if name == "boundary":
            return Plane(self.state.boundary)
        log = self.log_scale and name != "accuracy"
        return picture(self.state, cast(Quantity, name), size, log, SMOOTHING[self.smoothing])

    def watch_smoothing(self) -> None:
        self.redraw()


def _has_two_inputs(config: RunConfig) -> bool:
    """Known without reading a file of one's own, which may be gone."""
    return config.data.name not in ("csv", "npz") and datasets.dataset(config.data.name).inputs == 2
