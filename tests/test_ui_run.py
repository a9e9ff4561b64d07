"""The run's screen: what it shows of every state, what it asks of the worker, and when it believes the answer."""

import shutil
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Button

from tests.dashboard import (
    FakeRun,
    launcher_of,
    live_run,
    make_app,
    seen,
    wait_for,
    wait_for_screen,
    wait_to_see,
)
from tui_trainer.runs import events
from tui_trainer.runs.commands import Pause, Resume, Save, Stop
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.report import HUNG_SECONDS
from tui_trainer.ui.screens.run import RunScreen
from tui_trainer.ui.widgets.chart import Chart

LARGE = (120, 40)


def open_on(fake: FakeRun) -> TrainerApp:
    return make_app(fake.run.path.parent, fake.run)


def run_screen(pilot: Pilot[str]) -> RunScreen:
    screen = pilot.app.screen
    assert isinstance(screen, RunScreen)
    return screen


async def test_a_live_run_is_followed(root: Path) -> None:
    with live_run(root, epochs=20, trained=3) as fake:
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running", "3/20", "step 120/800", "123 k images/s", "val 90.30 %", "left")
            await wait_to_see(pilot, "★ 90.30 % @3", "epoch 3  train 0.3333")
            fake.train(4)
            fake.metrics(4.5, loss=0.1234)
            await wait_to_see(pilot, "4/20", "train 0.1234", "val 90.40 %", "50 %")


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
            await wait_to_see(pilot, "◆ e0003-s000120", "1.0 MiB")


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
            await wait_for(pilot, lambda: run_screen(pilot).caught_up, "the run has been read")
            run_screen(pilot).follower.silent_since -= HUNG_SECONDS + 5
            await wait_to_see(pilot, "no progress for 0:3", "▶ running")
            fake.train(4)
            await wait_to_see(pilot, "time: train")


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
        await wait_for(pilot, lambda: run_screen(pilot).live, "the worker is seen")
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
        fake.save(1, seconds_ago=300)
        newest = fake.save(2, seconds_ago=12)
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running")
            await pilot.press("q")
            await wait_to_see(pilot, "newest on disk: e0002-s000080", "s ago")
            newest.unlink()
            await wait_to_see(pilot, "newest on disk: e0001-s000040, 5 min ago")


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


async def test_the_loss_can_be_logarithmic_and_smooth(root: Path) -> None:
    with live_run(root, trained=8) as fake:
        fake.metrics(8.5, loss=0.00123)
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running", "y log")
            assert "0.01" not in drawn(pilot, "loss")
            accuracy = drawn(pilot, "accuracy")
            await pilot.press("y")
            await wait_for(pilot, lambda: "0.01" in drawn(pilot, "loss"), "a tick of a logarithmic axis")
            assert drawn(pilot, "accuracy") == accuracy
            sharp = drawn(pilot, "loss")
            await pilot.press("plus", "plus", "plus")
            await wait_to_see(pilot, "smooth 0.9")
            assert drawn(pilot, "loss") != sharp
            await pilot.press("minus", "minus", "minus", "minus")
            await wait_for(pilot, lambda: drawn(pilot, "loss") == sharp, "no smoothing")


def drawn(pilot: Pilot[str], chart: str) -> str:
    rows = pilot.app.screen.query_one(f"#{chart}", Chart).rows
    return "\n".join("".join(text for text, _ in row) for row in rows)


async def test_a_chart_repaints_only_what_changed(root: Path) -> None:
    with live_run(root, epochs=8, trained=6) as fake:
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running")
            chart = pilot.app.screen.query_one("#loss", Chart)
            await wait_for(pilot, lambda: chart.rows and not pilot.app.screen._dirty_widgets, "the first drawing")
            repainted: list[int] = []
            real = chart.render_line

            def note(y: int) -> object:
                repainted.append(y)
                return real(y)

            chart.render_line = note  # type: ignore[method-assign, assignment]
            before = list(chart.rows)
            fake.metrics(6.5, loss=0.2)
            await wait_for(pilot, lambda: chart.rows != before and repainted, "a new drawing")
            assert set(repainted) == {y for y, row in enumerate(chart.rows) if row != before[y]}
            assert len(set(repainted)) <= 3


async def test_narrow_terminals_show_one_chart_at_a_time(root: Path) -> None:
    with live_run(root) as fake:
        async with open_on(fake).run_test(size=(80, 24)) as pilot:
            await wait_to_see(pilot, "▶ running", "loss  ⠒⠒", "epoch  0", "q leave")
            assert "accuracy %" not in seen(pilot)
            await pilot.press("right_square_bracket")
            await wait_to_see(pilot, "accuracy %", "100┤")
            assert "loss  ⠒⠒" not in seen(pilot)
            await pilot.press("left_square_bracket")
            await wait_to_see(pilot, "loss  ⠒⠒")


async def test_one_panel_can_have_all_the_room(root: Path) -> None:
    with live_run(root) as fake:
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "accuracy %", "epoch 3  train")
            await pilot.press("m")
            await wait_for(pilot, lambda: "accuracy %" not in seen(pilot), "the loss alone")
            assert "epoch 3  train" not in seen(pilot)
            await pilot.press("right_square_bracket")
            await wait_to_see(pilot, "accuracy %")
            assert "loss  ⠒⠒" not in seen(pilot)
            await pilot.press("escape")
            await wait_to_see(pilot, "accuracy %", "loss  ⠒⠒", "epoch 3  train")


async def test_the_smallest_view_has_what_matters(root: Path) -> None:
    with live_run(root) as fake:
        async with open_on(fake).run_test(size=(20, 5)) as pilot:
            await wait_to_see(pilot, "▶ running", "epoch 3/10", "val 90.30 %")


async def test_help_lists_every_key_of_the_screen(root: Path) -> None:
    with live_run(root) as fake:
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running")
            await pilot.press("question_mark")
            await wait_to_see(pilot, "p space", "Write a checkpoint that stays", "smoother", "esc closes", "^q q")
            await pilot.press("escape")
            await wait_for_screen(pilot, "RunScreen")


async def test_the_palette_has_the_actions(root: Path) -> None:
    with live_run(root) as fake:
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running")
            await pilot.press("ctrl+p")
            await wait_for_screen(pilot, "CommandPalette")
            await pilot.press(*"save")
            await wait_to_see(pilot, "save (s)")
            await pilot.press("enter")
            await wait_for(pilot, lambda: [type(c) for c in fake.commands] == [Save], "a wish to save")


async def test_states_are_told_without_colour(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    with live_run(root) as fake:
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running", "train", "val")
            strips = pilot.app.screen._compositor.render_strips()
            styles = [segment.style for strip in strips for segment in strip if segment.style]
            colours = [style.color.get_truecolor() for style in styles if style.color]
            assert colours
            assert all(colour.red == colour.green == colour.blue for colour in colours)


async def test_a_light_theme_can_be_chosen(root: Path) -> None:
    with live_run(root) as fake:
        app = open_on(fake)
        async with app.run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running")
            app.theme = "textual-light"
            await pilot.pause()
            await wait_to_see(pilot, "▶ running", "loss  ⠒⠒")


async def test_the_log_wraps_to_the_room_there_is(root: Path) -> None:
    with live_run(root) as fake:
        fake.write(
            events.Log(
                level="warning", message="a warning of some words that needs more than one line when it is narrow"
            )
        )
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "! a warning of some words that needs more than one line when it")
            await pilot.resize_terminal(80, 24)
            await wait_for(pilot, lambda: "words that needs" not in seen(pilot), "the log is wrapped")
            await wait_to_see(pilot, "! a warning of some words")
            await pilot.resize_terminal(*LARGE)
            await wait_to_see(pilot, "! a warning of some words that needs more than one line when it")


async def test_a_run_that_cannot_be_read_is_said_and_read_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with live_run(root) as fake:
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running", "3/10")
            follower = run_screen(pilot).follower
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
