"""The checkpoints of a run: a list to choose from, what can be done with each, and how a job on one stands."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui_trainer.runs import checkpoints, disk, notes
from tui_trainer.runs.events import Checkpoint
from tui_trainer.runs.follow import Follower
from tui_trainer.text import InputError, clean, percent, plural, size
from tui_trainer.ui import saved
from tui_trainer.ui.messages import ForkWanted
from tui_trainer.ui.screens.ask import Answer, AskScreen
from tui_trainer.ui.screens.ask_file import AskFileScreen
from tui_trainer.ui.widgets.job_line import JobLine
from tui_trainer.ui.widgets.line import Lines
from tui_trainer.ui.words import MUTED

AGE_SECONDS = 5  # ages move in steps: every one that moves repaints the list
SPLITS = (
    Answer("t", "test", "test"),
    Answer("v", "validation", "validation"),
    Answer("r", "train", "train", "takes longest"),
)


class CheckpointList(OptionList):
    """A click chooses, a second one forks: a list of doors should not open on touch."""

    def on_click(self, event: events.Click) -> None:
        clicked: int | None = event.style.meta.get("option")
        if event.chain < 2 and clicked is not None:
            event.prevent_default()
            self.highlighted = clicked


class CheckpointPanel(Vertical):
    """Newest first. Its keys work while the list has the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "fork", "fork from it", tooltip="A new run from this checkpoint, settings changed"),
        Binding("v", "check", "verify", tooltip="Read the file and compare its content with the sha256 inside it"),
        Binding("e", "evaluate", "evaluate", tooltip="Loss and accuracy of these weights on a whole split"),
        Binding("x", "export", "export", tooltip="Write these weights as .pth, for plain PyTorch"),
        Binding("i", "pin", "pin", tooltip="Keep this checkpoint whatever else is cleared away, or no longer"),
        Binding("d", "delete", "delete", tooltip="Delete this checkpoint; asks first"),
        Binding("c", "cancel", "cancel", tooltip="End what is under way here"),
    ]
    CHOSEN: ClassVar[set[str]] = {"fork", "check", "evaluate", "export", "pin", "delete"}

    class Told(Message):
        """Something for the log: what a job on a checkpoint found, or why there is no result."""

        def __init__(self, words: str, failed: bool = False) -> None:
            super().__init__()
            self.words = words
            self.failed = failed

    def __init__(self, follower: Follower, id: str | None = None) -> None:
        super().__init__(id=id)
        self.follower = follower
        self.rows: list[tuple[str, Content]] = []
        self.subject: Checkpoint | None = None
        self.last_words = Content("")
        self.pins: tuple[str, ...] = ()
        self.pins_stamp = 0

    def compose(self) -> ComposeResult:
        yield CheckpointList(id="checkpoints", compact=True)
        yield JobLine()
        yield Lines(id="checkpoint-status")

    def on_resize(self) -> None:
        self.call_after_refresh(self.show)

    def show(self) -> None:
        """The list as the run's events have it now."""
        state, listed = self.follower.state, self.query_one(CheckpointList)
        newest_first = sorted(state.checkpoints.values(), key=lambda c: (c.step, c.time), reverse=True)
        width, now = listed.scrollable_content_region.width, time.time() // AGE_SECONDS * AGE_SECONDS
        rows = saved.lines(newest_first, width, now, self._pins(), self._best)
        if rows != self.rows:
            chosen = self.chosen
            same = [file for file, _ in rows] == [file for file, _ in self.rows]
            before, self.rows = self.rows, rows
            if same:
                for row, known in zip(rows, before, strict=True):
                    if row != known:
                        listed.replace_option_prompt(*row)
            else:
                listed.set_options([Option(row, id=file) for file, row in rows])
                files = [file for file, _ in rows]
                listed.highlighted = (
                    files.index(chosen.file) if chosen and chosen.file in files else 0 if rows else None
                )
                self.refresh_bindings()
        self._tell()

    def _tell(self) -> None:
        """What was done last, and how many there are."""
        found = self.follower.state.checkpoints.values()
        total = f"{plural(len(found), 'checkpoint')}, {size(sum(c.bytes for c in found))}"
        none = "none yet; s saves one now" if self.follower.alive else "no checkpoint"
        lines = [self.last_words, Content.styled(total if found else none, MUTED)]
        self.query_one("#checkpoint-status", Lines).content = Content("\n").join(line for line in lines if line)

    @property
    def chosen(self) -> Checkpoint | None:
        listed = self.query_one(CheckpointList)
        if listed.highlighted is None or listed.highlighted >= len(self.rows):
            return None
        return self.follower.state.checkpoints.get(self.rows[listed.highlighted][0])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "cancel":
            return self.query_one(JobLine).busy
        return self.chosen is not None if action in self.CHOSEN else True

    @on(OptionList.OptionSelected)
    def action_fork(self) -> None:
        if chosen := self.chosen:
            self.post_message(ForkWanted(self.follower, chosen))

    @on(OptionList.OptionHighlighted)
    def forget_last_words(self) -> None:
        self.last_words = Content("")
        self._tell()

    def _start(self, subject: Checkpoint, title: str, *arguments: str) -> None:
        try:
            self.query_one(JobLine).start(title, *arguments)
        except InputError as error:
            self._say(str(error), failed=True)
        else:
            self.subject = subject
            self.add_class("-busy")
            self.refresh_bindings()

    def _file(self, checkpoint: Checkpoint) -> Path:
        return self.follower.run.checkpoints / checkpoint.file

    def action_check(self) -> None:
        if chosen := self.chosen:
            self._start(chosen, "verifying", "check", str(self._file(chosen)))

    def action_evaluate(self) -> None:
        chosen = self.chosen
        if chosen is None:
            return

        def start(split: str | None) -> None:
            if split:
                run, root = str(self.follower.run.path), str(self.follower.data_root)
                self._start(chosen, f"evaluating on {split}", "evaluate", run, str(self._file(chosen)), split, root)

        self.app.push_screen(AskScreen(f"Evaluate {saved.name(chosen)} on", "", SPLITS, "not now"), start)

    def action_export(self) -> None:
        chosen = self.chosen
        if chosen is None:
            return

        def start(file: Path | None) -> None:
            if file:
                self._start(chosen, "exporting", "export", str(self._file(chosen)), str(file.absolute()), "")

        name = f"{self.follower.state.name}-{saved.name(chosen)}.pth".replace("/", "-")
        self.app.push_screen(AskFileScreen(f"Export {saved.name(chosen)} for PyTorch to", Path.cwd() / name), start)

    @property
    def _best(self) -> int | None:
        best = self.follower.state.best
        return best.step if best else None

    def _pins(self) -> tuple[str, ...]:
        """Read anew only where the person's notes have changed."""
        file = self.follower.run.notes_file
        try:
            stamp = file.stat().st_mtime_ns
        except OSError:
            stamp = 0
        if stamp != self.pins_stamp:
            self.pins_stamp = stamp
            with suppress(InputError):  # damaged notes: what was known stays, and the list of all runs says it
                self.pins = notes.read(self.follower.run).pins
        return self.pins

    def action_pin(self) -> None:
        if chosen := self.chosen:
            pinned = chosen.file not in self._pins()
            try:
                self.pins = notes.pin(self.follower.run, chosen.file, pinned).pins
            except InputError as error:
                self._say(str(error), failed=True)
            else:
                self.show()
                self._say(f"{saved.name(chosen)} {'stays until it is unpinned' if pinned else 'is no longer pinned'}")

    def action_delete(self) -> None:
        chosen, run = self.chosen, self.follower.run
        if chosen is None:
            return
        if refusal := checkpoints.why_kept(run, self.follower.state, chosen.file, self._pins()):
            self._say(refusal, failed=True)
            return

        def act(answer: str | None) -> None:
            if answer:
                try:
                    freed = disk.remove(run, [chosen.file])
                except InputError as error:
                    self._say(str(error), failed=True)
                else:
                    self._say(f"deleted {saved.name(chosen)}, {size(freed)} are free")

        best = "the weights of the best epoch; " if chosen.step == self._best else ""
        answers = (Answer("d", "delete", "delete", f"frees {size(chosen.bytes)}"),)
        self.app.push_screen(
            AskScreen(f"Delete {saved.name(chosen)}?", f"{best}it cannot be brought back", answers, "keep it"), act
        )

    def action_cancel(self) -> None:
        self.query_one(JobLine).cancel()

    @on(JobLine.Ended)
    def tell(self, event: JobLine.Ended) -> None:
        self.remove_class("-busy")
        self.refresh_bindings()
        name = saved.name(self.subject) if self.subject else ""
        if event.problem:
            self._say(event.problem, failed=True)
        elif event.result is None:
            self._say(f"{event.title} {name}: cancelled")
        else:
            self._say(f"{name} {_outcome(event.result)}")

    def _say(self, words: str, failed: bool = False) -> None:
        words = clean(words, 400)
        self.last_words = Content.styled(words, "$text-error" if failed else "$text-success")
        self._tell()
        self.post_message(self.Told(words, failed))


def _outcome(result: dict[str, Any]) -> str:
    """What a job found, in words."""
    if "split" in result:
        right = f"{result['correct']:,} of {result['examples']:,}"
        return f"on {result['split']}: {percent(result['accuracy'])}, loss {result['loss']:.4f} ({right})"
    if "keys" in result:
        return f"written to {clean(str(result['file']), 200)}"
    return f"is sound: all {size(result['bytes'])} match its sha256"
