"""`tui-trainer data`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tui_trainer.cli.dashboard import data_root
from tui_trainer.cli.options import Progress

if TYPE_CHECKING:
    pass


app = typer.Typer(help="List, download and check data sets.", rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def data_list(context: typer.Context) -> None:
    """List, download and check data sets."""
    if context.invoked_subcommand is not None:
        return
    from tui_trainer import datasets, plain

    root = data_root()
    rows = [
        (
            name,
            entry.title,
            "✓ present" if datasets.is_present(entry, root) else "– absent",
            ", ".join(entry.splits),
        )
        for name, entry in datasets.CATALOGUE.items()
    ]
    plain.print_table(("data set", "what it is", "here", "splits"), rows)
    print(f"\nin {root}")


@app.command("fetch")
def fetch(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Download a data set, with progress, and check its digests."""
    from tui_trainer import datasets

    datasets.dataset(name)
    download(name, data_root())


def download(name: str, root: Path) -> None:
    from tui_trainer.runs.jobs import run_job

    with Progress(f"downloading {name}") as progress:
        result = run_job("fetch", name, str(root), on_progress=progress.tell)
    print(f"{name} {result['message']}")


@app.command("check")
def data_check(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="a data set, or your own .csv or .npz file")],
    label_column: Annotated[str, typer.Option(help="for a .csv: the column that holds the class")] = "label",
) -> None:
    """Read a data set whole and compare it with what is published of it, or read a file of your own."""
    from tui_trainer import datasets

    if kind := datasets.own_kind(name):
        own = datasets.own(kind, name, label_column)
        print(f"{name}: sound; {own.count:,} examples of {own.inputs:,} inputs, {own.classes:,} classes")
        return
    entry = datasets.dataset(name)
    datasets.read(entry, data_root())
    print(f"{name}: sound; {datasets.checked(entry)}")
