"""Is a screen seen? One below another is not, unless only a dialogue covers it."""

from __future__ import annotations

from typing import Any

from textual.screen import ModalScreen, Screen


def in_sight(screen: Screen[Any]) -> bool:
    """Textual's `is_current` holds for a screen that lies covered, too."""
    pages = [page for page in screen.app.screen_stack if not isinstance(page, ModalScreen)]
    return bool(pages) and pages[-1] is screen
