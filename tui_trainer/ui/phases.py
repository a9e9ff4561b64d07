"""Where the time of a run went: shares of training, evaluation and saving, as words and as a bar."""

from __future__ import annotations

from textual.content import Content

from tui_trainer.runs.state import RunState
from tui_trainer.text import unicode_terminal
from tui_trainer.ui.words import MUTED

# name, short name, glyph of the bar, its ASCII stand-in, theme colour
PHASES = (
    ("train", "train", "█", "#", "$train"),
    ("evaluate", "eval", "▒", "=", "$validation"),
    ("save", "save", "░", ".", "$saved"),
)
LABEL = 11  # cells before a bar
Shares = tuple[float, ...]


def shares(state: RunState) -> tuple[Shares, Shares] | None:
    """Of each phase since the start, and in the last epoch; None before the first has ended."""
    done = state.epochs_done
    if not done:
        return None
    spent = [(e.training_seconds, e.evaluation_seconds, e.saving_seconds) for e in done[-2:]]
    before = spent[0] if len(spent) > 1 else (0.0, 0.0, 0.0)
    last = tuple(max(0.0, now - then) for now, then in zip(spent[-1], before, strict=True))
    return _of_all(spent[-1]), _of_all(last)


def _of_all(seconds: Shares) -> Shares:
    total = sum(seconds)
    return tuple(part / total if total else 0.0 for part in seconds)


def words(of: Shares, width: int) -> Content:
    """`█ train 91 %  ▒ evaluate 6 %  ░ save 3 %`, shorter where it is narrow."""
    column = _column()
    full, short = (
        Content(gap).join(
            Content.assemble((phase[column], phase[4]), f" {phase[name]} {100 * share:.0f}{unit}")
            for phase, share in zip(PHASES, of, strict=True)
        )
        for name, gap, unit in ((0, "  ", " %"), (1, " ", ""))
    )
    return full if full.cell_length <= width else Content.assemble(short, " %")


def bar(of: Shares, width: int) -> Content:
    """The phases beside each other; one that took any time has a cell."""
    column = _column()
    cells = [max(round(share * width), 1 if share > 0 else 0) for share in of]
    cells[0] = max(0, width - sum(cells[1:])) if sum(of) else 0
    return Content.assemble(*((p[column] * n, p[4]) for p, n in zip(PHASES, cells, strict=True)))


def _column() -> int:
    return 2 if unicode_terminal() else 3


def panel(state: RunState, width: int) -> list[Content]:
    """Lines for a panel: since the start, and the last epoch."""
    found = shares(state)
    if found is None:
        return []
    since_start, last = found
    room = max(4, width - LABEL)
    rows = (("all", since_start), ("last epoch", last))
    bars = [Content.assemble((f"{name:<{LABEL}}", MUTED), bar(of, room)) for name, of in rows if sum(of)]
    return [words(since_start, width), *bars]
