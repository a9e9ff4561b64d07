"""One-off work that needs torch, run in an engine process: JSON lines of progress, then one result."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

from tui_trainer.runs.launch import worker_command
from tui_trainer.text import InputError


def run_job(*arguments: str, on_progress: Callable[[dict[str, Any]], None] | None = None) -> Any:
    """The job's result, JSON. Raises `InputError` with what it refuses; leaving this function early ends the job."""
    process = subprocess.Popen(
        worker_command(*arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout and process.stderr
            for line in process.stdout:
                told = json.loads(line)
                if "result" in told:
                    return told["result"]
                if "problems" in told:
                    raise InputError(*told["problems"])
                if on_progress:
                    on_progress(told["progress"])
            last = process.stderr.read().strip().splitlines()
            raise InputError(f"{arguments[0]}: the job ended without a result: {last[-1] if last else 'no word why'}")
        finally:
            process.terminate()
