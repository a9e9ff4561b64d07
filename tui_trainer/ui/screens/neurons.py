"""What every unit of a network with two inputs computes, from the inputs to the classes, while it learns."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen

from tui_trainer.runs.events import Neurons
from tui_trainer.runs.follow import Follower
from tui_trainer.text import clean, plural
from tui_trainer.ui.sight import in_sight, repaint_seconds
from tui_trainer.ui.widgets.footer import KeyFooter
from tui_trainer.ui.widgets.line import Line, Lines
from tui_trainer.ui.widgets.neurons import NeuronGrid, UnitPicture
from tui_trainer.ui.words import MUTED

LEAST_WIDTH = 60  # cells, in which a unit has room beside all the others


class NeuronsScreen(Screen[None]):
    HELP = (
        "A network with two inputs, from left to right: the inputs, each hidden layer, the classes. A picture shows "
        "what a unit answers all over the plane of the data, in one colour above 0 and in another below; without "
        "colours dots and rings are above 0, strokes below. Each has a scale of its own: the strongest shade is its "
        "greatest answer. The chosen unit is drawn large, with its range, its bias and its strongest weights, which "
        "also stand below the units they come from. Dead: it answers 0 everywhere, and learns nothing from here. In "
        "the first layer each unit cuts the plane by a line; every later one adds up the pictures of the one before, "
        "each times its weight. Of the classes the probabilities are shown; the highest at a place is the answer there."
    )
    STATES = ()
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "back", tooltip="Back to the run")]

    def __init__(self, follower: Follower) -> None:
        super().__init__()
        self.follower = follower
        self.shown: Neurons | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="neurons-top"):
            yield Line(id="neurons-title")
            yield Line(id="neurons-facts")
        with Horizontal(id="neurons-body"):
            yield NeuronGrid(id="neuron-grid")
            with Vertical(id="neuron"):
                yield UnitPicture(id="neuron-picture")
                yield Lines(id="neuron-words")
        yield KeyFooter()

    def on_mount(self) -> None:
        self.grid.focus()
        self.set_interval(repaint_seconds(self.app), self._tick)

    def on_screen_resume(self) -> None:
        """Opened, or uncovered again: perhaps by the settings, where the look was changed."""
        self.show()

    @property
    def grid(self) -> NeuronGrid:
        return self.query_one(NeuronGrid)

    def _tick(self) -> None:
        """The screen below reads the events."""
        if in_sight(self) and self.follower.state.neurons is not self.shown:
            self.show()

    def on_resize(self) -> None:
        self.set_class(self.size.width < LEAST_WIDTH, "-slim")

    def show(self) -> None:
        """The newest pictures, or why there are none."""
        state = self.follower.state
        self.shown = drawn = state.neurons
        name = Content.assemble(("Neurons", "bold"), (f" of {clean(state.name, 40)}", MUTED))
        when = f"  after epoch {drawn.epoch:,} · step {drawn.step:,}" if drawn else ""
        self.query_one("#neurons-title", Line).content = Content.assemble(name, when)
        self.grid.show(drawn.layers if drawn else ())

    @on(NeuronGrid.Moved)
    def tell(self) -> None:
        """The chosen unit, large and in words."""
        self.query_one(UnitPicture).unit = self.grid.unit
        self.query_one("#neuron-words", Lines).content = self._words()
        self.query_one("#neurons-facts", Line).content = self._facts()

    def _facts(self) -> Content:
        grid = self.grid
        if not grid.network:
            waits = "drawn after the first epoch"
            none = "its log holds no pictures of units: it was trained by an older version, or no epoch was completed"
            return Content.styled(waits if self.follower.alive else none, MUTED)
        layer = grid.network[grid.chosen[0]]
        shown = f"  {len(layer.shown)} of {plural(layer.units, 'unit')} shown" if len(layer.shown) < layer.units else ""
        return Content.assemble(grid.ink.legend, (f", each on its own scale{shown}", MUTED))

    def _words(self) -> Content:
        """The numbers of the chosen unit."""
        grid, unit, network = self.grid, self.grid.unit, self.follower.state.config.network
        if unit is None:
            return Content()
        layer, number = grid.chosen
        kind = {0: "input ", len(grid.network) - 1: "class "}.get(layer, f"{grid.layer_name(layer)}, unit ")
        lines = [Content.styled(f"{kind}{grid.unit_name(layer, number)}", "bold")]
        if unit.is_dead:
            lines.append(Content("dead: 0 everywhere"))
        elif unit.is_constant:
            lines.append(Content(f"{unit.low:g} everywhere"))
        else:
            what = "probability " if layer == len(grid.network) - 1 else ""
            lines.append(Content(f"{what}from {unit.low:.3g} to {unit.high:.3g}"))
        hidden = 0 < layer < len(grid.network) - 1
        if unit.bias is not None:
            lines.append(Content(f"bias {unit.bias:+.3g}{', then normed' if hidden and network.batch_norm else ''}"))
        if unit.weights:
            of = grid.network[layer - 1].units
            told = f"{len(unit.weights)} largest of {of:,} weights" if of > len(unit.weights) else "weights"
            lines.append(Content.styled(told, MUTED))
            pairs = [f"{grid.unit_name(layer - 1, source):>3} {weight:<+8.3g}" for source, weight in unit.weights]
            lines += [Content("".join(pairs[at : at + 2])) for at in range(0, len(pairs), 2)]
        elif hidden and network.activation == "maxout":
            lines.append(Content.styled(f"the largest of {network.maxout_pieces} sums", MUTED))
        return Content("\n").join(lines)

    def action_back(self) -> None:
        self.dismiss()
