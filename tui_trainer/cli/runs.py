"""Commands about all runs: listed, taken away and brought back, the disk they take."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from tui_trainer.cli.dashboard import runs_root
from tui_trainer.cli.options import Json, RunName, Yes, find
from tui_trainer.text import InputError, plural, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_trainer.runs.listing import Summary

MOST_LISTED = 10
trash_app = typer.Typer(help="Runs that were deleted.", rich_markup_mode=None)


def runs(
    wanted: Annotated[
        str, typer.Option("--filter", metavar="WORDS", help="as 'val_accuracy>98% optimizer=adam -tag:debug'")
    ] = "",
    sort: Annotated[str, typer.Option(metavar="[-]FIELD", help="by this field; with - the greatest first")] = "",
    archived: Annotated[bool, typer.Option("--archived", help="archived runs too")] = False,
    json: Json = False,
) -> None:
    """List runs, newest first.

    Archived ones only with --archived, or where the filter asks for them.
    """
    from tui_trainer import plain
    from tui_trainer.runs import summaries

    found, problems = summaries.read_all(runs_root())
    if problems:
        print("\n".join(problems), file=sys.stderr)
    shown = chosen(found, wanted, sort, archived) if found else []
    if json:
        plain.print_json([run.facts for run in shown])
    elif shown:
        headings = ("run", "state", "epoch", "best validation", "test", "time", "verdict", "tags")
        plain.print_table(headings, plain.run_rows(shown), right=frozenset({2, 3, 4, 5}))
    elif found:
        print(f"none of {plural(len(found), 'run')}; archived ones: --archived")
    else:
        print(f"no runs in {runs_root()} yet; try: tui-trainer train digits")


def chosen(found: Sequence[Summary], wanted: str, sort: str, archived: bool) -> list[Summary]:
    """The runs asked for, in the order asked for. Raises `InputError`."""
    from tui_trainer.runs import filter

    fields = filter.fields_of(found)
    holds = filter.parse(wanted, fields)
    archived = archived or holds.asks_of("archived")
    shown = [run for run in found if (archived or not run.notes.archived) and holds(run)]
    if not sort:
        return shown
    try:
        field = filter.resolve(sort.removeprefix("-"), fields)
    except ValueError as error:
        raise InputError(f"--sort: {error}") from None
    return filter.order(shown, field, falling=sort.startswith("-"))


def delete(
    references: Annotated[
        list[str] | None, typer.Argument(metavar="RUN…", help="ids, unique beginnings of them, or 'last'")
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="bring back what was deleted last")] = False,
    yes: Yes = False,
) -> None:
    """Move runs to the trash, with their checkpoints.

    They take disk until: tui-trainer trash empty
    """
    from tui_trainer.runs import trash

    if undo:
        for reference in references or ["last"]:
            trash_restore(reference)
        return
    if not references:
        raise InputError("RUN: which runs? --undo brings back what was deleted last")
    doomed = list(dict.fromkeys(find(reference) for reference in references))
    if not yes:
        ask(f"move {', '.join(run.id for run in doomed)} to the trash?")
    for run in doomed:
        trash.move(run)
        print(f"{run.id}: in the trash; back again: tui-trainer trash restore {run.id}")


def ask(question: str, for_good: bool = False) -> None:
    """End here unless the person says yes. Where nobody can be asked, go on with what can be undone."""
    if sys.stdin.isatty():
        typer.confirm(question, abort=True)
    elif for_good:
        raise InputError(f"--yes: {question} nobody can be asked here")


@trash_app.command("list")
def trash_list() -> None:
    """List what was deleted, the last first."""
    from tui_trainer.runs import disk, trash

    for run in trash.contents(runs_root()):
        print(f"{run.id}  {size(disk.usage(run).total)}")


@trash_app.command("restore")
def trash_restore(reference: RunName) -> None:
    """Bring a deleted run back.

    'last' is the one deleted last.
    """
    from tui_trainer.runs import trash

    run = trash.restore(trash.find(runs_root(), reference))
    print(f"{run.id}: is back")


@trash_app.command("empty")
def trash_empty(yes: Yes = False) -> None:
    """Delete for good what is in the trash."""
    from tui_trainer.runs import disk, trash

    doomed = trash.contents(runs_root())
    if doomed and not yes:
        used = size(sum(disk.usage(run).total for run in doomed))
        ask(f"delete {plural(len(doomed), 'run')} ({used}) for good?", for_good=True)
    print(f"{plural(trash.empty(runs_root()), 'run')} deleted")


def disk_used(
    free: Annotated[bool, typer.Option("--free", help="delete the checkpoints nothing keeps")] = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Print the disk that runs take, and what could go.

    Checkpoints that are neither best nor newest, saved by hand nor pinned, of runs that have ended.
    """
    from tui_trainer import plain
    from tui_trainer.runs import disk, summaries

    found, problems = summaries.read_all(runs_root())
    if problems:
        print("\n".join(problems), file=sys.stderr)
    used = disk.report(found, runs_root())
    spare = sum(map(len, used.spare.values()))
    if json:
        plain.print_json(used.as_json())
    else:
        lines = sorted(used.runs.items(), key=lambda line: line[1].total, reverse=True)
        if len(lines) > MOST_LISTED:
            rest = sum((u for _, u in lines[MOST_LISTED:]), disk.Usage())
            lines[MOST_LISTED:] = [(f"and {plural(len(lines) - MOST_LISTED, 'smaller run')}", rest)]
        lines.append(("together", used.total))
        rows = [(name, size(u.total), size(u.checkpoints), size(u.events)) for name, u in lines]
        plain.print_table(("run", "disk", "checkpoints", "events"), rows, right=frozenset({1, 2, 3}))
        print(f"trash: {size(used.trash)}" + ("; free it: tui-trainer trash empty" if used.trash else ""))
        words = "; free it: tui-trainer disk --free" if spare and not free else ""
        print(f"nothing keeps {plural(spare, 'checkpoint')}: {size(used.spare_bytes)}{words}")
    if free and spare:
        if not yes:
            ask(f"delete {plural(spare, 'checkpoint')} ({size(used.spare_bytes)}) for good?", for_good=True)
        by_id = {run.run.id: run.run for run in found}
        freed = sum(disk.remove(by_id[id], files) for id, files in used.spare.items())
        print(f"{size(freed)} freed", file=sys.stderr if json else sys.stdout)
