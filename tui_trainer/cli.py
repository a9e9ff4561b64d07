"""The command line: thin; every command is one call into another room, imported when it runs. Never imports torch."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tui_trainer.text import InputError, clean

if TYPE_CHECKING:
    from tui_trainer.config import RunConfig
    from tui_trainer.presets import Preset
    from tui_trainer.runs.commands import AnyCommand
    from tui_trainer.runs.directory import Run
    from tui_trainer.runs.state import RunState

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
presets_app = typer.Typer(help="List, show and check presets.", rich_markup_mode=None)
data_app = typer.Typer(help="List, download and check data sets.", rich_markup_mode=None)
app.add_typer(presets_app, name="presets")
app.add_typer(data_app, name="data")

RunName = Annotated[str, typer.Argument(metavar="RUN", help="id, unique beginning of one, or 'last'")]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="change a field; repeatable")]
CheckpointName = Annotated[str, typer.Option("--checkpoint", help="best, last, or a checkpoint's file")]
GLOBAL_OPTIONS = ("--runs", "--data")
_overrides: dict[str, Path] = {}


def run() -> None:
    """Entry point. Exit status: 0 done, 1 the run failed, 2 bad input."""
    if sys.platform == "win32":
        sys.exit("tui-trainer runs on Linux and macOS; on Windows use WSL")
    try:
        arguments = hoist_global_options(sys.argv[1:])
        sys.exit(app(arguments, standalone_mode=False))
    except InputError as error:
        print("\n".join(error.problems), file=sys.stderr)
    except typer.TyperException as error:
        print(clean(error.format_message()), file=sys.stderr)
    except (typer.Abort, KeyboardInterrupt):
        print("cancelled", file=sys.stderr)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has seen enough
        sys.exit(0)
    sys.exit(2)


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


def runs_root() -> Path:
    from tui_trainer.runs import directory

    return directory.runs_root(_overrides.get("runs"))


def data_root() -> Path:
    from tui_trainer import datasets

    return datasets.data_root(_overrides.get("data"))


def find(reference: str) -> Run:
    from tui_trainer.runs import directory

    return directory.find(runs_root(), reference)


def has_screen() -> bool:
    """Is there a terminal that can show the dashboard?"""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in ("", "dumb")


def open_dashboard(on: Run | None = None) -> None:
    from tui_trainer.ui import app as dashboard

    dashboard.run(runs_root(), data_root(), on)


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="print the version")] = False,
    runs: Annotated[Path | None, typer.Option(metavar="DIR", help="where runs lie", envvar="TUI_TRAINER_RUNS")] = None,
    data: Annotated[Path | None, typer.Option(metavar="DIR", help="where data lie", envvar="TUI_TRAINER_DATA")] = None,
) -> None:
    _overrides.update({name: path for name, path in (("runs", runs), ("data", data)) if path is not None})
    if version:
        from tui_trainer import __version__

        print(f"tui-trainer {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        if not has_screen():
            raise InputError("no terminal to draw on; try: tui-trainer train digits --plain, or tui-trainer --help")
        open_dashboard()


@app.command()
def train(
    preset: Annotated[str, typer.Argument(metavar="PRESET", help="a preset's name, or a .toml file")],
    settings: Settings = None,
    name: Annotated[str | None, typer.Option(help="the run's name; the preset's by default")] = None,
    detach: Annotated[bool, typer.Option("--detach", help="start, print the run's id, leave")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="print lines instead of opening the dashboard")] = False,
) -> None:
    """Train a preset: in the dashboard on a terminal, as plain lines elsewhere."""
    from tui_trainer import config, presets
    from tui_trainer.runs import directory, launch

    chosen = presets.load(preset)
    wanted = config.apply(chosen.config, settings or [])
    directory.check_name(chosen.short_name if name is None else name)
    ensure_data(wanted)
    created = directory.create(runs_root(), wanted, name or chosen.short_name, chosen.name, data_root())
    launch.launch(created, data_root())
    if not (detach or plain) and has_screen():
        open_dashboard(created)
        return
    from tui_trainer import plain as lines

    with lines.StopOnInterrupt(created):
        refused_run_leaves_nothing(created)
        if detach:
            print(created.id)
            return
        state = lines.follow_to_the_end(created)
    print(lines.results(state))
    raise typer.Exit(1 if state.status in ("failed", "interrupted") else 0)


def ensure_data(config: RunConfig) -> None:
    """Download the config's data set if it is not there; one line of progress."""
    from tui_trainer import datasets

    if not datasets.is_present(config.dataset, data_root()):
        fetch(config.data.name)


def refused_run_leaves_nothing(created: Run) -> None:
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
        raise InputError(*state.reason.split("; "))


@app.command()
def attach(reference: RunName) -> None:
    """Open a run, live or ended, in the dashboard; as plain lines where there is no terminal."""
    on = find(reference)
    if has_screen():
        open_dashboard(on)
    else:
        tail(reference)


@app.command()
def runs(json: Json = False) -> None:
    """List all runs, newest first."""
    from tui_trainer import plain
    from tui_trainer.runs import directory, follow

    states: list[RunState] = []
    for entry in directory.list_runs(runs_root()):
        try:
            states.append(follow.load(entry))
        except InputError as error:
            print("\n".join(error.problems), file=sys.stderr)
    if json:
        plain.print_json([state.summary() for state in states])
    elif states:
        headings = ("run", "state", "epoch", "best validation", "test", "time")
        plain.print_table(headings, plain.run_rows(states), right=frozenset({2, 3, 4, 5}))
    else:
        print(f"no runs in {runs_root()} yet; try: tui-trainer train digits")


@app.command()
def show(reference: RunName, json: Json = False) -> None:
    """Print everything known about a run."""
    from tui_trainer import plain
    from tui_trainer.runs import follow

    state = follow.load(find(reference))
    if json:
        plain.print_json(state.summary())
    else:
        plain.print_run(state)


@app.command()
def tail(
    reference: RunName,
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, help="past lines to print")] = 20,
) -> None:
    """Print a run's log, and go on until the run ends; ctrl+c leaves it running."""
    from tui_trainer import plain

    plain.follow_to_the_end(find(reference), lines)


@app.command()
def pause(reference: RunName) -> None:
    """Save, then hold a live run where it is."""
    from tui_trainer.runs.commands import Pause

    tell(find(reference), Pause(), "paused")


@app.command()
def save(reference: RunName) -> None:
    """Write a checkpoint of a live run that stays."""
    from tui_trainer.runs.commands import Save

    tell(find(reference), Save(), "")


@app.command()
def stop(
    reference: RunName,
    discard: Annotated[bool, typer.Option("--discard", help="do not save; the run stays")] = False,
) -> None:
    """End a live run; its newest state is saved first, and it can be resumed."""
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
    words = " ".join(word for word in (done, answer.message) if word)
    if not answer.ok:
        print(f"{chosen.id}: {answer.message}", file=sys.stderr)
        raise typer.Exit(1)
    print(f"{chosen.id}: {words}")


@app.command()
def resume(
    reference: RunName,
    settings: Settings = None,
    approximate: Annotated[
        bool,
        typer.Option("--approximate", help="go on even where machine or versions changed, and so would the bits"),
    ] = False,
) -> None:
    """Go on with a paused, stopped or interrupted run; with --set epochs=N carry a finished one further."""
    from tui_trainer import config
    from tui_trainer.runs import commands, follow, launch

    chosen = find(reference)
    follower = follow.Follower(chosen)
    state = follower.catch_up()
    wanted = config.apply(state.config, settings or [])
    changes = {path: new for path, (_, new) in config.differences(state.config, wanted).items()}
    if follower.alive:
        if changes:
            tell(chosen, commands.Set(changes=changes), "set")
        tell(chosen, commands.Resume(), "resumed")
        return
    if state.status == "finished" and wanted.training.epochs <= state.epoch:
        raise InputError(
            f"{chosen.id}: has finished its {state.epoch} epochs; to carry it further: "
            f"tui-trainer resume {reference} --set epochs={state.epoch + 10}"
        )
    pid, started = state.worker_pid, state.started
    launch.launch(chosen, data_root() if "data" in _overrides else follower.data_root, changes, approximate)

    def has_begun(now: RunState) -> bool:
        return not follower.alive or (now.worker_pid != pid and now.status != "starting")

    follow.wait(follower, has_begun, timeout=600)
    if state.started is started:
        raise InputError(f"{chosen.id}: {state.reason}")
    origin = f"from {state.started.resumed_from}" if state.started and state.started.resumed_from else "from the start"
    print(f"{chosen.id}: resumed {origin}, now {state.status}")
    raise typer.Exit(1 if state.status == "failed" else 0)


@app.command()
def evaluate(
    reference: RunName,
    checkpoint: CheckpointName = "best",
    split: Annotated[Literal["train", "validation", "test"], typer.Option()] = "test",
    json: Json = False,
) -> None:
    """Loss and accuracy of a run's checkpoint on one split."""
    from tui_trainer import plain
    from tui_trainer.runs import follow
    from tui_trainer.runs.jobs import run_job

    chosen = find(reference)
    follower = follow.Follower(chosen)
    file = checkpoint_file(chosen, follower.catch_up(), checkpoint)
    root = data_root() if "data" in _overrides else follower.data_root
    result = run_job("evaluate", str(chosen.path), str(file), split, str(root))
    if json:
        plain.print_json(result)
    else:
        print(
            f"{result['checkpoint']} (epoch {result['epoch']}) on {split}: loss {result['loss']:.4f}, accuracy "
            f"{100 * result['accuracy']:.2f} % ({result['correct']:,} of {result['examples']:,}), {result['device']}"
        )


def checkpoint_file(chosen: Run, state: RunState, name: str) -> Path:
    """The file meant by best, last, a file's name in the run, or a path."""
    if name == "last":
        found = state.newest_checkpoint
    elif name == "best":
        best = state.best
        found = next((c for c in state.checkpoints.values() if best and c.step == best.step), None)
    else:
        inside = chosen.checkpoints / name
        return inside if inside.exists() else Path(name)
    if found is None:
        raise InputError(f"--checkpoint {name}: {chosen.id} has no such checkpoint on disk yet")
    return chosen.checkpoints / found.file


@app.command()
def export(
    reference: RunName,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE")],
    format: Annotated[Literal["pth", "csv"], typer.Option(help="weights for PyTorch, or the metrics")] = "pth",
    checkpoint: CheckpointName = "best",
    names: Annotated[str, typer.Option(help="for pth: names of the linear layers, joined by commas")] = "",
) -> None:
    """Write a checkpoint as .pth for plain PyTorch, or a run's epochs as .csv."""
    from tui_trainer.runs import follow
    from tui_trainer.runs.jobs import run_job

    chosen = find(reference)
    state = follow.load(chosen)
    if format == "csv":
        write_csv(state, output)
        print(f"{output}: {len(state.epochs_done)} epochs")
        return
    file = checkpoint_file(chosen, state, checkpoint)
    result = run_job("export", str(file), str(output.absolute()), names)
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


@app.command()
def delete(reference: RunName, yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False) -> None:
    """Delete a run that is not live, with its checkpoints."""
    from tui_trainer.runs import directory, launch

    chosen = find(reference)
    if sys.stdin.isatty() and not yes:
        typer.confirm(f"delete {chosen.id} and its checkpoints?", abort=True)
    with launch.locked(chosen):
        directory.delete(chosen)
    print(f"{chosen.id}: deleted")


@presets_app.callback(invoke_without_command=True)
def presets_list(context: typer.Context, json: Json = False) -> None:
    """List, show and check presets."""
    if context.invoked_subcommand is not None:
        return
    from tui_trainer import plain, presets

    found, problems = presets.load_all()
    if json:
        plain.print_json([preset_summary(preset) for preset in found])
    else:
        plain.print_table(("preset", "what it trains"), [(preset.name, preset.summary) for preset in found])
    if problems:
        raise InputError(*problems)


def preset_summary(preset: Preset) -> dict[str, object]:
    words = {key: getattr(preset, key) for key in ("name", "title", "summary", "expect", "source")}
    return {**words, "config": preset.config.model_dump(mode="json")}


@presets_app.command("show")
def presets_show(name: Annotated[str, typer.Argument()], json: Json = False) -> None:
    """Print a preset: what it trains, what to expect, every field."""
    from tui_trainer import config, plain, presets

    preset = presets.load(name)
    if json:
        plain.print_json(preset_summary(preset))
        return
    for words in (
        preset.title,
        preset.summary,
        preset.expect,
        f"Source: {preset.source}" if preset.source else "",
    ):
        if words:
            print(words)
    print(f"\n{preset.config.architecture} · {sum(preset.config.layer_parameters):,} parameters\n")
    known = config.knobs(preset.config.optimizer.name)
    rows = [(path, known[path].render(value)) for path, value in config.flatten(preset.config).items()]
    plain.print_table(("field", "value"), rows)


@presets_app.command("check")
def presets_check(file: Annotated[Path, typer.Argument(metavar="FILE")]) -> None:
    """Check a preset file; every problem on a line of its own."""
    from tui_trainer import presets

    preset = presets.read(file, file.stem)
    print(f"{file}: sound; {preset.config.architecture}, {preset.config.optimizer.name}")


@data_app.callback(invoke_without_command=True)
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


@data_app.command("fetch")
def fetch(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Download a data set, with progress, and check its digests."""
    from tui_trainer import datasets
    from tui_trainer.runs.jobs import run_job
    from tui_trainer.text import size

    datasets.dataset(name)
    seen = False

    def progress(told: dict[str, int]) -> None:
        nonlocal seen
        seen = sys.stderr.isatty()
        if seen:
            print(
                f"\rdownloading {name}: {size(told['bytes'])} of {size(told['of'])}  ",
                end="",
                file=sys.stderr,
                flush=True,
            )

    try:
        result = run_job("fetch", name, str(data_root()), on_progress=progress)
    finally:
        if seen:
            print(file=sys.stderr)
    print(f"{name} {result['message']}")


@data_app.command("check")
def data_check(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Read a data set whole and compare it with the published digests."""
    from tui_trainer import datasets

    entry = datasets.dataset(name)
    datasets.read(entry, data_root())
    print(f"{name}: sound, {'bundled with scikit-learn' if not entry.files else 'digests as published'}")
