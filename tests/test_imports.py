"""Only the engine loads torch, only the dashboard loads textual: looked up in real processes."""

import subprocess
import sys

import pytest

LIGHT = [
    "__main__",
    "cli",
    "config",
    "datasets",
    "files",
    "plain",
    "presets",
    "runs.commands",
    "runs.directory",
    "runs.events",
    "runs.follow",
    "runs.jobs",
    "runs.launch",
    "runs.state",
    "text",
]
ENGINE = ["checkpoint", "control", "data", "device", "evaluate", "jobs", "model", "optim", "retention", "step", "train"]


def loaded(*modules: str) -> set[str]:
    """Top-level packages in `sys.modules` of a process that imported these."""
    code = f"import sys, {', '.join(modules)}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


@pytest.mark.parametrize("module", LIGHT)
def test_loads_neither_torch_nor_textual(module: str) -> None:
    assert not loaded(f"tui_trainer.{module}") & {"torch", "torchvision", "sklearn", "textual", "plotext"}


def test_the_dashboard_does_not_load_torch() -> None:
    found = loaded("tui_trainer.ui.app")
    assert "textual" in found and not found & {"torch", "torchvision", "sklearn"}


def test_the_engine_does_not_load_textual() -> None:
    found = loaded(*(f"tui_trainer.engine.{module}" for module in [*ENGINE, "worker", "__main__"]))
    assert "torch" in found and not found & {"textual", "plotext", "torchvision", "typer"}


def test_no_room_is_forgotten() -> None:
    from pathlib import Path

    import tui_trainer

    package = Path(tui_trainer.__file__).parent
    here = {".".join(path.relative_to(package).with_suffix("").parts) for path in package.rglob("*.py")}
    here -= {name for name in here if name.endswith("__init__") or name.startswith(("ui.", "engine."))}
    assert here - {"machine"} == set(LIGHT)
    assert {path.stem for path in (package / "engine").glob("*.py")} - {"__init__", "__main__", "worker"} == set(ENGINE)
