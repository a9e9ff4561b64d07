"""The loop of most tutorials: a Dataset of images, ToTensor for each, a DataLoader, `loss.item()` every step."""

from typing import Any

import numpy as np
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import ToTensor

from benchmarks.peers.laps import Laps
from benchmarks.peers.resident import network, optimizer
from benchmarks.workloads import Workload


class Digits(Dataset[Any]):
    """As torchvision's MNIST: bytes, transformed when asked for."""

    def __init__(self, images: Any, labels: Any) -> None:
        self.images = (images * 255).round().astype(np.uint8).reshape(-1, 28, 28, 1)
        self.labels = labels.tolist()
        self.transform = ToTensor()

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self.transform(self.images[index]), self.labels[index]


def train(work: Workload, images: Any, labels: Any, laps: Laps, device: str) -> None:
    loader = DataLoader(Digits(images, labels), batch_size=work.batch, shuffle=True)
    model = network(work).to(device)
    adapt = optimizer(work, model)
    while laps.more():
        running = 0.0
        for batch, targets in loader:
            x, y = batch.flatten(1).to(device), targets.to(device)
            adapt.zero_grad()
            loss = functional.cross_entropy(model(x), y)
            loss.backward()
            adapt.step()
            running += loss.item()
