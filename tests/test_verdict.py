"""The verdict in words on curves whose course is known, whatever noise lies on them."""

import math
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dashboard import FakeRun
from tests.running import Cli
from tui_trainer.runs import events, follow
from tui_trainer.runs.verdict import Verdict, judge, verdict

LENGTHS = st.integers(20, 200)
NOISES = st.floats(0, 0.01)  # of the loss
SCALES = st.floats(1e-3, 1e3)


def judged(train: list[float], validation: list[float], noise: float = 0.0, scale: float = 1.0) -> Verdict:
    """The verdict on curves that noise was added to, a fraction of each point, and in other units."""
    draw = random.Random(len(train))
    noisy = [[scale * value * (1 + draw.gauss(0, noise)) for value in curve] for curve in (train, validation)]
    return judge(range(1, len(train) + 1), *noisy)


@given(LENGTHS, NOISES, SCALES)
def test_a_loss_that_falls_to_the_end_is_still_improving(length: int, noise: float, scale: float) -> None:
    falling = [2.3 * math.exp(-3 * epoch / length) for epoch in range(length)]
    found = judged(falling, falling, noise, scale)
    assert (found.word, found.epoch) == ("still improving", None), found


@given(LENGTHS, NOISES, SCALES, st.floats(0.2, 0.5))
def test_a_loss_that_falls_no_more_has_plateaued(length: int, noise: float, scale: float, at: float) -> None:
    knee = round(at * length)
    flat = [max(2.0 - 1.8 * epoch / knee, 0.2) for epoch in range(length)]
    found = judged(flat, flat, noise, scale)
    assert found.word == "plateaued" and found.epoch is not None, found
    assert abs(found.epoch - knee) <= 3 + length / 20, (found, knee)


@given(LENGTHS, NOISES, SCALES, st.floats(0.2, 0.6))
def test_a_validation_loss_that_rises_while_training_falls_is_overfitting(
    length: int, noise: float, scale: float, at: float
) -> None:
    turn = round(at * length)
    train = [2.3 * math.exp(-5 * epoch / length) for epoch in range(length)]
    val = [0.3 + 2 * ((epoch - turn) / length) ** 2 for epoch in range(length)]
    found = judged(train, val, noise, scale)
    assert found.word == "overfitting" and found.epoch is not None, found
    assert abs(found.epoch - 1 - turn) <= 2 + length / 10, (found, turn)
    assert "while training loss fell" in found.reason and f"at epoch {found.epoch}" in found.reason


@given(LENGTHS, st.floats(0, 0.1), SCALES)
def test_noise_alone_says_nothing(length: int, noise: float, scale: float) -> None:
    flat = [2.3] * length
    assert judged(flat, flat, noise, scale).word == "plateaued"


def test_a_training_loss_that_explodes_has_diverged(root: Path) -> None:
    curve = [1.0, 0.6, 0.4, 0.3, 0.3, 0.9, 2.0, 4.0, 8.0, 9.0]
    found = judged(curve, curve)
    assert (found.word, found.epoch) == ("diverged", 4) and "to 8" in found.reason
    fake = FakeRun(root).take().start().train(1, 2)
    fake.write(events.State(status="failed", reason="the loss is not finite after step 90 or shortly before"))
    fake.release()
    assert str(verdict(follow.load(fake.run))) == "diverged since epoch 2"


@pytest.mark.parametrize(("epochs", "words"), [(4, "too early to say: 4 epochs done"), (9, "still improving: ")])
def test_show_gives_verdict_and_reason(cli: Cli, epochs: int, words: str) -> None:
    fake = FakeRun(cli.runs).take().start().train(*range(1, epochs + 1)).finish()
    assert f"verdict  {words}" in cli("show", "last")
    assert f'"verdict": "{words.partition(":")[0]}"' in cli("show", fake.run.id, "--json")
