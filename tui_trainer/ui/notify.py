"""Tell a person who looks elsewhere that something has ended: the terminal's bell, or a notification of the desktop."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from textual.app import App

from tui_trainer.text import clean, in_ascii, unicode_terminal

LIMIT = 200  # characters of a notification
BELL = "\a"


def announce(app: App[Any], words: str) -> None:
    """In the way the person has chosen; not at all unless they have."""
    written = sequence(getattr(getattr(app, "settings", None), "notify", "off"), words)
    if written and app._driver:
        app._driver.write(written)
        app._driver.flush()


def sequence(how: str, words: str, environment: Mapping[str, str] = os.environ) -> str:
    """What to write to the terminal; `how` is the setting `notify`: off, bell, osc9 or both.

    A notification is OSC 9, handed through where a multiplexer lies in between. tmux may be set to swallow it, so the
    bell, which it passes on, goes with it there.
    """
    if how not in ("bell", "osc9", "both"):
        return ""
    said = clean(words, LIMIT) if unicode_terminal() else in_ascii(clean(words, LIMIT))
    notification = f"\x1b]9;{said}\a"
    through = notification
    if environment.get("TMUX"):
        through = f"\x1bPtmux;{notification.replace(chr(27), 2 * chr(27))}\x1b\\"
    elif environment.get("STY"):  # screen
        through = f"\x1bP{notification}\x1b\\"
    wants_bell = how in ("bell", "both") or "TMUX" in environment
    return (BELL if wants_bell else "") + (through if how in ("osc9", "both") else "")
