"""What the command line understands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from tui_trainer.cli import (
    analyses,
    bench,
    data,
    devices,
    live,
    notes,
    presets,
    results,
    runs,
    settings,
    start,
    studies,
    study_reports,
    web,
)
from tui_trainer.cli.dashboard import begin, overrides
from tui_trainer.text import InputError, clean

app = typer.Typer(
    name="tui-trainer",
    help="Train multilayer perceptrons in a terminal dashboard. Without a command: the dashboard.",
    epilog="RUN is an id, a unique beginning of one, or 'last'. --runs and --data may stand anywhere on the line.",
    no_args_is_help=False,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
GLOBAL_OPTIONS = ("--runs", "--data")


def execute(arguments: list[str]) -> int:
    """Run a command line; its exit status. Raises `InputError`."""
    try:
        status = app(hoist_global_options(arguments), standalone_mode=False)
    except typer.TyperException as error:
        raise InputError(clean(error.format_message())) from None
    except typer.Abort:
        raise InputError("cancelled") from None
    return int(status or 0)


def hoist_global_options(arguments: list[str]) -> list[str]:
    """Global options first, wherever they stood: `show last --runs DIR` is `--runs DIR show last`."""
    first: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word in GLOBAL_OPTIONS:
            value = next(words, None)
            if value is None:  # at the end of the line: in front it would swallow the command
                raise InputError(f"{word}: a folder must follow")
            first += [word, value]
        elif word.startswith(tuple(f"{option}=" for option in GLOBAL_OPTIONS)):
            first.append(word)
        else:
            rest.append(word)
    return [*first, *rest]


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="print the version")] = False,
    runs: Annotated[Path | None, typer.Option(metavar="DIR", help="where runs lie", envvar="TUI_TRAINER_RUNS")] = None,
    data: Annotated[Path | None, typer.Option(metavar="DIR", help="where data lie", envvar="TUI_TRAINER_DATA")] = None,
) -> None:
    overrides.update({name: path for name, path in (("runs", runs), ("data", data)) if path is not None})
    if version:
        from tui_trainer import __version__

        print(f"tui-trainer {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        begin()


COMMANDS: dict[str, Callable[..., None]] = {
    "train": start.train,
    "fork": start.fork,
    "resume": start.resume,
    "attach": live.attach,
    "pause": live.pause,
    "set": live.set_live,
    "save": live.save,
    "stop": live.stop,
    "runs": runs.runs,
    "show": results.show,
    "tail": results.tail,
    "evaluate": results.evaluate,
    "mistakes": results.mistakes,
    "verify": results.verify,
    "export": results.export,
    "compare": study_reports.compare,
    "preflight": analyses.preflight,
    "archive": notes.archive,
    "note": notes.note,
    "pin": notes.pin,
    "delete": runs.delete,
    "disk": runs.disk_used,
    "lr-find": analyses.lr_find,
    "sharpness": analyses.sharpness,
    "line": analyses.line,
    "bench": bench.bench,
    "settings": settings.settings,
    "devices": devices.devices,
    "web": web.web,
}
for name, command in COMMANDS.items():
    app.command(name)(command)
app.command("tag", context_settings=notes.SIGNS_AS_WORDS)(notes.tag)
for name, command in study_reports.COMMANDS.items():
    studies.app.command(name)(command)
app.add_typer(presets.app, name="presets")
app.add_typer(runs.trash_app, name="trash")
app.add_typer(data.app, name="data")
app.add_typer(studies.app, name="study")
app.add_typer(studies.queue_app, name="queue")
