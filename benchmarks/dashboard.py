"""What the dashboard costs: time to first paint, a live screen with ten events a second over a near and a slow link,
opening a long run, training speed detached, attached, and with a terminal that stopped reading.

    python -m benchmarks.dashboard [--pairs 8] [--seconds 8]

Training needs MNIST under TUI_TRAINER_DATA; `--pairs 0` leaves it out. One training goes on all the while; each
stretch is compared with the detached ones before and after it, and medians of these ratios are what counts.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Self

import psutil

from benchmarks.startup import opening, opening_from_home, write_run
from benchmarks.terminal import PROGRAM, Screen

BRAILLE = re.compile(rb"\xe2[\xa0-\xa3]")
APART = 0.15  # seconds between two pictures: what is drawn at once may arrive in parts
EVENTS = 250_000
SETTLE_SECONDS = 2.0  # in which a dashboard has started
STARTING_SECONDS = 8.0  # in which a worker has
TAIL_BYTES = 16_384


def first_paint(runs: int) -> list[float]:
    """Seconds from exec until a preset's name and the footer are drawn."""
    times = []
    for _ in range(runs):
        screen = Screen()
        assert screen.read(10, lambda words: b"setting-1" in words and b"leave" in words), "nothing was drawn"
        times.append(time.perf_counter() - screen.started)
        screen.close()
    return times


class Cost(NamedTuple):
    """Of a live screen: pictures of charts a second, bytes a second to the terminal, share of a core."""

    redraws: float
    rate: float
    share: float


def live(seconds: float, slow: bool = False, keys: str = "") -> Cost:
    """The dashboard attached to a run that sends ten events a second, after these keys."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tui-trainer").mkdir()
        settings = Path(folder) / "tui-trainer" / "settings.toml"
        settings.write_text(f'slow_link = "{"on" if slow else "off"}"\n')
        runs = Path(folder) / "runs"
        command = [sys.executable, "-m", "benchmarks.live_run", str(runs), "--seconds", str(seconds + 20)]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert writer.stdout
        run = writer.stdout.readline().strip()
        environment = {**os.environ, "TUI_TRAINER_RUNS": str(runs), "XDG_CONFIG_HOME": folder}
        screen = Screen("attach", run, environment=environment)
        assert screen.read(20, lambda words: b"val" in words and b"left" in words), "nothing was drawn"
        screen.press(keys)
        screen.read(3)
        cost = _cost(screen, seconds)
        screen.close()
        writer.terminate()
        writer.wait()
    return cost


def _cost(screen: Screen, seconds: float) -> Cost:
    process, began, before = psutil.Process(screen.pid), time.perf_counter(), screen.bytes
    spent = sum(process.cpu_times()[:2])
    screen.chunks.clear()
    screen.read(seconds)
    elapsed = time.perf_counter() - began
    pictures: list[float] = []
    last = 0.0
    for moment, drawn in screen.chunks:
        if BRAILLE.search(drawn):  # nothing but charts has such dots
            if not pictures or moment - last > APART:
                pictures.append(moment)
            last = moment
    share = (sum(process.cpu_times()[:2]) - spent) / elapsed
    redraws = (len(pictures) - 1) / (pictures[-1] - pictures[0]) if len(pictures) > 1 else 0.0
    return Cost(redraws, (screen.bytes - before) / elapsed, share)


class Training:
    """One endless training of setting-2, whose speed is read off its log."""

    def __init__(self) -> None:
        endless = ["--set", "epochs=1000000", "--detach"]
        command = [*PROGRAM, "train", "evaluation-report/setting-2", *endless]
        self.run = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        self.log = Path(os.environ["TUI_TRAINER_RUNS"]) / self.run / "events.jsonl"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run([*PROGRAM, "stop", self.run, "--discard"], check=False, capture_output=True)

    def speed(self, wait: Callable[[float], object], seconds: float) -> float:
        """Steps a second of wall clock while `wait` waits."""
        (first, then), _ = self.newest(), wait(seconds)
        last, now = self.newest()
        return (last - first) / (now - then)

    def newest(self) -> tuple[int, float]:
        """The step of the newest event that tells one, and its moment."""
        with self.log.open("rb") as log:
            log.seek(-min(TAIL_BYTES, self.log.stat().st_size), os.SEEK_END)
            events = [json.loads(line) for line in log.read().splitlines()[1:]]
        newest = next(event for event in reversed(events) if event["type"] == "metrics")
        return int(newest["step"]), float(newest["time"])

    def attached(self, seconds: float) -> tuple[float, float, float]:
        """Speed with the dashboard open; its bytes a second to the terminal and its share of a core."""
        screen = Screen("attach", self.run)
        screen.read(SETTLE_SECONDS)
        process, bytes_before = psutil.Process(screen.pid), screen.bytes
        cpu_before = sum(process.cpu_times()[:2])
        speed = self.speed(screen.read, seconds)
        share = (sum(process.cpu_times()[:2]) - cpu_before) / seconds
        rate = (screen.bytes - bytes_before) / seconds
        screen.close()
        return speed, rate, share

    def stalled(self, seconds: float) -> float:
        """Speed while the dashboard's terminal takes nothing any more, as over a connection that hangs."""
        screen = Screen("attach", self.run)
        screen.read(SETTLE_SECONDS)
        speed = self.speed(time.sleep, seconds)
        screen.close()
        return speed


def compare(pairs: int, seconds: float) -> None:
    """Stretches of one training, detached ones between the others: a machine's speed drifts."""
    with Training() as training:
        time.sleep(STARTING_SECONDS)
        ratios, stalls, rates, shares = [], [], [], []
        before = training.speed(time.sleep, seconds)
        for _ in range(pairs):
            attached, rate, share = training.attached(seconds)
            between = training.speed(time.sleep, seconds)
            stalled = training.stalled(seconds)
            after = training.speed(time.sleep, seconds)
            ratios.append(attached / statistics.mean((before, between)))
            stalls.append(stalled / statistics.mean((between, after)))
            rates.append(rate)
            shares.append(share)
            print(
                f"  {between:,.0f} steps/s detached; attached ×{ratios[-1]:.3f}, stalled ×{stalls[-1]:.3f}", flush=True
            )
            before = after
    print(f"throughput attached / detached: median {statistics.median(ratios):.3f}")
    print(f"throughput with a stalled terminal / detached: median {statistics.median(stalls):.3f}")
    print(f"to the terminal: median {statistics.median(rates) / 1000:.1f} kB/s")
    print(f"dashboard's CPU: median {100 * statistics.median(shares):.1f} % of a core")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each stretch")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TUI_TRAINER_RUNS"] = folder
        paints = first_paint(7)
        print(f"first paint: median {statistics.median(paints):.3f} s, {min(paints):.3f} to {max(paints):.3f}")
        run = write_run(Path(folder), EVENTS, 100)
        print(f"opening a run of {EVENTS:,} events: {opening_from_home():.2f} s; by attach {opening(run):.2f} s")
        for words, slow in (("live screen", False), ("live screen over a slow link", True)):
            redraws, rate, share = live(options.seconds, slow)
            print(
                f"{words}: charts {redraws:.2f} Hz, {100 * share:.1f} % of a core, {rate / 1000:.1f} kB/s", flush=True
            )
        if options.pairs:
            compare(options.pairs, options.seconds)


if __name__ == "__main__":
    main()
