"""Pre-flight: what the training in the form would take, measured before it is started."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_trainer import plain_preflight
from tui_trainer.config import RunConfig
from tui_trainer.plain_preflight import brief
from tui_trainer.text import InputError, clean, plural, size
from tui_trainer.ui.widgets.job_line import JobLine
from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.words import MUTED

COLOURS = {"good": "$text-success", "doubtful": "$text-warning", "bad": "$text-error"}
WAITING = "A dry run of about a second on the real data, then one batch to be learnt by heart. Nothing is kept."
NAME = 11  # cells


class PreflightScreen(ModalScreen[dict[str, Any] | None]):
    """Its result: what was found. The job ends with this screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "cancel", "cancel"),
        Binding("escape,enter", "close", "close"),
    ]

    def __init__(self, config: RunConfig, data_root: Path) -> None:
        super().__init__()
        self.config = config
        self.order = json.dumps({"config": config.model_dump(mode="json"), "data": str(data_root)})
        self.found: dict[str, Any] | None = None

    def compose(self) -> ComposeResult:
        facts = (
            f"   {self.config.architecture} · {self.config.optimizer.name} · batch {self.config.training.batch_size:,}"
        )
        with Vertical(classes="dialog preflight"):
            yield Line(Content.assemble(("Pre-flight", "bold"), (facts, MUTED)))
            yield JobLine()
            with VerticalScroll(id="preflight-page"):
                yield Static(Content.styled(WAITING, MUTED), id="preflight-facts", markup=False)
            yield Line(Content.styled("c cancels   esc closes", MUTED), id="preflight-keys")

    def on_mount(self) -> None:
        self.query_one("#preflight-page").focus()
        try:
            self.query_one(JobLine).start("measuring", "preflight", self.order)
        except InputError as error:
            self._refuse(error.problems[0])

    @on(JobLine.Ended)
    def show(self, event: JobLine.Ended) -> None:
        if event.result is None:
            self._refuse(event.problem or "cancelled: nothing was measured")
            return
        self.found = event.result
        lines = [*verdicts(event.result), Content(""), *layers(event.result), Content(""), *facts(event.result)]
        self.query_one("#preflight-facts", Static).update(Content("\n").join(lines))
        self.query_one("#preflight-keys", Line).content = Content.styled("↑ ↓ scroll   esc closes", MUTED)

    def _refuse(self, problem: str) -> None:
        self.query_one("#preflight-facts", Static).update(Content.styled(f"! {problem}", "$text-error"))

    def action_cancel(self) -> None:
        self.query_one(JobLine).cancel()

    def action_close(self) -> None:
        self.dismiss(self.found)


def verdicts(found: Mapping[str, Any]) -> list[Content]:
    return [
        Content.styled(plain_preflight.marked(tone, words), COLOURS[tone])
        for tone, words in plain_preflight.verdicts(found)
    ]


def layers(found: Mapping[str, Any]) -> list[Content]:
    """Each layer with its parameters, right-aligned."""
    rows = [(f"{layer['inputs']} → {layer['outputs']}", f"{layer['parameters']:,}") for layer in found["layers"]]
    rows.append((plural(len(rows), "layer"), f"{found['parameters']:,}"))
    wide, right = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines = [
        Content.assemble(f"{shape:<{wide}}  ", f"{count:>{right}}", (" parameters", MUTED)) for shape, count in rows
    ]
    return [*lines[:-1], lines[-1].stylize("bold")]


def facts(found: Mapping[str, Any]) -> list[Content]:
    return [
        Content.assemble((f"{name:<{NAME}}", MUTED), clean(value, 200)) for name, value in plain_preflight.facts(found)
    ]


def time_card(found: Mapping[str, Any], width: int) -> list[Content]:
    """The few lines of it that stay beside the form."""
    speed = found["speed"]
    rows = [("memory", size(found["memory_needed"]))]
    if speed:
        rows += [("an epoch", brief(speed["epoch_seconds"])), ("training", f"about {brief(speed['total_seconds'])}")]
    return [Content.assemble((f"{name:<{NAME}}", MUTED), f"{value:>{max(width - NAME, 8)}}") for name, value in rows]
