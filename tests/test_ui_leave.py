"""Leaving a run: detach, save and stop, discard, or stay; training goes on unless it is asked to stop."""

from pathlib import Path

import pytest

from tests.dashboard import (
    LARGE,
    FakeRun,
    live_run,
    open_on,
    screen_of,
    wait_for,
    wait_for_screen,
    wait_to_see,
)
from tui_trainer.runs.commands import Stop
from tui_trainer.ui.screens.run import RunScreen


async def test_q_detaches_without_a_word_to_the_worker(root: Path) -> None:
    with live_run(root) as fake:
        app = open_on(fake)
        async with app.run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running")
            await pilot.press("q")
            await wait_to_see(pilot, "Leave digits?", "tui-trainer attach last")
            await pilot.press("escape")
            await wait_for_screen(pilot, "RunScreen")
            await pilot.press("ctrl+q")
            await wait_for_screen(pilot, "LeaveScreen")
            await pilot.press("d")
            await wait_for(pilot, lambda: app._exit, "the app has left")
        assert app.return_value == "detached · attach again: tui-trainer attach last"
        assert fake.commands == []


async def test_an_older_run_is_called_by_its_id(root: Path) -> None:
    with live_run(root) as fake:
        newer = root / "9999-01-01-000000-digits-0000"
        newer.mkdir()
        (newer / "config.toml").write_text(fake.run.config_file.read_text())
        app = open_on(fake)
        async with app.run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running")
            await pilot.press("q", "d")
            await wait_for(pilot, lambda: app._exit, "the app has left")
        assert app.return_value == f"detached · attach again: tui-trainer attach {fake.run.id}"


@pytest.mark.parametrize(("key", "discard"), [("s", False), ("x", True)])
async def test_leaving_with_a_stop_waits_for_the_end(root: Path, key: str, discard: bool) -> None:
    with live_run(root) as fake:
        app = open_on(fake)
        async with app.run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running")
            await pilot.press("q", key)
            await wait_to_see(pilot, "stopping…")
            (command,) = fake.commands
            assert isinstance(command, Stop)
            assert command.discard is discard
            assert not app._exit
            fake.acknowledge(status="stopped")
            fake.release()
            await wait_for(pilot, lambda: app._exit, "the app has left")
        assert app.return_value is not None
        assert app.return_value.startswith("stopped at epoch 3")


async def test_a_worker_that_starts_is_asked_to_stop_when_it_can_hear(root: Path) -> None:
    fake = FakeRun(root).take()
    app = open_on(fake)
    async with app.run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "◌ starting")
        await wait_for(pilot, lambda: screen_of(pilot, RunScreen).live, "the worker is seen")
        await pilot.press("q", "s")
        await wait_to_see(pilot, "saving and stopping…")
        assert fake.commands == []
        fake.start()
        await wait_for(pilot, lambda: [type(c) for c in fake.commands] == [Stop], "a wish to stop")
    fake.release()


async def test_a_stop_that_takes_long_says_so_and_lets_go(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tui_trainer.ui.screens import leave

    monkeypatch.setattr(leave, "PATIENCE_SECONDS", 0.0)
    with live_run(root) as fake:
        app = open_on(fake)
        async with app.run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running")
            await pilot.press("q", "s")
            await wait_to_see(pilot, "no end yet", "d detaches")
            await pilot.press("d")
            await wait_for(pilot, lambda: app._exit, "the app has left")


async def test_the_menu_names_the_newest_checkpoint_that_is_on_disk(root: Path) -> None:
    with live_run(root) as fake:
        oldest = fake.save(1, seconds_ago=300)
        newest = fake.save(2, seconds_ago=12)
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running")
            await pilot.press("q")
            await wait_to_see(pilot, "newest on disk: e0002-s000080", "s ago")
            newest.unlink()
            await wait_to_see(pilot, "newest on disk: e0001-s000040, 5 min ago")
            (fake.run.checkpoints / "e0003-s000120.safetensors").touch()  # its event is still to come
            oldest.unlink()
            await wait_to_see(pilot, "newest on disk: e0003-s000120")


async def test_a_run_that_ends_under_the_menu_closes_it(root: Path) -> None:
    with live_run(root, epochs=3) as fake:
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running")
            await pilot.press("q")
            await wait_for_screen(pilot, "LeaveScreen")
            fake.finish()
            await wait_for_screen(pilot, "RunScreen")
            await wait_to_see(pilot, "✓ finished")


async def test_q_leaves_a_run_that_is_over_at_once(root: Path) -> None:
    fake = FakeRun(root, epochs=1).take().start().train(1).finish()
    app = open_on(fake)
    async with app.run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "✓ finished")
        await pilot.press("q")
        await wait_for(pilot, lambda: app._exit, "the app has left")
    assert app.return_value is None


async def test_esc_goes_home_and_training_goes_on(root: Path) -> None:
    with live_run(root) as fake:
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running", "p pause")
            await pilot.press("escape")
            await wait_for_screen(pilot, "HomeScreen")
            await wait_to_see(pilot, "▶ running", "Presets")
        assert fake.commands == []
