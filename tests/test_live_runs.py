"""Real workers: detached, killed, paused, taken up again; every one ends as if nobody had touched it."""

import os
import signal
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from tests.running import LONG, Cli, make_run, outcome, quick, wait, wait_for_end, work
from tui_trainer.config import RunConfig
from tui_trainer.runs import directory, follow, launch
from tui_trainer.runs.directory import Run
from tui_trainer.runs.state import RunState
from tui_trainer.text import InputError


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


def kill(run: Run) -> RunState:
    holder = launch.owner(run)
    assert holder
    os.kill(holder.pid, signal.SIGKILL)
    state = wait_for_end(run)
    assert state.status == "interrupted" and "killed" in state.reason
    return state


def test_killed_in_an_epoch_and_again_in_the_recovery(cli: Cli) -> None:
    run = cli.train(*LONG)
    wait(run, past(1))
    first = kill(run)
    assert "resumed from e000" in cli("resume", run.id)
    wait(run, past(first.epoch + 1))
    second = kill(run)
    assert second.epoch > first.epoch
    cli("resume", "last")
    ended_like_one_alone(run)


def test_killed_while_paused_after_a_save(cli: Cli) -> None:
    run = cli.train(*LONG)
    wait(run, past(1))
    assert "paused at epoch" in cli("pause", run.id[:-2])
    paused = wait(run, lambda state: state.status == "paused")
    assert f"saved e{paused.epoch:04}-s{paused.step:06}.safetensors" in cli("save", run.id)
    assert "already paused" in cli("pause", run.id)
    assert follow.load(run).step == paused.step
    state = kill(run)
    assert state.reason.startswith("while paused") and state.newest_checkpoint
    assert {"last", "save"} <= set(state.newest_checkpoint.kinds)
    assert f"s{paused.step:06}" in cli("resume", run.id)
    ended_like_one_alone(run)


def test_killed_before_its_first_word_a_run_starts_from_the_seed(cli: Cli) -> None:
    run = make_run(cli.runs, quick())
    launch.launch(run, cli.data)
    assert follow.load(run).status == "starting"
    kill(run)
    assert "resumed from the start" in cli("resume", run.id)
    ended_like_one_alone(run)


def test_hung_up_paused_ended_by_signal_resumed_and_carried_further(cli: Cli) -> None:
    run = cli.train(*LONG)
    started = wait(run, past(0)).started
    assert started
    os.kill(started.pid, signal.SIGHUP)
    cli("pause", run.id)
    assert "resumed from epoch" in cli("resume", run.id)
    wait(run, past(1))
    os.kill(started.pid, signal.SIGTERM)
    state = wait_for_end(run)
    assert state.status == "stopped" and "SIGTERM" in state.reason
    assert state.newest_checkpoint and state.newest_checkpoint.step == state.step
    cli("resume", run.id)
    ended_like_one_alone(run)
    status, _, err = cli.result("resume", run.id)
    assert status == 2 and "--set epochs=" in err
    cli("resume", run.id, "--set", "epochs=7")
    assert ended_like_one_alone(run).epochs == 7


def test_a_live_run_is_left_alone_by_everybody_else(cli: Cli) -> None:
    run = cli.train(*LONG)
    wait(run, past(0))
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
    cli("delete", run.id)
    assert not list(cli.runs.iterdir())


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


def test_a_worker_is_detached(cli: Cli) -> None:
    run = cli.train(*LONG)
    state = wait(run, past(0))
    assert state.started
    process = psutil.Process(state.started.pid)
    assert os.getsid(process.pid) == process.pid
    files = {number: str(Path(f"/proc/{process.pid}/fd/{number}").readlink()) for number in range(3)}
    assert files == {0: "/dev/null", 1: str(run.worker_log), 2: str(run.worker_log)}
    cli("stop", run.id)
    directory.delete(run)
