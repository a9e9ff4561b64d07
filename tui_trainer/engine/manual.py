"""The manual step path: forward and backward written out for plain networks on the CPU, in PyTorch's own operations."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import get_total_norm

from tui_trainer.config import RunConfig, groups
from tui_trainer.engine.model import Mlp
from tui_trainer.engine.optim import Optimizers, Terms
from tui_trainer.engine.products import onednn_is_faster, product
from tui_trainer.engine.step import AutogradStep


def is_plain(config: RunConfig) -> bool:
    """Can a hand-written backward train this network? Linear layers, and activations whose slope their output tells."""
    network = config.network
    known = network.activation in ("identity", "relu", "leaky_relu", "elu", "tanh", "sigmoid")
    return known and not (network.batch_norm and network.hidden_sizes) and config.training.precision in ("auto", "fp32")


class ManualStep(AutogradStep):
    """No graph, no gradient of the inputs; plain SGD goes from the product straight into the weight."""

    name = "manual"

    def __init__(
        self, model: Mlp, optimizers: Optimizers, images: torch.Tensor, labels: torch.Tensor, precision: str
    ) -> None:
        super().__init__(model, optimizers, images, labels, precision)
        self.linears = [module for module in model if isinstance(module, nn.Linear)]

    def configure(self, config: RunConfig) -> None:
        super().configure(config)
        self.activation, self.slope = config.network.activation, config.network.leaky_slope
        limits, classes = config.regularization, self.linears[-1].out_features
        smooth = limits.label_smoothing
        self.wanted = torch.eye(classes) * (1 - smooth) + smooth / classes
        in_loss = config.decay_mode == "loss" and limits.weight_decay > 0
        self.limited = bool(limits.clip_norm or limits.clip_value or limits.max_norm or in_loss)
        plain = isinstance(config.optimizer, groups.Sgd) and not config.optimizer.momentum
        self.updates_itself = plain and not self.limited

    @torch.no_grad()
    def run(self, order: torch.Tensor, factors: Sequence[float]) -> None:
        terms = self.optimizers.terms()
        losses, hits = [], []
        for (x, labels), factor in zip(self.batches(order), factors, strict=True):
            outputs, masks = self._forward(x)
            target, log_share = self.wanted[labels], torch.log_softmax(outputs[-1], 1)
            losses.append((target * log_share).sum(dtype=self.loss.dtype).neg_())
            hits.append(log_share.argmax(1) == labels)
            self.slopes = self._backward(log_share.exp_().sub_(target).mul_(1 / len(x)), outputs, masks)
            if self.updates_itself:
                self._descend(terms, factor)
            else:
                self._leave_gradients()
                self.update(self.optimizers.rates(factor))
        # one after another, so that where chunks end changes no bit of the sum
        self.loss.copy_(torch.stack([self.loss, *losses]).cumsum(0)[-1])
        self.correct.add_(torch.cat(hits).sum())

    def dropout(self, count: int) -> tuple[torch.Tensor | None, list[torch.Tensor | None]]:
        """Factors [count, width] on the inputs and on each layer's outputs, drawn as the model draws them."""
        shapes = [self.linears[0].in_features, *(linear.out_features for linear in self.linears[:-1])]
        rates = [self.model.input_dropout, *self.model.dropout]
        if not any(rates):
            return None, [None] * len(self.linears)

        def draw(size: int, width: int, rate: float) -> torch.Tensor | None:
            return functional.dropout(torch.ones(size, width), rate) if rate else None

        sizes = [min(self.batch_size, count - begin) for begin in range(0, count, self.batch_size)]
        drawn = [[draw(size, *layer) for layer in zip(shapes, rates, strict=True)] for size in sizes]
        inputs, *hidden = [None if parts[0] is None else torch.cat(parts) for parts in zip(*drawn, strict=True)]
        return inputs, [*hidden, None]

    def _forward(self, x: torch.Tensor) -> tuple[list[torch.Tensor], list[torch.Tensor | None]]:
        """The input and each layer's outputs after activation and dropout; dropout's factors."""
        seen, masks = self.dropout(len(x))
        outputs = [x if seen is None else x * seen]
        for linear, mask in zip(self.linears, masks, strict=True):
            y = product(outputs[-1], linear.weight, linear.bias, onednn_is_faster(len(x)))
            if linear is not self.linears[-1]:
                self._activate(y)
            outputs.append(y if mask is None else y.mul_(mask))
        return outputs, masks

    def _activate(self, y: torch.Tensor) -> None:
        match self.activation:
            case "relu":
                y.relu_()
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
    ) -> list[tuple[nn.Linear, torch.Tensor, torch.Tensor]]:
        """For each trained layer, the last first: the gradient of its sums [n, outputs], and its inputs [n, inputs]."""
        found = []
        for index in range(len(self.linears) - 1, -1, -1):
            linear, below = self.linears[index], outputs[index]
            if not linear.weight.requires_grad:
                break  # layers are frozen from the first on
            found.append((linear, slope, below))
            if index and self.linears[index - 1].weight.requires_grad:
                slope = product(slope, linear.weight.t(), None, onednn_is_faster(len(below)))
                self._derive(slope, below, masks[index - 1], self.model.dropout[index - 1])
        return found

    def _derive(self, slope: torch.Tensor, y: torch.Tensor, mask: torch.Tensor | None, rate: float) -> None:
        """Gradient by outputs → by sums, in place. Every derivative is a function of the output."""
        if mask is not None:
            slope.mul_(mask)
            y = y * (1 - rate)
        match self.activation:
            case "relu":
                slope.mul_(y > 0)
            case "leaky_relu":
                slope.mul_(torch.where(y > 0, 1.0, self.slope))
            case "elu":
                slope.mul_(torch.where(y > 0, 1.0, y + 1))
            case "tanh":
                slope.mul_(1 - y * y)
            case "sigmoid":
                slope.mul_(y * (1 - y))

    def _descend(self, terms: dict[torch.Tensor, Terms], factor: float) -> None:
        """Plain SGD, the product added to the weight as it is made."""
        for linear, slope, below in self.slopes:
            for parameter in (linear.weight, linear.bias):
                if parameter is None:
                    continue
                rate, penalty, shrink = terms[parameter]
                rate *= factor
                kept = 1 - rate * (penalty + shrink)
                if parameter.ndim == 1:
                    gradient = slope.sum(0)
                elif onednn_is_faster(len(below)):
                    gradient = product(slope.t(), below.t(), None, True)
                else:
                    parameter.addmm_(slope.t(), below, beta=kept, alpha=-rate)
                    continue
                if kept != 1:
                    parameter.mul_(kept)
                parameter.sub_(gradient, alpha=rate)

    def _leave_gradients(self) -> None:
        self.optimizers.zero_grad()
        for linear, slope, below in self.slopes:
            linear.weight.grad = product(slope.t(), below.t(), None, onednn_is_faster(len(below)))
            if linear.bias is not None:
                linear.bias.grad = slope.sum(0)

    def gradient_norm(self) -> torch.Tensor:
        if not self.updates_itself:
            return super().gradient_norm()
        parts = [slope.t() @ below for _, slope, below in self.slopes]
        parts += [slope.sum(0) for linear, slope, _ in self.slopes if linear.bias is not None]
        return get_total_norm(parts)
