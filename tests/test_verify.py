"""`tui-trainer verify`: a run that was disturbed in every way is proven; whatever of its log was changed is found."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.running import LONG, Cli, make_run, outcome, quick, wait, wait_for_end, watched, work
from tui_trainer.engine import jobs
from tui_trainer.engine import train as loop
from tui_trainer.runs import commands, events, follow, launch
from tui_trainer.runs.directory import Run, Start, create
from tui_trainer.runs.state import TERMINAL, RunState
from tui_trainer.text import InputError

Line = dict[str, Any]
Tamper = Callable[[list[Line]], None]


def last(lines: list[Line], type: str, **wanted: object) -> Line:
    return [line for line in lines if line["type"] == type and wanted.items() <= line.items()][-1]


def set_value(lines: list[Line]) -> None:
    last(lines, "applied", command="set")["changes"] = {"regularization.weight_decay": 0.0011}


def set_step(lines: list[Line]) -> None:
    last(lines, "applied", command="set")["step"] += 1


def set_earlier(lines: list[Line]) -> None:
    last(lines, "applied", command="set")["step"] -= 1


def metric(lines: list[Line]) -> None:
    last(lines, "epoch")["val_loss"] += 1e-12


def final_hash(lines: list[Line]) -> None:
    change_digit(last(lines, "checkpoint"))


def change_digit(checkpoint: Line) -> None:
    digest = checkpoint["weights_sha256"]
    checkpoint["weights_sha256"] = ("1" if digest[0] == "0" else "0") + digest[1:]


def spoil(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def tampered(run: Run, folder: Path, tamper: Tamper) -> Run:
    """A copy of the run whose log was changed."""
    copy = Run(shutil.copytree(run.path, folder / run.id))
    lines = [json.loads(line) for line in run.events_file.read_text().splitlines()]
    tamper(lines)
    copy.events_file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert copy.events_file.read_text() != run.events_file.read_text()
    return copy


def reach(run: Run, until: Callable[[RunState], bool]) -> RunState:
    state = wait(run, lambda state: state.status in TERMINAL or until(state))
    assert state.status == "running", f"{state.status}: {state.reason}"
    return state


def test_paused_changed_killed_and_resumed(cli: Cli, tmp_path: Path) -> None:
    """Real workers, from the first step to the proof; the run is endless until it is told where to end."""
    run = cli.train(*LONG, "batch_size=4", "epochs=1000")
    reach(run, lambda state: state.step > 50)
    cli("pause", run.id)
    cli("set", run.id, "learning_rate=0.0005", "betas=0.8,0.99")
    cli("resume", run.id)
    reach(run, lambda state: state.epoch >= 1 and state.step > 400)
    assert follow.ask(run, commands.Set(changes={"network.dropout": [0.2], "layers.frozen": 1})).ok
    state = reach(run, lambda state: state.step > state.changes[-1].step + 20)
    launch.kill(run)
    assert wait_for_end(run).status == "interrupted"
    cli("resume", run.id)
    reach(run, lambda now: now.step > state.step and len(now.changes) == 2)
    cli("pause", run.id)
    ending = {"regularization.weight_decay": 0.001, "training.epochs": follow.load(run).epoch + 2}
    assert follow.ask(run, commands.Set(changes=ending)).ok
    cli("resume", run.id)
    ended = wait_for_end(run)
    assert ended.status == "finished" and len(ended.changes) == 3
    status, out, err = cli.process_result("verify", run.id)
    assert (status, err) == (0, "")
    assert out.endswith(f"identical after {ended.step:,} steps, 3 live changes made again\n")
    tampered(run, tmp_path / "tampered", set_step)
    status, out, err = Cli(tmp_path / "tampered", cli.data).result("verify", run.id)
    assert (status, err) == (1, "") and "differs: " in out


@pytest.fixture
def every_step_is_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "CHUNK_SECONDS", 0)
    monkeypatch.setattr(loop, "METRICS_INTERVAL", 0)


def disturbed(root: Path, config: str, wishes: dict[int, dict[str, Any]], start: Start | None = None) -> Run:
    """A run with a worker in this process, and what was set after each step; each step must be within an epoch."""
    run = create(root, quick(*config.split()), "test", "", Path("/nowhere"), start)
    left = dict(wishes)

    def react(event: events.AnyEvent) -> None:
        if isinstance(event, events.Metrics) and event.step in left:
            commands.send(run.inbox, commands.Set(changes=left.pop(event.step)))

    with watched(react):
        state = work(run)
    assert state.status == "finished" and len(state.changes) == len(wishes), state.log
    return run


def verified(run: Run, capsys: pytest.CaptureFixture[str]) -> str:
    """What differs, or nothing."""
    capsys.readouterr()
    jobs.verify_run(str(run.path), "/nowhere")
    result = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]
    assert result["identical"] is (result["difference"] == "")
    return str(result["difference"])


WISHES: dict[int, dict[str, Any]] = {
    5: {"optimizer.learning_rate": 0.01},
    17: {"network.dropout": [0.3]},
    31: {"regularization.weight_decay": 0.01, "training.epochs": 4},
}


def drop_last_set(lines: list[Line]) -> None:
    lines.remove(last(lines, "applied", command="set"))


def first_set_value(lines: list[Line]) -> None:
    next(line for line in lines if line["type"] == "applied")["changes"] = {"optimizer.learning_rate": 0.02}


def middle_hash(lines: list[Line]) -> None:
    change_digit(next(line for line in lines if line["type"] == "checkpoint"))


def learning_rate(lines: list[Line]) -> None:
    next(line for line in lines if line["type"] == "epoch")["learning_rate"] *= 1.01


def train_accuracy(lines: list[Line]) -> None:
    next(line for line in lines if line["type"] == "epoch")["train_accuracy"] += 1 / 1257


def final_accuracy(lines: list[Line]) -> None:
    last(lines, "evaluated", which="final", split="test")["accuracy"] -= 1 / 270


def drop_epoch(lines: list[Line]) -> None:
    lines.remove(last(lines, "epoch", epoch=2))


TAMPERS: dict[Tamper, str] = {
    set_value: "epoch 3",
    set_step: "weights|epoch 3",
    metric: "epoch 4: val_loss",
    final_hash: "weights after step 52",
    drop_last_set: "epoch 3|weights|ends",
    first_set_value: "epoch 1",
    middle_hash: "weights after step 13",
    learning_rate: "epoch 1: learning_rate",
    train_accuracy: "epoch 1: train_accuracy",
    final_accuracy: "final test",
    drop_epoch: "epoch 2: is not in the log",
}


@pytest.mark.usefixtures("every_step_is_a_chunk")
def test_each_change_of_the_log_is_found(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = disturbed(root, "every_epochs=1 schedule=exponential", WISHES)
    assert verified(run, capsys) == ""
    for tamper, words in TAMPERS.items():
        difference = verified(tampered(run, tmp_path / tamper.__name__, tamper), capsys)
        assert any(word in difference for word in words.split("|")), (tamper.__name__, difference)


@pytest.mark.usefixtures("every_step_is_a_chunk")
def test_a_change_that_came_after_the_newest_checkpoint_is_no_difference(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = disturbed(root, "epochs=2", {})
    state = work(run, changes={"checkpoints.every_epochs": 5})  # at the end: nothing is trained, nothing saved
    assert state.status == "finished" and len(state.changes) == 1
    assert verified(run, capsys) == ""
    assert verified(tampered(run, tmp_path, set_earlier), capsys).startswith("its config after all live changes")


@pytest.mark.usefixtures("every_step_is_a_chunk")
def test_changes_at_one_step_before_and_after_an_epochs_end_are_made_again_there(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = disturbed(root, "last_seconds=1000", {5: {"training.steps": 5}})
    state = work(run, changes={"training.steps": 20})
    assert [epoch.step for epoch in state.epochs_done] == [5, 18, 20]
    assert verified(run, capsys) == ""
    for file in run.checkpoints.iterdir():
        file.unlink()
    assert outcome(work(run)) == outcome(state)


@pytest.mark.usefixtures("every_step_is_a_chunk")
def test_a_changed_config_or_a_damaged_checkpoint_is_found(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = disturbed(root, "every_epochs=1", {5: WISHES[5]})
    text = run.config_file.read_text()
    run.config_file.write_text(text.replace("seed = 0", "seed = 1"))
    assert "weights after step" in verified(run, capsys) or "epoch 1" in verified(run, capsys)
    run.config_file.write_text(text)
    assert verified(run, capsys) == ""
    newest = max(run.checkpoints.iterdir())
    spoil(newest)
    assert newest.name in verified(run, capsys)
    for file in run.checkpoints.iterdir():
        file.unlink()
    with pytest.raises(InputError, match="no checkpoint to compare with"):
        jobs.verify_run(str(run.path), "/nowhere")


@pytest.mark.usefixtures("every_step_is_a_chunk")
@pytest.mark.parametrize("kind", ["continue", "weights"])
def test_forks_and_runs_from_weights_are_proven_too(
    kind: str, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parent = work(make_run(root, quick("epochs=2")))
    assert parent.newest_checkpoint
    file = root / parent.id / "checkpoints" / parent.newest_checkpoint.file
    start = Start(parent.id, file, "continue" if kind == "continue" else "weights")
    run = disturbed(root, "epochs=4 optimizer=sgd dropout=0.1", {31: {"optimizer.momentum": 0.9}}, start)
    assert verified(run, capsys) == ""
    assert verified(tampered(run, tmp_path / "x", final_hash), capsys).startswith("weights after step 52")
    spoil(run.start_file)
    with pytest.raises(InputError, match="damaged"):
        jobs.verify_run(str(run.path), "/nowhere")
