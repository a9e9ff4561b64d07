"""scikit-learn's MLPClassifier, an epoch for each `partial_fit`."""

from typing import Any

from sklearn.neural_network import MLPClassifier

from benchmarks.peers.laps import Laps
from benchmarks.workloads import Workload


def train(work: Workload, images: Any, labels: Any, laps: Laps, device: str) -> None:
    if work.optimizer == "adadelta":
        raise ValueError("has no Adadelta")
    model = MLPClassifier(
        work.hidden,
        solver=work.optimizer,
        alpha=0.0,
        batch_size=work.batch,
        learning_rate_init=work.learning_rate,
        momentum=0.0,
        nesterovs_momentum=False,
    )
    while laps.more():
        model.partial_fit(images, labels, classes=range(10))
