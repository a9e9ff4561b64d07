"""A study written out: Markdown, HTML, CSV, a spreadsheet, JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from tui_trainer.files import write_whole
from tui_trainer.studies.follow import StudyFollower
from tui_trainer.studies.report.content import Report, gather
from tui_trainer.text import InputError, reason

Format = Literal["md", "html", "csv", "xlsx", "json"]


def render(report: Report, format: Format, pictures: str = "") -> bytes:
    """The report as the content of one file; the same runs give the same bytes.

    `pictures`: for Markdown, the beginning of the names of its picture files; empty leaves pictures out.
    """
    from tui_trainer.studies.report import html, markdown, sheets, tabular

    match format:
        case "md":
            return markdown.render(report, pictures).encode()
        case "html":
            return html.render(report).encode()
        case "csv":
            return tabular.csv(report).encode()
        case "json":
            return tabular.json(report).encode()
        case "xlsx":
            return sheets.render(report)


def text(follower: StudyFollower, format: Format) -> str:
    """The report in one piece, for a format that is text. Raises `InputError`."""
    return render(gather(follower), format).decode()


def write(follower: StudyFollower, format: Format, output: Path) -> list[Path]:
    """The files written: `output`, and for Markdown its pictures beside it. Raises `InputError`."""
    report = gather(follower)
    files = {output: render(report, format, output.stem)}
    if format == "md":
        from tui_trainer.studies.report import markdown

        for name, chart in markdown.picture_files(report, output.stem):
            files[output.with_name(name)] = chart.svg.encode()
    for path, content in files.items():
        try:
            write_whole(path, content)
        except OSError as error:
            raise InputError(f"{path}: cannot be written: {reason(error)}") from None
    return list(files)
