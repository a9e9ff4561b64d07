"""The inner loop: optimizer steps over a chunk of batches, with sums kept on the device.

One interface, `Step`; the loop in `train.py` does not know which path runs behind it.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple, Protocol

import torch
from torch import nn
from torch.nn import functional
from torch.optim import Optimizer

from tui_trainer.engine.data import Examples
from tui_trainer.engine.evaluate import sum_type


class Sums(NamedTuple):
    """Sums over the epoch so far: loss · examples, correctly classified examples. Chunks do not change them."""

    loss: float
    correct: int


class Step(Protocol):
    name: str

    def run(self, order: torch.Tensor) -> None:
        """One optimizer step for each batch of `order`, training examples [n]. Never waits for the device."""

    def read(self) -> tuple[Sums, float]:
        """The epoch's sums and the norm of the last gradient. The one host sync of a chunk."""

    def restart(self, sums: Sums) -> None:
        """Set the sums: to zero at the start of an epoch, to a checkpoint's on resume."""


class AutogradStep:
    """Forward, autograd's backward, the optimizer: the path that is always right, and the reference for any other."""

    name = "autograd"

    def __init__(
        self, model: nn.Module, optimizer: Optimizer, train: Examples, batch_size: int, precision: str
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.train = train
        self.batch_size = batch_size
        self.precision = precision
        self.parameters = list(model.parameters())
        device = train.images.device
        self.loss = torch.zeros((), dtype=sum_type(device), device=device)
        self.correct = torch.zeros((), dtype=torch.int64, device=device)

    def run(self, order: torch.Tensor) -> None:
        images, labels = self.train.images[order], self.train.labels[order]
        batches = zip(images.split(self.batch_size), labels.split(self.batch_size), strict=True)
        for batch, targets in batches:
            self.optimizer.zero_grad(set_to_none=True)
            with self._autocast():
                logits = self.model(batch)
                loss = functional.cross_entropy(logits, targets)
            loss.backward()
            self.optimizer.step()
            self.loss.add_(loss.detach(), alpha=len(targets))
            self.correct.add_((logits.detach().argmax(1) == targets).sum())

    def _autocast(self) -> AbstractContextManager[object]:
        if self.precision == "bf16":
            return torch.autocast(self.train.images.device.type, torch.bfloat16)
        return nullcontext()

    def read(self) -> tuple[Sums, float]:
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        loss, correct, gradient_norm = torch.stack(
            [self.loss, self.correct.to(self.loss.dtype), norm.to(self.loss.dtype)]
        ).tolist()
        return Sums(loss, int(correct)), gradient_norm

    def restart(self, sums: Sums) -> None:
        self.loss.fill_(sums.loss)
        self.correct.fill_(sums.correct)
