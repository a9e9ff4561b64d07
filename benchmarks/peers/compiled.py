"""The resident loop with forward, loss and backward through torch.compile."""

from typing import Any

from benchmarks.peers import resident
from benchmarks.peers.laps import Laps
from benchmarks.workloads import Workload


def train(work: Workload, images: Any, labels: Any, laps: Laps, device: str) -> None:
    resident.train(work, images, labels, laps, device, compiled=True)
