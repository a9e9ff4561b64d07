"""Points in a plane and bundled digits: the same every time, cut into the parts that the config promises."""

from pathlib import Path

import numpy as np
import pytest

from tui_trainer import datasets
from tui_trainer.config import RunConfig, apply

NO_FILES = [name for name, entry in datasets.CATALOGUE.items() if not entry.files]
DRAWN = ["moons", "circles", "spiral", "blobs"]


def config(*changes: str) -> RunConfig:
    return apply(RunConfig(), list(changes))


def load(*changes: str) -> datasets.Parts:
    return datasets.load(config(*changes).data, Path("/nowhere"))


@pytest.mark.parametrize("name", NO_FILES)
def test_every_cut_gives_the_parts_it_promises(name: str) -> None:
    for split in datasets.splits_of(name):
        for examples in (20, 21, 400):
            wanted = config(f"data={name}", f"split={split}", f"data.examples={examples}")
            parts = datasets.load(wanted.data, Path("/nowhere"))
            sizes = tuple(map(len, (parts.train, parts.validation, parts.test)))
            assert sizes == (wanted.split.train, wanted.split.validation, wanted.split.test)
            assert (parts.validation is parts.test) == wanted.split.validation_is_test == (split == "all")
            for part in (parts.train, parts.validation, parts.test):
                assert part.images.shape == (len(part.labels), wanted.dataset.inputs)
                assert part.labels.dtype == np.int64
                assert set(part.labels) <= set(range(wanted.dataset.classes))
                assert np.isfinite(part.images).all()
            assert set(parts.train.labels) == set(range(wanted.dataset.classes))


@pytest.mark.parametrize("name", DRAWN)
def test_points_are_the_same_every_time_and_cut_without_overlap(name: str) -> None:
    once, again = load(f"data={name}"), load(f"data={name}")
    everything = load(f"data={name}", "split=all").train
    assert np.array_equal(once.train.images, again.train.images)
    assert everything.images.dtype == np.float32
    in_order = np.concatenate([part.images for part in (once.train, once.validation, once.test)])
    assert np.array_equal(in_order, everything.images)
    assert len(np.unique(in_order, axis=0)) == 400


@pytest.mark.parametrize("name", DRAWN)
def test_spread_moves_points_and_none_leaves_them_on_their_shape(name: str) -> None:
    still, moved = load(f"data={name}", "spread=0").train, load(f"data={name}", "spread=0.5").train
    assert not np.array_equal(still.images, moved.images)
    if name == "blobs":
        assert len(np.unique(still.images, axis=0)) == 3


@pytest.mark.parametrize(("name", "labels"), [("xor", [0, 1, 1, 0]), ("and", [0, 0, 0, 1])])
def test_truth_tables(name: str, labels: list[int]) -> None:
    parts = load(f"data={name}")
    assert parts.train.images.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert parts.train.labels.tolist() == labels
    assert parts.validation is parts.test


def test_train_size_takes_the_first_training_examples() -> None:
    whole, some = load("data=moons"), load("data=moons", "train_size=50")
    assert np.array_equal(some.train.images, whole.train.images[:50])
    assert np.array_equal(some.test.images, whole.test.images)
    assert len(load("data=moons", "train_size=1000").train) == 280
    assert config("data=moons", "train_size=1000").split.train == 280
