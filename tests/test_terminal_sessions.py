"""A person's session from end to end: a real dashboard in a real terminal, and a real worker that it only watches."""

import random
import re
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import tomlkit

from tests.running import make_run, quick, wait, wait_for_end
from tests.terminal import Terminal, terminal
from tui_trainer.runs import directory, follow, launch
from tui_trainer.runs.directory import Run
from tui_trainer.runs.state import RunState

ENDLESS = quick("epochs=100000", "batch_size=2", "last_seconds=1000", "best=false")


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run that a real worker trains for longer than any test lasts."""
    run = make_run(tmp_path_factory.mktemp("training") / "runs", ENDLESS)
    launch.launch(run, run.path)
    wait(run, lambda state: state.epoch > 0)
    yield run
    launch.kill(run)


def attached(run: Run) -> AbstractContextManager[Terminal]:
    return terminal("-m", "tui_trainer", "attach", run.id, TUI_TRAINER_RUNS=str(run.path.parent))


def worker(run: Run) -> int:
    """The process that holds the run."""
    holder = launch.owner(run)
    assert holder and launch.liveness(run) == "alive"
    return holder.pid


def trains_on(run: Run, before: int, epochs: int = 10) -> RunState:
    """However long it takes: the same worker gets so much further."""
    reached = follow.load(run).epoch + epochs
    state = wait(run, lambda state: state.epoch >= reached)
    assert state.status == "running" and worker(run) == before
    return state


def shown_epoch(dashboard: Terminal) -> int:
    found = re.search(r"epoch +([\d,]+)/", dashboard.seen)
    return int(found[1].replace(",", "")) if found else 0


def test_a_run_is_started_left_met_again_and_stopped(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    own = tmp_path / "tui-trainer" / "presets"
    own.mkdir(parents=True)
    (own / "endless.toml").write_text(tomlkit.dumps(ENDLESS.model_dump(mode="json")))
    with terminal("-m", "tui_trainer", TUI_TRAINER_RUNS=str(root)) as dashboard:
        dashboard.read_until_seen("digits", "leave")
        dashboard.type("/")
        dashboard.read_until_seen("words")
        dashboard.type("endless\r")
        dashboard.read_until_seen("100,000 epochs", "enter start")
        dashboard.type("\r")
        dashboard.read_until_seen("▶ running")
        (run,) = directory.list_runs(root)
        try:
            pid = worker(run)
            dashboard.type("q")
            dashboard.read_until_seen("Leave endless?")
            dashboard.type("d")
            assert dashboard.read_to_end() == 0 and dashboard.is_as_before
            assert b"attach again: tui-trainer attach last" in dashboard.output
            trains_on(run, pid)
            with attached(run) as again:
                again.read_until_seen("▶ running", "endless")
                again.type("x")
                again.read_until_seen("Stop endless?")
                again.type("s")
                again.read_until_seen("■ stopped", "resume")
                state = wait_for_end(run)
                again.type("q")
                assert again.read_to_end() == 0 and again.is_as_before
            assert state.newest_checkpoint and state.newest_checkpoint.step == state.step
        finally:
            launch.kill(run)


def test_killed_dashboards_and_resizes_by_the_hundred_never_reach_the_worker(training: Run) -> None:
    pid = worker(training)
    with attached(training) as first:
        first.read_until_seen("▶ running")
        first.process.send_signal(signal.SIGKILL)
        first.read_to_end()
    trains_on(training, pid)
    with attached(training) as second:
        second.read_until_seen("▶ running")
        chance = random.Random(7)
        for _ in range(300):
            second.resize(chance.randrange(1, 200), chance.randrange(1, 70))
            second.read(0)
        second.resize(80, 24)
        state = trains_on(training, pid)
        second.read_until(lambda: shown_epoch(second) >= state.epoch, "it is still followed")
        assert "▶ running" in second.seen
        second.process.send_signal(signal.SIGTERM)
        assert second.read_to_end() == 0 and second.is_as_before
    trains_on(training, pid)


def test_a_terminal_that_nobody_reads_holds_nobody_up(training: Run) -> None:
    pid = worker(training)
    with attached(training) as stalled:
        stalled.read_until_seen("▶ running")
        stalled.stall()
        state = trains_on(training, pid)
        stalled.read_until(lambda: shown_epoch(stalled) >= state.epoch, "what happened meanwhile")
        stalled.process.send_signal(signal.SIGHUP)
        assert stalled.read_to_end() == 0 and stalled.is_as_before
    trains_on(training, pid)
