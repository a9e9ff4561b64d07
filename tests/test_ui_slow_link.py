"""Over a slow link what trains is looked at as often, and painted less often."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.dashboard import LARGE, FakeRun, live_run, make_app, open_on, seen, wait_for, wait_to_see
from tests.studies import live_study
from tui_trainer.ui import sight
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.screens.compare import CompareScreen
from tui_trainer.ui.screens.run import RunScreen
from tui_trainer.ui.screens.study_view import StudyView
from tui_trainer.ui.settings import Settings


class Place(NamedTuple):
    """Where the app opens, keys from there, and what is seen before and after `train` trained an epoch more."""

    app: TrainerApp
    keys: list[str]
    before: tuple[str, ...]
    after: str
    train: Callable[[], object]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def run(root: Path, stack: ExitStack) -> Place:
    fake = stack.enter_context(live_run(root, trained=3))
    return Place(open_on(fake), [], ("▶ running", "3/10"), "4/10", lambda: fake.train(4))


def study(root: Path, stack: ExitStack) -> Place:
    study = stack.enter_context(live_study(root))
    fake = study.begin("fast").train(1, 2, 3)
    return Place(make_app(root, study.directory), [], ("Three rates", "3/10"), "4/10", lambda: fake.train(4))


def compare(root: Path, stack: ExitStack) -> Place:
    FakeRun(root, name="over").start().train(1).finish()
    fake = stack.enter_context(live_run(root, trained=3))
    keys = ["tab", "space", "space", "c"]
    return Place(make_app(root), keys, ("Compare 2 runs", "90.30 %"), "90.40 %", lambda: fake.train(4))


@pytest.mark.parametrize("place", [run, study, compare])
async def test_what_trains_is_painted_when_it_is_due(
    place: Callable[[Path, ExitStack], Place], root: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = place(root, stack)
    opened.app.settings = Settings(slow_link="on")
    monkeypatch.setattr(sight, "SLOW_SECONDS", 3600.0)
    async with opened.app.run_test(size=LARGE) as pilot:
        if opened.keys:
            await wait_to_see(pilot, "▶ running", "✓ finished")
            await pilot.press(*opened.keys)
        await wait_to_see(pilot, *opened.before)
        screen = opened.app.screen
        assert isinstance(screen, RunScreen | StudyView | CompareScreen)
        opened.train()
        until = screen.ticks + 4  # at any other link it is painted at the second
        await wait_for(pilot, lambda: screen.ticks >= until, "looks at what is new")
        assert opened.after not in seen(pilot)
        monkeypatch.setattr(sight, "SLOW_SECONDS", sight.REPAINT_SECONDS)
        await wait_to_see(pilot, opened.after)
