"""The report as a spreadsheet: laid out like the lab's sheet, with charts of its own and the numbers behind them."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from tui_trainer.studies.measures import MEASURES, PER_EPOCH, Measure, is_measure, measure
from tui_trainer.studies.plots import COLOURS
from tui_trainer.studies.report.content import PUBLISHED_HEADINGS, THROUGHPUT_HEADINGS, Report, claim_row, published_row
from tui_trainer.studies.results import Cell, curve, together

FIXED_DATE = datetime(2000, 1, 1)
NUMBER_FORMATS = {"%": "0.00%", "s": '0.0" s"', "images/s": "#,##0", "epoch": "0", "parameters": "#,##0", "": "0.0000"}
DASHES = ("solid", "dash", "dash_dot", "round_dot")
FIRST_COLUMN, COLUMN = 22, 14  # widths, in characters
CHART_WIDTH, CHART_HEIGHT, CHART_LINES, CHART_COLUMNS = 520, 290, 16, 5


def render(report: Report) -> bytes:
    out = io.BytesIO()
    options = {"in_memory": True, "nan_inf_to_errors": True}
    with Workbook(out, options) as book:
        book.set_properties({"title": report.title, "created": FIXED_DATE})
        Spreadsheet(book, report).fill()
    return out.getvalue()


class Place(NamedTuple):
    """Where a curve's numbers lie on the sheet of curves."""

    column: int
    last_line: int


class Spreadsheet:
    """One workbook on its way."""

    def __init__(self, book: Workbook, report: Report) -> None:
        self.book = book
        self.report = report
        self.formats: dict[tuple[tuple[str, Any], ...], Format] = {}
        self.places: dict[tuple[str, str], Place] = {}

    def fill(self) -> None:
        front = self.book.add_worksheet("Report")
        self._curves()
        self._front(front)
        self._words_sheets()
        self._seeds()
        self._lines()

    def _format(self, **look: Any) -> Format:
        key = tuple(sorted(look.items()))
        if key not in self.formats:
            self.formats[key] = self.book.add_format(look)
        return self.formats[key]

    def _front(self, sheet: Worksheet) -> None:
        """Title, table, what must be said under it, conclusions, charts."""
        report, header = self.report, self.report.table.header
        width = len(header)
        sheet.set_column(0, 0, FIRST_COLUMN)
        sheet.set_column(1, width, COLUMN)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.write_string(0, 0, report.title, self._format(bold=True, font_size=14))
        for at, text in enumerate(filter(None, (report.source, report.state)), start=1):
            sheet.write_string(at, 0, text, self._format(italic=True))
        line = 4
        head = self._format(bold=True, text_wrap=True, border=1, bg_color="#E8E8E8", valign="top")
        for at, title in enumerate(("", *(column.title for column in header))):
            sheet.write_string(line, at, title, head)
        for row in report.table.lines:
            line += 1
            sheet.write_string(line, 0, row.name, self._format(bold=True, border=1))
            for at, (column, cell) in enumerate(zip(header, row.cells, strict=True), start=1):
                words = measure(column.key) if is_measure(column.key) else None
                self._cell(sheet, line, at, cell, words)
        for text in (*report.footnotes, *report.verdicts):
            line += 1
            sheet.write_string(line, 0, text, self._format(italic=True))
        line += 2
        sheet.write_string(line, 0, "Conclusions", self._format(bold=True))
        wrapped = self._format(text_wrap=True, valign="top", border=1)
        text = "\n".join(report.conclusions)
        lines = max(6, sum(1 + len(piece) // (COLUMN * (width + 1)) for piece in report.conclusions))
        sheet.merge_range(line + 1, 0, line + lines, max(width, 1), "", wrapped)
        sheet.write_string(line + 1, 0, text, wrapped)
        self._charts(sheet, line + lines + 2)

    def _cell(self, sheet: Worksheet, line: int, at: int, cell: Cell, words: Measure | None) -> None:
        """A number stays one, its spread over seeds shown beside it by the cell's format."""
        if cell.number is None or not math.isfinite(cell.number):
            sheet.write_string(line, at, cell.text, self._format(border=1, align="right"))
            return
        shape = _shape(words, cell.number) if words else "General"
        if words and cell.deviation is not None:
            spread = words.text(cell.number, cell.deviation).partition("±")[2].strip()
            shape += f'" ± {spread}"'
        sheet.write_number(line, at, cell.number, self._format(border=1, num_format=shape))

    def _charts(self, sheet: Worksheet, line: int) -> None:
        """Validation accuracy of each setting for the lab's report, else all rows in one chart a series."""
        if self.report.follower.study.report == "evaluation-report":
            wanted = [([row.row.name], "val_accuracy", row.row.name) for row in self.report.follower.rows]
        else:
            wanted = [
                ([one.row for one in together(self.report.follower.rows, series)[0]], series, PER_EPOCH[series].title)
                for series in self.report.follower.study.charts
                if series in PER_EPOCH
            ]
        drawn = [one for one in wanted if any((name, one[1]) in self.places for name in one[0])]
        for index, (names, series, title) in enumerate(drawn):
            chart = self._chart(names, series, title)
            down, across = divmod(index, 2)
            sheet.insert_chart(line + CHART_LINES * down, CHART_COLUMNS * across, chart)

    def _chart(self, names: Sequence[str], series: str, title: str) -> Any:
        words = PER_EPOCH[series]
        chart: Any = self.book.add_chart({"type": "scatter", "subtype": "straight"})
        for index, name in enumerate(names):
            if place := self.places.get((name, series)):
                chart.add_series(
                    {
                        "name": ["Curves", 0, place.column],
                        "categories": ["Curves", 1, 0, place.last_line, 0],
                        "values": ["Curves", 1, place.column, place.last_line, place.column],
                        "line": _line(index),
                    }
                )
        chart.set_title({"name": title, "name_font": {"size": 12}, "overlay": False})
        chart.set_x_axis({"name": "epoch", "min": 0})
        number = {"num_format": "0%"} if words.unit == "%" else {}
        chart.set_y_axis({"name": words.title, "major_gridlines": {"visible": True}, **number})
        chart.set_legend({"position": "bottom"} if len(names) > 1 else {"none": True})
        chart.set_size({"width": CHART_WIDTH, "height": CHART_HEIGHT})
        return chart

    def _curves(self) -> None:
        """A line an epoch; for each row its mean over seeds, and beside it the spread where there are several."""
        rows = self.report.follower.rows
        wanted = dict.fromkeys(["val_accuracy", *(s for s in self.report.follower.study.charts if s in PER_EPOCH)])
        known = [(series, curve(row, series)) for series in wanted for row in rows]
        found = [(series, one) for series, one in known if one]
        sheet = self.book.add_worksheet("Curves")
        sheet.freeze_panes(1, 1)
        sheet.write_string(0, 0, "epoch", self._format(bold=True))
        lines = {epoch: at for at, epoch in enumerate(sorted({e for _, one in found for e in one.epochs}), start=1)}
        for epoch, at in lines.items():
            sheet.write_number(at, 0, epoch)
        column = 1
        for series, one in found:
            words = PER_EPOCH[series]
            look = self._format(num_format=NUMBER_FORMATS[words.unit])
            title = one.row if len(wanted) == 1 else f"{one.row}, {words.title}"
            spread = any(point.deviation is not None for point in one.points)
            sheet.write_string(0, column, title, self._format(bold=True))
            if spread:
                sheet.write_string(0, column + 1, f"{title}, sd", self._format(bold=True))
            for epoch, point in zip(one.epochs, one.points, strict=True):
                sheet.write_number(lines[epoch], column, point.mean, look)
                if point.deviation is not None:
                    sheet.write_number(lines[epoch], column + 1, point.deviation, look)
            self.places[one.row, series] = Place(column, lines[one.epochs[-1]])
            column += 1 + spread

    def _words_sheets(self) -> None:
        """What has a sheet of its own, in words."""
        if self.report.comparisons:
            self._words("Published", PUBLISHED_HEADINGS, map(published_row, self.report.comparisons))
        if self.report.claims:
            self._words("Claims", ("claim", "verdict", "numbers"), map(claim_row, self.report.claims))

        if self.report.throughput:
            self._words("Throughput", THROUGHPUT_HEADINGS, self.report.throughput)

    def _words(self, name: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        sheet = self.book.add_worksheet(name)
        sheet.set_column(0, len(headings) - 1, FIRST_COLUMN)
        for line, row in enumerate((headings, *rows)):
            for at, text in enumerate(row):
                sheet.write_string(line, at, text, self._format(bold=line == 0))

    def _seeds(self) -> None:
        """Every number of every run."""
        sheet = self.book.add_worksheet("Seeds")
        sheet.set_column(0, 0, FIRST_COLUMN)
        sheet.freeze_panes(1, 2)
        for at, title in enumerate(("row", "seed", "state", "run", *(one.title for one in MEASURES.values()))):
            sheet.write_string(0, at, title, self._format(bold=True))
        for line, (name, member) in enumerate(self._members(), start=1):
            numbers = member.state.numbers() if member.state else {}
            sheet.write_string(line, 0, name)
            sheet.write_number(line, 1, member.member.seed)
            sheet.write_string(line, 2, member.status)
            sheet.write_string(line, 3, member.run.id if member.run else "")
            for at, (key, words) in enumerate(MEASURES.items(), start=4):
                if (number := numbers.get(key)) is not None:
                    sheet.write_number(line, at, number, self._format(num_format=NUMBER_FORMATS[words.unit]))

    def _members(self) -> Iterator[tuple[str, Any]]:
        for row in self.report.follower.rows:
            for member in row.members:
                yield row.row.name, member

    def _lines(self) -> None:
        """Loss and accuracy along α, an analysis a sheet."""
        found = {name: one for name, one in self.report.follower.analyses.items() if name.startswith("line-")}
        for index, (name, one) in enumerate(sorted(found.items()), start=1):
            sheet = self.book.add_worksheet(f"Line {index}")
            sheet.write_string(0, 0, name, self._format(bold=True))
            for at, key in enumerate(("alpha", "train_loss", "train_accuracy", "test_loss", "test_accuracy")):
                sheet.write_string(1, at, key, self._format(bold=True))
                for line, number in enumerate(one.get(key, []), start=2):
                    sheet.write_number(line, at, number)
            last = 1 + len(one.get("alpha", []))
            chart: Any = self.book.add_chart({"type": "scatter", "subtype": "straight"})
            for at, second in ((1, False), (2, True), (3, False), (4, True)):
                chart.add_series(
                    {
                        "name": [sheet.name, 1, at],
                        "categories": [sheet.name, 2, 0, last, 0],
                        "values": [sheet.name, 2, at, last, at],
                        "y2_axis": second,
                        "line": _line(at),
                    }
                )
            chart.set_x_axis({"name": "α", "label_position": "low"})
            chart.set_y_axis({"name": "loss"})
            chart.set_y2_axis({"name": "accuracy", "num_format": "0%"})
            sheet.insert_chart(1, CHART_COLUMNS + 1, chart)


def _line(index: int) -> dict[str, Any]:
    """Colour and dashes that tell one curve from its neighbours."""
    return {"width": 1.75, "color": COLOURS[index % len(COLOURS)], "dash_type": DASHES[index % len(DASHES)]}


def _shape(words: Measure, number: float) -> str:
    """Excel's format for a number of this measure, with as many decimals as our own texts show."""
    if words.unit == "epoch" and number != int(number):
        return "0.0"
    if not words.unit and abs(number) >= 10:
        return "#,##0.0"
    if not words.unit and number and abs(number) < 0.001:
        return "0.00E+00"
    return NUMBER_FORMATS[words.unit]
