"""The network: linear layers and activations in order, initialised from the seed alone."""

import math
from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from tui_trainer.config import RunConfig
from tui_trainer.config.groups import Network
from tui_trainer.engine.products import Linear
from tui_trainer.engine.seeds import generator


class Maxout(nn.Module):
    """The largest of neighbouring values: [batch, units · pieces] → [batch, units] (Goodfellow et al. 2013)."""

    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.view(len(x), -1, self.pieces).amax(-1)


class Mlp(nn.Sequential):
    """Linear, (batch norm), activation, …, linear: images [batch, inputs] → logits [batch, classes].

    Dropout is no module of its own, so that it can change while a run goes on and never shifts the keys of
    `state_dict`: 0.weight, 0.bias, 2.weight, … without batch norm.
    """

    def __init__(
        self, *layers: nn.Module, activations: frozenset[int], input_dropout: float, dropout: tuple[float, ...]
    ):
        super().__init__(*layers)
        self.activations = activations
        self.input_dropout = input_dropout
        self.dropout = dropout

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training and self.input_dropout:
            x = functional.dropout(x, self.input_dropout)
        rates = iter(self.dropout)
        for index, layer in enumerate(self):
            x = layer(x)
            if index in self.activations:
                rate = next(rates)
                if self.training and rate:
                    x = functional.dropout(x, rate)
        return x

    def layers(self) -> list[list[nn.Module]]:
        """The modules with weights, layer by layer: a linear one and its normalisation."""
        found: list[list[nn.Module]] = []
        for module in self:
            if isinstance(module, nn.Linear):
                found.append([module])
            elif isinstance(module, nn.BatchNorm1d):
                found[-1].append(module)
        return found

    def freeze(self, count: int) -> None:
        """Keep the first `count` layers as they are, running statistics included; train the others."""
        for index, modules in enumerate(self.layers()):
            for module in modules:
                module.train(self.training and index >= count)
                for parameter in module.parameters():
                    parameter.requires_grad_(index >= count)
                    if index < count:
                        parameter.grad = None


def build(config: RunConfig) -> Mlp:
    """The config's network on the CPU, weights drawn."""
    network = config.network
    layers: list[nn.Module] = []
    activations: set[int] = set()
    sizes = config.layer_sizes
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        hidden = index < len(sizes) - 2
        width = outputs * network.pieces if hidden else outputs
        layers.append(nn.utils.skip_init(Linear, inputs, width, bias=network.bias))
        if hidden:
            if network.batch_norm:
                layers.append(nn.BatchNorm1d(width))
            activations.add(len(layers))
            layers.append(activation(network))
    model = Mlp(
        *layers,
        activations=frozenset(activations),
        input_dropout=network.input_dropout,
        dropout=config.layer_dropout,
    )
    draw = generator(config.training.seed, "weights")
    for module in model:
        if isinstance(module, nn.Linear):
            initialise(module, network, draw)
    return model


def activation(network: Network) -> nn.Module:
    modules: dict[str, nn.Module] = {
        "relu": nn.ReLU(),
        "leaky_relu": nn.LeakyReLU(network.leaky_slope),
        "elu": nn.ELU(),
        "tanh": nn.Tanh(),
        "sigmoid": nn.Sigmoid(),
        "silu": nn.SiLU(),
        "gelu": nn.GELU(),
        "maxout": Maxout(network.maxout_pieces),
        "identity": nn.Identity(),
    }
    return modules[network.activation]


def gain(network: Network) -> float:
    """The factor on the initial weights' standard deviation, before the rule's own 1/√fan."""
    name, slope = network.activation, network.leaky_slope
    if network.init_gain == "activation":
        known = {"relu": "relu", "tanh": "tanh", "sigmoid": "sigmoid", "leaky_relu": "leaky_relu"}
        # PyTorch recommends none for the others: the smooth ReLUs take ReLU's, the rest are linear near 0
        stand_in = {"elu": "relu", "silu": "relu", "gelu": "relu"}.get(name, "linear")
        return float(nn.init.calculate_gain(known.get(name, stand_in), slope if name == "leaky_relu" else None))  # type: ignore[arg-type]
    if network.init.startswith("he_"):
        return math.sqrt(2 / (1 + slope**2)) if name == "leaky_relu" else math.sqrt(2)
    return 1.0


@torch.no_grad()
def initialise(layer: nn.Linear, network: Network, draw: torch.Generator) -> None:
    """Weights [outputs, inputs] by the chosen rule; biases 0, except PyTorch's own rule, U(±1/√inputs) for both."""
    fan_in, weight, scale = layer.in_features, layer.weight, gain(network)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    match network.init:
        case "he_normal" | "lecun_normal":  # He et al. 2015: N(0, 2/inputs); LeCun et al. 1998: N(0, 1/inputs)
            nn.init.normal_(weight, std=scale / math.sqrt(fan_in), generator=draw)
        case "he_uniform":  # the same variance
            bound = scale * math.sqrt(3 / fan_in)
            nn.init.uniform_(weight, -bound, bound, generator=draw)
        case "xavier_normal":  # Glorot & Bengio 2010: N(0, 2/(inputs + outputs))
            nn.init.xavier_normal_(weight, gain=scale, generator=draw)
        case "xavier_uniform":
            nn.init.xavier_uniform_(weight, gain=scale, generator=draw)
        case "orthogonal":  # Saxe et al. 2014
            nn.init.orthogonal_(weight, gain=scale, generator=draw)
        case "zeros":
            nn.init.zeros_(weight)
        case "pytorch":
            bound = 1 / math.sqrt(fan_in)
            for parameter in (weight, layer.bias) if layer.bias is not None else (weight,):
                nn.init.uniform_(parameter, -bound, bound, generator=draw)


def is_weight(name: str, parameter: torch.Tensor) -> bool:
    """A matrix, not a bias or a normalisation."""
    return name.endswith("weight") and parameter.ndim == 2


def decayed(model: Mlp, on: str) -> Iterator[nn.Parameter]:
    """The parameters that weight decay acts on."""
    return (p for name, p in model.named_parameters() if on == "all" or is_weight(name, p))
