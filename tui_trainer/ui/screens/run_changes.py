"""What a person may change about runs from a screen that lists them, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.binding import Binding
from textual.screen import Screen

from tui_trainer.runs import disk, notes
from tui_trainer.runs.changes import Changes
from tui_trainer.runs.directory import Run
from tui_trainer.runs.listing import Summary
from tui_trainer.runs.notes import Notes
from tui_trainer.text import InputError, clean, plural, size
from tui_trainer.ui.screens.ask import Answer, AskScreen
from tui_trainer.ui.screens.ask_line import AskLineScreen

CHANGE_KEYS = (
    Binding("t", "tags", "tags", tooltip="Tag the run, or take tags away"),
    Binding("n", "note", "note", show=False, tooltip="Write a note on the run"),
    Binding("a", "archive", "archive", show=False, tooltip="Out of the lists, or back into them"),
    Binding("d", "delete", "delete", tooltip="Move the run to the trash"),
    Binding("ctrl+z", "undo", "undo", tooltip="Take back the last change"),
)
"""Not in `BINDINGS` of the class below: the screen says where in its own footer they stand."""


class RunChanges(Screen[None]):
    """What `CHANGE_KEYS` do to what is `chosen`; `reread` is called after each change."""

    def __init__(self) -> None:
        super().__init__()
        self.changes = Changes()

    @property
    def chosen(self) -> list[Summary]:
        """The runs that a key acts on."""
        raise NotImplementedError

    def reread(self, _: object = None) -> None:
        """Show what has become of the runs."""
        raise NotImplementedError

    def action_tags(self) -> None:
        chosen = self.chosen
        had = " ".join(chosen[0].notes.tags) if len(chosen) == 1 else ""
        detail = f"has {had}; +word adds one, -word takes it away" if had else "words apart; -word takes one away"
        self._ask("Tags", detail, "", lambda run, line: notes.tag(run, line.split()))

    def action_note(self) -> None:
        said = clean(self.chosen[0].notes.note, notes.NOTE_LIMIT) if self.chosen else ""
        self._ask("Note", "an empty line takes it away", said, notes.annotate)

    def _ask(self, what: str, detail: str, value: str, do: Callable[[Run, str], Notes]) -> None:
        """Ask for a line, and change the notes of what is chosen by it."""
        runs = [summary.run for summary in self.chosen]
        if runs:
            names = self._names()

            def take(line: str) -> None:
                self.changes.note(f"{what.lower()} of {names}", runs, lambda run: do(run, line))

            self.app.push_screen(AskLineScreen(f"{what} of {names}", detail, value, take), self.reread)

    def _names(self) -> str:
        return self.chosen[0].name if len(self.chosen) == 1 else plural(len(self.chosen), "run")

    def action_archive(self) -> None:
        chosen = self.chosen
        if chosen:
            archived = not chosen[0].notes.archived
            words = f"{self._names()} {'archived' if archived else 'in the lists again'}"
            try:
                self.changes.note(words, [summary.run for summary in chosen], lambda run: notes.archive(run, archived))
            except InputError as error:
                self._complain(error.problems)
            else:
                self.notify(f"{words}; ctrl+z takes it back", markup=False)
            self.reread()

    def action_delete(self) -> None:
        runs = [summary.run for summary in self.chosen]
        if runs:
            used = sum(disk.usage(run).total for run in runs)
            answer = Answer("d", "delete", "to the trash", f"{size(used)}; ctrl+z brings it back")
            question = AskScreen(f"Delete {self._names()}?", "", [answer], "keep")
            self.app.push_screen(question, lambda said: self._delete(runs) if said else None)

    def _delete(self, runs: Sequence[Run]) -> None:
        problems = self.changes.delete(runs)
        if problems:
            self._complain(problems)
        if len(problems) < len(runs):
            self.notify(f"{plural(len(runs) - len(problems), 'run')} in the trash; ctrl+z brings back", markup=False)
        self.reread()

    def action_undo(self) -> None:
        try:
            self.notify(f"taken back: {self.changes.undo()}", markup=False)
        except InputError as error:
            self._complain(error.problems)
        self.reread()

    def _complain(self, problems: Sequence[str]) -> None:
        self.notify("\n".join(problems), severity="error", timeout=10, markup=False)
