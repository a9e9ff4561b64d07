"""Pre-flight: what a training would take and whether it can learn at all; computed, measured, never guessed."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.dashboard import LARGE, make_app, wait_for, wait_for_screen, wait_to_see
from tests.running import Cli, quick
from tests.test_ui_form import open_form
from tui_trainer.config import OPTIMIZERS, RunConfig
from tui_trainer.engine import data, device, preflight
from tui_trainer.engine.trainer import Trainer
from tui_trainer.ui.widgets import job_line

VARIANTS = [*((f"optimizer={name}",) for name in OPTIMIZERS), ("optimizer=sgd", "momentum=0.9")]


def trainer_of(config: RunConfig) -> Trainer:
    numerics = device.choose(config)
    return Trainer(config, data.load(config, Path(), numerics.torch_device), numerics)


@pytest.mark.parametrize("settings", VARIANTS, ids="-".join)
def test_memory_is_what_the_tensors_of_a_training_take(settings: tuple[str, ...]) -> None:
    config = quick(*settings)
    trainer = trainer_of(config)
    trainer.path.run(trainer.begin_epoch()[: config.training.batch_size], [1.0])
    needed = device.memory_needed(config, trainer.device)
    assert needed["weights"] == sum(4 * p.numel() for p in trainer.model.parameters())
    kept = sum(4 * t.numel() for t in trainer.optimizers.tensors().values() if t.numel() > 1)
    matrix = 16 * 16 * 4 if "muon" in settings[0] else 0
    assert kept == needed["optimizer_state"] or (matrix and kept < needed["optimizer_state"])
    parts = {id(part): part for part in (trainer.splits.train, trainer.splits.validation, trainer.splits.test)}
    assert needed["data"] == sum(p.images.nbytes + p.labels.nbytes for p in parts.values())


@pytest.mark.parametrize(
    ("settings", "verdict"),
    [
        (("learning_rate=0.01", "network.dropout=0.5", "label_smoothing=0.2"), "learnt"),
        (("learning_rate=1e-9",), "stuck"),
        (("optimizer=sgd", "learning_rate=100"), "diverged"),
    ],
)
def test_one_batch_is_learnt_by_heart_where_it_can_be(
    settings: tuple[str, ...], verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "BY_HEART_SECONDS", 1000.0)  # only steps count
    config = quick(*settings)
    numerics = device.choose(config)
    found = preflight.by_heart(config, data.load(config, Path(), numerics.torch_device), numerics)
    assert found["verdict"] == verdict
    assert found["examples"] == 100 and 1 <= found["steps"] <= preflight.STEPS
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_a_pre_flight_from_the_command_line_leaves_nothing(cli: Cli) -> None:
    found = json.loads(cli("preflight", "digits", "--set", "hidden_sizes=32", "--set", "step_path=autograd", "--json"))
    assert [layer["parameters"] for layer in found["layers"]] == [64 * 32 + 32, 32 * 10 + 10]
    speed = found["speed"]
    assert speed["epoch_seconds"] == pytest.approx(40 * speed["step_seconds"] + speed["validation_seconds"])
    assert found["by_heart"]["last_loss"] < found["by_heart"]["first_loss"]
    assert list(cli.runs.iterdir()) == [] and list(cli.data.iterdir()) == []


def test_what_does_not_fit_is_said_and_not_tried(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "load", None)
    threads = torch.get_num_threads()
    preflight.preflight(
        json.dumps({"config": quick("hidden_sizes=65536-65536-65536").model_dump(mode="json"), "data": ""})
    )
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(False)
    found = json.loads(capsys.readouterr().out)["result"]
    assert found["memory_needed"] == sum(found["memory"].values()) > found["memory_free"]
    assert found["speed"] is None and found["by_heart"] is None


class FakeJob:
    """Gives its result at once."""

    def __init__(self, name: str, order: str) -> None:
        self.name, self.order = name, json.loads(order)

    def result(self, on_progress: Any) -> dict[str, Any]:
        on_progress({"done": 3, "of": 10, "unit": "parts of a dry run"})
        return {
            "layers": [{"inputs": 64, "outputs": 10, "parameters": 650}],
            "parameters": 650,
            "memory": {"weights": 2600},
            "memory_needed": 2600,
            "memory_free": 1 << 30,
            **{"device": "cpu", "device_name": "a processor", "threads": 1, "precision": "fp32", "step_path": "manual"},
            **{"epochs": 30, "steps_per_epoch": 40, "steps": 1200},
            "speed": {
                "step_seconds": 0.05,
                "validation_seconds": 0.5,
                "epoch_seconds": 2.5,
                "total_seconds": 75.0,
                "images_per_second": 640.0,
            },
            "by_heart": {
                **{"examples": 32, "steps": 500, "first_loss": 2.3, "last_loss": 2.29, "accuracy": 0.125},
                "verdict": "stuck",
            },
        }

    def cancel(self) -> None: ...


async def test_the_form_measures_what_it_says_and_keeps_it_in_sight(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_line, "Job", FakeJob)
    async with make_app(root).run_test(size=LARGE) as pilot:
        screen = await open_form(pilot)
        await pilot.press("f4")
        await wait_for_screen(pilot, "PreflightScreen")
        await wait_to_see(
            pilot, "640 images/s, 50 ms a step", "about 1:15 for 30 epochs of 40 steps", "it does not learn"
        )
        await pilot.press("escape")
        await wait_for_screen(pilot, "FormScreen")
        await wait_to_see(pilot, "Pre-flight", "about 1:15")
        screen.fields.write("training.epochs", "31")
        await wait_for(pilot, lambda: screen.verdict.config and screen.verdict.config.training.epochs == 31, "31")
        await wait_for(pilot, lambda: "about 1:15" not in str(screen.query_one("#card").render()), "it is gone")
