"""A trained network and the data it was trained on, as a checkpoint and its config say."""

from dataclasses import dataclass, replace
from pathlib import Path

from tui_trainer import machine
from tui_trainer.config import RunConfig, build
from tui_trainer.engine import checkpoint, data, device
from tui_trainer.engine import model as models
from tui_trainer.engine.checkpoint import Snapshot
from tui_trainer.engine.data import Splits
from tui_trainer.engine.device import Numerics
from tui_trainer.engine.model import Mlp
from tui_trainer.engine.noise import disturb_splits
from tui_trainer.runs.directory import Run, read_record
from tui_trainer.text import InputError


@dataclass(frozen=True)
class Trained:
    """The network and the data, both on the device of `numerics`."""

    config: RunConfig
    numerics: Numerics
    model: Mlp
    splits: Splits


def load(snapshot: Snapshot, data_root: Path, all_cores: bool = False) -> Trained:
    """Sets the process up as the run's own was, or with `all_cores` for what is compared with none of its bits.

    Raises `InputError` when the data are absent or unsound.
    """
    config = build(snapshot.meta.config)
    numerics, _ = device.settle(config, snapshot.meta.numerics)
    if all_cores:
        numerics = replace(numerics, threads=machine.cores())
    device.prepare(numerics, config.training.deterministic)
    splits = disturb_splits(config, data.load(config, data_root, numerics.torch_device))
    return Trained(config, numerics, network(snapshot).to(numerics.torch_device), splits)


def network(snapshot: Snapshot) -> Mlp:
    """The network alone, on the CPU."""
    model = models.build(build(snapshot.meta.config))
    model.load_state_dict(snapshot.part("model"))
    return model


def newest(run: Run) -> Snapshot:
    """The newest checkpoint: of a finished run, its final weights. Raises `InputError` when there is none."""
    found, damaged = checkpoint.newest(run.checkpoints)
    if found is None:
        raise InputError(*damaged, f"{run.id}: has no checkpoint yet")
    return found


def data_root(run: Run) -> Path:
    """Where the run's data lay when it was made."""
    return read_record(run).data_root
