"""Noise on purpose: on inputs and labels, drawn from (seed, epoch) alone, so that every run can be repeated."""

import math

import torch
from torch.nn import functional

from tui_trainer.config import RunConfig
from tui_trainer.engine.data import Examples, Splits
from tui_trainer.engine.seeds import generator


def disturb_splits(config: RunConfig, splits: Splits) -> Splits:
    """Label noise on the training part and, if the config says so, noise on what is evaluated; each drawn once."""
    noise, seed = config.noise, config.training.seed
    train, validation, test = splits.train, splits.validation, splits.test
    if noise.label_noise:
        train = Examples(train.images, mislabel(train.labels, noise.label_noise, config.dataset.classes, seed))
    if noise.on_evaluation:
        same = validation is test
        test = Examples(disturb(config, test.images, "test noise", 0), test.labels)
        validation = (
            test if same else Examples(disturb(config, validation.images, "validation noise", 0), validation.labels)
        )
    return Splits(train, validation, test)


def mislabel(labels: torch.Tensor, share: float, classes: int, seed: int) -> torch.Tensor:
    """`labels` [n] with round(share · n) of them replaced by another class, each other class equally likely."""
    draw = generator(seed, "label noise")
    chosen = torch.randperm(len(labels), generator=draw)[: round(share * len(labels))]
    shift = torch.randint(1, classes, (len(chosen),), generator=draw)
    wrong = labels.clone()
    chosen, shift = chosen.to(labels.device), shift.to(labels.device)
    wrong[chosen] = (wrong[chosen] + shift) % classes
    return wrong


def disturb(config: RunConfig, images: torch.Tensor, purpose: str, epoch: int) -> torch.Tensor:
    """Images [n, inputs] distorted, then with noise added, as epoch `epoch` sees them; `images` if there is none."""
    draw = generator(config.training.seed, purpose, epoch)
    if config.noise.distortion:
        images = distort(images, config.dataset.image_shape or (1, 1), config.noise.distortion, draw)
    if config.noise.input_noise:
        added = torch.randn(images.shape, generator=draw).to(images.device)
        images = added.mul_(config.noise.input_noise).add_(images)  # in place: it may be the largest thing there is
    return images


def distort(images: torch.Tensor, shape: tuple[int, int], share: float, draw: torch.Generator) -> torch.Tensor:
    """Each image turned by up to share · 90°, scaled by up to ± share and shifted by up to share of its width.

    Pixels between the old ones are interpolated; what comes from outside is 0.
    """
    angle, scale, across, down = (2 * torch.rand(4, len(images), generator=draw) - 1) * share
    angle, scale = angle * math.pi / 2, 1 + scale
    rows = (
        torch.stack((scale * angle.cos(), -scale * angle.sin(), 2 * across), 1),
        torch.stack((scale * angle.sin(), scale * angle.cos(), 2 * down), 1),
    )
    matrices = torch.stack(rows, 1).to(images.device)
    pictures = images.view(-1, 1, *shape)
    out = torch.empty_like(pictures)
    for begin in range(0, len(images), 4096):  # the sampling grid is twice the size of the images
        part = slice(begin, begin + 4096)
        grid = functional.affine_grid(matrices[part], list(pictures[part].shape), align_corners=False)
        out[part] = functional.grid_sample(pictures[part], grid, align_corners=False)
    return out.view_as(images)
