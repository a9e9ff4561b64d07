"""Find a learning rate: the loss while the rate rises, drawn as it comes, and three rates to choose from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui_trainer.config import RunConfig
from tui_trainer.runs.jobs import Job
from tui_trainer.runs.sweep import HIGH, LOW, STEPS
from tui_trainer.text import InputError, clean
from tui_trainer.ui.plot import Drawing
from tui_trainer.ui.sweep import Point, picture
from tui_trainer.ui.widgets.chart import Chart, Legend
from tui_trainer.ui.widgets.line import Line, Lines
from tui_trainer.ui.words import MUTED, bar, choice

LEGEND = (Legend("train", "⠒⠒", "smoothed"), Legend("note", "⠒⠒", "each batch"))
MEANINGS = {
    "steepest": "the loss falls fastest: bold",
    "valley": "half way down: a good first try",
    "minimum/10": "a tenth of where the loss is least",
}
FAVOURITE = "valley"
BAR = 24  # cells
LOOK_SECONDS = 0.1


class FindRateScreen(ModalScreen[float | None]):
    """Its result: the rate chosen. The sweep is a job of its own, which ends with this screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(number), f"choose('{name}')", name) for number, name in enumerate(MEANINGS, 1)),
        Binding("escape", "dismiss", "cancel"),
    ]

    class Ended(Message):
        """The job gave its result, or a reason why there is none."""

    def __init__(self, config: RunConfig, data_root: Path, start: Path | None = None) -> None:
        super().__init__()
        self.config = config
        self.order = {
            "config": config.model_dump(mode="json"),
            "data": str(data_root),
            "start": str(start or ""),
            "low": LOW,
            "high": HIGH,
            "steps": STEPS,
        }
        self.job: Job | None = None
        self.points: list[Point] = []
        self.suggestions: dict[str, float] | None = None
        self.problem = ""

    def compose(self) -> ComposeResult:
        optimizer, batch = self.config.optimizer.name, self.config.training.batch_size
        facts = f"   {self.config.architecture} · {optimizer} · batch {batch:,}"
        with Vertical(classes="dialog find-rate"):
            yield Line(Content.assemble(("Find a learning rate", "bold"), (facts, MUTED)))
            yield Chart("loss", LEGEND, id="sweep")
            yield Lines(id="sweep-status")
            yield OptionList(id="suggestions", compact=True, disabled=True)
            yield Line(Content.styled("esc cancels", MUTED), id="sweep-keys")

    def on_mount(self) -> None:
        self.query_one(Chart).source = self._drawing
        self._list()
        self._look()
        self.set_interval(LOOK_SECONDS, self._look)
        try:
            self.job = Job("lr-find", json.dumps(self.order))
        except OSError as error:
            self.problem = f"no process can be started: {error.strerror}"
        else:
            self.train(self.job)

    def on_unmount(self) -> None:
        if self.job:
            self.job.cancel()

    @work(thread=True)
    def train(self, job: Job) -> None:
        try:
            result = job.result(lambda told: self.points.append(Point.of(told)))
        except InputError as error:
            self.problem = clean(str(error), 300)
        else:
            self.suggestions = result["suggestions"]
        self.post_message(self.Ended())

    def on_find_rate_screen_ended(self) -> None:
        self._look()
        if self.suggestions:
            self._list()
            listed = self.query_one(OptionList)
            listed.disabled = False
            listed.highlighted = listed.get_option_index(FAVOURITE)
            listed.focus()
            words = "1 2 3 or enter take a rate into the form   esc closes"
            self.query_one("#sweep-keys", Line).content = Content.styled(words, MUTED)

    def _drawing(self, size: Size) -> Drawing:
        return picture(list(self.points), self.suggestions or {}, LOW, HIGH, size)

    def _look(self) -> None:
        """Show the points that came since the last time, and how far the job is."""
        self.query_one(Chart).redraw()
        self.query_one("#sweep-status", Lines).content = self._status()

    def _status(self) -> Content:
        done = len(self.points)
        if self.problem:
            return Content.styled(f"! {self.problem}", "$text-error")
        if not done:
            return Content.styled("starting…", MUTED)
        last = self.points[-1]
        rate = f"{10**last.place:.2g}"
        if self.suggestions is None:
            words = f"  {done} of {STEPS}  rate {rate}  loss {last.smoothed:.3f}"
            return Content.assemble(bar(done / STEPS, BAR), words)
        if not self.suggestions:
            return Content.styled("! the loss never fell: no rate here to suggest", "$text-warning")
        ending = f"ended at {rate}, where the loss diverged" if done < STEPS else "all rates tried"
        return Content.assemble(("✓ ", "$text-success"), f"{done} updates, {ending}")

    def _list(self) -> None:
        """The three rules, each with its rate once there is one."""
        rates = self.suggestions or {}
        self.query_one(OptionList).set_options(
            Option(choice(str(number), name, f"{f'{rates[name]:.2g}' if rates else '…':<10}{meaning}"), id=name)
            for number, (name, meaning) in enumerate(MEANINGS.items(), 1)
        )

    @on(OptionList.OptionSelected)
    def selected(self, event: OptionList.OptionSelected) -> None:
        self.action_choose(event.option_id or "")

    def action_choose(self, name: str) -> None:
        """The rate with two digits: the finder knows no more."""
        if self.suggestions:
            self.dismiss(float(f"{self.suggestions[name]:.2g}"))
