"""What a study's runs add up to: estimates, noise, printed figures, claims, the table."""

import math
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tests.dashboard import started
from tests.studies import Told, finished, make_study
from tui_trainer.runs.events import AnyEvent, Epoch, State
from tui_trainer.studies import follow
from tui_trainer.studies.follow import StudyFollower
from tui_trainer.studies.measures import MEASURES, is_measure, measure
from tui_trainer.studies.plan import Member
from tui_trainer.studies.results import (
    Estimate,
    claims,
    comparisons,
    estimate,
    footnotes,
    standing,
    table,
    verdicts,
    within_noise,
)

Numbers = st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=8)
TWO = """
[[runs]]
preset = "digits"
name = "a"
{published}
[[runs]]
preset = "digits"
name = "b"
set = {{ "optimizer.learning_rate" = 0.01 }}
{more}
"""


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., StudyFollower]:
    def make(definition: str, told: Told | None = None, seeds: int = 1, **options: object) -> StudyFollower:
        return follow.load(make_study(tmp_path / "runs", definition, told, seeds, **options))  # type: ignore[arg-type]

    return make


def two(published: str = "", more: str = "") -> str:
    return TWO.format(published=published, more=more)


def scored(**accuracies: Sequence[float]) -> Told:
    """Runs whose final test accuracy is given, row by row and seed by seed."""
    return lambda member: finished(test=accuracies[member.row][member.seed])


def of(*values: float) -> Estimate:
    made = Estimate.of(values)
    assert made
    return made


@given(Numbers)
def test_an_estimate_is_mean_and_sample_deviation(values: list[float]) -> None:
    ours = of(*values)
    assert min(values) - 1e-9 <= ours.mean <= max(values) + 1e-9 and ours.values == tuple(values)
    if len(values) > 1:
        assert ours.deviation == pytest.approx(statistics.stdev(values), abs=1e-9)
    else:
        assert ours.deviation is None
    assert Estimate.of([]) is None


@pytest.mark.filterwarnings("ignore:Precision loss")  # scipy's, of the test's own numbers
@given(Numbers, Numbers)
def test_noise_is_judged_by_welchs_test(first: list[float], second: list[float]) -> None:
    said = within_noise(of(*first), of(*second))
    assert said is within_noise(of(*second), of(*first))
    if min(len(first), len(second)) < 2:
        assert said is None
        return
    if len(set(first)) == len(set(second)) == 1:
        assert said is (first[0] == second[0])
        return
    spread = statistics.stdev(first) + statistics.stdev(second)
    probability = stats.ttest_ind(first, second, equal_var=False).pvalue
    if spread > 1e-3 and abs(probability - 0.05) > 1e-6:
        assert said is bool(probability >= 0.05)


def test_measures_are_named_titled_and_written() -> None:
    for name in (*MEASURES, "val_loss@3", "images_per_second@1", "sharpness@0.001", "sharpness@5e-4"):
        assert is_measure(name) and measure(name).title
    for name in (
        "",
        "accuracy",
        "val_loss@0",
        "val_loss@x",
        "best_epoch@3",
        "sharpness",
        "sharpness@-1",
        "sharpness@nan",
    ):
        assert not is_measure(name)
    assert MEASURES["test_accuracy"].text(0.97861, 0.00071) == "97.86 ± 0.07 %"
    assert MEASURES["test_accuracy"].difference(-0.0031) == "-0.31 points"
    assert MEASURES["seconds"].difference(-0.01) == "-10 ms"
    assert MEASURES["seconds"].difference(72.44) == "+72.4 s" and MEASURES["val_loss"].difference(-1e-9) == "-1.00e-09"
    assert MEASURES["test_accuracy"].difference(-0.00001) == "+0.00 points"
    assert MEASURES["seconds"].text(0.0123, 0.002) == "12 ms ± 2 ms"
    assert MEASURES["images_per_second"].text(54_884.2) == "54.9 k images/s"
    assert MEASURES["images_per_second"].text(54_884.2, 1_234.0) == "54.9 ± 1.2 k images/s"
    assert MEASURES["images_per_second"].difference(-1_250.0) == "-1.25 k"
    assert MEASURES["seconds"].text(725.0, 3.0) == "12:05 ± 3.0 s"
    assert MEASURES["best_epoch"].text(87) == "87" and MEASURES["best_epoch"].text(86.5, 0.7) == "86.5 ± 0.7"
    assert measure("sharpness@0.001").text(205.0, 70.25) == "205.0 ± 70.2"
    assert MEASURES["val_loss"].text(0.00001) == "1.00e-05" and MEASURES["val_loss"].text(None) == "–"


def test_best_epoch_is_the_first_of_highest_validation_accuracy(study: Callable[..., StudyFollower]) -> None:
    follower = study(two(), lambda member: finished(validation=(0.5, 0.75, 0.6, 0.75)))
    for name, expected in (("best_epoch", 2), ("val_accuracy@3", 0.6), ("val_accuracy", 0.75), ("seconds@2", 20)):
        assert estimate(follower.rows[0], name, {}) == of(expected)
    assert estimate(follower.rows[0], "val_accuracy@5", {}) is None


def test_an_epochs_number_is_found_where_a_fork_begins_later(study: Callable[..., StudyFollower]) -> None:
    follower = study(two(), lambda member: [e for e in finished((0.5, 0.75, 0.6)) if getattr(e, "epoch", 0) != 1])
    assert estimate(follower.rows[0], "val_accuracy@2", {}) == of(0.75)
    assert estimate(follower.rows[0], "val_accuracy@1", {}) is None


def test_an_optimizers_own_defaults_are_no_columns(study: Callable[..., StudyFollower]) -> None:
    follower = study(two().replace('"optimizer.learning_rate" = 0.01', 'optimizer = "sgd", "optimizer.momentum" = 0.9'))
    keys = [column.key for column in table(follower).header]
    fields = [key for key in keys if "." in key]
    assert fields == ["optimizer.name", "optimizer.momentum"]
    assert [line.cells[keys.index("optimizer.momentum")].text for line in table(follower).lines] == ["–", "0.9"]


def test_only_finished_runs_count(study: Callable[..., StudyFollower]) -> None:
    def told(member: Member) -> list[AnyEvent]:
        if member.row == "a":
            return [[], finished(test=0.9), finished()[:-1], [*finished()[:-1], State(status="failed", reason="NaN")]][
                member.seed
            ]
        return []

    follower = study(two(), told, 4, status="stopped")
    assert estimate(follower.rows[0], "test_accuracy", {}) == of(0.9)
    assert len(estimate(follower.rows[0], "test_accuracy", {}, finished=False).values) == 3  # type: ignore[union-attr]
    assert estimate(follower.rows[1], "test_accuracy", {}) is None
    assert standing(follower.rows[0]) == "1 of 4 seeds finished, 1 waiting, 1 interrupted, 1 failed: NaN"
    assert standing(follower.rows[1]) == "waiting"
    lines = table(follower).lines
    assert [cell.text for cell in lines[1].cells][1:] == ["–"] * (len(lines[1].cells) - 1)
    assert any(note.startswith("Not complete: a (1 of 4") for note in footnotes(follower))


@given(
    printed=st.floats(0, 1),
    tolerance=st.floats(0, 0.1) | st.none(),
    ours=st.lists(st.floats(0, 1), min_size=1, max_size=4),
)
def test_reproduced_means_within_tolerance_or_two_deviations(
    printed: float, tolerance: float | None, ours: list[float]
) -> None:
    from tui_trainer.studies.results import Comparison

    one = Comparison("row", "test_accuracy", printed, of(*ours), tolerance)
    spread = statistics.stdev(ours) if len(ours) > 1 else 0.0
    margin = max(tolerance or 0.0, 2 * spread)
    assert one.verdict == ("reproduced" if abs(statistics.fmean(ours) - printed) <= margin + 1e-12 else "differs")
    assert Comparison("row", "test_accuracy", printed, None, tolerance).verdict == "not run"


def test_printed_figures_stand_beside_ours(study: Callable[..., StudyFollower]) -> None:
    published = 'published = { test_accuracy = 0.96, "val_loss@2" = 0.6, seconds = 30.0, "val_loss@9" = 0.1 }'
    follower = study(
        two(published) + "\n[tolerance]\ntest_accuracy = 0.01\nval_loss = 0.05\n", scored(a=[0.951], b=[0.9])
    )
    found = {one.measure: one for one in comparisons(follower)}
    assert found["test_accuracy"].verdict == "reproduced"
    assert found["test_accuracy"].difference == pytest.approx(-0.009)
    assert found["val_loss@2"].tolerance == 0.05 and found["val_loss@2"].verdict == "reproduced"
    assert found["val_loss@9"].verdict == "not run" and found["val_loss@9"].difference is None
    assert found["seconds"].verdict == "reproduced"
    assert "one seed and no stated tolerance" in found["seconds"].note and "shared the machine" in found["seconds"].note


CLAIMS = """
[[claims]]
text = "it {holds}"
measure = "test_accuracy"
rows = ["a", "b"]
holds = "{holds}"
least = 2.0
"""
FAR = ([0.90, 0.91, 0.92], [0.40, 0.41, 0.42])
CLOSE = ([0.90, 0.91, 0.92], [0.91, 0.90, 0.92])


@pytest.mark.parametrize(
    ("holds", "values", "verdict"),
    [
        ("falls", FAR, "holds"),
        ("rises", FAR, "does not hold"),
        ("above", FAR, "holds"),
        ("below", FAR, "does not hold"),
        ("ratio", FAR, "holds"),
        ("ratio", CLOSE, "does not hold"),
        ("above", CLOSE, "within seed noise"),
        ("falls", CLOSE, "within seed noise"),
        ("falls", ([0.9], [0.8]), "holds"),
        ("rises", ([0.9], [0.9]), "does not hold"),
    ],
)
def test_claims_are_decided_by_numbers(
    study: Callable[..., StudyFollower], holds: str, values: tuple[list[float], list[float]], verdict: str
) -> None:
    follower = study(two(more=CLAIMS.format(holds=holds)), scored(a=values[0], b=values[1]), len(values[0]))
    (result,) = claims(follower)
    assert result.verdict == verdict and result.detail


def test_a_claim_waits_for_its_runs(study: Callable[..., StudyFollower]) -> None:
    follower = study(two(more=CLAIMS.format(holds="above")), lambda m: finished() if m.row == "a" else [])
    (result,) = claims(follower)
    assert (result.verdict, result.detail) == ("not run", "without a number: b")


def test_the_verdict_names_rows_that_cannot_be_told_apart(study: Callable[..., StudyFollower]) -> None:
    columns = '\ncolumns = ["test_accuracy"]\n'
    said = verdicts(study(columns + two(), scored(a=CLOSE[0], b=CLOSE[1]), 3))
    assert said == ["Test accuracy: best is a, 91.00 ± 1.00 %; within seed noise of it (Welch's t-test, 5 %): b."]


@pytest.mark.parametrize(
    ("values", "words"), [(FAR, "by more than seed noise"), (([0.9], [0.8]), "seed noise is unknown")]
)
def test_the_verdict_says_when_noise_explains_nothing(
    study: Callable[..., StudyFollower], values: tuple[list[float], list[float]], words: str
) -> None:
    (said,) = verdicts(study('columns = ["test_accuracy"]\n' + two(), scored(a=values[0], b=values[1]), len(values[0])))
    assert words in said


def test_without_columns_the_table_has_what_differs_and_accuracies(study: Callable[..., StudyFollower]) -> None:
    follower = study(
        two() + '[[analyses]]\nkind = "sharpness"\nepsilons = [0.001]\n',
        analyses={
            "sharpness-a-s0": {"loss": 0.1, "sharpness": {"0.001": 1.5}},
        },
    )
    shown = table(follower)
    keys = [column.key for column in shown.header]
    assert keys[0] == "optimizer.learning_rate" and "test_accuracy" in keys and "training.batch_size" not in keys
    at = keys.index("sharpness@0.001")
    assert [line.cells[at].text for line in shown.lines] == ["1.5000", "–"]
    assert [line.cells[0].number for line in shown.lines] == [0.001, 0.01]


def test_the_lab_sheet_has_its_twelve_columns(study: Callable[..., StudyFollower]) -> None:
    definition = 'report = "evaluation-report"\n' + "".join(
        f'[[runs]]\npreset = "evaluation-report/setting-{k}"\n' for k in (1, 2, 3, 4)
    )
    follower = study(definition)
    shown = table(follower)
    assert [column.title for column in shown.header] == [
        "batch size",
        "activation",
        "layers",
        "layer size",
        "epochs",
        "initialisation",
        "optimizer",
        "learning rate",
        "weight decay",
        "100-epoch training time",
        "early stopping epoch",
        "accuracy",
    ]
    cells = [cell.text for cell in shown.lines[3].cells]
    assert cells == ["200", "ReLU", "4", "200", "100", "He normal", "Adam", "0.0001", "0.01", "0:30", "2", "95.50 %"]
    assert "Validation is the test set: an epoch picked on it flatters the accuracy." in footnotes(follower)


def test_live_rows_show_what_there_is(study: Callable[..., StudyFollower]) -> None:
    follower = study(two(), lambda member: [started(), *[e for e in finished() if isinstance(e, Epoch)][:2]])
    columns = [column.key for column in table(follower).header]
    at = columns.index("val_accuracy")
    assert table(follower).lines[0].cells[at].text == "–"
    assert table(follower, finished=False).lines[0].cells[at].text == "96.00 %"
    assert math.isclose(table(follower, finished=False).lines[0].cells[at].number or 0, 0.96)
