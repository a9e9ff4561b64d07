"""The job behind the pre-flight card: what a training would take, measured by a little of it, before it is started.

In memory only, with networks and random streams of its own.
"""

import json
import math
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from tui_trainer.config import RunConfig, build, change
from tui_trainer.engine import data, device
from tui_trainer.engine.data import Examples, Splits, order_of
from tui_trainer.engine.device import Numerics
from tui_trainer.engine.evaluate import evaluate
from tui_trainer.engine.jobs import tell
from tui_trainer.engine.throughput import ENDLESS, WARM_UP, TimeBox
from tui_trainer.engine.train import NothingKept, train
from tui_trainer.engine.trainer import DivergedError, Trainer, check_batches

SECONDS = 1.0  # of training measured, once it is warm
STEPS = 500  # at most, on the one batch
BY_HEART_SECONDS = 5.0
BY_HEART_LOSS = 0.05  # the right class has 95 % on average
MEMORISING = {
    "network.dropout": (0.0,),
    "network.input_dropout": 0.0,
    "regularization.weight_decay": 0.0,
    "regularization.label_smoothing": 0.0,
    "noise.input_noise": 0.0,
    "noise.distortion": 0.0,
    "noise.label_noise": 0.0,
    "training.accumulate": 1,
    "training.drop_last": False,
    "layers.frozen": 0,
}
"""What would rightly keep a network from learning by heart is left out of that check."""


class Order(msgspec.Struct, forbid_unknown_fields=True):
    """The config to look at, and where its data lie."""

    config: dict[str, Any]
    data: str


def preflight(order_json: str) -> None:
    """Layers, memory, time, and whether the network can learn one batch by heart. Raises `InputError`.

    What does not fit the memory is said, not tried: `speed` and `by_heart` are then null.
    """
    order = msgspec.convert(json.loads(order_json), Order)
    config = build(order.config)
    check_batches(config, config.split.train)
    numerics, _ = device.settle(config, None)
    device.prepare(numerics, config.training.deterministic)
    memory, free = device.memory_needed(config, numerics.torch_device), device.memory_free(numerics.torch_device)
    report: dict[str, Any] = {
        "layers": [
            {"inputs": inputs, "outputs": outputs, "parameters": parameters}
            for inputs, outputs, parameters in zip(
                config.layer_sizes, config.layer_sizes[1:], config.layer_parameters, strict=False
            )
        ],
        "parameters": sum(config.layer_parameters),
        "memory": memory,
        "memory_needed": sum(memory.values()),
        "memory_free": free,
        **{key: value for key, value in asdict(numerics).items() if key not in ("versions", "data_file")},
        "epochs": config.total_epochs,
        "steps_per_epoch": config.steps_per_epoch,
        "steps": config.total_steps,
        "speed": None,
        "by_heart": None,
    }
    if sum(memory.values()) <= free:
        splits = data.load(config, Path(order.data), numerics.torch_device)
        with device.memory_explained(config):
            report["speed"] = speed(config, splits, numerics)
            report["by_heart"] = by_heart(config, splits, numerics)
    tell(result=report)


def speed(config: RunConfig, splits: Splits, numerics: Numerics) -> dict[str, Any] | None:
    """Seconds a step, an epoch and the whole training take, by training about a second; None where that diverges.

    An epoch's seconds are those of its steps and of its validation; saving comes on top.
    """
    trainer = Trainer(change(config, ENDLESS), splits, numerics)
    box = TimeBox(trainer, SECONDS)
    told = 0

    def go_on() -> bool:
        nonlocal told
        more = box.go_on()
        tenths = int(10 * trainer.clock.spent["training"] / (WARM_UP + SECONDS))
        if tenths > told:
            told = tenths
            tell(progress={"done": min(tenths, 10), "of": 10, "unit": "parts of a dry run"})
        return more

    try:
        train(trainer, NothingKept(), lambda _: None, go_on)
    except DivergedError:
        return None
    step = box.spent / box.steps
    started = time.monotonic()
    evaluate(trainer.model, trainer.splits.validation)
    validation = time.monotonic() - started
    epoch = step * config.steps_per_epoch + validation
    step_size = min(config.training.batch_size * config.training.accumulate, len(splits.train))
    return {
        "step_seconds": step,
        "validation_seconds": validation,
        "epoch_seconds": epoch,
        "total_seconds": step * config.total_steps + validation * config.total_epochs,
        "images_per_second": step_size / step,
    }


def by_heart(config: RunConfig, splits: Splits, numerics: Numerics) -> dict[str, Any]:
    """Train the first batch of the first epoch alone, until its loss is close to 0 or time is up.

    The config's own network, optimizer and learning rate, without schedule and without regularisation. A network that
    cannot learn one batch by heart will learn nothing from many.
    """
    order = order_of(config.training.seed, 1, len(splits.train))[: config.training.batch_size]
    batch = Examples(
        splits.train.images[order.to(numerics.torch_device)], splits.train.labels[order.to(numerics.torch_device)]
    )
    alone = change(config, {**MEMORISING, "data.train_size": len(batch), "training.batch_size": len(batch)})
    trainer = Trainer(alone, Splits(batch, batch, batch), numerics)
    examples = trainer.begin_epoch()
    losses: list[float] = []
    correct = 0
    deadline = time.monotonic() + BY_HEART_SECONDS
    while len(losses) < STEPS and (not losses or losses[-1] > BY_HEART_LOSS) and time.monotonic() < deadline:
        before = trainer.sums
        trainer.path.run(examples, [1.0])
        trainer.sums, _ = trainer.path.read()
        losses.append((trainer.sums.loss - before.loss) / len(batch))
        correct = trainer.sums.correct - before.correct
        if not math.isfinite(losses[-1]):
            break
        if len(losses) % 25 == 0:
            tell(progress={"done": len(losses), "of": STEPS, "unit": "steps on one batch"})
    finite = [loss for loss in losses if math.isfinite(loss)]
    return {
        "examples": len(batch),
        "steps": len(losses),
        "first_loss": losses[0] if finite else None,
        "last_loss": finite[-1] if finite else None,
        "accuracy": correct / len(batch),
        "verdict": verdict(losses),
    }


def verdict(losses: list[float]) -> str:
    """`learnt`, `learning` where the loss has halved, `stuck`, or `diverged`."""
    first, last = losses[0], losses[-1]
    if not math.isfinite(last) or last > 2 * first:
        return "diverged"
    if last <= BY_HEART_LOSS:
        return "learnt"
    return "learning" if last < first / 2 else "stuck"
