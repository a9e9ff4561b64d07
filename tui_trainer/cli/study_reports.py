"""Commands that write out what a study or several runs have shown."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal, get_args

import typer

from tui_trainer.cli import studies
from tui_trainer.cli.options import Json, Progress, find
from tui_trainer.cli.studies import StudyName
from tui_trainer.text import InputError

Format = Literal["md", "html", "csv", "xlsx", "json"]
Output = Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="where to; - is stdout")]


def report(
    name: StudyName,
    output: Output = Path("-"),
    format: Annotated[Format | None, typer.Option(help="as the file's name ends, or else md")] = None,
) -> None:
    """Write a study's report.

    The table, printed figures beside ours, claims, charts, conclusions; of what has finished so far.
    """
    from tui_trainer.studies import follow
    from tui_trainer.studies import report as reports

    named: list[Format] = [known for known in get_args(Format) if output.suffix == f".{known}"]
    chosen = format or (named[0] if named else "md")
    on_stdout = output == Path("-")
    if on_stdout and chosen == "xlsx":
        raise InputError("--output: an xlsx needs a file")
    with Progress("reading the study") as progress:
        follower = follow.load(
            studies.find(name), lambda done, of: progress.tell({"done": done, "of": of, "unit": "runs"})
        )
    if on_stdout:
        sys.stdout.write(reports.text(follower, chosen))
        return
    for path in reports.write(follower, chosen, output):
        print(path)


def conclusions(
    name: StudyName,
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT", help="without it, the conclusions there are are printed")
    ] = None,
    edit: Annotated[bool, typer.Option("--edit", help="write them in $EDITOR")] = False,
) -> None:
    """Read or write the conclusions of a study's report."""
    from tui_trainer.studies import notes

    chosen = studies.find(name)
    if edit:
        if text is not None:
            raise InputError("--edit: opens an editor; leave TEXT out")
        text = edited(notes.conclusions(chosen))
    if text is None:
        print("\n".join(notes.printable(chosen)) or "none written yet")
    else:
        notes.write_conclusions(chosen, text)
        print(f"{chosen.id}: conclusions written")


def edited(text: str) -> str:
    """What the person makes of `text` in their editor. Raises `InputError` where the editor fails."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with TemporaryDirectory() as folder:
        file = Path(folder) / "conclusions.txt"
        file.write_text(text, encoding="utf-8")
        try:
            subprocess.run([*shlex.split(editor), str(file)], check=True)
            return file.read_text(encoding="utf-8").strip()
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            raise InputError(f"--edit: {editor}: {error}; the conclusions stay as they were") from None


def export(
    name: StudyName,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="gets a folder saved_model")],
    names: Annotated[str, typer.Option(help="names of the linear layers, joined by commas")] = "",
    seed: Annotated[int | None, typer.Option(help="of each setting; its first finished one by default")] = None,
) -> None:
    """Write the best epochs as .pth.

    saved_model/setting_k/epoch_n.pth, k counting the rows of the table, for plain PyTorch: epoch and model_state_dict.
    """
    from tui_trainer.studies import follow, saved_models

    follower = follow.load(studies.find(name))
    missing = 0
    with Progress() as progress:
        for number, row in enumerate(follower.rows, start=1):
            progress.show(f"setting {number} of {len(follower.rows)}")
            try:
                written = saved_models.export(row, number, output, names, seed)
            except InputError as error:
                missing += 1
                print("\n".join(error.problems), file=sys.stderr)
            else:
                print(f"{written.file}: {row.row.name}, seed {written.seed}")
    raise typer.Exit(1 if missing else 0)


def compare(
    references: Annotated[list[str], typer.Argument(metavar="RUN…", help="ids, unique beginnings of them, or 'last'")],
    json: Json = False,
) -> None:
    """Put runs side by side.

    The fields that differ, their numbers and how far each lies from the first run, who stems from whom.
    """
    from tui_trainer import plain
    from tui_trainer.runs import follow
    from tui_trainer.studies.compare import compare as compare_runs
    from tui_trainer.studies.compare import rows

    if len(references) < 2:
        raise InputError("RUN: name two runs or more")
    compared = compare_runs([follow.load(find(reference)) for reference in references])
    if json:
        plain.print_json(compared.as_json())
        return
    for number, state in enumerate(compared.runs, start=1):
        print(f"{number}  {state.id}  {plain.GLYPHS[state.status]} {state.status}")
    print(*compared.kinship, "", sep="\n")
    headings = ("", *map(str, range(1, len(compared.runs) + 1)), *(["mean"] if compared.are_seeds else []))
    plain.print_table(headings, rows(compared), right=frozenset(range(1, len(headings))))


app = studies.app
for command in (report, conclusions, export):
    app.command()(command)
