"""The learning-rate finder: train a little while the rate rises exponentially, and see where the loss falls.

Smith 2015, "Cyclical learning rates for training neural networks" (arXiv 1506.01186, section 3.3), with the smoothing,
the stop and the suggestions of fast.ai (2018–2020).
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from tui_trainer.engine.trainer import Trainer

BETA = 0.98  # weight of the past in the smoothed loss
DIVERGED = 4.0  # a smoothed loss so many times the best one ends the sweep
LAST = 5  # points left out of the suggestions, where the loss already explodes; so is the first tenth of the sweep


@dataclass
class Sweep:
    """Loss of each batch against the rate of the update that followed it, as measured and smoothed."""

    learning_rates: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    smoothed: list[float] = field(default_factory=list)

    def add(self, learning_rate: float, loss: float) -> None:
        """Smoothed by an exponential moving average, freed of its pull towards the zero it starts from."""
        count = len(self.losses)
        average = self.smoothed[-1] * (1 - BETA**count) if count else 0.0
        self.learning_rates.append(learning_rate)
        self.losses.append(loss)
        self.smoothed.append((BETA * average + (1 - BETA) * loss) / (1 - BETA ** (count + 1)))

    @property
    def diverged(self) -> bool:
        return self.smoothed[-1] > DIVERGED * min(self.smoothed)


def rates(low: float, high: float, steps: int) -> Iterator[float]:
    """From `low` to `high`, each the same factor above the one before."""
    return (low * (high / low) ** (step / (steps - 1)) for step in range(steps))


def sweep(trainer: Trainer, low: float, high: float, steps: int, tell: Callable[[Sweep], None]) -> Sweep:
    """Train `steps` updates, with `tell` after each. Ends early where the loss diverges or is no finite number.

    The rate is the last layer's; the others keep their proportion to it. The config's own schedule is left out.
    """
    t, done = trainer, Sweep()
    step_size = t.config.training.batch_size * t.config.training.accumulate
    order = t.begin_epoch()
    for rate in rates(low, high, steps):
        if t.epoch_step * step_size >= len(order):
            t.epoch, t.epoch_step = t.epoch + 1, 0
            order = t.begin_epoch()
        batch = order[t.epoch_step * step_size :][:step_size]
        t.path.run(batch, [rate / t.config.optimizer.learning_rate])
        before, (t.sums, _) = t.sums, t.path.read()
        t.epoch_step += 1
        if not math.isfinite(t.sums.loss):
            break
        done.add(rate, (t.sums.loss - before.loss) / len(batch))
        tell(done)
        if done.diverged:
            break
    return done


def suggestions(done: Sweep, steps: int) -> dict[str, float]:
    """Rates to try, by the name of their rule; none where the smoothed loss never fell.

    `steps` is how long the sweep was meant to be: its first tenth, still noise, and its last points do not count.
    """
    inner = slice(steps // 10, -LAST)
    learning_rates, losses = done.learning_rates[inner], done.smoothed[inner]
    if len(losses) < 3 or min(losses) >= losses[0]:
        return {}
    return {
        "steepest": learning_rates[steepest(learning_rates, losses)],
        "valley": learning_rates[valley(losses)],
        "minimum/10": learning_rates[losses.index(min(losses))] / 10,
    }


def steepest(learning_rates: Sequence[float], losses: Sequence[float]) -> int:
    """Where the loss falls fastest over the logarithm of the rate: the boldest progress per factor of the rate."""
    heights = [math.log(rate) for rate in learning_rates]
    slopes = [(losses[i + 1] - losses[i]) / (heights[i + 1] - heights[i]) for i in range(len(losses) - 1)]
    return slopes.index(min(slopes))


def valley(losses: Sequence[float]) -> int:
    """The middle of the longest way down, well before the loss turns up: fast.ai's default since 2021.

    The longest strictly falling subsequence of n losses that ends first; as fast.ai counts, the way down is the n
    points up to its last one.
    """
    falling: list[float] = []  # of each length, the negated end of the subsequence that ends lowest so far
    end = 0
    for index, loss in enumerate(losses):
        length = bisect_left(falling, -loss)
        if length == len(falling):
            falling.append(-loss)
            end = index
        else:
            falling[length] = -loss
    return max(0, end - len(falling) // 2)
