"""From a study file to runs: grids, settings, seeds, threads, slots; the plan that is kept."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_trainer import machine, presets
from tui_trainer.config import apply, differences
from tui_trainer.machine import Device
from tui_trainer.studies import catalogue, plan
from tui_trainer.studies.definition import Grid, RunEntry, Study
from tui_trainer.studies.slots import most_useful, slots, threads
from tui_trainer.text import InputError

DIGITS = presets.load("digits").config


def study(*runs: dict[str, Any], grids: tuple[dict[str, Any], ...] = (), **keys: Any) -> Study:
    return Study.model_validate({"runs": list(runs), "grids": list(grids), **keys})


def test_a_row_is_its_preset_with_what_study_row_and_command_line_change() -> None:
    wanted = study(
        {"preset": "digits", "name": "a", "set": {"epochs": 7, "learning_rate": 0.5}},
        {"preset": "digits", "set": {"optimizer": {"name": "sgd", "momentum": 0.9}, "hidden_sizes": [8, 4]}},
        set={"epochs": 5, "batch_size": 10},
    )
    first, second = plan.rows(wanted, 1, ["batch_size=20"], 0)
    assert (first.name, first.preset) == ("a", "digits")
    assert first.config == apply(DIGITS, ["epochs=7", "learning_rate=0.5", "batch_size=20"])
    assert second.name == "digits"
    assert second.config == apply(
        DIGITS, ["optimizer=sgd", "momentum=0.9", "hidden_sizes=8-4", "epochs=5", "batch_size=20"]
    )


def test_members_count_seeds_up_and_share_everything_else() -> None:
    (row,) = plan.rows(study({"preset": "digits", "set": {"seed": 3}}), 4, [], 2)
    assert [member.key for member in row.members] == ["digits/3", "digits/4", "digits/5", "digits/6"]
    for member in row.members:
        assert member.config.training.seed == member.seed and member.config.training.threads == 2
        assert set(differences(row.config, member.config)) <= {"training.seed"}
    assert row.members[0].config == row.config
    assert [member.run_name for member in row.members[:2]] == ["digits-seed-3", "digits-seed-4"]
    (own,) = plan.rows(study({"preset": "digits", "set": {"threads": 3}}), 1, [], 2)
    assert own.config.training.threads == 3 and own.members[0].run_name == "digits"


@given(
    st.lists(st.sampled_from([0.1, 0.01, 1e-05, 1.0]), min_size=1, unique=True),
    st.lists(st.sampled_from([1, 10, 100]), min_size=1, unique=True),
)
def test_a_grid_has_every_combination_under_a_name_of_its_own(rates: list[float], batches: list[int]) -> None:
    fields = {"learning_rate": rates, "training.batch_size": batches}
    rows = plan.rows(study(grids=({"preset": "digits", "fields": fields, "set": {"epochs": 2}},)), 1, [], 0)
    found = [(row.config.optimizer.learning_rate, row.config.training.batch_size) for row in rows]
    assert found == list(itertools.product(rates, batches))
    assert len({row.name for row in rows}) == len(rows)
    assert rows[0].name == f"learning_rate={rates[0]},batch_size={batches[0]}"


def test_values_of_a_grid_as_words_of_its_names() -> None:
    fields = {"hidden_sizes": [[], [8], [8, 4]], "optimizer": ["sgd", "adam"], "bias": [True, False]}
    rows = plan.rows(study(grids=({"preset": "digits", "name": "g", "fields": fields},)), 1, [], 0)
    assert rows[0].name == "g,hidden_sizes=none,optimizer=sgd,bias=true"
    assert rows[-1].name == "g,hidden_sizes=8-4,optimizer=adam,bias=false"


REFUSED: dict[str, tuple[Study, list[str]]] = {
    "unknown preset": (study({"preset": "digit"}), ["runs.0: preset 'digit' is unknown (did you mean 'digits'?)"]),
    "unknown field": (study({"preset": "digits", "set": {"epoch": 3}}), ["runs.0.set.epoch: no such setting (did"]),
    "bad value": (
        study({"preset": "digits", "set": {"epochs": 0}}),
        ["runs.0.set.training.epochs: 0 is below the least allowed, 1"],
    ),
    "unknown optimizer": (
        study({"preset": "digits", "set": {"optimizer": "sdg"}}),
        ["runs.0.set.optimizer: 'sdg' is not one of", "(did you mean 'sgd'?)"],
    ),
    "study-wide, told once": (
        study({"preset": "digits"}, {"preset": "xor"}, set={"x": 1}),
        ["set.x: no such", "runs.1"],
    ),
    "no fields": (study(grids=({"preset": "digits", "fields": {}},)), ["grids.0.fields: is empty"]),
    "no values": (
        study(grids=({"preset": "digits", "fields": {"epochs": [], "seed": [1]}},)),
        ["grids.0.fields.epochs: has no values"],
    ),
    "a million": (
        study(grids=({"preset": "digits", "fields": {"epochs": list(range(1, 1001)), "seed": list(range(1000))}},)),
        ["grids.0: 1,000,000 combinations, more than 1,000", "set most"],
    ),
    "a million by seeds": (
        study(grids=({"preset": "digits", "fields": {"seed": list(range(1000))}},), seeds=1000),
        ["seeds: 1,000 of every row make 1,000,000 runs; at most 100,000"],
    ),
    "two of one name": (study({"preset": "digits"}, {"preset": "digits"}), ["a second row is called 'digits'"]),
    "a bad name": (study({"preset": "digits", "name": "../x"}), ["runs.0.name: '../x' is no name for a row"]),
    "seeds beyond": (study({"preset": "digits", "set": {"seed": 2**63 - 1}}, seeds=2), ["leaves no room for 2 seeds"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_planned(name: str) -> None:
    wanted, words = REFUSED[name]
    with pytest.raises(InputError) as refusal:
        plan.rows(wanted, wanted.seeds, [], 0)
    for word in words:
        assert word in str(refusal.value)
    assert len(refusal.value.problems) == (2 if name == "study-wide, told once" else 1)


def test_a_setting_that_fits_no_row_is_told_once() -> None:
    with pytest.raises(InputError) as refusal:
        plan.rows(study({"preset": "digits"}, {"preset": "digits", "name": "b"}), 1, ["momentum=0.9"], 0)
    (problem,) = refusal.value.problems
    assert problem.startswith("--set momentum: ")


def test_a_grid_that_is_meant_is_made() -> None:
    values = list(range(1, 1101))
    rows = plan.rows(study(grids=({"preset": "digits", "fields": {"epochs": values}, "most": 1100},)), 1, [], 0)
    assert len(rows) == 1100


@pytest.mark.parametrize("name", [name for name, _ in catalogue.files()])
def test_a_plan_is_read_back_as_it_was(name: str, tmp_path: Path) -> None:
    definition = catalogue.load(name)
    rows = plan.rows(definition.study, 2, ["epochs=3"], 1)
    kept = plan.Plan(name, 2, ["epochs=3"], 1, tmp_path, tuple(rows))
    kept.write(tmp_path / "plan.json")
    assert plan.Plan.read(tmp_path / "plan.json") == kept


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"format": 99}', '{"format": "x"}', "[" * 100_000, '{"format": 1}']
)
def test_a_plan_that_cannot_be_read(content: str, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(content)
    with pytest.raises(InputError, match=str(tmp_path)):
        plan.Plan.read(tmp_path / "plan.json")


def machine_with(monkeypatch: pytest.MonkeyPatch, *gpus: str, cores: int = 4) -> None:
    cards = [Device("cuda", "card", number, uuid=uuid) for number, uuid in enumerate(gpus)]
    monkeypatch.setattr(machine, "_nvidia", lambda: cards)
    monkeypatch.setattr(machine, "cores", lambda: cores)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def rows_of(count: int, *settings: str) -> list[plan.Row]:
    return plan.rows(Study(runs=[RunEntry(preset="digits")], seeds=count), count, list(settings), 0)


def test_on_a_processor_as_many_runs_as_cores_share_them(monkeypatch: pytest.MonkeyPatch) -> None:
    machine_with(monkeypatch)
    assert [most_useful(rows_of(count), False) for count in (1, 3, 9)] == [1, 3, 4]
    assert most_useful(rows_of(9), True) == 1
    assert most_useful(rows_of(9), False, threads=2) == 2
    assert [threads(jobs) for jobs in (1, 2, 3, 4, 8)] == [4, 2, 1, 1, 1]
    assert slots(rows_of(9), 2) == [{}, {}]


def test_on_gpus_one_run_each_named_as_cuda_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    machine_with(monkeypatch, "GPU-a", "GPU-b", cores=16)
    assert most_useful(rows_of(9), False) == 2
    assert [slot["CUDA_VISIBLE_DEVICES"] for slot in slots(rows_of(9), 3)] == ["GPU-a", "GPU-b", "GPU-a"]
    on_processor = rows_of(20, "device=cpu")
    assert most_useful(on_processor, False) == 16 and slots(on_processor, 1) == [{}]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, MIG-x")
    assert [slot["CUDA_VISIBLE_DEVICES"] for slot in slots(rows_of(9), 2)] == ["3", "MIG-x"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert most_useful(rows_of(20), False) == 16


def test_a_grid_takes_its_bounds_from_the_definition() -> None:
    with pytest.raises(ValueError, match="10000"):
        Grid(preset="digits", fields={"seed": [1]}, most=10_001)
