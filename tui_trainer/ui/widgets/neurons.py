"""The units of a network side by side, layer by layer: a small picture each of what it computes over the plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui_trainer.runs.maps import SIDE, Layer, Unit, levels
from tui_trainer.ui.ink import Ink
from tui_trainer.ui.pixels import factor, scaled

GAP = 2  # cells between two layers
HEADING = 2  # lines above them
ENOUGH = 3  # pictures below each other, before they are drawn larger
SIZES = (1, 1 / 2, 1 / 3)  # of a picture: 24, 12 or 8 cells wide


class InkWidget(Widget):
    """What draws signed pictures."""

    used: Ink | None = None

    @property
    def ink(self) -> Ink:
        self.used = Ink.of(self.app, self.used)
        return self.used


class NeuronGrid(InkWidget, can_focus=True):
    """A column for each layer, the inputs first. `chosen`: the numbers of a layer, and of a unit that it shows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "layer(-1)", "layer before", show=False),
        Binding("right", "layer(1)", "layer", key_display="← →", tooltip="Another layer"),
        Binding("up", "unit(-1)", "unit before", show=False),
        Binding("down", "unit(1)", "unit", key_display="↑ ↓", tooltip="Another unit of the layer"),
        Binding("pageup", "page(-1)", "page before", show=False),
        Binding("pagedown", "page(1)", "next page", show=False),
    ]

    chosen = reactive((1, 0), init=False)

    class Moved(Message):
        """Another unit is chosen, or this one has changed."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.network: Sequence[Layer] = ()
        self.first_layer = 0
        self.first_units: dict[int, int] = {}
        """The uppermost unit in sight of each layer that has been scrolled."""
        self.drawn: dict[tuple[int, int], list[list[Segment]]] = {}
        self.drawn_with: tuple[Ink, float] | None = None

    def show(self, layers: Sequence[Layer]) -> None:
        """The units of now."""
        self.network = layers
        self.drawn.clear()
        self._choose(*self.chosen)
        self.post_message(self.Moved())

    @property
    def unit(self) -> Unit | None:
        layer, number = self.chosen
        return self.network[layer].shown[number] if self.network else None

    def layer_name(self, layer: int) -> str:
        return "inputs" if layer == 0 else "classes" if layer == len(self.network) - 1 else f"layer {layer}"

    def unit_name(self, layer: int, number: int) -> str:
        """Of a unit, by its number from 0."""
        if layer == 0 and number in (0, 1):
            return "xy"[number]
        return str(number) if layer == len(self.network) - 1 else str(number + 1)

    def action_layer(self, step: int) -> None:
        self._choose(self.chosen[0] + step, self.chosen[1])

    def action_unit(self, step: int) -> None:
        self._choose(self.chosen[0], self.chosen[1] + step)

    def action_page(self, step: int) -> None:
        self.action_unit(step * self._rows)

    def _choose(self, layer: int, number: int) -> None:
        """The nearest that there is; it comes into sight."""
        self.refresh()
        if not self.network:
            return
        layer = min(max(layer, 0), len(self.network) - 1)
        number = min(max(number, 0), len(self.network[layer].shown) - 1)
        columns = self._columns
        self.first_layer = max(min(max(self.first_layer, layer - columns + 1), layer, len(self.network) - columns), 0)
        self.first_units[layer] = min(max(self._first(layer), number - self._rows + 1), number)
        self.chosen = (layer, number)

    def watch_chosen(self) -> None:
        self.post_message(self.Moved())

    def on_resize(self) -> None:
        self._choose(*self.chosen)

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        if place and (found := self._at(place.x, place.y)):
            self._choose(*found)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._scroll(event.x, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._scroll(event.x, -1)

    def _scroll(self, x: int, by: int) -> None:
        """The layer under the pointer."""
        layer = self.first_layer + x // (self._wide + GAP)
        if layer < len(self.network):
            self.first_units[layer] = max(self._first(layer) + by, 0)
            self.refresh()

    def _at(self, x: int, y: int) -> tuple[int, int] | None:
        """Layer and unit of the picture there."""
        layer, row = self.first_layer + x // (self._wide + GAP), (y - HEADING) // self._block
        number = self._first(layer) + row
        there = y >= HEADING and row < self._rows and layer < len(self.network)
        return (layer, number) if there and number < len(self.network[layer].shown) else None

    @property
    def _times(self) -> float:
        """How large the pictures are: as large as all layers fit beside each other, and some units below."""
        width, height = self.size
        most = max(len(layer.shown) for layer in self.network) if self.network else 1
        for times in SIZES:
            wide = round(SIDE * times)
            beside = len(self.network) * (wide + GAP) - GAP <= width
            if beside and min(most, ENOUGH) * (wide // 2 + 1) <= height - HEADING:
                return times
        return SIZES[-1]

    @property
    def _wide(self) -> int:
        return round(SIDE * self._times)

    @property
    def _block(self) -> int:
        """Lines of a picture and what stands below it."""
        return self._wide // 2 + 1

    @property
    def _rows(self) -> int:
        return max((self.size.height - HEADING) // self._block, 1)

    @property
    def _columns(self) -> int:
        return max((self.size.width + GAP) // (self._wide + GAP), 1)

    def _first(self, layer: int) -> int:
        """The uppermost unit in sight; no room is left below the last one."""
        return max(min(self.first_units.get(layer, 0), len(self.network[layer].shown) - self._rows), 0)

    def render_line(self, y: int) -> Strip:
        segments: list[Segment] = []
        if self.network:
            for layer in range(self.first_layer, min(self.first_layer + self._columns, len(self.network))):
                segments += [*self._cells(layer, y), Segment(" " * GAP, self.rich_style)]
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def _cells(self, layer: int, y: int) -> list[Segment]:
        if y < HEADING:
            return [self._heading(layer, y)]
        row, line = divmod(y - HEADING, self._block)
        number = self._first(layer) + row
        if row >= self._rows or number >= len(self.network[layer].shown):
            return [Segment(" " * self._wide, self.rich_style)]
        return self._picture(layer, number)[line] if line < self._block - 1 else [self._caption(layer, number)]

    def _heading(self, layer: int, y: int) -> Segment:
        """What the layer is, and which of its units are in sight."""
        if y == 0:
            return Segment(f"{self.layer_name(layer):<{self._wide}}"[: self._wide], self.rich_style + Style(bold=True))
        units, first = self.network[layer].units, self._first(layer)
        last = min(first + self._rows, len(self.network[layer].shown))
        words = f"{first + 1}-{last} of {units}" if last - first < units else ""
        if len(words) > self._wide:
            words = words.replace(" of ", "/")
        return Segment(f"{words:<{self._wide}}"[: self._wide], self.rich_style + Style(dim=True))

    def _caption(self, layer: int, number: int) -> Segment:
        """Its name; whether it says anything; its weight where it feeds the chosen one."""
        unit, weights = self.network[layer].shown[number], dict(self.unit.weights) if self.unit else {}
        words = "dead" if unit.is_dead else "constant" if unit.is_constant else ""
        if layer == self.chosen[0] - 1 and number in weights:
            words = f"{weights[number]:+.2g}"
        text = f"{self.unit_name(layer, number)} {words:>{self._wide - len(self.unit_name(layer, number)) - 1}}"[
            : self._wide
        ]
        style = Style(reverse=self.has_focus, bold=True) if (layer, number) == self.chosen else Style()
        return Segment(text, self.rich_style + style)

    def _picture(self, layer: int, number: int) -> list[list[Segment]]:
        if self.drawn_with != (self.ink, self._times):
            self.drawn_with = (self.ink, self._times)
            self.drawn.clear()
        if (layer, number) not in self.drawn:
            small = scaled(levels(self.network[layer].shown[number]), self._times)
            self.drawn[layer, number] = self.ink.rows(small)
        return self.drawn[layer, number]


class UnitPicture(InkWidget):
    """One unit, as large as there is room."""

    unit: reactive[Unit | None] = reactive(None)

    def render_line(self, y: int) -> Strip:
        rows: list[list[Segment]] = []
        if self.unit:
            rows = self.ink.rows(scaled(levels(self.unit), factor((SIDE, SIDE), *self.size)))
        return Strip(rows[y] if y < len(rows) else []).adjust_cell_length(self.size.width, self.rich_style)
