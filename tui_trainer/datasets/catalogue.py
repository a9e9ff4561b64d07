"""What each data set is: shape, classes, files, and how it may be cut."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from tui_trainer.text import InputError, nearest


@dataclass(frozen=True)
class Split:
    """How many examples each part gets, and how they are cut."""

    train: int
    validation: int
    test: int
    description: str
    validation_is_test: bool = False

    def limited(self, train_size: int) -> Split:
        """The same cut with only the first `train_size` training examples."""
        return replace(self, train=min(self.train, train_size))


@dataclass(frozen=True)
class IdxFile:
    """One IDX file: its name without `.gz`, the shape it must have, and a digest where one is published.

    `sha256` is of the uncompressed bytes; `md5` of the `.gz`, as torchvision knows it.
    """

    name: str
    shape: tuple[int, ...]
    sha256: str = ""
    md5: str = ""


@dataclass(frozen=True)
class Dataset:
    """One entry of the catalogue, or a person's own file. `maximum` is the largest input: dividing by it gives [0, 1].

    `splits` names the possible cuts, the usual one first. `count` is how many examples there are to cut; 0 where the
    config's `data.examples` says it.
    """

    name: str
    title: str
    inputs: int
    class_names: tuple[str, ...]
    splits: tuple[str, ...]
    source: str
    image_shape: tuple[int, int] | None = None
    maximum: int = 1
    count: int = 0
    folder: str = ""
    torchvision: str = ""
    torchvision_options: dict[str, str] = field(default_factory=dict)
    download_bytes: int = 0
    files: dict[str, IdxFile] = field(default_factory=dict)
    first_label: int = 0
    transposed: bool = False

    @property
    def classes(self) -> int:
        return len(self.class_names)

    @property
    def default_split(self) -> str:
        return self.splits[0]


SHUFFLED = ("70-15-15", "all")
DIGITS = tuple("0123456789")


def _idx(
    name: str,
    title: str,
    class_names: tuple[str, ...],
    counts: tuple[int, int],
    splits: tuple[str, ...],
    torchvision: str,
    download_bytes: int,
    *,
    md5: tuple[str, str, str, str] = ("", "", "", ""),
    sha256: tuple[str, str, str, str] = ("", "", "", ""),
    emnist: str = "",
    first_label: int = 0,
) -> Dataset:
    """28×28 images in four IDX files. Digests in the order of `stems`; `emnist` is torchvision's name of its split."""
    stems = (f"emnist-{emnist}-train", f"emnist-{emnist}-test") if emnist else ("train", "t10k")
    files = {
        f"{part}_{kind}": IdxFile(
            f"{stem}-{kind}-idx{3 if kind == 'images' else 1}-ubyte",
            (count, 28, 28) if kind == "images" else (count,),
            sha256[2 * index + (kind == "labels")],
            md5[2 * index + (kind == "labels")],
        )
        for index, (part, stem, count) in enumerate(zip(("train", "test"), stems, counts, strict=True))
        for kind in ("images", "labels")
    }
    return Dataset(
        name=name,
        title=title,
        inputs=784,
        class_names=class_names,
        splits=splits,
        source=f"IDX files, downloaded through torchvision when absent ({download_bytes / 2**20:.0f} MiB)",
        image_shape=(28, 28),
        maximum=255,
        folder=f"{torchvision}/raw",
        torchvision=torchvision,
        torchvision_options={"split": emnist} if emnist else {},
        download_bytes=download_bytes,
        files=files,
        first_label=first_label,
        transposed=bool(emnist),
    )


def _toy(
    name: str,
    title: str,
    count: int = 0,
    splits: tuple[str, ...] = SHUFFLED,
    class_names: tuple[str, ...] = ("0", "1"),
) -> Dataset:
    source = "the truth table" if count else "drawn anew each time, always the same; no download"
    return Dataset(name, title, 2, class_names, splits, source, count=count)


MNIST_SPLITS = ("60k-10k", "50k-10k-10k")
EMNIST_SPLITS = ("held-out", "all")
EMNIST_ZIP = 561_753_746  # bytes; one archive holds every EMNIST set

CATALOGUE = {
    entry.name: entry
    for entry in (
        Dataset(
            name="digits",
            title="handwritten digits, 8×8, 16 grey levels",
            inputs=64,
            class_names=DIGITS,
            splits=("70-15-15",),
            source="scikit-learn's bundled copy of the UCI digits; no download",
            image_shape=(8, 8),
            maximum=16,
            count=1797,
        ),
        _idx(
            "mnist",
            "MNIST handwritten digits, 28×28, 256 grey levels",
            DIGITS,
            (60_000, 10_000),
            MNIST_SPLITS,
            "MNIST",
            11_594_722,
            sha256=(
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            ),
        ),
        _idx(
            "fashion-mnist",
            "Fashion-MNIST, ten kinds of clothing, 28×28, 256 grey levels",
            ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"),
            (60_000, 10_000),
            MNIST_SPLITS,
            "FashionMNIST",
            30_878_645,
            md5=(
                "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                "25c81989df183df01b3e8a0aad5dffbe",
                "bef4ecab320f06d8554ea6380940ec79",
                "bb300cfdad3c16e7a12a480ee83cd310",
            ),
        ),
        _idx(
            "kmnist",
            "Kuzushiji-MNIST, ten cursive Japanese characters, 28×28, 256 grey levels",
            ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
            (60_000, 10_000),
            MNIST_SPLITS,
            "KMNIST",
            21_240_888,
            md5=(
                "bdb82020997e1d708af4cf47b453dcf7",
                "e144d726b3acfaa3e44228e80efcd344",
                "5c965bf0a639b31b8f53240b1b52f4d7",
                "7320c461ea6c1c855c0b718fb2a4b134",
            ),
        ),
        _idx(
            "emnist-balanced",
            "EMNIST digits and letters in 47 equally frequent classes, 28×28",
            (*DIGITS, *"ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt"),
            (112_800, 18_800),
            EMNIST_SPLITS,
            "EMNIST",
            EMNIST_ZIP,
            emnist="balanced",
        ),
        _idx(
            "emnist-letters",
            "EMNIST letters, small and capital in one class, 28×28",
            tuple("abcdefghijklmnopqrstuvwxyz"),
            (124_800, 20_800),
            EMNIST_SPLITS,
            "EMNIST",
            EMNIST_ZIP,
            emnist="letters",
            first_label=1,
        ),
        _idx(
            "emnist-digits",
            "EMNIST digits, four times as many as MNIST, 28×28",
            DIGITS,
            (240_000, 40_000),
            EMNIST_SPLITS,
            "EMNIST",
            EMNIST_ZIP,
            emnist="digits",
        ),
        _toy("xor", "true when exactly one of two inputs is: four points", 4, ("all",)),
        _toy("and", "true when both of two inputs are: four points", 4, ("all",)),
        _toy("moons", "two interleaving half circles in the plane"),
        _toy("circles", "a small circle inside a large one"),
        _toy("spiral", "two arms winding round each other"),
        _toy("blobs", "three round clouds", class_names=("0", "1", "2")),
    )
}
OWN = ("csv", "npz")


def dataset(name: str) -> Dataset:
    """The catalogue's entry, or an `InputError` with the nearest known name."""
    if name not in CATALOGUE:
        raise InputError(f"data set {name[:80]!r} is unknown{nearest(name, CATALOGUE)}; known: {', '.join(CATALOGUE)}")
    return CATALOGUE[name]


def splits_of(name: str) -> tuple[str, ...]:
    """The ways to cut a data set, or one's own file; `auto` takes the first."""
    return SHUFFLED if name in OWN else dataset(name).splits


def is_image(name: str) -> bool:
    """Are the inputs the pixels of an image, by the data set's name alone? Never for one's own files."""
    return name not in OWN and dataset(name).image_shape is not None


def split_sizes(entry: Dataset, split: str, examples: int) -> Split:
    """How many examples each part of `split` has; `examples` counts where the data are drawn. Raises `InputError`."""
    if split not in entry.splits:
        raise InputError(f"data.split: {split!r} does not cut {entry.name}; choose {', '.join(entry.splits)}")
    if entry.files:
        train, test = (entry.files[f"{part}_labels"].shape[0] for part in ("train", "test"))
        if split in ("60k-10k", "all"):
            words = f"all {train:,} for training; validation is the test set"
            return Split(train, test, test, words, validation_is_test=True)
        words = f"first {train - test:,} train, last {test:,} validation, {test:,} test"
        return Split(train - test, test, test, words)
    count = entry.count or examples
    if split == "all":
        return Split(
            count, count, count, "the same examples for training, validation and test", validation_is_test=True
        )
    held_out = max(1, round(0.15 * count))
    if count <= 2 * held_out:
        raise InputError(f"data.split: {split} needs at least 3 examples, {entry.title} has {count}; choose all")
    words = "70 % train, 15 % validation, 15 % test, shuffled once"
    return Split(count - 2 * held_out, held_out, held_out, words)


def data_root(override: Path | None = None) -> Path:
    """`--data`, else `$TUI_TRAINER_DATA`, else the user's cache directory."""
    if override is not None:
        return override
    if named := os.environ.get("TUI_TRAINER_DATA"):
        return Path(named)
    from platformdirs import user_cache_path

    return user_cache_path("tui-trainer") / "data"
