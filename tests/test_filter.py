"""The filter language of lists of runs, on summaries as a listing has them."""

import operator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dashboard import FakeRun
from tests.running import Cli
from tui_trainer.runs import filter
from tui_trainer.runs.directory import Run
from tui_trainer.runs.listing import Summary
from tui_trainer.runs.notes import Notes
from tui_trainer.text import InputError

NUMBERS = st.one_of(st.none(), st.floats(0, 1), st.integers(0, 3).map(float))


def summary(accuracy: float | None = None, **facts: Any) -> Summary:
    config = {
        "optimizer": {"name": "adam", "learning_rate": 0.001},
        "training": {"batch_size": 200, "threads": 1},
        "network": {"hidden_sizes": [800, 800], "dropout": [0.5]},
    }
    known = {"preset": "lab-report/800-800", "val_accuracy": accuracy, "tags": ["debug"], "archived": False} | facts
    notes = Notes(tags=tuple(known["tags"]))
    return Summary(
        Run(Path("2026-11-20-big-net-7f3a")), "Big-Net", "finished", notes=notes, facts=known | {"config": config}
    )


FIELDS = filter.fields_of([summary()])


def holds(text: str, run: Summary | None = None) -> bool:
    return filter.parse(text, FIELDS)(run or summary(0.98))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "big lab-report 7f3a",
        "-small",
        "name~net -name~small name=BIG-net",
        "status=finished -status:failed status!=failed",
        "optimizer=adam learning_rate=1e-3 optimizer.learning_rate<0.002",
        "batch_size>=200 batch_size<0.2k",
        "hidden_sizes=800-800 dropout=0.5 hidden_sizes~800",
        "tag:debug tag~deb -tag:other tag!=other",
        "val_accuracy>=98% val_accuracy=0.98 val_accuracy<.99",
        "archived=false preset~'lab-report/800'",
    ],
)
def test_what_holds_of_a_run(text: str) -> None:
    wanted = text != "batch_size>=200 batch_size<0.2k"
    assert holds(text) is wanted
    if text and " " not in text:
        assert holds(text.removeprefix("-")) is not wanted


SIGNS = st.sampled_from([(">", operator.gt), (">=", operator.ge), ("<", operator.lt), ("<=", operator.le)])


@given(NUMBERS, SIGNS, st.floats(0, 1))
def test_comparisons_are_of_numbers_and_negation_turns_them_round(found: float | None, sign: Any, limit: float) -> None:
    run = summary(found)
    term = f"val_accuracy{sign[0]}{limit!r}"
    assert holds(term, run) is (found is not None and sign[1](found, limit))
    assert holds(f"-{term}", run) is not holds(term, run)


@given(st.text(alphabet="abvtagls_ucry:=<>!~-\"'. \\%08e\x1b\u202e", max_size=24))
def test_whatever_is_typed_is_a_filter_or_refused_in_words(text: str) -> None:
    try:
        holds(text)
    except InputError as error:
        assert all(line.startswith("filter: ") and line.isprintable() for line in error.problems)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("val_acuracy>1", "no run has a field 'val_acuracy' (did you mean 'val_accuracy'?)"),
        ("batchsize>1", "did you mean 'batch_size'?"),
        ("status=finishd", "is not one of .*did you mean 'finished'"),
        ("val_accuracy>high", "'high' is not a number"),
        ("val_accuracy>", "a value must follow >"),
        ("'open", "no closing quotation"),
    ],
)
def test_a_mistake_is_named(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words.replace("(", r"\(").replace("?)", r"\?\)")):
        holds(text)


@given(st.lists(NUMBERS), st.booleans())
def test_order_is_by_number_and_puts_runs_without_one_last(accuracies: list[float | None], falling: bool) -> None:
    found = [run.facts["val_accuracy"] for run in filter.order(map(summary, accuracies), "val_accuracy", falling)]
    known = sorted((a for a in accuracies if a is not None), reverse=falling)
    assert found == known + [None] * (len(accuracies) - len(known))


def test_runs_are_filtered_and_sorted_on_the_command_line(cli: Cli) -> None:
    for name, accuracy in (("low", 0.5), ("high", 0.9), ("middle", 0.7)):
        FakeRun(cli.runs, name=name).take().start().train(1, accuracy=accuracy).finish()
    lines = cli("runs", "--filter", "val_accuracy>60% optimizer=adam", "--sort", "-best_val_accuracy").splitlines()
    assert ["-high-" in lines[1], "-middle-" in lines[2], len(lines)] == [True, True, 3]
    status, _, err = cli.result("runs", "--filter", "val_accurac>0", "--sort", "name")
    assert status == 2 and "did you mean 'val_accuracy'" in err
