"""The network: an `nn.Sequential` of linear layers and activations, initialised from the seed alone."""

import math
from itertools import pairwise

import torch
from torch import nn

from tui_trainer.config import RunConfig
from tui_trainer.engine.device import generator

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


def build(config: RunConfig) -> nn.Sequential:
    """Linear, activation, (dropout), …, linear: logits of shape [batch, classes]. On the CPU, weights drawn."""
    network = config.network
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(config.layer_sizes):
        if layers:
            layers.append(ACTIVATIONS[network.activation]())
            if network.dropout:
                layers.append(nn.Dropout(network.dropout))
        layers.append(nn.utils.skip_init(nn.Linear, inputs, outputs))
    model = nn.Sequential(*layers)
    _initialise(model, network.init, generator(config.training.seed, "weights"))
    return model


@torch.no_grad()
def _initialise(model: nn.Sequential, init: str, draw: torch.Generator) -> None:
    """Weights [outputs, inputs] by the named rule; biases 0, except PyTorch's own rule, U(±1/√inputs) for both."""
    for layer in model:
        if not isinstance(layer, nn.Linear):
            continue
        nn.init.zeros_(layer.bias)
        match init:
            case "he_normal":  # He et al. 2015: N(0, 2/inputs)
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=draw)
            case "xavier_normal":  # Glorot & Bengio 2010: N(0, 2/(inputs + outputs))
                nn.init.xavier_normal_(layer.weight, generator=draw)
            case "xavier_uniform":  # the same variance, U(±√(6/(inputs + outputs)))
                nn.init.xavier_uniform_(layer.weight, generator=draw)
            case "lecun_normal":  # LeCun et al. 1998: N(0, 1/inputs)
                nn.init.normal_(layer.weight, std=1 / math.sqrt(layer.in_features), generator=draw)
            case "pytorch":
                bound = 1 / math.sqrt(layer.in_features)
                nn.init.uniform_(layer.weight, -bound, bound, generator=draw)
                nn.init.uniform_(layer.bias, -bound, bound, generator=draw)
