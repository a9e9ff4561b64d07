"""Every command of the command line, as a person or a script uses it."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.running import LONG, Cli, wait, wait_for_end
from tui_trainer import __version__, datasets, presets
from tui_trainer.config import RunConfig
from tui_trainer.engine import checkpoint
from tui_trainer.runs import follow

KEYS = """id status device epoch epochs step train_loss train_accuracy val_loss val_accuracy test_accuracy best_epoch
best_val_accuracy seconds images_per_second checkpoints weights_sha256 config"""
COMMANDS = """train fork resume attach pause set save stop runs show tail evaluate verify export delete lr-find
sharpness line bench presets data"""


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """The command line over one finished run, `train digits --plain`."""
    folder = tmp_path_factory.mktemp("digits")
    cli = Cli(folder / "runs", folder / "data")
    (folder / "said").write_text(cli("train", "digits", "--plain", "--name", "First.run"))
    yield cli


def said(cli: Cli, *arguments: str) -> Any:
    return json.loads(cli(*arguments, "--json"))


def test_train_plain_trains_and_says_so(digits: Cli) -> None:
    lines = (digits.runs.parent / "said").read_text().splitlines()
    assert sum("  epoch " in line for line in lines) == 30
    assert "finished: 30 of 30 epochs" in lines[-1] and "test accuracy" in lines[-1]
    assert not digits.data.exists()


def test_show_tells_everything(digits: Cli) -> None:
    shown = said(digits, "show", "last")
    assert set(KEYS.split()) <= shown.keys()
    assert shown["status"] == "finished" and shown["epoch"] == shown["epochs"] == 30
    assert 0.95 < shown["test_accuracy"] <= 1
    assert shown["config"] == presets.load("digits").config.model_dump(mode="json")
    assert shown["id"].rpartition("-")[0].endswith("-first-run")
    assert [saved["epoch"] for saved in shown["checkpoints"]] == sorted({shown["best_epoch"], 30})
    assert shown["weights_sha256"] == shown["checkpoints"][-1]["weights_sha256"]
    plain = digits("show", shown["id"][:20])
    for words in (shown["id"], "✓ finished", "64-64-64-10 · 8,970 parameters", shown["weights_sha256"]):
        assert words in plain
    assert said(digits, "runs") == [shown]
    assert "✓ finished" in digits("runs") and "30/30" in digits("runs")


def test_tail_prints_the_last_lines_and_ends_with_the_run(digits: Cli) -> None:
    assert digits("tail", "last", "-n", "2").splitlines()[-1].endswith("finished")
    assert len(digits("tail", "last", "-n", "2").splitlines()) == 2
    assert digits("tail", "last", "-n", "0") == ""
    assert digits("attach", "last").splitlines() == digits("tail", "last").splitlines()


def test_evaluate_agrees_with_what_the_run_measured(digits: Cli) -> None:
    shown = said(digits, "show", "last")
    best = said(digits, "evaluate", "last")
    assert best["accuracy"] == shown["best_test_accuracy"] and best["epoch"] == shown["best_epoch"]
    file = shown["checkpoints"][-1]["file"]
    last = said(digits, "evaluate", "last", "--checkpoint", "last", "--split", "train")
    assert last["accuracy"] == shown["train_accuracy_evaluated"] and last["checkpoint"] == file
    path = str(digits.find("last").checkpoints / file)
    plain = digits("evaluate", "last", "--checkpoint", path, "--split", "validation")
    assert f"{file} (epoch 30)" in plain and f"accuracy {100 * shown['val_accuracy']:.2f} %" in plain


class Classifier(nn.Module):
    """As a student would write it."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(64, 64)
        self.fc2 = nn.Linear(64, 64)
        self.out = nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden: torch.Tensor = self.fc2(self.fc1(x).relu()).relu()
        return self.out(hidden)  # type: ignore[no-any-return]


def test_exported_weights_work_in_plain_pytorch(digits: Cli, tmp_path: Path) -> None:
    told = said(digits, "evaluate", "last")
    test = datasets.load(RunConfig().data, Path()).test
    images, labels = torch.tensor(test.images).float() / 16, torch.tensor(test.labels)
    networks: tuple[tuple[nn.Module, list[str]], ...] = (
        (nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)), []),
        (Classifier(), ["--names", "fc1,fc2,out"]),
    )
    for network, options in networks:
        digits("export", "last", "--format", "pth", "-o", str(tmp_path / "w.pth"), *options)
        saved = torch.load(tmp_path / "w.pth", weights_only=True)
        assert saved.keys() == {"epoch", "model_state_dict"} and saved["epoch"] == told["epoch"]
        network.load_state_dict(saved["model_state_dict"])
        assert int((network(images).argmax(1) == labels).sum()) == told["correct"]
    assert [path.name for path in tmp_path.iterdir()] == ["w.pth"]


def test_exported_metrics_are_those_of_the_run(digits: Cli, tmp_path: Path) -> None:
    digits("export", "last", "--format", "csv", "-o", str(tmp_path / "m.csv"))
    with (tmp_path / "m.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    shown = said(digits, "show", "last")
    assert [int(row["epoch"]) for row in rows] == list(range(1, 31))
    for key in ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "seconds"):
        assert float(rows[-1][key]) <= shown[key] if key == "seconds" else float(rows[-1][key]) == shown[key]


def test_delete_removes_one_run_and_no_other(digits: Cli, tmp_path: Path) -> None:
    shutil.copytree(digits.runs, tmp_path / "runs")
    cli = Cli(tmp_path / "runs", tmp_path)
    run = cli.find("last")
    run.path.with_name("2000-01-01-old").mkdir()
    run.path.rename(copied := run.path.with_name("2999-01-01-copy"))
    shutil.copytree(copied, run.path)
    assert cli("delete", "2999").startswith("2999-01-01-copy: in the trash")
    assert cli("trash", "empty", "--yes") == "1 run deleted\n"
    assert sorted(path.name for path in cli.runs.iterdir()) == ["2000-01-01-old", run.id]


def test_a_live_run_obeys_and_every_answer_says_what_happened(cli: Cli) -> None:
    run = cli.train(*LONG, "epochs=1000", "every_epochs=2")
    state = wait(run, lambda state: state.epoch >= 2)
    assert {"running"} == {entry["status"] for entry in said(cli, "runs")}
    assert cli("pause", "last").startswith(f"{run.id}: paused at epoch ")
    paused = follow.load(run)
    assert paused.status == "paused" and said(cli, "show", "last")["status"] == "paused"
    save = cli("save", "last").split()[-1]
    assert checkpoint.read(run.checkpoints / save).meta.step == paused.step
    assert said(cli, "evaluate", "last", "--checkpoint", "last")["checkpoint"] == save
    with cli.start("tail", "last", "-n", "1") as tail:
        assert f"resumed from epoch {paused.epoch}" in cli("resume", run.id, "--set", "epochs=999")
        wait(run, lambda state: state.step > paused.step)
        answer = cli("stop", "last")
        assert answer.startswith(f"{run.id}: stopped") and "saved e0" in answer
        out, _ = tail.communicate(timeout=60)
    assert out.splitlines()[-1].endswith(f"stopped: {follow.load(run).reason}") and tail.returncode == 0
    shown = said(cli, "show", "last")
    assert shown["status"] == "stopped" and shown["epochs"] == 999
    assert [change["changes"] for change in shown["changes"]] == [{"training.epochs": 999}]
    assert shown["checkpoints"][-1]["step"] == shown["step"] > state.step
    for command in ("pause", "save", "stop"):
        status, out, err = cli.result(command, "last")
        assert (status, out) == (2, "") and "has no worker to ask; it is stopped" in err


def test_ctrl_c_in_plain_mode_stops_and_saves(cli: Cli) -> None:
    with cli.start("train", "digits", "--plain", "--set", "epochs=100000") as process:
        assert process.stdout
        while "epoch 2 " not in process.stdout.readline():
            assert process.poll() is None
        for _ in range(10):
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and "stopped: " in out.splitlines()[-1] and not err
    state = wait_for_end(cli.find("last"))
    assert state.newest_checkpoint and state.newest_checkpoint.step == state.step
    assert state.reason.startswith("asked to end by SIGTERM; saved e")


def test_output_that_is_closed_full_or_read_no_further_is_no_traceback(cli: Cli) -> None:
    def ended(script: str) -> tuple[int, str]:
        shell = ["sh", "-c", script, "sh", sys.executable, "-m", "tui_trainer", "presets", "show", "digits"]
        done = subprocess.run(shell, check=False, env=cli.environment, capture_output=True, text=True)
        return done.returncode, done.stderr

    assert ended('"$@" <&- >&- 2>&-') == (0, "")
    assert ended('"$@" > /dev/full') == (2, "the output: No space left on device\n")
    assert ended('{ "$@"; echo $? >&2; } | true') == (0, "0\n")


def test_global_options_stand_anywhere(digits: Cli) -> None:
    elsewhere = Cli(digits.runs / "no", digits.data)
    for arguments in (
        ("--runs", str(digits.runs), "show", "last", "--json"),
        ("show", "last", "--json", "--runs", str(digits.runs)),
        ("show", f"--runs={digits.runs}", "last", "--json"),
    ):
        assert json.loads(elsewhere(*arguments))["status"] == "finished"
    assert "no runs in" in elsewhere("runs")
    assert f"in {digits.runs}" in elsewhere("data", "--data", str(digits.runs))


def test_presets_and_data_are_listed_shown_and_checked(cli: Cli, tmp_path: Path) -> None:
    listed = {preset["name"]: preset["config"] for preset in said(cli, "presets")}
    assert next(iter(listed)) == "digits" and "evaluation-report/setting-2" in listed
    assert all(name in cli("presets") for name in listed)
    assert said(cli, "presets", "show", "setting-2")["config"] == listed["evaluation-report/setting-2"]
    assert "training.epochs" in cli("presets", "show", "digits")
    (tmp_path / "own.toml").write_text('[optimizer]\nname = "sgd"\n')
    assert "sound; 64-64-64-10, sgd" in cli("presets", "check", str(tmp_path / "own.toml"))
    table = cli("data")
    assert "digits" in table and "– absent" in table and "✓ present" in table and str(cli.data) in table
    assert "sound" in cli("data", "check", "digits")
    assert "is here already" in cli("data", "fetch", "digits")


def test_real_mnist_is_checked_trained_on_and_measured(tmp_path: Path, mnist: Path) -> None:
    cli = Cli(tmp_path / "runs", mnist)
    assert "digests as published" in cli("data", "check", "mnist")
    cli("train", "first-mlp/50-50-units", "--plain", "--set", "epochs=1")
    shown = said(cli, "show", "last")
    assert shown["test_accuracy"] > 0.9 and shown["steps"] == -(-60_000 // shown["config"]["training"]["batch_size"])
    assert said(cli, "evaluate", "last")["accuracy"] == shown["best_test_accuracy"]


def test_version_and_help(cli: Cli) -> None:
    assert cli("--version") == f"tui-trainer {__version__}\n"
    words = cli("--help")
    for command in COMMANDS.split():
        assert f"  {command} " in words
    assert os.fspath(cli.runs) not in words and not list(cli.runs.iterdir())


def test_without_a_terminal_there_is_no_dashboard(cli: Cli) -> None:
    status, out, err = cli.result()
    assert (status, out) == (2, "") and "no terminal" in err
