"""What a person's own file may hold, however it is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tui_trainer.text import InputError, size

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LARGEST = 4 << 30  # bytes, of a file and of what it unpacks to
MOST_CLASSES = 10_000


@dataclass(frozen=True)
class Content:
    """What a reader found: inputs [n, …], labels [n] within [0, classes)."""

    inputs: NDArray[np.uint8] | NDArray[np.float32]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]


def refuse_larger(path: Path, count: int) -> None:
    if count > LARGEST:
        raise InputError(f"{path}: {size(count)} is more than the {size(LARGEST)} that a file of your own may have")


def check_classes(path: Path, where: str, count: int) -> None:
    """A classifier needs two classes; more than some thousands are a mistaken column."""
    if count < 2:
        raise InputError(f"{path}: {where} holds one class only; training needs at least 2")
    if count > MOST_CLASSES:
        raise InputError(f"{path}: {where} holds more than {MOST_CLASSES:,} classes; is it the column of the labels?")
