"""The whole data set as tensors on the device; no DataLoader."""

from dataclasses import dataclass
from pathlib import Path

import torch

from tui_trainer import datasets
from tui_trainer.config import RunConfig
from tui_trainer.engine.device import generator


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


def load(config: RunConfig, data_root: Path, device: torch.device) -> Splits:
    """The config's data set, cut as it says. Raises `InputError` when the data is absent or damaged."""
    parts = datasets.load(config.data.name, config.split_name, data_root)

    def on_device(part: datasets.Part) -> Examples:
        # moved as bytes, scaled there: a quarter of the traffic
        images = torch.tensor(part.images, device=device).float().div_(config.dataset.maximum)
        return Examples(images, torch.tensor(part.labels, device=device))

    test = on_device(parts.test)
    validation = test if config.split.validation_is_test else on_device(parts.validation)
    return Splits(on_device(parts.train), validation, test)


def order_of(seed: int, epoch: int, examples: int) -> torch.Tensor:
    """The order in which epoch `epoch` (from 1) visits the training examples: a function of (seed, epoch) alone."""
    return torch.randperm(examples, generator=generator(seed, "order", epoch))
