"""What a run's network gets wrong: what it confuses with what, and the examples it is most wrong on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import DataTable

from tui_trainer.runs.checkpoints import newest_on_disk
from tui_trainer.runs.events import Boundary
from tui_trainer.runs.events import Confusion as Counts
from tui_trainer.runs.follow import Follower
from tui_trainer.text import InputError, clean, percent, plural
from tui_trainer.ui.plane import Plane
from tui_trainer.ui.report import Piece, fit
from tui_trainer.ui.sight import in_sight, repaint_seconds
from tui_trainer.ui.widgets.chart import Chart
from tui_trainer.ui.widgets.confusion import Confusion
from tui_trainer.ui.widgets.footer import KeyFooter
from tui_trainer.ui.widgets.gallery import Gallery
from tui_trainer.ui.widgets.job_line import JobLine
from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.words import MUTED

SPLITS = ("test", "validation", "train")


class MistakesScreen(Screen[None]):
    HELP = (
        "A checkpoint's answers on examples whose class is known. A row of the table is a true class, a column what "
        "the network said; the diagonal is right, all else is wrong, the darker the more often; without colours a "
        "sign before the number says so, from ░ for seldom to █. The cell with the highlight decides which mistakes "
        "are shown below, the worst first: those of one pair of classes, on the diagonal all of one class, in the "
        "corner all there are. Where there are many, the worst of all and of each pair are shown. Recall: of a class, "
        "how many were found. Precision: of what was called so, how many were. While a run trains, its last "
        "checkpoint on validation is chosen, and the table moves with the epochs; the examples are those of the "
        "checkpoint that was looked at, until r looks again."
    )
    STATES = ()
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "which", "best/last", tooltip="The checkpoint of the best epoch, or the newest one"),
        Binding("t", "split", "split", tooltip="The test, validation or training examples"),
        Binding("a", "all", "all", tooltip="The mistakes of all classes"),
        Binding("tab", "app.focus_next", "table, examples", tooltip="From the one to the other"),
        Binding("r", "again", "again", show=False, tooltip="Look again, at the newest checkpoint of a live run"),
        Binding("c", "cancel", "cancel", show=False, tooltip="Stop looking"),
        Binding("escape", "back", "back", tooltip="Back to the run"),
    ]

    def __init__(self, follower: Follower) -> None:
        super().__init__()
        self.follower = follower
        self.which = "last" if follower.alive else "best"
        self.part = "validation" if follower.alive else SPLITS[0]
        self.found: Mapping[str, Any] | None = None
        self.told: Counts | None = None
        """What the table shows where it moves with the run."""
        self.problem = ""
        self.stale = False

    def compose(self) -> ComposeResult:
        with Vertical(id="mistakes-top"):
            yield Line(Content.assemble(("Mistakes", "bold"), (f" of {clean(self.follower.state.name, 40)}", MUTED)))
            yield Line(id="mistakes-facts")
            yield JobLine()
        yield Confusion(id="confusion")
        with Vertical(id="mistakes-bottom"):
            yield Line(id="mistake")
            yield Gallery(id="gallery")
            yield Chart("answers", (), id="mistakes-plane")
        yield KeyFooter()

    def on_mount(self) -> None:
        self.query_one(Confusion).focus()
        self.look()
        self.set_interval(repaint_seconds(self.app), self._tick)

    def _tick(self) -> None:
        """The screen below reads the events."""
        if in_sight(self):
            self.move()

    @property
    def newer(self) -> Counts | None:
        """What the worker has counted since the checkpoint that was looked at, on the same split."""
        told = self.follower.state.confusion
        if told is None or (self.which, self.part) != ("last", told.split):
            return None
        return told if self.found is None or told.step > self.found["step"] else None

    def move(self) -> None:
        """The newest counts in the table; the examples stay those of the last look."""
        told = self.newer
        if told is None or told is self.told:
            return
        self.told = told
        counts = told.counts
        columns = list(zip(*counts, strict=True))
        right = [row[label] for label, row in enumerate(counts)]
        found = {
            "classes": self._class_names(len(counts)),
            "confusion": counts,
            "recall": [n / sum(row) if any(row) else None for n, row in zip(right, counts, strict=True)],
            "precision": [n / sum(column) if any(column) else None for n, column in zip(right, columns, strict=True)],
        }
        self.query_one(Confusion).update(found)
        of = "" if self.found is None else f" · examples of {_name(self.found)}"
        examples, correct = sum(map(sum, counts)), sum(right)
        words = _facts(examples - correct, examples, told.split, correct / max(examples, 1))
        self._say(f"{words} · after epoch {told.epoch:,}{of}", "")
        self.describe()

    def _class_names(self, count: int) -> Sequence[str]:
        try:
            names = self.found["classes"] if self.found else self.follower.state.config.dataset.class_names
        except InputError:  # a file of one's own that has gone
            names = ()
        return names if len(names) == count else [str(label) for label in range(count)]

    def look(self) -> None:
        """Ask for the mistakes of the chosen checkpoint on the chosen split; after a job that is under way."""
        line = self.query_one(JobLine)
        if line.busy:
            self.stale = True
            line.cancel()
            return
        self.stale, self.told = False, None
        self._say(f"{self.which} checkpoint on {self.part}: looking…", MUTED)
        try:
            file = self._file()
            run, root = self.follower.run, self.follower.data_root
            line.start(f"looking at {self.part}", "mistakes", str(run.path), str(file), self.part, str(root))
        except InputError as error:
            self._refuse(error.problems[0])

    def _file(self) -> Path:
        """Raises `InputError` where the run keeps no such checkpoint."""
        state, folder = self.follower.state, self.follower.run.checkpoints
        newest, best = newest_on_disk(state, folder), state.best
        saved = [c for c in state.checkpoints.values() if best and c.step == best.step and (folder / c.file).is_file()]
        chosen = newest if self.which == "last" else next(iter(saved), None)
        if chosen is None:
            raise InputError(f"there is no {self.which} checkpoint on disk yet; b takes the other, r looks again")
        return folder / chosen.file

    def on_resize(self) -> None:
        self.call_after_refresh(self.describe)

    def on_descendant_focus(self) -> None:
        """In a low terminal whichever of the two has the focus gets the room."""
        self.set_class(self.query_one(Gallery).has_focus, "-examples")

    @on(JobLine.Ended)
    def take(self, event: JobLine.Ended) -> None:
        if self.stale:
            self.look()
        elif event.result is None:
            self._refuse(event.problem or "cancelled; r looks again")
        else:
            self._show(event.result)

    def _show(self, found: Mapping[str, Any]) -> None:
        self.found, self.told, self.problem = found, None, ""
        wrong = found["examples"] - found["correct"]
        facts = _facts(wrong, found["examples"], found["split"], found["accuracy"])
        self._say(f"{facts} · {self.which}, {_name(found)}", "$text-success" if not wrong else "")
        self.set_class(found["boundary"] is not None, "-plane")
        self.query_one(Confusion).fill(found)
        self.move()
        self.pick()

    def _refuse(self, problem: str) -> None:
        self.found, self.told, self.problem = None, None, f"! {clean(problem, 300)}"
        self.query_one(Confusion).fill({})
        self.query_one(Gallery).show((), (), None)
        self._say(self.problem, "$text-error")
        self.move()

    def _say(self, words: str, colour: str) -> None:
        self.query_one("#mistakes-facts", Line).content = Content.styled(words, colour) if colour else Content(words)

    @on(DataTable.CellHighlighted)
    def pick(self) -> None:
        """Show the examples of the highlighted cell."""
        if self.found is None:
            return
        table = self.query_one(Confusion)
        true, predicted = table.picked(table.cursor_coordinate)
        wanted = [
            example
            for example in self.found["mistakes"]
            if true in (None, example["true"]) and predicted in (None, example["predicted"])
        ]
        shape = self.found["image_shape"]
        self.query_one(Gallery).show(wanted, self._names, (shape[0], shape[1]) if shape else None)

    @property
    def _names(self) -> list[str]:
        return [clean(name, 12) for name in self.found["classes"]] if self.found else []

    @on(Gallery.Moved)
    def describe(self) -> None:
        """The chosen example in words."""
        gallery, line = self.query_one(Gallery), self.query_one("#mistake", Line)
        example, found = gallery.example, self.found
        if found is None:
            line.content = Content.styled(self.problem if self.told else "", "$text-error")
            return
        self._draw_plane(gallery.examples)
        if example is None:
            none = "every example is classified right" if found["correct"] == found["examples"] else "no mistakes here"
            line.content = Content.styled(none, MUTED)
            return
        names = self._names
        count = self.query_one(Confusion).mistakes_in(found["confusion"])
        shown = len(gallery.examples)
        number = f"{gallery.chosen + 1:,} of {shown:,}{f' shown of {count:,}' if shown < count else ''}"
        words = f"true {names[example['true']]}, predicted {names[example['predicted']]}"
        sure = f" with {percent(example['probability'], 1)}, true {percent(example['true_probability'], 1)}"
        pieces: list[Piece] = [
            (0, Content.styled(number, MUTED)),
            (0, Content.assemble((words, "bold"), sure)),
            (1, Content.styled(f"loss {example['loss']:.3f}", MUTED)),
            (2, Content.styled(f"no. {example['index']:,}", MUTED)),
        ]
        if found["boundary"]:
            place = f"at ({', '.join(f'{x:.2f}' for x in example['inputs'])})"
            pieces.insert(2, (1, Content.styled(place, MUTED)))
        line.content = fit(pieces, self.size.width - 2)

    def _draw_plane(self, examples: object) -> None:
        """With two inputs: what the network answers all over the plane, and these mistakes in it."""
        chart = self.query_one(Chart)
        if self.found is None or not self.found["boundary"] or not isinstance(examples, list):
            return
        points = [(*example["inputs"], example["true"]) for example in examples]
        boundary = msgspec.convert({**self.found["boundary"], "points": points}, Boundary)
        chart.source = lambda size: Plane(boundary)

    def action_which(self) -> None:
        self.which = "best" if self.which == "last" else "last"
        self.look()

    def action_split(self) -> None:
        self.part = SPLITS[(SPLITS.index(self.part) + 1) % len(SPLITS)]
        self.look()

    def action_again(self) -> None:
        self.look()

    def action_all(self) -> None:
        self.query_one(Confusion).move_cursor(row=0, column=0)

    def action_cancel(self) -> None:
        self.query_one(JobLine).cancel()

    def action_back(self) -> None:
        self.dismiss()


def _facts(wrong: int, examples: int, split: str, accuracy: float) -> str:
    count = plural(wrong, "mistake") if wrong else "no mistakes"
    return f"{count} in {plural(examples, f'{split} example')}, {percent(accuracy)} right"


def _name(found: Mapping[str, Any]) -> str:
    """Of the checkpoint that was looked at."""
    return str(found["checkpoint"]).removesuffix(".safetensors")
