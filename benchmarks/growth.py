"""How training speed changes as the work grows, beside the machine's own limit.

    python -m benchmarks.growth [--device cpu] [--seconds 1] [-o FILE.md]

Networks of ReLU layers on MNIST's shape with Adam, trained by the engine's `throughput` job: the real loop on random
data. Writes its section of docs/benchmarks.md.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import page
from benchmarks.floor import Floor, measured_floor
from tui_trainer import presets
from tui_trainer.config import RunConfig, change
from tui_trainer.runs.jobs import run_job
from tui_trainer.text import InputError

CLOSE = 0.5  # of the floor; what stays below is named
SWEEPS: dict[str, list[tuple[tuple[int, ...], int]]] = {
    "width (two layers, batch 200)": [((width, width), 200) for width in (64, 128, 256, 512, 1024, 2048, 4096)],
    "batch (200-200-200)": [((200, 200, 200), batch) for batch in (1, 10, 100, 1000, 8000)],
    "layers (of 200, batch 200)": [((200,) * layers, 200) for layers in (1, 2, 4, 8, 16)],
}


def config_of(hidden: Sequence[int], batch: int) -> RunConfig:
    base = presets.load("evaluation-report/setting-2").config
    return change(base, {"network.hidden_sizes": list(hidden), "training.batch_size": batch})


def rate_of(config: RunConfig, device: str, seconds: float) -> float | None:
    order = {"configs": [config.model_dump(mode="json")], "devices": [device], "seconds": seconds}
    try:
        return float(run_job("throughput", json.dumps(order))[0]["images_per_second"])
    except InputError as error:
        print(f"{config.architecture}: {error}", file=sys.stderr)
        return None


def floor_of(config: RunConfig, device: str) -> Floor | None:
    try:
        return measured_floor(config.layer_sizes, config.training.batch_size, config.optimizer.name, device)
    except subprocess.SubprocessError as error:
        print(f"{config.architecture}: {error}", file=sys.stderr)
        return None


def sweep(name: str, device: str, seconds: float) -> Iterator[str]:
    """One table, and a sentence on what stays far above its floor."""
    rows: list[tuple[str, ...]] = []
    far: list[str] = []
    for hidden, batch in SWEEPS[name]:
        config = config_of(hidden, batch)
        rate, floor = rate_of(config, device, seconds), floor_of(config, device)
        if rate is None or floor is None:
            rows.append((config.architecture, f"{batch:,}", "–", "–", "–", "–"))
            continue
        step = batch / rate
        share = floor.step / step
        label = config.architecture if batch == 200 else f"batch {batch:,}"
        if share < CLOSE:
            far.append(f"{label} ({page.micro(step - floor.step)} µs a step above its floor)")
        rows.append(
            (
                config.architecture if len(config.layer_sizes) < 8 else f"784-200×{len(hidden)}-10",
                f"{batch:,}",
                f"{rate:,.0f}",
                page.micro(step),
                page.micro(floor.step),
                f"{100 * share:.0f} %",
            )
        )
        print(f"{config.architecture}, batch {batch:,}: {rate:,.0f} images/s, {100 * share:.0f} %", file=sys.stderr)
    yield f"By {name}:"
    yield ""
    yield from page.table(("network", "batch", "images/s", "µs a step", "floor, µs", "of the floor"), rows)
    yield ""
    if far:
        yield f"Less than half of what the floor allows: {'; '.join(far)}."
    else:
        yield "All at half of what the floor allows or better."
    yield ""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seconds", type=float, default=1.0, help="of training measured for each line")
    parser.add_argument("-o", "--output", type=Path, default=page.PAGE)
    options = parser.parse_args()
    lines = [f"`python -m benchmarks.growth`. {page.conditions(options.device)}.", ""]
    for name in SWEEPS:
        lines += sweep(name, options.device, options.seconds)
        page.write(options.output, f"Speed as work grows on {options.device}", lines)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
