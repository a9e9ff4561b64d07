"""What there is to work with: devices and how busy they are, data sets, free disk, and what would end a training."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from textual.content import Content

from tui_trainer import datasets, machine, session
from tui_trainer.machine import GIB, Device
from tui_trainer.text import plural, size
from tui_trainer.ui.describe import LABEL, fact
from tui_trainer.ui.widgets.line import Lines
from tui_trainer.ui.words import MUTED, bar, marked, shortened

BAR = 10  # cells


@dataclass(frozen=True)
class Machine:
    """The machine as of a moment: devices, the GPUs a run may go to, each downloadable data set and whether it is here.

    `disk_free` is in bytes, where runs are written.
    """

    devices: tuple[Device, ...]
    gpus: tuple[Device, ...]
    data: tuple[tuple[str, bool], ...]
    disk_free: int | None
    warning: str


def look(runs_root: Path, data_root: Path) -> Machine:
    """Takes milliseconds, with a slow driver more: for a thread."""
    present = tuple(
        (name, datasets.is_present(entry, data_root)) for name, entry in datasets.CATALOGUE.items() if entry.files
    )
    return Machine(tuple(machine.devices()), tuple(machine.visible()), present, _free(runs_root), session.warning())


def _free(folder: Path) -> int | None:
    """On the disk of the folder, or of where it will be made."""
    for place in (folder, *folder.absolute().parents):
        try:
            return shutil.disk_usage(place).free
        except FileNotFoundError:
            continue
        except OSError:
            return None
    return None


class MachinePanel(Lines):
    """Repaints when what it says has changed."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.found: Machine | None = None
        self.gpu = ""

    def show(self, found: Machine, gpu: str) -> None:
        """`gpu` is the UUID of the one that new runs go to, or nothing."""
        self.found, self.gpu = found, gpu
        self.on_resize()

    def on_resize(self) -> None:
        if self.found:
            self.content = page(self.found, self.gpu, max(self.size.width, 40))


def headline(found: Machine, gpu: str) -> str:
    """The device that a new run goes to, or the first, in a few words that stay as they are for a while."""
    first = next((device for device in found.devices if device.uuid == gpu != ""), found.devices[0])
    others = sum(device.kind == "cuda" for device in found.devices) - 1
    more = f" · {others} more" if first.kind == "cuda" and others else ""
    return machine.describe(replace(first, load=None)) + more


def page(found: Machine, gpu: str, width: int) -> Content:
    figures = [" · ".join(machine.figures(replace(device, cores=0))) for device in found.devices]
    room = max(width - LABEL - BAR - 2 - max(map(len, figures)), 8)
    lines = [
        _device(device, words, room, device.uuid == gpu != "").truncate(width, ellipsis=True)
        for device, words in zip(found.devices, figures, strict=True)
    ]
    if len(found.gpus) > 1:
        name = next((card.label for card in found.gpus if card.uuid == gpu), "the GPU with the most free memory")
        lines += fact("new runs", f"go to {name}; u chooses another", width)
    data = [Content.assemble(_presence(here), name) for name, here in found.data]
    lines += _flowing("data", data, "  d shows and fetches them", width)
    if found.disk_free is not None:
        short = found.disk_free < GIB
        lines += fact("disk", f"{size(found.disk_free)} free for runs", width, "$text-warning" if short else "")
    if found.warning:
        lines += fact("session", found.warning, width, MUTED)
    return Content("\n").join(lines)


def _device(device: Device, figures: str, room: int, chosen: bool) -> Content:
    """`cuda:0  NVIDIA H200  ━━━━──  131 of 139 GiB free · 3 % busy · 41 °C`; the bar is memory in use."""
    name = f"{device.name} · {plural(device.cores, 'core')}" if device.cores else device.name
    used = Content(" " * BAR)
    if device.memory_free is not None and device.memory_total:
        used = bar(1 - device.memory_free / device.memory_total, BAR)
    label = Content.styled(device.label.ljust(LABEL), "bold $accent" if chosen else MUTED)
    return Content.assemble(label, Content(shortened(name, room)).truncate(room, pad=True), " ", used, " ", figures)


def _presence(here: bool) -> Content:
    """A glyph that says it without colour."""
    text, colour = marked("finished" if here else "failed")
    return Content.styled(text[0] + " ", colour if here else MUTED)


def _flowing(label: str, pieces: list[Content], last: str, width: int) -> list[Content]:
    """Pieces side by side behind a label, on as many lines as they need."""
    lines, line = [], Content.styled(label.ljust(LABEL), MUTED)
    for piece in [*pieces, Content.styled(last.strip(), MUTED)]:
        if line.cell_length + piece.cell_length > width and line.cell_length > LABEL:
            lines.append(line)
            line = Content(" " * LABEL)
        line = Content.assemble(line, piece, "  ")
    return [each.rstrip() for each in (*lines, line)]
