"""The keys of a run's charts, for every screen that shows them."""

from __future__ import annotations

from dataclasses import replace

from textual.binding import Binding
from textual.screen import Screen

from tui_trainer.ui.curves import SMOOTHING
from tui_trainer.ui.widgets.charts import Charts

ZOOM = 2.0
CHART_KEYS = (
    Binding("right_square_bracket", "chart(1)", "chart", key_display="[ ]", tooltip="The next chart"),
    Binding("left_square_bracket", "chart(-1)", "chart before", show=False, key_display="["),
    Binding("y", "log_scale", "log", show=False, tooltip="Losses on a logarithmic axis, or a linear one"),
    Binding(
        "plus,equals_sign",
        "smooth(1)",
        "smoother",
        show=False,
        key_display="+",
        tooltip="A moving average, with least and greatest of the raw values behind it",
    ),
    Binding("minus", "smooth(-1)", "less smooth", show=False, key_display="-"),
    Binding("u", "unit", "x unit", show=False, tooltip="Epochs, steps or time on the x axis"),
    Binding("n", "recent", "recent", show=False, tooltip="The last fifth of the training, or all of it"),
    Binding("v", "cursor", "cursor", show=False, tooltip="Read every curve at one place; ← → move it, esc leaves it"),
    Binding("z", "zoom(1)", "zoom in", show=False, tooltip="Half of what is seen, about the cursor; ← → pan"),
    Binding("Z", "zoom(-1)", "zoom out", show=False),
    Binding("0", "whole", "whole range", show=False),
)
"""Not in `BINDINGS` of the class below: the screen says where in its own footer they stand."""


class ChartScreen(Screen[None]):
    """A screen with the charts of a run, and what `CHART_KEYS` do."""

    @property
    def charts(self) -> Charts:
        return self.query_one(Charts)

    def action_chart(self, step: int) -> None:
        self.charts.move(step)

    def action_log_scale(self) -> None:
        self.charts.log_scale = not self.charts.log_scale

    def action_smooth(self, step: int) -> None:
        self.charts.smoothing = min(max(self.charts.smoothing + step, 0), len(SMOOTHING) - 1)

    def action_unit(self) -> None:
        self.charts.view = self.charts.view.next_unit()

    def action_recent(self) -> None:
        view = self.charts.view
        self.charts.view = replace(view, recent=not view.recent, window=None)

    def action_cursor(self) -> None:
        self.charts.toggle_cursor()

    def action_zoom(self, way: int) -> None:
        self.charts.view = self.charts.view.zoom(self.charts.state, ZOOM**-way)

    def action_whole(self) -> None:
        self.charts.view = replace(self.charts.view, recent=False, window=None)

    def leave_chart(self) -> bool:
        """Away with the cursor; False where there is none."""
        if self.charts.view.cursor is None:
            return False
        self.charts.toggle_cursor()
        return True
