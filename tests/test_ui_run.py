"""The run's screen: what it shows of every state, what it asks of the worker, and when it believes the answer."""

import asyncio
import shutil
from pathlib import Path

import pytest
from textual.widgets import Button

from tests.dashboard import (
    LARGE,
    FakeRun,
    launcher_of,
    live_run,
    make_app,
    open_on,
    screen_of,
    seen,
    wait_for,
    wait_for_screen,
    wait_to_see,
)
from tui_trainer.runs import events
from tui_trainer.runs.commands import Pause, Resume, Save, Stop
from tui_trainer.ui.messages import OpenWanted
from tui_trainer.ui.report import HUNG_SECONDS
from tui_trainer.ui.screens.run import RunScreen


async def test_a_live_run_is_followed(root: Path) -> None:
    with live_run(root, epochs=20, trained=3) as fake:
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running", "3/20", "step 120/800", "123 k images/s", "val 90.30 %", "left")
            await wait_to_see(pilot, "★ 90.30 % @3", "epoch 3  train 0.3333")
            fake.train(4)
            fake.metrics(4.5, loss=0.1234)
            await wait_to_see(pilot, "4/20", "train 0.1234", "val 90.40 %", "50 %")


@pytest.mark.parametrize("turns", [0, 2, 30])
async def test_leaving_while_a_screen_is_being_made_is_no_fault(root: Path, turns: int) -> None:
    with live_run(root, trained=2) as fake:
        app = make_app(root)
        async with app.run_test(size=LARGE):
            app.post_message(OpenWanted(fake.run))
            for _ in range(turns):
                await asyncio.sleep(0)


async def test_an_epoch_newer_than_the_means_over_steps_is_what_is_shown(root: Path) -> None:
    with live_run(root, trained=2) as fake:
        fake.metrics(1.5, loss=0.7777)
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running", "loss train 0.5000")


async def test_a_worker_that_starts_is_said_to(root: Path) -> None:
    fake = FakeRun(root).take()
    async with open_on(fake).run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "◌ starting", "starting worker…")
        fake.start().train(1)
        await wait_to_see(pilot, "▶ running", "1/10")
    fake.release()


async def test_pause_is_believed_when_the_worker_confirms(root: Path) -> None:
    with live_run(root) as fake:
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running")
            await pilot.press("p")
            await wait_to_see(pilot, "pausing…", "▶ running")
            assert [type(command) for command in fake.commands] == [Pause]
            fake.acknowledge(status="paused")
            await wait_to_see(pilot, "‖ paused", "p goes on")
            assert "pausing…" not in seen(pilot)
            await pilot.press("space")
            await wait_to_see(pilot, "resuming…")
            assert [type(command) for command in fake.commands] == [Resume]
            fake.acknowledge(status="running")
            await wait_to_see(pilot, "▶ running")


async def test_save_and_a_refusal(root: Path) -> None:
    with live_run(root) as fake:
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running", "none yet")
            await pilot.press("s")
            await wait_to_see(pilot, "saving…")
            assert [type(command) for command in fake.commands] == [Save]
            fake.acknowledge(ok=False, message="no space left on device")
            await wait_for(pilot, lambda: len(pilot.app._notifications), "the refusal")
            assert next(iter(pilot.app._notifications)).message == "no space left on device"
            fake.save(3)
            await wait_to_see(pilot, "◆ e0003", "1.0 MiB")


async def test_a_worker_that_dies_ends_the_waiting(root: Path) -> None:
    with live_run(root) as fake:
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running")
            await pilot.press("p")
            await wait_to_see(pilot, "pausing…")
            fake.release()
            await wait_to_see(pilot, "! interrupted", "r resumes")
            assert "pausing…" not in seen(pilot)


@pytest.mark.parametrize(("key", "discard"), [("s", False), ("d", True)])
async def test_stop_asks_first(root: Path, key: str, discard: bool) -> None:
    with live_run(root) as fake:
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running")
            await pilot.press("x")
            await wait_for_screen(pilot, "StopScreen")
            await pilot.press("escape")
            await wait_for_screen(pilot, "RunScreen")
            assert fake.commands == []
            await pilot.press("x", key)
            await wait_to_see(pilot, "stopping…")
            (command,) = fake.commands
            assert isinstance(command, Stop)
            assert command.discard is discard
            fake.acknowledge(status="stopped")
            fake.release()
            await wait_to_see(pilot, "■ stopped", "r resumes")


async def test_buttons_do_what_the_keys_do(root: Path) -> None:
    with live_run(root) as fake:
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running")
            await pilot.click("#pause")
            await wait_to_see(pilot, "pausing…")
            fake.acknowledge(status="paused")
            await wait_to_see(pilot, "▶ resume")
            await pilot.click("#resume")
            await wait_for(pilot, lambda: [type(c) for c in fake.commands] == [Resume], "a wish to resume")


async def test_a_finished_run_stays_with_its_result(root: Path) -> None:
    fake = FakeRun(root, epochs=3).take().start().train(1, 2, 3)
    async with open_on(fake).run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "▶ running")
        fake.finish(0.9625)
        await wait_to_see(pilot, "✓ finished", "test 96.25 %", "finished in")
        assert all(pilot.app.screen.query_one(f"#{name}", Button).disabled for name in ("pause", "save", "stop"))
        await pilot.press("p", "s", "x")
        assert isinstance(pilot.app.screen, RunScreen)
        assert fake.commands == []


async def test_a_failed_run_says_why_and_quotes_its_log_literally(root: Path) -> None:
    fake = FakeRun(root).take().start().train(1)
    fake.run.worker_log.write_text("Traceback\n[bold red]RuntimeError[/]: \x1b[31mno memory\n")
    fake.write(events.State(status="failed", reason="out of memory: batch 32"))
    fake.release()
    async with open_on(fake).run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "✗ failed", "out of memory: batch 32", "last lines of worker.log")
        await wait_to_see(pilot, "[bold red]RuntimeError[/]: [31mno memory")


async def test_a_failed_run_does_not_quote_what_its_log_has_just_said(root: Path) -> None:
    fake = FakeRun(root).take().start().train(1)
    fake.run.worker_log.write_text("failed out of memory\n")
    fake.write(events.State(status="failed", reason="out of memory"))
    fake.release()
    async with open_on(fake).run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "✗ failed", "failed: out of memory")
        assert "last lines of worker.log" not in seen(pilot)


@pytest.mark.parametrize("status", ["stopped", "interrupted"])
async def test_r_starts_a_worker_on_a_run_that_has_none(root: Path, status: str) -> None:
    fake = FakeRun(root).take().start().train(1)
    if status == "stopped":
        fake.write(events.State(status="stopped"))
    fake.release()
    app = open_on(fake)
    async with app.run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, status, "r resumes")
        launcher_of(app).then = fake.take
        await pilot.press("r")
        await wait_to_see(pilot, "starting worker…")
        assert launcher_of(app).started == [fake.run]
        fake.start().train(2)
        await wait_to_see(pilot, "▶ running", "2/10")
    fake.release()


async def test_silence_is_said_but_not_called_death(root: Path) -> None:
    with live_run(root) as fake:
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running")
            await wait_for(pilot, lambda: screen_of(pilot, RunScreen).caught_up, "the run has been read")
            screen_of(pilot, RunScreen).follower.silent_since -= HUNG_SECONDS + 5
            await wait_to_see(pilot, "no progress for ", "▶ running")
            fake.train(4)
            await wait_to_see(pilot, "time: █ train")


async def test_a_run_that_cannot_be_read_is_said_and_read_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with live_run(root) as fake:
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running", "3/10")
            follower = screen_of(pilot, RunScreen).follower
            real = follower.poll

            def refuse() -> bool:
                raise OSError(5, "Input/output error")

            monkeypatch.setattr(follower, "poll", refuse)
            await wait_for(pilot, lambda: len(pilot.app._notifications), "the trouble")
            assert "Input/output error" in next(iter(pilot.app._notifications)).message
            monkeypatch.setattr(follower, "poll", real)
            fake.train(4)
            await wait_to_see(pilot, "4/10")


async def test_a_run_that_vanishes_does_not_take_the_dashboard_with_it(root: Path) -> None:
    with live_run(root) as fake:
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running")
            shutil.rmtree(fake.run.path)
            await wait_to_see(pilot, "! interrupted")
            await pilot.press("escape")
            await wait_to_see(pilot, "No runs yet")


async def test_a_damaged_run_asked_for_is_refused_at_home(root: Path) -> None:
    fake = FakeRun(root)
    fake.run.config_file.write_text("spoiled")
    async with open_on(fake).run_test(size=LARGE) as pilot:
        await wait_for(pilot, lambda: len(pilot.app._notifications), "the refusal")
        await wait_to_see(pilot, "Presets", "? unreadable")


async def test_a_run_screen_that_has_gone_paints_no_more(root: Path) -> None:
    """What was to be painted after the next refresh may come after another screen has taken its place."""
    with live_run(root) as fake:
        fake.save(2)
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running", "e0002")
            screen = screen_of(pilot, RunScreen)
            await pilot.press("f")
            await wait_for(pilot, lambda: not screen.is_attached, "the form is in its place")
            screen.show_words()
