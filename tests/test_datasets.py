"""Data sets: files that are not exactly the published ones are refused; the splits are cut as they say."""

import gzip
import hashlib
import os
import resource
import struct
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from tui_trainer import datasets
from tui_trainer.config.groups import Data
from tui_trainer.datasets import IdxFile, dataset, load, locate, read_idx, split_sizes
from tui_trainer.text import InputError

PIXELS = bytes(range(24))
SOUND = bytes((0, 0, 8, 3)) + struct.pack(">3I", 2, 3, 4) + PIXELS
FILE = IdxFile("images", (2, 3, 4), hashlib.sha256(SOUND).hexdigest())


@pytest.mark.parametrize("name", ["images", "images.gz"])
def test_a_sound_file_is_read_raw_or_packed(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(SOUND) if path.suffix else SOUND)
    assert np.array_equal(read_idx(path, FILE), np.arange(24, dtype=np.uint8).reshape(2, 3, 4))


def header(*counts: int, magic: bytes = bytes((0, 0, 8, 3))) -> bytes:
    return magic + struct.pack(f">{len(counts)}I", *counts)


SPOILT = {
    "empty": (b"", "wrong magic number"),
    "floats": (header(2, 3, 4, magic=bytes((0, 0, 13, 3))) + PIXELS, "wrong magic number"),
    "labels": (header(24, magic=bytes((0, 0, 8, 1))) + PIXELS, "wrong magic number"),
    "another program's": (b"\x7fELF" + bytes(100), "wrong magic number"),
    "header cut": (SOUND[:9], ""),
    "cut": (SOUND[:-1], "shorter than the 40 bytes expected"),
    "too long": (SOUND + b"\0", "longer than the 40 bytes expected"),
    "count": (header(3, 3, 4) + PIXELS, "holds 3×3×4, expected 2×3×4"),
    "huge count": (header(2**32 - 1, 2**32 - 1, 2**32 - 1) + PIXELS, "expected 2×3×4"),
    "one pixel": (SOUND[:-1] + b"\xff", "its sha256 is not the published one"),
}


@pytest.mark.parametrize("packed", [False, True], ids=["raw", "gz"])
@pytest.mark.parametrize("kind", SPOILT)
def test_spoilt_files_are_refused_in_one_line(kind: str, packed: bool, tmp_path: Path) -> None:
    content, words = SPOILT[kind]
    path = tmp_path / ("images.gz" if packed else "images")
    path.write_bytes(gzip.compress(content) if packed else content)
    refused(path, words)


def refused(path: Path, words: str) -> None:
    with pytest.raises(InputError) as refusal:
        read_idx(path, FILE)
    (problem,) = refusal.value.problems
    assert problem.startswith(f"{path}: ") and words in problem and problem.isprintable()


@pytest.mark.parametrize("kind", ["cut", "no gzip", "flipped", "empty"])
def test_broken_gzip_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    packed = gzip.compress(SOUND * 50)
    middle = len(packed) // 2
    path.write_bytes(
        {
            "cut": gzip.compress(SOUND)[:-12],
            "no gzip": SOUND,
            "flipped": packed[:12] + bytes(b ^ 0xFF for b in packed[12:middle]) + packed[middle:],
            "empty": b"",
        }[kind]
    )
    refused(path, "wrong magic number" if kind == "empty" else "cannot be read: ")


def test_a_gzip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    million = gzip.compress(bytes(1 << 24), 9)
    path.write_bytes(gzip.compress(SOUND) + million * 2000)  # 32 GiB in 32 MB, as members of one file
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(path, "longer than the 40 bytes expected")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


@pytest.mark.parametrize("name", ["images", "images.gz"])
def test_what_is_no_regular_file_is_refused(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    refused(tmp_path / name, "not a regular file")
    (tmp_path / "folder").mkdir()
    refused(tmp_path / "folder", "cannot be read")
    refused(tmp_path / "absent", "No such file")


def test_digits_are_cut_once_and_for_ever() -> None:
    parts = load(Data(), Path("/nowhere"))
    sizes = [(part.images.shape, part.labels.shape) for part in (parts.train, parts.validation, parts.test)]
    assert sizes == [((1257, 64), (1257,)), ((270, 64), (270,)), ((270, 64), (270,))]
    whole = np.concatenate([parts.train.images, parts.validation.images, parts.test.images])
    from sklearn.datasets import load_digits

    assert sorted(map(bytes, whole)) == sorted(map(bytes, load_digits().data.astype(np.uint8)))
    assert parts.train.images.max() == 16 == dataset("digits").maximum
    assert set(parts.test.labels) == set(range(10))
    assert parts.test.labels[:8].tolist() == load(Data(split="70-15-15"), Path()).test.labels[:8].tolist()


@pytest.mark.parametrize(("split", "train"), [("60k-10k", 60_000), ("50k-10k-10k", 50_000)])
def test_mnist_is_cut_as_it_says(split: Literal["60k-10k", "50k-10k-10k"], train: int, mnist: Path) -> None:
    entry = dataset("mnist")
    paths = locate(entry, mnist)
    assert paths["train_labels"]
    labels = read_idx(paths["train_labels"], entry.files["train_labels"])
    parts = load(Data(name="mnist", split=split), mnist)
    assert np.array_equal(parts.train.labels, labels[:train]) and parts.train.images.shape == (train, 784)
    assert len(parts.test.labels) == len(parts.validation.labels) == 10_000
    if parts.split.validation_is_test:
        assert parts.validation is parts.test
    else:
        assert np.array_equal(parts.validation.labels, labels[-10_000:])
    assert parts.test.labels[:5].tolist() == [7, 2, 1, 0, 4] and labels[:5].tolist() == [5, 0, 4, 1, 9]


def test_the_catalogue_adds_up() -> None:
    for key, entry in datasets.CATALOGUE.items():
        assert entry.name == key and entry.default_split in entry.splits
        for name in entry.splits:
            split = split_sizes(entry, name, 100)
            assert split.train and split.validation and split.test and split.description
    assert [dataset("mnist").default_split, dataset("digits").default_split] == ["60k-10k", "70-15-15"]


def test_where_data_lie(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert datasets.data_root().name == "data"
    monkeypatch.setenv("TUI_TRAINER_DATA", "/a")
    assert datasets.data_root() == Path("/a") and datasets.data_root(tmp_path) == tmp_path
    assert datasets.is_present(dataset("digits"), tmp_path) and not datasets.is_present(dataset("mnist"), tmp_path)
    with pytest.raises(InputError) as refusal:
        datasets.read(dataset("mnist"), tmp_path)
    assert len(refusal.value.problems) == 4


@pytest.mark.parametrize("works", [True, False])
def test_a_download_arrives_whole_or_not_at_all(
    works: bool, mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil
    import signal

    import torchvision

    from tui_trainer.engine import jobs

    def download(root: str, download: bool) -> None:
        shutil.copytree(mnist / "MNIST", Path(root) / "MNIST")
        if not works:
            raise RuntimeError("Error downloading x:\nTried y, got:\n<urlopen error>\n")

    monkeypatch.setattr(torchvision.datasets, "MNIST", download)
    before = signal.getsignal(signal.SIGTERM)
    data = tmp_path / "data"
    if works:
        jobs.fetch("mnist", str(data))
        assert "digests as published" in capsys.readouterr().out
        assert datasets.is_present(dataset("mnist"), data)
        assert [path.name for path in data.iterdir()] == ["MNIST"]
    else:
        with pytest.raises(InputError) as refusal:
            jobs.fetch("mnist", str(data))
        assert len(refusal.value.problems) == 1 and refusal.value.problems[0].isprintable()
        assert not list(data.iterdir())
    signal.signal(signal.SIGTERM, before)
