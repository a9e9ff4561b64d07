"""The list of runs and its cache, which may only ever make it faster."""

import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.running import Cli, make_run
from tui_trainer.runs import directory, events, follow, launch, listing, notes, summaries
from tui_trainer.runs.directory import Run
from tui_trainer.runs.follow import load
from tui_trainer.runs.listing import Summary


def trained(root: Path, *epochs: float) -> Run:
    """A finished run with these validation accuracies."""
    run = make_run(root)
    log = events.EventLog(run.events_file)
    for number, accuracy in enumerate(epochs, 1):
        log.append(epoch(number, accuracy))
    log.append(events.State(status="finished"))
    log.close()
    return run


def epoch(number: int, accuracy: float) -> events.Epoch:
    return events.Epoch(
        epoch=number,
        step=number,
        train_loss=0.1 + number,
        train_accuracy=accuracy,
        val_loss=1 / 3,
        val_accuracy=accuracy,
        learning_rate=0.1,
        images_per_second=1e5,
        seconds=float(number),
        training_seconds=float(number),
        evaluation_seconds=0.0,
        saving_seconds=0.0,
    )


@pytest.fixture(autouse=True)
def cache_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    return home


@pytest.fixture
def folded() -> Iterator[list[str]]:
    """The ids of the runs whose logs were read, in order."""
    read: list[str] = []

    class Watched(follow.Follower):
        def __init__(self, run: Run) -> None:
            read.append(run.id)
            super().__init__(run)

    with mock.patch.object(follow, "Follower", Watched):
        yield read


def fresh(root: Path) -> list[Summary]:
    return [listing.of_state(run, load(run), notes.read(run)) for run in directory.list_runs(root)]


def test_runs_are_folded_once_and_listed_the_same_ever_after(root: Path, folded: list[str]) -> None:
    for accuracies in ((0.5, 1 / 3), (0.9,), ()):
        trained(root, *accuracies)
    first = summaries.read_all(root)
    assert len(folded) == 3 and summaries.read_all(root) == first and len(folded) == 3
    assert first == (fresh(root), [])


def test_a_run_that_changed_is_read_again(root: Path, folded: list[str]) -> None:
    kept, grown, gone = (trained(root, 0.5) for _ in range(3))
    summaries.read_all(root)
    log = events.EventLog(grown.events_file)
    log.append(epoch(2, 0.75))
    log.close()
    with launch.locked(gone):
        directory.delete(gone)
    new = trained(root, 0.1)
    folded.clear()
    listed, _ = summaries.read_all(root)
    assert sorted(folded) == sorted([grown.id, new.id]) and listed == fresh(root)
    assert {line.run.id: line.facts["best_val_accuracy"] for line in listed} == {
        kept.id: 0.5,
        grown.id: 0.75,
        new.id: 0.1,
    }

    later = kept.events_file.stat().st_mtime_ns + 1  # another file of the same size in the place of the old one
    os.utime(kept.events_file, ns=(later, later))
    folded.clear()
    summaries.read_all(root)
    assert folded == [kept.id]


def test_a_live_run_is_never_believed_nor_kept(root: Path, folded: list[str]) -> None:
    run = trained(root, 0.5)
    summaries.read_all(root)
    with launch.locked(run):
        for _ in range(2):
            folded.clear()
            summaries.read_all(root)
            assert folded == [run.id]
    folded.clear()
    summaries.read_all(root)
    assert folded == [run.id]  # its lock was signed: somebody had it
    summaries.read_all(root)
    assert folded == [run.id]


def test_a_run_begun_and_killed_is_listed_as_interrupted(root: Path) -> None:
    run = make_run(root)
    assert summaries.read_all(root)[0][0].status == load(run).status == "interrupted"
    assert summaries.read_all(root)[0][0].status == "interrupted"


def test_an_unreadable_run_is_named_every_time(root: Path) -> None:
    trained(root, 0.5)
    broken = make_run(root)
    broken.config_file.write_text("[run\n")
    for _ in range(2):
        listed, problems = summaries.read_all(root)
        assert len(listed) == 1 and len(problems) == 1 and str(broken.config_file) in problems[0]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_a_damaged_cache_is_built_again(tmp_path: Path, data: st.DataObject) -> None:
    root = tmp_path / "runs"
    if not root.exists():
        trained(root, 0.5, 0.25)
    expected = summaries.read_all(root)
    file = summaries.cache_file(root)
    whole = file.read_bytes()
    damaged = data.draw(st.one_of(st.binary(max_size=50), st.integers(0, len(whole) - 1).map(lambda n: whole[:n])))
    file.write_bytes(damaged)
    assert summaries.read_all(root) == expected
    assert file.read_bytes() == whole


def test_another_versions_cache_is_not_used(root: Path, folded: list[str]) -> None:
    trained(root, 0.5)
    with mock.patch("tui_trainer.__version__", "0.0.0"):
        summaries.read_all(root)
    summaries.read_all(root)
    assert len(folded) == 2


def test_the_list_needs_no_place_for_its_cache(cli: Cli, cache_home: Path) -> None:
    (cache_home / "tui-trainer").write_text("in the way")
    run = trained(cli.runs, 0.5)
    assert run.id in cli("runs") and '"best_val_accuracy": 0.5' in cli("runs", "--json")
