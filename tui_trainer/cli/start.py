"""Commands that start a worker: a new run, a fork, a run resumed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tui_trainer.cli.dashboard import data_root, has_screen, open_dashboard, overrides, runs_root
from tui_trainer.cli.data import download
from tui_trainer.cli.live import tell
from tui_trainer.cli.options import (
    CheckpointName,
    Detach,
    Gpu,
    Name,
    Plain,
    RunName,
    Settings,
    checkpoint_file,
    configured,
    find,
)
from tui_trainer.text import BETWEEN, InputError, plural

if TYPE_CHECKING:
    from tui_trainer.config import RunConfig
    from tui_trainer.runs.directory import Run, Start
    from tui_trainer.runs.state import RunState


def train(
    preset: Annotated[str, typer.Argument(metavar="PRESET", help="a preset's name, or a .toml file")],
    settings: Settings = None,
    name: Name = None,
    start: Annotated[
        str, typer.Option("--from", metavar="RUN[:CHECKPOINT]", help="begin with another run's weights")
    ] = "",
    queue: Annotated[bool, typer.Option("--queue", help="wait for the studies and queued runs before it")] = False,
    gpu: Gpu = "",
    detach: Detach = False,
    plain: Plain = False,
) -> None:
    """Train a preset.

    On a terminal in the dashboard, elsewhere as plain lines.
    """
    from tui_trainer import presets
    from tui_trainer.runs import directory, follow

    chosen = presets.load(preset)
    wanted = configured(chosen.config, settings)
    if queue:
        if start:
            raise InputError("--queue: a run --from another cannot wait in the queue; start it without")
        if gpu:
            raise InputError("--queue: a run that waits takes whichever GPU is free then; leave out --gpu")
        queue_run(preset, wanted, chosen.run_name if name is None else name, settings or [])
        return
    origin = None
    if start:
        reference, _, checkpoint = start.partition(":")
        parent = find(reference)
        file = checkpoint_file(parent, follow.load(parent), checkpoint or "best")
        origin = directory.Start(parent.id, file, "weights")
    begin(wanted, chosen.run_name if name is None else name, chosen.name, data_root(), origin, detach, plain, gpu)


def fork(
    reference: RunName,
    settings: Settings = None,
    checkpoint: CheckpointName = "last",
    name: Name = None,
    gpu: Gpu = "",
    detach: Detach = False,
    plain: Plain = False,
) -> None:
    """Start a new run at another's checkpoint.

    Fields may change; the parent stays as it is.
    """
    from tui_trainer.runs import directory, follow

    parent = find(reference)
    follower = follow.Follower(parent)
    state = follower.catch_up()
    wanted = configured(state.config, settings)
    origin = directory.Start(parent.id, checkpoint_file(parent, state, checkpoint), "continue")
    root = data_root() if "data" in overrides else follower.data_root
    begin(wanted, state.name if name is None else name, state.preset, root, origin, detach, plain, gpu)


def resume(
    reference: RunName,
    settings: Settings = None,
    approximate: Annotated[
        bool,
        typer.Option(
            "--approximate", help="go on even where machine, versions or data file changed, and so would the bits"
        ),
    ] = False,
    gpu: Gpu = "",
) -> None:
    """Go on with a run.

    A paused one continues; a stopped or interrupted one gets a new worker, on the GPU it was on; --set epochs=N
    carries a finished one further.
    """
    from tui_trainer import config
    from tui_trainer.runs import commands, follow, launch
    from tui_trainer.runs.gpu import place

    chosen = find(reference)
    follower = follow.Follower(chosen)
    state = follower.catch_up()
    wanted = configured(state.config, settings)
    changes = {path: new for path, (_, new) in config.differences(state.config, wanted).items()}
    if follower.alive:
        if changes:
            tell(chosen, commands.Set(changes=changes), "set")
        tell(chosen, commands.Resume(), "resumed")
        return
    if state.status == "finished" and (ended := why_ended(state, wanted)):
        why, further = ended
        raise InputError(f"{chosen.id}: {why}; to carry it further: tui-trainer resume {reference} --set {further}")
    pid, started = state.worker_pid, state.started
    environment, moved = place(wanted, gpu, started.gpu if started else "")
    if moved:
        print(moved, file=sys.stderr)
    root = data_root() if "data" in overrides else follower.data_root
    launch.launch(chosen, root, changes, approximate, environment=environment)

    def has_begun(now: RunState) -> bool:
        return not follower.alive or (now.worker_pid != pid and now.status != "starting")

    follow.wait(follower, has_begun, timeout=600)
    if state.started is started:
        raise InputError(f"{chosen.id}: {state.reason}")
    origin = f"from {state.started.resumed_from}" if state.started and state.started.resumed_from else "from the start"
    print(f"{chosen.id}: resumed {origin}, now {state.status}")
    raise typer.Exit(1 if state.status == "failed" else 0)


def why_ended(state: RunState, wanted: RunConfig) -> tuple[str, str] | None:
    """Why a finished run has nothing left to train by this config, and the setting that would change it."""
    if state.early_stop and wanted.early_stopping.mode == "stop":
        return f"was ended by early stopping after epoch {state.early_stop.epoch}", "early_stopping.mode=off"
    if wanted.training.steps:
        done = wanted.training.steps <= state.step
        return (f"has finished its {plural(state.step, 'step')}", f"steps={state.step + 1000}") if done else None
    done = wanted.training.epochs <= state.epoch
    return (f"has finished its {plural(state.epoch, 'epoch')}", f"epochs={state.epoch + 10}") if done else None


def begin(
    wanted: RunConfig, name: str, preset: str, data: Path, start: Start | None, detach: bool, plain: bool, gpu: str
) -> None:
    """Create and launch a run, then show it the way that was asked for."""
    from tui_trainer import plain as lines
    from tui_trainer.runs import directory, launch
    from tui_trainer.runs.gpu import place

    directory.check_name(name)
    environment, _ = place(wanted, gpu)
    ensure_data(wanted, data)
    created = directory.create(runs_root(), wanted, name, preset, data, start)
    with lines.StopOnInterrupt(created) as interrupts:
        try:
            launch.launch(created, data, environment=environment)
        except InputError:
            directory.delete(created)
            raise
        interrupts.launched()
        if detach or plain or not has_screen():
            refused_run_leaves_nothing(created, start)
            if detach:
                print(created.id)
                return
            state = lines.follow_to_the_end(created)
            print(lines.results(state))
            raise typer.Exit(1 if state.status in ("failed", "interrupted") else 0)
    open_dashboard(created)


def queue_run(preset: str, wanted: RunConfig, name: str, settings: list[str]) -> None:
    """Let a run wait its turn, as a study of its own."""
    from tui_trainer.runs import directory
    from tui_trainer.studies import start

    directory.check_name(name)
    ensure_data(wanted, data_root())
    waiting = start.prepare_run(preset, name, runs_root(), data_root(), settings)
    start.launch(waiting)
    print(f"{waiting.id}: in the queue; see: tui-trainer queue")


def ensure_data(config: RunConfig, root: Path) -> None:
    """Download the config's data set if it is not there; one line of progress."""
    from tui_trainer import datasets

    if not datasets.is_present(config.dataset, root):
        download(config.data.name, root)


def refused_run_leaves_nothing(created: Run, start: Start | None) -> None:
    """Wait until a new run has begun; if its worker refuses it, delete it and raise `InputError` with the reason."""
    from tui_trainer.runs import directory, launch
    from tui_trainer.runs.follow import Follower, wait
    from tui_trainer.runs.state import TERMINAL

    follower = Follower(created)
    ended = (*TERMINAL, "interrupted")
    wait(follower, lambda state: state.started is not None or state.status in ended, timeout=600)
    state = follower.state
    if state.status == "failed" and state.started is None:
        wait(follower, lambda _: not follower.alive, timeout=10)
        with launch.locked(created):
            directory.delete(created)
        copy, original = str(created.start_file), str(start.file) if start else ""
        raise InputError(*state.reason.replace(copy, original).split(BETWEEN))
