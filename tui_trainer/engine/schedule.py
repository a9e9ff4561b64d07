"""The learning rate over a training: a function of where it stands, with memory of validation where needed."""

import math

import msgspec

from tui_trainer.config import RunConfig, groups


class Patience(msgspec.Struct):
    """Watches a metric: how long it has not got better."""

    best: float | None = None
    best_epoch: int = 0
    waited: int = 0

    def look(self, metric: str, value: float, min_delta: float, epoch: int) -> None:
        """Take an epoch's value in. Accuracies should rise, losses fall, by more than `min_delta`."""
        sign = 1 if metric == "val_accuracy" else -1
        if self.best is None or sign * (value - self.best) > min_delta:
            self.best, self.best_epoch, self.waited = value, epoch, 0
        else:
            self.waited += 1


def factors(config: RunConfig, first: int, count: int, falls: int = 0) -> list[float]:
    """What the learning rate is multiplied by for `count` updates, of which the first comes after `first` updates.

    `falls`: how often a plateau has lowered it. Formulas are PyTorch's of the same name (StepLR, MultiStepLR,
    ExponentialLR, CosineAnnealingLR and -WarmRestarts, OneCycleLR with cosine annealing, ReduceLROnPlateau), behind a
    straight warm-up that reaches the schedule's first value with its last step.
    """
    schedule, per_epoch, horizon = config.schedule, config.steps_per_epoch, config.total_steps
    if isinstance(schedule, groups.OneCycle):
        return [one_cycle(schedule, step, horizon) for step in range(first, first + count)]
    warmup = round(schedule.warmup_epochs * per_epoch)
    if isinstance(schedule, groups.Constant) and first >= warmup:
        return [1.0] * count
    return [
        (step + 1) / warmup if step < warmup else _factor(schedule, step, warmup, per_epoch, horizon, falls)
        for step in range(first, first + count)
    ]


def _factor(schedule: groups.AnySchedule, step: int, warmup: int, per_epoch: int, horizon: int, falls: int) -> float:
    epoch = step // per_epoch
    match schedule:
        case groups.StepDecay():
            return schedule.gamma ** (epoch // schedule.every_epochs)
        case groups.MultiStep():
            return schedule.gamma ** sum(epoch >= milestone for milestone in schedule.milestones)
        case groups.Exponential():
            return schedule.gamma ** (step - warmup if schedule.per == "step" else (step - warmup) // per_epoch)
        case groups.Cosine():
            done, length = step - warmup, max(1, horizon - warmup)
            if schedule.per == "epoch":
                done, length = done // per_epoch, max(1, -(-length // per_epoch))
            cycle = length / schedule.cycles
            position = done % cycle if done < length else cycle
            return schedule.final_share + (1 - schedule.final_share) * (1 + math.cos(math.pi * position / cycle)) / 2
        case groups.Plateau():
            return schedule.gamma**falls
    return 1.0


def one_cycle(schedule: groups.OneCycle, step: int, horizon: int) -> float:
    """Up along a cosine from peak/start_divisor, down to that over final_divisor (Smith & Topin 2017)."""
    start = 1 / schedule.start_divisor
    end = start / schedule.final_divisor
    top = schedule.rise * horizon - 1
    step = min(step, horizon - 1)
    if step <= top:
        low, high, share = start, 1.0, step / top if top else 1.0
    else:
        low, high, share = 1.0, end, (step - top) / (horizon - 1 - top)
    return high + (low - high) * (1 + math.cos(math.pi * share)) / 2
