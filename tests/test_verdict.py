"""The verdict in words on curves whose course is known, whatever noise lies on them."""

import math
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dashboard import FakeRun, started
from tests.running import Cli
from tui_trainer.runs import events, follow
from tui_trainer.runs.verdict import Verdict, judge, verdict

LENGTHS = st.integers(20, 200)
NOISES = st.floats(0, 0.01)  # of the loss
SCALES = st.floats(1e-3, 1e3)
GUESSING = math.log(10)


def judged(train: list[float], validation: list[float], noise: float = 0.0, scale: float = 1.0) -> Verdict:
    """The verdict on curves of ten classes that noise was added to, a fraction of each point, and in other units."""
    draw = random.Random(len(train))
    fit, val = ([scale * value * (1 + draw.gauss(0, noise)) for value in curve] for curve in (train, validation))
    return judge(range(1, len(train) + 1), fit, val, scale * GUESSING)


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
    assert (found.word, found.epoch) == ("diverged", 4) and "to 8.0000" in found.reason
    fake = FakeRun(root).take().start().train(1, 2)
    fake.write(events.State(status="failed", reason="the loss is not finite after step 90 or shortly before"))
    fake.release()
    assert str(verdict(follow.load(fake.run))) == "diverged since epoch 2"


def rough(curve: list[float], factor: float) -> list[float]:
    """The curve, each point of it up or down by about this factor."""
    draw = random.Random(len(curve))
    return [value * factor ** draw.gauss(0, 1) for value in curve]


@given(LENGTHS, st.floats(1, 3), st.floats(2, 15), st.floats(0.2, 0.6))
def test_a_loss_that_explodes_has_diverged_however_rough_it_is(
    length: int, factor: float, digits: float, at: float
) -> None:
    turn = round(at * length)
    falling = [2.3 * math.exp(-3 * epoch / length) for epoch in range(turn)]
    rest = length - turn
    for rising in ([2.3 * 10 ** (digits * (n + 1) / rest) for n in range(rest)], [2.3 * 10**digits] * rest):
        curve = rough(falling + rising, factor)
        found = judged(curve, curve)
        assert found.word == "diverged" and found.epoch is not None, found
        assert found.epoch <= turn + 3 + length / 5, (found, turn)  # by noise the least may come late


@given(LENGTHS, st.floats(1, 2), st.lists(st.floats(0.1, 0.8), max_size=2), st.floats(2.3, 50))
def test_a_loss_that_falls_has_not_diverged_however_rough_it_is(
    length: int, factor: float, spikes: list[float], begins: float
) -> None:
    curve = rough([begins * math.exp(-6 * epoch / length) for epoch in range(length)], factor)
    for at in spikes:
        curve[round(at * length)] *= 1e6
    assert judged(curve, curve).word != "diverged"


@given(LENGTHS, st.floats(1, 1.4), st.floats(0.2, 0.6))
def test_noise_that_grows_with_the_loss_hides_no_explosion(length: int, factor: float, at: float) -> None:
    """Where the number of classes is not known either."""
    turn = round(at * length)
    curve = rough([0.5 * math.exp(-3 * epoch / length) for epoch in range(turn)] + [230.0] * (length - turn), factor)
    assert judge(range(1, length + 1), curve, curve).word == "diverged"


NEVER_BELOW = {  # training and validation loss as trained at a rate of 3 and of 30
    "dead": (
        [10.8, 2.335, 2.334, 2.326, 2.330, 2.328, 2.329, 2.331, 2.331, 2.329, 2.327, 2.322],
        [2.359, 2.402, 2.334, 2.343, 2.33, 2.395, 2.476, 2.436, 2.405, 2.32, 2.387, 2.356],
    ),
    "noise": (
        [2.3e15, 9.052, 8.466, 8.114, 9.819, 8.067, 7.146, 8.130, 7.982, 8.751, 7.807, 7.917],
        [9.524, 15.56, 9.98, 11.43, 12.42, 13.16, 7.483, 8.435, 13.89, 7.857, 8.647, 6.259],
    ),
}


@pytest.mark.parametrize("name", NEVER_BELOW)
def test_a_network_that_exploded_in_its_first_epoch_has_diverged(name: str) -> None:
    found = judged(*NEVER_BELOW[name])
    assert (found.word, found.epoch) == ("diverged", 1), found
    assert "no better than the 2.3026 of guessing" in found.reason


@pytest.mark.parametrize("lasts", [1.0, 0.3])
def test_a_bad_start_from_which_a_loss_falls_is_not_yet_a_divergence(lasts: float) -> None:
    curve = [60 * math.exp(-2 * epoch / 20) for epoch in range(round(20 * lasts))]
    assert judged(curve, curve).word == "still improving"


@pytest.mark.parametrize(("rate", "decay", "dead"), [(0.05, 1.0, True), (0.02, 0.0, False)])
def test_one_answer_to_imbalanced_data_is_told_from_success(cli: Cli, rate: float, decay: float, dead: bool) -> None:
    table = cli.runs.with_name("imbalanced.csv")
    rows = "".join(f"{n % 7},{n % 7 + 5 * (n % 10 == 0)},{int(n % 10 == 0)}\n" for n in range(1000))
    table.write_text(f"a,b,label\n{rows}")
    settings = ("data=csv", f"data.file={table}", f"learning_rate={rate}", f"weight_decay={decay}", "epochs=20")
    sgd = ("--set", "optimizer=sgd")
    cli("train", "digits", "--plain", *sgd, *(word for setting in settings for word in ("--set", setting)))
    said = cli("show", "last")
    assert ("over the last 5 epochs: one answer to all, it seems" in said) == dead
    assert ("verdict  plateaued at epoch 1" in said) == dead


def test_losses_in_a_reason_have_the_same_digits(root: Path) -> None:
    fake = FakeRun(root).take().start().train(*range(1, 13)).finish()  # validation losses of 1.2 / epoch
    reason = verdict(follow.load(fake.run)).reason
    assert reason == "validation loss went from 0.1333 to 0.1091 in the last 3 epochs"


def test_a_real_training_at_too_high_a_rate_says_that_it_diverged(cli: Cli) -> None:
    settings = ("optimizer=sgd", "learning_rate=30", "epochs=8")
    cli("train", "digits", "--plain", *(word for setting in settings for word in ("--set", setting)))
    assert "verdict  diverged since epoch 1: the loss was up to " in cli("show", "last")


@pytest.mark.parametrize(("epochs", "words"), [(4, "too early to say: 4 epochs done"), (9, "still improving: ")])
def test_show_gives_verdict_and_reason(cli: Cli, epochs: int, words: str) -> None:
    fake = FakeRun(cli.runs).take().start().train(*range(1, epochs + 1)).finish()
    assert f"verdict  {words}" in cli("show", "last")
    assert f'"verdict": "{words.partition(":")[0]}"' in cli("show", fake.run.id, "--json")


@pytest.mark.parametrize("sizes", [[64, 1], [64, 0], [64, -3], []])
def test_layers_that_tell_no_number_of_classes_say_nothing_of_guessing(root: Path, sizes: list[int]) -> None:
    fake = FakeRun(root).take().write(started(layer_sizes=sizes)).train(*range(1, 10)).finish()
    assert str(verdict(follow.load(fake.run))) == "still improving"
