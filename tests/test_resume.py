"""However often and wherever a run is cut, its end is, to the bit, that of a run left alone."""

import itertools
from collections.abc import Callable
from functools import cache
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.running import Disk, Killed, make_run, outcome, quick, watched, work
from tui_trainer.config import RunConfig, change
from tui_trainer.engine import checkpoint, device
from tui_trainer.engine import train as loop
from tui_trainer.engine.data import Splits, load
from tui_trainer.engine.retention import Retention
from tui_trainer.engine.train import train
from tui_trainer.engine.trainer import Trainer
from tui_trainer.runs import commands, events, follow
from tui_trainer.runs.directory import Run
from tui_trainer.runs.reader import EventReader
from tui_trainer.runs.state import Change, RunState
from tui_trainer.text import InputError


@cache
def splits() -> Splits:
    return load(quick(), Path(), device.choose(quick()).torch_device)


def trainer(config: RunConfig) -> Trainer:
    numerics = device.choose(config)
    device.prepare(numerics)
    return Trainer(config, splits(), numerics)


def run_on(t: Trainer, folder: Path, until: int | None = None, chunk_seconds: float = 1.0) -> list[tuple[float, ...]]:
    """Train to step `until`, or to the end; the numbers of the epochs completed."""
    told: list[events.AnyEvent] = []
    with mock.patch.object(loop, "CHUNK_SECONDS", chunk_seconds):
        if until != t.step:
            keep = Retention(folder, t.config.checkpoints, {}, told.append)
            train(t, keep, told.append, lambda: until is None or t.step < until)
    return [
        (e.epoch, e.step, e.train_loss, e.train_accuracy, e.val_loss, e.val_accuracy)
        for e in told
        if isinstance(e, events.Epoch)
    ]


DROPOUT = quick("dropout=0.2", "every_epochs=2")


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> RunState:
    """A run of `DROPOUT` that nobody disturbs."""
    return work(make_run(tmp_path_factory.mktemp("alone"), DROPOUT))


def epochs_logged(run: Run) -> list[int]:
    return [event.epoch for event in follow.load(run).epochs_done]


@pytest.mark.parametrize("before", [True, False], ids=["before it is written", "after"])
def test_killed_at_any_event_a_run_ends_the_same(before: bool, alone: RunState, root: Path) -> None:
    for number in itertools.count(1):
        run = make_run(root, DROPOUT)
        seen = itertools.count(1)

        def kill(_: events.AnyEvent, number: int = number, seen: "itertools.count[int]" = seen) -> None:
            if next(seen) == number:
                raise Killed

        try:
            with watched(kill, before):
                work(run)
        except Killed:
            state = work(run)
        else:
            break
        assert state.status == "finished"
        assert outcome(state) == outcome(alone), number
        assert not state.unreadable
    assert number > 15


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(1, 110), st.integers(1, 110), st.booleans())
def test_killed_twice_at_any_os_call_a_run_ends_the_same(
    alone: RunState, tmp_path_factory: pytest.TempPathFactory, first: int, second: int, after: bool
) -> None:
    run = make_run(tmp_path_factory.mktemp("run"), DROPOUT)
    for call in (first, second):
        try:
            with Disk(call, Killed(), after):
                work(run)
        except Killed:
            continue
        break
    else:
        work(run)
    state = follow.load(run)
    assert state.status == "finished"
    assert outcome(state) == outcome(alone)
    assert not list(run.checkpoints.glob(".*"))


def test_a_finished_run_carried_further_is_a_longer_run(alone: RunState, root: Path) -> None:
    run = make_run(root, quick("dropout=0.2", "epochs=1"))
    work(run)
    assert epochs_logged(run) == [1]
    work(run, changes={"training.epochs": 2})
    state = work(run, changes={"training.epochs": 3})
    assert state.status == "finished" and state.epochs == 3
    assert outcome(state) == outcome(alone)


def on_step(step: int, act: Callable[[], None]) -> Callable[[events.AnyEvent], None]:
    """Do it once, at the first metrics from `step` on."""
    done = False

    def react(event: events.AnyEvent) -> None:
        nonlocal done
        if not done and isinstance(event, events.Metrics) and event.step >= step:
            done = True
            act()

    return react


def test_a_live_change_lost_to_a_crash_is_made_again_at_its_step(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "CHUNK_SECONDS", 0)
    monkeypatch.setattr(loop, "METRICS_INTERVAL", 0)
    run = make_run(root, quick("last_seconds=1000", "best=false"))  # no checkpoint before the end

    def die() -> None:
        raise Killed

    def change_epochs() -> None:
        commands.send(run.inbox, commands.Set(changes={"training.epochs": 5}))

    with pytest.raises(Killed), watched(on_step(15, change_epochs)), watched(on_step(18, die)):
        work(run)
    assert follow.load(run).status == "interrupted"
    changed = follow.load(run).changes
    monkeypatch.undo()  # now in chunks that would run past the step
    state = work(run)
    assert state.status == "finished" and epochs_logged(run) == [1, 2, 3, 4, 5]
    assert state.changes == changed and changed[0].step == 15
    assert not state.pending
    replayed = [e for e in EventReader(run.events_file).read() if isinstance(e, events.Applied)]
    assert [(e.id, e.step, e.message) for e in replayed[1:]] == [(changed[0].id, 15, "as before")]


@pytest.fixture
def thrown_back(root: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run without a checkpoint, killed after step 18; at step 15 the learning rate and Nesterov were changed."""
    monkeypatch.setattr(loop, "CHUNK_SECONDS", 0)
    monkeypatch.setattr(loop, "METRICS_INTERVAL", 0)
    run = make_run(root, quick("last_seconds=1000", "best=false", "optimizer=sgd", "momentum=0.9"))
    changes = {"optimizer.learning_rate": 0.5, "optimizer.nesterov": True}

    def die() -> None:
        raise Killed

    def change_both() -> None:
        commands.send(run.inbox, commands.Set(changes=changes))

    with pytest.raises(Killed), watched(on_step(15, change_both)), watched(on_step(18, die)):
        work(run)
    return run


def test_what_is_asked_for_on_resume_is_not_undone_by_what_is_made_again(thrown_back: Run) -> None:
    state = work(thrown_back, changes={"optimizer.learning_rate": 0.01})
    assert state.status == "finished" and not state.pending
    asked, again = state.changes
    assert (asked.step, asked.changes) == (0, {"optimizer.learning_rate": 0.01})
    assert (again.step, again.changes) == (15, {"optimizer.nesterov": True})
    assert state.config.optimizer.learning_rate == 0.01


def test_a_change_that_contradicts_what_is_made_again_is_refused(thrown_back: Run) -> None:
    before = follow.load(thrown_back)
    refused = work(thrown_back, changes={"optimizer.momentum": 0.0})
    words = "optimizer.nesterov: needs momentum above 0 and dampening 0 (with what is changed again after step 15)"
    assert refused.reason == words and refused.changes == before.changes

    def ask() -> None:
        commands.send(thrown_back.inbox, commands.Set(changes={"optimizer.momentum": 0.0}))

    with watched(on_step(5, ask)):
        state = work(thrown_back)
    assert state.status == "finished" and state.changes == before.changes
    assert [a.message for a in state.acknowledged.values() if not a.ok] == [words]


def test_a_live_change_that_the_checkpoint_holds_is_not_made_again(root: Path) -> None:
    run = make_run(root)

    def change_and_stop() -> None:
        commands.send(run.inbox, commands.Set(changes={"training.epochs": 5}))
        commands.send(run.inbox, commands.Stop())

    with watched(on_step(1, change_and_stop)):
        assert work(run).status == "stopped"
    state = work(run)
    assert state.status == "finished" and state.epoch == 5
    made = [e for e in EventReader(run.events_file).read() if isinstance(e, events.Applied) and e.changes]
    assert len(made) == len(state.changes) == 1


@pytest.mark.parametrize("kind", ["best", "last", "every", "save"])
def test_from_each_kind_of_checkpoint(kind: str, alone: RunState, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "CHUNK_SECONDS", 0)
    monkeypatch.setattr(loop, "METRICS_INTERVAL", 0)
    run = make_run(root, DROPOUT)

    def ask() -> None:
        commands.send(run.inbox, commands.Save() if kind == "save" else commands.Stop())

    with watched(on_step(17 if kind == "save" else 31, ask)):
        work(run)
    state = follow.load(run)
    if kind == "best":
        chosen = next(c for c in state.checkpoints.values() if state.best and c.step == state.best.step)
    else:
        chosen = next(c for c in state.checkpoints.values() if kind in c.kinds)
    for path in checkpoint.scan(run.checkpoints):
        if int(path.stem.partition("-s")[2]) > chosen.step:
            path.unlink()
    trim_last_word(run)
    state = work(run)
    assert state.started and state.started.resumed_from == chosen.file
    assert outcome(state) == outcome(alone)


def trim_last_word(run: Run) -> None:
    """As if the worker had been killed before it could say how the run ended."""
    lines = run.events_file.read_bytes().splitlines(keepends=True)
    run.events_file.write_bytes(b"".join(lines[:-1]))


def test_a_damaged_newest_checkpoint_is_passed_over_and_said(alone: RunState, root: Path) -> None:
    run = make_run(root, DROPOUT)
    work(run)
    trim_last_word(run)
    newest = next(checkpoint.scan(run.checkpoints))
    newest.write_bytes(newest.read_bytes()[:-1])
    state = work(run)
    assert outcome(state) == outcome(alone)
    assert any(newest.name in line.message and line.level == "warning" for line in state.log)
    checkpoint.read(newest)


@pytest.mark.parametrize(
    ("changed", "words"),
    [({"threads": 7}, "threads"), ({"device_name": "another"}, "device_name"), ({"versions": {}}, "versions")],
)
def test_where_the_bits_would_differ_resume_must_be_asked_for(
    changed: dict[str, object], words: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(root, quick("threads=0"))
    work(run)
    choose = device.choose

    def elsewhere(*arguments: object) -> device.Numerics:
        return device.Numerics(**{**vars(choose(*arguments)), **changed})  # type: ignore[arg-type]

    monkeypatch.setattr(device, "choose", elsewhere)
    refused = work(run, changes={"training.epochs": 4})
    assert refused.status == "finished" and words in refused.reason and "--approximate" in refused.reason
    assert epochs_logged(run) == [1, 2, 3]
    state = work(run, changes={"training.epochs": 4}, approximate=True)
    assert state.started and not state.started.exact
    assert epochs_logged(run) == [1, 2, 3, 4]
    assert any("approximate" in line.message for line in state.log)


def test_a_change_that_a_begun_run_cannot_take_is_refused(root: Path) -> None:
    t = trainer(quick())
    with pytest.raises(InputError) as refusal:
        t.change(Change("x", 0, 0, {"training.seed": 3, "network.activation": "tanh", "training.epochs": 2}))
    assert len(refusal.value.problems) == 2 and t.config == quick()
    run = make_run(root)
    work(run)
    state = work(run, changes={"training.epochs": 2})
    assert state.status == "finished" and "less than the run already has, 3" in state.reason
    assert change(quick(), {"training.epochs": 3}) == state.config
