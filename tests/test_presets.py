"""Presets: found by name; any file that is none is refused in one line that names it."""

import os
from collections import Counter
from pathlib import Path

import pytest

from tui_trainer import presets
from tui_trainer.text import InputError

BUNDLED = [name for name, _ in presets.files()]


def test_each_is_found_by_its_name_and_by_the_end_of_it_where_only_one_ends_so() -> None:
    ends = Counter(name.rpartition("/")[2] for name in BUNDLED)
    assert set(ends.values()) == {1, 2}
    for name in BUNDLED:
        preset = presets.load(name)
        assert preset.name == name == f"{preset.folder}/{preset.short_name}".strip("/")
        if ends[preset.short_name] == 1:
            assert presets.load(preset.short_name) == preset
        else:
            with pytest.raises(InputError, match=f"could be .*{name}"):
                presets.load(preset.short_name)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf[training]\nepochs = 3\n",
        b"[training]\r\nepochs = 3\r\n",
        'title = "\u00e9"\n[training]\nepochs = 3'.encode(),
    ],
    ids=["BOM", "CRLF", "UTF-8"],
)
def test_files_as_editors_write_them(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(content)
    assert presets.load(str(path)).config.training.epochs == 3


def spoil(kind: str, path: Path) -> None:
    match kind:
        case "gigabyte":
            with path.open("wb") as stream:
                stream.truncate(1 << 30)
        case "fifo":
            os.mkfifo(path)
        case "directory":
            path.mkdir()
        case "device":
            path.symlink_to("/dev/zero")
        case "not UTF-8":
            path.write_bytes(b'title = "ab\xff"')
        case "UTF-16":
            path.write_text("[training]", encoding="utf-16")
        case "deep":
            path.write_text("x = " + "[" * 100_000)
        case "deep tables":
            path.write_text("[" + ".".join(["network"] + ["a"] * 20_000) + "]")
        case "twice":
            path.write_text("[training]\nseed = 1\nseed = 2\n")
        case "title":
            path.write_text("title = 3\n")
        case "long title":
            path.write_text(f'title = "{"x" * 3000}"\n')
        case "key":
            path.write_text("[training]\nepoch = 3\n")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("absent", "cannot be read: No such file"),
        ("gigabyte", "larger than a preset may be, 1,048,576 bytes"),
        ("fifo", "cannot be read: not a regular file"),
        ("directory", "cannot be read: "),
        ("device", "cannot be read: not a regular file"),
        ("not UTF-8", "not UTF-8 at byte 11"),
        ("UTF-16", "not UTF-8 at byte 0"),
        ("deep", "not TOML: "),
        ("deep tables", "network.a: no such setting"),
        ("twice", "not TOML: Cannot overwrite a value (at line 3, column 9)"),
        ("title", "title: must be a text"),
        ("long title", "title: must be a text of at most 2,000 characters"),
        ("key", "training.epoch: no such setting (did you mean 'epochs'?)"),
    ],
)
def test_files_that_are_no_presets(kind: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    spoil(kind, path)
    with pytest.raises(InputError) as refusal:
        presets.load(str(path))
    (problem,) = refusal.value.problems
    assert problem.startswith(f"{path}: {words}") and problem.isprintable()


def test_ones_own_presets_stand_beside_the_bundled_and_a_broken_one_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presets, "own_folder", lambda: tmp_path)
    (tmp_path / "mine.toml").write_text('title = "\\u001b[31mmine\\n"\n')
    (tmp_path / "broken.toml").write_text("x")
    (tmp_path / "digits.toml").write_text("[training]\nepochs = 3\n")
    found, problems = presets.load_all()
    assert [preset.name for preset in found] == [*BUNDLED, "yours/digits", "yours/mine"]
    assert len(problems) == 1 and str(tmp_path / "broken.toml") in problems[0]
    assert presets.load("mine").title == "[31mmine "
    assert presets.load("digits").name == "digits" and presets.load("yours/digits").config.training.epochs == 3


def test_unknown_names_get_the_nearest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\(did you mean 'digits'\?\); see: tui-trainer presets"):
        presets.load("digit")
    monkeypatch.setattr(presets, "own_folder", lambda: tmp_path)
    (tmp_path / "setting-1.toml").touch()
    with pytest.raises(InputError, match="could be evaluation-report/setting-1 or yours/setting-1"):
        presets.load("setting-1")
