"""How the dashboard writes things: state as glyph, word and colour; bars, sparklines, times of day."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from tui_trainer.text import unicode_terminal

# status → glyph, its ASCII stand-in, theme colour
STATUS = {
    "starting": ("◌", "~", "$text-accent"),
    "running": ("▶", ">", "$text-success"),
    "paused": ("‖", "=", "$text-warning"),
    "finished": ("✓", "v", "$text-success"),
    "stopped": ("■", "#", "$muted"),
    "failed": ("✗", "x", "$text-error"),
    "interrupted": ("!", "!", "$text-warning"),
    "unreadable": ("?", "?", "$text-error"),
}
# as above, of studies and of their rows
STUDY_STATUS = {
    "queued": ("◌", "~", "$text-accent"),
    "analysing": ("▶", ">", "$text-success"),
    "waiting": ("·", ".", "$muted"),
    "skipped": ("–", "-", "$muted"),
    "reproduced": ("✓", "v", "$text-success"),
    "holds": ("✓", "v", "$text-success"),
    "differs": ("✗", "x", "$text-error"),
    "does not hold": ("✗", "x", "$text-error"),
    "within seed noise": ("≈", "~", "$text-warning"),
    "not run": ("–", "-", "$muted"),
}
LEVELS = " ▁▂▃▄▅▆▇█"
MUTED = "$muted"
BEGAN = re.compile(r"^\d{4}-\d\d-\d\d-\d{6}-")  # of an id, before the name


def status(word: str) -> Content:
    """`▶ running` in its colour."""
    text, colour = marked(word)
    return Content.styled(text, f"bold {colour}")


def marked(word: str) -> tuple[str, str]:
    """A status behind its glyph, and its theme colour."""
    glyph, ascii_glyph, colour = (STATUS | STUDY_STATUS)[word]
    return f"{glyph if unicode_terminal() else ascii_glyph} {word}", colour


def bar(fraction: float, width: int) -> Content:
    """A progress bar of `width` cells."""
    full, empty = ("━", "─") if unicode_terminal() else ("#", "-")
    done = round(min(max(fraction, 0.0), 1.0) * width)
    return Content.assemble((full * done, "$accent"), (empty * (width - done), "$faint"))


def sparkline(values: Sequence[float], width: int, scale: tuple[float, float] | None = None) -> str:
    """The last values as one row of blocks, from their least to their greatest, or on a fixed `scale`.

    Empty with fewer than two.
    """
    if len(values) < 2 or not unicode_terminal():
        return ""
    shown = [values[i * len(values) // width] for i in range(width)] if len(values) > width else list(values)
    low, high = scale or (min(shown), max(shown))
    span = high - low or 1.0
    return "".join(LEVELS[1 + round((min(max(value, low), high) - low) / span * 7)] for value in shown)


def clock(moment: float) -> str:
    """The local time of day."""
    return time.strftime("%H:%M:%S", time.localtime(moment))


def age(seconds: float) -> str:
    """`12 s`, `3 min`, `2 h`, `5 days`."""
    for limit, unit, size in ((90, "s", 1), (5400, "min", 60), (129_600, "h", 3600)):
        if seconds < limit:
            return f"{max(0, round(seconds / size))} {unit}"
    return f"{round(seconds / 86_400)} days"


def ago(seconds: float) -> str:
    """`just now`, `12 s ago`, `3 min ago`, `2 h ago`, `5 days ago`."""
    return f"{age(seconds)} ago" if round(seconds) > 0 else "just now"


def shortened(name: str, width: int) -> str:
    """`name` in so many cells, without its middle where it is longer: seeds and rows of one study differ at the end."""
    if cell_len(name) <= width:
        return name
    end = name
    while cell_len(end) > width // 2:
        end = end[1:]
    return f"{set_cell_size(name, max(width - 1 - cell_len(end), 0))}…{end}"


def without_moment(id: str) -> str:
    """What of a run's id tells it from others at one glance: `digits-7f3a`."""
    return BEGAN.sub("", id)


def choice(key: str, name: str, words: str) -> Content:
    """One line of a menu: its key, what it does, and more about it."""
    return Content.assemble((f" {key:<5}", "bold $accent"), f"{name:<21}" if words else name, (words, MUTED))
