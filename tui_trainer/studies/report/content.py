"""What every report says, gathered once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from tui_trainer.studies import notes
from tui_trainer.studies.follow import StudyFollower
from tui_trainer.studies.measures import measure
from tui_trainer.studies.results import (
    ClaimResult,
    Comparison,
    Table,
    claims,
    comparisons,
    footnotes,
    table,
    verdicts,
)
from tui_trainer.text import clean

if TYPE_CHECKING:
    from tui_trainer.studies.plots import Chart

PUBLISHED_HEADINGS = ("row", "measure", "printed", "ours", "difference", "counts as the same within", "verdict", "note")
THROUGHPUT_HEADINGS = ("hidden", "batch size", "optimizer", "device", "images/s")
GLYPHS = {
    "reproduced": "✓",
    "holds": "✓",
    "differs": "✗",
    "does not hold": "✗",
    "within seed noise": "≈",
    "not run": "–",
}


@dataclass(frozen=True)
class Report:
    """`conclusions`, `summary` and `notes`: paragraphs, each on one line and free of control characters."""

    follower: StudyFollower
    title: str
    source: str
    summary: list[str]
    notes: list[str]
    table: Table
    footnotes: list[str]
    verdicts: list[str]
    comparisons: list[Comparison]
    claims: list[ClaimResult]
    conclusions: list[str]

    @cached_property
    def charts(self) -> list[Chart]:
        """Drawn when a format wants them: it takes a second."""
        from tui_trainer.studies import plots

        return plots.charts(self.follower)

    @property
    def state(self) -> str:
        """How the study stands, where it is not finished."""
        if self.follower.status == "finished":
            return ""
        reason = f": {clean(self.follower.reason, 300)}" if self.follower.reason else ""
        return f"This study is {self.follower.status}{reason}. Numbers are of the runs that have finished."

    @property
    def throughput(self) -> list[tuple[str, ...]]:
        """What the machine at hand trains a second, under `THROUGHPUT_HEADINGS`."""
        return [
            (
                "-".join(map(str, row["hidden_sizes"])) or "none",
                f"{row['batch_size']:,}",
                clean(row["optimizer"], 40),
                clean(row["device"], 40),
                f"{row['images_per_second']:,.0f}",
            )
            for row in self.follower.analyses.get("throughput", {}).get("rows", [])
        ]

    @property
    def row_notes(self) -> list[tuple[str, str]]:
        return [(row.row.name, clean(row.row.note, 20_000)) for row in self.follower.rows if row.row.note]


def gather(follower: StudyFollower) -> Report:
    """Raises `InputError` where the person's notes cannot be read."""
    study = follower.study
    return Report(
        follower=follower,
        title=clean(follower.title, 200).strip() or follower.name,
        source=clean(study.source, 1000),
        summary=paragraphs(study.summary),
        notes=paragraphs(study.notes),
        table=table(follower),
        footnotes=footnotes(follower),
        verdicts=verdicts(follower),
        comparisons=comparisons(follower),
        claims=claims(follower),
        conclusions=paragraphs(notes.conclusions(follower.directory)),
    )


def paragraphs(text: str) -> list[str]:
    """Foreign text split at empty lines, each piece made harmless."""
    pieces = (clean(piece.strip(), 20_000) for piece in re.split(r"\n\s*\n", text))
    return [piece for piece in pieces if piece]


def published_row(one: Comparison) -> tuple[str, ...]:
    """A printed figure beside ours, in words, under `PUBLISHED_HEADINGS`."""
    words = measure(one.measure)
    return (
        one.row,
        words.title,
        words.text(one.printed),
        words.text(one.ours.mean, one.ours.deviation) if one.ours else "–",
        words.difference(one.difference) if one.difference is not None else "–",
        words.difference(one.margin).removeprefix("+") if one.margin else "–",
        f"{GLYPHS[one.verdict]} {one.verdict}",
        one.note,
    )


def claim_row(result: ClaimResult) -> tuple[str, str, str]:
    """Claim, verdict and the numbers that decided it."""
    return clean(result.claim.text, 1000), f"{GLYPHS[result.verdict]} {result.verdict}", result.detail
