"""Home: presets to start, runs to open, and a plain word where something cannot be."""

from dataclasses import replace
from pathlib import Path

import pytest
from rich.style import Style
from textual.widgets import Input

from tests.dashboard import (
    LARGE,
    FakeRun,
    launcher_of,
    live_run,
    make_app,
    screen_of,
    seen,
    wait_for,
    wait_for_screen,
    wait_to_see,
)
from tui_trainer import machine, presets
from tui_trainer.runs.directory import Run, list_runs, read_record
from tui_trainer.runs.listing import Summary
from tui_trainer.studies.catalogue import Definition
from tui_trainer.ui.describe import expected
from tui_trainer.ui.screens import home
from tui_trainer.ui.screens.home import HomeScreen
from tui_trainer.ui.screens.run import RunScreen
from tui_trainer.ui.widgets.machine import look
from tui_trainer.ui.widgets.presets import INDENT, PresetTree
from tui_trainer.ui.widgets.runs import RunList, row


async def test_first_use_says_what_to_do(root: Path) -> None:
    async with make_app(root).run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "No runs yet", "digits", "8,970 parameters", "adam  lr 0.001")


async def test_the_device_is_in_the_header(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "devices", lambda: [machine.Device("cuda", "NVIDIA H200", 1)])
    async with make_app(root).run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "cuda:1 NVIDIA H200")


async def test_enter_starts_the_highlighted_preset_as_it_is(root: Path) -> None:
    app = make_app(root)
    async with app.run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "64-64-64-10")
        await pilot.press("enter")
        await wait_for_screen(pilot, "RunScreen")
        (run,) = list_runs(root)
        assert launcher_of(app).started == [run]
        record = read_record(run)
        assert record.config == presets.load("digits").config
        assert (record.name, record.preset) == ("digits", "digits")


async def test_absent_data_is_said_with_its_remedy_and_nothing_is_made(root: Path) -> None:
    app = make_app(root)
    async with app.run_test(size=LARGE) as pilot:
        await pilot.press(*["down"] * 5)
        await wait_to_see(pilot, "setting 2", "784-200-200-200-10", "validation is the test set", "data fetch mnist")
        await pilot.press("enter")
        await wait_for(pilot, lambda: len(app._notifications), "a refusal")
        assert "tui-trainer data fetch mnist" in next(iter(app._notifications)).message
        assert launcher_of(app).started == []
        assert list(list_runs(root)) == []


async def test_a_worker_that_cannot_start_leaves_no_run(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tui_trainer.text import InputError

    app = make_app(root)

    def refuse(*_: object) -> None:
        raise InputError("no worker could be started: no more processes")

    monkeypatch.setattr(app.launcher, "start", refuse)
    async with app.run_test(size=LARGE) as pilot:
        await pilot.press("enter")
        await wait_for(pilot, lambda: len(app._notifications), "a refusal")
        assert list(list_runs(root)) == []


async def test_runs_are_listed_with_state_progress_and_accuracy(root: Path) -> None:
    FakeRun(root, epochs=5, name="over").take().start().train(1, 2, 3, 4, 5).finish(0.972)
    FakeRun(root, epochs=50, name="cut").start().train(1, 2)
    with live_run(root, epochs=9, trained=4):
        async with make_app(root).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "running", "finished", "interrupted")
            lines = seen(pilot).splitlines()
            running = next(line for line in lines if "▶ running" in line)
            assert "4/9" in running
            assert "val   90.40 %" in running
            assert "left" in running
            finished = next(line for line in lines if "✓ finished" in line)
            assert "5/5" in finished
            assert "test  97.20 %" in finished
            assert "r resume" in next(line for line in lines if "! interrupted" in line)


async def test_names_have_the_room_that_no_time_left_needs(root: Path) -> None:
    for seed in (1, 2):
        FakeRun(root, epochs=2, name=f"lr-0.0001-seed-{seed}").take().start().train(1, 2).finish()
    async with make_app(root).run_test(size=(80, 24)) as pilot:
        await wait_to_see(pilot, "lr-0.0001-seed-1", "lr-0.0001-seed-2")
        with live_run(root):
            await wait_to_see(pilot, "▶ running", " left", "lr-0.…eed-1")


async def test_a_live_run_is_kept_up_to_date(root: Path) -> None:
    with live_run(root, epochs=9, trained=4) as fake:
        async with make_app(root).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "4/9")
            fake.train(5)
            await wait_to_see(pilot, "5/9")


@pytest.mark.parametrize("width", [75, 78, 140])
def test_lines_of_short_and_long_trainings_are_aligned(tmp_path: Path, width: int) -> None:
    few, many = (
        row(Summary(Run(tmp_path), "digits", "interrupted", "", 3, epochs, 0.9), width).plain for epochs in (24, 2000)
    )
    assert few.index("val ") == many.index("val ")
    assert few.endswith("r resume") and many.endswith("r resume")


async def test_enter_opens_a_run(root: Path) -> None:
    fake = FakeRun(root, epochs=2, name="over").take().start().train(1, 2).finish()
    app = make_app(root)
    async with app.run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "✓ finished")
        await pilot.press("tab", "enter")
        await wait_for_screen(pilot, "RunScreen")
        assert isinstance(app.screen, RunScreen)
        assert app.screen.run_directory == fake.run
        assert launcher_of(app).started == []


async def test_r_resumes_what_was_interrupted_and_nothing_else(root: Path) -> None:
    FakeRun(root, epochs=2, name="over").take().start().train(1, 2).finish()
    app = make_app(root)
    async with app.run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "✓ finished")
        await pilot.press("tab", "r")
        await wait_for(pilot, lambda: len(app._notifications), "a refusal")
        assert launcher_of(app).started == []
        cut = FakeRun(root, epochs=5, name="cut").start().train(1)
        await wait_to_see(pilot, "! interrupted")
        newest = app.screen.query_one(RunList).summaries[0]
        await pilot.press("up" if isinstance(newest, Summary) and newest.run == cut.run else "down", "r")
        await wait_for_screen(pilot, "RunScreen")
        assert launcher_of(app).started == [cut.run]


async def test_a_damaged_run_is_listed_as_unreadable(root: Path) -> None:
    FakeRun(root).run.config_file.write_text("[run]\nformat = 999\n")
    async with make_app(root).run_test(size=(80, 24)) as pilot:
        await wait_to_see(pilot, "? unreadable")
        line = next(line for line in seen(pilot).splitlines() if "? unreadable" in line)
        assert "digits-" in line and "config.toml: run.format: 999 is newer than " in line
        await pilot.press("tab", "enter")
        await wait_for(pilot, lambda: len(pilot.app._notifications), "the reason")
        assert "newer" in next(iter(pilot.app._notifications)).message
        assert type(pilot.app.screen).__name__ == "HomeScreen"


async def test_problems_in_presets_are_shown(root: Path) -> None:
    own = presets.own_folder()
    own.mkdir(parents=True, exist_ok=True)
    bad = own / "spoiled.toml"
    bad.write_text("[training]\nepochz = 3\n")
    try:
        async with make_app(root).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "! 1 problem in presets")
            await pilot.press("end")
            await wait_to_see(pilot, "epochz", "spoiled")
    finally:
        bad.unlink()


async def test_the_filter_narrows_the_presets_and_hotkeys_sleep_while_typing(root: Path) -> None:
    app = make_app(root)
    async with app.run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "setting-1", "▸ lab-report")
        assert "128-128-tanh" not in seen(pilot)
        await pilot.press("slash", *"128 tanhq")
        assert app.screen.query_one("#filter", Input).value == "128 tanhq"
        await wait_to_see(pilot, "no preset has these words")
        await pilot.press("backspace", "enter")
        await wait_to_see(pilot, "▾ lab-report", "128-128-tanh")
        assert "setting-1" not in seen(pilot)
        highlighted = app.screen.query_one(PresetTree).preset
        assert highlighted is not None
        assert highlighted.name == "lab-report/128-128-tanh"
        await pilot.press("escape")
        await wait_to_see(pilot, "setting-1", "▸ lab-report")
        assert "128-128-tanh" not in seen(pilot)


async def test_folders_open_and_close(root: Path) -> None:
    async with make_app(root).run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "▸ batch-size", "▾ evaluation-report")
        tree = pilot.app.screen.query_one(PresetTree)
        await pilot.press("down", "enter")
        await wait_to_see(pilot, "▾ batch-size", "four-layer")
        assert list(list_runs(root)) == []
        await pilot.press("space")
        await wait_for(pilot, lambda: "▸ batch-size" in seen(pilot), "it is closed")
        await pilot.press("right", "right")
        await wait_for(pilot, lambda: tree.node and isinstance(tree.node.data, Definition), "its first line, a study")
        await pilot.press("left", "left")
        await wait_to_see(pilot, "▸ batch-size", "3 presets · 2 studies")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_names_and_optimizers_never_touch(root: Path, size: tuple[int, int]) -> None:
    async with make_app(root).run_test(size=size) as pilot:
        await wait_to_see(pilot, "digits")
        tree = pilot.app.screen.query_one(PresetTree)
        width = tree.size.width - 1
        for node in (child for folder in tree.root.children for child in folder.children):
            label = tree.render_label(node, Style(), Style())
            assert label.cell_len <= width - INDENT
            name = str(node.label)
            assert label.plain.endswith("…") or label.plain.startswith((f"{name} ", f" {name} ")) or label.plain == name


async def test_foreign_names_are_shown_literally(root: Path) -> None:
    fake = FakeRun(root)
    text = fake.run.config_file.read_text().replace('name = "digits"', 'name = "[red]x[/][@click=app.exit]"', 1)
    fake.run.config_file.write_text(text)
    async with make_app(root).run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "[red]….exit]")


@pytest.mark.parametrize("size", [(80, 24), (20, 5), (200, 60)])
async def test_home_is_usable_at_every_size(root: Path, size: tuple[int, int]) -> None:
    app = make_app(root)
    async with app.run_test(size=size) as pilot:
        await wait_to_see(pilot, "digits")
        await pilot.press("enter")
        await wait_for_screen(pilot, "RunScreen")


async def test_q_leaves_at_once_where_no_run_is_open(root: Path) -> None:
    app = make_app(root)
    with live_run(root) as fake:
        async with app.run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "▶ running")
            await pilot.press("q")
            await wait_for(pilot, lambda: app._exit, "the app has left")
        assert fake.commands == []


async def test_what_lives_comes_first_then_what_can_be_resumed(root: Path) -> None:
    FakeRun(root, epochs=5, name="cut").start().train(1)
    with live_run(root, epochs=9, trained=4):
        FakeRun(root, epochs=5, name="over").take().start().train(1, 2, 3, 4, 5).finish()
        async with make_app(root).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "running", "interrupted", "finished")
            listed = pilot.app.screen.query_one(RunList).summaries
            assert [summary.status for summary in listed] == ["running", "interrupted", "finished"]
            await wait_to_see(pilot, "━", "4/9", "Machine", "GiB free", "✗ kmnist", "d shows")


async def test_home_without_runs_sends_nothing_while_nothing_changes(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "devices", lambda: [machine.Device("cpu", "a processor", cores=2)])
    monkeypatch.setattr(home, "look", lambda *roots: replace(look(*roots), disk_free=None))
    app = make_app(root)
    async with app.run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "No runs yet", "a processor · 2 cores", "fetches them")
        screen = screen_of(pilot, HomeScreen)
        await pilot.pause()
        painted: list[object] = []
        monkeypatch.setattr(app, "_display", lambda _, what: painted.append(what))
        read: list[object] = []
        monkeypatch.setattr(screen.query_one(RunList), "show", read.append)
        for _ in range(20):  # the first paint may still be on its way
            painted.clear()
            read.clear()
            screen.look_around()
            screen.read_runs()
            await wait_for(pilot, lambda: read, "the runs were read again")
            await pilot.pause()
            if not painted:
                break
        assert painted == []


async def test_the_guide_is_shown_once_and_takes_no_key_away(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    async with make_app(root).run_test(size=(80, 24)) as pilot:
        await wait_to_see(pilot, "Welcome to tui-trainer", "g brings it back")
        await pilot.press("escape")
        await wait_to_see(pilot, "8,970 parameters")
        await pilot.press("g")
        await wait_to_see(pilot, "Welcome")
        await pilot.press("enter")
        await wait_for_screen(pilot, "RunScreen")
    async with make_app(root).run_test(size=(80, 24)) as pilot:
        await wait_to_see(pilot, "8,970 parameters")


async def test_c_copies_the_command_of_a_preset(root: Path) -> None:
    app = make_app(root)
    async with app.run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "8,970 parameters")
        await pilot.press("c")
        await wait_for(pilot, lambda: app.clipboard, "something is copied")
        assert app.clipboard == f"tui-trainer train digits --runs {root} --data {root / 'no-data'}"
        assert next(iter(app._notifications)).message == app.clipboard


async def test_u_chooses_the_gpu_that_new_runs_go_to(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cards = [machine.Device("cuda", "NVIDIA A100", n, uuid=f"GPU-{n}") for n in range(2)]
    monkeypatch.setattr(machine, "devices", lambda: cards)
    monkeypatch.setattr(machine, "visible", lambda: cards)
    app = make_app(root)
    async with app.run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "go to the GPU with the most free memory")
        for uuid, words in (("GPU-0", "go to cuda:0"), ("GPU-1", "go to cuda:1"), ("", "most free memory")):
            await pilot.press("u")
            await wait_to_see(pilot, words)
            assert app.launcher.gpu == uuid


@pytest.mark.parametrize(
    ("words", "promise"),
    [
        ("About 98 % on test.", "98 %"),
        ("Plain loops: 95.2–95.7 % on test. Ours: 94 %.", "95.2–95.7 %"),
        ("Printed accuracy on train, dev and test: 33.28, 40.28 and 40.99 %.", "40.99 %"),
        ("Train accuracy 80 %, validation falls.", ""),
    ],
)
def test_the_promise_of_a_preset_is_its_test_accuracy(words: str, promise: str) -> None:
    assert expected(words) == promise
