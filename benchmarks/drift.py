"""Does a long training slow down or grow? Late epochs against early ones, and the worker's memory over many steps.

    python -m benchmarks.drift [--epochs 100] [--steps 1000000] [-o FILE.md]

Needs MNIST under TUI_TRAINER_DATA. Both are real runs through the worker.
"""

import argparse
import statistics
import time
from pathlib import Path

import psutil

from benchmarks import ours, page
from tui_trainer.text import size

WARM_UP, SPAN = 2, 8  # epochs left out at the start; epochs that make up `early`, and `late`
TINY = ("digits", "--set", "hidden_sizes=8", "--set", "batch_size=64", "--set", "threads=1", "--set", "device=cpu")


def speed_over_epochs(epochs: int) -> str:
    """setting-2: the speed of its last epochs against that of the first."""
    arguments = ["evaluation-report/setting-2", "--set", f"epochs={epochs}", "--set", "device=cpu"]
    with ours.training(arguments, attached=False) as going:
        going.wait_for_state(lambda state: state.status == "finished")
        rates = [epoch.images_per_second for epoch in going.state.epochs_done]
    early = statistics.median(rates[WARM_UP : WARM_UP + SPAN])
    late = statistics.median(rates[-SPAN:])
    return (
        f"setting-2, epochs {WARM_UP + 1} to {WARM_UP + SPAN}: {early:,.0f} images/s; the last {SPAN} of {epochs}: "
        f"{late:,.0f}; ratio {late / early:.3f}"
    )


def memory_over_steps(steps: int) -> str:
    """A tiny network for many steps: the worker's resident memory after a tenth of them, and from there on."""
    samples: list[tuple[int, int]] = []
    with ours.training([*TINY, "--set", f"steps={steps}"], attached=False) as going:
        going.wait_for_state(lambda state: state.started is not None)
        worker = psutil.Process(going.state.worker_pid)
        began = time.perf_counter()
        while going.state.status != "finished":
            try:
                samples.append((going.state.step, worker.memory_info().rss))
            except psutil.Error:  # it has just ended
                break
            going.wait(0.2)
            going.follower.poll()
        seconds = time.perf_counter() - began
    settled = [rss for step, rss in samples if step >= steps / 10]
    if not settled:
        return f"64-8-10 on digits: {steps:,} steps were over before the worker's memory could be looked at"
    return (
        f"64-8-10 on digits, {steps:,} steps in {seconds:.0f} s: the worker's memory is {size(settled[0])} after a "
        f"tenth of them, at most {size(max(settled))} later, {size(settled[-1])} at the end; "
        f"ratio {settled[-1] / settled[0]:.3f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("-o", "--output", type=Path, default=page.PAGE)
    options = parser.parse_args()
    lines = [f"`python -m benchmarks.drift`. {page.conditions('cpu')}.", ""]
    for line in (speed_over_epochs(options.epochs), memory_over_steps(options.steps)):
        print(line, flush=True)
        lines.append(f"- {line}")
    page.write(options.output, "Drift", lines)


if __name__ == "__main__":
    main()
