"""PyTorch by hand: the data set as one tensor, autograd, a fused optimizer."""

from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from benchmarks.peers.laps import Laps
from benchmarks.workloads import Workload


def network(work: Workload) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(work.sizes):
        linear = nn.Linear(inputs, outputs)
        nn.init.kaiming_normal_(linear.weight)
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def optimizer(work: Workload, model: nn.Module) -> torch.optim.Optimizer:
    match work.optimizer:
        case "adam":
            return torch.optim.Adam(model.parameters(), lr=work.learning_rate, fused=True)
        case "sgd":
            return torch.optim.SGD(model.parameters(), lr=work.learning_rate, fused=True)
        case "adadelta":  # has no fused kernel
            return torch.optim.Adadelta(model.parameters(), lr=work.learning_rate, foreach=True)


def train(work: Workload, images: Any, labels: Any, laps: Laps, device: str, compiled: bool = False) -> None:
    x, y = torch.tensor(images, device=device), torch.tensor(labels, device=device)
    model = network(work).to(device)
    adapt = optimizer(work, model)

    def loss_of(batch: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(model(batch), targets)

    loss_function = torch.compile(loss_of) if compiled else loss_of
    while laps.more():
        total = torch.zeros((), device=device)
        for chosen in torch.randperm(len(x), device=device).split(work.batch):
            loss = loss_function(x[chosen], y[chosen])
            adapt.zero_grad()
            loss.backward()
            adapt.step()
            total += loss.detach()
        total.item()
