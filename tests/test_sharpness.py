"""φ(ε) of a run's minimum, against every corner of a small box and against an ascent written here."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.running import Cli, make_run, process_put_back, quick, work
from tests.test_bad_input import everything_under
from tui_trainer.config import RunConfig
from tui_trainer.engine import __main__ as engine
from tui_trainer.engine import checkpoint, sharpness, trained
from tui_trainer.engine.evaluate import evaluate
from tui_trainer.engine.sharpness import Surface
from tui_trainer.engine.trained import Trained
from tui_trainer.runs.directory import Run

Vector = NDArray[np.float64]


def trained_run(root: Path, config: RunConfig) -> tuple[Run, Trained]:
    run = make_run(root, config)
    assert work(run).status == "finished"
    with process_put_back():
        return run, trained.load(trained.newest(run), trained.data_root(run))


def result_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """What a job says last, run in this process."""
    capsys.readouterr()
    with process_put_back():
        status = engine.run_job(arguments[0], list(arguments[1:]))
    last: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert status == (2 if "problems" in last else 0)
    return last


def test_a_perceptron_is_as_sharp_as_the_highest_corner_of_its_box(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without hidden layers the loss is convex, so its maximum over a box lies in a corner: here one of 64."""
    run, subject = trained_run(tmp_path, quick("data=and", "hidden_sizes=none", "batch_size=4", "epochs=50"))
    images = subject.splits.train.images.double().numpy()
    labels = subject.splits.train.labels.numpy()
    weights = np.concatenate([p.detach().double().numpy().ravel() for p in subject.model.parameters()])

    def loss(w: Vector) -> float:
        logits = images @ w[:4].reshape(2, 2).T + w[4:]
        shifted = logits - logits.max(1, keepdims=True)
        return float(np.mean(np.log(np.exp(shifted).sum(1)) - shifted[np.arange(len(labels)), labels]))

    epsilons = [1e-3, 5e-4, 0.1]
    result = result_of(capsys, "sharpness", str(run.path), json.dumps(epsilons))["result"]
    assert result["loss"] == pytest.approx(loss(weights), rel=1e-5)
    assert list(result["sharpness"]) == ["0.001", "0.0005", "0.1"]
    for epsilon, phi in zip(epsilons, result["sharpness"].values(), strict=True):
        corners = itertools.product((-1, 1), repeat=len(weights))
        highest = max(loss(weights + np.array(signs) * epsilon * (np.abs(weights) + 1)) for signs in corners)
        assert phi == pytest.approx(100 * (highest - loss(weights)) / (1 + loss(weights)), rel=2e-3)


def test_a_deep_minimum_is_climbed_out_of(tmp_path: Path) -> None:
    """Where the gradient is all but zero: at least nine tenths of what an ascent by signs finds in fifty steps."""
    _, subject = trained_run(tmp_path, quick("epochs=150", "learning_rate=0.01"))
    surface = Surface(subject.model, subject.splits.train)
    assert np.abs(surface.gradient).max() < 1e-3
    for epsilon in (1e-2, 1e-3):
        reach = epsilon * (np.abs(surface.weights) + 1)
        z, found = sharpness.climb(surface, epsilon, lambda *_: None)
        assert (np.abs(z) <= reach).all()
        assert surface.at(z)[0] == pytest.approx(found, rel=1e-6)
        place, highest = np.zeros_like(reach), 0.0
        for _ in range(50):
            loss, gradient = surface.at(place)
            highest = max(highest, loss)
            place = np.clip(place + reach * np.sign(gradient), -reach, reach)
        assert found - surface.loss > 0.9 * (highest - surface.loss)


def test_the_loss_is_that_of_evaluation_and_its_gradient_its_slope(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With dropout and batch norm, neither of which may move while it is measured; in several batches."""
    _, subject = trained_run(tmp_path, quick("batch_norm=true", "dropout=0.5"))
    before = {key: tensor.clone() for key, tensor in subject.model.state_dict().items()}
    monkeypatch.setattr(sharpness, "BATCH", 500)
    surface = Surface(subject.model, subject.splits.train)
    assert surface.loss == pytest.approx(evaluate(subject.model, subject.splits.train)[0], rel=1e-6)
    assert all(tensor.equal(before[key]) for key, tensor in subject.model.state_dict().items())
    direction = np.random.default_rng(0).standard_normal(len(surface.weights)) * 1e-3
    slope = (surface.at(direction)[0] - surface.at(-direction)[0]) / 2
    assert surface.gradient @ direction == pytest.approx(slope, rel=0.02)


def test_it_repeats_to_the_bit_and_leaves_the_run_as_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, _ = trained_run(tmp_path, quick("batch_norm=true"))
    before = everything_under(run.path)
    first, second = (result_of(capsys, "sharpness", str(run.path), "[0.001]") for _ in range(2))
    assert first == second
    assert first["result"]["sharpness"]["0.001"] > 0
    assert everything_under(run.path) == before


def test_the_command_says_it(cli: Cli) -> None:
    work(make_run(cli.runs, quick()))
    loss, *sizes = cli("sharpness", "last", "--epsilon", "0.01", "--epsilon", "5e-4").splitlines()
    assert "training loss" in loss
    assert [line.partition(" = ")[0] for line in sizes] == ["φ(0.01)", "φ(0.0005)"]


@pytest.mark.parametrize("epsilons", ["[0.001, 0]", "[NaN]", "[2]", "[]"])
def test_a_box_of_no_size_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], epsilons: str) -> None:
    problems = result_of(capsys, "sharpness", str(tmp_path), epsilons)["problems"]
    assert problems == ["--epsilon: each must be above 0 and at most 1"]


def test_a_run_without_a_checkpoint_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = make_run(tmp_path)
    problems = result_of(capsys, "sharpness", str(run.path), "[0.001]")["problems"]
    assert problems == [f"{run.id}: has no checkpoint yet"]


def test_a_damaged_checkpoint_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, _ = trained_run(tmp_path, quick())
    for file in checkpoint.scan(run.checkpoints):
        file.write_bytes(file.read_bytes()[:-1])
    problems = result_of(capsys, "sharpness", str(run.path), "[0.001]")["problems"]
    assert problems[-1] == f"{run.id}: has no checkpoint yet" and "e0003" in problems[0]
