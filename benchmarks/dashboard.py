"""What the dashboard costs: time to first paint, bytes and CPU of a live screen, training speed attached and detached.

    python -m benchmarks.dashboard [--pairs 5] [--epochs 20]

Needs MNIST under TUI_TRAINER_DATA. Pairs alternate; medians of the ratios within each pair are what counts.
"""

import argparse
import fcntl
import json
import os
import pty
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable
from pathlib import Path

import psutil

PROGRAM = [sys.executable, "-m", "tui_trainer"]
ESCAPES = re.compile(rb"\x1b(\[[0-9;?<>=]*[a-zA-Z]|\][^\x07\x1b]*(\x07|\x1b\\)|[()][A-Z0-9]|[=>78])")


class Screen:
    """The program on a pseudo-terminal of our own, 120×40; what it draws is read and counted."""

    def __init__(self, *arguments: str) -> None:
        self.started = time.perf_counter()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm-256color"
            os.execv(PROGRAM[0], [*PROGRAM, *arguments])
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.drawn = b""
        self.bytes = 0

    def read(self, seconds: float, until: Callable[[bytes], bool] | None = None) -> bool:
        """Read for at most `seconds`, or until the words drawn so far satisfy `until`."""
        deadline = time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            if select.select([self.terminal], [], [], left)[0]:
                try:
                    got = os.read(self.terminal, 65_536)
                except OSError:
                    return False
                self.bytes += len(got)
                if until:
                    self.drawn += got
                    if until(ESCAPES.sub(b"", self.drawn)):
                        return True
        return False

    def close(self) -> None:
        os.kill(self.pid, signal.SIGTERM)
        while self.read(0.2):
            pass
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


def first_paint(runs: int) -> list[float]:
    """Seconds from exec until a preset's name and the footer are drawn."""
    times = []
    for _ in range(runs):
        screen = Screen()
        assert screen.read(10, lambda words: b"setting-1" in words and b"leave" in words), "nothing was drawn"
        times.append(time.perf_counter() - screen.started)
        screen.close()
    return times


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
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TUI_TRAINER_RUNS"] = folder
        paints = first_paint(7)
        print(f"first paint: median {statistics.median(paints):.3f} s, {min(paints):.3f} to {max(paints):.3f}")
        ratios, rates, shares = [], [], []
        for _ in range(options.pairs):
            detached = seconds_of(start(options.epochs))
            with_dashboard, rate, share = attached(options.epochs)
            ratios.append(detached / with_dashboard)
            rates.append(rate)
            shares.append(share)
            print(f"  detached {detached:.2f} s, attached {with_dashboard:.2f} s, ratio {ratios[-1]:.3f}")
        print(f"throughput attached / detached: median {statistics.median(ratios):.3f}")
        print(f"to the terminal: median {statistics.median(rates) / 1000:.1f} kB/s")
        print(f"dashboard's CPU: median {100 * statistics.median(shares):.1f} % of a core")


if __name__ == "__main__":
    main()
