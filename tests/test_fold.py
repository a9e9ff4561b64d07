"""One fold makes of a run's events what every reader knows; it does not matter in how many pieces they came."""

import dataclasses
import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dashboard import some_layers
from tests.running import make_run, quick, work
from tui_trainer.runs import events, follow
from tui_trainer.runs.events import (
    AnyEvent,
    Applied,
    Boundary,
    Checkpoint,
    Confusion,
    EarlyStop,
    Epoch,
    Log,
    Metrics,
    Neurons,
    Rewound,
    State,
)
from tui_trainer.runs.fold import fold, fold_all
from tui_trainer.runs.reader import EventReader
from tui_trainer.runs.series import Series
from tui_trainer.runs.state import RunState

CONFIG = quick("epochs=9")


def metrics(step: int) -> Metrics:
    return Metrics(
        epoch=step // 10,
        step=step,
        loss=float(step),
        accuracy=0.5,
        gradient_norm=1.0,
        learning_rate=0.1,
        images_per_second=9.0,
        seconds=step / 10,
    )


def epoch(number: int, val_accuracy: float = 0.5) -> Epoch:
    numbers = {"learning_rate": 0.1, "images_per_second": 8.0, "seconds": float(number)}
    parts = {"training_seconds": 1.0, "evaluation_seconds": 1.0, "saving_seconds": 1.0}
    losses = {"train_loss": 0.5, "train_accuracy": 0.5, "val_loss": 0.25}
    return Epoch(epoch=number, step=10 * number, val_accuracy=val_accuracy, **losses, **numbers, **parts)


def saved(step: int) -> Checkpoint:
    name = f"e{step // 10:04}-s{step:06}.safetensors"
    return Checkpoint(file=name, kinds=["last"], epoch=step // 10, step=step, bytes=1, weights_sha256=f"w{step}")


def drawn(step: int) -> Boundary:
    edges = {"left": 0.0, "right": 1.0, "bottom": 0.0, "top": 1.0}
    return Boundary(epoch=step // 10, step=step, rows=["01"], points=[], **edges)


def mapped(step: int) -> Neurons:
    edges = {"left": 0.0, "right": 1.0, "bottom": 0.0, "top": 1.0}
    return Neurons(epoch=step // 10, step=step, layers=some_layers(), **edges)


def confused(step: int) -> Confusion:
    return Confusion(epoch=step // 10, step=step, split="validation", counts=[[step, 1], [0, 2]])


def changed(step: int, **fields: int) -> Applied:
    paths = {f"training.{name}": value for name, value in fields.items()}
    return Applied(id=f"c{step}", command="set", epoch=step // 10, step=step, changes=paths)


def state_of(*told: AnyEvent) -> RunState:
    state = RunState("id", CONFIG)
    for event in told:
        fold(state, event)
    return state


def test_the_first_of_equal_epochs_is_best() -> None:
    state = state_of(epoch(1, 0.5), epoch(2, 0.75), epoch(3, 0.75), epoch(4, 0.5))
    assert state.best and state.best.epoch == 2
    assert [line.message.endswith("★ best") for line in state.log] == [True, True, False, False]


def test_after_a_rewind_nothing_later_is_known() -> None:
    before = (metrics(5), epoch(1, 0.5), metrics(15), saved(15))
    stopped = EarlyStop(epoch=2, best_epoch=1, metric="val_loss")
    later = (metrics(18), epoch(2, 0.9), saved(20), stopped, drawn(25), mapped(25), confused(25))
    state = state_of(*before, *later, Rewound(epoch=1, step=15, seconds=1.5))
    plain = state_of(*before)
    assert (state.epoch, state.step, state.seconds) == (1, 15, 1.5)
    assert state.best and state.best.epoch == 1
    assert state.epochs_done == plain.epochs_done and state.checkpoints == plain.checkpoints
    assert state.series == plain.series and state.early_stop is None
    assert (state.boundary, state.neurons, state.confusion) == (None, None, None)
    assert max(state.series["train_loss"].steps) == 15
    again = state_of(*before, *later, Rewound(epoch=0, step=0, seconds=0.0))
    assert again.best is None and again.epochs_done == [] and again.checkpoints == {}
    shown = again.summary()
    assert shown["train_loss"] is shown["train_accuracy"] is shown["val_loss"] is shown["weights_sha256"] is None


@pytest.mark.parametrize("counts", [[], [[]], [[1, 2]], [[1, 2], [3]], [[1] * 65] * 65, [[-1]], [[1e999]], [["[b"]]])
def test_counts_that_are_no_square_are_no_confusion_matrix(counts: list[list[int]], tmp_path: Path) -> None:
    """The one before stays."""
    told = json.loads(msgspec.json.encode(confused(25)).decode()) | {"counts": counts}
    (tmp_path / "events.jsonl").write_text(json.dumps(told) + "\n")
    state = state_of(confused(15), *EventReader(tmp_path / "events.jsonl").read())
    assert state.confusion and state.confusion.step == 15


def test_live_changes_a_rewind_takes_back_wait_to_be_made_again() -> None:
    first, second, third = changed(12, epochs=5), changed(18, epochs=6), changed(24, epochs=7)
    rewound = Rewound(epoch=1, step=15, seconds=0)
    state = state_of(first, second, third, rewound)
    assert state.epochs == 5 and [c.step for c in state.changes] == [12]
    assert [(c.id, c.step) for c in state.pending] == [("c18", 18), ("c24", 24)]
    fold(state, second)
    assert state.epochs == 6 and [c.id for c in state.pending] == ["c24"]
    fold(state, Rewound(epoch=0, step=0, seconds=0))
    assert state.config == CONFIG and [c.id for c in state.pending] == ["c12", "c18", "c24"]


def test_a_change_that_was_refused_or_told_twice_changes_nothing() -> None:
    refused = Applied(id="x", command="set", epoch=0, step=3, ok=False, changes={"training.epochs": 2})
    state = state_of(changed(2, epochs=5), changed(2, epochs=5), refused)
    assert state.epochs == 5 and len(state.changes) == 1
    assert state.log[-1].level == "warning" and "x" in state.acknowledged


def test_step_is_that_of_the_newest_fact() -> None:
    assert state_of(metrics(5), saved(8)).step == 8
    assert state_of(metrics(9), saved(8)).step == 9


def test_memory_is_bounded() -> None:
    wishes = (Applied(id=str(n), command="save", epoch=0, step=n) for n in range(5000))
    state = state_of(*wishes)
    assert len(state.acknowledged) <= 1001 and "4999" in state.acknowledged
    assert len(state.log) == 2000 and state.lines_seen == 5000


def test_foreign_text_in_events_is_made_harmless() -> None:
    nasty = "\x1b[31m\x9b\u202e\u200b[bold\n" + "x" * 5000
    state = state_of(
        Log(level="info", message=nasty),
        State(status="failed", reason=nasty),
        named(nasty),
        Applied(id="i", command=nasty, epoch=0, step=0, message=nasty),
    )
    for line in (*(line.message for line in state.log), state.reason):
        assert line.isprintable() and "[bold" in line and len(line) <= 1000


def named(kind: str, file: str = "e0000-s000000.safetensors") -> Checkpoint:
    return Checkpoint(file=file, kinds=[kind], epoch=0, step=0, bytes=0, weights_sha256="")


@pytest.mark.parametrize("file", ["", "../../x.safetensors", "/etc/passwd", "e0001-s000001.safetensors\n", "x" * 300])
def test_a_file_that_no_worker_names_so_is_no_checkpoint(file: str) -> None:
    """It would be looked for, and deleted, under that name."""
    assert not state_of(named("save", file)).checkpoints


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The log of a real run."""
    early = ("early_stopping.mode=record", "early_stopping.patience=1", "early_stopping.min_delta=1")
    run = make_run(tmp_path_factory.mktemp("told"), quick("last_seconds=0", *early))
    work(run, changes={"training.epochs": 2})
    work(run, changes={"training.epochs": 4})
    return run.events_file.read_bytes()


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_folding_as_the_log_grows_gives_the_same_state(
    told: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("grow") / "events.jsonl"
    path.touch()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(told)), max_size=10)))
    reader, growing, whole = EventReader(path), RunState("id", CONFIG), RunState("id", CONFIG)
    for begin, end in zip([0, *cuts], [*cuts, len(told)], strict=True):
        with path.open("ab") as stream:
            stream.write(told[begin:end])
        for event in reader.read():
            fold(growing, event)
    fold_all(whole, EventReader(path).read())
    assert dataclasses.asdict(growing) == dataclasses.asdict(whole)
    assert growing.epoch == 4 and growing.status == "finished"


def test_the_summary_is_plain_json(told: bytes, tmp_path: Path) -> None:
    run = make_run(tmp_path)
    fresh = json.loads(json.dumps(follow.load(run).summary(), allow_nan=False))
    run.events_file.write_bytes(told)
    ended = json.loads(json.dumps(follow.load(run).summary(), allow_nan=False))
    assert fresh.keys() == ended.keys()
    assert fresh["status"] == "interrupted" and ended["status"] == "finished"
    assert [key for key, value in ended.items() if value is None] == ["verdict_epoch"]  # four epochs: too early to say


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300), st.integers(1, 100), st.data())
def test_buckets_keep_extremes_mean_and_ends(values: list[float], count: int, data: st.DataObject) -> None:
    series = Series()
    for step, value in enumerate(values):
        series.append(3 * step, value)
    first = data.draw(st.integers(0, 3 * len(values)))
    last = data.draw(st.integers(first, 3 * len(values)))
    inside = [value for step, value in enumerate(values) if first <= 3 * step <= last]
    buckets = series.buckets(count, first, last)
    most = min(count, len(inside))
    assert most / 2 <= len(buckets) <= most
    if inside:
        assert min(bucket.low for bucket in buckets) == min(inside)
        assert max(bucket.high for bucket in buckets) == max(inside)
        assert buckets[-1].step == max(3 * step for step in range(len(values)) if 3 * step <= last)
        assert all(bucket.low <= bucket.mean + 1e-6 and bucket.mean <= bucket.high + 1e-6 for bucket in buckets)
        if len(inside) <= count:
            assert [bucket.mean for bucket in buckets] == inside
    assert np.all(np.diff([bucket.step for bucket in buckets]) > 0)


def test_event_types_are_all_folded() -> None:
    from tui_trainer.runs import fold

    assert set(fold._FOLDERS) == set(events.AnyEvent.__args__)
