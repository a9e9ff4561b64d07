"""Back over a run's epochs, a fork from one of them, and other runs drawn over its charts."""

from pathlib import Path

from textual.widgets import OptionList

from tests.dashboard import LARGE, FakeRun, open_on, screen_of, seen, wait_for, wait_for_screen, wait_to_see
from tui_trainer.runs import events
from tui_trainer.ui.screens.form import FormScreen
from tui_trainer.ui.screens.rewind import RewindScreen
from tui_trainer.ui.screens.run import RunScreen
from tui_trainer.ui.widgets.scrubber import Scrubber


def finished(root: Path, name: str = "", accuracy: float = 0.9) -> FakeRun:
    """Six epochs, a checkpoint after the second and a live change after the fourth."""
    fake = FakeRun(root, epochs=6, name=name).take().start().train(1, 2, accuracy=accuracy)
    fake.save(2)
    fake.train(3, 4, accuracy=accuracy)
    changes = {"optimizer.learning_rate": 0.25}
    fake.write(events.Applied(id="1", command="set", epoch=4, step=4 * fake.steps, changes=changes))
    return fake.train(5, 6, accuracy=accuracy).finish()


async def test_an_epoch_is_looked_at_again_and_forked(root: Path) -> None:
    app = open_on(finished(root))
    async with app.run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "✓ finished")
        await pilot.press("b")
        await wait_for_screen(pilot, "RewindScreen")
        await wait_to_see(
            pilot, "epoch 6/6", "train 0.1667 val 0.2000", "gap +0.0333", "optimizer.learning_rate = 0.25 @4"
        )
        scrubber = pilot.app.screen.query_one(Scrubber)
        line = seen(pilot).splitlines()[1]
        assert line.startswith(" epoch 1 ━") and line.rstrip().endswith("┃ 6")
        await pilot.click(scrubber, offset=(line.index("━"), 0))
        await wait_to_see(pilot, "epoch 1/6", "no checkpoint until here", "checkpoints.every_epochs = 1")
        await pilot.press("f")
        await wait_for(pilot, lambda: app._notifications, "that no fork is possible")
        await pilot.press("right", "right")
        await wait_to_see(pilot, "epoch 3/6", "f forks from epoch 2", "no live changes until here", "epoch 3.00")
        charts = screen_of(pilot, RewindScreen).charts
        loss = charts.chart("loss").rows
        assert any(style == "later" for row in loss for _, style in row)
        await pilot.press("f")
        await wait_for_screen(pilot, "FormScreen")
        fork = screen_of(pilot, FormScreen).fork
        assert fork is not None
        assert fork.epoch == 2
        await wait_for(pilot, lambda: "0.25" not in seen(pilot), "the settings of that moment")


async def test_a_forks_parent_is_called_by_its_name(root: Path) -> None:
    fake, parent = finished(root), "2026-11-20-143000-parent-7f3a"
    text = fake.run.config_file.read_text()
    fake.run.config_file.write_text(text.replace("[run]\n", f'[run]\nparent = "{parent}"\nstart = "continue"\n'))
    async with open_on(fake).run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "✓ finished", "fork of parent-7f3a")
        await pilot.press("b")
        await wait_for_screen(pilot, "RewindScreen")
        await wait_to_see(pilot, "epoch 6/6", "fork of parent-7f3a")


async def test_other_runs_are_drawn_over_this_one(root: Path) -> None:
    for name in ("wide", "deep"):
        finished(root, name, accuracy=0.5)
    async with open_on(finished(root, "mine")).run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "✓ finished")
        await pilot.press("o")
        await wait_for_screen(pilot, "OthersScreen")
        await wait_to_see(pilot, "wide", "deep", "space mark")
        await pilot.press("slash", *"wide")
        await wait_for(pilot, lambda: "deep" not in seen(pilot), "only what fits the filter")
        await pilot.press("enter")
        await wait_for(pilot, lambda: pilot.app.screen.query_one(OptionList).has_focus, "the list")
        await pilot.press("space")
        await wait_to_see(pilot, "○ wide")
        await pilot.press("enter")
        await wait_for_screen(pilot, "RunScreen")
        await wait_to_see(pilot, "⠒○⠒ wide")
        rows = screen_of(pilot, RunScreen).charts.chart("accuracy").rows
        assert any("○" in text and style == "series2" for row in rows[1:] for text, style in row)
