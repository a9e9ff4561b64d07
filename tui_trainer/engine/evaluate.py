"""Loss and accuracy of fixed weights on a whole split."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import torch
from torch import nn
from torch.nn import functional

from tui_trainer.engine.data import Examples
from tui_trainer.engine.products import product

BATCH, GPU_BATCH = 2048, 16_384  # large enough for full speed, small enough for caches and any memory


def batch_size(device: torch.device) -> int:
    return BATCH if device.type == "cpu" else GPU_BATCH


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode inside; afterwards every module as it was, since frozen layers stay in evaluation mode."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@torch.inference_mode()
def evaluate(
    model: nn.Module,
    examples: Examples,
    progress: Callable[[int, int], None] | None = None,
    answers: list[torch.Tensor] | None = None,
) -> tuple[float, float]:
    """Mean cross-entropy and accuracy in [0, 1], dropout off. One host sync, at the end.

    `progress` is told the examples done, and of how many; `answers` takes the classes answered, batch by batch.
    """
    loss = torch.zeros((), dtype=sum_type(examples.images.device), device=examples.images.device)
    correct = torch.zeros((), dtype=torch.int64, device=examples.images.device)
    size = batch_size(examples.images.device)
    done = 0
    with evaluating(model):
        for images, labels in zip(examples.images.split(size), examples.labels.split(size), strict=True):
            logits = forward(model, images)
            loss += functional.cross_entropy(logits, labels, reduction="sum")
            answered = logits.argmax(1)
            correct += (answered == labels).sum()
            if answers is not None:
                answers.append(answered)
            done += len(labels)
            if progress:
                progress(done, len(examples))
    return loss.item() / len(examples), correct.item() / len(examples)


def confusion(labels: torch.Tensor, answers: torch.Tensor, classes: int) -> torch.Tensor:
    """How many examples of each class [classes, …] were answered as each class […, classes]."""
    return torch.bincount(labels * classes + answers, minlength=classes**2).reshape(classes, classes)


def forward(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """`model(images)` in evaluation mode, [batch, classes].

    On a CPU a network of layers goes through oneDNN, which takes the bias and a ReLU along.
    """
    if not (isinstance(model, nn.Sequential) and images.device.type == "cpu"):
        return cast(torch.Tensor, model(images))
    layers = list(model)
    x, relu_done = images, False
    for layer, following in zip(layers, [*layers[1:], None], strict=True):
        if isinstance(layer, nn.Linear):
            relu_done = isinstance(following, nn.ReLU)
            x = product(x, layer.weight, layer.bias, relu_done)
        elif relu_done:
            relu_done = False
        else:
            x = layer(x)
    return x


def sum_type(device: torch.device) -> torch.dtype:
    """The widest float the device adds in (MPS has no float64)."""
    return torch.float32 if device.type == "mps" else torch.float64
