"""What a person changes about runs from a list of them, each change with its way back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tui_trainer.runs import notes, trash
from tui_trainer.runs.directory import Run
from tui_trainer.runs.notes import Notes
from tui_trainer.text import InputError, plural


class Changes:
    """Changes since the list was opened; the last is taken back first."""

    def __init__(self) -> None:
        self.made: list[tuple[str, Callable[[], None]]] = []

    def note(self, words: str, runs: Sequence[Run], do: Callable[[Run], Notes]) -> None:
        """Change the notes of runs by `do`. Raises `InputError`; what was changed before it can be taken back."""
        before: list[tuple[Run, Notes]] = []

        def back() -> None:
            for run, was in before:
                _put(run, was)

        try:
            for run in runs:
                was = notes.read(run)
                do(run)
                before.append((run, was))
        finally:
            if before:
                self.made.append((words, back))

    def delete(self, runs: Sequence[Run]) -> list[str]:
        """Move runs to the trash; one line for each that could not be."""
        gone: list[Run] = []
        problems: list[str] = []
        for run in runs:
            try:
                gone.append(trash.move(run))
            except InputError as error:
                problems += error.problems

        def back() -> None:
            for run in gone:
                trash.restore(run)

        if gone:
            self.made.append((f"deletion of {plural(len(gone), 'run')}", back))
        return problems

    def undo(self) -> str:
        """Take the last change back, and say which it was. Raises `InputError`."""
        if not self.made:
            raise InputError("nothing to take back")
        words, back = self.made.pop()
        back()
        return words


def _put(run: Run, was: Notes) -> None:
    notes.change(run, lambda _: was)
