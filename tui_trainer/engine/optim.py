"""Optimizers as PyTorch ships them, in their fastest form for the device."""

from collections.abc import Iterable

import torch
from torch.optim import SGD, Adadelta, Adam, Optimizer

from tui_trainer import config as settings
from tui_trainer.config import RunConfig


def build(config: RunConfig, parameters: Iterable[torch.nn.Parameter], device: torch.device) -> Optimizer:
    """The config's optimizer; `weight_decay` adds λ·w to every gradient, biases included, as PyTorch does."""
    chosen = config.optimizer
    decay = config.regularization.weight_decay
    fused = device.type in ("cpu", "cuda")  # one kernel for all parameters
    match chosen:
        case settings.Sgd():
            return SGD(parameters, lr=chosen.learning_rate, momentum=chosen.momentum, weight_decay=decay, fused=fused)
        case settings.Adam():
            first, second = chosen.betas
            return Adam(
                parameters,
                lr=chosen.learning_rate,
                betas=(first, second),
                eps=chosen.eps,
                weight_decay=decay,
                fused=fused,
            )
        case settings.Adadelta():  # PyTorch has no fused Adadelta
            return Adadelta(
                parameters,
                lr=chosen.learning_rate,
                rho=chosen.rho,
                eps=chosen.eps,
                weight_decay=decay,
                foreach=True,
            )
