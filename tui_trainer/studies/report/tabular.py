"""The report for programs: the table as CSV, everything as JSON. Accuracies are fractions, times seconds."""

from __future__ import annotations

import csv as csv_format
import io
import json as json_format
import math
from typing import Any

from tui_trainer.studies.measures import PER_EPOCH, is_measure
from tui_trainer.studies.report.content import Report
from tui_trainer.studies.results import Estimate, curve

FORMAT = 1
FORMULA_STARTS = ("=", "+", "-", "@")


def csv(report: Report) -> str:
    """A line a row; measures as numbers, each followed by its standard deviation over seeds."""
    header = ["row", "state"]
    for column in report.table.header:
        header += [column.key, f"{column.key} sd"] if is_measure(column.key) else [column.key]
    out = io.StringIO()
    writer = csv_format.writer(out, lineterminator="\n")
    writer.writerow(header)
    for line in report.table.lines:
        values: list[object] = [_text(line.name), _text(line.standing)]
        for column, cell in zip(report.table.header, line.cells, strict=True):
            if is_measure(column.key):
                values += ["" if number is None else number for number in (cell.number, cell.deviation)]
            else:
                values.append(_text(cell.text) if cell.number is None else cell.number)
        writer.writerow(values)
    return out.getvalue()


def _text(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def json(report: Report) -> str:
    """Everything: rows with the numbers of every seed, estimates, curves, comparisons, claims, analyses."""
    follower = report.follower
    value = {
        "format": FORMAT,
        "study": follower.name,
        "id": follower.directory.id,
        "title": report.title,
        "summary": report.summary,
        "source": report.source,
        "notes": report.notes,
        "status": follower.status,
        "columns": [{"key": column.key, "title": column.title} for column in report.table.header],
        "rows": _rows(report),
        "footnotes": report.footnotes,
        "verdicts": report.verdicts,
        "published": [
            {
                "row": one.row,
                "measure": one.measure,
                "printed": one.printed,
                "ours": _estimate(one.ours),
                "difference": one.difference,
                "tolerance": one.tolerance,
                "margin": one.margin,
                "verdict": one.verdict,
                "note": one.note,
            }
            for one in report.comparisons
        ],
        "claims": [
            {
                **result.claim.model_dump(),
                "values": {name: _estimate(ours) for name, ours in result.values},
                "verdict": result.verdict,
                "detail": result.detail,
            }
            for result in report.claims
        ],
        "analyses": follower.analyses,
        "conclusions": report.conclusions,
    }
    return json_format.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    """JSON knows neither infinity nor NaN: null stands for them."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _rows(report: Report) -> list[dict[str, Any]]:
    return [
        {
            "name": row.row.name,
            "preset": row.row.preset,
            "note": row.row.note,
            "state": line.standing,
            "config": row.row.config.model_dump(mode="json"),
            "cells": {
                column.key: {"text": cell.text, "number": cell.number, "deviation": cell.deviation}
                for column, cell in zip(report.table.header, line.cells, strict=True)
            },
            "seeds": [
                {
                    "seed": member.member.seed,
                    "run": member.run.id if member.run else None,
                    "status": member.status,
                    "reason": member.reason,
                    "measures": member.state.numbers() if member.state else None,
                }
                for member in row.members
            ],
            "curves": {
                series: {
                    "epochs": found.epochs,
                    "mean": [point.mean for point in found.points],
                    "deviation": [point.deviation for point in found.points],
                }
                for series in PER_EPOCH
                if (found := curve(row, series))
            },
        }
        for row, line in zip(report.follower.rows, report.table.lines, strict=True)
    ]


def _estimate(ours: Estimate | None) -> dict[str, Any] | None:
    return None if ours is None else {"mean": ours.mean, "deviation": ours.deviation, "values": ours.values}
