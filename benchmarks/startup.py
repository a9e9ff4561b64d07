"""How long a person waits: for help, for the first number of a training, for a long run to open, for a list of many.

    python -m benchmarks.startup [--rounds 3] [-o FILE.md]

Screens are real ones, on a pseudo-terminal. Needs MNIST under TUI_TRAINER_DATA.
"""

import argparse
import os
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import page
from benchmarks.terminal import PROGRAM, Screen
from tui_trainer.config import RunConfig
from tui_trainer.runs import directory, events
from tui_trainer.runs.directory import Run
from tui_trainer.runs.fold import fold_all
from tui_trainer.runs.reader import EventReader
from tui_trainer.runs.state import RunState

EVENTS, RUNS = 250_000, 2_000
STANDBY_SECONDS = 8.0  # in which a standby worker has surely imported torch
ENDLESS = ("--set", "training.epochs=1000000")
NUMBERS = re.compile(rb"loss\D{0,20}\d\.\d+")  # of the run screen, from the first metrics on


def write_run(root: Path, metrics: int, epochs: int) -> Run:
    """A finished run with so many `metrics` events, spread over `epochs`."""
    run = directory.create(root, RunConfig(), "made", "digits", root)
    log = events.EventLog(run.events_file)
    log.append(events.State(status="starting", pid=1))
    log.append(
        events.Started(
            pid=1,
            host="here",
            device="cpu",
            device_name="processor",
            threads=1,
            precision="fp32",
            versions={},
            step_path="autograd",
            parameters=1,
            train_examples=1,
            steps_per_epoch=max(1, metrics // epochs),
        )
    )
    for step in range(1, metrics + 1):
        log.append(
            events.Metrics(
                epoch=step * epochs // metrics,
                step=step,
                loss=1 / step,
                accuracy=0.9,
                gradient_norm=0.1,
                learning_rate=0.001,
                images_per_second=1e5,
                seconds=step / 10,
            )
        )
        if step % max(1, metrics // epochs) == 0:
            log.append(
                events.Epoch(
                    epoch=step * epochs // metrics,
                    step=step,
                    train_loss=0.1,
                    train_accuracy=0.9,
                    val_loss=0.1,
                    val_accuracy=0.9,
                    learning_rate=0.001,
                    images_per_second=1e5,
                    seconds=step / 10,
                    training_seconds=step / 10,
                    evaluation_seconds=0.0,
                    saving_seconds=0.0,
                )
            )
    log.append(events.State(status="finished"))
    log.close()
    return run


def run_help() -> float:
    return timed(lambda: subprocess.run([*PROGRAM, "--help"], check=True, capture_output=True))


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def start_with_standby(preset: str) -> float:
    """From the key that starts a preset, on a dashboard that has been open for a while, to the first number."""
    screen = Screen()
    try:
        expect(screen.read(20, lambda words: b"leave" in words), "home")
        screen.press("/")
        screen.read(0.5)
        screen.press(preset)
        screen.read(0.5)
        screen.press("\r")
        screen.read(STANDBY_SECONDS)
        screen.press("\r")
        began = time.perf_counter()
        expect(screen.read(60, lambda words: bool(NUMBERS.search(words))), "numbers")
        return time.perf_counter() - began
    finally:
        stop_all()
        screen.close()


def start_cold(preset: str) -> float:
    """From the command `train` to the first number."""
    screen = Screen("train", preset, *ENDLESS)
    try:
        expect(screen.read(60, lambda words: bool(NUMBERS.search(words))), "numbers")
        return time.perf_counter() - screen.started
    finally:
        stop_all()
        screen.close()


def stop_all() -> None:
    subprocess.run([*PROGRAM, "stop", "last", "--discard"], check=False, capture_output=True)


def expect(seen: bool, what: str) -> None:
    if not seen:
        raise TimeoutError(f"{what}: never drawn")


def folding(run: Run) -> float:
    def work() -> None:
        state = RunState(run.id, RunConfig())
        fold_all(state, EventReader(run.events_file).read(limit=-1))

    return timed(work)


def opening(run: Run) -> float:
    """From the command `attach` to the run's state, with everything read."""
    screen = Screen("attach", run.id)
    try:
        expect(screen.read(30, lambda words: b"finished" in words and bool(NUMBERS.search(words))), "the run")
        return time.perf_counter() - screen.started
    finally:
        screen.close()


def opening_from_home() -> float:
    """From enter on the one run in home's list to the run's state, with everything read."""
    screen = Screen()
    try:
        expect(screen.read(20, lambda words: b"finished" in words), "home's list")
        screen.read(STANDBY_SECONDS)
        screen.press("\t")
        screen.read(0.5)
        screen.press("\r")
        began = time.perf_counter()
        expect(screen.read(30, lambda words: b"finished in" in words and bool(NUMBERS.search(words))), "the run")
        return time.perf_counter() - began
    finally:
        screen.close()


def listing() -> float:
    return timed(lambda: subprocess.run([*PROGRAM, "runs"], check=True, capture_output=True))


def listing_at_home() -> float:
    """From the command to the list of runs on the home screen."""
    screen = Screen()
    try:
        expect(screen.read(60, lambda words: b"older" in words), "the list")
        return time.perf_counter() - screen.started
    finally:
        screen.close()


def measurements() -> dict[str, tuple[Callable[[], float], float]]:
    """What is measured in the present folder of runs, and the budget in seconds."""
    root = Path(os.environ["TUI_TRAINER_RUNS"])
    many, long = root / "many", root / "long"
    for _ in range(RUNS):
        write_run(many, metrics=60, epochs=20)
    run = write_run(long, metrics=EVENTS, epochs=100)

    def among(folder: Path, work: Callable[[], float]) -> Callable[[], float]:
        def measure() -> float:
            os.environ["TUI_TRAINER_RUNS"] = str(folder)
            return work()

        return measure

    return {
        "`--help`": (run_help, 0.2),
        "Start to first number, standby, digits": (among(root / "new", lambda: start_with_standby("digits")), 0.4),
        "Start to first number, standby, setting-2": (
            among(root / "new", lambda: start_with_standby("setting-2")),
            0.4,
        ),
        "`train` to first number, cold, setting-2": (among(root / "new", lambda: start_cold("setting-2")), 4.0),
        f"folding {EVENTS:,} events": (lambda: folding(run), 0.4),
        f"opening a run of {EVENTS:,} events from home": (among(long, opening_from_home), 0.7),
        f"`attach` to a run of {EVENTS:,} events": (among(long, lambda: opening(run)), 0.7),
        f"`runs`, {RUNS:,} runs": (among(many, listing), 0.5),
        f"home's list, {RUNS:,} runs": (among(many, listing_at_home), 1.0),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="words of a measurement's name")
    parser.add_argument("-o", "--output", type=Path, default=page.PAGE)
    options = parser.parse_args()
    lines = [f"`python -m benchmarks.startup`. {page.conditions('cpu')}. Medians of {options.rounds}.", ""]
    rows = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # a worker may still write its last word
        os.environ.update(TUI_TRAINER_RUNS=folder, XDG_CACHE_HOME=f"{folder}/cache")
        for name, (work, budget) in measurements().items():
            if options.only not in name:
                continue
            times = []
            for _ in range(options.rounds):
                try:
                    times.append(work())
                except (TimeoutError, subprocess.SubprocessError) as error:
                    print(f"{name}: {error}", flush=True)
            shown = f"{statistics.median(times):.2f} s" if times else "failed"
            print(f"{name}: {shown} of {budget} ({', '.join(f'{t:.2f}' for t in times)})", flush=True)
            rows.append((name, shown, f"{budget} s"))
    page.write(options.output, "Waiting", [*lines, *page.table(("", "measured", "budget"), rows)])


if __name__ == "__main__":
    main()
