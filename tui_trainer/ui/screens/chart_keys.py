"""The keys of a run's charts, for every screen that shows them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from textual import on, work
from textual.binding import Binding
from textual.screen import Screen
from textual.timer import Timer

from tui_trainer.runs.directory import Run
from tui_trainer.runs.follow import Follower
from tui_trainer.text import InputError, clean
from tui_trainer.ui.curves import SMOOTHING, Other
from tui_trainer.ui.sight import REPAINT_SECONDS, in_sight, repaint_seconds
from tui_trainer.ui.widgets.chart_filter import ChartFilter
from tui_trainer.ui.widgets.charts import Charts
from tui_trainer.ui.words import shortened

if TYPE_CHECKING:
    from tui_trainer.ui.app import TrainerApp

ZOOM = 2.0
WATCH_SECONDS = 1.0  # between looks at other runs that live
CHART_KEYS = (
    Binding(
        "right_square_bracket",
        "chart(1)",
        "chart",
        key_display="[ ]",
        tooltip="The next; with two inputs also the decision boundary",
    ),
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
    Binding("u", "unit", "x unit", show=False, tooltip="Epochs, steps, powers of ten of steps, or time on x"),
    Binding("n", "recent", "recent", show=False, tooltip="The last fifth of the training, or all of it"),
    Binding("v", "cursor", "cursor", show=False, tooltip="Read every curve at one place; ← → move it, esc leaves it"),
    Binding("z", "zoom(1)", "zoom in", show=False, tooltip="Half of what is seen, about the cursor; ← → pan"),
    Binding("Z", "zoom(-1)", "zoom out", show=False),
    Binding("0", "whole", "whole range", show=False),
    Binding("g", "choose", "charts", show=False, tooltip="Only those with a word you type, as long as you leave it so"),
    Binding("o", "others", "other runs", show=False, tooltip="Draw other runs over these charts"),
)
"""Not in `BINDINGS` of the class below: the screen says where in its own footer they stand."""


class ChartScreen(Screen[None]):
    """A screen with the charts of a run, and what `CHART_KEYS` do."""

    follower: Follower
    others: tuple[Follower, ...] = ()
    watching: Timer | None = None

    def on_mount(self) -> None:
        self.set_class(self.repaint_seconds > REPAINT_SECONDS, "-slow")
        if self.charts.matching:
            self.query_one(ChartFilter).recall(self.charts.words)

    @property
    def repaint_seconds(self) -> float:
        """Between two pictures of a run that trains."""
        return repaint_seconds(self.app)

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

    def action_choose(self) -> None:
        self.query_one(ChartFilter).open()

    @on(ChartFilter.Typed)
    def choose_charts(self, event: ChartFilter.Typed) -> None:
        self.charts.words = event.words
        self._count_charts(typing=self.query_one(ChartFilter).has_focus_within)

    @on(ChartFilter.Done)
    def remember_charts(self, event: ChartFilter.Done) -> None:
        self.charts.chart(self.charts.current).focus()
        self._count_charts(typing=False)
        cast("TrainerApp", self.app).change_setting("charts", event.words.strip())

    def _count_charts(self, typing: bool) -> None:
        charts = self.charts
        count = f"{len(charts.matching)} of {len(charts.known)} charts" if charts.matching else "no such chart: all"
        said = count if typing else f"{count}, g changes"
        self.query_one(ChartFilter).tell(said if charts.words.strip() else "")

    def action_show_all(self) -> None:
        self.query_one(ChartFilter).close()

    def action_others(self) -> None:
        from tui_trainer.ui.screens.others import OthersScreen

        drawn = [other.run.id for other in self.others]
        dialog = OthersScreen(self.follower.run, self.follower.state.parent, drawn)
        self.app.push_screen(dialog, self._others_chosen)

    def _others_chosen(self, ids: Sequence[str] | None) -> None:
        if ids is not None:
            self.draw_others(ids)

    @work(thread=True, exclusive=True, group="others")
    def draw_others(self, ids: Sequence[str]) -> None:
        """Read these runs and draw them; those that live are followed."""
        root = self.follower.run.path.parent
        found = []
        for id in ids:
            try:
                follower = Follower(Run(root / id))
                follower.catch_up()
            except (OSError, InputError) as error:
                self.app.call_from_thread(self.notify, clean(str(error), 300), severity="error", markup=False)
            else:
                found.append(follower)
        self.app.call_from_thread(self._take_others, found)

    def _take_others(self, found: Sequence[Follower]) -> None:
        self.others = tuple(found)
        states = (follower.state for follower in found)
        self.charts.others = tuple(
            Other(shortened(clean(s.name), 20) or s.id, number, s) for number, s in enumerate(states)
        )
        if self.watching is None and found:
            self.watching = self.set_interval(max(WATCH_SECONDS, self.repaint_seconds), self._watch_others)

    def _watch_others(self) -> None:
        changed = False
        for follower in self.others:
            with suppress(OSError, InputError):  # deleted meanwhile: what was read stays on screen
                changed |= follower.alive and follower.poll()
        if changed and in_sight(self):
            self.charts.redraw()

    def leave_chart(self) -> bool:
        """Away with the cursor; False where there is none."""
        if self.charts.view.cursor is None:
            return False
        self.charts.toggle_cursor()
        return True
