"""What the command line understands."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from tui_trainer.cli.dashboard import begin, overrides
from tui_trainer.text import InputError, clean

GLOBAL_OPTIONS = ("--runs", "--data")
COMMANDS = {
    "train": "start:train",
    "fork": "start:fork",
    "resume": "start:resume",
    "attach": "live:attach",
    "pause": "live:pause",
    "set": "live:set_live",
    "save": "live:save",
    "stop": "live:stop",
    "runs": "runs:runs",
    "show": "results:show",
    "tail": "results:tail",
    "evaluate": "results:evaluate",
    "mistakes": "results:mistakes",
    "verify": "results:verify",
    "export": "results:export",
    "compare": "study_reports:compare",
    "preflight": "analyses:preflight",
    "archive": "notes:archive",
    "note": "notes:note",
    "pin": "notes:pin",
    "delete": "runs:delete",
    "disk": "runs:disk_used",
    "lr-find": "analyses:lr_find",
    "sharpness": "analyses:sharpness",
    "line": "analyses:line",
    "bench": "bench:bench",
    "settings": "settings:settings",
    "devices": "devices:devices",
    "web": "web:web",
    "tag": "notes:tag",
}
GROUPS = {
    "presets": "presets:app",
    "trash": "runs:trash_app",
    "data": "data:app",
    "study": "study_reports:app",
    "queue": "studies:queue_app",
}
"""Where in this room each is, by module and name."""
SIGNS_AS_WORDS = {"ignore_unknown_options": True, "help_option_names": ["--help"]}
"""Context settings under which `-debug` is a tag to take away, not options."""


def execute(arguments: list[str]) -> int:
    """Run a command line; its exit status. Raises `InputError`."""
    try:
        arguments, named = hoist_global_options(arguments)
        status = build(named)(arguments, standalone_mode=False)
    except typer.TyperException as error:
        raise InputError(clean(error.format_message())) from None
    except typer.Abort:
        raise InputError("cancelled") from None
    except SystemExit as left:
        if isinstance(left.__context__, BrokenPipeError):  # typer takes it for a failure
            raise left.__context__ from None
        raise
    return int(status or 0)


def hoist_global_options(arguments: list[str]) -> tuple[list[str], str]:
    """Global options first, wherever they stood: `show last --runs D` is `--runs D show last`; and the command."""
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
    return [*first, *rest], rest[0] if rest else ""


def build(named: str) -> typer.Typer:
    """The command line; where a command or a group is named, with this one alone: the others take long to import."""
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
    app.callback(invoke_without_command=True)(main)
    all_of_them = named not in {**COMMANDS, **GROUPS}
    for name, place in COMMANDS.items():
        if all_of_them or name == named:
            app.command(name, context_settings=SIGNS_AS_WORDS if name == "tag" else None)(_find(place))
    for name, place in GROUPS.items():
        if all_of_them or name == named:
            app.add_typer(_find(place), name=name)
    return app


def _find(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(f"tui_trainer.cli.{module}"), name)


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
