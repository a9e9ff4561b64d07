"""The image sets beside MNIST: their facts, their cuts, and files that are damaged."""

import gzip
import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.running import Cli
from tui_trainer import datasets
from tui_trainer.config import RunConfig, apply
from tui_trainer.datasets import Dataset
from tui_trainer.text import InputError

SETS = [name for name, entry in datasets.CATALOGUE.items() if entry.files]
TRAIN, TEST = 12, 5


def idx(array: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


def small(name: str, root: Path, packed: bool = False) -> Dataset:
    """The set with a few random images in its place: its entry, digests included, and its files under `root`."""
    entry, random = datasets.dataset(name), np.random.RandomState(1)
    folder = root / entry.folder
    folder.mkdir(parents=True)
    files = {}
    for role, file in entry.files.items():
        shape = (TRAIN if role.startswith("train") else TEST, *file.shape[1:])
        labels = random.randint(0, entry.classes, shape) + entry.first_label
        array = labels if len(shape) == 1 else random.randint(0, 256, shape)
        content = idx(array.astype(np.uint8))
        written = gzip.compress(content) if packed else content
        (folder / (file.name + (".gz" if packed else ""))).write_bytes(written)
        files[role] = replace(
            file,
            shape=shape,
            sha256=hashlib.sha256(content).hexdigest() if file.sha256 else "",
            md5=hashlib.md5(written).hexdigest() if file.md5 else "",
        )
    return replace(entry, files=files)


@pytest.fixture(params=SETS)
def entry(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    entry = small(request.param, tmp_path)
    monkeypatch.setitem(datasets.CATALOGUE, entry.name, entry)
    return entry


def test_the_facts_are_torchvisions() -> None:
    known = pytest.importorskip("torchvision").datasets
    for name in ("fashion-mnist", "kmnist"):
        entry = datasets.dataset(name)
        resources = getattr(known, entry.torchvision).resources
        assert [(f"{file.name}.gz", file.md5) for file in entry.files.values()] == resources
    for name in ("balanced", "letters", "digits"):
        entry = datasets.dataset(f"emnist-{name}")
        assert entry.torchvision_options == {"split": name}
        theirs = [word for word in known.EMNIST.classes_split_dict[name] if word != "N/A"]
        assert list(entry.class_names) == theirs


def test_every_cut(entry: Dataset, tmp_path: Path) -> None:
    raw = datasets.read(entry, tmp_path)
    for split in entry.splits:
        config = apply(RunConfig(), [f"data={entry.name}", f"split={split}"])
        parts = datasets.load(config.data, tmp_path)
        held_out = split in ("50k-10k-10k", "held-out")
        assert len(parts.train) == config.split.train == (TRAIN - TEST if held_out else TRAIN)
        assert (parts.validation is parts.test) == config.split.validation_is_test == (not held_out)
        assert parts.test.labels.tolist() == [int(label) - entry.first_label for label in raw["test_labels"]]
        if held_out:
            labels = np.concatenate([parts.train.labels, parts.validation.labels])
            assert labels.tolist() == [int(label) - entry.first_label for label in raw["train_labels"]]
    assert datasets.is_image(entry.name)


def test_emnist_images_are_turned_upright(entry: Dataset, tmp_path: Path) -> None:
    raw = datasets.read(entry, tmp_path)["test_images"][0]
    parts = datasets.load(apply(RunConfig(), [f"data={entry.name}"]).data, tmp_path)
    expected = raw.T if entry.name.startswith("emnist") else raw
    assert np.array_equal(parts.test.images[0].reshape(28, 28), expected)


def test_a_label_outside_the_classes(entry: Dataset, tmp_path: Path) -> None:
    file = entry.files["test_labels"]
    for label in {entry.first_label + entry.classes, entry.first_label - 1 if entry.first_label else 255}:
        content = idx(np.array([entry.first_label] * (TEST - 1) + [label], dtype=np.uint8))
        changed = replace(file, sha256=hashlib.sha256(content).hexdigest() if file.sha256 else "")
        path = tmp_path / entry.folder / file.name
        path.write_bytes(content)
        with pytest.raises(InputError) as refused:
            datasets.read(replace(entry, files={**entry.files, "test_labels": changed}), tmp_path)
        assert refused.value.problems == [
            f"{path}: holds label {label}; {entry.name} has labels {entry.first_label} to "
            f"{entry.first_label + entry.classes - 1}"
        ]


@pytest.mark.parametrize("cut", [0, 3, 4, 9, 15, 16, 1000])
def test_a_truncated_file(entry: Dataset, cut: int, tmp_path: Path) -> None:
    path = tmp_path / entry.folder / entry.files["train_images"].name
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InputError) as refused:
        datasets.read(entry, tmp_path)
    (line,) = refused.value.problems
    assert line.startswith(f"{path}: not an IDX file" if cut < 4 else f"{path}: shorter than the 9,424 bytes")


def test_packed_files_are_checked_by_their_md5(tmp_path: Path) -> None:
    entry = small("kmnist", tmp_path, packed=True)
    assert len(datasets.read(entry, tmp_path)["train_labels"]) == TRAIN
    path = tmp_path / entry.folder / (entry.files["train_images"].name + ".gz")
    sound = path.read_bytes()
    for damaged in (sound + b"\0", sound[:-1], bytes((sound[0], sound[1], 0, *sound[3:])), sound + bytes(1 << 20)):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="damaged: its md5 is not the published one; delete it and fetch it again"):
            datasets.read(entry, tmp_path)


def test_packed_files_without_a_digest_are_checked_by_their_own_sum(tmp_path: Path) -> None:
    entry = small("emnist-letters", tmp_path, packed=True)
    assert len(datasets.read(entry, tmp_path)["train_labels"]) == TRAIN
    path = tmp_path / entry.folder / (entry.files["train_images"].name + ".gz")
    sound = path.read_bytes()
    for place in (len(sound) // 2, len(sound) - 6):
        path.write_bytes(sound[:place] + bytes((sound[place] ^ 1,)) + sound[place + 1 :])
        with pytest.raises(InputError, match="cannot be read: "):
            datasets.read(entry, tmp_path)


def test_the_command_line_lists_what_is_here(cli: Cli) -> None:
    lines = {line.split()[0]: line for line in cli("data").splitlines() if line}
    for name, entry in datasets.CATALOGUE.items():
        assert ("absent" if entry.files else "present") in lines[name]
        assert ", ".join(entry.splits) in lines[name]
    status, _, err = cli.result("data", "check", "kmnist")
    assert status == 2
    assert len(err.splitlines()) == 4
    assert all("not there; get it with: tui-trainer data fetch kmnist" in line for line in err.splitlines())
