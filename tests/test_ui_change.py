"""Changes of a live run, forks, and what the charts show of both."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.dashboard import (
    LARGE,
    FakeRun,
    launcher_of,
    live_run,
    make_app,
    seen,
    wait_for,
    wait_for_screen,
    wait_to_see,
)
from tui_trainer.config import change
from tui_trainer.runs import events
from tui_trainer.runs.commands import Set
from tui_trainer.runs.directory import list_runs, read_record
from tui_trainer.ui.widgets.chart import Chart


def drawn(pilot: Pilot[str], chart: str) -> str:
    rows = pilot.app.screen.query_one(f"#{chart}", Chart).rows
    return "\n".join("".join(text for text, _ in row) for row in rows)


async def open_change(pilot: Pilot[str]) -> None:
    await wait_to_see(pilot, "l change")
    await pilot.press("l")
    await wait_for_screen(pilot, "ChangeScreen")
    await wait_to_see(pilot, "needs a fork", "Step size of each update", "higher ↑")


async def test_a_change_is_sent_and_believed_when_the_worker_confirms(root: Path) -> None:
    with live_run(root) as fake:
        async with make_app(root, fake.run).run_test(size=LARGE) as pilot:
            await open_change(pilot)
            await pilot.press("enter", "home", "ctrl+k", *"x")
            await wait_to_see(pilot, "'x' is not a number")
            await pilot.press("enter")
            assert fake.commands == []
            await pilot.press("backspace", *"0.0005")
            await wait_to_see(pilot, "• was 0.001")
            await pilot.press("enter")
            await wait_to_see(pilot, "changing optimizer.learning_rate…")
            (command,) = fake.commands
            assert isinstance(command, Set)
            assert command.changes == {"optimizer.learning_rate": 0.0005}
            fake.acknowledge(message="optimizer.learning_rate = 0.0005")
            await wait_to_see(pilot, "✓ optimizer.learning_rate = 0.0005, after step 40")
            await pilot.press("escape")
            await wait_to_see(pilot, "▲ changed")
            await wait_for(pilot, lambda: "▲" in drawn(pilot, "loss").partition("\n")[2], "the mark on the chart")


async def test_a_refused_change_says_why_and_bounds_are_the_configs(root: Path) -> None:
    with live_run(root) as fake:
        async with make_app(root, fake.run).run_test(size=(80, 24)) as pilot:
            await open_narrow(pilot)
            await pilot.press("enter", "home", "ctrl+k", *"1000")
            await wait_to_see(pilot, "above the most allowed")
            await pilot.press("home", "ctrl+k", *"0.1", "enter")
            await wait_to_see(pilot, "changing")
            fake.acknowledge(ok=False, message="not now")
            await wait_to_see(pilot, "! not now")
            assert "▲" not in seen(pilot)


async def open_narrow(pilot: Pilot[str]) -> None:
    await wait_to_see(pilot, "l change")
    await pilot.press("l")
    await wait_to_see(pilot, "Step size of each update")


async def test_what_cannot_change_live_offers_a_fork(root: Path) -> None:
    with live_run(root, epochs=20) as fake:
        saved = fake.save(3)
        app = make_app(root, fake.run)
        async with app.run_test(size=LARGE) as pilot:
            await open_change(pilot)
            await pilot.press("end")
            await wait_to_see(pilot, "f forks it")
            await pilot.press("f")
            await wait_for_screen(pilot, "FormScreen")
            await wait_to_see(pilot, "Fork of digits at e0003-s000120", "last seconds")  # near the epochs, scrolled to
            assert pilot.app.screen.query_one("#field-training-epochs").has_focus_within
            editor = pilot.app.screen.query_one("#field-network-dropout Input", Input)
            editor.focus()
            editor.value = "0.5"
            await wait_to_see(pilot, "• was 0.0")
            await pilot.press("ctrl+s")
            await wait_for_screen(pilot, "RunScreen")
            (forked,) = (run for run in list_runs(root) if run != fake.run)
            assert launcher_of(app).started == [forked]
            record = read_record(forked)
            assert record.config == change(fake.config, {"network.dropout": (0.5,)})
            assert record.name == "digits-fork"
            assert record.start is not None
            assert (record.start.parent, record.start.mode) == (fake.run.id, "continue")
            assert forked.start_file.read_bytes() == saved.read_bytes()
            assert fake.commands == []


async def test_a_fork_needs_a_checkpoint_and_epochs_left(root: Path) -> None:
    fake = FakeRun(root, epochs=3).take().start().train(1, 2, 3)
    saved = fake.save(3)
    fake.finish()
    app = make_app(root, fake.run)
    async with app.run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "✓ finished", "f fork")
        await pilot.press("f")
        await wait_to_see(pilot, "the checkpoint is at epoch 3; give more")
        await pilot.press("escape")
        await wait_for_screen(pilot, "HomeScreen")
        await pilot.press("tab", "enter")
        await wait_to_see(pilot, "f fork")
        saved.unlink()
        await pilot.press("f")
        await wait_for(pilot, lambda: app._notifications, "the refusal")
        assert "no checkpoint on disk" in next(iter(app._notifications)).message
        assert type(app.screen).__name__ == "RunScreen"


async def test_the_learning_rate_is_the_next_chart(root: Path) -> None:
    with live_run(root) as fake:
        async with make_app(root, fake.run).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "accuracy %")
            assert "learning rate" not in seen(pilot)
            await pilot.press("right_square_bracket", "right_square_bracket")
            await wait_to_see(pilot, "learning rate", "accuracy %", "1e-3┤")
            await pilot.press("left_square_bracket", "left_square_bracket")
            await wait_for(pilot, lambda: "learning rate" not in seen(pilot), "the loss again")


async def test_two_inputs_show_their_decision_boundary(root: Path) -> None:
    with live_run(root, preset="xor/xor-mlp") as fake:
        async with make_app(root, fake.run).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "decision boundary", "drawn after the first epoch")
            fake.bound(4)
            await wait_to_see(pilot, "epoch 4", "● class 0", "▲ class 1", "-1.00", "2.00", "1.50", "-0.50")
            chart = pilot.app.screen.query_one("#boundary", Chart)
            cells = [piece for row in chart.rows[1:-1] for piece in row]
            assert {"area0", "area1", "area0+point0", "area1+point1"} <= {style for _, style in cells}
            assert {"".join(set(text)) for text, style in cells if style == "area0"} == {" "}
            assert {"".join(set(text)) for text, style in cells if style == "area1"} == {"·"}


@pytest.mark.parametrize("rows", [[], [""], ["\x1b" * 9], ["0"] * 1000, ["é漢"]], ids=range(5))
@pytest.mark.parametrize("edge", [-1.0, 1.7e308], ids=str)
async def test_a_boundary_that_no_worker_wrote_harms_nobody(rows: list[str], edge: float, root: Path) -> None:
    points = [(1e308, -1e308, 3), (0.0, 0.0, -(2**60))]
    edges = {"left": -edge, "right": edge, "bottom": edge, "top": -edge}
    with live_run(root, preset="xor/xor-mlp") as fake:
        fake.write(events.Boundary(epoch=4, step=4, rows=rows, points=points, **edges))
        fake.train(4)
        async with make_app(root, fake.run).run_test(size=LARGE) as pilot:
            await wait_to_see(pilot, "decision boundary", "4/10")
            await pilot.resize_terminal(80, 24)
            await pilot.press("right_square_bracket")
            await wait_to_see(pilot, "decision boundary")


async def test_early_stopping_and_the_parent_are_in_the_result(root: Path) -> None:
    fake = FakeRun(root, epochs=3).take().start().train(1, 2, 3)
    text = fake.run.config_file.read_text()
    fake.run.config_file.write_text(text.replace("[run]\n", '[run]\nparent = "the-parent"\nstart = "continue"\n', 1))
    fake.write(events.EarlyStop(epoch=3, best_epoch=1, metric="val_loss"))
    fake.finish()
    async with make_app(root, fake.run).run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "early stop @3", "fork of the-parent", "■ early stop")
        await wait_for(pilot, lambda: "■" in drawn(pilot, "loss").partition("\n")[2], "its mark on the chart")
