"""Jobs that look at a training rather than do one: learning-rate finder, sharpness, the line between two minima.

They read configs and committed checkpoints, need no lock, and write nothing.
"""

import json
import math
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from tui_trainer.config import RunConfig, build, differences
from tui_trainer.engine import checkpoint, data, device, line, lr_find, sharpness, trained
from tui_trainer.engine.jobs import tell
from tui_trainer.engine.line import Place
from tui_trainer.engine.lr_find import Sweep
from tui_trainer.engine.trainer import Trainer
from tui_trainer.runs.directory import Run
from tui_trainer.runs.sweep import HIGH, LOW, STEPS
from tui_trainer.text import InputError

MOST_STEPS = 10_000
HIGHEST_RATE = 100.0  # of the config's own bounds
MOST_POINTS = 1001


class Order(msgspec.Struct, forbid_unknown_fields=True):
    """What to sweep: a config and its data, rates from `low` to `high` in `steps` updates.

    `start`: a checkpoint to take the weights from, in place of the config's seed.
    """

    config: dict[str, Any]
    data: str
    low: float = LOW
    high: float = HIGH
    steps: int = STEPS
    start: str = ""


def find_rate(order_json: str) -> None:
    """Sweep the learning rate with a network of its own, in memory only."""
    order = msgspec.convert(json.loads(order_json), Order)
    problems = []
    if not 0 < order.low < order.high <= HIGHEST_RATE:
        problems.append(f"--low, --high: {order.low:g} … {order.high:g} must rise, above 0 and up to {HIGHEST_RATE:g}")
    if not 20 <= order.steps <= MOST_STEPS:
        problems.append(f"--steps: {order.steps} is not between 20 and {MOST_STEPS:,}")
    if problems:
        raise InputError(*problems)
    config = build(order.config)
    numerics = device.choose(config)
    device.prepare(numerics, config.training.deterministic)
    device.check_memory(config, numerics.torch_device)
    trainer = Trainer(config, data.load(config, Path(order.data), numerics.torch_device), numerics)
    if order.start:
        trainer.load_weights(checkpoint.read(Path(order.start)), new_output=True)

    def progress(done: Sweep) -> None:
        rate, loss, smoothed = done.learning_rates[-1], done.losses[-1], done.smoothed[-1]
        step = len(done.losses)
        tell(progress={"step": step, "of": order.steps, "learning_rate": rate, "loss": loss, "smoothed": smoothed})

    done = lr_find.sweep(trainer, order.low, order.high, order.steps, progress)
    if not done.losses:
        raise InputError(f"--low: the loss is not finite at a rate of {order.low:g} already")
    tell(result={**asdict(done), "suggestions": lr_find.suggestions(done, order.steps)})


def measure_sharpness(run: str, epsilons_json: str) -> None:
    """φ(ε) of the run's newest checkpoint, for each ε."""
    epsilons: list[float] = json.loads(epsilons_json)
    if not epsilons or not all(0 < epsilon <= 1 for epsilon in epsilons):
        raise InputError("--epsilon: each must be above 0 and at most 1")
    directory = Run(Path(run))
    subject = trained.load(trained.newest(directory), trained.data_root(directory), all_cores=True)
    surface = sharpness.Surface(subject.model, subject.splits.train)

    def progress(epsilon: float, evaluation: int, loss: float) -> None:
        tell(progress={"epsilon": epsilon, "evaluation": evaluation, "of": sharpness.ITERATIONS + 1, "loss": loss})

    found = {}
    for epsilon in epsilons:
        _, highest = sharpness.climb(surface, epsilon, partial(progress, epsilon))
        found[f"{epsilon:g}"] = sharpness.sharpness(surface.loss, highest)
    tell(result={"loss": surface.loss, "sharpness": found})


def walk_line(first_run: str, second_run: str, low: str, high: str, points: str) -> None:
    """Loss and accuracy at `points` places from α = `low` to `high`; α is 0 at the first run and 1 at the second."""
    runs = [Run(Path(run)) for run in (first_run, second_run)]
    begin, end, count = float(low), float(high), int(points)
    problems = []
    if not (math.isfinite(begin) and math.isfinite(end) and begin < end):
        problems.append(f"--low, --high: {low} … {high} must be finite and rise")
    if not 2 <= count <= MOST_POINTS:
        problems.append(f"--points: {points} is not between 2 and {MOST_POINTS}")
    if problems:
        raise InputError(*problems)
    snapshots = [trained.newest(run) for run in runs]
    check_alike(runs, [build(snapshot.meta.config) for snapshot in snapshots])
    first = trained.load(snapshots[0], trained.data_root(runs[0]), all_cores=True)
    second = trained.network(snapshots[1]).to(first.numerics.torch_device)
    alphas = [begin + (end - begin) * index / (count - 1) for index in range(count)]
    places: list[Place] = []
    for place in line.walk(first, second, alphas):
        places.append(place)
        tell(progress={"point": len(places), "of": count, **asdict(place)})
    names = [field.name for field in fields(Place)]
    tell(result={name: [getattr(place, name) for place in places] for name in names})


def check_alike(runs: list[Run], configs: list[RunConfig]) -> None:
    """Raises `InputError` unless the weights of both runs are of one function on the same data."""
    harmless = ("network.init", "network.init_gain", "network.dropout", "network.input_dropout")
    problems = [
        f"{runs[1].id}: {path}: {there!r}, but {here!r} in {runs[0].id}; a line needs one network and one data set"
        for path, (here, there) in differences(*configs).items()
        if path.startswith(("data.", "network.")) and path not in harmless
    ]
    if problems:
        raise InputError(*problems)
