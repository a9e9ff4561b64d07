"""A study's checkpoints in a separately written evaluation script; runs put side by side."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from tests.running import Cli, make_run, quick, work
from tests.studies import finished, make_study
from tui_trainer.runs import directory, follow
from tui_trainer.runs.directory import Start
from tui_trainer.runs.events import EventLog
from tui_trainer.runs.state import RunState
from tui_trainer.studies import follow as studies
from tui_trainer.studies import saved_models
from tui_trainer.studies.compare import compare
from tui_trainer.studies.follow import StudyFollower

SCRIPT = Path(__file__).parent.parent / "docs" / "evaluate_saved_model.py"
TINY = """
[set]
data = {{ name = "{data}", train_size = 600 }}
training = {{ epochs = 2, batch_size = 60, device = "cpu" }}
network = {{ hidden_sizes = [16, 12, 8] }}
[[runs]]
preset = "digits"
name = "not-begun"
[[runs]]
preset = "digits"
"""


def trained(root: Path, data: str, data_root: Path) -> StudyFollower:
    """One row trained, the first not begun."""
    study = make_study(root, TINY.format(data=data), lambda member: None if member.row == "digits" else [])
    (member,) = studies.load(study).rows[1].members
    assert member.run
    work(member.run, data_root)
    return studies.load(study)


def state_of(follower: StudyFollower) -> RunState:
    state = follower.rows[1].members[0].state
    assert state and state.best
    return state


def test_settings_are_exported_by_number_and_best_epoch(tmp_path: Path) -> None:
    state = state_of(trained(tmp_path / "runs", "digits", tmp_path))
    cli = Cli(tmp_path / "runs", tmp_path)
    status, out, err = cli.result("study", "export", "study", "-o", str(tmp_path / "out"), "--names", "a,b,c,d")
    assert status == 1 and err == "not-begun: has no finished run; nothing exported\n"
    assert state.best
    file = tmp_path / f"out/saved_model/setting_2/epoch_{state.best.epoch}.pth"
    assert out == f"{file}: digits, seed 0\n"
    saved = torch.load(file, weights_only=True)
    assert saved["epoch"] == state.best.epoch
    assert [*saved["model_state_dict"]] == [f"{name}.{kind}" for name in "abcd" for kind in ("weight", "bias")]
    status, _, err = cli.result("study", "export", "study", "-o", str(tmp_path / "no"), "--seed", "7")
    assert status == 1 and "digits: has no finished run of seed 7" in err and not (tmp_path / "no").exists()


def test_a_separate_script_scores_what_the_report_says(tmp_path: Path, mnist: Path) -> None:
    follower = trained(tmp_path / "runs", "mnist", mnist)
    best, accuracy = state_of(follower).best, state_of(follower).accuracy("best", "test")
    saved_models.export(follower.rows[1], 2, tmp_path, "fc1,fc2,fc3,fc4", None)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path / "saved_model"), str(mnist / "MNIST" / "raw")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert best and accuracy and "tui_trainer" not in SCRIPT.read_text()
    where = f"setting_2/epoch_{best.epoch}.pth: epoch {best.epoch}"
    assert done.stdout == f"{where}, accuracy {100 * accuracy:.2f} %, {round(10_000 * accuracy)} right\n"


def run_of(root: Path, *settings: str, test: float = 0.9, start: Start | None = None) -> directory.Run:
    run = directory.create(root, quick(*settings), "run", "", root, start)
    log = EventLog(run.events_file)
    for event in finished(test=test):
        log.append(event)
    log.close()
    return run


def loaded(runs: Sequence[directory.Run]) -> list[RunState]:
    return [follow.load(run) for run in runs]


def test_compare_tells_what_differs_and_by_how_much(tmp_path: Path) -> None:
    runs = [run_of(tmp_path, test=0.90), run_of(tmp_path, "optimizer=sgd", "batch_size=50", test=0.92)]
    runs.append(make_run(tmp_path, quick("batch_size=50")))
    compared = compare(loaded(runs))
    assert compared.fields["training.batch_size"] == (100, 50, 50)
    assert compared.fields["optimizer.name"] == ("adam", "sgd", "adam")
    assert compared.fields["optimizer.momentum"] == (None, 0.0, None)
    assert "training.seed" not in compared.fields and not compared.are_seeds
    (test,) = [delta for delta in compared.deltas if delta.measure == "test_accuracy"]
    assert test.values == (0.90, 0.92, None) and test.estimate is None
    assert test.differences[1] == pytest.approx(0.02) and test.differences[2] is None


def test_seeds_of_one_config_get_mean_and_spread(tmp_path: Path) -> None:
    runs = [run_of(tmp_path, f"seed={seed}", test=0.9 + 0.01 * seed) for seed in range(3)]
    compared = compare(loaded(runs))
    assert compared.are_seeds and [*compared.fields] == ["training.seed"]
    (test,) = [delta for delta in compared.deltas if delta.measure == "test_accuracy"]
    assert test.estimate and test.estimate.deviation == pytest.approx(0.01)
    assert not compare(loaded([runs[0], runs[0]])).are_seeds


def test_compare_on_the_command_line(tmp_path: Path) -> None:
    root = tmp_path / "runs"
    parent = run_of(root, test=0.90)
    (tmp_path / "weights").write_bytes(b"")
    child = run_of(root, "learning_rate=0.1", test=0.95, start=Start(parent.id, tmp_path / "weights", "weights"))
    cli = Cli(root, tmp_path)
    words = cli("compare", parent.id, child.id)
    assert f"{child.id} stems from {parent.id}\n" in words
    assert "95.00 % (+5.00 points)" in words and "optimizer.learning_rate" in words and "batch_size" not in words
    said = json.loads(cli("compare", parent.id, child.id, "--json"))
    assert said["fields"] == {"optimizer.learning_rate": [0.001, 0.1]} and said["runs"] == [parent.id, child.id]
    assert said["measures"]["test_accuracy"]["values"] == [0.9, 0.95]
    assert cli.result("compare", parent.id)[0] == 2
