"""Measures: the numbers of a run by name, with their titles and units."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tui_trainer.runs.state import RunState
from tui_trainer.text import InputError, duration, nearest, rate

Unit = Literal["", "%", "s", "epoch", "images/s", "parameters"]
DECIMALS: Mapping[Unit, int] = {"": 4, "%": 2, "epoch": 0, "parameters": 0}


@dataclass(frozen=True)
class Measure:
    """What a number is called and how it is written. Accuracies are fractions, their unit is %."""

    title: str
    unit: Unit = ""

    @property
    def is_timing(self) -> bool:
        """Does it depend on the machine and on what else runs there?"""
        return self.unit in ("s", "images/s")

    def text(self, value: float | None, deviation: float | None = None) -> str:
        """`97.86 %`, `97.86 ± 0.07 %`, `12:05`, `54.9 k images/s`; a dash where there is no number."""
        if value is None:
            return "–"
        if not math.isfinite(value):
            return str(value)
        if self.unit == "s":
            return duration(value) + (f" ± {_seconds(deviation)}" if deviation is not None else "")
        if self.unit == "images/s":
            return rate(value, deviation)
        number = self._number(value, value)
        spread = f" ± {self._number(deviation, value)}" if deviation is not None else ""
        return f"{number}{spread}{' %' if self.unit == '%' else ''}"

    def difference(self, value: float) -> str:
        """With its sign: `+0.31 points`, `-12.0 s`; of a throughput `-1.2 k`, as it stands beside one."""
        if self.unit == "images/s":
            return f"{'-' if value < 0 else '+'}{rate(abs(value)).removesuffix(' images/s')}"
        number = _seconds(abs(value)) if self.unit == "s" else self._number(abs(value), value)
        sign = "-" if value < 0 and number.strip("0.,") else "+"  # no minus before what rounds to nothing
        return f"{sign}{number}{' points' if self.unit == '%' else ''}"

    def _number(self, value: float, beside: float) -> str:
        """`value` with as many decimals as `beside`, the number it belongs to, is worth."""
        decimals = DECIMALS[self.unit]
        match self.unit:
            case "%":
                value *= 100
            case "epoch" | "parameters" if value != int(value):
                decimals = 1
            case "" if abs(beside) >= 10:
                decimals = 1
            case "" if 0 < abs(beside) < 0.001:
                return f"{value:.2e}"
        return f"{value:,.{decimals}f}"


MEASURES: dict[str, Measure] = {
    "train_loss": Measure("training loss"),
    "train_accuracy": Measure("training accuracy", "%"),
    "train_accuracy_evaluated": Measure("training accuracy, final weights", "%"),
    "val_loss": Measure("validation loss"),
    "val_accuracy": Measure("validation accuracy", "%"),
    "test_loss": Measure("test loss"),
    "test_accuracy": Measure("test accuracy", "%"),
    "best_epoch": Measure("best epoch", "epoch"),
    "best_val_accuracy": Measure("best validation accuracy", "%"),
    "best_test_accuracy": Measure("test accuracy of the best epoch", "%"),
    "early_stop_epoch": Measure("early stopping", "epoch"),
    "seconds": Measure("time", "s"),
    "training_seconds": Measure("time in training", "s"),
    "evaluation_seconds": Measure("time in evaluation", "s"),
    "images_per_second": Measure("throughput", "images/s"),
    "parameters": Measure("parameters", "parameters"),
}
"""`best_epoch` is the lab's early stopping epoch: the first epoch of highest validation accuracy. `train_accuracy` is
the mean within the last epoch. `seconds`: training, validation and saving, without pauses."""
PER_EPOCH: dict[str, Measure] = {
    "train_loss": MEASURES["train_loss"],
    "train_accuracy": MEASURES["train_accuracy"],
    "val_loss": MEASURES["val_loss"],
    "val_accuracy": MEASURES["val_accuracy"],
    "learning_rate": Measure("learning rate"),
    "images_per_second": MEASURES["images_per_second"],
    "seconds": MEASURES["seconds"],
    "training_seconds": MEASURES["training_seconds"],
    "evaluation_seconds": MEASURES["evaluation_seconds"],
}
"""Known after every epoch: fields of `events.Epoch`."""
ACCURACIES = ("train_accuracy_evaluated", "val_accuracy", "test_accuracy", "best_test_accuracy")
_AT_EPOCH = re.compile(r"([a-z_]+)@([1-9][0-9]{0,6})")


def _seconds(value: float) -> str:
    """A difference of times, or their spread: `72.4 s`."""
    return duration(value) if value < 10 else f"{value:.1f} s"


def is_measure(name: str) -> bool:
    """Is it a name of `MEASURES`, one after an epoch as `val_loss@3`, or `sharpness@0.001`?"""
    try:
        measure(name)
    except InputError:
        return False
    return True


def measure(name: str) -> Measure:
    """The measure of this name. Raises `InputError` with the nearest known name."""
    if name in MEASURES:
        return MEASURES[name]
    base, epoch = at_epoch(name)
    if base:
        return Measure(f"{PER_EPOCH[base].title}, epoch {epoch}", PER_EPOCH[base].unit)
    if (epsilon := sharpness_epsilon(name)) is not None:
        return Measure(f"sharpness φ({epsilon:g})")
    raise InputError(f"{name[:80]!r} is no measure{nearest(name, [*MEASURES, 'sharpness@0.001'])}")


def at_epoch(name: str) -> tuple[str, int]:
    """`val_loss@3` → ("val_loss", 3); ("", 0) where it is no such name."""
    found = _AT_EPOCH.fullmatch(name)
    return (found[1], int(found[2])) if found and found[1] in PER_EPOCH else ("", 0)


def sharpness_epsilon(name: str) -> float | None:
    """`sharpness@0.001` → 0.001; None where it is no such name."""
    kind, _, text = name.partition("@")
    try:
        epsilon = float(text) if kind == "sharpness" else 0.0
    except ValueError:
        return None
    return epsilon if 0 < epsilon < math.inf else None


def value(state: RunState, name: str, sharpness: Mapping[str, Any] | None = None) -> float | None:
    """The measure `name` of a run; None where it has not been measured.

    `sharpness`: the run's φ by ε, as a study's analysis wrote it.
    """
    base, number = at_epoch(name)
    if base:
        return next((float(getattr(epoch, base)) for epoch in state.epochs_done if epoch.epoch == number), None)
    if (epsilon := sharpness_epsilon(name)) is not None:
        found = (phi for text, phi in (sharpness or {}).items() if math.isclose(float(text), epsilon))
        return next(found, None)
    return state.numbers().get(name)
