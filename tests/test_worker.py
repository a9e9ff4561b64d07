"""What a worker does with commands, signals and faults; here it lives inside the test, stopped at exact steps."""

import errno
import logging
import math
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.running import Killed, make_run, outcome, process_put_back, quick, validating, watched, work
from tests.test_resume import on_step, trainer
from tui_trainer.engine import checkpoint, data, worker
from tui_trainer.engine import train as loop
from tui_trainer.engine.data import Splits
from tui_trainer.engine.trainer import DivergedError, Trainer
from tui_trainer.runs import commands, events, follow
from tui_trainer.runs.commands import AnyCommand, Pause, Resume, Save, Set, Stop
from tui_trainer.runs.directory import Run
from tui_trainer.runs.reader import EventReader


@pytest.fixture(autouse=True)
def every_step_is_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "CHUNK_SECONDS", 0)
    monkeypatch.setattr(loop, "METRICS_INTERVAL", 0)


@pytest.fixture
def run(root: Path) -> Run:
    return make_run(root)


def logged(run: Run) -> list[events.AnyEvent]:
    return list(EventReader(run.events_file).read())


def answers(run: Run) -> list[events.Applied]:
    return [event for event in logged(run) if isinstance(event, events.Applied)]


def sending(run: Run, step: int, *wishes: AnyCommand) -> Callable[[events.AnyEvent], None]:
    def send() -> None:
        for wish in wishes:
            commands.send(run.inbox, wish)

    return on_step(step, send)


def test_commands_are_carried_out_in_order_and_answered_with_the_step(run: Run) -> None:
    wishes: list[AnyCommand] = [
        Pause(),
        Pause(),
        Save(),
        Set(changes={"training.epochs": 9}),
        Resume(),
        Resume(),
        Set(changes={"training.seed": 1}),
        Set(changes={"training.epochs": "many"}),
        Set(changes={"training.epochs": 0}),
        Stop(),
        Save(),
    ]
    with watched(sending(run, 17, *wishes)):
        state = work(run)
    told = answers(run)
    assert [(a.id, a.command) for a in told] == [(w.id, type(w).__name__.lower()) for w in wishes]
    assert [a.ok for a in told] == [True] * 6 + [False] * 3 + [True, False]
    assert {(a.epoch, a.step) for a in told[:-1]} == {(1, 17)}
    assert "training.seed: cannot change" in told[6].message and "not a whole number" in told[7].message
    assert told[10].message == "the run has ended"
    assert state.status == "stopped" and state.reason == "saved e0001-s000017.safetensors"
    assert state.config.training.epochs == 9
    assert state.newest_checkpoint and state.newest_checkpoint.kinds == ["last", "save"]
    assert not list(run.inbox.iterdir())
    states = [event.status for event in logged(run) if isinstance(event, events.State)]
    assert states == ["starting", "running", "paused", "running", "stopped"]


def test_a_command_is_not_carried_out_again_after_a_crash(run: Run) -> None:
    wish = Save()

    def die(event: events.AnyEvent) -> None:
        if isinstance(event, events.Applied):
            raise Killed  # the answer is in the log, the command still in the inbox

    with pytest.raises(Killed), watched(sending(run, 15, wish)), watched(die):
        work(run)
    assert len(list(run.inbox.iterdir())) == 1
    assert work(run).status == "finished"
    assert [answer.id for answer in answers(run)] == [wish.id]
    assert not list(run.inbox.iterdir())


def test_commands_older_than_the_worker_expire(run: Run) -> None:
    sent = commands.send(run.inbox, Stop())
    assert work(run).status == "finished"
    (answer,) = answers(run)
    assert (answer.id, answer.ok) == (sent, False) and "expired" in answer.message


def test_foreign_things_in_the_inbox_do_no_harm(run: Run) -> None:
    def litter() -> None:
        (run.inbox / "1.json").write_text("{")
        (run.inbox / "2.json").write_text('{"command": "fly", "id": "x"}')
        (run.inbox / "3.json").write_text("[" * 50_000)
        os.mkfifo(run.inbox / "4.json")
        (run.inbox / "5.json").symlink_to("/nowhere")
        (run.inbox / "6.json").mkdir()
        (run.inbox / "7.json").write_text('{"command": "save", "id": "\\u001b[2J"}')
        (run.inbox / ".8.json").write_text("half")
        (run.inbox / "readme").write_text("")

    with watched(on_step(15, litter)):
        assert work(run).status == "finished"
    warnings = [event for event in logged(run) if isinstance(event, events.Log) and event.level == "warning"]
    assert [warning.message[:6] for warning in warnings] == [f"{n}.json" for n in range(1, 6)]
    assert {path.name for path in run.inbox.iterdir()} == {"6.json", ".8.json", "readme"}


def test_stop_and_discard_saves_nothing(root: Path) -> None:
    run = make_run(root, quick("last_seconds=1000", "best=false"))
    with watched(sending(run, 5, Stop(discard=True))):
        state = work(run)
    assert (state.status, state.reason, state.step) == ("stopped", "not saved", 5)
    assert not list(run.checkpoints.iterdir())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_end_saves_and_says_so(number: signal.Signals, run: Run, root: Path) -> None:
    with (
        watched(on_step(15, lambda: os.kill(os.getpid(), signal.SIGHUP))),
        watched(on_step(17, lambda: os.kill(os.getpid(), number))),
    ):
        state = work(run)
    assert (state.status, state.step) == ("stopped", 17)
    assert state.reason == f"asked to end by {number.name}; saved e0001-s000017.safetensors"
    assert outcome(work(run)) == outcome(work(make_run(root)))


def test_saves_that_fail_are_said_and_made_good(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    fsync, left = os.fsync, [3]

    def full(descriptor: int) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with watched(sending(run, 15, Save())):
        state = work(run)
    assert state.status == "finished" and state.best
    problems = [line.message for line in state.log if line.level == "error"]
    assert problems and all("No space left on device" in problem for problem in problems)
    (answer,) = answers(run)
    assert not answer.ok and "No space left on device" in answer.message
    saved = {checkpoint.read(path).meta.step for path in checkpoint.scan(run.checkpoints)}
    assert saved == {state.best.step, 39} == {c.step for c in state.checkpoints.values()}
    assert state.accuracy("best", "test") is not None


def test_a_full_disk_under_the_log_leaves_a_stated_gap(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pwrite, calls = os.pwrite, [0]

    def full(descriptor: int, line: bytes, offset: int) -> int:
        calls[0] += 1
        if 10 <= calls[0] < 20:
            if calls[0] % 2:
                raise OSError(errno.ENOSPC, "No space left on device")
            return pwrite(descriptor, line[:7], offset)
        return pwrite(descriptor, line, offset)

    monkeypatch.setattr(os, "pwrite", full)
    state = work(run)
    assert state.status == "finished" and not state.unreadable
    assert [line.message for line in state.log if line.level == "error"] == [
        "10 events could not be written and are lost"
    ]


def test_looking_into_the_inbox_may_fail_for_a_while(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir, calls = os.scandir, [0]

    def busy(path: Path) -> object:
        calls[0] += 1
        if path == run.inbox and calls[0] > 5 and calls[0] % 2:
            raise OSError(errno.EMFILE, "Too many open files")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", busy)
    with watched(sending(run, 15, Save())):
        assert work(run).status == "finished"
    assert [answer.ok for answer in answers(run)] == [True]


def test_what_the_engine_logs_is_told_by_the_run_it_happens_in_and_by_no_other(
    run: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logger, load = logging.getLogger("tui_trainer.engine.data"), data.load

    def tell_and_load(*arguments: Any) -> Splits:
        logger.warning("odd")
        return load(*arguments)

    def told(run: Run) -> list[str]:
        return [event.message for event in logged(run) if isinstance(event, events.Log) and event.level == "warning"]

    other = make_run(root)
    monkeypatch.setattr(data, "load", tell_and_load)
    assert work(run).status == work(other).status == "finished"
    assert told(run) == told(other) == ["odd"]


@pytest.mark.parametrize("last_seconds", [0, 1000])
@pytest.mark.parametrize("step", [15, 39])
def test_a_run_directory_that_vanishes_ends_the_worker(step: int, last_seconds: int, root: Path) -> None:
    run = make_run(root, quick(f"last_seconds={last_seconds}"))
    steps: list[int] = []

    def note(event: events.AnyEvent) -> None:
        if isinstance(event, events.Metrics):
            steps.append(event.step)

    with process_put_back(), watched(on_step(step, lambda: shutil.rmtree(run.path))), watched(note):
        assert worker.work(worker.Order(str(run.path), "")) == 1
    assert steps[-1] == step and not run.path.exists()


@pytest.mark.parametrize("optimizer", ["optimizer=sgd", "optimizer=adam"])
def test_divergence_fails_the_run_and_keeps_what_was_finite(optimizer: str, root: Path) -> None:
    run = make_run(root, quick(optimizer))

    def explode(event: events.AnyEvent) -> None:
        if isinstance(event, events.Metrics) and event.step == 28:
            next(living[0].model.parameters()).data.fill_(torch.inf)

    living: list[Trainer] = []
    build = Trainer.__init__

    def build_and_remember(self: Trainer, *arguments: Any) -> None:
        living.append(self)
        build(self, *arguments)

    with pytest.MonkeyPatch.context() as patch, watched(explode):
        patch.setattr(Trainer, "__init__", build_and_remember)
        state = work(run)
    assert state.status == "failed"
    assert "not finite" in state.reason and "smaller learning rate" in state.reason
    assert state.step == 28 and not state.unreadable  # noticed before the next look
    assert state.best and state.best.epoch <= 2
    found, damaged = checkpoint.newest(run.checkpoints)
    assert found and found.meta.step == 26 and not damaged
    assert all(bool(weights.isfinite().all()) for weights in found.tensors.values() if weights.is_floating_point())


def test_a_run_that_fails_between_two_saves_keeps_its_best_epoch(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(event: events.AnyEvent) -> None:
        if isinstance(event, events.Epoch) and event.epoch == 2:
            monkeypatch.setattr(loop, "evaluate", validating((math.nan, 0.0)))

    run = make_run(root, quick("last_seconds=3600"))
    with watched(explode):
        state = work(run)
    assert state.status == "failed" and state.best
    (kept,) = state.checkpoints.values()
    assert kept.epoch == state.best.epoch and f"{Path(kept.file).stem} is kept" in state.reason
    found, _ = checkpoint.newest(run.checkpoints)
    assert found and found.meta.file_name == kept.file


def test_a_learning_rate_that_is_too_high_fails_and_is_never_best(root: Path) -> None:
    state = work(make_run(root, quick("optimizer=sgd", "learning_rate=100", "weight_decay=100")))
    assert state.status == "failed" and "not finite" in state.reason
    assert state.checkpoints or "nothing was saved before" in state.reason
    assert all(epoch.val_loss < float("inf") for epoch in state.epochs_done)


def test_of_equal_epochs_the_first_is_kept_as_best(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "evaluate", validating((1.0, 0.5)))
    state = work(make_run(root))
    assert state.best and state.best.epoch == 1
    assert [(c.epoch, c.kinds) for c in state.checkpoints.values()] == [(1, ["best", "last"]), (3, ["last"])]
    assert state.evaluations[("best", "test")].epoch == 1


def test_weights_that_are_not_finite_are_never_saved() -> None:
    t = trainer(quick())
    next(t.model.parameters()).data[0, 0] = torch.inf
    with pytest.raises(DivergedError):
        t.capture("save")


def test_an_infinite_gradient_norm_is_a_measurement_like_any_other(root: Path) -> None:
    run = make_run(root)
    log = events.EventLog(run.events_file)
    numbers = {"epoch": 0, "loss": 1.0, "accuracy": 0.5, "learning_rate": 1.0, "images_per_second": 1.0, "seconds": 1.0}
    log.append(events.Metrics(step=1, gradient_norm=float("inf"), **numbers))  # type: ignore[arg-type]
    state = follow.load(run)
    assert state.step == 1 and not state.unreadable


def test_a_damaged_best_does_not_spoil_the_end(run: Run) -> None:
    def damage(event: events.AnyEvent) -> None:
        if isinstance(event, events.Evaluated) and event.split == "train":
            for path in checkpoint.scan(run.checkpoints):
                path.write_bytes(path.read_bytes()[:-1])

    with watched(damage):
        state = work(run)
    assert state.status == "finished"
    assert state.accuracy("final", "test") and state.accuracy("best", "test") is None
    assert any(line.level == "warning" and "damaged" in line.message for line in state.log)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["precision=tf32"], "training.precision: 'tf32' needs CUDA"),
        (["hidden_sizes=" + "-".join(["65536"] * 20)], "network.hidden_sizes"),
        (["data=mnist"], "train-images-idx3-ubyte"),
    ],
)
def test_what_cannot_be_trained_here_is_refused_before_training(settings: list[str], words: str, root: Path) -> None:
    run = make_run(root, quick(*settings))
    state = work(run, root)
    assert state.status == "failed" and state.started is None and words in state.reason
    assert not list(run.checkpoints.iterdir())
