"""The learning-rate finder of the dashboard: from home and form, to a rate in the form or to nothing."""

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.dashboard import LARGE, make_app, seen, wait_for, wait_for_screen, wait_to_see
from tests.test_ui_form import open_form, write
from tui_trainer.runs.jobs import Job
from tui_trainer.text import InputError
from tui_trainer.ui.screens import find_rate
from tui_trainer.ui.screens.find_rate import FindRateScreen
from tui_trainer.ui.screens.form import FormScreen

RATES = {"steepest": 0.0123, "valley": 0.00456, "minimum/10": 0.0789}


class FakeJob:
    """A sweep whose points and end come when the test says so."""

    latest: "FakeJob"

    def __init__(self, *arguments: str) -> None:
        self.arguments = arguments
        self.more = threading.Event()
        self.lines: list[dict[str, Any]] = []
        self.outcome: dict[str, Any] | str | None = None
        self.cancelled = False
        FakeJob.latest = self

    def result(self, on_progress: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        while self.outcome is None:
            self.more.wait(10)
            self.more.clear()
            while self.lines:
                on_progress(self.lines.pop(0))
        if isinstance(self.outcome, str):
            raise InputError(self.outcome)
        return self.outcome

    def tell(self, steps: int, outcome: dict[str, Any] | str | None = None) -> None:
        self.lines += [
            {"step": i, "of": 300, "learning_rate": 1e-6 * 1.1**i, "loss": 2.0, "smoothed": 2.5 - i / 100}
            for i in range(steps)
        ]
        self.outcome = outcome
        self.more.set()

    def cancel(self) -> None:
        self.cancelled = True
        self.outcome = self.outcome or "cancelled"
        self.more.set()


@pytest.fixture
def fake_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find_rate, "Job", FakeJob)


async def open_finder(pilot: Pilot[str]) -> FakeJob:
    """With f, from home on the digits."""
    await wait_to_see(pilot, "digits")
    await pilot.press("f")
    await wait_for_screen(pilot, "FindRateScreen")
    await wait_to_see(pilot, "Find a learning rate")
    return FakeJob.latest


def rate_in(pilot: Pilot[str]) -> str:
    return pilot.app.screen.query_one("#field-optimizer-learning_rate Input", Input).value


@pytest.mark.usefixtures("fake_job")
@pytest.mark.parametrize(("key", "rate"), [("3", "0.079"), ("enter", "0.0046")])
async def test_a_key_takes_a_rate_into_the_form(root: Path, key: str, rate: str) -> None:
    async with make_app(root).run_test(size=(80, 24)) as pilot:
        job = await open_finder(pilot)
        await wait_to_see(pilot, "starting…", "1e-6", "64-64-64-10 · adam")
        job.tell(57)
        await wait_to_see(pilot, "57 of 300", "loss 1.940")
        await pilot.press("2")  # there is none to take yet
        assert isinstance(pilot.app.screen, FindRateScreen)
        job.tell(10, {"suggestions": RATES})
        await wait_to_see(pilot, "67 updates, ended at", "0.012", "0.0046", "0.079")
        await pilot.press(key)
        await wait_for_screen(pilot, "FormScreen")
        await wait_to_see(pilot, rate, "• preset 0.001")
        screen = pilot.app.screen
        assert isinstance(screen, FormScreen) and screen.verdict.config
        assert screen.verdict.config.optimizer.learning_rate == float(rate)
        assert rate_in(pilot) == rate and screen.query_one("#field-optimizer-learning_rate").has_focus_within


@pytest.mark.usefixtures("fake_job")
async def test_the_form_sweeps_what_it_says_now_and_escape_cancels(root: Path) -> None:
    async with make_app(root).run_test(size=LARGE) as pilot:
        await open_form(pilot)
        await write(pilot, "network.hidden_sizes", "32")
        await pilot.press("ctrl+f")
        await wait_for_screen(pilot, "FindRateScreen")
        await wait_to_see(pilot, "64-32-10 · adam")
        job = FakeJob.latest
        assert job.arguments[0] == "lr-find" and '"hidden_sizes": [32]' in job.arguments[1]
        job.tell(3)
        await wait_to_see(pilot, "3 of 300")
        await pilot.press("escape")
        await wait_for_screen(pilot, "FormScreen")
        await wait_for(pilot, lambda: job.cancelled, "the job is cancelled")
        assert rate_in(pilot) == "0.001"


@pytest.mark.usefixtures("fake_job")
async def test_what_went_wrong_is_said_as_it_is(root: Path) -> None:
    async with make_app(root).run_test(size=(80, 24)) as pilot:
        job = await open_finder(pilot)
        job.tell(0, "the data [bold are \x1b[31mgone")
        await wait_to_see(pilot, "! the data [bold are [31mgone")
        await pilot.press("1", "enter", "escape")
        await wait_for_screen(pilot, "FormScreen")
        assert rate_in(pilot) == "0.001"


@pytest.mark.usefixtures("fake_job")
async def test_a_loss_that_never_fell_suggests_nothing(root: Path) -> None:
    async with make_app(root).run_test(size=LARGE) as pilot:
        job = await open_finder(pilot)
        job.tell(200, {"suggestions": {}})
        for size in ((120, 40), (80, 24), (40, 10), (20, 5)):
            await pilot.resize_terminal(*size)
            await wait_to_see(pilot, "! the loss never")
        await pilot.press("2", "enter")
        assert isinstance(pilot.app.screen, FindRateScreen)


@pytest.mark.usefixtures("fake_job")
async def test_a_form_with_a_wrong_value_sweeps_nothing(root: Path) -> None:
    app = make_app(root)
    async with app.run_test(size=LARGE) as pilot:
        screen = await open_form(pilot)
        await write(pilot, "training.epochs", "0")
        await pilot.press("ctrl+f")
        await wait_for(pilot, lambda: len(app._notifications), "a refusal")
        assert "training.epochs: 0 is below" in next(iter(app._notifications)).message
        assert app.screen is screen


async def test_a_real_sweep_draws_its_points_and_ends_with_its_screen(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs: list[Job] = []

    def start(*arguments: str) -> Job:
        jobs.append(Job(*arguments))
        return jobs[0]

    monkeypatch.setattr(find_rate, "Job", start)
    monkeypatch.setattr(find_rate, "STEPS", 10_000)  # it shall not end by itself
    monkeypatch.setattr("tests.dashboard.PATIENCE_SECONDS", 60)
    async with make_app(root).run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "digits")
        await pilot.press("f")
        await wait_for_screen(pilot, "FindRateScreen")
        await wait_for(pilot, lambda: " of 10000" in seen(pilot), "points")
        await pilot.press("escape")
        await wait_for_screen(pilot, "FormScreen")
        await wait_for(pilot, lambda: jobs[0].process.returncode is not None, "the process has ended")
        assert jobs[0].process.returncode in (1, -signal.SIGTERM)  # cleaned up, or not yet begun
    assert not root.exists()
