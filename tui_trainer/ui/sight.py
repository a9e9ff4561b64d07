"""Is a screen seen, and how often may it be painted? One below another is not, unless only a dialogue covers it."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.screen import ModalScreen, Screen

REPAINT_SECONDS, SLOW_SECONDS = 0.5, 2.0  # the second where the terminal is far away


def repaint_seconds(app: App[Any]) -> float:
    """Between two pictures of what trains."""
    return SLOW_SECONDS if getattr(app, "slow_link", False) else REPAINT_SECONDS


def in_sight(screen: Screen[Any]) -> bool:
    """Textual's `is_current` holds for a screen that lies covered, too."""
    pages = [page for page in screen.app.screen_stack if not isinstance(page, ModalScreen)]
    return bool(pages) and pages[-1] is screen
