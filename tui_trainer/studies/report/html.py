"""The report as one HTML page that needs nothing else: pictures inline, no scripts, light and dark."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tui_trainer.studies.plots import INK
from tui_trainer.studies.report.content import PUBLISHED_HEADINGS, THROUGHPUT_HEADINGS, Report, claim_row, published_row

PAGES = Environment(
    loader=PackageLoader("tui_trainer.studies.report", "."),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(report: Report) -> str:
    """Everything foreign is escaped by the template; only the pictures, which matplotlib escaped, go in as they are."""
    return PAGES.get_template("page.html").render(
        report=report,
        pictures=[Markup(chart.svg.replace(INK, "currentColor")) for chart in report.charts],
        published_headings=PUBLISHED_HEADINGS,
        published=[published_row(one) for one in report.comparisons],
        throughput_headings=THROUGHPUT_HEADINGS,
        claims=[claim_row(one) for one in report.claims],
    )
