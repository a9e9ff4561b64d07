"""A person's own file: what it holds, read once for as long as it does not change."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from tui_trainer.datasets.catalogue import OWN, SHUFFLED, Dataset
from tui_trainer.datasets.content import refuse_larger
from tui_trainer.files import open_regular, written
from tui_trainer.text import InputError, clean, reason

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Table:
    """A file's examples: `inputs` [n, inputs], `labels` [n] as indices into the data set's `class_names`."""

    dataset: Dataset
    inputs: NDArray[np.uint8] | NDArray[np.float32]
    labels: NDArray[np.int64]


def own_kind(file: str) -> str:
    """`csv` or `npz` by the file's ending, or an empty text."""
    ending = Path(file).suffix.lower().removeprefix(".")
    return ending if ending in OWN else ""


def own(kind: str, file: str, label_column: str) -> Dataset:
    """What a `.csv` or `.npz` file holds. Raises `InputError`, one line for each thing wrong with it."""
    return read_table(kind, file, label_column).dataset


def own_digest(kind: str, file: str, label_column: str) -> str:
    """sha256 over the examples of a file and the names of their classes, however it writes them."""
    import numpy as np

    table = read_table(kind, file, label_column)
    digest = hashlib.sha256("\n".join(table.dataset.class_names).encode())
    for values in (table.inputs, table.labels):
        digest.update(f"{values.dtype}{values.shape}".encode())
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()


def read_table(kind: str, file: str, label_column: str) -> Table:
    """The file's examples; not read again while path, modification time and size stay the same."""
    path = written(file)
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {reason(error)}") from None
    return _read(kind, path, label_column if kind == "csv" else "", found.st_ino, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=1)  # one: it may be gigabytes
def _read(kind: str, path: Path, label_column: str, *_version: int) -> Table:
    from tui_trainer.datasets import own_csv, own_npz

    try:
        with open_regular(path) as stream:
            refuse_larger(path, os.fstat(stream.fileno()).st_size)
            content = own_csv.read(path, stream, label_column) if kind == "csv" else own_npz.read(path, stream)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {reason(error)}") from None
    except MemoryError:
        raise InputError(f"{path}: does not fit into memory") from None
    inputs, count = content.inputs, len(content.labels)
    dataset = Dataset(
        name=kind,
        title=clean(path.name, 60),
        inputs=inputs[0].size,
        class_names=tuple(clean(name, 80) for name in content.class_names),
        splits=SHUFFLED,
        source=f"your own file {path}",
        image_shape=(inputs.shape[1], inputs.shape[2]) if inputs.ndim == 3 else None,
        maximum=255 if inputs.dtype == "uint8" else 1,
        count=count,
    )
    return Table(dataset, inputs.reshape(count, -1), content.labels)
