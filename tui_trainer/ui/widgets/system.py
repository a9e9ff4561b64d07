"""What the run costs this machine, and where its time goes. Numbers that nobody tells are left out."""

from __future__ import annotations

from collections import deque

from textual import work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message

from tui_trainer.machine_load import GpuLoad, Load, Sampler
from tui_trainer.runs.follow import Follower
from tui_trainer.runs.launch import owner
from tui_trainer.text import size
from tui_trainer.ui import phases
from tui_trainer.ui.report import fit
from tui_trainer.ui.sight import in_sight
from tui_trainer.ui.widgets.line import Lines
from tui_trainer.ui.words import MUTED, sparkline

SAMPLE_SECONDS = 2.0
REMEMBERED = 8  # samples in a sparkline
NAME = 7  # cells before the numbers


class SystemPanel(VerticalScroll):
    can_focus = False

    class Sampled(Message):
        """One look at the machine has ended."""

        def __init__(self, load: Load) -> None:
            super().__init__()
            self.load = load

    def __init__(self, follower: Follower, id: str | None = None) -> None:
        super().__init__(id=id)
        self.follower = follower
        self.sampler = Sampler()
        self.load: Load | None = None
        self.looking = False
        self.busy: dict[str, deque[float]] = {name: deque(maxlen=REMEMBERED) for name in ("cpu", "gpu")}

    def compose(self) -> ComposeResult:
        yield Lines(Content.styled("looking…", MUTED))

    def on_mount(self) -> None:
        self._sample()
        self.set_interval(SAMPLE_SECONDS, self._sample)

    def _sample(self) -> None:
        """Never two looks at a time, and none that nobody would see."""
        if not self.looking and self.size.area and in_sight(self.screen):
            self.looking = True
            self._look()

    @work(thread=True)
    def _look(self) -> None:
        started, holder = self.follower.state.started, owner(self.follower.run)
        pid = holder.pid if holder and self.follower.alive else 0
        load = self.sampler.sample(pid, on_gpu=bool(started and started.device.startswith("cuda")))
        self.post_message(self.Sampled(load))

    def on_system_panel_sampled(self, event: Sampled) -> None:
        self.looking, self.load = False, event.load
        if event.load.cpu is not None:
            self.busy["cpu"].append(event.load.cpu)
        if event.load.gpu and event.load.gpu.busy is not None:
            self.busy["gpu"].append(event.load.gpu.busy)
        self.show()

    def show(self) -> None:
        """As the last look had it, and as the run's events are now."""
        if self.load:
            width = self.scrollable_content_region.width
            lines = [*self._machine(self.load, width), *phases.panel(self.follower.state, width)]
            self.query_one(Lines).content = Content("\n").join(lines)

    def _machine(self, load: Load, width: int) -> list[Content]:
        gpu = load.gpu or GpuLoad()
        rows = [
            ("GPU", [_busy(gpu.busy), self._curve("gpu"), _unit(gpu.celsius, "°C"), _unit(gpu.watts, "W")]),
            ("", [_memory(gpu.memory_used, gpu.memory_total)]),
            ("CPU", [_busy(load.cpu), self._curve("cpu")]),
            ("RAM", [_memory(load.memory_used, load.memory_total)]),
            ("worker", [size(load.process_memory) if load.process_memory else "", _of_core(load.process_cpu)]),
        ]
        lines = []
        for name, words in rows:
            pieces = [(rank, Content(word)) for rank, word in enumerate(words) if word]
            if pieces:
                lines.append(Content.assemble((f"{name:<{NAME}}", MUTED), fit(pieces, width - NAME)))
        return lines

    def _curve(self, name: str) -> str:
        return sparkline(self.busy[name], REMEMBERED, (0.0, 100.0))


def _busy(percent: float | None) -> str:
    return "" if percent is None else f"{percent:>3.0f} %"


def _of_core(percent: float | None) -> str:
    return "" if percent is None else f"{percent:.0f} % CPU"


def _unit(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.0f} {unit}"


def _memory(used: int | None, total: int | None) -> str:
    return "" if used is None or not total else f"{size(used)} of {size(total)}"
