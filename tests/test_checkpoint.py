"""A checkpoint on disk is whole or it is refused, whatever happens while it is written."""

import errno
import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.running import Disk, Killed
from tui_trainer.config.groups import Checkpoints
from tui_trainer.engine import checkpoint
from tui_trainer.engine.checkpoint import Best, Meta, Snapshot
from tui_trainer.engine.retention import Retention
from tui_trainer.engine.schedule import Patience
from tui_trainer.runs import events


def snapshot(step: int = 10, best: int | None = None, *kinds: str, **meta: Any) -> Snapshot:
    """A tiny checkpoint after `step` steps, ten an epoch, of a run whose best epoch ended at step `best`."""
    tensors = {"model/0.weight": torch.arange(3.0) + step, "rng/cpu": torch.zeros(2, dtype=torch.uint8)}
    values: dict[str, Any] = {
        "kinds": list(kinds or ("last",)),
        "epoch": step // 10,
        "step": step,
        "epoch_step": 0,
        "loss_sum": 0.125,
        "correct": 0,
        "seconds": {"training": 1e-05},
        "best": None if best is None else Best(best // 10, best, 0.5, 1.0),
        "val_accuracy": 0.5,
        "early": Patience(0.5, 1, 2),
        "early_stop_epoch": 0,
        "plateau": Patience(),
        "falls": 0,
        "scaler": {},
        "config": {},
        "config_digest": "",
        "applied": [],
        "numerics": {},
        "step_path": "autograd",
        "weights_sha256": checkpoint.weights_sha256({"0.weight": tensors["model/0.weight"]}),
        **meta,
    }
    return Snapshot(Meta(**values), tensors)


def same(one: Snapshot, other: Snapshot) -> bool:
    return one.meta == other.meta and all(torch.equal(t, other.tensors[k]) for k, t in one.tensors.items())


def test_what_is_written_is_read_back_whole(tmp_path: Path) -> None:
    written = snapshot(20, 10, "best", "last")
    path = checkpoint.write(written, tmp_path)
    assert path.name == "e0002-s000020.safetensors"
    assert same(checkpoint.read(path), written)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


FAULTS: dict[str, tuple[Callable[[], BaseException], bool]] = {
    "disk full": (lambda: OSError(errno.ENOSPC, "No space left on device"), False),
    "reported late": (lambda: OSError(errno.EIO, "Input/output error"), True),
    "killed before": (Killed, False),
    "killed after": (Killed, True),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_save_that_fails_at_any_os_call_leaves_old_or_new_never_neither(fault: str, tmp_path: Path) -> None:
    make, after = FAULTS[fault]
    old, new = snapshot(10), snapshot(20)
    checkpoint.write(old, tmp_path)
    for call in count(1):
        disk = Disk(call, make(), after)
        try:
            with disk:
                checkpoint.write(new, tmp_path)
        except OSError:
            assert [entry.name for entry in tmp_path.iterdir()] == [old.meta.file_name], disk.calls
        except Killed:
            pass
        else:
            break
        found, damaged = checkpoint.newest(tmp_path)
        assert found and not damaged, disk.calls
        assert same(found, old) or same(found, new)
        assert same(checkpoint.read(tmp_path / old.meta.file_name), old)
        checkpoint.sweep(tmp_path)
        assert not list(tmp_path.glob(".*"))
        (tmp_path / new.meta.file_name).unlink(missing_ok=True)
    assert disk.calls == ["open", "write", "fsync", "close", "rename", "open", "fsync", "close"]
    assert same(checkpoint.read(tmp_path / new.meta.file_name), new)


def test_short_writes_are_carried_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: real(descriptor, content[:100]))
    assert same(checkpoint.read(checkpoint.write(snapshot(), tmp_path)), snapshot())


class Keeper:
    """A `Retention` and what it reported."""

    def __init__(self, folder: Path) -> None:
        self.told: list[events.AnyEvent] = []
        self.keep = Retention(folder, Checkpoints(), {}, self.told.append)
        self.folder = folder

    def announced(self) -> set[str]:
        names = {event.file for event in self.told if isinstance(event, events.Checkpoint)}
        return names - {event.file for event in self.told if isinstance(event, events.Removed)}


@pytest.mark.parametrize("best_waits_since", [20, 30])
@pytest.mark.parametrize("fault", FAULTS)
def test_at_every_fault_of_a_save_the_newest_checkpoint_and_its_best_are_there(
    fault: str, best_waits_since: int, tmp_path: Path
) -> None:
    make, after = FAULTS[fault]
    for call in count(1):
        folder = tmp_path / str(call)
        folder.mkdir()
        keeper = Keeper(folder)
        keeper.keep.keep_best(snapshot(10, 10, "best"))
        keeper.keep.save(snapshot(15, 10))
        keeper.keep.keep_best(snapshot(best_waits_since, best_waits_since, "best"))
        disk, problem = Disk(call, make(), after), ""
        try:
            with disk:
                problem = keeper.keep.save(snapshot(30, best_waits_since))
        except (Killed, OSError):
            pass
        found, damaged = checkpoint.newest(folder)
        assert found and found.meta.best and not damaged, disk.calls
        assert (folder / f"e{found.meta.best.epoch:04}-s{found.meta.best.step:06}.safetensors").exists(), disk.calls
        for name in keeper.announced() - {"e0001-s000015.safetensors", "e0001-s000010.safetensors"}:
            checkpoint.read(folder / name)  # announced only when committed
        if problem:
            errors = [event for event in keeper.told if isinstance(event, events.Log)]
            assert [(event.level, event.message) for event in errors] == [("error", problem)]
            assert "e0003-s000030" in problem or f"s0000{best_waits_since}" in problem
            assert not keeper.keep.save(snapshot(40, best_waits_since))
            assert {path.name for path in checkpoint.scan(folder)} == {
                snapshot(best_waits_since).meta.file_name,
                "e0004-s000040.safetensors",
            }
        if len(disk.calls) < call:
            break
    assert call > 8


def test_what_a_person_saved_stays_and_the_rest_is_pruned(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    for step, kind in ((10, "last"), (20, "save"), (30, "every"), (40, "last"), (50, "last")):
        keeper.keep.save(snapshot(step, None, kind))
    assert [path.name[6:13] for path in checkpoint.scan(tmp_path)] == ["s000050", "s000030", "s000020"]
    assert keeper.announced() == {path.name for path in tmp_path.iterdir()}
    keeper.keep.save(snapshot(50, None, "save"))  # the same position again: one file, both kinds
    again = keeper.told[-1]
    assert isinstance(again, events.Checkpoint) and again.kinds == ["last", "save"]


def test_a_best_that_was_saved_is_not_saved_again(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    keeper.keep.keep_best(snapshot(20, 20, "best"))
    for step in (20, 30):
        keeper.keep.save(snapshot(step, 20))
    saves = [event for event in keeper.told if isinstance(event, events.Checkpoint)]
    assert [(event.step, event.kinds) for event in saves] == [(20, ["best", "last"]), (30, ["last"])]


def test_a_damaged_file_of_the_same_position_is_written_anew(tmp_path: Path) -> None:
    path = checkpoint.write(snapshot(), tmp_path)
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    keeper = Keeper(tmp_path)
    keeper.keep.save(snapshot())
    assert same(checkpoint.read(path), snapshot())


def test_a_file_whose_event_was_lost_keeps_its_kind(tmp_path: Path) -> None:
    checkpoint.write(snapshot(10, None, "save"), tmp_path)
    keeper = Keeper(tmp_path)
    keeper.keep.save(snapshot(20))
    assert (tmp_path / snapshot(10).meta.file_name).exists()
