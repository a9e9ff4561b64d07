"""What the dashboard costs: time to first paint, a live screen with ten events a second over a near and a slow link,
opening a long run, training speed detached, attached, and with a terminal that stopped reading.

    python -m benchmarks.dashboard [--pairs 5] [--epochs 20] [--seconds 10]

Training needs MNIST under TUI_TRAINER_DATA; `--pairs 0` leaves it out. Pairs alternate; medians of the ratios within
each pair are what counts.
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
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks.startup import opening, write_run
from benchmarks.terminal import PROGRAM, Screen

BRAILLE = re.compile(rb"\xe2[\xa0-\xa3]")
APART = 0.15  # seconds between two pictures: what is drawn at once may arrive in parts
EVENTS = 250_000


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


def start(epochs: int) -> str:
    settings = ["--set", f"epochs={epochs}", "--detach"]
    command = [*PROGRAM, "train", "evaluation-report/setting-2", *settings]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def seconds_of(run: str) -> float:
    """Wait until the run has ended; the time of its epochs after the first five, in which a dashboard starts."""
    while status(run) != "finished":
        time.sleep(0.5)
    log = (Path(os.environ["TUI_TRAINER_RUNS"]) / run / "events.jsonl").read_text().splitlines()
    seconds = [float(json.loads(line)["seconds"]) for line in log if '"type":"epoch"' in line]
    return seconds[-1] - seconds[4]


def attached(epochs: int) -> tuple[float, float, float]:
    """Training seconds with the dashboard open; its bytes a second to the terminal and its share of a core."""
    run = start(epochs)
    screen = Screen("attach", run)
    screen.read(1.5)
    process, began, bytes_before = psutil.Process(screen.pid), time.perf_counter(), screen.bytes
    cpu_before = sum(process.cpu_times()[:2])
    while status(run) == "running":
        screen.read(0.5)
    elapsed = time.perf_counter() - began
    rate = (screen.bytes - bytes_before) / elapsed
    share = (sum(process.cpu_times()[:2]) - cpu_before) / elapsed
    screen.close()
    return seconds_of(run), rate, share


def stalled(epochs: int) -> float:
    """Training seconds while the dashboard's terminal takes nothing any more, as over a connection that hangs."""
    run = start(epochs)
    screen = Screen("attach", run)
    screen.read(1.5)
    seconds = seconds_of(run)  # nobody reads meanwhile
    screen.close()
    return seconds


def status(run: str) -> str:
    """`running` or `finished`, read off the log's last line: a process for it would disturb the measurement."""
    with (Path(os.environ["TUI_TRAINER_RUNS"]) / run / "events.jsonl").open("rb") as log:
        log.seek(0, os.SEEK_END)
        log.seek(max(0, log.tell() - 200))
        return "finished" if b'"status":"finished"' in log.read() else "running"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10.0, help="that a live screen is watched")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TUI_TRAINER_RUNS"] = folder
        paints = first_paint(7)
        print(f"first paint: median {statistics.median(paints):.3f} s, {min(paints):.3f} to {max(paints):.3f}")
        print(f"opening a run of {EVENTS:,} events: {opening(write_run(Path(folder), EVENTS, 100)):.2f} s")
        for words, slow in (("live screen", False), ("live screen over a slow link", True)):
            redraws, rate, share = live(options.seconds, slow)
            print(
                f"{words}: charts {redraws:.2f} Hz, {100 * share:.1f} % of a core, {rate / 1000:.1f} kB/s", flush=True
            )
        if not options.pairs:
            return
        ratios, stalls, rates, shares = [], [], [], []
        for _ in range(options.pairs):
            detached = seconds_of(start(options.epochs))
            with_dashboard, rate, share = attached(options.epochs)
            ratios.append(detached / with_dashboard)
            stalls.append(detached / stalled(options.epochs))
            rates.append(rate)
            shares.append(share)
            print(f"  detached {detached:.2f} s; attached ×{ratios[-1]:.3f}, stalled ×{stalls[-1]:.3f}", flush=True)
        print(f"throughput attached / detached: median {statistics.median(ratios):.3f}")
        print(f"throughput with a stalled terminal / detached: median {statistics.median(stalls):.3f}")
        print(f"to the terminal: median {statistics.median(rates) / 1000:.1f} kB/s")
        print(f"dashboard's CPU: median {100 * statistics.median(shares):.1f} % of a core")


if __name__ == "__main__":
    main()
