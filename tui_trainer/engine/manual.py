"""The manual step path: forward and backward written out for plain networks, in PyTorch's own operations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import get_total_norm

from tui_trainer.config import RunConfig, groups
from tui_trainer.engine.model import Mlp
from tui_trainer.engine.optim import Optimizers
from tui_trainer.engine.products import product
from tui_trainer.engine.step import AutogradStep, Rates

UPDATE_WORK = 16_000_000  # multiplications; a smaller product is added to the weight as it is made


def is_plain(config: RunConfig) -> bool:
    """Can a hand-written backward train this network? Linear layers, and activations whose slope their output tells."""
    network = config.network
    known = network.activation in ("identity", "relu", "leaky_relu", "elu", "tanh", "sigmoid")
    return known and not (network.batch_norm and network.hidden_sizes) and config.training.precision in ("auto", "fp32")


Descent = tuple[tuple[float, float], tuple[float, float]]
"""Of a weight and of a bias: what is kept of it, and the rate of its gradient."""


class Gradient(NamedTuple):
    """Of a layer's weight, as the two factors of a product."""

    layer: int
    slope: torch.Tensor  # [n, outputs], of the loss by the layer's sums
    below: torch.Tensor  # [n, inputs], what the layer was given


class ManualStep(AutogradStep):
    """No graph, no gradient of the inputs; plain SGD goes from the product straight into the weight."""

    name = "manual"

    def __init__(
        self, model: Mlp, optimizers: Optimizers, images: torch.Tensor, labels: torch.Tensor, precision: str
    ) -> None:
        super().__init__(model, optimizers, images, labels, precision)
        self.linears = [module for module in model if isinstance(module, nn.Linear)]
        self.tensors = [(linear.weight, linear.bias) for linear in self.linears]  # looking them up takes time
        classes = self.linears[-1].out_features
        self.wanted = torch.empty(classes, classes, device=images.device)  # of each class, the shares it should get

    def configure(self, config: RunConfig) -> None:
        super().configure(config)
        self.activation, self.slope = config.network.activation, config.network.leaky_slope
        limits, smooth = config.regularization, config.regularization.label_smoothing
        self.drops = bool(config.network.input_dropout or any(config.layer_dropout))
        self.no_masks: list[torch.Tensor | None] = [None] * len(self.linears)
        self.ones = torch.ones(self.step_size)
        self.wanted.copy_(torch.eye(len(self.wanted)) * (1 - smooth) + smooth / len(self.wanted))
        in_loss = config.decay_mode == "loss" and limits.weight_decay > 0
        self.limited = bool(limits.clip_norm or limits.clip_value or limits.max_norm or in_loss)
        plain = isinstance(config.optimizer, groups.Sgd) and not config.optimizer.momentum
        self.updates_itself = plain and not self.limited

    def run(self, order: torch.Tensor, factors: Sequence[float]) -> None:
        self.train(order, [self.optimizers.rates(factor) for factor in factors])

    @torch.no_grad()
    def train(self, order: torch.Tensor, rates: Sequence[Rates]) -> None:
        """A step for each of `rates`."""
        labels = self.labels[order]
        wanted, log_shares = self.wanted[labels], []
        descents: list[Descent] = []
        before: Rates = ()
        for (x, _), pull, now in zip(self.batches(order), self._pulls(wanted), rates, strict=True):
            outputs, masks = self._forward(x)
            log_shares.append(torch.log_softmax(outputs.pop(), 1))
            slope = torch._log_softmax_backward_data(pull, log_shares[-1], 1, pull.dtype)
            if self.updates_itself and now != before:
                descents, before = self._descents(cast(Sequence[float], now)), now
            self.last_gradients = []
            for gradient in self._backward(slope, outputs, masks):
                self.last_gradients.append(gradient)
                if self.updates_itself:
                    self._descend(gradient, descents[gradient.layer])
            if not self.updates_itself:
                self._leave_gradients()
                self.update(now)
        log_shares_of_all = torch.cat(log_shares)
        self.add_losses((wanted * log_shares_of_all).sum(1, dtype=self.loss.dtype).neg_())
        self.correct.add_((log_shares_of_all.argmax(1) == labels).sum())

    def _pulls(self, wanted: torch.Tensor) -> list[torch.Tensor]:
        """Of each batch, the derivative of its mean loss by the logarithms of its shares [n, classes]."""
        size, rest = self.step_size, len(wanted) % self.step_size
        pulls = [*(wanted / -size).split(size)]
        if rest:
            pulls[-1] = wanted[-rest:] / -rest
        return pulls

    def _descents(self, rates: Sequence[float]) -> list[Descent]:
        """Of each layer's weight and bias, what plain SGD makes of them."""
        shares = self.optimizers.shares(rates)
        return [(shares[weight], shares[weight if bias is None else bias]) for weight, bias in self.tensors]

    def add_losses(self, losses: torch.Tensor) -> None:
        """One after another, so that where chunks end changes no bit of their sum."""
        self.loss.copy_(torch.cat((self.loss.view(1), losses)).cumsum(0)[-1])

    def dropout(self, count: int) -> tuple[torch.Tensor | None, list[torch.Tensor | None]]:
        """Factors [count, width] on the inputs and on each layer's outputs, drawn as the model draws them."""
        if not self.drops:
            return None, self.no_masks
        shapes = [self.linears[0].in_features, *(linear.out_features for linear in self.linears[:-1])]
        rates = [self.model.input_dropout, *self.model.dropout]

        def draw(size: int, width: int, rate: float) -> torch.Tensor | None:
            return functional.dropout(torch.ones(size, width, device=self.images.device), rate) if rate else None

        sizes = [min(self.batch_size, count - begin) for begin in range(0, count, self.batch_size)]
        drawn = [[draw(size, *layer) for layer in zip(shapes, rates, strict=True)] for size in sizes]
        inputs, *hidden = [None if parts[0] is None else torch.cat(parts) for parts in zip(*drawn, strict=True)]
        return inputs, [*hidden, None]

    def _forward(self, x: torch.Tensor) -> tuple[list[torch.Tensor], list[torch.Tensor | None]]:
        """The input and each layer's outputs after activation and dropout; dropout's factors."""
        seen, masks = self.dropout(x.shape[0])
        outputs = [x if seen is None else x * seen]
        last = len(self.tensors) - 1
        for index, ((weight, bias), mask) in enumerate(zip(self.tensors, masks, strict=True)):
            y = product(outputs[-1], weight, bias, relu=index < last and self.activation == "relu")
            if index < last:
                self._activate(y)
            outputs.append(y if mask is None else y.mul_(mask))
        return outputs, masks

    def _activate(self, y: torch.Tensor) -> None:
        match self.activation:
            case "leaky_relu":
                functional.leaky_relu_(y, self.slope)
            case "elu":
                functional.elu_(y)
            case "tanh":
                y.tanh_()
            case "sigmoid":
                y.sigmoid_()

    def _backward(
        self, slope: torch.Tensor, outputs: list[torch.Tensor], masks: list[torch.Tensor | None]
    ) -> Iterator[Gradient]:
        """Of each trained layer, the last first. Once one is yielded, its weight is needed no more and may change."""
        for index in range(len(self.tensors) - 1, -1, -1):
            weight, below, own = self.tensors[index][0], outputs[index], slope
            if not weight.requires_grad:
                break  # layers are frozen from the first on
            if index and self.tensors[index - 1][0].requires_grad:
                slope = product(own, weight.t())
                self._derive(slope, below, masks[index - 1], self.model.dropout[index - 1])
            yield Gradient(index, own, below)

    def _derive(self, slope: torch.Tensor, y: torch.Tensor, mask: torch.Tensor | None, rate: float) -> None:
        """Gradient by outputs → by sums, in place. Every derivative is a function of the output."""
        if mask is not None:
            slope.mul_(mask)
            y = y * (1 - rate)
        match self.activation:
            case "relu":
                torch.ops.aten.threshold_backward.grad_input(slope, y, 0, grad_input=slope)
            case "leaky_relu":
                slope.mul_(torch.where(y > 0, 1.0, self.slope))
            case "elu":
                slope.mul_(torch.where(y > 0, 1.0, y + 1))
            case "tanh":
                slope.mul_(1 - y * y)
            case "sigmoid":
                slope.mul_(y * (1 - y))

    def _descend(self, gradient: Gradient, descent: Descent) -> None:
        """Plain SGD, the product added to the weight as it is made."""
        layer, slope, below = gradient
        (weight, bias), across = self.tensors[layer], slope.t()
        (kept, rate), (bias_kept, bias_rate) = descent
        if slope.numel() * below.shape[1] < UPDATE_WORK:
            weight.addmm_(across, below, beta=kept, alpha=-rate)
        else:
            if kept != 1:
                weight.mul_(kept)
            weight.sub_(product(across, below.t()), alpha=rate)
        if bias is not None:
            bias.addmv_(across, self.ones[: slope.shape[0]], beta=bias_kept, alpha=-bias_rate)

    def _leave_gradients(self) -> None:
        self.optimizers.zero_grad()
        for index, slope, below in self.last_gradients:
            weight, bias = self.tensors[index]
            weight.grad = product(slope.t(), below.t())
            if bias is not None:
                bias.grad = slope.sum(0)

    def gradient_norm(self) -> torch.Tensor:
        if not self.updates_itself:
            return super().gradient_norm()
        parts = [slope.t() @ below for _, slope, below in self.last_gradients]
        parts += [slope.sum(0) for layer, slope, _ in self.last_gradients if self.tensors[layer][1] is not None]
        return get_total_norm(parts)
