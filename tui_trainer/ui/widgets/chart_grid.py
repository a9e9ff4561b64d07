"""Charts beside and below each other, as many as there is room for; the others are reached with [ and ]."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.geometry import Size
from textual.reactive import reactive

from tui_trainer.ui.plot import Drawing
from tui_trainer.ui.widgets.chart import Chart

WIDTHS = (100, 160)  # from so many cells on: two charts beside each other, three
HEIGHTS = (30,)  # from so many lines on: two rows of them


class ChartGrid(Container):
    """`current` is the chart that is always in sight; `alone` gives it the room of all.

    `titles` has the title of every chart by its name, which is its id too.
    """

    log_scale = reactive(False, init=False)
    alone = reactive(False, init=False)

    def __init__(self, titles: Mapping[str, str], id: str | None = None) -> None:
        super().__init__(id=id)
        self.titles = titles
        self.current = next(iter(titles))
        self.first = 0

    def compose(self) -> ComposeResult:
        for name, title in self.titles.items():
            yield Chart(title, (), id=name)

    def on_mount(self) -> None:
        for name in self.titles:
            self.chart(name).source = partial(self.drawing, name)
        self.label()
        self.choose_shown()

    def chart(self, name: str) -> Chart:
        return self.query_one(f"#{name}", Chart)

    @property
    def order(self) -> list[str]:
        """The names of the charts that can be shown."""
        return list(self.titles)

    def drawing(self, name: str, size: Size) -> Drawing:
        """What the chart of this name shows now."""
        raise NotImplementedError

    def label(self) -> None:
        """Set legends and notes; each is drawn only when it differs."""

    def choose_shown(self) -> None:
        """Show the current chart and its neighbours."""
        order, columns = self.order, 1 + sum(self.size.width >= width for width in WIDTHS)
        room = columns * (1 + sum(self.size.height >= height for height in HEIGHTS))
        if self.current not in order:
            self.current = order[0]
        at = order.index(self.current)
        self.first = max(0, min(self.first, at, len(order) - room), at - room + 1)
        shown = [self.current] if self.alone else order[self.first : self.first + room]
        columns = min(columns, len(shown))
        self.styles.grid_size_columns = columns
        for name in self.titles:
            self.chart(name).display = name in shown
            self.chart(name).set_class(name in shown and shown.index(name) % columns > 0, "-beside")

    def move(self, step: int) -> None:
        """To the next chart, or the one before."""
        order = self.order
        self.current = order[(order.index(self.current) + step) % len(order)]
        self.choose_shown()
        self.redraw()

    def redraw(self) -> None:
        self.label()
        for chart in self.query(Chart):
            if chart.display:
                chart.redraw()

    def watch_log_scale(self) -> None:
        self.redraw()

    def watch_alone(self) -> None:
        self._rearrange()

    def on_resize(self, event: events.Resize) -> None:
        self._rearrange()

    def _rearrange(self) -> None:
        self.choose_shown()
        self.call_after_refresh(self.label)  # for those that come into sight, and for the width each has then

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.current = event.widget.id or self.current
