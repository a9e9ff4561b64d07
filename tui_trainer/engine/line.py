"""Loss and accuracy along the straight line through the weights of two runs.

Goodfellow et al. 2015 (arXiv 1412.6544), as Keskar et al. 2017 use it between a small and a large batch's minimum.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch.nn.utils import parameters_to_vector, vector_to_parameters
from torch.optim.swa_utils import update_bn

from tui_trainer.engine.data import order_of
from tui_trainer.engine.evaluate import BATCH, evaluate
from tui_trainer.engine.model import Mlp
from tui_trainer.engine.trained import Trained


@dataclass(frozen=True)
class Place:
    """Mean cross-entropy and accuracy in [0, 1] at one α."""

    alpha: float
    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float


def walk(first: Trained, second: Mlp, alphas: list[float]) -> Iterator[Place]:
    """w(α) = α · w₂ + (1 − α) · w₁ over all parameters, measured on the first run's data, whose model is changed.

    Running statistics mean nothing between two networks, so each α has its own: one pass over the training set, without
    dropout, averages those of large batches. All batches have one size, give or take an image, and so count alike; they
    are drawn, since a data set may lie in the order of its classes.
    """
    model, train, test = first.model, first.splits.train, first.splits.test
    model.dropout, model.input_dropout = (0.0,) * len(model.dropout), 0.0
    drawn = order_of(first.config.training.seed, 1, len(train)).to(train.images.device)
    batches = train.images[drawn].tensor_split(math.ceil(len(train) / BATCH)) if first.config.network.batch_norm else ()
    parameters = list(model.parameters())
    ends = [parameters_to_vector(weights).detach().clone() for weights in (parameters, second.parameters())]
    for alpha in alphas:
        vector_to_parameters(alpha * ends[1] + (1 - alpha) * ends[0], parameters)
        with torch.no_grad():
            update_bn(batches, model)
        yield Place(alpha, *evaluate(model, train), *evaluate(model, test))
