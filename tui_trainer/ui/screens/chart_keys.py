"""The keys of a run's charts, for every screen that shows them."""

from __future__ import annotations

from textual.binding import Binding
from textual.screen import Screen

from tui_trainer.ui.curves import SMOOTHING
from tui_trainer.ui.widgets.charts import Charts

CHART_KEYS = (
    Binding("right_square_bracket", "chart(1)", "chart", key_display="[ ]", tooltip="The next chart"),
    Binding("left_square_bracket", "chart(-1)", "chart before", show=False, key_display="["),
    Binding("y", "log_scale", "log", show=False, tooltip="Loss on a logarithmic axis, or a linear one"),
    Binding("plus,equals_sign", "smooth(1)", "smoother", show=False, key_display="+"),
    Binding("minus", "smooth(-1)", "less smooth", show=False, key_display="-"),
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

    def leave_chart(self) -> bool:
        """Out of what the keys of a chart have begun; False where there is nothing to leave."""
        return False
