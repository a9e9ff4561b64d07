"""The guide a person sees once, before their first run: what this is, and the few keys to begin with."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from textual.content import Content

from tui_trainer.ui.words import MUTED

KEYS = (
    ("enter", "trains digits now, in seconds"),
    ("↑ ↓", "other presets, described here"),
    ("e", "changes settings first"),
    ("d", "data sets, and how to get them"),
    ("? ctrl+p", "every key, everything there is"),
    ("q", "leaves; training goes on, and"),
    ("", "tui-trainer shows it again"),
)


def page() -> Content:
    """A dozen lines, 44 cells at most."""
    lines = [
        Content.styled("Welcome to tui-trainer", "bold"),
        Content("It trains small neural networks, each in a"),
        Content("process of its own, while you watch."),
        Content(""),
        *(Content.assemble((f"{key:<10}", "bold $accent"), words) for key, words in KEYS),
        Content.styled("esc closes this; g brings it back", MUTED),
    ]
    return Content("\n").join(lines)


def is_wanted() -> bool:
    """Has this person never seen it?"""
    return not _mark().exists()


def remember() -> None:
    """It has been seen. A disk that refuses only means that it is shown again."""
    with suppress(OSError):
        _mark().parent.mkdir(parents=True, exist_ok=True)
        _mark().touch()


def _mark() -> Path:
    from platformdirs import user_state_path

    return user_state_path("tui-trainer") / "guide-seen"
