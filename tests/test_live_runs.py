"""Real workers: detached, killed, paused, taken up again; every one ends as if nobody had touched it."""

import errno
import os
import signal
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import pytest

from tests.running import LONG, Cli, make_run, outcome, quick, wait, wait_for_end, work
from tui_trainer.config import RunConfig
from tui_trainer.plain import StopOnInterrupt
from tui_trainer.runs import directory, follow, launch
from tui_trainer.runs.commands import Pause, Save
from tui_trainer.runs.directory import Run
from tui_trainer.runs.state import RunState
from tui_trainer.text import InputError

ENDLESS = quick(*LONG, "hidden_sizes=16", "batch_size=4", "epochs=1000")


@cache
def alone(config: RunConfig) -> tuple[object, ...]:
    """How a run of this config ends that nobody disturbs."""
    with TemporaryDirectory() as folder:
        return outcome(work(make_run(Path(folder), config)))


def ended_like_one_alone(run: Run) -> RunState:
    state = wait_for_end(run)
    assert (state.status, state.reason, state.unreadable) == ("finished", "", 0)
    assert [epoch.epoch for epoch in state.epochs_done] == list(range(1, state.epochs + 1))
    assert outcome(state) == alone(state.config)
    return state


def past(epoch: int, steps: int = 50) -> Callable[[RunState], bool]:
    """Some steps into the epoch after `epoch`."""
    return lambda state: state.epoch >= epoch and state.step >= state.epoch * state.config.steps_per_epoch + steps


def worker(run: Run) -> int:
    """The process that holds the run."""
    holder = launch.owner(run)
    assert holder
    return holder.pid


def kill(run: Run) -> RunState:
    os.kill(worker(run), signal.SIGKILL)
    state = wait_for_end(run)
    assert state.status == "interrupted" and "killed" in state.reason
    return state


def test_killed_hung_up_and_ended_a_run_ends_like_one_alone(root: Path, server: launch.ForkServer) -> None:
    """One life with everything in it; it is endless until it is told where to end, so that nothing need be quick."""
    run = make_run(root, ENDLESS)
    launch.launch(run, root, standby=server)
    wait(run, past(1))
    first = kill(run)
    launch.launch(run, root, standby=server)
    wait(run, past(first.epoch + 1))
    assert kill(run).epoch > first.epoch, "killed again in the recovery"

    launch.launch(run, root, standby=server)
    resumed = wait(run, lambda state: state.status == "running" and state.worker_pid == worker(run))
    assert resumed.started and resumed.started.resumed_from
    assert follow.ask(run, Pause()).ok
    paused = wait(run, lambda state: state.status == "paused")
    assert f"saved e{paused.epoch:04}-s{paused.step:06}.safetensors" in follow.ask(run, Save()).message
    assert "already paused" in follow.ask(run, Pause()).message
    assert follow.load(run).step == paused.step
    state = kill(run)
    assert state.reason.startswith("while paused") and state.newest_checkpoint
    assert {"last", "save"} <= set(state.newest_checkpoint.kinds)
    assert state.newest_checkpoint.step == paused.step

    launch.launch(run, root, standby=server)
    wait(run, lambda now: now.worker_pid == worker(run) and now.step > paused.step)
    os.kill(worker(run), signal.SIGHUP)
    wait(run, past(paused.epoch + 1))
    os.kill(worker(run), signal.SIGTERM)
    state = wait_for_end(run)
    assert state.status == "stopped" and "SIGTERM" in state.reason
    assert state.newest_checkpoint and state.newest_checkpoint.step == state.step

    launch.launch(run, root, standby=server, changes={"training.epochs": state.epoch + 1})
    done = ended_like_one_alone(run)
    assert done.epochs == state.epoch + 1
    launch.launch(run, root, standby=server, changes={"training.epochs": done.epochs + 1})
    assert ended_like_one_alone(run).epochs == done.epochs + 1


def test_killed_before_its_first_word_a_run_starts_from_the_seed(root: Path) -> None:
    run = make_run(root, quick())
    launch.launch(run, root)
    assert follow.load(run).status == "starting"
    kill(run)
    launch.launch(run, root)
    state = ended_like_one_alone(run)
    assert state.started and not state.started.resumed_from


def test_a_live_run_is_detached_and_left_alone_by_everybody_else(cli: Cli) -> None:
    run = cli.train(*LONG, "epochs=1000")
    state = wait(run, past(0))
    assert state.started
    process = psutil.Process(state.started.pid)
    assert os.getsid(process.pid) == process.pid
    files = {number: str(Path(f"/proc/{process.pid}/fd/{number}").readlink()) for number in range(3)}
    assert files == {0: "/dev/null", 1: str(run.worker_log), 2: str(run.worker_log)}
    with pytest.raises(InputError, match=r"already has a worker \(process \d+ on "):
        launch.launch(run, cli.data)
    status, out, err = cli.result("delete", run.id)
    assert (status, out) == (2, "") and "already has a worker" in err and err.count("\n") == 1
    holder = launch.owner(run)
    for _ in range(50):  # probing takes nothing away
        assert launch.liveness(run) == "alive"
    assert holder and holder == launch.owner(run) and holder.role == "worker"
    assert "already running" in cli("resume", run.id)
    assert "running" in cli("runs")
    assert "not saved" in cli("stop", run.id, "--discard")
    assert follow.load(run).status == "stopped" and launch.liveness(run) == "dead"
    status, _, err = cli.result("resume", run.id, "--set", "epochs=0")
    assert status == 2 and "epochs" in err
    cli("delete", run.id)
    assert not list(directory.list_runs(cli.runs))


def test_a_worker_that_only_starts_is_asked_and_ended_like_any_other(root: Path) -> None:
    run = make_run(root, ENDLESS)
    launch.launch(run, root)
    assert follow.ask(run, Pause()).ok
    launch.kill(run)
    assert wait_for_end(run).reason.startswith("while paused")
    launch.launch(run, root)
    with StopOnInterrupt(run) as interrupts:
        interrupts.launched()
        signal.raise_signal(signal.SIGINT)
    assert wait_for_end(run).status in ("interrupted", "stopped")


@pytest.mark.parametrize("moment", ["before the worker is launched", "after"])
def test_ctrl_c_while_a_run_is_launched_leaves_no_worker_going(
    moment: str, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_launch = launch.launch

    def interrupted(*arguments: Any, **options: Any) -> None:
        if moment != "after":
            signal.raise_signal(signal.SIGINT)
        really_launch(*arguments, **options)
        if moment == "after":
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(launch, "launch", interrupted)
    cli.result("train", "digits", "--plain", "--set", "epochs=100000", "--set", "step_path=autograd")
    assert wait_for_end(cli.find("last")).status in ("interrupted", "stopped")


def test_on_a_full_disk_a_run_is_stopped_all_the_same(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    run = cli.train(*LONG, "epochs=1000")
    wait(run, past(0))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(follow, "send", full)
    status, _, err = cli.result("pause", run.id)
    assert status == 2 and "cannot be asked: No space left on device" in err
    assert "stopped, asked to end by SIGTERM; saved e" in cli("stop", run.id)
    assert follow.load(run).status == "stopped"


def test_the_next_command_of_a_script_finds_a_finished_run_free(cli: Cli) -> None:
    status, _, err = cli.process_result("train", "digits", "--plain", "--set", "epochs=1")
    assert status == 0, err
    assert "in the trash" in cli("delete", "last")


def test_a_standby_becomes_the_worker(root: Path) -> None:
    run = make_run(root)
    standby = launch.Standby()
    launch.launch(run, root, standby=standby)
    holder = launch.owner(run)
    assert holder and holder.pid == standby.process.pid
    state = ended_like_one_alone(run)
    assert state.started and state.started.pid == standby.process.pid
    assert standby.process.wait(30) == 0
    assert "finished" in run.worker_log.read_text()


def test_a_standby_that_is_no_longer_needed_or_no_longer_there(root: Path) -> None:
    dismissed, dead = launch.Standby(), launch.Standby()
    dismissed.dismiss()
    dead.process.kill()
    dead.process.wait()
    run = make_run(root)
    launch.launch(run, root, standby=dead)
    assert follow.Follower(run).poll() is True
    ended_like_one_alone(run)
    assert dismissed.process.wait(60) == 0
