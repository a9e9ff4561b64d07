"""The charts of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, cast

from rich.cells import cell_len
from textual import on
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.reactive import reactive

from tui_trainer import datasets
from tui_trainer.config import RunConfig
from tui_trainer.runs.state import RunState
from tui_trainer.ui.curves import QUANTITIES, SMOOTHING, Other, kept, picture
from tui_trainer.ui.draw import GUTTER
from tui_trainer.ui.palette import CLASSES
from tui_trainer.ui.plane import Plane
from tui_trainer.ui.plot import Drawing, Message
from tui_trainer.ui.readings import readings
from tui_trainer.ui.rows import glyph
from tui_trainer.ui.scale import Scale
from tui_trainer.ui.view import View, span
from tui_trainer.ui.widgets.chart import Chart, Legend
from tui_trainer.ui.widgets.chart_grid import ChartGrid

if TYPE_CHECKING:
    from tui_trainer.ui.app import TrainerApp

PLANE = "boundary"
TRAIN, VALIDATION = Legend("train", "⠒⠒", "train"), Legend("validation", "⠒●⠒", "val")
BEST = Legend("best", "★", "best")
SAVED = Legend("saved", "◆", "saved")
CHANGED = Legend("changed", "▲", "changed")
ENDED = Legend("ended", "■", "early stop")
MOST_CLASSES = 6
PAN = 0.25  # of what is seen


class Charts(ChartGrid):
    """Every quantity of a run; the decision boundary where the network has two inputs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "left",
            "step(-1)",
            "move",
            show=False,
            key_display="← →",
            tooltip="Move the cursor, or what a zoomed chart shows",
        ),
        Binding("right", "step(1)", "right", show=False),
    ]

    smoothing = reactive(0, init=False)
    view = reactive(View(), init=False)
    others: reactive[tuple[Other, ...]] = reactive((), init=False)
    """Runs drawn over this one."""
    words = reactive("", init=False)
    """Only charts with one of these in their title, where any has one."""

    def __init__(self, state: RunState, id: str | None = None, reading: bool = False) -> None:
        """While `reading`, another thread brings the state up to date, and nothing is drawn of it."""
        titles = {name: quantity.title for name, quantity in QUANTITIES.items()}
        loss = titles.pop("loss")
        super().__init__({"loss": loss, PLANE: "decision boundary", **titles}, id=id)
        self.state = state
        self.reading = reading
        self.plane = _has_two_inputs(state.config)

    def on_mount(self) -> None:
        wanted = cast("TrainerApp", self.app).settings
        self.set_reactive(Charts.smoothing, SMOOTHING.index(float(wanted.smoothing)))
        self.set_reactive(Charts.words, wanted.charts)

    @property
    def order(self) -> list[str]:
        return self.matching or self.known

    @property
    def known(self) -> list[str]:
        return [name for name in self.titles if name != PLANE or self.plane]

    @property
    def matching(self) -> list[str]:
        words = self.words.lower().split()
        return [name for name in self.known if any(word in self.titles[name].lower() for word in words)]

    def move(self, step: int) -> None:
        super().move(step)
        self.chart(self.current).focus()

    def redraw(self) -> None:
        if self.state.boundary and not self.plane:  # a file of one's own turns out to have two inputs
            self.plane = True
            self.choose_shown()
        super().redraw()

    def drawing(self, name: str, size: Size) -> Drawing:
        if self.reading:
            return Message("reading…")
        if name == PLANE:
            return Plane(self.state.boundary)
        return picture(self.state, name, size, self.log_scale, SMOOTHING[self.smoothing], self.view, self.others)

    def label(self) -> None:
        for name in QUANTITIES:
            chart = self.chart(name)
            if chart.display:
                chart.legend = self._legend(name) if self.view.cursor is None else self._readings(name)
                chart.note = self._note(name)
        if boundary := self.state.boundary:
            labels = sorted({label for _, _, label in boundary.points})[:MOST_CLASSES]
            self.chart(PLANE).note = f"epoch {boundary.epoch}"
            self.chart(PLANE).legend = tuple(
                Legend(f"point{label % CLASSES}", glyph(label), f"class {label}") for label in labels
            )

    def _legend(self, name: str) -> tuple[Legend, ...]:
        """The curves, and the marks that there are."""
        state, quantity = self.state, QUANTITIES[name]
        lines = (TRAIN, VALIDATION) if quantity.train and quantity.each_epoch else ()
        others = (Legend(f"series{other.colour}", f"⠒{other.glyph}⠒", other.name) for other in self.others)
        marks = (
            (BEST, state.best is not None and name in ("loss", "accuracy")),
            (SAVED, any(kept(checkpoint.kinds) for checkpoint in state.checkpoints.values())),
            (CHANGED, bool(state.changes)),
            (ENDED, state.early_stop is not None),
        )
        return (*lines, *others, *(entry for entry, there in marks if there))

    def _readings(self, name: str) -> tuple[Legend, ...]:
        """Where the cursor stands, and the values there."""
        step, unit = self.view.cursor or 0.0, self.view.unit
        found = readings(self.state, name, step, unit, self.others)
        where = Legend("cursor", "│", Scale(self.state, unit).words(step))
        named = [f"{r.name} {r.value}".strip() for r in found]
        chart = self.chart(name)
        used = len(chart.title) + sum(cell_len(words) + 4 for words in (where.label, *named))
        values = named if used < chart.size.width else [r.value for r in found]  # glyphs tell whose they are
        entries = zip(found, values, strict=True)
        return (where, *(Legend(r.style, r.glyph.strip("⠒") or "⠒", words) for r, words in entries))

    def _note(self, name: str) -> str:
        """How the chart is looked at, where not as usual; else a key that changes it."""
        view = self.view
        seen = "zoomed" if view.window else "recent" if view.recent else ""
        smooth = f"smooth {SMOOTHING[self.smoothing]:g}" if self.smoothing and QUANTITIES[name].noisy else ""
        if view.until is not None:
            return seen
        if view.cursor is not None:
            return "esc leaves"
        hints = {
            "accuracy": "+ - smooth",
            "throughput": f"u {view.next_unit().unit}",
            "gap": "n full" if view.recent else "n recent",
        }
        hint = ("y linear" if self.log_scale else "y log") if QUANTITIES[name].log else hints[name]
        return " · ".join(part for part in (seen, smooth) if part) or hint

    def action_step(self, way: int) -> None:
        """The cursor by a column, else what is seen by a quarter."""
        if self.view.cursor is None:
            self.view = self.view.pan(self.state, PAN * way)
            return
        low, high = span(self.state, self.view)
        columns = self.chart(self.current).content_size.width - GUTTER - 1
        self.view = self.view.point(self.state, self.view.cursor + way * (high - low) / max(columns - 1, 1))

    @on(Chart.Pointed)
    def point(self, event: Chart.Pointed) -> None:
        if event.chart.id in QUANTITIES:
            low, high = (Scale(self.state, self.view.unit).place(step) for step in span(self.state, self.view))
            step = Scale(self.state, self.view.unit).step(low + event.share * (high - low))
            self.view = self.view.point(self.state, step)

    def toggle_cursor(self) -> None:
        """At the newest point in sight, or away."""
        if self.view.cursor is None:
            self.view = self.view.point(self.state, min(float(self.state.step), span(self.state, self.view)[1]))
            if self.current == PLANE:
                self.current = next((name for name in self.order if name != PLANE), PLANE)
                self.choose_shown()
            self.chart(self.current).focus()
        else:
            self.view = replace(self.view, cursor=None)

    def watch_smoothing(self) -> None:
        self.redraw()

    def watch_view(self) -> None:
        self.redraw()

    def watch_words(self) -> None:
        self.choose_shown()
        self.redraw()

    def watch_others(self) -> None:
        self.redraw()


def _has_two_inputs(config: RunConfig) -> bool:
    """Known without reading a file of one's own, which may be gone."""
    return config.data.name not in datasets.OWN and datasets.dataset(config.data.name).inputs == 2
