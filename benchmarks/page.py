"""docs/benchmarks.md: every benchmark writes its own section and leaves the others as they are."""

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tui_trainer import machine
from tui_trainer.text import plural

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
TITLE = "# Benchmarks\n\nEach section names the command that wrote it.\n"


def write(file: Path, heading: str, lines: Iterable[str]) -> None:
    """Put the section `heading` into `file`, in the place of the one of that name if there is one."""
    text = file.read_text() if file.exists() else TITLE
    first, *others = text.split("\n## ")
    section = f"{heading}\n\n" + "\n".join(lines).strip() + "\n"
    places = [index for index, other in enumerate(others) if other.partition("\n")[0] == heading]
    if places:
        others[places[0]] = section
    else:
        others.append(section)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n\n## ".join(part.strip("\n") for part in (first, *others)) + "\n")


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Markdown; the first column to the left, numbers to the right."""
    rule = ["---", *("---:" for _ in headings[1:])]
    return [f"| {' | '.join(cells)} |" for cells in (headings, rule, *rows)]


def conditions(device: str) -> str:
    """Where and when, in one line."""
    found = next((d for d in machine.devices() if d.kind == device), machine.devices()[-1])
    load = os.getloadavg()[0]
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    cores = f" · {plural(found.cores, 'core')}" if found.cores else ""
    return (
        f"{found.label} {found.name}{cores}; Python {platform.python_version()}; {today}; load {load:.1f} at the start"
    )


def micro(seconds: float) -> str:
    return f"{1e6 * seconds:,.0f}" if seconds >= 1e-5 else f"{1e6 * seconds:.1f}"
