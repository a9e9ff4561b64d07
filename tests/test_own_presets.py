"""A config as a command line and as a preset of one's own: read back, both mean the same config."""

import shlex
import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.configs import configs
from tests.running import Cli
from tui_trainer import config, presets
from tui_trainer.config import OPTIMIZERS, RunConfig, change
from tui_trainer.text import InputError

ONCE = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of one's own presets, which is not there yet."""
    monkeypatch.setattr(presets, "own_folder", lambda: tmp_path / "config" / "presets")
    return tmp_path / "config" / "presets"


@ONCE
@given(configs(), configs())
def test_the_settings_between_two_configs_lead_from_one_to_the_other(base: RunConfig, other: RunConfig) -> None:
    line = presets.command("train", "base", config.settings(base, other), [])
    words = shlex.split(line)
    assert words[:3] == ["tui-trainer", "train", "base"] and set(words[3::2]) <= {"--set"}
    assert config.apply(base, words[4::2]) == other


@ONCE
@given(configs())
def test_a_saved_preset_is_read_back_as_it_was(own: Path, wanted: RunConfig) -> None:
    wanted = change(wanted, {"data.file": f"/{wanted.data.file}"})  # one that is relative is made absolute
    path = presets.save("mine", wanted, "what it is", replace=True)
    assert presets.load("yours/mine").config == wanted
    assert tomllib.loads(path.read_text(encoding="utf-8")) == {"summary": "what it is", **presets.tables(wanted)}


def test_a_preset_says_only_what_is_not_usual() -> None:
    assert presets.tables(RunConfig()) == {}
    wanted = config.apply(RunConfig(), ["epochs=3", "optimizer=sgd", "learning_rate=0.01"])
    assert presets.tables(wanted) == {"optimizer": {"name": "sgd"}, "training": {"epochs": 3}}


def test_names_that_are_none_and_names_that_are_taken(own: Path) -> None:
    for bad in ("", "../x", "a/b", "x.toml", "x.study", "-x"):
        with pytest.raises(InputError, match="preset: "):
            presets.save(bad, RunConfig(), "")
    assert not own.exists()
    first = presets.save("mine", RunConfig(), "")
    with pytest.raises(presets.TakenError, match="there is a mine already"):
        presets.save("mine", change(RunConfig(), {"training.seed": 1}), "")
    assert presets.read(first, "mine").config == RunConfig()
    assert [file.name for file in own.iterdir()] == ["mine.toml"] and stat.S_IMODE(first.stat().st_mode) & 0o400


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_what_is_said_of_another_optimizer_is_what_a_person_changes(optimizer: str) -> None:
    base = RunConfig()
    other = config.apply(base, [f"optimizer={optimizer}", "epochs=3"])
    steps = config.steps_between(base, other)
    assert steps.pop("training.epochs") == (20, 3)
    assert steps == ({"optimizer.name": ("adam", optimizer)} if optimizer != "adam" else {})


def test_a_preset_is_saved_from_the_command_line_and_trains(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    save = ("presets", "save", "mine", "--from", "digits", "--set", "epochs=2", "--set", "optimizer=sgd")
    assert cli(*save).startswith("yours/mine: saved in ")
    shown = cli("presets", "show", "mine")
    assert "digits with optimizer=sgd, epochs=2" in shown
    status, _, err = cli.result(*save)
    assert status == 2 and "there is a mine already" in err
    assert "saved in" in cli(*save, "--yes")


@pytest.mark.parametrize("name", ["my préset", "-x", "_", "y" * 100])
def test_a_preset_file_of_any_name_trains_under_a_name_like_it(name: str, cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / f"{name}.toml"
    file.write_text("training.epochs = 1\n")
    cli("train", str(file), "--detach")
    assert (
        cli.find("last")
        .id.rpartition("-")[0]
        .endswith({"my préset": "my-pr-set", "-x": "x", "_": "run"}.get(name, "y"))
    )
