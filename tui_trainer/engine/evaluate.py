"""Loss and accuracy of fixed weights on a whole split."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn import functional

from tui_trainer.engine.data import Examples

BATCH = 4096  # large enough for full speed, small enough for any memory


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
def evaluate(model: nn.Module, examples: Examples) -> tuple[float, float]:
    """Mean cross-entropy and accuracy in [0, 1], dropout off. One host sync, at the end."""
    loss = torch.zeros((), dtype=sum_type(examples.images.device), device=examples.images.device)
    correct = torch.zeros((), dtype=torch.int64, device=examples.images.device)
    with evaluating(model):
        for images, labels in zip(examples.images.split(BATCH), examples.labels.split(BATCH), strict=True):
            logits = model(images)
            loss += functional.cross_entropy(logits, labels, reduction="sum")
            correct += (logits.argmax(1) == labels).sum()
    return loss.item() / len(examples), correct.item() / len(examples)


def sum_type(device: torch.device) -> torch.dtype:
    """The widest float the device adds in (MPS has no float64)."""
    return torch.float32 if device.type == "mps" else torch.float64
