"""The data sets: what they are, which are here, how to get the others and one's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import DataTable, Static

from tui_trainer import datasets
from tui_trainer.datasets import Dataset
from tui_trainer.text import InputError, clean, size
from tui_trainer.ui.describe import fact
from tui_trainer.ui.widgets.footer import KeyFooter
from tui_trainer.ui.widgets.job_line import JobLine
from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.words import MUTED, marked

COLUMNS = (("data set", 16), ("inputs", 7), ("classes", 7), ("train", 8), ("test", 7), ("here", 10), ("on disk", 10))
RIGHT = ("classes", "train", "test", "on disk")  # numbers
OWN = "your own"
OWN_TITLE = "Your own data, as a .csv or .npz file"
OWN_FACTS = (
    ("csv", "a header line, then one example a row: numbers, and a column that holds the class"),
    ("npz", "arrays x, an example a row, and y, the class of each"),
    ("dashboard", "e on a preset, then data set csv or npz, your file, and the name of the class's column"),
    (
        "command",
        "tui-trainer train digits --set data.name=csv --set data.file=points.csv --set data.label_column=label",
    ),
    ("check", "tui-trainer data check points.csv"),
    ("split", "70 % train, 15 % validation, 15 % test, or all for each of them"),
)


@dataclass(frozen=True)
class Entry:
    """One data set as it lies on this machine; `size` of its files in bytes."""

    dataset: Dataset
    present: bool
    size: int


class DataScreen(Screen[None]):
    HELP = (
        "Every data set that a preset or a run can name. ✓ is one whose files are here, or that needs none; f fetches "
        "one that is not, from where torchvision gets it, and checks it. c reads a set whole and compares it with "
        "what is published of it: digests, shapes and labels. While either goes on, c cancels it. The last line is "
        "how to train on a file of your own."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "fetch", "fetch", tooltip="Download the highlighted data set and check it"),
        Binding("c", "check", "check", tooltip="Read it whole and compare it with what is published"),
        Binding("c", "cancel", "cancel", tooltip="End the work under way; nothing half-made is left"),
        Binding("escape", "app.pop_screen", "back", tooltip="Home"),
    ]

    class Looked(Message):
        """The data sets on disk, as of now."""

        def __init__(self, entries: list[Entry]) -> None:
            super().__init__()
            self.entries = entries

    def __init__(self, data_root: Path, first: str = "") -> None:
        super().__init__()
        self.data_root = data_root
        self.first = first
        self.entries: list[Entry] = []

    def compose(self) -> ComposeResult:
        where = clean(str(self.data_root), 200)
        with VerticalScroll(id="data-top", can_focus=False):
            yield Line(Content.assemble(("Data sets", "bold"), (f"   in {where}", MUTED)))
        yield DataTable[Text](id="data-table", cursor_type="row", cursor_foreground_priority="renderable")
        with VerticalScroll(id="data-panel"):
            yield Static(Content.styled("looking at the disk…", MUTED), id="data-facts", markup=False)
        yield JobLine(id="data-job")
        yield Static(id="data-status", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        for name, width in COLUMNS:
            table.add_column(Text(name, justify="right" if name in RIGHT else "left"), width=width)
        self.say("", True)
        table.focus()
        self.look()

    @work(thread=True, exclusive=True)
    def look(self) -> None:
        root = self.data_root
        entries = [
            Entry(entry, datasets.is_present(entry, root), datasets.size_on_disk(entry, root))
            for entry in datasets.CATALOGUE.values()
        ]
        self.post_message(self.Looked(entries))

    def on_data_screen_looked(self, event: Looked) -> None:
        table = self.query_one(DataTable)
        names = [entry.dataset.name for entry in self.entries]
        line = (
            table.cursor_row if names else max(0, [e.dataset.name for e in event.entries].index(self.first or "digits"))
        )
        self.entries = event.entries
        table.clear()
        for entry in event.entries:
            table.add_row(*_cells(entry))
        table.add_row(Text(OWN), *(Text("") for _ in COLUMNS[1:]))
        table.move_cursor(row=line)
        self.show_facts()

    @property
    def entry(self) -> Entry | None:
        """The highlighted data set."""
        row = self.query_one(DataTable).cursor_row
        return self.entries[row] if row < len(self.entries) else None

    @on(DataTable.RowHighlighted)
    @on(events.Resize)
    def show_facts(self) -> None:
        if self.entries:
            width = max(self.query_one("#data-panel").scrollable_content_region.width, 20)
            self.query_one("#data-facts", Static).update(page(self.entry, self.data_root, width))

    def say(self, words: str, good: bool) -> None:
        """One line of what came of it, until the next."""
        text, colour = marked("finished" if good else "failed")
        status = Content.assemble((text[0] + " ", colour), words) if words else Content("")
        self.query_one("#data-status", Static).update(status)
        self.set_class(not words, "-data-quiet")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        busy = self.is_mounted and self.query_one(JobLine).busy
        return {"check": not busy, "fetch": not busy, "cancel": busy}.get(action, True)

    def action_fetch(self) -> None:
        self._work("fetching", "fetch")

    def action_check(self) -> None:
        self._work("checking", "check-data")

    def _work(self, doing: str, job: str) -> None:
        entry = self.entry
        if entry is None:
            self.say("Your own file is where you have put it; tui-trainer data check FILE reads it.", True)
        elif not entry.dataset.files:
            self.say(f"{entry.dataset.name} needs no files: {entry.dataset.source}", True)
        elif job == "check-data" and not entry.present:
            self.say(f"{entry.dataset.name} is not here; f fetches it", False)
        elif job == "fetch" and entry.present:
            self.say(f"{entry.dataset.name} is here already; c checks it", True)
        else:
            try:
                self.query_one(JobLine).start(
                    f"{doing} {entry.dataset.name}", job, entry.dataset.name, str(self.data_root)
                )
            except InputError as error:
                self.say(str(error), False)
            else:
                self.say("", True)
        self.refresh_bindings()

    def action_cancel(self) -> None:
        self.query_one(JobLine).cancel()

    @on(JobLine.Ended)
    def tell(self, event: JobLine.Ended) -> None:
        if event.result is not None:
            self.say(f"{event.result['name']} {event.result['message']}", True)
        else:
            self.say(event.problem or f"{event.title}: cancelled, nothing has changed", False)
        self.look()
        self.refresh_bindings()


def _cells(entry: Entry) -> list[Text]:
    found = entry.dataset
    shape = "×".join(map(str, found.image_shape)) if found.image_shape else str(found.inputs)
    train, test = _counts(found)
    here, colour = ("here", "") if entry.present else ("absent", "dim")
    mark = marked("finished" if entry.present else "failed")[0][0]
    values = [found.name, shape, str(found.classes), train, test, f"{mark} {here}"]
    values.append(size(entry.size) if entry.size else "–")
    return [
        Text(value, colour, justify="right" if name in RIGHT else "left")
        for value, (name, _) in zip(values, COLUMNS, strict=True)
    ]


def _counts(found: Dataset) -> tuple[str, str]:
    """Examples for training and for the test with the usual cut; words where the config says how many."""
    if not found.files and not found.count:
        return "drawn", "drawn"
    split = datasets.split_sizes(found, found.default_split, 0)
    return f"{split.train:,}", f"{split.test:,}"


def page(entry: Entry | None, root: Path, width: int) -> Content:
    """Everything about one data set, or about one's own files."""
    if entry is None:
        lines = [Content.styled(OWN_TITLE, "bold"), Content("")]
        for name, value in OWN_FACTS:
            lines += fact(name, value, width)
        return Content("\n").join(lines)
    found = entry.dataset
    lines = [Content.styled(found.title[:1].upper() + found.title[1:], "bold"), Content("")]
    if not entry.present:
        lines += fact("get it", f"f, or: tui-trainer data fetch {found.name}", width, "$text-warning")
    lines += fact("classes", ", ".join(found.class_names), width)
    for split in found.splits:
        lines += fact("split" if split == found.default_split else "", f"{split}: {_cut(found, split)}", width)
    lines += fact("source", found.source, width)
    if not found.files:
        return Content("\n").join(lines)
    lines += fact("folder", clean(str(root / found.folder), 300), width)
    lines += fact("checked by", datasets.checked(found), width)
    return Content("\n").join(lines)


def _cut(found: Dataset, split: str) -> str:
    if not found.files and not found.count:
        return "of as many points as data.examples says"
    return datasets.split_sizes(found, split, 0).description
