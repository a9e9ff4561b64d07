"""The person's own .csv and .npz files, good and bad: what is read, what is refused, and in which words."""

import csv
import io
import os
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.running import Cli
from tui_trainer import datasets
from tui_trainer.config import RunConfig, apply
from tui_trainer.datasets import content, own_csv
from tui_trainer.datasets.own_file import read_table
from tui_trainer.text import InputError


def config(*changes: str) -> RunConfig:
    return apply(RunConfig(), list(changes))


def load(*changes: str) -> datasets.Parts:
    return datasets.load(config(*changes).data, Path("/nowhere"))


def new_path(folder: Path, ending: str) -> Path:
    """A new name each time, where one test writes many files within one tick of the clock."""
    descriptor, name = tempfile.mkstemp(ending, dir=folder)
    os.close(descriptor)
    return Path(name)


def refusal(kind: str, path: Path, label_column: str = "label") -> list[str]:
    with pytest.raises(InputError) as refused:
        datasets.own(kind, str(path), label_column)
    assert all(line.startswith(f"{path}: ") and "\n" not in line for line in refused.value.problems)
    return [line.removeprefix(f"{path}: ") for line in refused.value.problems]


# a .csv


@dataclass(frozen=True)
class Bad:
    """A file's bytes, and what each line of its refusal must say."""

    content: bytes
    says: list[str]


BAD_CSV = {
    "empty": Bad(b"", ["is empty; its first line must name the columns"]),
    "only a byte order mark": Bad(b"\xef\xbb\xbf", ["is empty"]),
    "no rows": Bad(b"a,label\n\n", ["has a header but no rows"]),
    "misspelt label": Bad(
        b"a,lable\n1,2\n", ["line 1: has no column 'label', data.label_column (did you mean 'lable'?)"]
    ),
    "no label column": Bad(
        b"a,b\n1,2\n", ["line 1: has no column 'label', data.label_column; its columns are 'a', 'b'"]
    ),
    "label twice": Bad(b"label,a,label\n1,2,3\n", ["line 1: names column 'label' 2 times"]),
    "nothing but the label": Bad(b"label\nx\ny\n", ["line 1: has no column beside 'label'"]),
    "ragged": Bad(
        b"a,b,label\n1,2,x\n1,y\n1,2,3,x\n",
        ["line 3: has 2 values; the header has 3 columns", "line 4: has 4 values; the header has 3 columns"],
    ),
    "not a number": Bad(b"a,b,label\n1,2,x\n1,two,y\n", ["line 3, column 'b': 'two' is not a finite number"]),
    "NaN": Bad(b"a,label\nnan,x\n1,y\n", ["line 2, column 'a': 'nan' is not a finite number"]),
    "infinite": Bad(b"a,label\n1,x\n-inf,y\n", ["line 3, column 'a': '-inf' is not a finite number"]),
    "too large for 32 bits": Bad(b"a,label\n1e300,x\n1,y\n", ["line 2, column 'a': '1e300' is not a finite number"]),
    "underscore": Bad(b"a,label\n1_0,x\n1,y\n", ["line 2, column 'a': '1_0' is not a finite number"]),
    "missing value": Bad(b"a,label\n,x\n1,y\n", ["line 2, column 'a': the value is missing"]),
    "missing label": Bad(b"a,label\n1, \n1,y\n", ["line 2, column 'label': the label is missing"]),
    "two things in one row": Bad(b"a,b,label\n1,x,\n2,3,y\n", ["column 'label'", "column 'b': 'x'"]),
    "one class": Bad(b"a,label\n1,x\n2,x\n", ["column 'label' holds one class only; training needs at least 2"]),
    "not UTF-8": Bad(b"a,label\n1,x\n2,\xff\n", ["line 3: not UTF-8"]),
    "UTF-16": Bad("a,label\n1,x\n".encode("utf-16"), ["line 1: not UTF-8"]),
    "open quote": Bad(b'a,label\n"1,x\n', ["line 2: not CSV: "]),
    "enormous field": Bad(b"a,label\n" + b"1" * 200_000 + b",x\n", ["line 2: not CSV: field larger than"]),
    "too many classes": Bad(
        b"a,label\n" + b"".join(b"1,%d\n" % n for n in range(10_001)), ["column 'label' holds more than 10,000 classes"]
    ),
    "control characters": Bad(
        b"a\x1b[2J,label\nx\x1b]52;c;eA==\x07,y\n", [r"column 'a\x1b[2J': 'x\x1b]52;c;eA==\x07'"]
    ),
}


@pytest.mark.parametrize("name", BAD_CSV)
def test_bad_csv(name: str, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_bytes(BAD_CSV[name].content)
    lines = refusal("csv", path)
    assert len(lines) == len(BAD_CSV[name].says), lines
    for line, words in zip(lines, BAD_CSV[name].says, strict=True):
        assert words in line


def test_a_csv_of_rubbish_gets_twenty_lines_and_a_last_one(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_bytes(b"a,label\n" + b"rubbish,x\n" * 1000)
    lines = refusal("csv", path)
    assert len(lines) == own_csv.MOST_PROBLEMS + 1
    assert lines[-1] == "and more; not read further than line 22"


def test_a_line_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_csv, "LONGEST_LINE", 100)
    path = tmp_path / "own.csv"
    path.write_bytes(b"a,label\n" + b"1," * 100)
    assert refusal("csv", path) == ["line 2: longer than 100 characters"]


def test_classes_are_sorted_as_numbers_where_they_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    for labels, order in (
        (["10", "9", "2.5"], ("2.5", "9", "10")),
        (["10", "9", "b"], ("10", "9", "b")),
        (["10", "9", "nan"], ("10", "9", "nan")),
    ):
        path.write_text("label,a\n" + "".join(f"{label},1\n" for label in labels))
        table = read_table("csv", str(path), "label")
        assert table.dataset.class_names == order
        assert [order[label] for label in table.labels] == labels


word = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(lambda w: w == w.strip())
finite = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data(), columns=st.integers(1, 4), bom=st.booleans(), end=st.sampled_from(["\n", "\r\n"]))
def test_what_csv_writes_is_read_back(data: st.DataObject, columns: int, bom: bool, end: str, tmp_path: Path) -> None:
    names = data.draw(st.lists(word, min_size=columns + 1, max_size=columns + 1, unique=True))
    label_at = data.draw(st.integers(0, columns))
    row = st.tuples(st.lists(finite, min_size=columns, max_size=columns), word)
    rows = data.draw(st.lists(row, min_size=2, max_size=8).filter(lambda rows: len({label for _, label in rows}) > 1))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=end, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(names)
    for values, label in rows:
        writer.writerow([*values[:label_at], label, *values[label_at:]])
    path = new_path(tmp_path, ".csv")
    path.write_bytes(text.getvalue().encode("utf-8-sig" if bom else "utf-8"))
    table = read_table("csv", str(path), names[label_at])
    assert table.inputs.tobytes() == np.array([values for values, _ in rows], dtype=np.float32).tobytes()
    pairs = {(label, int(index)) for (_, label), index in zip(rows, table.labels, strict=True)}
    assert len(pairs) == len({label for label, _ in pairs}) == len({index for _, index in pairs})
    assert table.dataset.classes == len(pairs)


# a .npz


class Canary:
    """An object whose unpickling leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.path,)


ROWS = np.arange(6, dtype=np.float32).reshape(3, 2)
BAD_NPZ: dict[str, tuple[dict[str, Any], str]] = {
    "no x": ({"y": [0, 1]}, "has no array x; it holds 'y'"),
    "texts": ({"x": np.array([["a"], ["b"]]), "y": [0, 1]}, "array x: holds <U1, must hold numbers"),
    "complex": ({"x": ROWS.astype(complex), "y": [0, 1, 0]}, "array x: holds complex128, must hold numbers"),
    "flat x": ({"x": [1.0, 2.0], "y": [0, 1]}, "array x: has shape 2, must be examples × inputs"),
    "empty x": ({"x": np.zeros((0, 2)), "y": [0, 1]}, "array x: has shape 0×2, must be examples × inputs"),
    "NaN": ({"x": [[1.0, 2.0], [3.0, np.nan]], "y": [0, 1]}, "array x: example 1, input 1: nan is not a finite"),
    "too large for 32 bits": ({"x": [[1e300], [1.0]], "y": [0, 1]}, "array x: example 0, input 0: 1e+300 is not"),
    "one label too few": ({"x": ROWS, "y": [0, 1]}, "x has 3 examples, y has 2"),
    "one-hot y": ({"x": ROWS, "y": np.eye(3)}, "array y: has shape 3×3, must be one label for each example"),
    "y of floats": ({"x": ROWS, "y": [0.0, 1.0, 1.0]}, "array y: holds float64, must hold whole numbers"),
    "label beyond": (
        {"x": ROWS, "y": [0, 1, 7]},
        "array y: example 2 has label 7; y holds 3 classes, so labels must be",
    ),
    "label below": ({"x": ROWS, "y": [0, -1, 1]}, "array y: example 1 has label -1"),
    "label beyond names": (
        {"x": ROWS, "y": [0, 1, 2], "class_names": ["a", "b"]},
        "array y: example 2 has label 2; class_names has 2 classes, so labels must be 0 to 1",
    ),
    "one class": ({"x": ROWS, "y": [0, 0, 0]}, "array y holds one class only"),
    "too many classes": (
        {"x": np.zeros((10_001, 1)), "y": np.arange(10_001)},
        "array y holds more than 10,000 classes",
    ),
}


@pytest.mark.parametrize("name", BAD_NPZ)
def test_bad_npz(name: str, tmp_path: Path) -> None:
    arrays, words = BAD_NPZ[name]
    path = tmp_path / "own.npz"
    np.savez(path, **arrays)
    (line,) = refusal("npz", path)
    assert words in line


@pytest.mark.parametrize("name", ["x", "y", "class_names"])
def test_objects_are_never_unpickled(name: str, tmp_path: Path) -> None:
    canary, path = tmp_path / "canary", tmp_path / "own.npz"
    arrays: dict[str, Any] = {"x": ROWS, "y": np.array([0, 1, 1]), name: np.array([Canary(canary)] * 3)}
    np.savez(path, **arrays)
    assert refusal("npz", path) == [
        f"array {name}: holds pickled Python objects, which are never read; save it as numbers"
    ]
    bare = tmp_path / "pickled.npz"
    with bare.open("wb") as stream:
        np.save(stream, np.array([Canary(canary)]), allow_pickle=True)
    assert refusal("npz", bare) == ["not an npz file; write one with numpy.savez(file, x=…, y=…)"]
    assert not canary.exists()


def test_a_header_that_promises_a_terabyte(tmp_path: Path) -> None:
    path, array = tmp_path / "own.npz", io.BytesIO()
    np.lib.format.write_array_header_1_0(array, {"descr": "<f4", "fortran_order": False, "shape": (1 << 20, 1 << 18)})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", array.getvalue())
        archive.writestr("y.npy", array.getvalue())
    assert refusal("npz", path) == ["array x: promises more values than the file holds"]


def test_uint8_images_keep_their_shape_and_grey_levels(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    images = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
    np.savez(path, x=images, y=np.array([0, 2, 1], dtype=np.uint16), class_names=np.array(["a", "b", "c", "d"]))
    table = read_table("npz", str(path), "")
    assert (table.dataset.image_shape, table.dataset.maximum, table.dataset.inputs) == ((4, 5), 255, 20)
    assert table.dataset.class_names == ("a", "b", "c", "d")
    assert table.inputs.dtype == np.uint8
    assert np.array_equal(table.inputs, images.reshape(3, 20))
    assert table.labels.tolist() == [0, 2, 1]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), max_size=4), cut=st.floats(0, 1)
)
def test_a_damaged_npz_is_read_or_refused(flips: list[tuple[float, int]], cut: float, tmp_path: Path) -> None:
    whole = io.BytesIO()
    np.savez(whole, x=ROWS, y=np.array([0, 1, 1]))
    damaged = bytearray(whole.getvalue())
    for place, bits in flips:
        damaged[int(place * len(damaged))] ^= bits
    path = new_path(tmp_path, ".npz")
    path.write_bytes(damaged[: max(1, int(cut * len(damaged)))] if cut < 0.5 else damaged)
    try:
        assert datasets.own("npz", str(path), "").classes == 2
    except InputError as refused:
        assert all(line.startswith(f"{path}: ") for line in refused.problems)


# any file of one's own


@pytest.mark.parametrize("kind", ["csv", "npz"])
def test_not_a_file(kind: str, tmp_path: Path) -> None:
    fifo, folder, gone = tmp_path / f"fifo.{kind}", tmp_path / f"folder.{kind}", tmp_path / f"gone.{kind}"
    os.mkfifo(fifo)
    folder.mkdir()
    assert refusal(kind, fifo) == ["cannot be read: not a regular file"]
    assert refusal(kind, folder) == ["cannot be read: not a regular file"]
    assert refusal(kind, gone) == ["cannot be read: No such file or directory"]


@pytest.mark.parametrize("kind", ["csv", "npz"])
def test_a_file_beyond_the_cap_is_not_read(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"own.{kind}"
    with path.open("wb") as stream:
        stream.truncate(content.LARGEST + (1 << 30))  # a hole: it takes no room
    assert refusal(kind, path) == ["5.0 GiB is more than the 4.0 GiB that a file of your own may have"]


def test_what_unpacks_beyond_the_cap_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "own.npz"
    np.savez_compressed(path, x=np.zeros((1000, 1000)), y=np.arange(1000) % 2)
    monkeypatch.setattr(content, "LARGEST", 1 << 20)
    assert path.stat().st_size < content.LARGEST
    assert "7.6 MiB is more than the 1.0 MiB" in refusal("npz", path)[0]


def test_a_file_is_read_again_only_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("a,label\n1,x\n2,y\n")
    first = read_table("csv", str(path), "label")
    assert read_table("csv", str(path), "label") is first
    path.write_text("a,label\n1,x\n2,y\n3,z\n")
    assert read_table("csv", str(path), "label").dataset.classes == 3


def test_own_data_are_shuffled_and_cut(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("a,b,kind\n" + "".join(f"{n},{n},{'even' if n % 2 == 0 else 'odd'}\n" for n in range(100)))
    chosen = ("data=csv", f"file={path}", "label_column=kind")
    assert config(*chosen).architecture == "2-64-64-2"
    parts, again = load(*chosen), load(*chosen)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (70, 15, 15)
    assert np.array_equal(parts.train.images, again.train.images)
    seen = np.concatenate([part.images[:, 0] for part in (parts.train, parts.validation, parts.test)])
    assert sorted(seen) == list(range(100))
    assert seen.tolist() != sorted(seen)
    for part in (parts.train, parts.validation, parts.test):
        assert np.array_equal(part.images[:, 0] % 2, part.labels)
    everything = load(*chosen, "split=all")
    assert len(everything.train) == 100
    assert everything.validation is everything.test


def test_two_examples_cannot_be_cut_in_three(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("a,label\n1,x\n2,y\n")
    chosen = ("data=csv", f"file={path}")
    assert config(*chosen, "split=all").split.train == 2
    with pytest.raises(InputError, match=r"data\.split: 70-15-15 needs at least 3 examples, own\.csv has 2"):
        load(*chosen)


def test_the_command_line_checks_a_file(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("a,b,kind\n1,2,x\n3,4,y\n")
    assert "sound; 2 examples of 2 inputs, 2 classes" in cli("data", "check", str(path), "--label-column", "kind")
    status, _, err = cli.result("data", "check", str(path))
    assert (status, err.strip()) == (
        2,
        f"{path}: line 1: has no column 'label', data.label_column; its columns are 'a', 'b', 'kind'",
    )


def test_a_file_that_the_data_set_does_not_read_is_refused(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "points.csv"
    for command in ("train", "preflight"):
        status, _, err = cli.result(command, "digits", "--set", f"file={file}")
        assert (status, err.strip()) == (2, "--set file: data=digits reads no file; add --set data=csv")
    assert not list(cli.runs.iterdir())
