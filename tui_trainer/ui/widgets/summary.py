"""What came of a run that has ended: it stays, and says what can be done next."""

from __future__ import annotations

from collections.abc import Sequence

from textual import work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message

from tui_trainer.runs.follow import Follower
from tui_trainer.runs.state import RunState
from tui_trainer.runs.summaries import Summaries
from tui_trainer.runs.verdict import Verdict
from tui_trainer.text import clean, duration, percent, plural, rate
from tui_trainer.ui import phases
from tui_trainer.ui.widgets.line import Lines
from tui_trainer.ui.words import MUTED

NAME = 9  # cells before what is said
NEXT = (("r", "resume"), ("f", "fork"), ("b", "rewind"), ("c", "compare"), ("w", "mistakes"))
"""What may be done with a run that has ended; told where the screen has the key now."""
MOST_CHILDREN = 3  # named, the others counted


class Summary(VerticalScroll, can_focus=True):
    class ChildrenFound(Message):
        """All runs have been looked at."""

        def __init__(self, names: list[str]) -> None:
            super().__init__()
            self.names = names

    def __init__(self, follower: Follower, id: str | None = None) -> None:
        super().__init__(id=id)
        self.follower = follower
        self.children_names: list[str] = []
        self.verdict: Verdict | None = None

    def compose(self) -> ComposeResult:
        yield Lines()

    def show(self, verdict: Verdict) -> None:
        if self.verdict is None:
            self._find_children()
        self.verdict = verdict
        bindings = self.screen.active_bindings
        possible = [(key, word) for key, word in NEXT if key in bindings and bindings[key].enabled]
        shown = self.query_one(Lines)
        lines = card(self.follower.state, verdict, self.children_names, possible, shown.size.width)
        shown.content = Content("\n").join(lines)

    @work(thread=True)
    def _find_children(self) -> None:
        run = self.follower.run
        found = Summaries(run.path.parent).refresh()
        self.post_message(self.ChildrenFound([other.name for other in found if other.facts.get("parent") == run.id]))

    def on_summary_children_found(self, event: ChildrenFound) -> None:
        self.children_names = event.names
        if self.verdict:
            self.show(self.verdict)


def card(
    state: RunState, verdict: Verdict, children: Sequence[str], possible: Sequence[tuple[str, str]], width: int
) -> list[Content]:
    """The verdict and why, results, time, family, and the keys that lead on."""
    lines = [Content.assemble(_label("verdict"), (str(verdict), "bold")), Content.styled(verdict.reason, MUTED)]
    lines += [
        Content.assemble(_label("" if row else "test"), words)
        for row, words in enumerate(_results(state, width - NAME))
    ]
    if state.best:
        early = f", early stop @{state.early_stop.epoch}" if state.early_stop else ""
        val = f"★ {percent(state.best.val_accuracy)} @{state.best.epoch}{early}"
        lines.append(Content.assemble(_label("val"), val))
    lines.append(Content.assemble(_label("time"), f"{duration(state.seconds)} trained"))
    if state.images_per_second:
        lines.append(Content.assemble(_label("speed"), rate(state.images_per_second)))
    if found := phases.shares(state):
        lines += [phases.bar(found[0], width), phases.words(found[0], width)]
    if state.parent:
        lines.append(Content.assemble(_label("parent"), clean(state.parent, 60)))
    if children:
        named = ", ".join(clean(name, 30) for name in children[:MOST_CHILDREN])
        more = f" and {len(children) - MOST_CHILDREN} more" if len(children) > MOST_CHILDREN else ""
        lines.append(Content.assemble(_label("forks"), f"{plural(len(children), 'run')}: {named}{more}"))
    row = Content("")
    for key, word in possible:
        door = Content.assemble((key, "bold $accent"), f" {word}")
        if row and row.cell_length + 2 + door.cell_length > width:
            lines.append(row)
            row = Content("")
        row = Content.assemble(row, "  ", door) if row else door
    return [*lines, row] if row else lines


def _label(name: str) -> tuple[str, str]:
    return f"{name:<{NAME}}", MUTED


def _results(state: RunState, width: int) -> list[str]:
    """Side by side where both fit."""
    final, best = state.accuracy("final", "test"), state.accuracy("best", "test")
    said = [f"{percent(final)} final weights"] if final is not None else []
    if best is not None and state.best:
        said.append(f"{percent(best)} best, @{state.best.epoch}")
    return [", ".join(said)] if said and len(", ".join(said)) <= width else said
