"""The lock decides who owns a run; process numbers, probes and foreign lock files never mislead or harm anybody."""

import dataclasses
import fcntl
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock, patch

import psutil
import pytest

from tests.running import make_run
from tui_trainer.runs import directory, events, follow, launch
from tui_trainer.runs.directory import Run
from tui_trainer.runs.events import EventLog, State
from tui_trainer.text import InputError


@pytest.fixture
def run(root: Path) -> Run:
    return make_run(root)


@contextmanager
def held(run: Run, **signature: object) -> Iterator[launch.Owner]:
    """The lock held, and signed by this process unless told otherwise."""
    descriptor = launch.take_lock(run)
    holder = dataclasses.replace(launch.owner_of(os.getpid(), "worker"), **signature)  # type: ignore[arg-type]
    launch.sign(descriptor, holder)
    yield holder
    os.close(descriptor)


@contextmanager
def bystander() -> Iterator[subprocess.Popen[str]]:
    """An innocent process, which answers as long as it lives."""
    code = [sys.executable, "-c", "print(input())"]
    with subprocess.Popen(code, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def write(run: Run, *told: events.AnyEvent) -> None:
    log = EventLog(run.events_file)
    for event in told:
        log.append(event)
    log.close()


def test_only_one_holder_at_a_time(run: Run) -> None:
    assert launch.liveness(run) == "dead" and launch.owner(run) is None
    with held(run) as holder:
        assert launch.liveness(run) == "alive" and launch.owner(run) == holder
        with pytest.raises(InputError, match=rf"already has a worker \(process {os.getpid()} on "):
            launch.take_lock(run)
        with pytest.raises(InputError, match="already has a worker"), launch.locked(run):
            pass
    assert launch.liveness(run) == "dead" and launch.owner(run) == holder
    with launch.locked(run):
        assert (found := launch.owner(run)) and found.role == "job"


def test_a_probe_does_not_keep_a_worker_from_its_lock(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    os.close(launch.take_lock(run))
    probe = os.open(run.lock_file, os.O_RDONLY)
    fcntl.flock(probe, fcntl.LOCK_SH)
    monkeypatch.setattr("tui_trainer.runs.launch.time.sleep", lambda _: os.close(probe))
    os.close(launch.take_lock(run))
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(probe)


def test_a_lock_is_not_inherited_by_chance(run: Run) -> None:
    with (
        held(run),
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False) as child,
    ):
        pass
    assert child.returncode is not None and launch.liveness(run) == "dead"


@pytest.mark.parametrize("what", ["another start time", "another host", "lock is free", "no process", "garbage"])
def test_a_process_that_is_not_the_worker_is_never_signalled(what: str, run: Run) -> None:
    with bystander() as innocent:
        began = psutil.Process(innocent.pid).create_time()
        signature: dict[str, object] = {"pid": innocent.pid, "process_started": began}
        changed: dict[str, dict[str, object]] = {
            "another start time": {"process_started": began - 100},
            "another host": {"host": "elsewhere"},
            "no process": {"pid": 2**22 + 1},
        }
        signature |= changed.get(what, {})
        with held(run, **signature):
            if what == "garbage":
                run.lock_file.write_text('{"pid": ')
            if what != "lock is free":
                launch.kill(run)
        if what == "lock is free":
            launch.kill(run)
        assert innocent.communicate("still here\n", timeout=30)[0] == "still here\n"


def test_the_worker_itself_is_ended(run: Run) -> None:
    with bystander() as worker, held(run, pid=worker.pid, process_started=psutil.Process(worker.pid).create_time()):
        launch.kill(run)
        assert worker.wait(10) == -9


def test_a_run_without_a_last_word_is_interrupted_and_says_why(run: Run) -> None:
    write(run, State(status="starting", pid=1), State(status="running"))
    with held(run):
        assert follow.load(run).status == "running"
    assert follow.load(run).status == "interrupted"
    assert "killed" in follow.load(run).reason
    with patch.object(shutil, "disk_usage") as disk:
        disk.return_value.free = 0
        assert follow.load(run).reason == "the disk is full, so the worker could not say how it ended"
    run.worker_log.write_text("…\nBus error\x1b[0m\n")
    assert follow.load(run).reason == "Bus error[0m"
    write(run, State(status="paused"))
    assert follow.load(run).reason.startswith("while paused: ")
    sign_as(run, boot="before the reboot")
    assert follow.load(run).reason == "while paused: the machine was restarted"


def sign_as(run: Run, **changes: object) -> None:
    holder = {**dataclasses.asdict(launch.owner_of(os.getpid(), "worker")), **changes}
    run.lock_file.write_text(json.dumps(holder))


@pytest.mark.parametrize("word", ["finished", "stopped", "failed"])
def test_a_last_word_stands_whatever_the_lock_file_says(word: str, run: Run) -> None:
    write(run, State(status=word, reason="r"))  # type: ignore[arg-type]
    sign_as(run, boot="another")
    state = follow.load(run)
    assert (state.status, state.reason) == (word, "r")
    with launch.locked(run):  # a job is no new worker
        assert follow.load(run).status == word
    with held(run, pid=1):  # a new worker that has not spoken yet
        assert follow.load(run).status == "starting"


def test_a_run_of_another_host_is_not_declared_dead(run: Run) -> None:
    write(run, State(status="running"))
    sign_as(run, host="elsewhere")
    assert launch.liveness(run) == "unknown" and follow.load(run).status == "running"
    sign_as(run, host=platform.node())
    assert launch.liveness(run) == "dead"


@pytest.mark.parametrize("content", [b"", b"null", b"[]", b'{"pid": 1}', b'{"x": 1}', b"\xff", b"{" * 5000])
def test_a_spoilt_lock_file_is_no_obstacle(content: bytes, run: Run) -> None:
    run.lock_file.write_bytes(content)
    assert launch.owner(run) is None and launch.liveness(run) == "dead"
    with held(run) as holder:
        assert launch.owner(run) == holder


def test_a_run_directory_that_cannot_be_written_is_refused(run: Run) -> None:
    run.lock_file.mkdir()
    with pytest.raises(InputError, match="lock: cannot be written: Is a directory"):
        launch.launch(run, run.path)
    run.lock_file.rmdir()
    run.worker_log.mkdir()
    with pytest.raises(InputError, match="no worker could be started: Is a directory"):
        launch.launch(run, run.path)
    assert launch.liveness(run) == "dead"
    directory.delete(run)


def test_while_a_worker_is_being_started_the_last_one_does_not_stand_for_it(run: Run) -> None:
    """A command would be sent too soon, and expire at the new worker's first word."""
    with held(run) as last:
        write(run, State(status="stopped", pid=last.pid))
    seen = []

    def hand_over(_order: bytes, _lock: int) -> int:
        follower = follow.Follower(run)
        follower.catch_up()
        seen.append((follower.alive, follower.only_starts, follower.state.status))
        return os.getpid()

    launch.launch(run, run.path, standby=Mock(hand_over=hand_over))
    assert seen == [(True, True, "starting")]


def test_ask_says_why_there_is_no_answer(run: Run) -> None:
    from tui_trainer.runs.commands import Save, receive

    with pytest.raises(InputError, match="has no worker to ask; it is interrupted"):
        follow.ask(run, Save())
    with held(run), pytest.raises(InputError, match="no answer within 0 seconds; the command stays in its inbox"):
        follow.ask(run, Save(), timeout=0.05)
    (waiting,) = receive(run.inbox)
    waiting[0].unlink()
    run.inbox.rmdir()
    run.inbox.touch()
    with held(run), pytest.raises(InputError, match="inbox: cannot be written, so the worker cannot be asked: Not a"):
        follow.ask(run, Save(), timeout=0.05)
