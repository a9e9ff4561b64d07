"""`tui-trainer settings`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from tui_trainer.cli.options import Json
from tui_trainer.text import InputError


def settings(
    path: Annotated[bool, typer.Option("--path", help="print only where the file is")] = False,
    check: Annotated[bool, typer.Option("--check", help="a line for each thing wrong in the file; status 2")] = False,
    as_json: Json = False,
) -> None:
    """Show the dashboard's settings and where their file is."""
    from tui_trainer import plain
    from tui_trainer.ui import settings as stored

    if path:
        print(stored.settings_file())
        return
    found, problems = stored.load()
    if check:
        from tui_trainer.ui.keymap import unknown

        problems += [f"{stored.settings_file()}: {line}" for line in unknown(found.keys)]
    if problems:
        raise InputError(*problems)
    if check:
        print(f"{stored.settings_file()}: nothing is wrong")
    elif as_json:
        print(json.dumps(asdict(found)))
    else:
        rows = [(one.name, getattr(found, one.name), ", ".join(one.words), one.help) for one in stored.CHOICES]
        plain.print_table(("setting", "is", "may be", "what it does"), rows)
        for action, keys in found.keys.items():
            print(f"keys.{action} = {keys}")
        print(f"\nin {stored.settings_file()}")
