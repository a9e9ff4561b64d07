"""The pictures of `docs/screens/`, taken from real runs: python docs/make_screens.py

Trains the digits and, where MNIST is present, five epochs of setting 2, then photographs each screen.
"""

import asyncio
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from tui_trainer import datasets
from tui_trainer.runs import directory
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.launcher import Launcher

SCREENS = Path(__file__).parent / "screens"
FONTS = re.compile(r"@font-face \{.*?\}", re.DOTALL)  # they would be fetched from a stranger's server


def train(runs: Path, preset: str, *settings: str) -> None:
    options = [word for setting in settings for word in ("--set", setting)]
    command = [sys.executable, "-m", "tui_trainer", "train", preset, "--plain", "--runs", str(runs), *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


async def until(pilot: Pilot[str], holds: Callable[[], bool]) -> None:
    while not holds():
        await pilot.pause(0.05)
    await pilot.pause(0.5)  # one more repaint


async def photograph(runs: Path, data: Path) -> None:
    app = TrainerApp(runs, data, Launcher())
    async with app.run_test(size=(120, 40)) as pilot:

        def save(name: str) -> None:
            svg = FONTS.sub("", app.export_screenshot(title="tui-trainer"))
            (SCREENS / f"{name}.svg").write_text(svg)

        await until(pilot, lambda: "✓" in app.export_screenshot(simplify=True))
        save("home")
        await pilot.press("e")
        await pilot.pause(0.5)
        save("form")
        await pilot.press("escape", "tab", "enter")
        await until(pilot, lambda: "finished" in app.export_screenshot(simplify=True))
        save("run")


def main() -> None:
    data = datasets.data_root()
    SCREENS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        runs = directory.runs_root(Path(folder))
        train(runs, "digits")
        if datasets.is_present(datasets.dataset("mnist"), data):
            train(runs, "evaluation-report/setting-2", "epochs=20")
        asyncio.run(photograph(runs, data))


if __name__ == "__main__":
    main()
