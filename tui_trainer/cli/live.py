"""Commands to a live run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from tui_trainer.cli.dashboard import has_screen, open_dashboard
from tui_trainer.cli.options import RunName, find
from tui_trainer.cli.results import tail
from tui_trainer.text import BETWEEN, InputError

if TYPE_CHECKING:
    from tui_trainer.runs.commands import AnyCommand
    from tui_trainer.runs.directory import Run


def attach(reference: RunName) -> None:
    """Open a run in the dashboard.

    Live or ended; as plain lines where there is no terminal.
    """
    on = find(reference)
    if has_screen():
        open_dashboard(on)
    else:
        tail(reference)


def pause(reference: RunName) -> None:
    """Save, then hold a live run where it is."""
    from tui_trainer.runs.commands import Pause

    tell(find(reference), Pause(), "paused")


def set_live(
    reference: RunName, settings: Annotated[list[str], typer.Argument(metavar="KEY=VALUE…", help="fields to change")]
) -> None:
    """Change a live run.

    From its next step on; recorded, and made again when the run is resumed.
    """
    from tui_trainer import config
    from tui_trainer.runs import follow
    from tui_trainer.runs.commands import Set

    chosen = find(reference)
    state = follow.load(chosen)
    changes = config.differences(state.config, config.apply(state.config, settings))
    if not changes:
        raise InputError(f"{chosen.id}: has these values already")
    answer = follow.ask(chosen, Set(changes={path: new for path, (_, new) in changes.items() if new is not None}))
    if not answer.ok:
        raise InputError(*(f"{chosen.id}: {problem}" for problem in answer.message.split(BETWEEN)))
    print(f"{chosen.id}: {answer.message}, after step {answer.step:,}")


def save(reference: RunName) -> None:
    """Write a checkpoint of a live run that stays."""
    from tui_trainer.runs.commands import Save

    tell(find(reference), Save(), "")


def stop(
    reference: RunName,
    discard: Annotated[bool, typer.Option("--discard", help="do not save; the run stays")] = False,
) -> None:
    """Save and end a live run.

    It can be resumed. With --discard nothing is saved.
    """
    from tui_trainer.runs import follow
    from tui_trainer.runs.commands import Stop

    chosen = find(reference)
    tell(chosen, Stop(discard=discard), "stopped,")
    follower = follow.Follower(chosen)
    follow.wait(follower, lambda _: not follower.alive, timeout=60)


def tell(chosen: Run, command: AnyCommand, done: str) -> None:
    """Send a command, wait for its acknowledgement, say what happened."""
    from tui_trainer.runs import follow

    answer = follow.ask(chosen, command)
    done = "" if answer.message.startswith("already") else done
    words = " ".join(word for word in (done, answer.message) if word)
    if not answer.ok:
        print(f"{chosen.id}: {answer.message}", file=sys.stderr)
        raise typer.Exit(1)
    print(f"{chosen.id}: {words}")
