"""Commands that note something on a run: tags, a note, what is archived, which checkpoints stay."""

from __future__ import annotations

from typing import Annotated

import typer

from tui_trainer.cli.options import RunName, RunNames, checkpoint_file, find
from tui_trainer.text import InputError

Undo = Annotated[bool, typer.Option("--undo", help="the other way round")]


def tag(
    reference: RunName,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="+TAG|-TAG…", help="tags to add and to take away")
    ] = None,
) -> None:
    """Tag a run, or take tags away.

    Without a tag: print those it has.
    """
    from tui_trainer.runs import notes

    chosen = find(reference)
    said = notes.tag(chosen, words) if words else notes.read(chosen)
    print(f"{chosen.id}: {' '.join(said.tags) or 'no tags'}")


def note(
    reference: RunName,
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="'' takes it away")] = None,
) -> None:
    """Write a note on a run.

    Without a text: print it.
    """
    from tui_trainer.runs import notes

    chosen = find(reference)
    said = notes.read(chosen) if text is None else notes.annotate(chosen, text)
    print(said.note or f"{chosen.id}: no note")


def archive(references: RunNames, undo: Undo = False) -> None:
    """Take runs out of the lists.

    They stay on disk; --archived lists them.
    """
    from tui_trainer.runs import notes

    for chosen in [find(reference) for reference in references]:
        notes.archive(chosen, not undo)
        print(f"{chosen.id}: {'in the lists again' if undo else 'archived'}")


def pin(
    reference: RunName,
    checkpoint: Annotated[str, typer.Argument(metavar="CHECKPOINT", help="best, last, an epoch as e12, or a file")],
    undo: Undo = False,
) -> None:
    """Keep a checkpoint whatever else is cleared away."""
    from tui_trainer.runs import follow, notes

    chosen = find(reference)
    pins = notes.read(chosen).pins
    if undo and checkpoint in pins:  # its file may have gone
        name = checkpoint
    else:
        file = checkpoint_file(chosen, follow.load(chosen), checkpoint)
        name = file.name
        if file.parent != chosen.checkpoints or not file.is_file():
            raise InputError(f"CHECKPOINT: {checkpoint[:80]!r} is not a checkpoint in {chosen.checkpoints}")
        if undo and name not in pins:
            raise InputError(f"CHECKPOINT: {name} is not pinned")
    notes.pin(chosen, name, not undo)
    print(f"{chosen.id}: {name} {'no longer pinned' if undo else 'pinned'}")
