"""Everything that changes while a run trains, and how it is captured, restored and changed live."""

from collections.abc import Mapping
from dataclasses import asdict
from itertools import takewhile
from typing import Any, Literal

import msgspec
import torch

from tui_trainer.config import RunConfig, build, change, is_live
from tui_trainer.engine import model as models
from tui_trainer.engine import paths
from tui_trainer.engine.checkpoint import Best, Meta, Snapshot, weights_sha256
from tui_trainer.engine.clock import Clock
from tui_trainer.engine.data import Splits, order_of
from tui_trainer.engine.device import Numerics
from tui_trainer.engine.noise import disturb, disturb_splits
from tui_trainer.engine.optim import Optimizers
from tui_trainer.engine.schedule import Patience, factors
from tui_trainer.engine.seeds import seed_of
from tui_trainer.engine.step import AutogradStep, Step, Sums
from tui_trainer.runs.state import Change, outweighed
from tui_trainer.text import InputError


def check_batches(config: RunConfig, examples: int) -> None:
    """Batch normalisation needs two examples a batch. Raises `InputError` where the last of an epoch has but one."""
    size, dropped = config.training.batch_size, config.training.drop_last
    last = (examples % size if examples > size and not dropped else 0) or min(size, examples)
    if config.network.batch_norm and config.network.hidden_sizes and last == 1:
        raise InputError(
            f"network.batch_norm: {examples:,} examples in batches of {size:,} leave a last batch of one, too few to "
            "normalise; choose another training.batch_size, or training.drop_last"
        )


class DivergedError(Exception):
    """The loss, or a weight, is no longer a finite number."""


def all_finite(weights: Mapping[str, torch.Tensor]) -> bool:
    return all(bool(tensor.isfinite().all()) for tensor in weights.values())


class Trainer:
    """One run's training. `epoch` completed epochs, `epoch_step` steps into the next, `step` optimizer steps in all."""

    def __init__(self, config: RunConfig, splits: Splits, numerics: Numerics) -> None:
        check_batches(config, len(splits.train))
        self.config = config
        self.splits = disturb_splits(config, splits)
        self.numerics = numerics
        self.device = numerics.torch_device
        self.model = models.build(config).to(self.device)
        capturable = numerics.step_path == "graph" or numerics.precision == "fp16"
        self.optimizers = Optimizers(config, self.model, self.device, capturable)
        train = self.splits.train
        self.path: Step = paths.make(
            numerics.step_path, self.model, self.optimizers, train.images, train.labels, numerics.precision
        )
        self.path.configure(config)
        torch.manual_seed(seed_of(config.training.seed, "dropout"))
        self.clock = Clock()
        self.epoch = self.step = self.epoch_step = 0
        self.sums = Sums(0.0, 0)
        self.best: Best | None = None
        self.val_accuracy: float | None = None
        self.early = Patience()
        self.early_stop_epoch = 0
        self.plateau = Patience()
        self.falls = 0
        self.applied: list[str] = []
        self.pending: list[Change] = []

    @property
    def is_done(self) -> bool:
        limit = self.config.training.steps
        return self.step >= limit if limit else self.epoch >= self.config.training.epochs

    def steps_left_in_epoch(self) -> int:
        left = self.config.steps_per_epoch - self.epoch_step
        limit = self.config.training.steps
        return min(left, limit - self.step) if limit else left

    def begin_epoch(self) -> torch.Tensor:
        """Make the unfinished epoch ready: order, noise, what is frozen. A function of config and epoch alone."""
        c, number = self.config, self.epoch + 1
        self.path.images = self.splits.train.images  # lets the last epoch's go before this one's are made
        self.path.images = disturb(c, self.splits.train.images, "train noise", number)
        self.model.train()
        thawed = c.layers.unfreeze_epoch and number >= c.layers.unfreeze_epoch
        self.model.freeze(0 if thawed else c.layers.frozen)
        order = order_of(c.training.seed, number, len(self.splits.train))
        if c.training.drop_last and len(order) > c.training.batch_size:
            order = order[: len(order) - len(order) % c.training.batch_size]
        return order.to(self.device)

    def factors(self, steps: int) -> list[float]:
        """What the next `steps` steps multiply the learning rates by."""
        position = self.epoch * self.config.steps_per_epoch + self.epoch_step
        return factors(self.config, position, steps, self.falls)

    @property
    def learning_rate(self) -> float:
        """The last layer's rate for the next step."""
        return self.config.optimizer.learning_rate * self.factors(1)[0]

    def watch(self, val_loss: float, val_accuracy: float) -> None:
        """Take an epoch's validation into the memories of early stopping and of the plateau schedule."""
        values = {"val_loss": val_loss, "val_accuracy": val_accuracy}
        early, schedule = self.config.early_stopping, self.config.schedule
        if early.mode != "off":
            self.early.look(early.metric, values[early.metric], early.min_delta, self.epoch)
            if self.early.waited >= early.patience and not self.early_stop_epoch:
                self.early_stop_epoch = self.epoch
        if schedule.name == "plateau":
            self.plateau.look(schedule.metric, values[schedule.metric], schedule.min_delta, self.epoch)
            if self.plateau.waited > schedule.patience:
                self.falls, self.plateau.waited = self.falls + 1, 0

    @property
    def stops_early(self) -> bool:
        return self.config.early_stopping.mode == "stop" and self.early_stop_epoch > 0

    def capture(self, *kinds: str) -> Snapshot:
        """The state after this very step, copied to the CPU. Raises `DivergedError` rather than keep a bad one."""
        weights = {name: tensor.detach().cpu().clone() for name, tensor in self.model.state_dict().items()}
        if not all_finite(weights):
            raise DivergedError(f"the weights are not finite after step {self.step:,}")
        tensors = {f"model/{name}": tensor for name, tensor in weights.items()}
        tensors |= {f"optimizer/{key}": t.detach().cpu().clone() for key, t in self.optimizers.tensors().items()}
        tensors["rng/cpu"] = torch.get_rng_state()
        if self.device.type == "cuda":
            tensors["rng/device"] = torch.cuda.get_rng_state(self.device)
        elif self.device.type == "mps":
            tensors["rng/device"] = torch.mps.get_rng_state()
        self.clock.enter(self.clock.phase)
        meta = Meta(
            kinds=sorted(kinds),
            epoch=self.epoch,
            step=self.step,
            epoch_step=self.epoch_step,
            loss_sum=self.sums.loss,
            correct=self.sums.correct,
            seconds={phase: self.clock.spent[phase] for phase in ("training", "evaluation", "saving")},
            best=self.best,
            val_accuracy=self.val_accuracy if self.epoch_step == 0 else None,
            early=msgspec.structs.replace(self.early),
            early_stop_epoch=self.early_stop_epoch,
            plateau=msgspec.structs.replace(self.plateau),
            falls=self.falls,
            scaler=self._scaler_state(),
            config=self.config.model_dump(mode="json"),
            config_digest=self.config.digest(),
            applied=self.applied,
            numerics=asdict(self.numerics),
            step_path=self.path.name,
            weights_sha256=weights_sha256(weights),
        )
        return Snapshot(meta, tensors)

    def _scaler_state(self) -> dict[str, float]:
        scaler = self.path.scaler if isinstance(self.path, AutogradStep) else None
        return {key: float(value) for key, value in scaler.state_dict().items()} if scaler else {}

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to exactly this state. Raises `InputError` when the tensors do not fit the config."""
        meta = snapshot.meta
        random = snapshot.tensors.get("rng/cpu")
        own = torch.get_rng_state()
        if random is None or (random.shape, random.dtype) != (own.shape, own.dtype):
            raise InputError(f"{meta.file_name}: holds no random state of this version of PyTorch")
        self.load_weights(snapshot)
        if not self.optimizers.fits(snapshot.part("optimizer")):
            raise InputError(f"{meta.file_name}: its optimizer state does not fit this run's config")
        self.optimizers.restore(snapshot.part("optimizer"))
        self.optimizers.refresh(self.config)
        torch.set_rng_state(random)
        if self.device.type == "cuda" and "rng/device" in snapshot.tensors:
            torch.cuda.set_rng_state(snapshot.tensors["rng/device"], self.device)
        elif self.device.type == "mps" and "rng/device" in snapshot.tensors:
            torch.mps.set_rng_state(snapshot.tensors["rng/device"])
        if meta.scaler and isinstance(self.path, AutogradStep) and self.path.scaler:
            state: dict[str, Any] = dict(meta.scaler)
            self.path.scaler.load_state_dict({**state, "_growth_tracker": int(state["_growth_tracker"])})
        self.epoch, self.step, self.epoch_step = meta.epoch, meta.step, meta.epoch_step
        self.sums = Sums(meta.loss_sum, meta.correct)
        self.path.restart(self.sums)
        self.best, self.val_accuracy = meta.best, meta.val_accuracy
        self.early, self.early_stop_epoch = msgspec.structs.replace(meta.early), meta.early_stop_epoch
        self.plateau, self.falls = msgspec.structs.replace(meta.plateau), meta.falls
        self.applied = list(meta.applied)
        self.clock.spent |= meta.seconds

    def load_weights(self, snapshot: Snapshot, new_output: bool = False) -> None:
        """Take the weights alone; with `new_output`, keep our own output layer where the classes differ.

        Raises `InputError` when they do not fit or are not finite.
        """
        name, weights, own = snapshot.meta.file_name, snapshot.part("model"), self.model.state_dict()
        if not all_finite(weights):
            raise InputError(f"{name}: holds weights that are not finite")
        if new_output:
            last = len(self.model) - 1
            outputs = (f"{last}.weight", f"{last}.bias")
            weights |= {
                key: own[key]
                for key in outputs
                if key in own and key in weights and own[key].shape != weights[key].shape
            }
        if {n: (t.shape, t.dtype) for n, t in weights.items()} != {n: (t.shape, t.dtype) for n, t in own.items()}:
            raise InputError(f"{name}: its tensors do not fit the network {self.config.architecture}")
        self.model.load_state_dict(weights)

    def start_from(self, snapshot: Snapshot, mode: Literal["continue", "weights"]) -> None:
        """Begin a new run at another's checkpoint: go on from its position, or only with its weights.

        Going on under another optimizer begins with that one's fresh state. Best epoch and time are the new run's own.
        Raises `InputError` when the checkpoint does not fit.
        """
        if mode == "weights":
            self.load_weights(snapshot, new_output=True)
            return
        meta, then = snapshot.meta, build(snapshot.meta.config)
        same_order = all(
            getattr(then.training, key) == getattr(self.config.training, key)
            for key in ("batch_size", "accumulate", "drop_last", "seed")
        )
        if meta.epoch_step and not (same_order and then.data == self.config.data):
            raise InputError(
                f"{meta.file_name}: lies inside an epoch that would be divided otherwise; fork an epoch's end"
            )
        if then.optimizer.name != self.config.optimizer.name:
            snapshot = Snapshot(meta, {k: t for k, t in snapshot.tensors.items() if not k.startswith("optimizer/")})
        self.restore(snapshot)
        self.best, self.applied, self.clock = None, [], Clock()
        self.early, self.early_stop_epoch = Patience(), 0
        if self.is_done:
            raise InputError(
                f"{meta.file_name}: a fork from here has nothing left to train; give it more epochs or steps, "
                f"as --set epochs={self.epoch + 10}"
            )

    def wish(self, wish: Change) -> None:
        """Have fields of the config changed before the next step, whatever is yet to be made again of these fields.

        Raises `InputError`, and then nothing changes, when a run that has begun cannot take them, or not with what is
        made again.
        """
        due, later = self.pending[: self.due], outweighed(self.pending[self.due :], wish.changes)
        config = self.config
        for again in due:
            config = self._changed(config, again.changes)
        config = self._changed(config, wish.changes)
        for again in later:
            try:
                config = change(config, again.changes)
            except InputError as error:
                when = f"with what is changed again after step {again.step:,}"
                raise InputError(*(f"{problem} ({when})" for problem in error.problems)) from None
        self.pending = [*due, wish, *later]

    @property
    def due(self) -> int:
        """How many of the pending changes took effect here or before.

        The step alone does not tell: a change may have ended an epoch early, and another come after its end.
        """
        return len([*takewhile(lambda c: c.step <= self.step and c.epoch <= self.epoch, self.pending)])

    def _changed(self, config: RunConfig, changes: dict[str, Any]) -> RunConfig:
        """`config` with these changes. Raises `InputError` when a run that has begun cannot take them here."""
        fixed = [path for path in changes if not is_live(path)]
        if fixed:
            raise InputError(
                *(
                    f"{path}: cannot change in a run that has begun, but in a fork: tui-trainer fork RUN --set …"
                    for path in fixed
                )
            )
        changed = change(config, changes)
        training = changed.training
        if training.epochs < self.epoch + (self.epoch_step > 0) and not training.steps:
            raise InputError(f"training.epochs: {training.epochs} is less than the run already has, {self.epoch}")
        if training.steps and training.steps < self.step:
            raise InputError(f"training.steps: {training.steps} is less than the run already has, {self.step}")
        return changed

    def change(self, wish: Change) -> None:
        """Change fields of the config from the next step on. Raises `InputError`, and then changes nothing."""
        self.config = self._changed(self.config, wish.changes)
        self.applied = [*self.applied, wish.id]
        self.optimizers.refresh(self.config)
        self.path.configure(self.config)
        self.model.dropout, self.model.input_dropout = self.config.layer_dropout, self.config.network.input_dropout
        if "early_stopping.metric" in wish.changes:  # what was best of one metric says nothing of another
            self.early = Patience()
        if "schedule.metric" in wish.changes:
            self.plateau = Patience()
        if any(path.startswith("layers.") for path in wish.changes):
            self.begin_epoch()
