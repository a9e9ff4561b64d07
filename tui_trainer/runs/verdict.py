"""The verdict on a run's curves in words, with the numbers it was decided from.

The rule, on the losses of the epochs, each smoothed by a median over a tenth of them (3 to 9 epochs):

1. *diverged*: the run ended with a loss that is not finite; or the training loss stands above where it began and at
   more than twice its least, by more than its margin of noise; or a loss was once more than twice that of guessing,
   neither is now better than guessing by 2 %, and for as long as makes a plateau the training loss has not fallen by
   20 %. Guessing costs the logarithm of the number of classes: a network that exploded ends there, or above.
2. *too early to say*: fewer than 5 epochs.
3. *overfitting*: the validation loss stands above its least by more than the margin of a rise, and the training loss
   below what it was then. Since the epoch of the least.
4. *plateaued*: for a quarter of the epochs, 3 at least, the validation loss has been no better by more than the
   margin of a fall. At the first epoch within that margin of the least. Where the accuracies did not change by a
   single example in all that time, and the training loss is no less than that of always answering the shares of the
   classes, the network answers one class to all: on imbalanced data the accuracy alone looks like success.
5. *still improving*: otherwise.

The margins are 5 % of the least for a rise and 2 % for a fall, but never less than 0.5 % and 0.2 % of the first
epoch's loss, or of guessing's where the first is greater, nor than what the noise of the curve alone would make: four
deviations of a smoothed point. Noise is measured twice, as of one size everywhere and as in proportion to the loss, and
the lesser counts: a loss that has exploded is noisier by as much as it is greater.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median
from typing import TYPE_CHECKING, Literal, get_args

from tui_trainer.text import loss, percent, plural

if TYPE_CHECKING:
    from tui_trainer.runs.events import Epoch
    from tui_trainer.runs.state import RunState

Word = Literal["too early to say", "still improving", "plateaued", "overfitting", "diverged"]
WORDS: tuple[str, ...] = get_args(Word)
FEWEST_EPOCHS = 5
LEAST_WINDOW, MOST_WINDOW = 3, 9  # epochs
PATIENCE = 0.25  # of the epochs
LEAST_PATIENCE = 3  # epochs
RISE, FALL = 0.05, 0.02  # of the least loss
RISE_OF_FIRST, FALL_OF_FIRST = 0.005, 0.002
EXPLODED = 2.0  # of the loss of guessing
STANDS = 0.2  # of the least loss, less than a healthy one falls from so high
SMALLEST = 1e-12  # a loss as good as none
MOST_FACTOR = 700.0  # whose exponential is still a number
MEDIAN_TO_MEAN = 1.25  # deviation of a median over that of a mean
FROM_MEDIAN = 0.564  # mean distance of a point from the median of itself and its neighbours, in deviations


@dataclass(frozen=True)
class Verdict:
    """`epoch`: since when, where the word has a beginning."""

    word: Word
    epoch: int | None
    reason: str

    def __str__(self) -> str:
        """`overfitting since epoch 18`."""
        if self.epoch is None:
            return self.word
        return f"{self.word} {'at' if self.word == 'plateaued' else 'since'} epoch {self.epoch}"


def verdict(state: RunState) -> Verdict:
    """The verdict on the epochs so far. Takes microseconds an epoch: ask again only when one has been completed."""
    done = state.epochs_done
    if state.status == "failed" and "not finite" in state.reason:
        return Verdict("diverged", done[-1].epoch if done else None, state.reason)
    if len(done) < FEWEST_EPOCHS:
        return Verdict("too early to say", None, f"{plural(len(done), 'epoch')} done; {FEWEST_EPOCHS} are the fewest")
    epochs = [epoch.epoch for epoch in done]
    sizes = state.started.layer_sizes if state.started else []
    guessing = math.log(sizes[-1]) if sizes and sizes[-1] > 1 else math.inf  # whatever a foreign log says
    found = judge(epochs, [epoch.train_loss for epoch in done], [epoch.val_loss for epoch in done], guessing)
    if found.word == "plateaued" and one_answer(last := done[-patience_of(len(done)) :]):
        words = f"{percent(last[-1].train_accuracy)} in training and {percent(last[-1].val_accuracy)} in validation"
        stands = f"accuracy stood at exactly {words} over the last {plural(len(last), 'epoch')}"
        return replace(found, reason=f"{found.reason}; {stands}: one answer to all, it seems")
    return found


def one_answer(last: Sequence[Epoch]) -> bool:
    """Whether a network seems to answer one class to all: accuracies without change, a loss that knows no better."""
    accuracy = last[-1].train_accuracy
    if len({(epoch.train_accuracy, epoch.val_accuracy) for epoch in last}) > 1 or not 0 < accuracy < 1:
        return False
    rest = 1 - accuracy  # the shares of other classes are not known: what costs least, all of them in one
    knowing = -accuracy * math.log(accuracy) - rest * math.log(rest) if accuracy > 0.5 else -math.log(accuracy)
    return last[-1].train_loss > (1 - FALL) * knowing


def patience_of(epochs: int) -> int:
    """For how many of them a loss must not fall to have plateaued."""
    return max(LEAST_PATIENCE, round(PATIENCE * epochs))


def judge(
    epochs: Sequence[int], train: Sequence[float], validation: Sequence[float], guessing: float = math.inf
) -> Verdict:
    """The verdict on two curves of one length, `FEWEST_EPOCHS` or more, whose points are finite.

    `guessing`: the loss of a network that finds all classes equally likely, where the number of classes is known.
    """
    window = min(max(LEAST_WINDOW, len(epochs) // 10), MOST_WINDOW) | 1  # odd: as many on either side
    patience = patience_of(len(epochs))
    fit, val = smooth(train, window), smooth(validation, window)
    lowest = _least(fit)
    if fit[-1] > max(fit[0], 2 * fit[lowest]) and fit[-1] - fit[lowest] > noise(train, window):
        words = f"training loss rose from its least {loss(fit[lowest])} at epoch {epochs[lowest]} to {loss(fit[-1])}"
        return Verdict("diverged", epochs[lowest], f"{words}, above the {loss(fit[0])} it began with")
    no_better = (1 - FALL) * guessing
    worst = [max(losses) for losses in zip(train, validation, strict=True)]
    stands = len(epochs) - 1 - _reached(fit, STANDS * fit[lowest]) >= patience
    if max(worst) > EXPLODED * guessing and min(fit[-1], val[-1]) > no_better and stands:
        at = lowest if fit[lowest] < no_better else next(i for i, w in enumerate(worst) if w > EXPLODED * guessing)
        words = f"the loss was up to {loss(max(worst))}, and training loss stands at {loss(fit[-1])}"
        return Verdict("diverged", epochs[at], f"{words}, no better than the {loss(guessing)} of guessing")

    first = min(val[0], guessing)
    best, spread = _least(val), noise(validation, window)
    least, now = val[best], val[-1]
    if now - least > max(RISE * least, RISE_OF_FIRST * first, spread) and fit[-1] < fit[best]:
        rise = f"rose {_percent(now / least - 1) if least else f'to {loss(now)}'}"
        return Verdict(
            "overfitting",
            epochs[best],
            f"validation loss {rise} from its least {loss(least)} at epoch {epochs[best]}, "
            f"while training loss fell from {loss(fit[best])} to {loss(fit[-1])}",
        )

    margin = max(FALL * least, FALL_OF_FIRST * first, spread)
    reached = _reached(val, margin)
    since = len(epochs) - 1 - reached
    if since >= patience:
        return Verdict(
            "plateaued",
            epochs[reached],
            f"validation loss was {loss(val[reached])} at epoch {epochs[reached]} "
            f"and fell by no more than {loss(margin)} in the {plural(since, 'epoch')} since",
        )
    before = val[-1 - patience]
    return Verdict(
        "still improving",
        None,
        f"validation loss went from {loss(before)} to {loss(now)} in the last {plural(patience, 'epoch')}",
    )


def smooth(values: Sequence[float], window: int) -> list[float]:
    """Running medians over `window` points, an odd number; at the ends those of the first and last whole window."""
    half = window // 2
    last = len(values) - half - 1
    return [median(values[max(0, min(i, last) - half) : max(i, half) + half + 1]) for i in range(len(values))]


def noise(values: Sequence[float], window: int) -> float:
    """How far a median over `window` points may lie above the least of all by noise alone.

    A curve that only falls or only rises has none, however it bends.
    """
    least = max(min(smooth(values, window)), SMALLEST)
    factor = _noise([math.log(max(value, SMALLEST)) for value in values], window)
    return min(_noise(values, window), least * math.expm1(min(factor, MOST_FACTOR)))


def _noise(values: Sequence[float], window: int) -> float:
    apart = [abs(b - median((a, b, c))) for a, b, c in zip(values, values[1:], values[2:], strict=False)]
    deviation = max(fmean(apart), fmean(apart[len(apart) // 2 :])) / FROM_MEDIAN  # the first half often only falls
    least_of_many = math.sqrt(2 * math.log(len(values)))  # deviations below the mean, on average
    return (least_of_many + 2.5) * MEDIAN_TO_MEAN * deviation / math.sqrt(window)


def _reached(values: Sequence[float], margin: float) -> int:
    """Where a curve first came as near to its least as this."""
    limit = min(values) + margin
    return next(i for i, value in enumerate(values) if value <= limit)


def _least(values: Sequence[float]) -> int:
    return min(range(len(values)), key=values.__getitem__)


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.3g} %"
