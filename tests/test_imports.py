"""Only the engine loads torch, only the dashboard loads textual: looked up in real processes."""

import subprocess
import sys
from pathlib import Path

import tui_trainer

PACKAGE = Path(tui_trainer.__file__).parent
MODULES = sorted(
    ".".join(("tui_trainer", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
)
ROOMS = ("engine", "ui")
SLOW = {"torch", "torchvision", "sklearn"}
SCREEN = {"textual", "plotext"}


def of_room(*rooms: str) -> list[str]:
    return [module for module in MODULES if module.split(".")[1:2] and module.split(".")[1] in rooms]


def check(modules: list[str], forbidden: set[str]) -> set[str]:
    """Import them one after another in a fresh process, which names the first that brings something forbidden.

    Returns the top-level packages loaded at the end.
    """
    code = (
        "import importlib, sys\n"
        f"for name in {modules}:\n"
        "    importlib.import_module(name)\n"
        f"    assert not {forbidden} & sys.modules.keys(), name + ' loads ' + str({forbidden} & sys.modules.keys())\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_everything_else_loads_neither_torch_nor_textual() -> None:
    others = [module for module in MODULES if module not in of_room(*ROOMS)]
    assert {"tui_trainer.__main__", "tui_trainer.cli.start", "tui_trainer.runs.follow"} <= set(others)
    check(others, SLOW | SCREEN)


def test_the_dashboard_does_not_load_torch() -> None:
    assert "textual" in check(of_room("ui"), SLOW)


def test_the_engine_loads_neither_textual_nor_the_command_line() -> None:
    assert "torch" in check(of_room("engine"), SCREEN | {"torchvision", "typer", "sklearn"})
