"""What a config means, in plain PyTorch as a student would write it; shares no code with the engine's arithmetic.

From the engine it takes only what a definition names: batch orders and the streams of random numbers of a seed. It is
slow and does one thing after another: forward, loss, backward, clip, step, restrict.
"""

import math
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn, optim
from torch.nn import functional

from tests.reference_parts import Rate, disturbed, layers_of, network, optimizers, prepared, strength
from tui_trainer.config import RunConfig, change
from tui_trainer.engine.data import order_of
from tui_trainer.engine.seeds import generator


@dataclass
class History:
    """Weights and buffers after each update; of each epoch train loss and accuracy, val loss and accuracy, and the
    last layer's learning rate at its end."""

    weights: list[list[Tensor]] = field(default_factory=list)
    epochs: list[tuple[float, float, float, float, float]] = field(default_factory=list)
    early_stop_epoch: int = 0


def freeze(config: RunConfig, layers: list[list[nn.Module]], epoch: int) -> None:
    thaw = config.layers.unfreeze_epoch
    count = 0 if thaw and epoch >= thaw else config.layers.frozen
    for index, modules in enumerate(layers):
        for module in modules:
            module.train(index >= count)
            for parameter in module.parameters():
                parameter.requires_grad = index >= count
                parameter.grad = None


def restrict(config: RunConfig, model: nn.Module) -> None:
    """No unit's weights longer than `max_norm`."""
    limit = config.regularization.max_norm
    for weight in model.parameters():
        if limit and weight.ndim == 2 and weight.requires_grad:
            lengths = weight.norm(dim=1, keepdim=True)
            weight.copy_(torch.where(lengths > limit, weight * (limit / lengths), weight))


def measured(model: nn.Module, inputs: Tensor, labels: Tensor) -> tuple[float, float]:
    model.eval()
    with torch.no_grad():
        out = model(inputs)
    correct = (out.argmax(dim=1) == labels).double().mean()
    return functional.cross_entropy(out.double(), labels).item(), correct.item()


def train(
    config: RunConfig,
    root: Path,
    device: torch.device,
    initial: list[Tensor],
    changes: Mapping[int, Mapping[str, Any]] | None = None,
    fused: bool = True,
) -> History:
    """The whole training from `initial` (weights and buffers in order); `changes` are made after the update of their
    number. `fused`: with the optimizer kernels that the engine uses, where PyTorch has several."""
    (inputs, labels), validation, _ = prepared(config, root, device)
    model, told = network(config).to(device), History()
    with torch.no_grad():
        for tensor, value in zip(model.state_dict().values(), initial, strict=True):
            tensor.copy_(value)
    layers = layers_of(model)
    torch.manual_seed(generator(config.training.seed, "dropout").initial_seed())
    t = config.training
    batches = max(1, len(labels) // t.batch_size) if t.drop_last else math.ceil(len(labels) / t.batch_size)
    per_epoch = math.ceil(batches / t.accumulate)
    opts, rate = optimizers(config, layers, fused), Rate(config, per_epoch)
    scaler = torch.amp.GradScaler(device.type) if t.precision == "fp16" else None
    highest, waited, epoch = -math.inf, 0, 0
    while not finished(config, told, epoch):
        epoch += 1
        images = disturbed(config, inputs, "train noise", epoch)
        model.train()
        freeze(config, layers, epoch)
        parts = list(order_of(t.seed, epoch, len(labels)).to(device).split(t.batch_size))[:batches]
        loss_sum, correct, seen = 0.0, 0, 0
        for first in range(0, batches, t.accumulate):
            group = parts[first : first + t.accumulate]
            if config.training.steps and len(told.weights) >= config.training.steps:
                break
            for part in group:
                with autocast(config, device):
                    out = model(images[part])
                    loss = functional.cross_entropy(
                        out, labels[part], label_smoothing=config.regularization.label_smoothing
                    )
                loss_sum, seen = loss_sum + loss.item() * len(part), seen + len(part)
                correct += int((out.argmax(dim=1) == labels[part]).sum())
                mean = loss * (len(part) / sum(map(len, group))) if len(group) > 1 else loss
                (scaler.scale(mean) if scaler else mean).backward()
            if config.decay_mode == "loss" and config.regularization.weight_decay:
                penalty = torch.stack([strength(config, p) * p.square().sum() for p in model.parameters()]).sum()
                (scaler.scale(penalty) if scaler else penalty).backward()
            update(config, model, opts, rate.factor, scaler)
            rate.updated()
            told.weights.append([tensor.detach().cpu().clone() for tensor in model.state_dict().values()])
            if wish := (changes or {}).get(len(told.weights)):
                config = change(config, wish)
                opts, rate = changed_optimizers(config, layers, fused, opts), Rate(config, per_epoch)
                for _ in told.weights:
                    rate.updated()
                change_dropout(config, model)
                freeze(config, layers, epoch)
        val_loss, val_accuracy = measured(model, *validation)
        rate_now = config.optimizer.learning_rate * rate.factor
        told.epochs.append((loss_sum / seen, correct / seen, val_loss, val_accuracy, rate_now))
        rate.validated(val_loss, val_accuracy)
        stop = config.early_stopping
        score = val_accuracy if stop.metric == "val_accuracy" else -val_loss
        highest, waited = (score, 0) if score > highest + stop.min_delta else (highest, waited + 1)
        if stop.mode != "off" and waited >= stop.patience and not told.early_stop_epoch:
            told.early_stop_epoch = epoch
    return told


def finished(config: RunConfig, told: History, epoch: int) -> bool:
    if config.early_stopping.mode == "stop" and told.early_stop_epoch:
        return True
    return len(told.weights) >= config.training.steps if config.training.steps else epoch >= config.training.epochs


def autocast(config: RunConfig, device: torch.device) -> Any:
    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(config.training.precision)
    return torch.autocast(device.type, dtype) if dtype else nullcontext()


def update(
    config: RunConfig, model: nn.Module, opts: list[optim.Optimizer], factor: float, scaler: torch.amp.GradScaler | None
) -> None:
    """Clip, decay what no optimizer decays, step, restrict."""
    r, parameters = config.regularization, [p for p in model.parameters() if p.requires_grad]
    native = config.optimizer.name in ("adamw", "muon")
    for opt in opts:
        if scaler:
            scaler.unscale_(opt)
    if r.clip_value:
        nn.utils.clip_grad_value_(parameters, r.clip_value)
    if r.clip_norm:
        nn.utils.clip_grad_norm_(parameters, r.clip_norm)
    with torch.no_grad():
        for group in (group for opt in opts for group in opt.param_groups):
            group["lr"] = group["full"] * factor
            for p in (p for p in group["params"] if p.grad is not None):
                if config.decay_mode == "gradient" and native:
                    p.grad.add_(p, alpha=strength(config, p))
                if config.decay_mode == "decoupled" and not native:
                    p.mul_(1 - group["lr"] * strength(config, p))
        for opt in opts:
            scaler.step(opt) if scaler else opt.step()
            opt.zero_grad()
        if scaler:
            scaler.update()
        restrict(config, model)


def changed_optimizers(
    config: RunConfig, layers: list[list[nn.Module]], fused: bool, before: list[optim.Optimizer]
) -> list[optim.Optimizer]:
    """Optimizers with the settings of `config` and the memory of `before`; memory they newly need starts at zero."""
    now = optimizers(config, layers, fused)
    for old, new in zip(before, now, strict=True):
        for parameter, state in old.state.items():
            new.state[parameter] = state
            if isinstance(new, optim.RMSprop):
                for name in ("momentum_buffer", "grad_avg"):
                    state.setdefault(name, torch.zeros_like(parameter))
    return now


def change_dropout(config: RunConfig, model: nn.Sequential) -> None:
    n = config.network
    rates = [n.input_dropout, *(n.dropout if len(n.dropout) > 1 else n.dropout * len(n.hidden_sizes))]
    for module, rate in zip((m for m in model if isinstance(m, nn.Dropout)), rates, strict=True):
        module.p = rate
