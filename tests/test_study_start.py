"""What a study begun before makes of being run again, through the command line."""

import shutil
import signal
from pathlib import Path

import pytest

from tests.coordinators import LASTING, members, rows, until, written
from tests.coordinators import begun as is_begun
from tests.running import Cli
from tui_trainer.runs import directory, launch
from tui_trainer.studies import follow
from tui_trainer.studies.directory import StudyDirectory, studies_root

TINY = 'seeds = 2\nset = { epochs = 1, hidden_sizes = [4], batch_size = 500 }\n[[runs]]\npreset = "digits"\n'


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs of a study that has been run."""
    folder = tmp_path_factory.mktemp("begun")
    file = folder / "tiny.study.toml"
    file.write_text(TINY)
    Cli(folder / "runs", folder / "data")("study", "run", str(file), "--plain")
    return folder / "runs"


@pytest.fixture
def begun(cli: Cli, once: Path, tmp_path: Path) -> Path:
    """The file of a study that has been run."""
    shutil.copytree(once, cli.runs, dirs_exist_ok=True)
    file = tmp_path / "tiny.study.toml"
    file.write_text(TINY)
    return file


def test_run_again_it_keeps_what_is_finished_and_adds_seeds(cli: Cli, begun: Path) -> None:
    runs = {run.id for run in directory.list_runs(cli.runs)}
    cli("study", "run", str(begun), "--plain")
    assert {run.id for run in directory.list_runs(cli.runs)} == runs and len(runs) == 2
    cli("study", "run", str(begun), "--seeds", "3", "--plain")
    study = follow.load(StudyDirectory(studies_root(cli.runs) / "tiny"))
    assert [member.status for member in study.rows[0].members] == ["finished"] * 3
    assert runs < {run.id for run in directory.list_runs(cli.runs)}


@pytest.mark.parametrize(
    ("file", "options", "words"),
    [
        (TINY, ("--set", "epochs=2"), "--set: study tiny was begun with nothing set; delete it"),
        (TINY, ("--seeds", "1"), "--seeds: study tiny was begun with 2; delete it"),
        (TINY.replace('"digits"', '"xor/xor-mlp"'), (), "tiny.study.toml: says other runs than study tiny was begun"),
        (TINY.replace("epochs = 1", "epochs = 3"), (), "tiny.study.toml: says other runs than study tiny was begun"),
    ],
)
def test_another_study_of_that_name_is_refused(
    cli: Cli, begun: Path, file: str, options: tuple[str, ...], words: str
) -> None:
    before = sorted(cli.runs.rglob("*"))
    begun.write_text(file)
    status, _, err = cli.result("study", "run", str(begun), *options, "--detach")
    assert status == 2 and words in err and err.count("\n") == 1
    assert sorted(cli.runs.rglob("*")) == before


@pytest.mark.usefixtures("begun")
def test_with_its_runs_it_is_deleted_whole_or_not_at_all(cli: Cli) -> None:
    first, second = directory.list_runs(cli.runs)
    status, out, err = cli.result("study", "delete", "tiny", "--runs-too")
    assert (status, out) == (2, "") and err == "--yes: delete tiny and its 2 runs for good? nobody can be asked here\n"
    for held in (first, second):
        with launch.locked(held):
            status, out, err = cli.result("study", "delete", "tiny", "--runs-too", "--yes")
        assert (status, out) == (2, "") and err.startswith(f"{held.id}: already has a worker")
    assert list(directory.list_runs(cli.runs)) == [first, second]
    assert "deleted" in cli("study", "delete", "tiny", "--runs-too", "--yes")
    assert not list(directory.list_runs(cli.runs)) and "has been started" in cli.result("study", "show", "tiny")[2]


def test_ctrl_c_in_plain_mode_stops_and_saves_the_runs(cli: Cli) -> None:
    with cli.start("study", "run", written(cli, LASTING + rows("a")), "--plain") as process:
        assert process.stdout and process.stdout.readline()  # the study is there, and followed
        until(cli, "tried", is_begun)
        for _ in range(3):
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 1 and "stopping and saving" in out and not err
    study = follow.load(StudyDirectory(studies_root(cli.runs) / "tried"))
    (member,) = members(study).values()
    assert study.status == member.status == "stopped" and member.state and member.state.newest_checkpoint
