"""`tui-trainer study` and `tui-trainer queue`."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tui_trainer.cli.dashboard import data_root, has_screen, open_dashboard, runs_root
from tui_trainer.cli.options import Detach, Json, Plain, Settings
from tui_trainer.cli.runs import ask
from tui_trainer.cli.start import ensure_data
from tui_trainer.text import InputError, plural

if TYPE_CHECKING:
    from tui_trainer.studies.commands import AnyCommand
    from tui_trainer.studies.directory import StudyDirectory
    from tui_trainer.studies.follow import StudyFollower

StudyName = Annotated[str, typer.Argument(metavar="STUDY", help="a study's name, or the end of it")]
RowName = Annotated[str, typer.Argument(metavar="ROW")]
First = Annotated[bool, typer.Option("--first", help="before all others")]

app = typer.Typer(help="Run studies: several trainings that answer one question.", rich_markup_mode=None)
queue_app = typer.Typer(help="What waits for its turn.", rich_markup_mode=None)


@app.command("run")
def study_run(
    name: Annotated[str, typer.Argument(metavar="STUDY", help="a study's name, or a .study.toml file")],
    settings: Settings = None,
    seeds: Annotated[int | None, typer.Option(min=1, max=1000, help="runs of every row")] = None,
    jobs: Annotated[str, typer.Option(metavar="auto|N", help="runs at a time")] = "auto",
    device: Annotated[Literal["auto", "cuda", "mps", "cpu"] | None, typer.Option(help="where to train")] = None,
    as_name: Annotated[str, typer.Option("--as", metavar="NAME", help="keep it under another name")] = "",
    now: Annotated[bool, typer.Option("--now", help="do not wait for other studies")] = False,
    detach: Detach = False,
    plain: Plain = False,
) -> None:
    """Run a study, or go on with it.

    Finished runs are kept, interrupted ones resumed. It waits for studies started before.
    """
    from tui_trainer.studies import catalogue, start

    wanted = [*(settings or []), *([f"training.device={device}"] if device else [])]
    count = number_of_jobs(jobs)
    begun = start.prepare(catalogue.load(name), runs_root(), data_root(), as_name, seeds, wanted, count)
    go_on(begun, count, now, detach, plain)


def number_of_jobs(jobs: str) -> int | None:
    if jobs == "auto":
        return None
    if not (jobs.isascii() and jobs.isdecimal() and 1 <= int(jobs[:5]) <= 1024):
        raise InputError(f"--jobs: {jobs[:40]!r} is neither auto nor a number from 1 to 1024")
    return int(jobs)


def go_on(begun: StudyDirectory, jobs: int | None, now: bool, detach: bool, plain: bool) -> None:
    """Give the study a coordinator, and follow it in the dashboard or as plain lines unless it is left to itself."""
    from tui_trainer import plain_study as lines
    from tui_trainer.studies import follow, start

    follower = follow.load(begun)
    for data in {row.row.config.data.name: row.row.config for row in follower.rows}.values():
        ensure_data(data, follower.plan.data_root)
    with lines.StopStudyOnInterrupt(follower) as interrupts:
        start.launch(begun, jobs, now)
        interrupts.launched()
        if detach:
            print(begun.id)
            return
        if plain or not has_screen():
            status = lines.follow_to_the_end(follower)
            raise typer.Exit(0 if status == "finished" else 1)
    open_dashboard(begun)


@app.command("list")
def study_list(json: Json = False) -> None:
    """List studies, begun ones with what became of them."""
    from tui_trainer import plain
    from tui_trainer.studies import catalogue, directory, follow

    found, problems = catalogue.load_all()
    begun: dict[str, StudyFollower] = {}
    for place in directory.list_studies(runs_root()):
        try:
            begun[place.id] = follow.load(place)
        except InputError as error:
            problems += error.problems
    rows = [(d.name, words_of(begun.pop(directory.id_of(d.name), None)), d.study.title) for d in found]
    rows += [(id, words_of(follower), follower.title) for id, follower in begun.items()]
    if json:
        plain.print_json([dict(zip(("name", "state", "title"), row, strict=True)) for row in rows])
    else:
        plain.print_table(("study", "state", "what it asks"), rows)
    if problems:
        raise InputError(*problems)


def words_of(follower: StudyFollower | None) -> str:
    """`running, 3 of 12 runs finished`; a dash for a study that was not begun."""
    if follower is None:
        return "–"
    ends = [member.status for row in follower.rows for member in row.members]
    return f"{follower.status}, {ends.count('finished')} of {len(ends)} runs finished"


@app.command("show")
def study_show(name: StudyName, json: Json = False) -> None:
    """Print a study's table as it stands."""
    from tui_trainer import plain_study as lines
    from tui_trainer.studies import follow

    follower = follow.load(find(name))
    if json:
        from tui_trainer.studies.report import content, tabular

        print(tabular.json(content.gather(follower)))
    else:
        lines.print_study(follower)


def find(name: str) -> StudyDirectory:
    from tui_trainer.studies import directory

    return directory.find(runs_root(), name)


@app.command("attach")
def study_attach(name: StudyName) -> None:
    """Open a study in the dashboard.

    Live or at rest; as its table where there is no terminal.
    """
    if has_screen():
        open_dashboard(find(name))
    else:
        study_show(name)


@app.command("stop")
def study_stop(name: StudyName) -> None:
    """Stop and save a study's live runs, and end it; study run goes on with it."""
    from tui_trainer.studies import commands, follow

    begun = find(name)
    tell(begun, commands.Stop(), "")
    follower = follow.StudyFollower(begun, begun.runs_root)
    if not follow.wait(follower, lambda f: not f.alive, timeout=120):
        raise InputError(f"study {begun.id}: its runs are not saved yet; it ends when they are")
    print(f"{begun.id}: {follower.status}")


def tell(begun: StudyDirectory, command: AnyCommand, done: str) -> None:
    """Send the study a command and say what happened."""
    from tui_trainer.studies import start

    start.ask(begun, command)
    if done:
        print(f"{begun.id}: {done}")


@app.command("skip")
def study_skip(
    name: StudyName,
    targets: Annotated[list[str], typer.Argument(metavar="ROW[/SEED]…", help="what to leave out")],
    undo: Annotated[bool, typer.Option("--undo", help="want them again")] = False,
) -> None:
    """Leave rows or single runs out; live ones are stopped and saved."""
    from tui_trainer.studies.commands import Skip

    words = "wants again" if undo else "skipped"
    tell(find(name), Skip(targets=targets, undo=undo), f"{words} {', '.join(targets)}")


@app.command("add")
def study_add(
    name: StudyName,
    preset: Annotated[str, typer.Argument(metavar="PRESET")],
    settings: Settings = None,
    row: Annotated[str, typer.Option("--name", help="the row's name; the preset's by default")] = "",
) -> None:
    """Add a row to a study, live or not."""
    from tui_trainer.studies import follow, plan
    from tui_trainer.studies.commands import Add

    begun = find(name)
    follower = follow.load(begun)
    wanted = [*follower.plan.settings, *(settings or [])]
    added = plan.single(preset, row, wanted, follower.plan.threads, follower.state.seeds)
    ensure_data(added.config, follower.plan.data_root)
    tell(begun, Add(row=added.as_json()), f"added {added.name}")


@app.command("move")
def study_move(
    name: StudyName,
    row: RowName,
    first: First = False,
    last: Annotated[bool, typer.Option("--last", help="after all others")] = False,
    before: Annotated[str, typer.Option("--before", metavar="ROW", help="before this one")] = "",
) -> None:
    """Change when a row's runs start; the table keeps its order."""
    from tui_trainer.studies import follow
    from tui_trainer.studies.commands import Move

    if sum((first, last, bool(before))) != 1:
        raise InputError("study move: say one of --first, --last and --before ROW")
    begun = find(name)
    others = [other for other in follow.load(begun).state.order if other != row]
    if first:
        before = others[0] if others else ""
    tell(begun, Move(row=row, before=before), f"{row} starts {f'before {before}' if before else 'last'}")


@app.command("delete")
def study_delete(
    name: StudyName,
    runs: Annotated[bool, typer.Option("--runs-too", help="delete its runs and their checkpoints too")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
) -> None:
    """Delete a study at rest; its runs stay unless asked for."""
    from tui_trainer.runs import directory as run_directories
    from tui_trainer.runs import launch
    from tui_trainer.studies import directory, follow

    begun = find(name)
    members = [member.run for row in follow.load(begun).rows for member in row.members if member.run] if runs else []
    what = f"{begun.id} and its {plural(len(members), 'run')}" if runs else f"{begun.id}, but not its runs"
    if not yes:
        ask(f"delete {what} for good?", for_good=True)
    with ExitStack() as held:
        for place in (begun, *members):  # all of them before any goes
            held.enter_context(launch.locked(place))
        for run in members:
            run_directories.delete(run)
        directory.delete(begun)
    print(f"{what}: deleted")


@queue_app.callback(invoke_without_command=True)
def queue_list(context: typer.Context, json: Json = False) -> None:
    """What runs and what waits for its turn, in order."""
    if context.invoked_subcommand is not None:
        return
    from tui_trainer import plain
    from tui_trainer.studies import directory, follow
    from tui_trainer.studies.queue import queue

    waiting = [place.directory for place in queue(runs_root()).places()]
    live = [f for f in map(follow.load, directory.list_studies(runs_root())) if f.alive and f.directory not in waiting]
    rows = [(f.directory.id, words_of(f), f.title) for f in (*live, *map(follow.load, waiting))]
    if json:
        plain.print_json([dict(zip(("name", "state", "title"), row, strict=True)) for row in rows])
    elif rows:
        plain.print_table(("study", "state", "what it asks"), rows)
    else:
        print("nothing runs and nothing waits")


@queue_app.command("move")
def queue_move(name: StudyName, first: First = False) -> None:
    """Let a waiting study be the next."""
    from tui_trainer.studies.commands import First as BeFirst

    if not first:
        raise InputError("queue move: say --first")
    tell(find(name), BeFirst(), "is next")
