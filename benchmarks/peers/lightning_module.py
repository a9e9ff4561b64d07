"""Lightning: a LightningModule and its Trainer over a TensorDataset; bars, logs and checkpoints off."""

import warnings
from typing import Any

import lightning
import torch
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.peers.laps import Laps
from benchmarks.peers.resident import network, optimizer
from benchmarks.workloads import Workload


class Classifier(lightning.LightningModule):  # type: ignore[misc]
    def __init__(self, work: Workload) -> None:
        super().__init__()
        self.work = work
        self.model = network(work)

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _index: int) -> torch.Tensor:
        x, y = batch
        return functional.cross_entropy(self.model(x), y)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return optimizer(self.work, self.model)


class EndWhenAsked(lightning.Callback):  # type: ignore[misc]
    def __init__(self, laps: Laps) -> None:
        self.laps = laps

    def on_train_epoch_end(self, trainer: Any, _module: Any) -> None:
        trainer.should_stop = not self.laps.more()


def train(work: Workload, images: Any, labels: Any, laps: Laps, device: str) -> None:
    warnings.filterwarnings("ignore")
    loader = DataLoader(TensorDataset(torch.tensor(images), torch.tensor(labels)), batch_size=work.batch, shuffle=True)
    trainer = lightning.Trainer(
        accelerator="gpu" if device == "cuda" else "cpu",
        devices=1,
        max_epochs=-1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[EndWhenAsked(laps)],
    )
    if laps.more():
        trainer.fit(Classifier(work), loader)
