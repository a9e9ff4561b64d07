"""The parts of the reference, each written from its fields' definition: network, optimizers, rate, noise, data."""

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn, optim
from torch.optim import lr_scheduler as lrs

from tui_trainer import datasets
from tui_trainer.config import RunConfig
from tui_trainer.engine.seeds import generator


class MaxPieces(nn.Module):
    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], x.shape[1] // self.pieces, self.pieces).max(dim=2).values


def network(config: RunConfig) -> nn.Sequential:
    """Input dropout, then for each hidden layer linear, batch norm, activation, dropout; last a linear layer."""
    n, sizes = config.network, config.layer_sizes
    rates = n.dropout if len(n.dropout) > 1 else n.dropout * len(n.hidden_sizes)
    modules: list[nn.Module] = [nn.Dropout(n.input_dropout)]
    for (inputs, outputs), rate in zip(pairwise(sizes[:-1]), rates, strict=True):
        width = outputs * n.maxout_pieces if n.activation == "maxout" else outputs
        act: nn.Module = {
            "relu": nn.ReLU(),
            "leaky_relu": nn.LeakyReLU(n.leaky_slope),
            "elu": nn.ELU(),
            "tanh": nn.Tanh(),
            "sigmoid": nn.Sigmoid(),
            "silu": nn.SiLU(),
            "gelu": nn.GELU(),
            "maxout": MaxPieces(n.maxout_pieces),
            "identity": nn.Identity(),
        }[n.activation]
        modules += [nn.Linear(inputs, width, bias=n.bias)]
        modules += [nn.BatchNorm1d(width)] if n.batch_norm else []
        modules += [act, nn.Dropout(rate)]
    return nn.Sequential(*modules, nn.Linear(sizes[-2], sizes[-1], bias=n.bias))


def layers_of(model: nn.Sequential) -> list[list[nn.Module]]:
    """Linear layers, each with its batch norm."""
    linear: list[nn.Module] = [m for m in model if isinstance(m, nn.Linear)]
    norms: list[nn.Module] = [m for m in model if isinstance(m, nn.BatchNorm1d)]
    return [[layer, *norms[i : i + 1]] for i, layer in enumerate(linear)]


def even_mults(start: float, stop: float, n: int) -> list[float]:
    """fast.ai's: from `start` to `stop` in `n` values, each a constant factor above the one before."""
    step: float = (stop / start) ** (1 / (n - 1))
    return [start * step**i for i in range(n)]


def rates_of_layers(config: RunConfig, rate: float) -> list[float]:
    count = len(config.network.hidden_sizes) + 1
    if config.layers.rates == "slice" and count > 1:
        return even_mults(config.layers.first_rate, rate, count)
    return [rate / 3 if config.layers.rates == "slice_last" else rate] * (count - 1) + [rate]


def optimizers(config: RunConfig, layers: list[list[nn.Module]], fused: bool) -> list[optim.Optimizer]:
    """torch.optim's class of the name, a group for each parameter with its own rate and decay."""
    o: Any = config.optimizer
    last = len(layers) - 1
    matrices: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    native = o.name in ("adamw", "muon")  # their own weight decay is the decoupled one
    for index, (modules, rate) in enumerate(zip(layers, rates_of_layers(config, o.learning_rate), strict=True)):
        for parameter in (p for module in modules for p in module.parameters()):
            by_hand = config.decay_mode == "loss" or (config.decay_mode == "decoupled") != native
            decay = 0.0 if by_hand else strength(config, parameter)
            is_hidden = o.name == "muon" and index < last and parameter.ndim == 2
            full = rate * o.adam_learning_rate / o.learning_rate if o.name == "muon" and not is_hidden else rate
            group = {"params": [parameter], "lr": full, "full": full, "weight_decay": decay}
            (matrices if is_hidden else others).append(group)
    f: dict[str, Any] = {"fused": True} if fused else {"foreach": False}
    each = {"foreach": fused}
    match o.name:
        case "sgd":
            return [optim.SGD(others, momentum=o.momentum, nesterov=o.nesterov, dampening=o.dampening, **f)]
        case "adagrad":
            return [
                optim.Adagrad(
                    others, lr_decay=o.lr_decay, initial_accumulator_value=o.initial_accumulator, eps=o.eps, **f
                )
            ]
        case "rmsprop":
            return [optim.RMSprop(others, alpha=o.alpha, momentum=o.momentum, centered=o.centered, eps=o.eps, **each)]
        case "adadelta":
            return [optim.Adadelta(others, rho=o.rho, eps=o.eps, **each)]
        case "adam":
            return [optim.Adam(others, betas=o.betas, eps=o.eps, **f)]
        case "adamw":
            return [optim.AdamW(others, betas=o.betas, eps=o.eps, **f)]
        case "nadam":
            return [optim.NAdam(others, betas=o.betas, eps=o.eps, momentum_decay=o.momentum_decay, **each)]
        case "radam":
            return [optim.RAdam(others, betas=o.betas, eps=o.eps, **each)]
    muon = [optim.Muon(matrices, momentum=o.momentum, nesterov=o.nesterov)] if matrices else []
    return [*muon, optim.AdamW(others, **f)]


def strength(config: RunConfig, parameter: Tensor) -> float:
    """λ for this parameter: on all, or on the matrices only."""
    r = config.regularization
    return r.weight_decay if r.weight_decay_on == "all" or parameter.ndim == 2 else 0.0


class Rate:
    """The factor on the learning rate, by torch.optim.lr_scheduler's class of the name behind a straight warm-up."""

    def __init__(self, config: RunConfig, per_epoch: int) -> None:
        s: Any = config.schedule
        self.s, self.per_epoch, self.updates = s, per_epoch, 0
        self.dummy = optim.SGD([torch.zeros(1)], lr=1.0)
        total = self.total = config.training.steps or config.training.epochs * per_epoch
        self.warmup = 0 if s.name == "one_cycle" else round(s.warmup_epochs * per_epoch)
        left = (
            total - self.warmup if getattr(s, "per", "step") == "step" else math.ceil((total - self.warmup) / per_epoch)
        )
        o = self.dummy
        scheduler: Any = None
        match s.name:
            case "step":
                scheduler = lrs.StepLR(o, s.every_epochs, s.gamma)
            case "multi_step":
                scheduler = lrs.MultiStepLR(o, list(s.milestones), s.gamma)
            case "exponential":
                scheduler = lrs.ExponentialLR(o, s.gamma)
            case "cosine" if s.cycles == 1:
                scheduler = lrs.CosineAnnealingLR(o, left, eta_min=s.final_share)
            case "cosine":
                assert left % s.cycles == 0, "PyTorch restarts after a whole number only"
                scheduler = lrs.CosineAnnealingWarmRestarts(o, left // s.cycles, eta_min=s.final_share)
            case "one_cycle":
                scheduler = lrs.OneCycleLR(
                    o,
                    1.0,
                    total_steps=total,
                    pct_start=s.rise,
                    div_factor=s.start_divisor,
                    final_div_factor=s.final_divisor,
                    cycle_momentum=False,
                )
            case "plateau":
                mode: Any = "min" if s.metric == "val_loss" else "max"
                scheduler = lrs.ReduceLROnPlateau(o, mode, s.gamma, s.patience, s.min_delta, "abs", eps=0)
        self.scheduler = scheduler

    @property
    def factor(self) -> float:
        """For the next update."""
        if self.updates < self.warmup:
            return (self.updates + 1) / self.warmup
        if self.s.name == "cosine" and self.updates >= self.total:
            return float(self.s.final_share)  # where PyTorch would restart once more
        return float(self.dummy.param_groups[0]["lr"])

    def updated(self) -> None:
        self.dummy.step()
        self.updates += 1
        since = self.updates - self.warmup
        name, per_step = self.s.name, getattr(self.s, "per", "") == "step" or self.s.name == "one_cycle"
        if name in ("step", "multi_step"):
            due = self.updates % self.per_epoch == 0
        else:
            due = name not in ("constant", "plateau") and since > 0 and (per_step or since % self.per_epoch == 0)
        if due and not (name == "one_cycle" and self.updates >= self.scheduler.total_steps):
            self.scheduler.step()

    def validated(self, loss: float, accuracy: float) -> None:
        if self.s.name == "plateau":
            self.scheduler.step(loss if self.s.metric == "val_loss" else accuracy)


def distorted(pixels: Tensor, shape: tuple[int, int], share: float, draw: torch.Generator) -> Tensor:
    """Each image turned, scaled and shifted; every output pixel is looked up, between pixels, where it comes from."""
    (height, width), count = shape, len(pixels)
    angle, scale, across, down = (torch.rand(4, count, generator=draw) * 2 - 1).unbind()
    angle, scale = angle * share * math.pi / 2, 1 + scale * share
    y, x = torch.meshgrid(torch.arange(height) * 2 + 1.0, torch.arange(width) * 2 + 1.0, indexing="ij")
    x, y = (x / width - 1).flatten(), (y / height - 1).flatten()  # centres of pixels, the image from -1 to 1
    cosine, sine, right, below = torch.stack((scale * angle.cos(), scale * angle.sin(), across, down))[:, :, None]
    x_from = cosine * x - sine * y + 2 * share * right
    y_from = sine * x + cosine * y + 2 * share * below
    j, i = ((x_from + 1) * width - 1) / 2, ((y_from + 1) * height - 1) / 2
    out = torch.zeros(count, height * width)
    for di in (0, 1):
        for dj in (0, 1):
            row, col = i.floor() + di, j.floor() + dj
            inside = (row >= 0) & (row < height) & (col >= 0) & (col < width)
            part = (1 - (i - row).abs()) * (1 - (j - col).abs()) * inside
            out += part * pixels.gather(1, (row * width + col).clamp(0, height * width - 1).long())
    return out


def disturbed(config: RunConfig, inputs: Tensor, purpose: str, epoch: int) -> Tensor:
    draw = generator(config.training.seed, purpose, epoch)
    if config.noise.distortion:
        shape = config.dataset.image_shape
        assert shape
        inputs = distorted(inputs.cpu(), shape, config.noise.distortion, draw).to(inputs.device)
    if config.noise.input_noise:
        inputs = inputs + torch.randn(inputs.shape, generator=draw).to(inputs.device) * config.noise.input_noise
    return inputs


def prepared(config: RunConfig, root: Path, device: torch.device) -> list[tuple[Tensor, Tensor]]:
    """Train, validation and test: inputs scaled as the config says, noise that is drawn once already on them."""
    parts, noise, seed = datasets.load(config.data, root), config.noise, config.training.seed
    found = []
    train = torch.from_numpy(parts.train.images.astype("float32")) / parts.dataset.maximum
    for part, purpose in ((parts.train, ""), (parts.validation, "validation noise"), (parts.test, "test noise")):
        x = torch.from_numpy(part.images.astype("float32")) / parts.dataset.maximum
        if config.data.scaling == "standardise":
            deviation = train.std(dim=0)
            x = (x - train.mean(dim=0)) / deviation.where(deviation > 0, torch.ones(()))
        if noise.on_evaluation and purpose:
            x = disturbed(config, x, "test noise" if part is parts.test else purpose, 0)
        found.append((x.to(device), torch.from_numpy(part.labels.copy()).to(device)))
    labels = found[0][1]
    if noise.label_noise:
        draw = generator(seed, "label noise")
        wrong = torch.randperm(len(labels), generator=draw)[: round(noise.label_noise * len(labels))]
        for index, shift in zip(
            wrong, torch.randint(1, parts.dataset.classes, wrong.shape, generator=draw), strict=True
        ):
            labels[index] = (labels[index] + shift) % parts.dataset.classes
    return found
