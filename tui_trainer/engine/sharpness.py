"""How sharp a minimum is: how far the training loss rises within a small box around the weights.

Keskar et al. 2017, "On large-batch training for deep learning" (arXiv 1609.04836), metric 2.1 in the full space:
φ(ε) = 100 · (max f(w + z) − f(w)) / (1 + f(w)) over the box |zᵢ| ≤ ε (|wᵢ| + 1).
"""

import itertools
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from tui_trainer.engine.data import Examples
from tui_trainer.engine.evaluate import BATCH, evaluating, sum_type
from tui_trainer.engine.model import Mlp

ITERATIONS = 10  # as in the paper
LINE_SEARCH = 20  # evaluations that SciPy allows one iteration; one is enough for nearly all

Vector = NDArray[np.float64]


class Surface:
    """The training loss around the model's weights w, a vector of all its parameters, in evaluation mode: no dropout,
    running statistics. `loss` and `gradient` are those at w."""

    def __init__(self, model: Mlp, train: Examples) -> None:
        self.model = model.requires_grad_(True)
        self.train = train
        self.weights = self._flat(list(model.parameters()))
        self.loss, self.gradient = self.at(np.zeros_like(self.weights))

    def _flat(self, tensors: list[torch.Tensor]) -> Vector:
        vector: Vector = parameters_to_vector(tensors).detach().cpu().numpy().astype(np.float64)
        return vector

    def at(self, z: Vector) -> tuple[float, Vector]:
        """Mean cross-entropy at w + z, and its gradient there."""
        parameters = list(self.model.parameters())
        weights = torch.from_numpy(self.weights + z).to(parameters[0].dtype).to(parameters[0].device)
        vector_to_parameters(weights, parameters)
        self.model.zero_grad(set_to_none=True)
        images, labels = self.train.images, self.train.labels
        total = torch.zeros((), dtype=sum_type(images.device), device=images.device)
        with evaluating(self.model):
            for batch, targets in zip(images.split(BATCH), labels.split(BATCH), strict=True):
                loss = functional.cross_entropy(self.model(batch), targets, reduction="sum")
                (loss / len(labels)).backward()
                total += loss.detach()
        return total.item() / len(labels), self._flat([p.grad for p in parameters if p.grad is not None])


def climb(surface: Surface, epsilon: float, tell: Callable[[int, float], None]) -> tuple[Vector, float]:
    """The z in the box with the highest loss that ten iterations of SciPy's L-BFGS-B find from z = 0, and that loss.

    `tell` is given the number and the loss of each evaluation. At a good minimum the gradient is all but zero, and
    L-BFGS-B, whose first step is the gradient itself, would end where it began. So it sees the box as [−1, 1]ⁿ and the
    loss in units that make the first step, averaged over the parameters, as long as from the box's middle to its wall.
    """
    from scipy.optimize import Bounds, minimize

    reach = epsilon * (np.abs(surface.weights) + 1)
    unit = float(np.abs(surface.gradient * reach).mean()) or 1.0

    count = itertools.count(1)

    def fall(share: Vector) -> tuple[float, Vector]:
        loss, gradient = surface.at(share * reach) if share.any() else (surface.loss, surface.gradient)
        tell(next(count), loss)
        return -loss / unit, -gradient * reach / unit

    found = minimize(
        fall,
        np.zeros_like(reach),
        jac=True,
        method="L-BFGS-B",
        bounds=Bounds(-np.ones_like(reach), np.ones_like(reach)),
        options={"maxiter": ITERATIONS, "maxfun": ITERATIONS * LINE_SEARCH, "ftol": 0.0, "gtol": 0.0},
    )
    return found.x * reach, -float(found.fun) * unit


def sharpness(loss: float, highest: float) -> float:
    """φ of the loss at w and the highest in the box."""
    return 100 * (highest - loss) / (1 + loss)
