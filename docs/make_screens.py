"""The pictures of `docs/screens/`, taken from real runs: python docs/make_screens.py [SCENE …]

Trains the digits, once until it diverges, two moons, a spiral, a study of three learning rates and, where MNIST is
present, setting 2, a fork of it and a live setting 4; one run is killed. Then every scene is taken in every look.
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from textual.pilot import Pilot

from tui_trainer import datasets
from tui_trainer.runs import follow, launch
from tui_trainer.runs.directory import Run
from tui_trainer.studies.directory import StudyDirectory, list_studies
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.launcher import Launcher
from tui_trainer.ui.settings import Settings

SCREENS = Path(__file__).parent / "screens"
FONTS = re.compile(r"@font-face \{.*?\}", re.DOTALL)  # they would be fetched from a stranger's server
PATIENCE_SECONDS = 60.0
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


class StillLauncher(Launcher):
    def warm_up(self) -> None:
        """Nothing is started from a picture."""


@dataclass(frozen=True)
class Look:
    """One way to see a scene; the suffix ends the picture's name."""

    suffix: str
    size: tuple[int, int]
    theme: str = "trainer-dark"


LOOKS = (
    Look("", (120, 40)),
    Look("-80x24", (80, 24)),
    Look("-200x60", (200, 60)),
    Look("-light", (120, 40), "trainer-light"),
    Look("-mono", (120, 40), "trainer-mono"),
)
Step = tuple[tuple[str, ...], str]
"""Keys, and words that are on the screen once they have been answered."""


@dataclass(frozen=True)
class Scene:
    """A screen: the run or study it opens on, or home, and the way there."""

    name: str
    opened: str
    steps: tuple[Step, ...]


SCENES = (
    Scene("home", "", (((), "finished"),)),
    Scene("guide", "", (((), "finished"), (("g",), "esc"))),
    Scene("form", "", (((), "finished"), (("e",), "New run"))),
    Scene("preflight", "", (((), "finished"), (("e",), "New run"), (("f4",), "by heart:"))),
    Scene("run", "live", (((), "running"), ((), "epoch"))),
    Scene("finished", "setting-2", (((), "finished"),)),
    Scene("cursor", "setting-2", (((), "finished"), (("v", *("left",) * 12), "epoch"))),
    Scene("rewind", "fork", (((), "finished"), (("b", *("left",) * 3), "Rewind"))),
    Scene("checkpoints", "setting-2", (((), "finished"), (("k",), "checkpoints,"))),
    Scene("mistakes", "setting-2", (((), "finished"), (("w",), "true"))),
    Scene("change", "live", (((), "running"), (("l",), "learning"))),
    Scene("leave", "live", (((), "running"), (("q",), "detach"))),
    Scene("find-rate", "", (((), "finished"), (("f",), "updates,"))),
    Scene("diverged", "diverged", (((), "failed"),)),
    Scene("boundary", "moons", (((), "finished"), (("right_square_bracket",), "boundary"))),
    Scene("neurons", "spiral", (((), "finished"), (("h", "right", "down", "down", "down"), "unit 4"))),
    Scene("runs", "", (((), "finished"), (("a",), "setting-2"))),
    Scene("data", "", (((), "finished"), (("d",), "mnist"))),
    Scene("settings", "", (((), "finished"), (("comma",), "theme"))),
    Scene("help", "setting-2", (((), "finished"), (("question_mark",), "closes"))),
    Scene("study", "study", (((), "9/9"),)),
    Scene("findings", "study", (((), "9/9"), (("v",), "beats"))),
    Scene("compare", "fork", (((), "finished"), (("c",), "Compare 2"))),
)


def tui_trainer(runs: Path, *words: str) -> str:
    command = [sys.executable, "-m", "tui_trainer", *words, "--runs", str(runs)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def train(runs: Path, preset: str, name: str, *settings: str) -> Run:
    options = [word for setting in settings for word in ("--set", setting)]
    tui_trainer(runs, "train", preset, "--name", name, "--plain", *options)
    return newest(runs)


def begin_badly(runs: Path) -> Run:
    """A run whose rate rises until its loss is not finite any more: that its command fails is what is wanted."""
    wild = ("optimizer=sgd", "activation=identity", "learning_rate=0.5", "warmup_epochs=20")
    try:
        train(runs, "digits", "digits-wild", *wild)
    except subprocess.CalledProcessError:
        return newest(runs)
    raise RuntimeError("it should have diverged")


def newest(runs: Path) -> Run:
    from tui_trainer.runs.directory import find

    return find(runs, "last")


@contextmanager
def material(folder: Path) -> Iterator[dict[str, Run | StudyDirectory]]:
    """What is photographed: finished, killed and live runs and a study."""
    runs = folder / "runs"
    made: dict[str, Run | StudyDirectory] = {}
    file = folder / "learning-rates.study.toml"
    file.write_text(STUDY)
    tui_trainer(runs, "study", "run", str(file), "--jobs", "1", "--plain")
    (made["study"],) = list_studies(runs)
    made["digits"] = train(runs, "digits", "digits")
    made["diverged"] = begin_badly(runs)
    made["moons"] = train(runs, "toys/moons", "moons")
    made["spiral"] = train(runs, "toys/spiral", "spiral", "hidden_sizes=12-8", "epochs=300")
    preset = "evaluation-report/setting-2" if is_here("mnist") else "digits"
    slow = "evaluation-report/setting-4" if is_here("mnist") else "digits"
    kept = ("epochs=24", "checkpoints.every_epochs=4")
    made["setting-2"] = first = train(runs, preset, "setting-2", *kept)
    tui_trainer(runs, "fork", first.id, "--checkpoint", "e12", "--name", "setting-2-slower", "--plain",
                "--set", "learning_rate=0.00003")  # fmt: skip
    made["fork"] = newest(runs)
    killed = begin(runs, slow, "setting-4-night", 3)
    owner = launch.owner(killed)
    assert owner
    os.kill(owner.pid, signal.SIGKILL)
    made["live"] = begin(runs, slow, "setting-4", 8)
    try:
        tui_trainer(
            runs, "set", newest(runs).id, "learning_rate=0.00003" if is_here("mnist") else "learning_rate=0.0003"
        )
        yield made
    finally:
        tui_trainer(runs, "stop", newest(runs).id, "--discard")


def begin(runs: Path, preset: str, name: str, epochs: int) -> Run:
    """A run left to its worker, once it has trained so many epochs."""
    tui_trainer(runs, "train", preset, "--name", name, "--set", "epochs=2000", "--set", "threads=1",
                "--set", "last_seconds=2", "--detach")  # fmt: skip
    run = newest(runs)
    follow.wait(follow.Follower(run), lambda state: state.epoch >= epochs, PATIENCE_SECONDS)
    return run


def is_here(name: str) -> bool:
    return datasets.is_present(datasets.dataset(name), datasets.data_root())


async def photograph(scene: Scene, look: Look, runs: Path, opened: Run | StudyDirectory | None) -> None:
    app = TrainerApp(runs, datasets.data_root(), StillLauncher(), opened, Settings(theme=look.theme))
    async with app.run_test(size=look.size) as pilot:
        for keys, words in scene.steps:
            await pilot.press(*keys)
            await see(pilot, words)
        await pilot.pause(3.0)  # one more repaint of what is live, the machine's load included
        svg = FONTS.sub("", app.export_screenshot(title="tui-trainer"))
        for own, shown in ((str(runs.parent), "~"), (str(datasets.data_root()), "~/data"), (str(Path.home()), "~")):
            name = re.compile(rf"{re.escape(own)}([^<&\s]*)")
            svg = name.sub(lambda m, shown=shown: (shown + m[1]).ljust(len(m[0]), "\xa0"), svg)  # as wide as it was
        (SCREENS / f"{scene.name}{look.suffix}.svg").write_text(svg)


async def see(pilot: Pilot[str], words: str) -> None:
    for _ in range(int(PATIENCE_SECONDS / 0.1)):
        if words in unescape(pilot.app.export_screenshot(simplify=True)).replace("\xa0", " "):
            return
        await pilot.pause(0.1)
    raise TimeoutError(f"{words!r} is not on the screen")


def main() -> None:
    wanted = sys.argv[1:] or [scene.name for scene in SCENES]
    SCREENS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, material(Path(folder)) as made:
        for scene in SCENES:
            for look in LOOKS if scene.name in wanted else ():
                print(f"{scene.name}{look.suffix}", flush=True)
                asyncio.run(photograph(scene, look, Path(folder) / "runs", made.get(scene.opened)))


if __name__ == "__main__":
    main()
