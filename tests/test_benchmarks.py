"""The benchmarks run from end to end, on little; what they measure is not asserted."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile

import pytest

import benchmarks.__main__ as table
from benchmarks import contenders, drift, floor, growth, page, startup
from benchmarks.peers import PEERS
from benchmarks.workloads import WORKLOADS, Workload
from tui_trainer import presets
from tui_trainer.config import apply
from tui_trainer.runs.follow import load


@pytest.fixture
def data(mnist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_TRAINER_DATA", str(mnist))


@pytest.mark.parametrize("work", WORKLOADS.values(), ids=WORKLOADS)
def test_every_workload_is_its_preset_with_other_epochs(work: Workload) -> None:
    config = apply(presets.load(work.preset).config, work.settings[1::2])
    assert config.layer_sizes == work.sizes and sum(config.layer_parameters) == work.parameters
    assert config.steps_per_epoch == work.steps and work.examples % work.batch == 0
    assert (config.optimizer.name, config.optimizer.learning_rate) == (work.optimizer, work.learning_rate)
    assert config.network.activation == "relu" and not config.regularization.clip_norm


def test_the_table_names_ours_the_floor_and_what_failed(data: None, tmp_path: Path) -> None:
    page_file = tmp_path / "page.md"
    page.write(page_file, "Other", ["stays"])
    command = [sys.executable, "-m", "benchmarks", "--only", "128-128, batch 1", "--peers", "PyTorch, resident"]
    options = ["--rounds", "1", "--seconds", "0.01", "-o", str(page_file)]
    done = subprocess.run([*command, *options], check=True, capture_output=True, text=True)
    written = page_file.read_text()
    assert done.stdout.strip() in written and "## Other\n\nstays" in written
    ours, peers = (line for line in written.splitlines() if line.startswith("| 128-128, batch 1 |"))
    assert " % |" in ours and "×" in peers


def test_a_peer_that_fails_says_why_and_can_be_asked_again(data: None) -> None:
    with TemporaryFile() as errors, contenders.PeerProcess("scikit-learn", "cpu", errors) as peer:
        for _ in range(2):
            with pytest.raises(contenders.PeerFailedError, match="has no Adadelta"):
                peer.sample(WORKLOADS["setting-1"], 0.01)
    result = table.Result(WORKLOADS["setting-1"], ours=[1e-3], failed={"scikit-learn": "ended: why"})
    assert result.cell("scikit-learn") == "ended: why" and result.cell("JAX scan") == "–"


def test_ratios_are_taken_within_a_round() -> None:
    result = table.Result(WORKLOADS["setting-2"], ours=[1.0, 2.0, 4.0], peers={"JAX scan": [3.0, 4.0, 4.0]})
    assert result.ratio("JAX scan") == 2.0


def test_peers_that_are_not_installed_are_known_by_name() -> None:
    assert PEERS["PyTorch, resident"].missing == []
    assert type(PEERS["JAX scan"])("jax_scan", ("torch", "no_such_package")).missing == ["no_such_package"]


def test_growth_stands_beside_the_floor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(growth.SWEEPS, "tiny", [((8,), 50)])
    lines = list(growth.sweep("tiny", "cpu", 0.01))
    assert any(line.startswith("| 784-8-10 | 50 |") and line.endswith(" % |") for line in lines)


def test_a_floor_is_the_sum_of_its_parts() -> None:
    found = floor.floor((20, 10, 10, 5), 7, "adam")
    assert 0 < found.products < found.step == found.products + found.gather + found.update
    assert floor.floor((20, 5), 7, "sgd").update == 0
    assert found.flops * found.products == pytest.approx(2 * 7 * (2 * 20 * 10 + 3 * 10 * 10 + 3 * 10 * 5))


def test_memory_is_sampled_to_the_end() -> None:
    assert "20,000 steps" in drift.memory_over_steps(20_000)


def test_a_made_up_run_reads_like_a_real_one(tmp_path: Path) -> None:
    run = startup.write_run(tmp_path, metrics=60, epochs=20)
    state = load(run)
    assert (state.status, state.step, state.epoch, len(state.epochs_done)) == ("finished", 60, 20, 20)
    assert startup.folding(run) > 0


def test_a_section_is_replaced_where_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    for heading, line in (("One", "old"), ("Two", "kept"), ("One", "new")):
        page.write(file, heading, [line])
    assert file.read_text() == f"{page.TITLE}\n## One\n\nnew\n\n## Two\n\nkept\n"
