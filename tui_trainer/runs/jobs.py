"""One-off work that needs torch, run in an engine process: JSON lines of progress, then one result."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

from tui_trainer.runs.launch import worker_command
from tui_trainer.text import InputError


class Job:
    """One job under way; `cancel`, from any thread, ends it."""

    def __init__(self, *arguments: str) -> None:
        self.name = arguments[0]
        self.process = subprocess.Popen(
            worker_command(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def result(self, on_progress: Callable[[dict[str, Any]], None] | None = None) -> Any:
        """Wait for it: JSON. Raises `InputError` with what it refuses; leaving this function early ends the job."""
        with self.process as process:
            try:
                assert process.stdout and process.stderr
                for line in process.stdout:
                    if not line.endswith("\n"):
                        break  # cut short: the job was ended while it wrote
                    told = json.loads(line)
                    if "result" in told:
                        return told["result"]
                    if "problems" in told:
                        raise InputError(*told["problems"])
                    if on_progress:
                        on_progress(told["progress"])
                last = process.stderr.read().strip().splitlines()
                raise InputError(f"{self.name}: the job ended without a result: {last[-1] if last else 'no word why'}")
            finally:
                self.cancel()

    def cancel(self) -> None:
        self.process.terminate()


def run_job(*arguments: str, on_progress: Callable[[dict[str, Any]], None] | None = None) -> Any:
    """Run a job to its result."""
    return Job(*arguments).result(on_progress)
