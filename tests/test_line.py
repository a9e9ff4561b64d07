"""The line between two runs: its ends are the runs, its statistics those of the weights in between."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional

from tests.running import Cli, make_run, process_put_back, quick, work
from tests.test_bad_input import everything_under
from tests.test_sharpness import result_of, trained_run
from tui_trainer.engine import line
from tui_trainer.runs.directory import Run

COLUMNS = ["alpha", "train_loss", "train_accuracy", "test_loss", "test_accuracy"]


def pair(root: Path, *settings: str) -> tuple[Run, Run, list[tuple[float, ...]]]:
    """Two runs with other seeds and batches, and what each measured of its final weights."""
    runs = [make_run(root, quick(*settings, *own)) for own in ((), ("seed=1", "batch_size=300"))]
    measured = []
    for run in runs:
        state = work(run)
        found = [state.evaluations["final", split] for split in ("train", "test")]
        measured.append(tuple(value for e in found for value in (e.loss, e.accuracy)))
    return runs[0], runs[1], measured


def walked(capsys: pytest.CaptureFixture[str], first: Run, second: Run, *places: str) -> dict[str, Any]:
    found: dict[str, Any] = result_of(capsys, "line", str(first.path), str(second.path), *places)["result"]
    assert list(found) == COLUMNS
    return found


def places_of(found: dict[str, Any]) -> list[tuple[float, ...]]:
    return list(zip(*(found[name] for name in COLUMNS[1:]), strict=True))


def test_the_ends_are_the_two_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second, measured = pair(tmp_path, "dropout=0.2")
    before = everything_under(tmp_path)
    found = walked(capsys, first, second, "-1", "2", "4")
    assert found["alpha"] == [-1, 0, 1, 2]
    assert places_of(found)[1:3] == measured
    assert found["train_loss"][0] > measured[0][0] and found["train_loss"][3] > measured[1][0]
    assert everything_under(tmp_path) == before


def test_with_batch_norm_the_ends_are_near_and_statistics_are_those_of_each_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half way, by hand: the statistics of the first layer's outputs over the whole training set."""
    first, second, measured = pair(tmp_path, "batch_norm=true", "input_dropout=0.1", "epochs=15")
    found = walked(capsys, first, second, "0", "1", "3")
    assert places_of(found)[0] == pytest.approx(measured[0], abs=0.1)
    assert places_of(found)[2] == pytest.approx(measured[1], abs=0.1)

    _, subject = trained_run(tmp_path / "other", quick("batch_norm=true"))  # only for its data
    states = [checkpoint_weights(run) for run in (first, second)]
    weight, bias, gamma, beta, out_weight, out_bias = (
        (states[0][key] + states[1][key]) / 2
        for key in ("0.weight", "0.bias", "1.weight", "1.bias", "3.weight", "3.bias")
    )
    train, test = subject.splits.train, subject.splits.test
    mean, variance = (hidden := train.images @ weight.T + bias).mean(0), hidden.var(0)
    for examples, loss in ((train, found["train_loss"][1]), (test, found["test_loss"][1])):
        hidden = examples.images @ weight.T + bias
        normal = (hidden - mean) / (variance + 1e-5).sqrt() * gamma + beta
        logits = normal.relu() @ out_weight.T + out_bias
        assert functional.cross_entropy(logits, examples.labels).item() == pytest.approx(loss, rel=1e-4)

    monkeypatch.setattr(line, "BATCH", 100)
    assert walked(capsys, first, second, "0", "1", "3")["train_loss"] == pytest.approx(found["train_loss"], rel=0.05)
    assert walked(capsys, first, second, "0", "1", "3") == walked(capsys, first, second, "0", "1", "3")


def checkpoint_weights(run: Run) -> dict[str, torch.Tensor]:
    from tui_trainer.engine.trained import newest

    with process_put_back():
        return newest(run).part("model")


def test_the_command_prints_a_row_a_place(cli: Cli) -> None:
    first, second, _ = pair(cli.runs)
    lines = cli("line", first.id, second.id, "--points", "4").splitlines()
    assert lines[0].split() == ["α", "train", "loss", "accuracy", "test", "loss", "accuracy"]
    assert [row.split()[0] for row in lines[1:]] == ["-1.000", "0.000", "1.000", "2.000"]


def test_where_the_loss_is_no_number_json_says_null(cli: Cli) -> None:
    first, second, _ = pair(cli.runs)
    said = cli("line", first.id, second.id, "--low", "-1e38", "--high", "1e38", "--points", "3", "--json")
    assert "NaN" not in said
    losses = json.loads(said)["train_loss"]
    assert losses[0] is losses[2] is None and losses[1] > 0


def test_places_that_are_none_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problems = result_of(capsys, "line", str(tmp_path), str(tmp_path), "2.0", "inf", "1")["problems"]
    assert problems == [
        "--low, --high: 2.0 … inf must be finite and rise",
        "--points: 1 is not between 2 and 1001",
    ]


def test_networks_that_differ_have_no_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, other = make_run(tmp_path), make_run(tmp_path, quick("hidden_sizes=8", "data=moons", "init=zeros"))
    work(first), work(other)
    problems = result_of(capsys, "line", str(first.path), str(other.path), "0", "1", "3")["problems"]
    ending = "; a line needs one network and one data set"
    assert problems == [
        f"{other.id}: data.name: 'moons', but 'digits' in {first.id}{ending}",
        f"{other.id}: network.hidden_sizes: (8,), but (16,) in {first.id}{ending}",
    ]
