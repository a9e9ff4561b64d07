"""Fixtures every test may ask for: folders of its own, the real command line, the real MNIST where it is."""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import Cli
from tui_trainer import datasets
from tui_trainer.runs import launch
from tui_trainer.runs.directory import Run
from tui_trainer.ui import guide

# whoever runs the tests in the background of a shell ignores it, and so would all that the tests start
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """No test sees, or leaves anything in, the configuration and data of whoever runs it, already when collected."""
    home = Path(tempfile.mkdtemp(prefix="tui-trainer-tests-"))
    config.add_cleanup(lambda: shutil.rmtree(home, ignore_errors=True))
    os.environ.setdefault("REAL_DATA", str(datasets.data_root()))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        os.environ[name] = str(home / name)
    guide.remember()
    for name in ("TUI_TRAINER_RUNS", "TUI_TRAINER_DATA", "COLUMNS", "LINES", "NO_COLOR"):
        os.environ.pop(name, None)
    if config.cache:  # the native step takes a compiler ten seconds: built once, under a digest of all that decides it
        folder = home / "XDG_CACHE_HOME" / "tui-trainer"
        folder.mkdir(parents=True)
        (folder / "steps").symlink_to(config.cache.mkdir("native-steps"))


@pytest.fixture(autouse=True)
def tiny_numbers() -> Iterator[None]:
    """Training flushes them to zero, which hypothesis notices."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder for runs."""
    return tmp_path / "runs"


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Cli]:
    """The command line over an empty folder of runs and an empty folder of data; no worker outlives the test."""
    folders = Cli(tmp_path / "runs", tmp_path / "data")
    folders.runs.mkdir()
    folders.data.mkdir()
    yield folders
    coordinators_first = sorted(folders.runs.rglob("lock"), key=lambda lock: "studies" not in lock.parts)
    for place in (Run(lock.parent) for lock in coordinators_first):
        if (holder := launch.owner(place)) and holder.pid != os.getpid():
            launch.kill(place)


@pytest.fixture(scope="session")
def server() -> Iterator[launch.ForkServer]:
    """Makes workers, each a real process, without the seconds it takes to load torch."""
    shared = launch.ForkServer()
    yield shared
    launch.ForkServer.dismiss(shared)


@pytest.fixture
def mnist() -> Path:
    """The folder that holds the real MNIST, as TUI_TRAINER_DATA names it."""
    real = Path(os.environ["REAL_DATA"])
    if not datasets.is_present(datasets.dataset("mnist"), real):
        pytest.skip(f"MNIST is not in {real}; set TUI_TRAINER_DATA to a folder that has it")
    return real
