"""The peers' processes: started once, asked for samples in turn, and left out when they crash or do not answer."""

import json
import os
import select
import subprocess
import sys
import time
from typing import IO, Any, Self

from benchmarks.peers import PEERS
from benchmarks.workloads import Workload

LIMIT = 120.0  # seconds for a sample, the first with its warm-up and compilation
CALM = {"GOMP_SPINCOUNT": "1000"}  # for everyone: on a machine with other work, spinning threads stall each other


class PeerFailedError(Exception):
    """In words for the table."""


class PeerProcess:
    """One peer, imported and with the data read; a new process is started after a failure."""

    def __init__(self, name: str, device: str, errors: IO[bytes]) -> None:
        self.name = name
        self.errors = errors
        self.device = device
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self) -> None:
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.peers", self.name, self.device],
            env={**os.environ, **CALM, **PEERS[self.name].environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
        )
        self.buffer = b""
        self.answer(LIMIT)
        self.ready = time.perf_counter() - self.began

    def sample(self, work: Workload, seconds: float) -> dict[str, Any]:
        """`seconds` of an epoch, and `warm_up`, the first one's. Raises `PeerFailedError`."""
        if self.process is None:
            self.start()
        assert self.process and self.process.stdin
        try:
            self.process.stdin.write(json.dumps({"workload": work.name, "seconds": seconds}).encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            raise self.failure("ended") from None
        return self.answer(LIMIT)

    def answer(self, limit: float) -> dict[str, Any]:
        """The process's next line."""
        assert self.process and self.process.stdout
        deadline = time.perf_counter() + limit
        while b"\n" not in self.buffer:
            left = deadline - time.perf_counter()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise self.failure(f"no answer in {limit:.0f} s")
            got = os.read(self.process.stdout.fileno(), 65_536)
            if not got:
                raise self.failure("ended")
            self.buffer += got
        line, _, self.buffer = self.buffer.partition(b"\n")
        return dict(json.loads(line))

    def failure(self, what: str) -> PeerFailedError:
        self.end()
        self.errors.seek(0)
        last = self.errors.read().decode(errors="replace").strip().splitlines()
        return PeerFailedError(f"{what}: {last[-1][:80]}" if last and what == "ended" else what)

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None
