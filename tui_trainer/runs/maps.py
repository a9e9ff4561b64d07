"""What a unit computes all over the plane, in few bytes: a character a place, and what a record of it may hold."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

SIDE = 24
"""Places across and down: 24 can be halved and divided by three without a remainder."""
LEVELS = "0123456789abcdefghijklmnopqrstuvwxy"
"""From the least a unit could answer to the most; the middle one is 0, the same far from it on both sides."""
ZERO = len(LEVELS) // 2
MOST_HIDDEN = 64
"""Units shown of all hidden layers together, as many of each; an output layer shows `MOST_CLASSES`."""
MOST_CLASSES = 16
MOST_LAYERS = 18
"""Inputs, hidden layers and outputs; of a deeper network the last hidden ones are left out."""
MOST_WEIGHTS = 8
"""Weights told of a unit. An event of all these is 60 kB at most."""


class Unit(msgspec.Struct):
    """What one unit answers: `cells` from the top left on, row by row, as shares of its greatest absolute answer.

    `weights` are the strongest of those that come in, the strongest first: the number in the layer before, from 0,
    and the weight. A unit that is the largest of several pieces has neither one bias nor one such list.
    """

    cells: Annotated[str, Meta(pattern=rf"\A[{LEVELS[0]}-9a-{LEVELS[-1]}]{{{SIDE * SIDE}}}\Z")]
    low: float
    high: float
    bias: float | None = None
    weights: Annotated[list[tuple[int, float]], Meta(max_length=MOST_WEIGHTS)] = []

    @property
    def is_constant(self) -> bool:
        return self.low == self.high

    @property
    def is_dead(self) -> bool:
        """0 all over the plane."""
        return self.low == self.high == 0


class Layer(msgspec.Struct):
    """The first of its `units` units."""

    units: int
    shown: Annotated[list[Unit], Meta(min_length=1, max_length=MOST_HIDDEN)]


Layers = Annotated[list[Layer], Meta(min_length=2, max_length=MOST_LAYERS)]
"""Inputs, hidden layers, outputs."""


def levels(unit: Unit) -> list[list[int]]:
    """Rows of a unit's answers, from -255 to 255, the top one first."""
    values = [(LEVELS.index(cell) - ZERO) * 255 // ZERO for cell in unit.cells]
    return [values[row * SIDE : (row + 1) * SIDE] for row in range(SIDE)]
