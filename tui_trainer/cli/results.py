"""Commands that look at a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tui_trainer.cli.dashboard import data_root, overrides
from tui_trainer.cli.options import CheckpointName, Json, Progress, RunName, checkpoint_file, find
from tui_trainer.text import InputError

if TYPE_CHECKING:
    from tui_trainer.runs.state import RunState


def show(reference: RunName, json: Json = False) -> None:
    """Print everything known about a run."""
    from tui_trainer import plain
    from tui_trainer.runs import follow, listing, notes

    chosen = find(reference)
    state, said = follow.load(chosen), notes.read(chosen)
    if json:
        plain.print_json(listing.of_state(chosen, state, said).facts)
    else:
        plain.print_run(state, said)


def tail(
    reference: RunName,
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, help="past lines to print")] = 20,
) -> None:
    """Print a run's log as it grows.

    Until the run ends; ctrl+c leaves it running.
    """
    from tui_trainer import plain

    plain.follow_to_the_end(find(reference), lines)


def evaluate(
    reference: RunName,
    checkpoint: CheckpointName = "best",
    split: Annotated[Literal["train", "validation", "test"], typer.Option()] = "test",
    json: Json = False,
) -> None:
    """Loss and accuracy of a checkpoint."""
    from tui_trainer import plain
    from tui_trainer.runs import follow
    from tui_trainer.runs.jobs import run_job

    chosen = find(reference)
    follower = follow.Follower(chosen)
    file = checkpoint_file(chosen, follower.catch_up(), checkpoint)
    root = data_root() if "data" in overrides else follower.data_root
    with Progress(f"evaluating on {split}") as progress:
        result = run_job("evaluate", str(chosen.path), str(file), split, str(root), on_progress=progress.tell)
    if json:
        plain.print_json(result)
    else:
        print(
            f"{result['checkpoint']} (epoch {result['epoch']}) on {split}: loss {result['loss']:.4f}, accuracy "
            f"{100 * result['accuracy']:.2f} % ({result['correct']:,} of {result['examples']:,}), {result['device']}"
        )


def mistakes(
    reference: RunName,
    checkpoint: Annotated[
        str | None, typer.Option(help="best, last, an epoch as e12, or a file; best, or last of a live run")
    ] = None,
    split: Annotated[Literal["train", "validation", "test"], typer.Option()] = "test",
    worst: Annotated[
        int,
        typer.Option("-n", "--worst", min=0, help="of the mistakes to print; kept are the worst of all, of each pair"),
    ] = 10,
    json: Json = False,
) -> None:
    """What a checkpoint confuses with what, and its worst mistakes.

    With --json their inputs too: grey levels from 0 to 255 for pictures.
    """
    from tui_trainer import plain
    from tui_trainer.runs import follow
    from tui_trainer.runs.jobs import run_job

    chosen = find(reference)
    follower = follow.Follower(chosen)
    state = follower.catch_up()
    file = checkpoint_file(chosen, state, checkpoint or ("last" if follower.alive else "best"))
    root = data_root() if "data" in overrides else follower.data_root
    with Progress(f"looking for mistakes on {split}") as progress:
        found = run_job("mistakes", str(chosen.path), str(file), split, str(root), on_progress=progress.tell)
    if json:
        plain.print_json(found)
    else:
        plain.print_mistakes(found, worst)


def verify(reference: RunName, json: Json = False) -> None:
    """Prove a run by training it again.

    From its config and its live changes; every weight and metric is compared.
    """
    from tui_trainer import plain
    from tui_trainer.runs import follow
    from tui_trainer.runs.jobs import run_job

    chosen = find(reference)
    root = data_root() if "data" in overrides else follow.Follower(chosen).data_root

    with Progress("training again") as progress:
        result = run_job("verify", str(chosen.path), str(root), on_progress=progress.tell)
    if json:
        plain.print_json(result)
    elif result["identical"]:
        print(f"{chosen.id}: identical after {result['steps']:,} steps, {result['changes']} live changes made again")
    else:
        print(f"{chosen.id}: differs: {result['difference']}")
    raise typer.Exit(0 if result["identical"] else 1)


def export(
    reference: RunName,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE")],
    format: Annotated[Literal["pth", "csv"], typer.Option(help="weights for PyTorch, or the metrics")] = "pth",
    checkpoint: CheckpointName = "best",
    names: Annotated[str, typer.Option(help="for pth: names of the linear layers, joined by commas")] = "",
) -> None:
    """Write weights as .pth or metrics as .csv.

    The .pth is for plain PyTorch: epoch and model_state_dict.
    """
    from tui_trainer.runs import follow
    from tui_trainer.runs.jobs import run_job

    chosen = find(reference)
    state = follow.load(chosen)
    if format == "csv":
        write_csv(state, output)
        print(f"{output}: {len(state.epochs_done)} epochs")
        return
    file = checkpoint_file(chosen, state, checkpoint)
    with Progress("exporting") as progress:
        result = run_job("export", str(file), str(output.absolute()), names, on_progress=progress.tell)
    print(f"{output}: epoch {result['epoch']}, {', '.join(result['keys'])}")


def write_csv(state: RunState, output: Path) -> None:
    """One row an epoch; losses and accuracies as in `show --json`, times in seconds."""
    import csv

    columns = (
        "epoch",
        "step",
        "train_loss",
        "train_accuracy",
        "val_loss",
        "val_accuracy",
        "learning_rate",
        "images_per_second",
        "seconds",
    )
    try:
        with output.open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(columns)
            writer.writerows([getattr(epoch, column) for column in columns] for epoch in state.epochs_done)
    except OSError as error:
        raise InputError(f"{output}: cannot be written: {error.strerror}") from None
