"""What is measured: networks, batches and optimizers of the presets, with short epochs where a whole one takes long."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

PIXELS, CLASSES = 784, 10


@dataclass(frozen=True)
class Workload:
    """ReLU networks 784-…-10 on MNIST, in fp32. `examples`: of one epoch, the first of the training set."""

    name: str
    preset: str
    hidden: tuple[int, ...]
    batch: int
    optimizer: Literal["adam", "sgd", "adadelta"]
    learning_rate: float
    examples: int

    @property
    def sizes(self) -> tuple[int, ...]:
        return (PIXELS, *self.hidden, CLASSES)

    @property
    def steps(self) -> int:
        """Of one epoch."""
        return -(-self.examples // self.batch)

    @property
    def parameters(self) -> int:
        return sum((inputs + 1) * outputs for inputs, outputs in pairwise(self.sizes))

    @property
    def settings(self) -> list[str]:
        """For `tui-trainer train`: this workload instead of all the preset is."""
        chosen = {
            "hidden_sizes": "-".join(map(str, self.hidden)),
            "batch_size": self.batch,
            "train_size": self.examples,
            "training.epochs": 1_000_000,
        }
        return [word for key, value in chosen.items() for word in ("--set", f"{key}={value}")]


WORKLOADS = {
    work.name: work
    for work in (
        Workload("setting-2", "evaluation-report/setting-2", (200, 200, 200), 200, "adam", 1e-4, 60_000),
        Workload("setting-1", "evaluation-report/setting-1", (200, 200, 200), 200, "adadelta", 0.1, 60_000),
        Workload("128-128, batch 100", "lab-report/128-128-relu", (128, 128), 100, "sgd", 0.01, 50_000),
        Workload("128-128, batch 10", "lab-report/128-128-relu", (128, 128), 10, "sgd", 0.01, 20_000),
        Workload("128-128, batch 1", "lab-report/128-128-relu", (128, 128), 1, "sgd", 0.01, 2_000),
        Workload("800-800-800, batch 10", "lab-report/800-800-800", (800, 800, 800), 10, "sgd", 0.01, 5_000),
        Workload("first-mlp", "first-mlp/50-50-units", (50, 50), 100, "adam", 1e-3, 50_000),
        Workload("1000 units", "first-mlp/1000-units", (1000, 1000), 100, "adam", 1e-3, 10_000),
        Workload("3000 units", "first-mlp/3000-units", (3000, 3000), 100, "adam", 1e-3, 2_000),
        Workload("batch 8000", "lab-report/overfit-800-800-800", (800, 800, 800), 8000, "sgd", 0.01, 16_000),
    )
}
