"""Long work says how far it is: the numbers, the line of the dashboard, the line of the command line, cancelling."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.binding import Binding

from tests.dashboard import PATIENCE_SECONDS, seen, wait_for, wait_to_see
from tests.running import Cli, quick, work
from tui_trainer.engine import __main__ as engine
from tui_trainer.runs import directory, jobs
from tui_trainer.runs.progress import Progress
from tui_trainer.ui.widgets.job_line import JobLine

TELL = 'print(\'{"progress": {"done": %d, "of": 400, "unit": "steps"}}\', flush=True)'


def test_rate_and_time_left_are_those_of_the_last_moments() -> None:
    moments: Iterator[float] = iter([0.0, 1.0, 100.0, 110.0])
    progress = Progress(lambda: next(moments))
    assert progress.parts() == ["starting"]
    for done in (0, 1000, 1500):
        progress.take({"done": done, "of": 4000, "unit": "steps"})
    assert progress.rate == pytest.approx(500 / 99)
    progress.take({"done": 2000, "of": 4000, "unit": "steps"})
    assert progress.parts() == ["2,000 of 4,000 steps", "0:40 left", "50 steps/s"]
    assert progress.fraction == 0.5


@pytest.mark.parametrize(("job", "unit"), [("check", "bytes"), ("evaluate", "examples")])
def test_the_engine_tells_how_far_a_job_is(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], job: str, unit: str
) -> None:
    run = directory.create(root, quick("step_path=autograd"), "short", "", tmp_path)
    work(run)
    (file, *_) = sorted(run.checkpoints.iterdir())
    capsys.readouterr()
    engine.run_job(job, [str(file)] if job == "check" else [str(run.path), str(file), "test", str(tmp_path)])
    *told, result = map(json.loads, capsys.readouterr().out.splitlines())
    last = told[-1]["progress"]
    assert last["unit"] == unit
    assert last["done"] == last["of"] > 0
    assert result["result"]["checkpoint"] == file.name


class Holder(App[None]):
    BINDINGS = [Binding("c", "cancel")]  # noqa: RUF012

    def compose(self) -> ComposeResult:
        yield JobLine()

    def action_cancel(self) -> None:
        self.query_one(JobLine).cancel()

    def on_job_line_ended(self, event: JobLine.Ended) -> None:
        self.ended = event


@pytest.mark.parametrize("key", ["c", ""])
async def test_a_job_line_shows_a_job_and_cancels_it(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    script = f"import time\n{TELL % 100}\ntime.sleep(600)"
    monkeypatch.setattr(jobs, "worker_command", lambda *_: [sys.executable, "-c", script])
    app = Holder()
    async with app.run_test(size=(100, 5)) as pilot:
        line = app.query_one(JobLine)
        assert not line.display
        line.start("waiting", "any")
        await wait_to_see(pilot, "waiting", "25 %", "100 of 400 steps", "c cancel")  # type: ignore[arg-type]
        assert line.job is not None
        process = line.job.process
        await (pilot.press(key) if key else pilot.click("JobLine Button"))
        await wait_for(pilot, lambda: app.ended, "the end")  # type: ignore[arg-type]
        assert (app.ended.problem, app.ended.result) == ("", None)
        await wait_for(pilot, lambda: "waiting" not in seen(pilot), "the line is gone")  # type: ignore[arg-type]
        assert process.poll() is not None


def test_ctrl_c_cancels_a_job_of_the_command_line_in_one_line(root: Path, cli: Cli, tmp_path: Path) -> None:
    directory.create(cli.runs, quick(), "short", "", tmp_path)
    controller, terminal = pty.openpty()
    script = (
        "import sys; from tui_trainer import cli; from tui_trainer.runs import jobs;"
        f"jobs.worker_command = lambda *_: [sys.executable, '-c', {(TELL % 100) + '; import time; time.sleep(600)'!r}];"
        "sys.argv = ['tui-trainer', 'verify', 'last']; cli.run()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stderr=terminal, env=cli.environment, start_new_session=True
    )
    try:
        before = read_until(controller, "100 of 400 steps")
        os.killpg(process.pid, signal.SIGINT)
        after = read_until(controller, "cancelled")
        assert process.wait(30) == 130
    finally:
        process.kill()
        os.close(terminal)
        os.close(controller)
    assert "training again" in before
    assert "25 %" in before
    assert after.split() == ["cancelled"]


def read_until(terminal: int, words: str) -> str:
    """What is written up to these words."""
    written = b""
    while words.encode() not in written:
        readable, _, _ = select.select([terminal], [], [], PATIENCE_SECONDS)
        assert readable, f"{words!r} never came after {written!r}"
        written += os.read(terminal, 1000)
    return written.decode(errors="replace")
