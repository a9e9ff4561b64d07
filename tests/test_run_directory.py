"""Run directories: made whole or not at all, found by any unambiguous name, deleted for good."""

import errno
import itertools
import os
import re
import shutil
import time
from pathlib import Path

import pytest

from tests.running import Disk, Killed, make_run, quick
from tui_trainer.runs import commands, directory, follow
from tui_trainer.runs.directory import Run, check_name, create, delete, find, list_runs
from tui_trainer.text import InputError


def test_ids_sort_by_time_and_never_clash(root: Path) -> None:
    runs = [make_run(root) for _ in range(50)]
    assert len({run.id for run in runs}) == 50
    for run in runs:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d-\d{6}-test-[0-9a-f]{4}", run.id)
    assert abs(time.time() - runs[0].path.stat().st_mtime) < 3600
    assert [run.id for run in list_runs(root)] == sorted((run.id for run in runs), reverse=True)


def test_an_id_that_is_taken_is_drawn_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Drawn:
        def __init__(self, digits: str) -> None:
            self.hex = digits * 32

    draws = iter("aaab")
    monkeypatch.setattr("tui_trainer.runs.directory.uuid.uuid4", lambda: Drawn(next(draws)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tui_trainer.runs.directory.datetime", Clock)
        assert [make_run(root).id[-4:] for _ in range(2)] == ["aaaa", "bbbb"]


class Clock:
    @staticmethod
    def now(_: object) -> "Clock":
        return Clock()

    def strftime(self, _: str) -> str:
        return "2026-01-01-000000"


@pytest.mark.parametrize("name", ["a", "Setting 2".replace(" ", "-"), "0._-", "x" * 60])
def test_names_that_are_allowed(name: str, root: Path) -> None:
    assert check_name(name) == name
    assert create(root, quick(), name, "", root).path.parent == root


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "/etc",
        "~",
        "~root",
        "a/b",
        "-rf",
        "_a",
        "a b",
        "a\n",
        "a\0",
        "x" * 61,
        "x" * 300,
        "é",
        "\x1b[2J",
    ],
    ids=range(17),
)
def test_names_that_are_not(name: str, root: Path) -> None:
    with pytest.raises(InputError, match=r"--name: .* is not a name"):
        create(root, quick(), name, "", root)
    assert not root.exists()


@pytest.mark.parametrize("fault", [OSError(errno.ENOSPC, "No space left on device"), OSError(errno.EDQUOT, "Quota")])
def test_a_run_that_cannot_be_written_is_not_left_half_made(
    fault: OSError, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=f"cannot be written: {fault.strerror}"):
        make_run(root)
    assert not list(root.iterdir())


def test_a_data_folder_with_an_unwritable_name_leaves_nothing(root: Path) -> None:
    with pytest.raises(InputError):
        create(root, quick(), "x", "", Path("/\udcff"))
    assert not root.exists()


def test_find(root: Path) -> None:
    with pytest.raises(InputError, match="there are no runs in"):
        find(root, "last")
    for name in ("2026-01-01-a", "2026-01-01-ab", "2026-02-02-c"):
        shutil.copytree(make_run(root.with_name("source")).path, root / name)
    for reference, found in (
        ("last", "2026-02-02-c"),
        ("2026-02", "2026-02-02-c"),
        ("2026-01-01-a", "2026-01-01-a"),
        ("2026-01-01-ab", "2026-01-01-ab"),
    ):
        assert find(root, reference).id == found
    for reference, words in (
        ("2026-01", "begins 2 ids, such as 2026-01-01-ab and 2026-01-01-a"),
        ("", "no run begins with ''"),
        ("../runs/2026-02-02-c", "no run begins with"),
        ("*", "no run begins with"),
        ("x" * 300, "no run begins with"),
    ):
        with pytest.raises(InputError, match=re.escape(words)):
            find(root, reference)


def test_what_is_no_run_is_not_listed(root: Path, tmp_path: Path) -> None:
    run = make_run(root)
    outside = make_run(tmp_path / "outside")
    (root / "link").symlink_to(outside.path)
    (root / "loop").symlink_to(root)
    (root / "file").touch()
    (root / "empty").mkdir()
    (root / "odd").mkdir()
    os.mkfifo(root / "odd" / "config.toml")
    assert [found.id for found in list_runs(root)] == [run.id]
    assert list(list_runs(root / "file")) == []


def test_a_deletion_cut_short_leaves_no_run_in_the_list(root: Path) -> None:
    for call in itertools.count(1):
        run = make_run(root)
        try:
            with Disk(call, Killed()):
                delete(run)
        except Killed:
            assert all((found.path / "config.toml").exists() and found == run for found in list_runs(root)), call
            shutil.rmtree(root)
            continue
        break
    assert call > 2 and not list(root.iterdir())


def test_a_config_of_a_newer_format_is_refused_by_name(root: Path) -> None:
    run = make_run(root)
    run.config_file.write_text(run.config_file.read_text().replace("format = 1", "format = 2"))
    with pytest.raises(InputError, match=r"config\.toml: run\.format: 2 is newer than this program's 1"):
        follow.load(run)


def test_a_config_edited_on_windows_is_read(root: Path) -> None:
    run = make_run(root)
    run.config_file.write_bytes(b"\xef\xbb\xbf" + run.config_file.read_bytes().replace(b"\n", b"\r\n"))
    assert directory.read_record(run).config == quick()


def test_commands_arrive_whole_and_in_order(tmp_path: Path) -> None:
    wishes: list[commands.AnyCommand] = [
        commands.Pause(),
        commands.Set(changes={"training.epochs": 3}),
        commands.Stop(discard=True),
    ]
    for wish in wishes:
        assert commands.send(tmp_path, wish) == wish.id
    assert [wish for _, wish in commands.receive(tmp_path)] == wishes
    for call in itertools.count(1):
        disk = Disk(call, Killed())
        try:
            with disk:
                commands.send(tmp_path, commands.Save())
        except Killed:
            assert [wish for _, wish in commands.receive(tmp_path)] == wishes
            continue
        break
    assert len(list(commands.receive(tmp_path))) == 4


def test_where_runs_lie(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert directory.runs_root().parts[-2:] == ("tui-trainer", "runs")
    monkeypatch.setenv("TUI_TRAINER_RUNS", "/a")
    assert directory.runs_root() == Path("/a") and directory.runs_root(tmp_path) == tmp_path
    assert Run(tmp_path / "x").id == "x"
