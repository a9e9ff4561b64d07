"""What every unit of a network with two inputs computes all over the plane."""

from collections.abc import Iterator

import torch
from torch import nn

from tui_trainer.engine.boundary import Extent
from tui_trainer.engine.data import Examples
from tui_trainer.engine.evaluate import evaluating
from tui_trainer.engine.model import Mlp
from tui_trainer.runs import events
from tui_trainer.runs.maps import (
    LEVELS,
    MOST_CLASSES,
    MOST_HIDDEN,
    MOST_LAYERS,
    MOST_WEIGHTS,
    SIDE,
    ZERO,
    Layer,
    Unit,
)

_CHARACTERS = bytes.maketrans(bytes(range(len(LEVELS))), LEVELS.encode())


@torch.inference_mode()
def draw(model: Mlp, train: Examples, epoch: int, step: int) -> events.Neurons:
    """The units of each layer, the inputs first, the classes with their probabilities last; dropout off.

    Of a deep or a wide network as much as `runs.maps` allows.
    """
    extent = Extent.of(train.images)
    grid = extent.grid(SIDE, SIDE, train.images.device)
    with evaluating(model):
        inputs, *hidden, outputs = answers(model, grid)
    hidden = hidden[: MOST_LAYERS - 2]
    most = MOST_HIDDEN // max(len(hidden), 1)
    layers = [_layer(*inputs, 2), *(_layer(*layer, most) for layer in hidden), _layer(*outputs, MOST_CLASSES)]
    return events.Neurons(epoch=epoch, step=step, **vars(extent), layers=layers)


def answers(model: Mlp, x: torch.Tensor) -> Iterator[tuple[torch.Tensor, nn.Linear | None]]:
    """Layer by layer, what its units answer [places, units], and the linear layer that feeds them."""
    linear: nn.Linear | None = None
    yield x, None
    for index, module in enumerate(model):
        x = module(x)
        linear = module if isinstance(module, nn.Linear) else linear
        if index in model.activations:
            yield x, linear
    yield x.softmax(1), linear


def _layer(answered: torch.Tensor, linear: nn.Linear | None, most: int) -> Layer:
    values = answered[:, :most].float().nan_to_num()
    low, high = values.amin(0), values.amax(0)
    greatest = torch.maximum(-low, high)
    shares = values / greatest.where(greatest > 0, 1)
    levels = (shares * ZERO).round().add(ZERO).to(torch.uint8)
    pictures = levels.t().contiguous().cpu().numpy()
    units = [
        Unit(picture.tobytes().translate(_CHARACTERS).decode(), _short(lowest), _short(highest))
        for picture, lowest, highest in zip(pictures, low.tolist(), high.tolist(), strict=True)
    ]
    if linear is not None and linear.out_features == answered.shape[1]:  # else each is the largest of several pieces
        _describe(units, linear)
    return Layer(answered.shape[1], units)


def _describe(units: list[Unit], linear: nn.Linear) -> None:
    """Give the units their biases and strongest weights."""
    weights = linear.weight[: len(units)].float().nan_to_num()
    strongest = weights.abs().topk(min(MOST_WEIGHTS, weights.shape[1])).indices
    chosen = weights.gather(1, strongest)
    for unit, sources, values in zip(units, strongest.tolist(), chosen.tolist(), strict=True):
        unit.weights = [(source, _short(value)) for source, value in zip(sources, values, strict=True)]
    if linear.bias is not None:
        for unit, bias in zip(units, linear.bias.float().nan_to_num().tolist(), strict=False):
            unit.bias = _short(bias)


def _short(value: float) -> float:
    """Four digits say enough, in a third of the bytes."""
    return float(f"{value:.4g}")
