"""The learning-rate finder: what it measures, when it stops, what it suggests, and that nothing else is touched."""

import json
import math
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from tests.running import Cli, make_run, process_put_back, quick, work
from tests.test_bad_input import everything_under, refused
from tests.test_sharpness import result_of
from tui_trainer.config import RunConfig
from tui_trainer.engine import data, device, lr_find
from tui_trainer.engine.data import order_of
from tui_trainer.engine.lr_find import Sweep
from tui_trainer.engine.trainer import Trainer
from tui_trainer.runs.sweep import HIGH, LOW, STEPS


def trainer_of(config: RunConfig) -> Trainer:
    numerics = device.choose(config)
    return Trainer(config, data.load(config, Path(), numerics.torch_device), numerics)


def swept(config: RunConfig, low: float, high: float, steps: int) -> Sweep:
    with process_put_back():
        return lr_find.sweep(trainer_of(config), low, high, steps, lambda _: None)


@st.composite
def valleys(draw: st.DrawFn) -> tuple[Sweep, float, float]:
    """A curve that is flat, falls round one rate and rises beyond another, with the two."""
    falls = draw(st.floats(-5, -2))
    rises = falls + draw(st.floats(1, 2))
    depth, steep = draw(st.floats(0.5, 2)), draw(st.floats(3, 8))
    rates = list(lr_find.rates(LOW, HIGH, STEPS))
    places = [math.log10(rate) for rate in rates]
    losses = [2.3 - depth / (1 + math.exp(-steep * (p - falls))) + math.exp(6 * (p - rises)) for p in places]
    end = next((i for i, loss in enumerate(losses) if loss > 10), STEPS)
    return Sweep(rates[:end], losses[:end], losses[:end]), 10**falls, 10**rises


@given(valleys())
def test_every_suggestion_lies_on_the_way_down(curve: tuple[Sweep, float, float]) -> None:
    done, falls, _ = curve
    found = lr_find.suggestions(done, STEPS)
    least = done.learning_rates[done.losses.index(min(done.losses))]
    assert found["minimum/10"] == least / 10
    assert found["valley"] < least and found["steepest"] < least
    assert abs(math.log10(found["steepest"] / falls)) < 0.25


@given(valleys(), st.floats(0.1, 10), st.floats(-5, 5))
def test_the_unit_of_the_loss_changes_no_suggestion(
    curve: tuple[Sweep, float, float], factor: float, more: float
) -> None:
    done, *_ = curve
    other = [factor * loss + more for loss in done.smoothed]
    changed = Sweep(done.learning_rates, other, other)
    assert lr_find.suggestions(changed, STEPS) == pytest.approx(lr_find.suggestions(done, STEPS), rel=0.25)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=9))
def test_the_valley_is_the_middle_of_the_longest_way_down(heights: list[int]) -> None:
    """Against every subsequence there is."""
    ways = [
        chosen
        for length in range(1, len(heights) + 1)
        for chosen in combinations(range(len(heights)), length)
        if all(heights[a] > heights[b] for a, b in pairwise(chosen))
    ]
    longest = max(map(len, ways))
    end = min(way[-1] for way in ways if len(way) == longest)
    assert lr_find.valley([float(height) for height in heights]) == max(0, end - longest // 2)


@given(st.lists(st.floats(0, 10), min_size=20, max_size=60))
def test_a_loss_that_only_rises_suggests_nothing(losses: list[float]) -> None:
    rising = sorted(losses)
    rates = list(lr_find.rates(LOW, HIGH, len(rising)))
    assert lr_find.suggestions(Sweep(rates, rising, rising), len(rising)) == {}


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50))
def test_smoothing_is_a_mean_with_fading_weights(losses: list[float]) -> None:
    done = Sweep()
    for loss in losses:
        done.add(1.0, loss)
    weights = [0.98**age for age in reversed(range(len(losses)))]
    mean = sum(w * loss for w, loss in zip(weights, losses, strict=True)) / sum(weights)
    assert done.smoothed[-1] == pytest.approx(mean, rel=1e-9, abs=1e-9)


def test_rates_rise_by_one_factor() -> None:
    rates = list(lr_find.rates(1e-4, 1.0, 5))
    assert rates == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1, 1.0])


def test_it_trains_as_a_plain_loop_would() -> None:
    """SGD by hand over the batches of two epochs; the config's own rate and schedule have no say."""
    config = quick("optimizer=sgd", "learning_rate=0.3", "batch_size=900", "schedule=cosine")
    done = swept(config, 0.01, 1.0, 4)
    trainer = trainer_of(config)
    model, train = trainer.model, trainer.splits.train
    batches = [batch for epoch in (1, 2) for batch in order_of(config.training.seed, epoch, len(train)).split(900)]
    expected = []
    for batch, rate in zip(batches, lr_find.rates(0.01, 1.0, 4), strict=True):
        loss = functional.cross_entropy(model(train.images[batch]), train.labels[batch])
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(model.parameters(), gradients, strict=True):
                parameter.sub_(gradient, alpha=rate)
        expected.append(loss.item())
    assert done.losses == pytest.approx(expected, rel=1e-4)


def test_a_loss_that_diverges_ends_the_sweep() -> None:
    done = swept(quick("optimizer=sgd", "activation=identity"), 0.1, 10.0, 400)
    assert len(done.losses) < 400
    assert done.smoothed[-1] > 4 * min(done.smoothed)
    assert not any(smoothed > 4 * min(done.smoothed[: i + 1]) for i, smoothed in enumerate(done.smoothed[:-1]))


def test_a_loss_that_is_no_number_ends_it_before_that_update() -> None:
    done = swept(quick("optimizer=sgd", "activation=identity"), 1e30, 1e31, 20)
    assert len(done.losses) == 1
    assert all(map(math.isfinite, done.losses + done.smoothed))


def order(**changes: Any) -> str:
    return json.dumps({"config": quick().model_dump(mode="json"), "data": "", **changes})


def test_the_job_suggests(capsys: pytest.CaptureFixture[str]) -> None:
    found = result_of(capsys, "lr-find", order())["result"]
    assert list(found) == ["learning_rates", "losses", "smoothed", "suggestions"]
    assert len(found["learning_rates"]) == len(found["losses"]) == len(found["smoothed"]) <= STEPS
    assert list(found["suggestions"]) == ["steepest", "valley", "minimum/10"]
    assert all(1e-5 < rate < 1 for rate in found["suggestions"].values())


def test_the_command_begins_with_the_weights_of_a_run_and_leaves_no_trace(cli: Cli) -> None:
    final = work(make_run(cli.runs, quick("epochs=20", "learning_rate=0.01"))).evaluations["final", "train"]
    before = everything_under(cli.runs.parent)
    said = cli("lr-find", "digits", "--set", "hidden_sizes=16", "--steps", "30", "--from", "last:last")
    heading, first, *_, last = said.splitlines()
    assert heading.split() == ["learning", "rate", "loss", "smoothed"]
    rate, loss, smoothed = first.split()
    assert rate == "1.00e-06" and loss == smoothed
    assert float(loss) < final.loss + 0.3 < 1
    assert "no suggestion: the loss did not fall" in last or "minimum/10" in last
    assert everything_under(cli.runs.parent) == before


def test_bad_input_is_refused(cli: Cli) -> None:
    wrong = ("lr-find", "digits", "--low", "1", "--high", "nan", "--steps", "3")
    assert refused(cli, *wrong) == [
        "--low, --high: 1 … nan must rise, above 0 and up to 100",
        "--steps: 3 is not between 20 and 10,000",
    ]
    assert "preset 'digit' is unknown" in refused(cli, "lr-find", "digit")[0]
    assert "there are no runs" in refused(cli, "lr-find", "digits", "--from", "last")[0]
