"""The panels of the run screen beside the charts: log, checkpoints, what came of a run."""

import json
import sys
from pathlib import Path

import pytest

from tests.dashboard import LARGE, FakeRun, live_run, open_on, screen_of, seen, wait_for, wait_for_screen, wait_to_see
from tui_trainer import session
from tui_trainer.runs import directory, events, follow, jobs
from tui_trainer.ui.notify import sequence
from tui_trainer.ui.screens.run import RunScreen
from tui_trainer.ui.settings import Settings
from tui_trainer.ui.widgets.checkpoints import CheckpointList, CheckpointPanel
from tui_trainer.ui.widgets.log import LogPanel


def say(fake: FakeRun, *messages: str, level: events.Level = "info") -> None:
    fake.write(*(events.Log(level=level, message=message) for message in messages))


async def test_the_log_shows_one_level_finds_words_and_stays_where_it_was_scrolled(root: Path) -> None:
    with live_run(root, trained=1) as fake:
        say(fake, *(f"line {number} of many" for number in range(30)))
        say(fake, "\x1b[31ma [bold]sorry[/] state\u202e", level="warning")
        async with open_on(fake).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "! [31ma [bold]sorry[/] state")
            await pilot.press("i")
            await wait_to_see(pilot, "warnings and errors only", "sorry")
            assert "line 29 of many" not in seen(pilot)
            await pilot.press("i")
            await wait_for(pilot, lambda: "sorry" not in seen(pilot), "errors only")
            await pilot.press("i")
            await wait_to_see(pilot, "line 29 of many")
            await pilot.press("slash")
            await wait_for(pilot, lambda: pilot.app.focused and pilot.app.focused.id == "log-search", "the search line")
            await pilot.press(*"line 1")
            await wait_to_see(pilot, "match 11 of 11", "line 19 of many")
            await pilot.press("enter")
            await wait_to_see(pilot, "match 1 of 11", "line 1 of many")
            await pilot.press("escape")
            await wait_for(pilot, lambda: "of 11" not in seen(pilot), "no search any more")
            log = screen_of(pilot, RunScreen).query_one(LogPanel)
            await wait_for(pilot, lambda: log.log_lines.has_focus, "the log has the keys")
            await pilot.press("home")
            say(fake, "a newer line")
            await wait_to_see(pilot, "↓ 1 new")
            await pilot.press("end")
            await wait_to_see(pilot, "a newer line")
            await wait_for(pilot, lambda: "↓ 1 new" not in seen(pilot), "the log follows")


RESULTS = {
    "check": {"bytes": 1 << 20},
    "evaluate": {"split": "test", "accuracy": 0.9, "loss": 0.25, "correct": 243, "examples": 270},
    "export": {"file": "there.pth", "keys": ["0.weight"]},
}


async def test_what_can_be_done_with_a_checkpoint(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def job(*arguments: str) -> list[str]:
        asked.append(arguments)
        return [sys.executable, "-c", f"print({json.dumps({'result': RESULTS[arguments[0]]})!r})"]

    monkeypatch.setattr(jobs, "worker_command", job)
    monkeypatch.chdir(tmp_path)
    fake = FakeRun(root, epochs=3).take().start().train(1, 2, 3)
    older, newest = fake.save(1), fake.save(3)
    fake.finish()
    async with open_on(fake).run_test(size=(160, 40)) as pilot:
        await wait_to_see(pilot, "✓ finished", "◆ e0003", "2 checkpoints, 2.0 MiB")
        await pilot.press("k")
        panel = screen_of(pilot, RunScreen).query_one(CheckpointPanel)
        listed = panel.query_one(CheckpointList)
        await wait_for(pilot, lambda: listed.has_focus, "the list has the keys")
        await pilot.press("d")
        await wait_to_see(pilot, "e0003-s000120: is the newest, from which the run goes on")
        await pilot.press("v")
        await wait_to_see(pilot, "e0003-s000120 is sound: all 1.0 MiB match its sha256")
        await pilot.press("e")
        await wait_for_screen(pilot, "AskScreen")
        await pilot.press("t")
        await wait_to_see(pilot, "on test: 90.00 %, loss 0.2500 (243 of 270)")
        await pilot.press("down")
        await wait_for(pilot, lambda: panel.chosen and panel.chosen.file == older.name, "the older one is chosen")
        await pilot.press("x")
        await wait_for_screen(pilot, "AskFileScreen")
        await pilot.press("enter")
        await wait_to_see(pilot, "e0001-s000040 written to there.pth")
        export = ("export", str(older), str(tmp_path / "digits-e0001-s000040.pth"), "")
        assert [words[0] for words in asked] == ["check", "evaluate", "export"]
        assert (asked[0][1], asked[2]) == (str(newest), export)
        await pilot.press("i")
        await wait_to_see(pilot, "◆⚑e0001", "e0001-s000040 stays until it is unpinned")
        await pilot.press("d")
        await wait_to_see(pilot, "e0001-s000040: is pinned")
        await pilot.press("i")
        await wait_to_see(pilot, "◆ e0001", "is no longer pinned")
        await pilot.press("d")
        await wait_for_screen(pilot, "AskScreen")
        await pilot.press("d")
        await wait_to_see(pilot, "deleted e0001-s000040", "1 checkpoint, 1.0 MiB")
        assert not older.exists()
        assert list(follow.load(fake.run).checkpoints) == [newest.name]


async def test_a_live_run_keeps_its_checkpoints_and_forks_from_the_chosen_one(root: Path) -> None:
    with live_run(root) as fake:
        fake.save(1)
        fake.save(3, "best")
        async with open_on(fake).run_test(size=(160, 40)) as pilot:
            await wait_to_see(pilot, "◆ e0001", "★ e0003", "2 checkpoints, 2.0 MiB")
            await pilot.press("k")
            listed = screen_of(pilot, RunScreen).query_one(CheckpointList)
            await wait_for(pilot, lambda: listed.has_focus, "the list has the keys")
            await pilot.press("down", "d")
            await wait_to_see(pilot, "e0001-s000040: belongs to the worker while the run lives")
            await pilot.press("f")
            await wait_to_see(pilot, "Fork of digits at e0001-s000040")


async def test_a_run_that_has_ended_is_summed_up_and_says_what_is_next(root: Path) -> None:
    fake = FakeRun(root, epochs=8).take().start().train(*range(1, 9))
    fake.save(8)
    fake.finish()
    child = directory.create(
        root,
        fake.config,
        "offspring",
        "",
        root,
        directory.Start(fake.run.id, next(fake.run.checkpoints.iterdir()), "continue"),
    )
    async with open_on(fake).run_test(size=LARGE) as pilot:
        await wait_to_see(
            pilot, "✓ finished", "verdict  still improving", "validation loss went from", "1 run: offspring"
        )
        await wait_to_see(pilot, "97.20 % final", "f fork", "b rewind", "c compare")
        assert "CPU" not in seen(pilot)
        await pilot.resize_terminal(80, 24)
        await wait_to_see(pilot, "verdict  still improving", "q leave")
        await pilot.press("k")
        await wait_to_see(pilot, "e0008")
    assert child.path.is_dir()


async def test_a_run_of_which_nothing_can_be_read_says_so(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeRun(root)
    app = open_on(fake)
    async with app.run_test(size=LARGE) as pilot:
        await wait_for_screen(pilot, "RunScreen")
        screen = screen_of(pilot, RunScreen)

        def refuse() -> bool:
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(screen.follower, "poll", refuse)
        await wait_to_see(pilot, "? unreadable", "cannot be read: ", "Input/output error")


async def test_the_end_of_a_watched_run_is_announced_as_the_person_wants_it(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TMUX", "STY"):
        monkeypatch.delenv(name, raising=False)
    fake = FakeRun(root, epochs=3).take().start().train(1, 2, 3)
    app = open_on(fake)
    app.settings = Settings(notify="both")
    written: list[str] = []
    async with app.run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "▶ running", "3/3")
        monkeypatch.setattr(app._driver, "write", written.append)
        fake.finish(0.9625)
        await wait_for(pilot, lambda: any("\x1b]9;" in words for words in written), "the notification")
    assert "\a\x1b]9;digits finished: test 96.25 %\a" in written


def test_a_notification_carries_no_foreign_sequences_and_passes_multiplexers() -> None:
    plain = sequence("osc9", "ended\x1b]52;c;x\a\u202e", {})
    assert plain == "\x1b]9;ended]52;c;x\a"
    assert sequence("osc9", "ended", {"TMUX": "there"}) == "\a\x1bPtmux;\x1b\x1b]9;ended\a\x1b\\"
    assert sequence("off", "ended", {"TMUX": "there"}) == ""


async def test_leaving_tells_what_would_end_the_training_then(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "warning", lambda: "training ends when you log out; to outlast it: systemd-run")
    with live_run(root) as fake:
        async with open_on(fake).run_test(size=(80, 24)) as pilot:
            await wait_to_see(pilot, "▶ running")
            await wait_for(pilot, lambda: screen_of(pilot, RunScreen).live, "the worker is seen")
            await pilot.press("q")
            await wait_to_see(pilot, "Leave digits?", "! training ends when you log out; to outlast it: systemd-run")
            assert "goes on unless" not in seen(pilot)
