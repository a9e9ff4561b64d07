"""Fixtures every test may ask for: folders of its own, the real command line, the real MNIST where it is."""

import faulthandler
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import Cli
from tui_trainer import datasets


@pytest.fixture(scope="session", autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test sees, or leaves anything in, the configuration and data of whoever runs it."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REAL_DATA", str(datasets.data_root()))
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
            patch.setenv(name, str(home / name))
        for name in ("TUI_TRAINER_RUNS", "TUI_TRAINER_DATA"):
            patch.delenv(name, raising=False)
        yield


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
def cli(tmp_path: Path) -> Cli:
    """The command line over an empty folder of runs and an empty folder of data."""
    folders = Cli(tmp_path / "runs", tmp_path / "data")
    folders.runs.mkdir()
    folders.data.mkdir()
    return folders


@pytest.fixture
def mnist() -> Path:
    """The folder that holds the real MNIST, as TUI_TRAINER_DATA names it."""
    real = Path(os.environ["REAL_DATA"])
    if not datasets.is_present(datasets.dataset("mnist"), real):
        pytest.skip(f"MNIST is not in {real}; set TUI_TRAINER_DATA to a folder that has it")
    return real


@pytest.fixture
def no_hang() -> Iterator[None]:
    """A test that would wait for ever fails instead."""

    def give_up(_number: int, _frame: object) -> None:
        raise AssertionError("hangs")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(30)
    faulthandler.dump_traceback_later(60, exit=True)  # where no Python code runs, the handler above does not either
    yield
    faulthandler.cancel_dump_traceback_later()
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
