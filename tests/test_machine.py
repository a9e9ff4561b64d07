"""What the machine has: never empty, never an error, whatever the driver says."""

import builtins
import platform
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tui_trainer import machine
from tui_trainer.machine import GIB, Device, describe


class NVMLError(Exception):
    pass


def fake_nvml(cards: int, refused: tuple[str, ...] = (), version_string: bool = True) -> ModuleType:
    """pynvml on a machine with so many cards; the functions named in `refused` fail as the real ones do."""
    module = ModuleType("pynvml")

    def answer(name: str, value: Any) -> None:
        def call(*_: object) -> Any:
            if name in refused:
                raise NVMLError(name)
            return value

        setattr(module, name, call)

    module.NVMLError = NVMLError  # type: ignore[attr-defined]
    answer("nvmlInit", None)
    answer("nvmlShutdown", None)
    answer("nvmlDeviceGetCount", cards)
    answer("nvmlDeviceGetHandleByIndex", object())
    answer("nvmlDeviceGetName", "NVIDIA H200\x1b[31m")
    answer("nvmlDeviceGetMemoryInfo", SimpleNamespace(free=131 * GIB, total=139 * GIB))
    answer("nvmlDeviceGetUtilizationRates", SimpleNamespace(gpu=3))
    answer("nvmlDeviceGetUUID", "GPU-7f3a")
    answer("nvmlDeviceGetTemperature", 41)
    module.NVML_TEMPERATURE_GPU = 0  # type: ignore[attr-defined]
    return module


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> Any:
    def install(*arguments: Any, **options: Any) -> None:
        monkeypatch.setitem(sys.modules, "pynvml", fake_nvml(*arguments, **options))

    return install


def test_every_card_is_listed_before_the_processor(nvml: Any) -> None:
    nvml(2)
    found = machine.devices()
    assert [(d.kind, d.index) for d in found] == [("cuda", 0), ("cuda", 1), ("cpu", 0)]
    assert describe(found[0]) == "cuda:0 NVIDIA H200[31m · 131 of 139 GiB free · 3 % busy · 41 °C"


@pytest.mark.parametrize(
    "refused", ["nvmlInit", "nvmlDeviceGetCount", "nvmlDeviceGetHandleByIndex", "nvmlDeviceGetName"]
)
def test_a_driver_that_fails_leaves_the_processor(nvml: Any, refused: str) -> None:
    nvml(1, refused=(refused,))
    assert [device.kind for device in machine.devices()] == ["cpu"]


def test_a_card_that_hides_its_figures_is_listed_without_them(nvml: Any) -> None:
    nvml(1, refused=("nvmlDeviceGetMemoryInfo", "nvmlDeviceGetUtilizationRates"))
    card = machine.devices()[0]
    assert (card.memory_free, card.memory_total, card.utilisation) == (None, None, None)
    nvml(1, refused=("nvmlDeviceGetUtilizationRates",))
    assert machine.devices()[0].memory_total == 139 * GIB


def test_without_the_library_there_is_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "pynvml":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.delitem(sys.modules, "pynvml", raising=False)
    monkeypatch.setattr(builtins, "__import__", refuse)
    (processor,) = machine.devices()
    assert processor.kind == "cpu"
    assert processor.name
    assert processor.cores >= 1


def test_an_apple_machine_has_its_gpu(nvml: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    nvml(0)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert machine.devices()[0].kind == "mps"
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    assert machine.devices()[0].kind == "cpu"


def test_words_for_a_processor() -> None:
    assert describe(Device("cpu", "AMD EPYC", cores=1)) == "cpu AMD EPYC · 1 core"
    assert describe(Device("cpu", "AMD EPYC", cores=16)) == "cpu AMD EPYC · 16 cores"
