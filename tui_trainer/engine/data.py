"""The whole data set as tensors on the device; no DataLoader."""

from dataclasses import dataclass
from pathlib import Path

import torch

from tui_trainer import datasets
from tui_trainer.config import RunConfig
from tui_trainer.engine.seeds import generator


@dataclass(frozen=True)
class Examples:
    """Images [n, inputs] float32 in [0, 1], labels [n] int64, both on the device."""

    images: torch.Tensor
    labels: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Splits:
    train: Examples
    validation: Examples
    test: Examples

    def named(self, split: str) -> Examples:
        """`train`, `validation` or `test`."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[split]


def load(config: RunConfig, data_root: Path, device: torch.device) -> Splits:
    """The config's data set, cut and scaled as it says. Raises `InputError` when the data is absent or unsound."""
    parts = datasets.load(config.data, data_root)

    def on_device(part: datasets.Part) -> Examples:
        # moved as bytes, scaled there: a quarter of the traffic
        images = torch.tensor(part.images, device=device).float().div_(parts.dataset.maximum)
        return Examples(images, torch.tensor(part.labels, device=device))

    train, test = on_device(parts.train), on_device(parts.test)
    validation = test if parts.validation is parts.test else on_device(parts.validation)
    if config.data.scaling == "standardise":
        mean, deviation = train.images.mean(0), train.images.std(0)
        deviation = torch.where(deviation > 0, deviation, 1)  # an input that never changes stays as it is
        for images in {id(part): part.images for part in (train, validation, test)}.values():
            images.sub_(mean).div_(deviation)
    return Splits(train, validation, test)


def order_of(seed: int, epoch: int, examples: int) -> torch.Tensor:
    """The order in which epoch `epoch` (from 1) visits the training examples: a function of (seed, epoch) alone."""
    return torch.randperm(examples, generator=generator(seed, "order", epoch))
