"""The looks of the dashboard: contrast, no colours, no glyphs."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from rich.segment import Segment
from textual import _time
from textual.color import Color
from textual.theme import Theme

from tests.dashboard import LARGE, FakeRun, make_app, open_on, seen, wait_for, wait_to_see
from tui_trainer.runs.events import Log
from tui_trainer.ui import settings, themes
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.settings import Settings


def contrast(one: str, other: str) -> float:
    """Of WCAG 2, from 1 to 21."""
    light, dark = sorted((_luminance(Color.parse(one)), _luminance(Color.parse(other))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Color) -> float:
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def test_every_theme_of_the_settings_is_there() -> None:
    assert tuple(theme.name for theme in themes.THEMES) == settings.THEMES


@pytest.mark.parametrize("theme", themes.THEMES, ids=lambda theme: theme.name)
def test_text_and_curves_stand_out_from_the_background(theme: Theme) -> None:
    colours, shades = theme.variables, theme.to_color_system().generate()
    states = [shades[f"text-{state}"] for state in ("accent", "success", "warning", "error")]
    words = [theme.foreground, theme.accent, colours["muted"], *states]
    curves = [colour for name, colour in colours.items() if name != "faint"]
    least = 7.0 if "contrast" in theme.name else 4.5
    for ground, colour in itertools.product((theme.background, theme.panel), words):
        assert ground and colour
        assert contrast(colour, ground) >= (least if ground == theme.background else 4.5), (colour, ground)
    assert theme.background
    assert {colour: contrast(colour, theme.background) >= 3.0 for colour in curves} == dict.fromkeys(curves, True)


def written(app: TrainerApp) -> list[Segment]:
    return [segment for strip in app.screen._compositor.render_strips() for segment in strip]


async def test_without_colours_only_the_terminals_own_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = open_on(FakeRun(tmp_path).start().train(1, 2).finish())
    async with app.run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "✓ finished", "epoch")
        assert app.theme == themes.MONO.name
        coloured = [s for s in written(app) if s.style and (s.style.color or s.style.bgcolor)]
        assert coloured == []
        await pilot.press("question_mark")
        await wait_to_see(pilot, "esc closes")
        assert {"┌", "┘"} <= set(seen(pilot))  # a dialog is told from what lies behind it


async def test_every_screen_can_be_drawn_in_ascii(tmp_path: Path) -> None:
    fake = FakeRun(tmp_path).start().train(1, 2).write(Log(level="info", message="naïve 日本"))
    app = open_on(fake.finish())
    app.settings = Settings(ascii="on")
    app.take_looks()
    async with app.run_test(size=LARGE) as pilot:
        await wait_to_see(pilot, "v finished", "epoch", "naive ????")
        assert seen(pilot).isascii()
        assert {len(line) for line in seen(pilot).splitlines()} == {LARGE[0]}


async def test_a_new_size_arrives_though_the_process_was_held_up(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at textual's clock comes 20 ms after the one before: its timers of less do not fire once."""
    async with make_app(root).run_test(size=(30, 10)) as pilot:
        await wait_to_see(pilot, "digits")
        looks, now = itertools.count(), _time.get_time
        monkeypatch.setattr(_time, "get_time", lambda: now() + 0.02 * next(looks))
        await pilot.resize_terminal(*LARGE)
        await wait_for(pilot, lambda: pilot.app.screen.has_class("-wide"), "the layout of the new size")
