"""`tui-trainer presets`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tui_trainer.cli.options import Json, Settings, configured
from tui_trainer.text import InputError

if TYPE_CHECKING:
    from tui_trainer.presets import Preset


app = typer.Typer(help="List, show and check presets.", rich_markup_mode=None)


@app.callback(invoke_without_command=True)
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


@app.command("show")
def presets_show(name: Annotated[str, typer.Argument(metavar="NAME")], json: Json = False) -> None:
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
    known = config.knobs(preset.config.optimizer.name, preset.config.schedule.name)
    rows = [(path, known[path].render(value)) for path, value in config.flatten(preset.config).items()]
    plain.print_table(("field", "value"), rows)


@app.command("check")
def presets_check(file: Annotated[Path | None, typer.Argument(metavar="FILE")] = None) -> None:
    """Check a preset or study file, or without one all there are; every problem on a line of its own."""
    from tui_trainer import presets
    from tui_trainer.studies import catalogue, plan

    if file is None:
        found, problems = presets.load_all()
        studies, more = catalogue.load_all()
        if problems or more:
            raise InputError(*problems, *more)
        print(f"{len(found)} presets and {len(studies)} studies, all sound")
    elif file.name.endswith(catalogue.SUFFIX):
        study = catalogue.load(str(file)).study
        rows = plan.rows(study, study.seeds, [], 0)
        print(f"{file}: sound; {len(rows)} rows, {len(rows) * study.seeds} runs")
    else:
        preset = presets.read(file, file.stem)
        print(f"{file}: sound; {preset.config.architecture}, {preset.config.optimizer.name}")


@app.command("save")
def presets_save(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    base: Annotated[str, typer.Option("--from", metavar="PRESET", help="the preset it is made of")],
    settings: Settings = None,
    summary: Annotated[str, typer.Option(help="what it trains, in a sentence; else what was changed")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="replace one of the same name without asking")] = False,
) -> None:
    """Save a preset of your own; it is called yours/NAME."""
    from tui_trainer import presets

    origin = presets.load(base)
    wanted = configured(origin.config, settings)
    words = summary or presets.variation(origin, wanted)
    try:
        path = presets.save(name, wanted, words, replace=yes)
    except presets.TakenError:
        if not sys.stdin.isatty():
            raise
        typer.confirm(f"replace your preset {name}?", abort=True)
        path = presets.save(name, wanted, words, replace=True)
    print(f"yours/{name}: saved in {path}")
