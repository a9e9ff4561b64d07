"""The training of one run: its state, and the loop, which reads from top to bottom."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

import torch

from tui_trainer.config import RunConfig, change
from tui_trainer.engine import model as models
from tui_trainer.engine import optim
from tui_trainer.engine.checkpoint import Best, Meta, Snapshot, weights_sha256
from tui_trainer.engine.data import Splits, order_of
from tui_trainer.engine.device import Numerics, seed_of
from tui_trainer.engine.evaluate import evaluate
from tui_trainer.engine.retention import Retention
from tui_trainer.engine.step import AutogradStep, Step, Sums
from tui_trainer.runs import events
from tui_trainer.runs.state import Change
from tui_trainer.text import InputError

CHUNK_SECONDS = 0.075
METRICS_INTERVAL = 0.1
Phase = Literal["training", "evaluation", "saving", "paused"]
Report = Callable[[events.AnyEvent], None]


class DivergedError(Exception):
    """The loss is no longer a finite number."""


def all_finite(weights: Mapping[str, torch.Tensor]) -> bool:
    return all(bool(tensor.isfinite().all()) for tensor in weights.values())


class Clock:
    """Monotonic seconds by phase; pauses are counted apart and belong to no total."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {"training": 0.0, "evaluation": 0.0, "saving": 0.0, "paused": 0.0}
        self.phase: Phase = "paused"
        self.since = time.monotonic()

    def enter(self, phase: Phase) -> None:
        now = time.monotonic()
        self.spent[self.phase] += now - self.since
        self.phase, self.since = phase, now

    @property
    def seconds(self) -> float:
        """Training, evaluation and saving so far."""
        self.enter(self.phase)
        return self.spent["training"] + self.spent["evaluation"] + self.spent["saving"]


@dataclass
class Window:
    """What happened since the last `Metrics` event."""

    loss: float = 0.0
    correct: int = 0
    examples: int = 0
    seconds: float = 0.0
    opened: float = -math.inf


class Trainer:
    """Everything that changes while a run trains. `epoch` completed epochs, `step` optimizer steps so far."""

    def __init__(self, config: RunConfig, splits: Splits, numerics: Numerics) -> None:
        self.config = config
        self.splits = splits
        self.numerics = numerics
        self.device = numerics.torch_device
        self.model = models.build(config).to(self.device)
        self.optimizer = optim.build(config, self.model.parameters(), self.device)
        self.path: Step = AutogradStep(
            self.model, self.optimizer, splits.train, config.training.batch_size, numerics.precision
        )
        torch.manual_seed(seed_of(config.training.seed, "dropout"))
        self.clock = Clock()
        self.epoch = self.step = self.epoch_step = 0
        self.sums = Sums(0.0, 0)
        self.best: Best | None = None
        self.val_accuracy: float | None = None
        self.applied: list[str] = []
        self.pending: list[Change] = []

    @property
    def is_done(self) -> bool:
        return self.epoch >= self.config.training.epochs

    def capture(self, *kinds: str) -> Snapshot:
        """The state after this very step, copied to the CPU. Raises `DivergedError` rather than keep a bad one."""
        weights = {name: tensor.detach().cpu().clone() for name, tensor in self.model.state_dict().items()}
        if not all_finite(weights):
            raise DivergedError(f"the weights are not finite after step {self.step:,}")
        tensors = {f"model/{name}": tensor for name, tensor in weights.items()}
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= {
                f"optimizer/{index}/{name}": value.detach().cpu().clone()
                for name, value in state.items()
                if isinstance(value, torch.Tensor)
            }
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
            config=self.config.model_dump(mode="json"),
            config_digest=self.config.digest(),
            applied=self.applied,
            numerics=asdict(self.numerics),
            step_path=self.path.name,
            weights_sha256=weights_sha256(weights),
        )
        return Snapshot(meta, tensors)

    def _fits(self, snapshot: Snapshot) -> bool:
        """Has the snapshot the tensors of this network, its optimizer and the CPU's random numbers?"""

        def form(tensors: Mapping[str, torch.Tensor]) -> dict[str, tuple[torch.Size, torch.dtype]]:
            return {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()}

        weights = list(self.model.parameters())
        of_optimizer = all(
            index.isdecimal() and int(index) < len(weights) and tensor.shape in ((), weights[int(index)].shape)
            for index, tensor in ((key.partition("/")[0], tensor) for key, tensor in snapshot.part("optimizer").items())
        )
        random = {name: tensor for name, tensor in snapshot.part("rng").items() if name == "cpu"}
        return (
            of_optimizer
            and form(snapshot.part("model")) == form(self.model.state_dict())
            and form(random) == form({"cpu": torch.get_rng_state()})
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to exactly this state. Raises `InputError` when the tensors do not fit the config."""
        meta = snapshot.meta
        weights = snapshot.part("model")
        if not self._fits(snapshot):
            raise InputError(f"{meta.file_name}: its tensors do not fit the network of this run's config")
        if not all_finite(weights):
            raise InputError(f"{meta.file_name}: holds weights that are not finite")
        self.model.load_state_dict(weights)
        state: dict[int, dict[str, torch.Tensor]] = {}
        for key, tensor in snapshot.part("optimizer").items():
            index, _, name = key.partition("/")
            state.setdefault(int(index), {})[name] = tensor
        self.optimizer.load_state_dict({"state": state, "param_groups": self.optimizer.state_dict()["param_groups"]})
        torch.set_rng_state(snapshot.tensors["rng/cpu"])
        if self.device.type == "cuda" and "rng/device" in snapshot.tensors:
            torch.cuda.set_rng_state(snapshot.tensors["rng/device"], self.device)
        elif self.device.type == "mps" and "rng/device" in snapshot.tensors:
            torch.mps.set_rng_state(snapshot.tensors["rng/device"])
        self.epoch, self.step, self.epoch_step = meta.epoch, meta.step, meta.epoch_step
        self.sums = Sums(meta.loss_sum, meta.correct)
        self.path.restart(self.sums)
        self.best, self.val_accuracy = meta.best, meta.val_accuracy
        self.applied = list(meta.applied)
        self.clock.spent |= meta.seconds

    def check(self, wish: Change) -> RunConfig:
        """The config with the wished change. Raises `InputError` when a run that has begun cannot take it."""
        fixed = [path for path in wish.changes if path not in LIVE]
        if fixed:
            raise InputError(*(f"{path}: cannot change in a run that has begun" for path in fixed))
        changed = change(self.config, wish.changes)
        if changed.training.epochs < self.epoch + (self.epoch_step > 0):
            raise InputError(
                f"training.epochs: {changed.training.epochs} is less than the run already has, {self.epoch}"
            )
        return changed

    def change(self, wish: Change) -> None:
        """Change fields of the config from the next step on. Raises `InputError`, and then changes nothing."""
        self.config = self.check(wish)
        self.applied = [*self.applied, wish.id]

    def replay_due(self, report: Report) -> None:
        """Apply again the live changes that took effect here before a crash threw the run back."""
        while self.pending and self.pending[0].step <= self.step:
            wish = self.pending.pop(0)
            self.change(wish)
            report(
                events.Applied(
                    id=wish.id,
                    command="set",
                    epoch=self.epoch,
                    step=self.step,
                    message="replayed",
                    changes=wish.changes,
                )
            )


LIVE = {"training.epochs", "checkpoints.every_epochs", "checkpoints.last_seconds"}


def train(trainer: Trainer, keep: Retention, report: Report, go_on: Callable[[], bool]) -> bool:
    """Train to the last epoch. `go_on` is asked between chunks: it carries out commands, and False ends the run here.

    Returns whether the run was finished. Raises `DivergedError` as soon as a chunk's loss is not finite.
    """
    t, clock = trainer, trainer.clock
    batch_size, examples = t.config.training.batch_size, len(t.splits.train)
    steps_per_epoch = t.config.steps_per_epoch
    chunk_steps = 1
    window = Window()
    clock.enter("training")
    t.replay_due(report)
    while not t.is_done:
        order = order_of(t.config.training.seed, t.epoch + 1, examples).to(t.device)
        began, began_seconds = t.epoch_step * batch_size, clock.spent["training"]
        while t.epoch_step < steps_per_epoch:
            started = time.monotonic()
            limit = t.pending[0].step - t.step if t.pending else steps_per_epoch
            steps = min(chunk_steps, steps_per_epoch - t.epoch_step, limit)
            chunk = order[t.epoch_step * batch_size : (t.epoch_step + steps) * batch_size]
            t.path.run(chunk)
            before, (t.sums, gradient_norm) = t.sums, t.path.read()  # host and device meet here, once a chunk
            if not math.isfinite(t.sums.loss):
                raise DivergedError(f"the loss is not finite after step {t.step + steps:,} or shortly before")
            t.step += steps
            t.epoch_step += steps

            now = time.monotonic()
            window.loss += t.sums.loss - before.loss
            window.correct += t.sums.correct - before.correct
            window.examples += len(chunk)
            window.seconds += now - started
            if now - window.opened >= METRICS_INTERVAL:
                report(
                    events.Metrics(
                        epoch=t.epoch,
                        step=t.step,
                        loss=window.loss / window.examples,
                        accuracy=window.correct / window.examples,
                        gradient_norm=gradient_norm,
                        learning_rate=t.config.optimizer.learning_rate,
                        images_per_second=window.examples / window.seconds,
                        seconds=clock.seconds,
                    )
                )
                window = Window(opened=now)
            # how long a chunk is never reaches the weights: sums and order do not depend on it
            chunk_steps = max(1, min(2 * chunk_steps, round(steps * CHUNK_SECONDS / (now - started))))
            if t.epoch_step == steps_per_epoch:
                break  # the epoch's end has its own look at commands, after validation
            t.replay_due(report)
            if not go_on():
                return False
        finish_epoch(t, keep, report, examples - began, began_seconds)
        t.replay_due(report)
        if not t.is_done and not go_on():
            return False
    final_evaluations(t, keep, report)
    return True


def finish_epoch(t: Trainer, keep: Retention, report: Report, images: int, began_seconds: float) -> None:
    """Validate, report, remember the best, save when due. `images` were trained on since `began_seconds`."""
    clock, examples = t.clock, len(t.splits.train)
    clock.enter("evaluation")
    training_seconds = clock.spent["training"] - began_seconds
    val_loss, val_accuracy = evaluate(t.model, t.splits.validation)
    if not math.isfinite(val_loss):
        raise DivergedError(f"the validation loss is not finite after epoch {t.epoch + 1}")
    clock.enter("training")
    t.epoch, t.epoch_step = t.epoch + 1, 0
    report(
        events.Epoch(
            epoch=t.epoch,
            step=t.step,
            train_loss=t.sums.loss / examples,
            train_accuracy=t.sums.correct / examples,
            val_loss=val_loss,
            val_accuracy=val_accuracy,
            learning_rate=t.config.optimizer.learning_rate,
            images_per_second=images / training_seconds,
            seconds=clock.seconds,
            training_seconds=clock.spent["training"],
            evaluation_seconds=clock.spent["evaluation"],
            saving_seconds=clock.spent["saving"],
        )
    )
    t.sums, t.val_accuracy = Sums(0.0, 0), val_accuracy
    t.path.restart(t.sums)
    policy = t.config.checkpoints
    clock.enter("saving")
    if t.best is None or val_accuracy > t.best.val_accuracy:
        t.best = Best(t.epoch, t.step, val_accuracy, val_loss)
        if policy.best:
            keep.keep_best(t.capture("best"))
    if policy.every_epochs and t.epoch % policy.every_epochs == 0:
        keep.save(t.capture("every", "last"))
    elif t.is_done or keep.is_due():
        keep.save(t.capture("last"))
    clock.enter("training")


def final_evaluations(t: Trainer, keep: Retention, report: Report) -> None:
    """Train and test with the final weights, test with the best epoch's, which the run then puts away again."""
    t.clock.enter("evaluation")
    final = t.capture()

    def measure(which: Literal["final", "best"], split: Literal["train", "test"], epoch: int, step: int) -> None:
        examples = t.splits.train if split == "train" else t.splits.test
        loss, accuracy = evaluate(t.model, examples)
        report(
            events.Evaluated(
                which=which,
                epoch=epoch,
                step=step,
                split=split,
                loss=loss,
                accuracy=accuracy,
                examples=len(examples),
            )
        )

    measure("final", "train", t.epoch, t.step)
    measure("final", "test", t.epoch, t.step)
    if t.best and (file := keep.best_file(final)):
        from tui_trainer.engine import checkpoint

        try:
            t.model.load_state_dict(checkpoint.read(file).part("model"))
        except InputError as error:
            report(events.Log(level="warning", message=f"best epoch not tested: {error}"))
        else:
            measure("best", "test", t.best.epoch, t.best.step)
            t.model.load_state_dict(final.part("model"))
    t.clock.enter("paused")
