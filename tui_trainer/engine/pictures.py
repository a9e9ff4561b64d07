"""What a person sees of a training besides its numbers: drawn now and then, and never read by the training."""

import math
import time
from collections.abc import Iterator, Sequence

import torch

from tui_trainer.engine import boundary, neurons
from tui_trainer.engine.evaluate import confusion
from tui_trainer.engine.trainer import Trainer
from tui_trainer.runs import events


class Pace:
    """When it is time again: after `least` seconds, or `share` of those since the last live change, if that is longer.

    So what costs room in the log comes quickly where much happens, and an hour writes megabytes, not hundreds.
    """

    def __init__(self, least: float, share: float = 0.0) -> None:
        self.least, self.share = least, share
        self.began, self.last = time.monotonic(), -math.inf

    def restart(self) -> None:
        self.began = time.monotonic()

    def is_due(self) -> bool:
        now = time.monotonic()
        due = now - self.last >= max(self.least, self.share * (now - self.began))
        if due:
            self.last = now
        return due


class Pictures:
    """The pictures of one training, each at its own pace and after the last epoch."""

    def __init__(self) -> None:
        self.boundary, self.neurons, self.confusion = Pace(0.5), Pace(0.5, 0.02), Pace(1.0, 0.02)
        self.changes = 0

    def due(self, t: Trainer, answers: Sequence[torch.Tensor], last: bool) -> Iterator[events.AnyEvent]:
        """Those that it is time for, after an epoch, which may be the last one.

        `answers`: the classes answered in its validation, batch by batch.
        """
        if len(t.applied) != self.changes:
            self.changes = len(t.applied)
            self.neurons.restart()
            self.confusion.restart()
        classes = t.config.layer_sizes[-1]
        if classes <= events.MOST_CLASSES and (self.confusion.is_due() or last):
            counts = confusion(t.splits.validation.labels, torch.cat(list(answers)), classes).tolist()
            yield events.Confusion(epoch=t.epoch, step=t.step, split="validation", counts=counts)
        train = t.splits.train
        if train.images.shape[1] != 2:
            return
        if self.boundary.is_due() or last:
            yield boundary.draw(t.model, train, t.epoch, t.step)
        if self.neurons.is_due() or last:
            yield neurons.draw(t.model, train, t.epoch, t.step)
