"""`tui-trainer bench`: how fast this machine trains, by width, batch and device."""

from __future__ import annotations

import itertools
import math
from typing import Annotated, Any

import typer

from tui_trainer.cli.options import Json, Progress
from tui_trainer.text import InputError

PRESET = "first-mlp/50-50-units"
PRINTED = {1000: {"cpu": 5_500, "cuda": 38_000}, 3000: {"cpu": 700, "cuda": 13_000}}
"""Units → images a second at batch 100 that the first-mlp tutorial prints, of a Core i7-6700K and a GTX 980 Ti."""
PRINTED_BATCH = 100
MOST_CELLS = 500
BAR = 24  # characters


def bench(
    widths: Annotated[str, typer.Option(help="units in each of two hidden layers")] = "50,200,1000,3000",
    batches: Annotated[str, typer.Option(help="batch sizes")] = "1,10,100,1000",
    device: Annotated[list[str] | None, typer.Option(help="cpu, cuda or mps; repeatable; all there are")] = None,
    seconds: Annotated[float, typer.Option(min=0.01, max=600, help="of training measured for each line")] = 1.0,
    json: Json = False,
) -> None:
    """Measure how fast this machine trains.

    Images a second of 784-N-N-10 with Adam, on random data; evaluation and saving are not counted.
    """
    from json import dumps

    from tui_trainer import plain, presets
    from tui_trainer.config import change
    from tui_trainer.runs.jobs import run_job

    sizes = list(itertools.product(numbers("--widths", widths), numbers("--batches", batches)))
    if len(sizes) > MOST_CELLS:
        raise InputError(f"--widths, --batches: {len(sizes):,} combinations; at most {MOST_CELLS} are measured at once")
    base = presets.load(PRESET).config
    configs = [
        change(base, {"network.hidden_sizes": [width, width], "training.batch_size": batch}) for width, batch in sizes
    ]
    for name in device or []:
        change(base, {"training.device": name})  # refused before a process with torch is started
    order = {
        "configs": [config.model_dump(mode="json") for config in configs],
        "devices": device or [],
        "seconds": seconds,
    }
    with Progress() as progress:
        rows = run_job("throughput", dumps(order), on_progress=lambda told: progress.show(words(told)))
    for row in rows:
        row["printed"] = printed(row)
    if json:
        plain.print_json(rows)
    else:
        draw(rows)


def numbers(option: str, given: str) -> list[int]:
    """`50,200` as whole numbers. Raises `InputError`."""
    words = [word.strip() for word in given.split(",")]
    if not all(word.isascii() and word.isdecimal() and len(word) < 10 and int(word) for word in words):
        raise InputError(f"{option}: {given[:80]!r} must be whole numbers from 1, joined by commas, as 50,200")
    return [int(word) for word in words]


def words(told: dict[str, Any]) -> str:
    units = "-".join(map(str, told["hidden_sizes"]))
    return f"{told['cell']} of {told['of']}: {told['device']}, {units}, batch {told['batch_size']:,}"


def printed(row: dict[str, Any]) -> int | None:
    """What the tutorial prints for this cell."""
    if row["batch_size"] != PRINTED_BATCH:
        return None
    return PRINTED.get(row["hidden_sizes"][0], {}).get(row["device"])


def draw(rows: list[dict[str, Any]]) -> None:
    """A line for each cell, with a bar; plain characters, aligned, so that a pipe shows what a terminal does."""
    from rich.console import Console
    from rich.table import Table

    from tui_trainer.text import unicode_terminal

    rates = [row["images_per_second"] for row in rows]
    low = 10 ** math.floor(math.log10(min(rates)))
    high = max(*rates, 10 * low)
    table = Table(box=None, pad_edge=False, header_style="")
    for heading, right in (("units", True), ("batch", True), ("device", False), ("images/s", True), ("", False)):
        table.add_column(heading, justify="right" if right else "left", no_wrap=True)
    table.add_column("printed", justify="right", no_wrap=True)
    block = "━" if unicode_terminal() else "="
    for row, rate in zip(rows, rates, strict=True):
        length = max(1, round(BAR * math.log(rate / low) / math.log(high / low)))
        table.add_row(
            "-".join(map(str, row["hidden_sizes"])),
            f"{row['batch_size']:,}",
            row["device"],
            f"{rate:,.0f}",
            (block * length).ljust(BAR),
            f"{row['printed']:,}" if row["printed"] else "",
        )
    Console(highlight=False).print(table)
    print(f"\nbars are logarithmic, from {low:,} to {high:,.0f}; {PRESET} with other widths and batches")
    if any(row["printed"] for row in rows):
        print("printed: in the tutorial of 2017, on a 4-core i7-6700K (cpu) and a GTX 980 Ti (cuda)")
