"""The training loop, which reads from top to bottom."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import torch

from tui_trainer.engine import checkpoint
from tui_trainer.engine.checkpoint import Best, Snapshot
from tui_trainer.engine.evaluate import evaluate
from tui_trainer.engine.pictures import Pictures
from tui_trainer.engine.step import Sums
from tui_trainer.engine.trainer import DivergedError, Trainer
from tui_trainer.runs import events
from tui_trainer.text import InputError

CHUNK_SECONDS = 0.075
METRICS_INTERVAL = 0.1
Report = Callable[[events.AnyEvent], None]


class Keeper(Protocol):
    """What the loop asks of whoever keeps checkpoints."""

    def keep_best(self, snapshot: Snapshot) -> None: ...
    def is_due(self) -> bool: ...
    def save(self, snapshot: Snapshot) -> str: ...
    def best_file(self, snapshot: Snapshot) -> Path | None: ...


class NothingKept:
    """A keeper that writes no checkpoints."""

    def keep_best(self, snapshot: Snapshot) -> None: ...

    def is_due(self) -> bool:
        return False

    def save(self, snapshot: Snapshot) -> str:
        return ""

    def best_file(self, snapshot: Snapshot) -> Path | None:
        return None


@dataclass
class Window:
    """What happened since the last `Metrics` event."""

    loss: float = 0.0
    correct: int = 0
    examples: int = 0
    seconds: float = 0.0
    opened: float = -math.inf


def replay_due(t: Trainer, report: Report) -> None:
    """Make again the live changes that took effect here before a crash threw the run back."""
    while t.due:
        wish = t.pending.pop(0)
        t.change(wish)
        report(
            events.Applied(
                id=wish.id, command="set", epoch=t.epoch, step=t.step, message="as before", changes=wish.changes
            )
        )


def train(trainer: Trainer, keep: Keeper, report: Report, go_on: Callable[[], bool]) -> bool:
    """Train to the last epoch. `go_on` is asked between chunks: it carries out commands, and False ends the run here.

    Returns whether the run was finished. Raises `DivergedError` as soon as a chunk's loss is not finite.
    """
    t, clock = trainer, trainer.clock
    step_size = t.config.training.batch_size * t.config.training.accumulate
    chunk_steps = 1
    window, pictures = Window(), Pictures()
    clock.enter("training")
    replay_due(t, report)
    while t.epoch_step or not (t.is_done or t.stops_early):  # an epoch that has begun is brought to its end
        order = t.begin_epoch()
        began, began_seconds = t.epoch_step * step_size, clock.spent["training"]
        while t.steps_left_in_epoch():
            started = time.monotonic()
            steps = min(chunk_steps, t.steps_left_in_epoch())
            if t.pending and t.pending[0].step > t.step:
                steps = min(steps, t.pending[0].step - t.step)
            chunk = order[t.epoch_step * step_size : (t.epoch_step + steps) * step_size]
            t.path.run(chunk, t.factors(steps))
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
                        learning_rate=t.learning_rate,
                        images_per_second=window.examples / window.seconds,
                        seconds=clock.seconds,
                    )
                )
                window = Window(opened=now)
            # how long a chunk is never reaches the weights: sums and order do not depend on it
            chunk_steps = max(1, min(2 * chunk_steps, round(steps * CHUNK_SECONDS / (now - started))))
            if not t.steps_left_in_epoch():
                break  # the epoch's end has its own look at commands, after validation
            replay_due(t, report)
            if not go_on():
                return False
        trained_on = min(t.epoch_step * step_size, len(order))
        images_per_second = (trained_on - began) / (clock_training(t) - began_seconds)
        finish_epoch(t, keep, report, pictures, trained_on, images_per_second)
        replay_due(t, report)
        if not (t.is_done or t.stops_early) and not go_on():
            return False
    final_evaluations(t, report, keep)
    return True


def clock_training(t: Trainer) -> float:
    """Seconds spent training so far; what follows is evaluation."""
    t.clock.enter("evaluation")
    return t.clock.spent["training"]


def finish_epoch(
    t: Trainer, keep: Keeper, report: Report, pictures: Pictures, examples: int, images_per_second: float
) -> None:
    """Validate, report, remember the best, save when due. The epoch trained on `examples`."""
    clock = t.clock
    answers: list[torch.Tensor] = []
    val_loss, val_accuracy = evaluate(t.model, t.splits.validation, answers=answers)
    if not math.isfinite(val_loss):
        raise DivergedError(f"the validation loss is not finite after epoch {t.epoch + 1}")
    clock.enter("training")
    learning_rate = t.learning_rate
    t.epoch, t.epoch_step = t.epoch + 1, 0
    report(
        events.Epoch(
            epoch=t.epoch,
            step=t.step,
            train_loss=t.sums.loss / examples,
            train_accuracy=t.sums.correct / examples,
            val_loss=val_loss,
            val_accuracy=val_accuracy,
            learning_rate=learning_rate,
            images_per_second=images_per_second,
            seconds=clock.seconds,
            training_seconds=clock.spent["training"],
            evaluation_seconds=clock.spent["evaluation"],
            saving_seconds=clock.spent["saving"],
        )
    )
    t.sums, t.val_accuracy = Sums(0.0, 0), val_accuracy
    t.path.restart(t.sums)
    t.watch(val_loss, val_accuracy)
    if t.early_stop_epoch == t.epoch:
        early = t.config.early_stopping
        report(events.EarlyStop(epoch=t.epoch, best_epoch=t.early.best_epoch, metric=early.metric))
    for picture in pictures.due(t, answers, last=t.is_done or t.stops_early):
        report(picture)
    policy = t.config.checkpoints
    clock.enter("saving")
    if t.best is None or val_accuracy > t.best.val_accuracy:
        t.best = Best(t.epoch, t.step, val_accuracy, val_loss)
        if policy.best:
            keep.keep_best(t.capture("best"))
    if policy.every_epochs and t.epoch % policy.every_epochs == 0:
        keep.save(t.capture("every", "last"))
    elif t.is_done or t.stops_early or keep.is_due():
        keep.save(t.capture("last"))
    clock.enter("training")


def final_evaluations(t: Trainer, report: Report, keep: Keeper) -> None:
    """Train and test with the final weights, test with the best epoch's, which the run then puts away again."""
    t.clock.enter("evaluation")
    final = t.capture()

    def measure(which: Literal["final", "best"], split: Literal["train", "test"], epoch: int, step: int) -> None:
        examples = t.splits.train if split == "train" else t.splits.test
        loss, accuracy = evaluate(t.model, examples)
        report(
            events.Evaluated(
                which=which, epoch=epoch, step=step, split=split, loss=loss, accuracy=accuracy, examples=len(examples)
            )
        )

    measure("final", "train", t.epoch, t.step)
    measure("final", "test", t.epoch, t.step)
    if t.best and (file := keep.best_file(final)):
        try:
            t.model.load_state_dict(checkpoint.read(file).part("model"))
        except InputError as error:
            report(events.Log(level="warning", message=f"best epoch not tested: {error}"))
        else:
            measure("best", "test", t.best.epoch, t.best.step)
            t.model.load_state_dict(final.part("model"))
    t.clock.enter("paused")
