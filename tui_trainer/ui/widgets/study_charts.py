"""The charts of a study: those its file names, then the metrics that every run has."""

from __future__ import annotations

import re

from textual.geometry import Size

from tui_trainer.studies.definition import Line
from tui_trainer.studies.follow import StudyFollower
from tui_trainer.studies.measures import PER_EPOCH, measure
from tui_trainer.studies.results import Group, groups
from tui_trainer.text import clean
from tui_trainer.ui.overlay import title
from tui_trainer.ui.palette import CURVES
from tui_trainer.ui.plot import Drawing
from tui_trainer.ui.relations import against, way
from tui_trainer.ui.rows import glyph
from tui_trainer.ui.widgets.chart import Legend
from tui_trainer.ui.widgets.overlay import METRICS, Overlay

ENDS = (Legend("series0", "⠒⠒", "train"), Legend("series1", glyph(1), "test"))


class StudyCharts(Overlay):
    """Rows over epochs, measures against fields, and the way between two rows where that is analysed."""

    def __init__(self, follower: StudyFollower, id: str | None = None) -> None:
        study = follower.study
        self.follower = follower
        self.relations: dict[str, tuple[str, str]] = {}
        self.lines: dict[str, tuple[Line, str]] = {}
        titles: dict[str, str] = {}
        for wanted in study.charts:
            what, _, field = wanted.partition(" against ")
            name = re.sub(r"[^a-z0-9]+", "-", wanted, flags=re.IGNORECASE) if field else wanted
            if field:
                self.relations[name] = (what, field)
            titles[name] = _title(what, field) if field else title(what)
        for number, line in enumerate(analysis for analysis in study.analyses if isinstance(analysis, Line)):
            for quantity in ("loss", "accuracy"):
                name = f"{quantity}-between-{number}"
                self.lines[name] = (line, quantity)
                titles[name] = f"{quantity}{' %' if quantity == 'accuracy' else ''}, {line.first} to {line.second}"
        super().__init__(titles | {name: words for name, words in METRICS.items() if name not in titles}, id=id)

    def drawing(self, name: str, size: Size) -> Drawing:
        if name in self.lines:
            line, quantity = self.lines[name]
            return way(line, self.follower.analyses, quantity, size)
        if name in self.relations:
            return against(self._groups(name), self.relations[name][0], size)
        return super().drawing(name, size)

    def _groups(self, name: str) -> list[Group]:
        return groups(self.follower.rows, *self.relations[name], self.follower.analyses)

    def label(self) -> None:
        super().label()
        for name in self.lines:
            self.chart(name).legend = ENDS
        for name in self.relations:
            if self.chart(name).display:
                found = self._groups(name)
                entries = (
                    Legend(f"series{number % CURVES}", glyph(number), clean(group.name, 60))
                    for number, group in enumerate(found)
                )
                self.chart(name).legend = tuple(entries) if len(found) > 1 else ()


def _title(what: str, field: str) -> str:
    words = title(what) if what in PER_EPOCH else measure(what).title
    return f"{words} against {field.rpartition('.')[2].replace('_', ' ')}"
