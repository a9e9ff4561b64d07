"""The data sets: what they are, where they lie, whether they are sound, and their splits. Never imports torch."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from tui_trainer.files import open_regular
from tui_trainer.text import InputError, nearest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Split:
    """How many examples each part gets, and how they are cut."""

    train: int
    validation: int
    test: int
    description: str
    validation_is_test: bool = False


@dataclass(frozen=True)
class IdxFile:
    """One IDX file: its name without `.gz`, the shape it must have, and the sha256 of its uncompressed bytes."""

    name: str
    shape: tuple[int, ...]
    sha256: str


@dataclass(frozen=True)
class Dataset:
    """One entry of the catalogue. `maximum` is the brightest pixel value: dividing by it gives [0, 1]."""

    name: str
    title: str
    image_shape: tuple[int, int]
    classes: int
    maximum: int
    splits: dict[str, Split]
    source: str
    folder: str = ""
    torchvision: str = ""
    download_bytes: int = 0
    files: dict[str, IdxFile] = field(default_factory=dict)

    @property
    def inputs(self) -> int:
        """Numbers in one flattened image."""
        return self.image_shape[0] * self.image_shape[1]

    @property
    def default_split(self) -> str:
        return next(iter(self.splits))


@dataclass(frozen=True)
class Part:
    """Images [n, inputs] of uint8, labels [n] of int64."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


@dataclass(frozen=True)
class Parts:
    train: Part
    validation: Part
    test: Part


CATALOGUE = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            name="digits",
            title="handwritten digits, 8×8, 16 grey levels",
            image_shape=(8, 8),
            classes=10,
            maximum=16,
            splits={"70-15-15": Split(1257, 270, 270, "70 % train, 15 % validation, 15 % test, shuffled once")},
            source="scikit-learn's bundled copy of the UCI digits; no download",
        ),
        Dataset(
            name="mnist",
            title="MNIST handwritten digits, 28×28, 256 grey levels",
            image_shape=(28, 28),
            classes=10,
            maximum=255,
            splits={
                "60k-10k": Split(
                    60_000,
                    10_000,
                    10_000,
                    "all 60,000 for training; validation is the test set",
                    validation_is_test=True,
                ),
                "50k-10k-10k": Split(50_000, 10_000, 10_000, "first 50,000 train, last 10,000 validation, 10,000 test"),
            },
            source="IDX files, downloaded through torchvision when absent (11 MiB)",
            folder="MNIST/raw",
            torchvision="MNIST",
            download_bytes=11_594_722,
            files={
                "train_images": IdxFile(
                    "train-images-idx3-ubyte",
                    (60_000, 28, 28),
                    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                ),
                "train_labels": IdxFile(
                    "train-labels-idx1-ubyte",
                    (60_000,),
                    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                ),
                "test_images": IdxFile(
                    "t10k-images-idx3-ubyte",
                    (10_000, 28, 28),
                    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                ),
                "test_labels": IdxFile(
                    "t10k-labels-idx1-ubyte",
                    (10_000,),
                    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
                ),
            },
        ),
    )
}


def dataset(name: str) -> Dataset:
    """The catalogue's entry, or an `InputError` with the nearest known name."""
    if name not in CATALOGUE:
        raise InputError(f"data set {name!r} is unknown{nearest(name, CATALOGUE)}; known: {', '.join(CATALOGUE)}")
    return CATALOGUE[name]


def data_root(override: Path | None = None) -> Path:
    """`--data`, else `$TUI_TRAINER_DATA`, else the user's cache directory."""
    if override is not None:
        return override
    if named := os.environ.get("TUI_TRAINER_DATA"):
        return Path(named)
    from platformdirs import user_cache_path

    return user_cache_path("tui-trainer") / "data"


def locate(entry: Dataset, root: Path) -> dict[str, Path | None]:
    """For each file of the data set: where it lies (raw or `.gz`, torchvision's layout), or None."""
    found: dict[str, Path | None] = {}
    for role, file in entry.files.items():
        raw = root / entry.folder / file.name
        candidates = (raw, raw.with_name(raw.name + ".gz"))
        found[role] = next((path for path in candidates if path.exists()), None)
    return found


def is_present(entry: Dataset, root: Path) -> bool:
    """Every file of the set lies under `root` (or it needs none). Does not read them."""
    return None not in locate(entry, root).values()


def read(entry: Dataset, root: Path) -> dict[str, NDArray[np.uint8]]:
    """Every IDX file of the set, checked against its digest and shape, by role.

    Raises `InputError` naming each file that is absent or unsound.
    """
    arrays: dict[str, NDArray[np.uint8]] = {}
    problems: list[str] = []
    for role, path in locate(entry, root).items():
        file = entry.files[role]
        if path is None:
            problems.append(
                f"{root / entry.folder / file.name}: not there; get it with: tui-trainer data fetch {entry.name}"
                ", or point --data (or TUI_TRAINER_DATA) at a folder that holds it"
            )
            continue
        try:
            arrays[role] = read_idx(path, file)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(*problems)
    return arrays


def read_idx(path: Path, file: IdxFile) -> NDArray[np.uint8]:
    """The unsigned bytes of one IDX file (raw or gzip), of exactly the catalogue's shape and digest.

    Format: two zero bytes, 0x08 for unsigned bytes, the number of dimensions, each dimension as a big-endian
    32-bit count, then the payload (http://yann.lecun.com/exdb/mnist/).
    """
    import numpy as np

    header = 4 + 4 * len(file.shape)
    expected = header + int(np.prod(file.shape))
    try:
        with open_regular(path) as stream:
            unpacked = gzip.GzipFile(fileobj=stream) if path.suffix == ".gz" else stream
            # one byte more than fits tells a file that is too long without unpacking a gzip bomb
            content = cast(BinaryIO, unpacked).read(expected + 1)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if content[:4] != bytes((0, 0, 8, len(file.shape))):
        raise InputError(
            f"{path}: not an IDX file of {len(file.shape)}-dimensional unsigned bytes (wrong magic number)"
        )
    shape = tuple(int(n) for n in np.frombuffer(content[4:header].ljust(header - 4, b"\0"), dtype=">u4"))
    if len(content) >= header and shape != file.shape:
        raise InputError(f"{path}: holds {'×'.join(map(str, shape))}, expected {'×'.join(map(str, file.shape))}")
    if len(content) != expected:
        raise InputError(
            f"{path}: {'longer' if len(content) > expected else 'shorter'} than the {expected:,} bytes expected"
        )
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise InputError(f"{path}: damaged: its sha256 is not the published one (delete it and fetch it again)")
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(file.shape)


def load(name: str, split: str, root: Path) -> Parts:
    """Train, validation and test part of a data set, images flattened.

    Parts are views where the cut allows it; with `validation_is_test` both are the same arrays.
    """
    import numpy as np

    entry = dataset(name)
    cut = entry.splits[split]
    if name == "digits":
        from sklearn.datasets import load_digits

        bundled = load_digits()
        # RandomState's stream is frozen by NumPy's policy, so this cut is the same everywhere
        order = np.random.RandomState(0).permutation(len(bundled.target))
        images = bundled.data.astype(np.uint8)[order]
        labels = bundled.target.astype(np.int64)[order]
        a, b = cut.train, cut.train + cut.validation
        return Parts(Part(images[:a], labels[:a]), Part(images[a:b], labels[a:b]), Part(images[b:], labels[b:]))
    arrays = read(entry, root)
    images = arrays["train_images"].reshape(-1, entry.inputs)
    labels = arrays["train_labels"].astype(np.int64)
    test = Part(arrays["test_images"].reshape(-1, entry.inputs), arrays["test_labels"].astype(np.int64))
    train = Part(images[: cut.train], labels[: cut.train])
    validation = test if cut.validation_is_test else Part(images[-cut.validation :], labels[-cut.validation :])
    return Parts(train, validation, test)
