"""The charts of several runs, a metric each."""

from __future__ import annotations

from collections.abc import Mapping

from rich.cells import cell_len
from textual.geometry import Size

from tui_trainer.studies.measures import PER_EPOCH
from tui_trainer.ui.overlay import MOST_CURVES, Trace, is_accuracy, overlay, title
from tui_trainer.ui.plot import Drawing
from tui_trainer.ui.widgets.chart import Legend
from tui_trainer.ui.widgets.chart_grid import ChartGrid
from tui_trainer.ui.words import shortened

METRICS = {name: title(name) for name in ("val_accuracy", "val_loss", "train_accuracy", "train_loss")}


class Overlay(ChartGrid):
    """The first traces and the chosen one, as many as can be told apart."""

    def __init__(self, titles: Mapping[str, str] = METRICS, id: str | None = None) -> None:
        super().__init__(titles, id=id)
        self.traces: tuple[Trace, ...] = ()
        self.chosen = ""

    @property
    def shown(self) -> list[Trace]:
        """In their own order, the chosen one among them."""
        begun = [trace for trace in self.traces if trace.states]
        kept = begun[:MOST_CURVES]
        chosen = next((trace for trace in begun if trace.name == self.chosen), None)
        return [*kept[:-1], chosen] if chosen and chosen not in kept else kept

    def drawing(self, name: str, size: Size) -> Drawing:
        return overlay(self.shown, name, size, self.log_scale, self.chosen)

    def label(self) -> None:
        shown = self.shown
        hidden = sum(bool(trace.states) for trace in self.traces) - len(shown)
        for name in self.titles:
            if name in PER_EPOCH:
                chart = self.chart(name)
                width = chart.size.width - len(chart.title) - 2
                longest = max((cell_len(trace.name) for trace in shown), default=0)
                all_fit = sum(cell_len(trace.name) + 4 for trace in shown) <= width
                room = longest if all_fit else width // max(len(shown), 1) - 4
                chart.legend = tuple(_entry(trace, max(room, 8), trace.name == self.chosen) for trace in shown)
                log = "" if is_accuracy(name) else "y linear" if self.log_scale else "y log"
                chart.note = f"{hidden} more not drawn" if hidden > 0 else log


def _entry(trace: Trace, width: int, chosen: bool) -> Legend:
    style = f"series{trace.colour}+chosen" if chosen else f"series{trace.colour}"
    return Legend(style, trace.glyph(), shortened(trace.name, width))
