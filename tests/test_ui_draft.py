"""The form's memory: what is typed is kept as typed, and judged by the config alone."""

import pytest

from tui_trainer import presets
from tui_trainer.config import OPTIMIZERS, SCHEDULES, RunConfig, flatten, knobs
from tui_trainer.ui.draft import CHOOSERS, Draft

OPTIMIZER, SCHEDULE = "optimizer.name", "schedule.name"
ALL_PRESETS, _ = presets.load_all()


@pytest.mark.parametrize("preset", ALL_PRESETS, ids=lambda preset: preset.name)
def test_an_untouched_draft_is_its_preset(preset: presets.Preset) -> None:
    draft = Draft(preset.config)
    assert draft.check().config == preset.config
    assert [path for path in draft.knobs if draft.changed_from(path) is not None] == []


@pytest.mark.parametrize("chooser", ["optimizer", "schedule"])
def test_choosers_are_the_fields_that_decide_what_others_there_are(chooser: str) -> None:
    assert CHOOSERS[f"{chooser}.name"] == chooser
    assert len(CHOOSERS) == 2


@pytest.mark.parametrize(
    ("optimizer", "schedule"), [*((name, "constant") for name in OPTIMIZERS), *(("adam", name) for name in SCHEDULES)]
)
def test_every_setting_of_an_optimizer_and_of_a_schedule_can_be_typed(optimizer: str, schedule: str) -> None:
    draft = Draft(RunConfig())
    chosen = {OPTIMIZER: optimizer, SCHEDULE: schedule}
    for path, name in chosen.items():
        draft.write(path, name)
    assert list(draft.knobs) == list(knobs(optimizer, schedule))
    for path, knob in draft.knobs.items():
        draft.write(path, chosen.get(path) or knob.render(knob.default))
    config = draft.check().config
    assert config is not None
    assert flatten(config).keys() == draft.knobs.keys()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("training.epochs", "many"),
        ("training.epochs", "0"),
        ("training.epochs", ""),
        ("training.batch_size", "-1"),
        ("network.hidden_sizes", "128-x"),
        ("network.hidden_sizes", "128-0-64"),
        ("optimizer.learning_rate", "nan"),
        ("optimizer.learning_rate", "-0.1"),
        ("data.split", "60k-10k"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_kept(path: str, text: str) -> None:
    draft = Draft(RunConfig())
    draft.write(path, text)
    verdict = draft.check()
    assert verdict.config is None
    assert list(verdict.errors) == [path]
    assert verdict.errors[path]
    assert draft.read(path) == text
    assert draft.changed_from(path) is not None


def test_all_that_is_wrong_is_said_at_once() -> None:
    draft = Draft(RunConfig())
    draft.write("training.epochs", "x")
    draft.write("training.batch_size", "0")
    draft.write("network.dropout", "1")
    assert set(draft.check().errors) == {"training.epochs", "training.batch_size", "network.dropout"}


def test_a_correction_is_taken() -> None:
    draft = Draft(RunConfig())
    draft.write("training.epochs", "x")
    draft.write("training.epochs", "7")
    config = draft.check().config
    assert config is not None
    assert config.training.epochs == 7
    assert draft.changed_from("training.epochs") == str(RunConfig().training.epochs)


def test_another_way_to_write_the_same_is_no_change() -> None:
    draft = Draft(RunConfig())
    draft.write("optimizer.learning_rate", "1e-3")
    assert draft.changed_from("optimizer.learning_rate") is None


def test_optimizers_keep_their_own_settings() -> None:
    draft = Draft(RunConfig())
    draft.write("optimizer.learning_rate", "0.02")
    draft.write(OPTIMIZER, "sgd")
    assert "optimizer.betas" not in draft.knobs
    assert draft.read("optimizer.learning_rate") == str(OPTIMIZERS["sgd"]().learning_rate)  # type: ignore[attr-defined]
    assert draft.changed_from(OPTIMIZER) == "adam"
    draft.write("optimizer.momentum", "0.9")
    sgd = draft.check().config
    assert sgd is not None
    assert sgd.optimizer.model_dump()["momentum"] == 0.9
    draft.write(OPTIMIZER, "adam")
    assert draft.read("optimizer.learning_rate") == "0.02"


def test_schedules_keep_their_own_settings() -> None:
    draft = Draft(RunConfig())
    draft.write(SCHEDULE, "step")
    draft.write("schedule.gamma", "0.5")
    draft.write(SCHEDULE, "one_cycle")
    assert "schedule.gamma" not in draft.knobs
    assert draft.changed_from(SCHEDULE) == "constant"
    draft.write(SCHEDULE, "step")
    config = draft.check().config
    assert config is not None
    assert config.schedule.model_dump()["gamma"] == 0.5


def test_edits_are_taken_back_and_made_again_field_by_field() -> None:
    draft = Draft(RunConfig())
    for text in ("", "3", "30"):  # typed
        draft.write("training.epochs", text)
    draft.leave()
    draft.write("optimizer.learning_rate", "0.02")
    draft.write(OPTIMIZER, "sgd")
    draft.write("optimizer.momentum", "0.9")
    assert draft.undo() == "optimizer.momentum" and draft.read("optimizer.momentum") == "0.0"
    assert draft.undo() == OPTIMIZER and draft.read("optimizer.learning_rate") == "0.02"
    assert draft.redo() == OPTIMIZER and draft.redo() == "optimizer.momentum" and draft.redo() is None
    assert draft.read(OPTIMIZER) == "sgd" and draft.read("optimizer.momentum") == "0.9"
    assert [draft.undo() for _ in range(5)] == [
        "optimizer.momentum",
        OPTIMIZER,
        "optimizer.learning_rate",
        "training.epochs",
        None,
    ]
    assert draft.check().config == RunConfig()
    draft.write("training.epochs", "7")
    assert draft.redo() is None


def test_what_is_typed_and_deleted_again_is_no_edit() -> None:
    draft = Draft(RunConfig())
    draft.write("training.epochs", "200")
    draft.write("training.epochs", "20")
    assert draft.undo() is None


@pytest.mark.parametrize(
    ("optimizer", "schedule"), [*((name, "constant") for name in OPTIMIZERS), *(("adam", name) for name in SCHEDULES)]
)
def test_every_number_says_what_less_and_more_of_it_do(optimizer: str, schedule: str) -> None:
    for path, knob in knobs(optimizer, schedule).items():
        assert knob.help, path
        if knob.kind not in ("text", "boolean", "choice") and path != "training.seed":
            assert knob.lower and knob.higher, path
