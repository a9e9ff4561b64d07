"""What a network with two inputs answers all over the plane, for a picture of its decision boundary."""

from dataclasses import dataclass

import torch
from torch import nn

from tui_trainer.engine.data import Examples
from tui_trainer.engine.evaluate import evaluating
from tui_trainer.runs import events

COLUMNS, ROWS = 48, 24
SHOWN_POINTS = 200
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Extent:
    """The part of the plane that is looked at: the data's, and a quarter of it beyond."""

    left: float
    right: float
    bottom: float
    top: float

    @classmethod
    def of(cls, images: torch.Tensor) -> "Extent":
        low, high = images.min(0).values, images.max(0).values
        margin = (high - low) / 4
        (left, bottom), (right, top) = (low - margin).tolist(), (high + margin).tolist()
        return cls(left, right, bottom, top)

    def grid(self, columns: int, rows: int, device: torch.device) -> torch.Tensor:
        """Places [rows · columns, 2], first row on top."""
        x = torch.linspace(self.left, self.right, columns, device=device)
        y = torch.linspace(self.top, self.bottom, rows, device=device)
        return torch.stack((x.repeat(rows), y.repeat_interleave(columns)), 1)


@torch.inference_mode()
def draw(model: nn.Module, train: Examples, epoch: int, step: int) -> events.Boundary:
    """The predicted class on a grid, first row on top."""
    extent = Extent.of(train.images)
    with evaluating(model):
        classes = model(extent.grid(COLUMNS, ROWS, train.images.device)).argmax(1).tolist()
    answers = "".join(DIGITS[c] if c < len(DIGITS) else "?" for c in classes)
    shown = slice(None, None, max(1, len(train) // SHOWN_POINTS))
    points = [
        (*where, label) for where, label in zip(train.images[shown].tolist(), train.labels[shown].tolist(), strict=True)
    ]
    return events.Boundary(
        epoch=epoch,
        step=step,
        **vars(extent),
        rows=[answers[row * COLUMNS : (row + 1) * COLUMNS] for row in range(ROWS)],
        points=points,
    )
