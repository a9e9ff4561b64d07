"""The data sets on the screen: what is here, what is not, and work on them with a way out."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard import LARGE, make_app, seen, wait_for, wait_for_screen, wait_to_see
from tui_trainer.text import InputError
from tui_trainer.ui.widgets import job_line


class FakeJob:
    """Tells a little progress, then waits until it may end: with a result, or with a refusal."""

    def __init__(self, *arguments: str) -> None:
        self.name, self.data_set, self.root = arguments
        self.go_on = threading.Event()
        self.cancelled = False
        self.problem = ""
        jobs.append(self)

    def result(self, told: Callable[[dict[str, Any]], None]) -> dict[str, str]:
        told({"done": 1 << 20, "of": 4 << 20, "unit": "bytes"})
        assert self.go_on.wait(60)
        if self.cancelled or self.problem:
            raise InputError(self.problem or "terminated")
        return {"name": self.data_set, "message": "is in its folder"}

    def cancel(self) -> None:
        self.cancelled = True
        self.go_on.set()


jobs: list[FakeJob] = []


@pytest.fixture(autouse=True)
def fake_job(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.clear()
    monkeypatch.setattr(job_line, "Job", FakeJob)


@pytest.mark.parametrize("size", [(80, 24), LARGE])
async def test_every_data_set_with_its_shape_and_whether_it_is_here(root: Path, size: tuple[int, int]) -> None:
    async with make_app(root).run_test(size=size) as pilot:
        await wait_to_see(pilot, "8,970 parameters")
        await pilot.press("d")
        await wait_to_see(pilot, "emnist-letters", "104,000", "✗ absent", "✓ here", "70 % train")
        await pilot.press("down")
        await wait_to_see(pilot, "MNIST handwritten digits", "60k-10k", "tui-trainer data fetch mnist")
        await pilot.press("escape")
        await wait_for_screen(pilot, "HomeScreen")


async def test_fetching_can_be_cancelled_and_a_refusal_is_told(root: Path) -> None:
    app = make_app(root)
    async with app.run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "8,970 parameters")
        await pilot.press("d")
        await wait_to_see(pilot, "kmnist", "Handwritten digits, 8×8")
        await pilot.press("f")
        await wait_to_see(pilot, "digits needs no files")
        await pilot.press("down")
        await wait_to_see(pilot, "MNIST handwritten")
        await pilot.press("c")
        await wait_to_see(pilot, "mnist is not here; f fetches it")
        await pilot.press("f")
        await wait_to_see(pilot, "fetching mnist", "25 %", "1.0 MiB of 4.0 MiB")
        await pilot.press("c")
        await wait_to_see(pilot, "cancelled, nothing has changed")
        await pilot.press("f")
        await wait_for(pilot, lambda: len(jobs) == 2, "it is begun again")
        jobs[1].problem = "data set mnist: no download was possible (no route to host)"
        jobs[1].go_on.set()
        await wait_to_see(pilot, "no download was possible (no route to host)")
        assert (jobs[1].name, jobs[1].data_set, jobs[1].root) == ("fetch", "mnist", str(app.data_root))


async def test_a_set_that_is_here_is_checked(root: Path, mnist: Path) -> None:
    async with make_app(root, data_root=mnist).run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "8,970 parameters")
        await pilot.press("d")
        await wait_to_see(pilot, "kmnist", "Handwritten digits, 8×8")
        await pilot.press("down")
        await wait_to_see(pilot, "MNIST handwritten", "10.")
        await pilot.press("c")
        await wait_to_see(pilot, "checking mnist")
        jobs[0].go_on.set()
        await wait_to_see(pilot, "✓ mnist is in its folder")
        assert jobs[0].name == "check-data"
        assert "checking" not in seen(pilot)


def test_the_job_that_checks_tells_how_far_it_is(mnist: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tui_trainer.engine.jobs import check_data

    check_data("mnist", str(mnist))
    *progress, result = capsys.readouterr().out.splitlines()
    assert '"unit": "bytes"' in progress[-1] and '"done": 54950000, "of": 54950000' in progress[-1]
    assert "digests as published" in result


async def test_how_to_train_on_ones_own_file(root: Path) -> None:
    async with make_app(root).run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "8,970 parameters")
        await pilot.press("d")
        await wait_to_see(pilot, "your own", "Handwritten digits, 8×8")
        await pilot.press("ctrl+end")
        await wait_to_see(pilot, "arrays x", "--set data.file=points.csv")
