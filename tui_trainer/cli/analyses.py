"""Commands that look at a training: pre-flight, learning-rate finder, sharpness, the line between two minima."""

from __future__ import annotations

import json as json_text
from typing import Annotated, Any

import typer

from tui_trainer.cli.dashboard import data_root
from tui_trainer.cli.options import Json, Progress, RunName, Settings, checkpoint_file, configured, find
from tui_trainer.cli.start import ensure_data
from tui_trainer.runs.sweep import HIGH, LOW, STEPS

CURVE_ROWS = 20  # of the printed curve


def preflight(
    preset: Annotated[str, typer.Argument(metavar="PRESET", help="a preset's name, or a .toml file")],
    settings: Settings = None,
    json: Json = False,
) -> None:
    """What a training would take, before it is started.

    Layers, memory, time by a dry run of about a second, and whether the network can learn one batch by heart.
    """
    from tui_trainer import plain, plain_preflight, presets
    from tui_trainer.runs.jobs import run_job

    wanted = configured(presets.load(preset).config, settings)
    root = data_root()
    ensure_data(wanted, root)
    order = {"config": wanted.model_dump(mode="json"), "data": str(root)}
    with Progress("pre-flight") as progress:
        found = run_job("preflight", json_text.dumps(order), on_progress=progress.tell)
    if json:
        plain.print_json(found)
        return
    layers = [(f"{layer['inputs']} → {layer['outputs']}", f"{layer['parameters']:,}") for layer in found["layers"]]
    layers.append(("in all", f"{found['parameters']:,}"))
    plain.print_table(("layer", "parameters"), layers, right=frozenset({1}))
    print()
    for name, value in plain_preflight.facts(found):
        print(f"{name:<10} {value}")
    print()
    for tone, words in plain_preflight.verdicts(found):
        print(plain_preflight.marked(tone, words))


def lr_find(
    preset: Annotated[str, typer.Argument(metavar="PRESET", help="a preset's name, or a .toml file")],
    settings: Settings = None,
    start: Annotated[
        str, typer.Option("--from", metavar="RUN[:CHECKPOINT]", help="begin with another run's weights")
    ] = "",
    low: Annotated[float, typer.Option(help="the first learning rate")] = LOW,
    high: Annotated[float, typer.Option(help="the last one")] = HIGH,
    steps: Annotated[int, typer.Option(help="updates from the first to the last")] = STEPS,
    json: Json = False,
) -> None:
    """Suggest a learning rate.

    Trains a network of its own while the rate rises, and looks where the loss falls. Nothing is kept.
    """
    from tui_trainer import plain, presets
    from tui_trainer.runs import follow
    from tui_trainer.runs.jobs import run_job

    wanted = configured(presets.load(preset).config, settings)
    order: dict[str, Any] = {"config": wanted.model_dump(mode="json"), "low": low, "high": high, "steps": steps}
    if start:
        reference, _, checkpoint = start.partition(":")
        parent = find(reference)
        order["start"] = str(checkpoint_file(parent, follow.load(parent), checkpoint or "best"))
    root = data_root()
    ensure_data(wanted, root)
    with Progress() as progress:
        result = run_job(
            "lr-find",
            json_text.dumps({**order, "data": str(root)}),
            on_progress=lambda told: progress.show(f"step {told['step']} of {told['of']}"),
        )
    if json:
        plain.print_json(result)
        return
    rates, losses, smoothed = (result[name] for name in ("learning_rates", "losses", "smoothed"))
    shown = sorted({round(row * (len(rates) - 1) / (CURVE_ROWS - 1)) for row in range(CURVE_ROWS)})
    rows = [(f"{rates[i]:.2e}", f"{losses[i]:.4f}", f"{smoothed[i]:.4f}") for i in shown]
    plain.print_table(("learning rate", "loss", "smoothed"), rows, right=frozenset({0, 1, 2}))
    print()
    for name, rate in result["suggestions"].items():
        print(f"{name:>13}  {rate:.2g}")
    if not result["suggestions"]:
        print("no suggestion: the loss did not fall; try another --low and --high, or more --steps")


def sharpness(
    reference: RunName,
    epsilon: Annotated[list[float] | None, typer.Option(help="size of the box; repeatable  [1e-3, 5e-4]")] = None,
    json: Json = False,
) -> None:
    """How sharp the minimum is that a run found.

    The most that the training loss rises in a small box around the final weights, φ(ε) of Keskar et al. 2017.
    """
    from tui_trainer import plain
    from tui_trainer.runs.jobs import run_job

    chosen = find(reference)

    def show(told: dict[str, Any]) -> None:
        progress.show(
            f"ε {told['epsilon']:g}: evaluation {told['evaluation']} of {told['of']}, loss {told['loss']:.4g}"
        )

    with Progress() as progress:
        epsilons = json_text.dumps(epsilon or [1e-3, 5e-4])
        result = run_job("sharpness", str(chosen.path), epsilons, on_progress=show)
    if json:
        plain.print_json(result)
        return
    print(f"{chosen.id}: training loss {result['loss']:.4g}")
    for size, value in result["sharpness"].items():
        print(f"φ({size}) = {value:.4g}")


def line(
    first: RunName,
    second: RunName,
    low: Annotated[float, typer.Option(help="α of the first place")] = -1.0,
    high: Annotated[float, typer.Option(help="α of the last place")] = 2.0,
    points: Annotated[int, typer.Option(help="places measured")] = 31,
    json: Json = False,
) -> None:
    """Loss and accuracy on the line between two runs.

    At α·w₂ + (1 − α)·w₁: the first run at 0, the second at 1; batch-norm statistics are measured anew for each α.
    """
    from tui_trainer import plain
    from tui_trainer.runs.jobs import run_job
    from tui_trainer.text import percent

    ends = [str(find(reference).path) for reference in (first, second)]
    with Progress() as progress:
        result = run_job(
            "line",
            *ends,
            str(low),
            str(high),
            str(points),
            on_progress=lambda told: progress.show(f"place {told['point']} of {told['of']}"),
        )
    if json:
        plain.print_json(result)
        return
    columns = ("alpha", "train_loss", "train_accuracy", "test_loss", "test_accuracy")
    rows = [
        (f"{alpha:.3f}", f"{train_loss:.4f}", percent(train), f"{test_loss:.4f}", percent(test))
        for alpha, train_loss, train, test_loss, test in zip(*(result[name] for name in columns), strict=True)
    ]
    headings = ("α", "train loss", "accuracy", "test loss", "accuracy")
    plain.print_table(headings, rows, right=frozenset(range(5)))
