"""The speed of this machine: the real training loop on random data, a short time box for each config and device."""

import itertools
import json

import torch

from tui_trainer.config import RunConfig, build, change
from tui_trainer.engine import device
from tui_trainer.engine.data import Examples, Splits
from tui_trainer.engine.jobs import tell
from tui_trainer.engine.train import NothingKept, train
from tui_trainer.engine.trainer import DivergedError, Trainer
from tui_trainer.text import InputError

WARM_UP = 0.5  # seconds of training, or as long as the time box, before it: caches fill, chunks reach their length
STEPS = 64  # of an epoch, where there are examples enough: what happens at its end hardly counts
ENDLESS = {
    "training.epochs": 1_000_000,
    "training.steps": 0,
    "early_stopping.mode": "off",
    "checkpoints.best": False,
    "checkpoints.every_epochs": 0,
}


def throughput(order: str) -> None:
    """`order`: {"configs": [config, …], "devices": ["cpu", …], "seconds": time box}; no devices means all there are.

    The result has a row for every device and config: images a second of training alone, evaluation and saving apart.
    Raises `InputError` for a device that is not here, and for what does not fit its memory.
    """
    wanted = json.loads(order)
    devices = wanted.get("devices") or available()
    seconds = float(wanted.get("seconds", 1.0))
    cells = [
        change(build(config), {"training.device": name})
        for name, config in itertools.product(devices, wanted["configs"])
    ]
    rows = []
    for number, config in enumerate(cells, 1):
        row = {
            "device": config.training.device,
            "hidden_sizes": list(config.network.hidden_sizes),
            "batch_size": config.training.batch_size,
            "optimizer": config.optimizer.name,
        }
        tell(progress={"cell": number, "of": len(cells), **row})
        rows.append({**row, **measure(config, seconds)})
    tell(result=rows)


def available() -> list[str]:
    """The kinds of device PyTorch can use here, the processor first."""
    here = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return [name for name, usable in here.items() if usable]


def measure(config: RunConfig, seconds: float) -> dict[str, object]:
    """Images a second of the config's network on random data of its data set's shape, and the step path taken."""
    step_size = config.training.batch_size * config.training.accumulate
    examples = min(config.split.train, STEPS * step_size)
    if examples > step_size:
        examples -= examples % step_size  # every step alike
    config = change(config, {"data.train_size": examples, **ENDLESS})
    numerics, _ = device.settle(config, None)
    device.prepare(numerics, config.training.deterministic)
    device.check_memory(config, numerics.torch_device)
    draw = torch.Generator().manual_seed(0)

    def noise(count: int) -> Examples:
        images = torch.rand(count, config.dataset.inputs, generator=draw)
        labels = torch.randint(config.dataset.classes, (count,), generator=draw)
        return Examples(images.to(numerics.torch_device), labels.to(numerics.torch_device))

    one = noise(1)
    try:
        with device.memory_explained(config):
            trainer = Trainer(config, Splits(noise(examples), one, one), numerics)
            box = TimeBox(trainer, seconds)
            train(trainer, NothingKept(), lambda _: None, box.go_on)
    except DivergedError as error:
        raise InputError(f"{config.architecture}, batch {config.training.batch_size:,}: {error}") from None
    rate = box.steps * min(step_size, examples) / box.spent
    return {"images_per_second": rate, "step_path": trainer.path.name}


class TimeBox:
    """`go_on` of a training that ends after `seconds` of training, counted from when it is warm."""

    def __init__(self, trainer: Trainer, seconds: float) -> None:
        self.trainer = trainer
        self.seconds = seconds
        self.begun: tuple[int, float] | None = None
        self.steps, self.spent = 0, 0.0

    def go_on(self) -> bool:
        clock = self.trainer.clock
        clock.enter(clock.phase)
        step, spent = self.trainer.step, clock.spent["training"]
        if self.begun is None:
            self.begun = (step, spent) if spent >= min(WARM_UP, self.seconds) else None
            return True
        self.steps, self.spent = step - self.begun[0], spent - self.begun[1]
        return self.spent < self.seconds
