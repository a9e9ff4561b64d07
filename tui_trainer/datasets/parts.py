"""A data set loaded and cut into train, validation and test."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tui_trainer.datasets import idx, own_file, toys
from tui_trainer.datasets.catalogue import OWN, Dataset, Split, dataset, split_sizes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Inputs = NDArray[np.uint8] | NDArray[np.float32]


class Choice(Protocol):
    """What a config says about data: the fields of its `data` table."""

    @property
    def name(self) -> str: ...
    @property
    def file(self) -> str: ...
    @property
    def label_column(self) -> str: ...
    @property
    def split(self) -> str: ...
    @property
    def train_size(self) -> int: ...
    @property
    def examples(self) -> int: ...
    @property
    def spread(self) -> float: ...


@dataclass(frozen=True)
class Part:
    """Inputs [n, inputs], uint8 for pixels and float32 for anything else; labels [n] of int64, within the classes."""

    images: Inputs
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Parts:
    """`dataset` says by what to divide the inputs. With `split.validation_is_test`, both are the same object."""

    train: Part
    validation: Part
    test: Part
    dataset: Dataset
    split: Split


def load(data: Choice, root: Path) -> Parts:
    """Train, validation and test part of the chosen data, inputs flattened; views where the cut allows it.

    Raises `InputError` when files are absent or unsound.
    """
    entry, whole, test = _read(data, root)
    name = entry.default_split if data.split == "auto" else data.split
    full = split_sizes(entry, name, data.examples)
    split = full.limited(data.train_size) if data.train_size else full
    images, labels = whole.images, whole.labels
    train = Part(images[: split.train], labels[: split.train])
    held_out = slice(full.train, full.train + full.validation)
    if test is None:
        rest = slice(held_out.stop, None)
        test = whole if full.validation_is_test else Part(images[rest], labels[rest])
    validation = test if full.validation_is_test else Part(images[held_out], labels[held_out])
    return Parts(train, validation, test, entry, split)


def _read(data: Choice, root: Path) -> tuple[Dataset, Part, Part | None]:
    """The data set, all its examples in their order, and the test part where the data set comes with one."""
    import numpy as np

    if data.name in OWN:
        table = own_file.read_table(data.name, data.file, data.label_column)
        return table.dataset, _shuffled(table.inputs, table.labels), None
    entry = dataset(data.name)
    if entry.files:
        arrays = idx.read(entry, root)
        train, test = (_part_of_idx(entry, arrays[f"{p}_images"], arrays[f"{p}_labels"]) for p in ("train", "test"))
        return entry, train, test
    if data.name == "digits":
        digits = _bundled_digits()
        return entry, _shuffled(digits[:, :-1].astype(np.uint8), digits[:, -1].astype(np.int64)), None
    return entry, Part(*toys.draw(data.name, data.examples, data.spread)), None


def _bundled_digits() -> NDArray[np.float64]:
    """scikit-learn's digits, [1797, 65], the class last: read where they lie, since importing it takes a second."""
    import numpy as np

    package = find_spec("sklearn")
    for folder in package.submodule_search_locations or () if package else ():
        file = Path(folder) / "datasets" / "data" / "digits.csv.gz"
        if file.is_file():
            return np.loadtxt(file, delimiter=",")
    from sklearn.datasets import load_digits  # they have moved; it knows where

    bundled = load_digits()
    return np.column_stack([bundled.data, bundled.target])


def _part_of_idx(entry: Dataset, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Part:
    import numpy as np

    upright = images.transpose(0, 2, 1) if entry.transposed else images
    return Part(upright.reshape(-1, entry.inputs), labels.astype(np.int64) - entry.first_label)


def _shuffled(inputs: Inputs, labels: NDArray[np.int64]) -> Part:
    import numpy as np

    # RandomState's stream is frozen by NumPy's policy, so this cut is the same everywhere
    order = np.random.RandomState(toys.SEED).permutation(len(labels))
    return Part(inputs[order], labels[order])
