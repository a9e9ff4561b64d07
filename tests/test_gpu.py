"""Which GPU a worker gets on a shared machine: by free memory and load, by UUID, and the same one again."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from tests.dashboard import FakeRun, started
from tui_trainer import machine
from tui_trainer.config import RunConfig, apply
from tui_trainer.machine import GIB
from tui_trainer.runs import gpu
from tui_trainer.text import InputError
from tui_trainer.ui import launcher
from tui_trainer.ui.launcher import Launcher

Card = tuple[str, int, int]
"""UUID, free GiB, load in percent."""
Install = Callable[..., None]


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> Install:
    """pynvml on a machine with these cards."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def install(*found: Card) -> None:
        module = ModuleType("pynvml")
        answers: dict[str, Callable[..., object]] = {
            "nvmlInit": lambda: None,
            "nvmlShutdown": lambda: None,
            "nvmlDeviceGetCount": lambda: len(found),
            "nvmlDeviceGetHandleByIndex": lambda index: found[index],
            "nvmlDeviceGetName": lambda _: "NVIDIA A100",
            "nvmlDeviceGetUUID": lambda card: card[0],
            "nvmlDeviceGetMemoryInfo": lambda card: SimpleNamespace(free=card[1] * GIB, total=80 * GIB),
            "nvmlDeviceGetUtilizationRates": lambda card: SimpleNamespace(gpu=card[2]),
            "nvmlDeviceGetTemperature": lambda *_: 41,
        }
        for name, answer in answers.items():
            setattr(module, name, answer)
        module.NVMLError = OSError  # type: ignore[attr-defined]
        module.NVML_TEMPERATURE_GPU = 0  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "pynvml", module)

    return install


def chosen(*settings: str, wanted: str = "", before: str = "") -> str | None:
    """The UUID that a worker of digits would see, or None where nothing is said to it."""
    environment, _ = gpu.place(apply(RunConfig(), list(settings)), wanted, before)
    return environment.get("CUDA_VISIBLE_DEVICES")


def test_of_several_gpus_the_freest_then_the_least_busy_is_taken(cards: Install) -> None:
    cards(("GPU-a", 10, 0), ("GPU-b", 70, 90), ("GPU-c", 70, 5))
    assert chosen() == chosen(wanted="auto") == "GPU-c"
    assert chosen(wanted="1") == chosen(wanted="gpu-b") == "GPU-b"
    assert chosen("device=cpu") is None
    cards(("GPU-a", 10, 0))
    assert chosen() is None, "one GPU needs no choice"
    assert machine.describe(machine.devices()[0]) == "cuda:0 NVIDIA A100 · 10 of 80 GiB free · 0 % busy · 41 °C"


def test_what_is_visible_already_bounds_the_choice(cards: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    cards(("GPU-a", 10, 0), ("GPU-b", 70, 0), ("GPU-c", 60, 0))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,GPU-c")
    assert chosen() == "GPU-c"
    with pytest.raises(InputError, match=r"none of auto, 0 \(GPU-a\), 2 \(GPU-c\)"):
        chosen(wanted="GPU-b")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(InputError, match="no NVIDIA GPU"):
        chosen(wanted="auto")


def test_a_gpu_for_a_run_on_the_processor_is_refused(cards: Install) -> None:
    cards(("GPU-a", 10, 0), ("GPU-b", 70, 0))
    with pytest.raises(InputError, match="device=cuda"):
        chosen("device=cpu", wanted="0")
    with pytest.raises(InputError, match="more than one"):
        chosen(wanted="GPU-")


def test_a_resumed_run_goes_back_to_its_gpu_and_says_where_that_is_gone(cards: Install) -> None:
    cards(("GPU-a", 10, 0), ("GPU-b", 70, 0))
    assert gpu.place(RunConfig(), before="GPU-a") == ({"CUDA_VISIBLE_DEVICES": "GPU-a"}, "")
    environment, said = gpu.place(RunConfig(), before="GPU-gone")
    assert environment == {"CUDA_VISIBLE_DEVICES": "GPU-b"}
    assert "GPU-gone" in said and "GPU-b" in said


def test_the_dashboard_starts_on_the_chosen_gpu_and_resumes_on_the_recorded(
    cards: Install, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards(("GPU-a", 10, 0), ("GPU-b", 70, 0))
    launched: list[object] = []
    monkeypatch.setattr(launcher, "launch", lambda *_, environment, **__: launched.append(environment))
    starter = Launcher()
    new, begun = FakeRun(root), FakeRun(root).write(started(gpu="GPU-a"))
    starter.start(new.run, root)
    starter.start(begun.run, root)
    starter.choose_gpu("GPU-a")
    starter.start(new.run, root)
    assert [place["CUDA_VISIBLE_DEVICES"] for place in launched if isinstance(place, dict)] == [
        "GPU-b",
        "GPU-a",
        "GPU-a",
    ]
    assert "CUDA_VISIBLE_DEVICES" not in os.environ
