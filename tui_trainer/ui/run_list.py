"""The words around a table of runs: what it shows of how many, the disk they take, what is said of one."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from tui_trainer.runs.disk import Report
from tui_trainer.runs.listing import Summary
from tui_trainer.text import clean, plural, size
from tui_trainer.ui.report import GAP, Piece, fit
from tui_trainer.ui.words import MUTED


def headline(
    found: Sequence[Summary], shown: int, marks: int, report: Report | None, problems: Sequence[str], width: int
) -> Content:
    """How many runs there are and are shown, what is wrong with the filter or with runs, the disk."""
    count = plural(len(found), "run")
    words = count if shown == len(found) else f"{shown:,} of {count}"
    pieces: list[Piece] = [(0, Content.styled(words, "bold"))]
    for problem in problems[:1]:
        room = max(width - len(words) - len(GAP), 1)
        pieces.append((0, Content.styled(clean(problem, 300), "$text-error").truncate(room, ellipsis=True)))
    if marks:
        pieces.append((1, Content.styled(f"{marks} marked", "$accent")))
    if archived := sum(run.notes.archived for run in found):
        pieces.append((4, Content.styled(f"{archived} archived", MUTED)))
    if report:
        pieces.append((2, Content.styled(f"disk {size(report.total.total)}", MUTED)))
        if report.trash:
            pieces.append((3, Content.styled(f"trash {size(report.trash)}", MUTED)))
        if report.spare_bytes:
            spare = f"{size(report.spare_bytes)} could go: tui-trainer disk --free"
            pieces.append((5, Content.styled(spare, MUTED)))
    return fit(pieces, width)


def detail(run: Summary | None) -> Content:
    """Id, note, and how it ended or how its curves go."""
    if run is None:
        return Content("")
    ending = run.reason.removeprefix(f"{run.run.path}/") or clean(str(run.facts.get("verdict_reason", "")), 200)
    parts = (clean(run.run.id, 80), clean(run.notes.note, 200), ending)
    return Content.styled(" · ".join(part for part in parts if part), MUTED)
