"""What a network with two inputs answers all over the plane, for a picture of its decision boundary."""

import torch
from torch import nn

from tui_trainer.engine.data import Examples
from tui_trainer.engine.evaluate import evaluating
from tui_trainer.runs import events

COLUMNS, ROWS = 48, 24
SHOWN_POINTS = 200
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@torch.inference_mode()
def draw(model: nn.Module, train: Examples, epoch: int, step: int) -> events.Boundary:
    """The predicted class on a grid that reaches a quarter of the data's extent beyond it, first row on top."""
    low, high = train.images.min(0).values, train.images.max(0).values
    margin = (high - low) / 4
    (left, bottom), (right, top) = (low - margin).tolist(), (high + margin).tolist()
    device = train.images.device
    x = torch.linspace(left, right, COLUMNS, device=device)
    y = torch.linspace(top, bottom, ROWS, device=device)
    grid = torch.stack((x.repeat(ROWS), y.repeat_interleave(COLUMNS)), 1)
    with evaluating(model):
        classes = model(grid).argmax(1).tolist()
    answers = "".join(DIGITS[c] if c < len(DIGITS) else "?" for c in classes)
    shown = slice(None, None, max(1, len(train) // SHOWN_POINTS))
    points = [
        (*where, label) for where, label in zip(train.images[shown].tolist(), train.labels[shown].tolist(), strict=True)
    ]
    return events.Boundary(
        epoch=epoch,
        step=step,
        left=left,
        right=right,
        bottom=bottom,
        top=top,
        rows=[answers[row * COLUMNS : (row + 1) * COLUMNS] for row in range(ROWS)],
        points=points,
    )
