"""What turns bad under a worker that trains: its folders, its memory."""

import errno
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.running import make_run, watched, work
from tests.test_resume import on_step
from tests.test_worker import answers, logged
from tui_trainer.engine import checkpoint
from tui_trainer.engine import train as loop
from tui_trainer.runs import commands, events
from tui_trainer.runs.commands import Save
from tui_trainer.runs.directory import Run


@pytest.fixture
def run(root: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """One of which every step is a chunk."""
    monkeypatch.setattr(loop, "CHUNK_SECONDS", 0)
    monkeypatch.setattr(loop, "METRICS_INTERVAL", 0)
    return make_run(root)


@pytest.mark.parametrize("call", ["scandir", "unlink"])
def test_an_inbox_that_cannot_be_read_or_changed_ends_nothing(
    run: Run, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], call: str
) -> None:
    """It turns so in the middle of a run, which a signal still ends in order."""
    real, wish = getattr(os, call), Save()

    def refuse(path: Any, *arguments: Any, **options: Any) -> Any:
        if Path(path) == run.inbox or Path(path).parent == run.inbox:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return real(path, *arguments, **options)

    def turn() -> None:
        commands.send(run.inbox, wish)
        monkeypatch.setattr(os, call, refuse)

    with watched(on_step(15, turn)), watched(on_step(20, lambda: os.kill(os.getpid(), signal.SIGTERM))):
        state = work(run)
    assert (state.status, state.step) == ("stopped", 20)
    told = [event.message for event in logged(run) if isinstance(event, events.Log) and event.level == "error"]
    assert len(told) == 1 and "inbox" in told[0] and "Read-only file system" in told[0]
    assert capfd.readouterr().err.count(told[0]) == 1
    assert [(a.id, a.ok) for a in answers(run)] == ([(wish.id, True)] if call == "unlink" else [])


def test_checkpoints_that_cannot_be_deleted_stay_and_end_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    real, refused = os.unlink, list[str]()

    def refuse(path: Any, *arguments: Any, **options: Any) -> None:
        if Path(path).suffix == ".safetensors" and not refused:
            refused.append(Path(path).name)
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        real(path, *arguments, **options)

    monkeypatch.setattr(os, "unlink", refuse)
    state = work(run)
    told = [event.message for event in logged(run) if isinstance(event, events.Log) and event.level == "error"]
    assert state.status == "finished" and told == [f"{refused[0]} could not be deleted: Read-only file system"]
    assert refused[0] not in state.checkpoints  # once it could be
    assert {path.name for path in checkpoint.scan(run.checkpoints)} == set(state.checkpoints)


def test_memory_that_runs_out_is_told_with_what_would_need_less(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_much(*_: object, **__: object) -> None:
        torch.empty(1 << 50, dtype=torch.uint8)

    def turn(event: events.AnyEvent) -> None:
        if isinstance(event, events.Epoch) and event.epoch == 1:
            monkeypatch.setattr(loop, "evaluate", too_much)

    with watched(turn):
        state = work(run)
    assert state.status == "failed" and state.checkpoints
    assert "out of memory" in state.reason and "batches of 100 and a network of 64-16-10" in state.reason
