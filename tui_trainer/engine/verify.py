"""Proof that a run is what its log says: train it again, in silence, and compare."""

from collections.abc import Callable
from pathlib import Path

from tui_trainer.engine import checkpoint, data, device
from tui_trainer.engine.checkpoint import weights_sha256
from tui_trainer.engine.train import NothingKept, train
from tui_trainer.engine.trainer import Trainer
from tui_trainer.runs import events
from tui_trainer.runs.directory import Run, read_record
from tui_trainer.runs.state import Change, RunState
from tui_trainer.text import InputError

EPOCH_FIELDS = ("step", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "learning_rate")
_LOOK = "look at the weights"


class Replay:
    """Trains a run again from its config and its live changes at their steps; `difference` is the first one found."""

    def __init__(self, run: Run, state: RunState, data_root: Path, progress: Callable[[int, int], None]) -> None:
        newest, damaged = checkpoint.newest(run.checkpoints)
        if newest is None:
            raise InputError(*damaged, f"{run.id}: has no checkpoint to compare with")
        self.newest = newest.meta
        self.state = state
        self.progress = progress
        self.difference = "; ".join(damaged)
        numerics, differing = device.settle(state.first_config, newest.meta.numerics)
        if differing:
            raise InputError(
                f"{run.id}: {', '.join(differing)} changed since it was trained; its bits cannot be repeated here"
            )
        device.prepare(numerics, state.first_config.training.deterministic)
        splits = data.load(state.first_config, data_root, numerics.torch_device)
        self.trainer = Trainer(state.first_config, splits, numerics)
        if start := read_record(run).start:
            self.trainer.start_from(checkpoint.read(start.file), start.mode)
        # a change of nothing ends a chunk at its step, which is when weights can be compared
        self.recorded = {**state.hashes, self.newest.step: state.hashes.get(self.newest.step, "")}
        looks = [Change(_LOOK, 0, step, {}) for step in self.recorded if step >= self.trainer.step]
        # what was changed after the newest checkpoint is not in it, though it may have been at the same step
        held = [c for c in state.changes if c.step < self.newest.step or c.id in self.newest.applied]
        self.trainer.pending = sorted((*looks, *held), key=lambda c: (c.step, c.id != _LOOK))
        self.epochs = {epoch.epoch: epoch for epoch in state.epochs_done}

    def run(self) -> None:
        train(self.trainer, NothingKept(), self._compare, self._go_on)
        if self.difference:
            return
        if self.trainer.step != self.newest.step:
            self.difference = f"ends after step {self.trainer.step:,}, recorded {self.newest.step:,}"
        elif self.trainer.config.digest() != self.newest.config_digest:
            self.difference = "its config after all live changes is not the one its newest checkpoint holds"

    def _go_on(self) -> bool:
        self.progress(self.trainer.step, self.newest.step)
        return not self.difference and self.trainer.step < self.newest.step

    def _compare(self, event: events.AnyEvent) -> None:
        if self.difference:
            return
        match event:
            case events.Epoch():
                self._compare_epoch(event)
            case events.Applied(id=wish) if wish == _LOOK:
                self._compare_weights()
            case events.Evaluated(which="final") if recorded_one := self.state.evaluations.get(("final", event.split)):
                if (recorded_one.loss, recorded_one.accuracy) != (event.loss, event.accuracy):
                    self.difference = f"final {event.split}: recorded {recorded_one.loss!r}, replayed {event.loss!r}"

    def _compare_epoch(self, replayed: events.Epoch) -> None:
        recorded = self.epochs.get(replayed.epoch)
        if recorded is None:
            self.difference = f"epoch {replayed.epoch}: is not in the log"
            return
        for name in EPOCH_FIELDS:
            was, now = getattr(recorded, name), getattr(replayed, name)
            if was != now:
                self.difference = f"epoch {replayed.epoch}: {name} recorded {was!r}, replayed {now!r}"
                return

    def _compare_weights(self) -> None:
        step = self.trainer.step
        found = weights_sha256(self.trainer.model.state_dict())
        in_file = self.newest.weights_sha256 if step == self.newest.step else found
        if self.recorded[step] != found or in_file != found:
            self.difference = (
                f"weights after step {step:,}: recorded {self.recorded[step][:12]}…, replayed {found[:12]}…"
            )
