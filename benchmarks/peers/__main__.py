"""One peer in a process of its own: `python -m benchmarks.peers NAME DEVICE`; orders on stdin, samples on stdout.

An order is a JSON line {"workload", "seconds"}. The same workload as before goes on where it stood.
"""

import json
import sys
import time
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.peers import PEERS
from benchmarks.workloads import WORKLOADS
from tui_trainer import datasets


class Laps:
    """A peer's epochs, timed. The first of a workload is its warm-up, compilation included, and is told apart."""

    def __init__(self, order: dict[str, Any], device: str) -> None:
        self.order = order
        self.device = device
        self.began: float | None = None
        self.warm_up: float | None = None
        self.taken: list[float] = []

    def more(self) -> bool:
        """Shall another epoch be trained? Waits for the next order when a sample is complete."""
        if self.began is not None:
            if self.device == "cuda" and "torch" in sys.modules:
                sys.modules["torch"].cuda.synchronize()
            lap = time.perf_counter() - self.began
            if self.warm_up is None:
                self.warm_up = lap
            else:
                self.taken.append(lap)
            if sum(self.taken) >= self.order["seconds"] and not self.next_order():
                return False
        self.began = time.perf_counter()
        return True

    def next_order(self) -> bool:
        """Give the sample and wait for an order; False when it is of another workload, or there is none."""
        tell(seconds=sum(self.taken) / len(self.taken), warm_up=self.warm_up)
        workload, self.taken = self.order["workload"], []
        self.order = read_order()
        return bool(self.order) and self.order["workload"] == workload


def tell(**line: Any) -> None:
    print(json.dumps(line), file=answers, flush=True)


def read_order() -> dict[str, Any]:
    """The next line of stdin; empty at its end."""
    line = sys.stdin.readline()
    return dict(json.loads(line)) if line else {}


def main(name: str, device: str) -> None:
    train = import_module(f"benchmarks.peers.{PEERS[name].module}").train
    mnist = datasets.read(datasets.dataset("mnist"), datasets.data_root())
    images = (mnist["train_images"].reshape(-1, 784) / np.float32(255)).astype(np.float32)
    labels = mnist["train_labels"].astype(np.int64)
    tell(ready=True)
    order = read_order()
    while order:
        work = WORKLOADS[order["workload"]]
        laps = Laps(order, device)
        train(work, images[: work.examples], labels[: work.examples], laps, device)
        order = laps.order


if __name__ == "__main__":
    answers, sys.stdout = sys.stdout, sys.stderr  # frameworks print what they like
    main(*sys.argv[1:])
