"""What a study works out from its finished runs, each a job of the engine with its result in a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui_trainer.runs.directory import Run
from tui_trainer.runs.follow import load
from tui_trainer.studies.definition import Line, Sharpness, Study
from tui_trainer.studies.plan import Row
from tui_trainer.studies.state import StudyState
from tui_trainer.text import InputError


@dataclass(frozen=True)
class Analysis:
    """`stem` of its result's file, and the job's command line."""

    stem: str
    arguments: tuple[str, ...]

    @property
    def job(self) -> str:
        return self.arguments[0]


def wanted(study: Study, state: StudyState, runs_root: Path) -> Iterator[Analysis]:
    """Those that the finished runs allow and that have no result yet."""
    finished = {key: run for key, id in state.runs.items() if _is_finished(run := Run(runs_root / id))}
    for analysis in _possible(study, state.rows, finished):
        if state.analysed.get(analysis.stem) is None:
            yield analysis


def _is_finished(run: Run) -> bool:
    try:
        return load(run).status == "finished"
    except InputError:
        return False


def _possible(study: Study, rows: list[Row], finished: dict[str, Run]) -> Iterator[Analysis]:
    by_name = {row.name: row for row in rows}
    for analysis in study.analyses:
        if isinstance(analysis, Sharpness):
            for member in (member for row in rows for member in row.members):
                if run := finished.get(member.key):
                    arguments = ("sharpness", str(run.path), json.dumps(analysis.epsilons))
                    yield Analysis(f"sharpness-{member.row}-s{member.seed}", arguments)
        elif isinstance(analysis, Line):
            for member in by_name[analysis.first].members:
                ends = [finished.get(f"{row}/{member.seed}") for row in (analysis.first, analysis.second)]
                places = [str(run.path) for run in ends if run]
                if len(places) == 2:
                    span = (str(analysis.low), str(analysis.high), str(analysis.points))
                    stem = f"line-{analysis.first}-{analysis.second}-s{member.seed}"
                    yield Analysis(stem, ("line", *places, *span))
        else:
            order = {"configs": [row.config.model_dump(mode="json") for row in rows]}
            yield Analysis("throughput", ("throughput", json.dumps(order)))


def as_file(result: Any) -> bytes:
    """A job's result as its file holds it: a table, also where the result is a list of rows."""
    return json.dumps(result if isinstance(result, dict) else {"rows": result}).encode()
