"""The inner loop: optimizer steps over a chunk of batches, with sums kept on the device.

One interface, `Step`; the loop in `train.py` does not know which path runs behind it.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple, Protocol

import torch
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_, clip_grad_value_, get_total_norm

from tui_trainer.config import RunConfig
from tui_trainer.engine.evaluate import sum_type
from tui_trainer.engine.model import Mlp, is_weight
from tui_trainer.engine.optim import Optimizers

CACHE_LINE = 64  # bytes
GATHERED = (1 << 20, 1 << 26)  # bytes at once: on a processor what its cache holds, on a GPU so that calls are few
Rates = Sequence[float] | Sequence[torch.Tensor]
"""The learning rate of each parameter group for one step."""


class Sums(NamedTuple):
    """Sums over the epoch so far: loss · examples, correctly classified examples. Chunks do not change them."""

    loss: float
    correct: int


class Step(Protocol):
    name: str
    images: torch.Tensor
    labels: torch.Tensor

    def run(self, order: torch.Tensor, factors: Sequence[float]) -> None:
        """One optimizer step for each of `factors`, over consecutive batches of `order`, training examples [n].

        A factor multiplies every learning rate. Never waits for the device.
        """

    def read(self) -> tuple[Sums, float]:
        """The epoch's sums and the norm of the last gradient. The one host sync of a chunk."""

    def restart(self, sums: Sums) -> None:
        """Set the sums: to zero at the start of an epoch, to a checkpoint's on resume."""

    def configure(self, config: RunConfig) -> None:
        """Take the settings of this path from the config: at the start and after a live change."""


class AutogradStep:
    """Forward, autograd's backward, the optimizer: the path that is always right, and the reference for any other."""

    name = "autograd"

    def __init__(
        self, model: Mlp, optimizers: Optimizers, images: torch.Tensor, labels: torch.Tensor, precision: str
    ) -> None:
        self.model = model
        self.optimizers = optimizers
        self.images = images
        self.labels = labels
        self.precision = precision
        self.scaler = torch.amp.GradScaler(images.device.type) if precision == "fp16" else None
        self.parameters = list(model.parameters())
        self.weights = [p for name, p in model.named_parameters() if is_weight(name, p)]
        device = images.device
        self.loss = torch.zeros((), dtype=sum_type(device), device=device)
        self.correct = torch.zeros((), dtype=torch.int64, device=device)
        self.unclipped: torch.Tensor | None = None

    def configure(self, config: RunConfig) -> None:
        self.regularization = config.regularization
        self.batch_size = config.training.batch_size
        self.step_size = config.training.batch_size * config.training.accumulate

    def batches(self, order: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Images and labels of each step, at the start of a cache line; gathered for as many steps as a cache holds.

        The bits of some CPU kernels depend on where their numbers lie; where a chunk begins must not reach them.
        """
        step_bytes = 4 * self.step_size * self.images.shape[1]
        whole_lines = 4 * self.batch_size * self.images.shape[1] % CACHE_LINE == 0
        at_once = max(1, GATHERED[self.images.device.type != "cpu"] // step_bytes) if whole_lines else 1
        for part in order.split(at_once * self.step_size):
            images, labels = self.images.index_select(0, part), self.labels[part]  # rows whole: three times as fast
            yield from zip(images.split(self.step_size), labels.split(self.step_size), strict=True)

    def run(self, order: torch.Tensor, factors: Sequence[float]) -> None:
        for (images, labels), factor in zip(self.batches(order), factors, strict=True):
            self.step(images, labels, self.optimizers.rates(factor))

    def step(self, images: torch.Tensor, labels: torch.Tensor, rates: Rates) -> None:
        """One update, of one batch or of several whose gradients are added up."""
        self.optimizers.zero_grad()
        for batch, targets in zip(images.split(self.batch_size), labels.split(self.batch_size), strict=True):
            self.add_gradient(batch, targets, len(targets) / len(labels))
        self.update(rates)

    def add_gradient(self, batch: torch.Tensor, targets: torch.Tensor, share: float) -> None:
        """Forward and backward of one batch, which is `share` of its update."""
        with self._autocast():
            logits = self.model(batch)
            loss = functional.cross_entropy(logits, targets, label_smoothing=self.regularization.label_smoothing)
        objective = loss if share == 1 else loss * share
        (self.scaler.scale(objective) if self.scaler else objective).backward()
        self.loss.add_(loss.detach(), alpha=len(targets))
        self.correct.add_((logits.detach().argmax(1) == targets).sum())

    def update(self, rates: Rates) -> None:
        """Weight decay that is part of the loss, clip, step, restrict: in this order, as the lab's loops do."""
        limits = self.regularization
        skip = self._unscale(self.scaler) if self.scaler else None
        self.optimizers.add_penalty()
        if limits.clip_value:
            clip_grad_value_(self.parameters, limits.clip_value)
        if limits.clip_norm:
            self.unclipped = clip_grad_norm_(self.parameters, limits.clip_norm)
        self.optimizers.step(rates, skip)
        if self.scaler:
            self.scaler.update()
        if limits.max_norm:
            with torch.no_grad():
                for weight in self.weights:
                    if weight.requires_grad:
                        short = torch.renorm(weight, 2, 0, limits.max_norm)
                        weight.copy_(short if skip is None else torch.where(skip != 0, weight, short))

    def _unscale(self, scaler: torch.amp.GradScaler) -> torch.Tensor:
        """Gradients as they would be without scaling; the number returned is not 0 where one of them overflowed."""
        for member in self.optimizers.members:
            scaler.unscale_(member)
        # `scaler.step` would wait for this number
        found = [scaler._found_inf_per_device(member).values() for member in self.optimizers.members]
        return torch.stack([number for numbers in found for number in numbers]).amax()

    def _autocast(self) -> AbstractContextManager[object]:
        reduced = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(self.precision)
        return torch.autocast(self.images.device.type, reduced) if reduced else nullcontext()

    def read(self) -> tuple[Sums, float]:
        loss, correct, gradient_norm = torch.stack(
            [self.loss, self.correct.to(self.loss.dtype), self.gradient_norm().to(self.loss.dtype)]
        ).tolist()
        return Sums(loss, int(correct)), gradient_norm

    def gradient_norm(self) -> torch.Tensor:
        """Of the last step, before clipping."""
        norm = self.unclipped if self.regularization.clip_norm else None
        return norm if norm is not None else get_total_norm([p.grad for p in self.parameters if p.grad is not None])

    def restart(self, sums: Sums) -> None:
        self.loss.fill_(sums.loss)
        self.correct.fill_(sums.correct)
