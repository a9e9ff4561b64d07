"""The report as Markdown, its pictures in files beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from tui_trainer.studies.plots import Chart
from tui_trainer.studies.report.content import PUBLISHED_HEADINGS, THROUGHPUT_HEADINGS, Report, claim_row, published_row


def render(report: Report, pictures: str) -> str:
    """`pictures`: the beginning of the picture files' names; without it the report has none."""
    return "\n\n".join(_blocks(report, pictures)) + "\n"


def picture_files(report: Report, stem: str) -> list[tuple[str, Chart]]:
    """The name of each chart's file."""
    return [(f"{stem}-{number}.svg", chart) for number, chart in enumerate(report.charts, start=1)]


def _blocks(report: Report, pictures: str) -> Iterator[str]:
    yield f"# {escape(report.title)}"
    yield from map(escape, report.summary)
    if report.source:
        yield f"Source: {escape(report.source)}"
    if report.state:
        yield f"**{escape(report.state)}**"
    header = ["", *(column.title for column in report.table.header)]
    yield table(header, ([line.name, *(cell.text for cell in line.cells)] for line in report.table.lines), left=1)
    yield from map(escape, report.footnotes)
    yield from map(escape, report.verdicts)
    for name, note in report.row_notes:
        yield f"**{escape(name)}:** {escape(note)}"
    if report.comparisons:
        yield "## Printed beside ours"
        yield table(PUBLISHED_HEADINGS, map(published_row, report.comparisons), left=2)
    if report.claims:
        yield "## Claims"
        yield table(("claim", "verdict", "numbers"), map(claim_row, report.claims), left=3)
    if report.throughput:
        yield "## Throughput of this machine"
        yield table(THROUGHPUT_HEADINGS, report.throughput, left=0)
    if pictures and report.charts:
        yield "## Charts"
        for name, chart in picture_files(report, pictures):
            yield f"![{escape(chart.title)}](<{name}>)"
            yield f"{escape(chart.title)}. {escape(chart.caption)}".strip()
    yield "## Conclusions"
    yield from map(escape, report.conclusions or ["None written yet."])
    if report.notes:
        yield "## Notes"
        yield from map(escape, report.notes)


def escape(text: str) -> str:
    """Text that Markdown shows as it stands, on a line of its own too."""
    safe = re.sub(r"([\\`*_\[\]<>|~#])", r"\\\1", text.replace("&", "&amp;"))
    return re.sub(r"^(\d+(?=[.)] )|(?=[-+=:](?!\d)))", r"\1\\", safe)


def table(header: Sequence[str], rows: Iterable[Sequence[str]], left: int) -> str:
    """The first `left` columns aligned to the left, the others to the right."""
    rules = ["---" if index < left else "---:" for index in range(len(header))]
    lines = [[escape(cell) for cell in header], rules, *([escape(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
