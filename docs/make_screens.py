"""The pictures of `docs/screens/`, taken from real runs: python docs/make_screens.py

Trains the digits, a study of three learning rates on them and, where MNIST is present, twenty epochs of setting 2,
then photographs each screen.
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
from tui_trainer.studies import directory as studies
from tui_trainer.studies import follow
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.launcher import Launcher
from tui_trainer.ui.screens.compare import CompareScreen

SCREENS = Path(__file__).parent / "screens"
FONTS = re.compile(r"@font-face \{.*?\}", re.DOTALL)  # they would be fetched from a stranger's server
STUDY = """
title = "Which learning rate for the digits?"
summary = "Adam on two hidden layers, 20 epochs at three learning rates."
seeds = 3
charts = ["val_accuracy", "train_loss"]
set = { epochs = 20, device = "cpu" }

[[runs]]
preset = "digits"
name = "lr-0.0001"
set = { learning_rate = 0.0001 }

[[runs]]
preset = "digits"
name = "lr-0.001"

[[runs]]
preset = "digits"
name = "lr-0.01"
set = { learning_rate = 0.01 }

[[claims]]
text = "A rate of 0.001 beats one of 0.0001."
measure = "test_accuracy"
rows = ["lr-0.001", "lr-0.0001"]
holds = "above"
"""


def run(runs: Path, *words: str) -> None:
    command = [sys.executable, "-m", "tui_trainer", *words, "--plain", "--runs", str(runs)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


async def until(pilot: Pilot[str], holds: Callable[[], bool]) -> None:
    while not holds():
        await pilot.pause(0.05)
    await pilot.pause(0.5)  # one more repaint


def save(app: TrainerApp, name: str) -> None:
    svg = FONTS.sub("", app.export_screenshot(title="tui-trainer"))
    (SCREENS / f"{name}.svg").write_text(svg)


async def photograph_runs(runs: Path, data: Path) -> None:
    app = TrainerApp(runs, data, Launcher())
    async with app.run_test(size=(120, 40)) as pilot:

        def see(words: str) -> bool:
            return words in app.export_screenshot(simplify=True)

        await until(pilot, lambda: see("✓"))
        save(app, "home")
        await pilot.press("e")
        await pilot.pause(0.5)
        save(app, "form")
        await pilot.press("escape", "tab", "enter")
        await until(pilot, lambda: see("finished"))
        save(app, "run")


async def photograph_study(runs: Path, data: Path) -> None:
    """The study, and the first seeds of its rows compared."""
    (study,) = studies.list_studies(runs)
    app = TrainerApp(runs, data, Launcher(), study)
    async with app.run_test(size=(120, 40)) as pilot:

        def see(words: str) -> bool:
            return words in app.export_screenshot(simplify=True).replace("&#160;", " ")

        await until(pilot, lambda: see("holds"))
        save(app, "study")
        firsts = [row.members[0].run for row in follow.load(study).rows]
        await app.push_screen(CompareScreen([first for first in firsts if first]))
        await until(pilot, lambda: see("Compare 3"))
        save(app, "compare")


def main() -> None:
    data = datasets.data_root()
    SCREENS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        runs = directory.runs_root(Path(folder) / "runs")
        run(runs, "train", "digits")
        if datasets.is_present(datasets.dataset("mnist"), data):
            run(runs, "train", "evaluation-report/setting-2", "--set", "epochs=20")
        asyncio.run(photograph_runs(runs, data))
    with tempfile.TemporaryDirectory() as folder:
        runs = directory.runs_root(Path(folder) / "runs")
        file = Path(folder) / "learning-rates.study.toml"
        file.write_text(STUDY)
        run(runs, "study", "run", str(file), "--jobs", "1")
        asyncio.run(photograph_study(runs, data))


if __name__ == "__main__":
    main()
