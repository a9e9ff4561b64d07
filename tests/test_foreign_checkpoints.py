"""What is no checkpoint of this very run, by damage, by malice or by mistake, is refused in one line."""

import json
import os
from pathlib import Path

import msgspec
import pytest
import torch

from tests.running import QUICK
from tests.test_checkpoint import same, snapshot
from tui_trainer.engine import checkpoint, device
from tui_trainer.engine.checkpoint import Snapshot
from tui_trainer.engine.data import load
from tui_trainer.engine.trainer import Trainer
from tui_trainer.text import InputError


def test_every_flipped_byte_and_every_truncation_is_refused(tmp_path: Path) -> None:
    path = checkpoint.write(snapshot(), tmp_path)
    whole = path.read_bytes()
    victim = tmp_path / "victim.safetensors"
    accepted = []
    for place in range(len(whole)):
        for bit in (0, 5, 7):
            victim.write_bytes(whole[:place] + bytes((whole[place] ^ 1 << bit,)) + whole[place + 1 :])
            try:
                assert same(checkpoint.read(victim), snapshot())
                accepted.append((whole[place - 2 : place + 3], bit))
            except InputError as error:
                assert len(error.problems) == 1 and str(victim) in error.problems[0]
    # immaterial: 1e-05 and 1E-05 are the same number
    assert accepted == [(b" 1e-0", 5)]
    for length in range(0, len(whole)):
        victim.write_bytes(whole[:length])
        with pytest.raises(InputError):
            checkpoint.read(victim)
    victim.write_bytes(whole + b"\0")
    with pytest.raises(InputError):
        checkpoint.read(victim)


class Evil:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.canary),)


def make_foreign(kind: str, path: Path) -> None:
    match kind:
        case "pickle":
            torch.save({"x": Evil(path.with_name("canary"))}, path)
        case "fifo":
            os.mkfifo(path)
        case "directory":
            path.mkdir()
        case "empty":
            path.touch()
        case "huge header":
            path.write_bytes((1 << 62).to_bytes(8, "little") + b"{}")
        case "overlap":
            places = {"a": [0, 4], "b": [2, 6]}
            tensors = {name: {"dtype": "U8", "shape": [4], "data_offsets": place} for name, place in places.items()}
            header = json.dumps(tensors).encode()
            path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(6))
        case "no metadata":
            from safetensors.torch import save_file

            save_file({"a": torch.zeros(1)}, path)
        case "deep metadata":
            from safetensors.torch import save_file

            save_file({"a": torch.zeros(1)}, path, {"tui_trainer": "[" * 100_000})
        case "metadata of another kind":
            from safetensors.torch import save_file

            save_file({"a": torch.zeros(1)}, path, {"tui_trainer": "[]"})


@pytest.mark.parametrize(
    "kind",
    [
        "pickle",
        "fifo",
        "directory",
        "empty",
        "huge header",
        "overlap",
        "no metadata",
        "deep metadata",
        "metadata of another kind",
        "absent",
    ],
)
def test_what_is_no_checkpoint_is_refused_in_one_line(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "e0009-s000090.safetensors"
    make_foreign(kind, path)
    with pytest.raises(InputError) as refusal:
        checkpoint.read(path)
    (problem,) = refusal.value.problems
    assert str(path) in problem and "\n" not in problem
    assert not (tmp_path / "canary").exists()
    checkpoint.write(snapshot(), tmp_path)
    found, problems = checkpoint.newest(tmp_path)
    assert found and same(found, snapshot())
    assert problems == ([] if kind == "absent" else [problem])


def test_a_newer_format_and_unknown_metadata_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="format 2 is newer than this program's 1"):
        checkpoint.read(checkpoint.write(snapshot(format=2), tmp_path))
    meta = msgspec.to_builtins(snapshot().meta)
    from safetensors.torch import save_file

    sealed = msgspec.json.encode({**meta, "step": "ten", "sha256": checkpoint._digest({**meta, "step": "ten"}, {})})
    save_file({}, tmp_path / "x", {"tui_trainer": sealed.decode()})
    with pytest.raises(InputError, match="metadata"):
        checkpoint.read(tmp_path / "x")


def spoil(kind: str, tensors: dict[str, torch.Tensor]) -> None:
    match kind:
        case "shape":
            tensors["model/0.weight"] = tensors["model/0.weight"][:, :-1]
        case "dtype":
            tensors["model/0.weight"] = tensors["model/0.weight"].double()
        case "missing":
            del tensors["model/0.weight"]
        case "extra":
            tensors["model/9.weight"] = torch.zeros(1)
        case "not finite":
            tensors["model/0.weight"][0, 0] = torch.nan
        case "optimizer shape":
            tensors["optimizer/0/0/exp_avg"] = torch.zeros(1)
        case "optimizer parameter":
            tensors["optimizer/0/99/exp_avg"] = torch.zeros(())
        case "optimizer member":
            tensors["optimizer/1/0/exp_avg"] = torch.zeros(())
        case "optimizer key":
            tensors["optimizer/0/0"] = torch.zeros(())
        case "no rng":
            del tensors["rng/cpu"]
        case "rng":
            tensors["rng/cpu"] = torch.zeros(3, dtype=torch.uint8)


@pytest.mark.parametrize(
    "kind",
    [
        "shape",
        "dtype",
        "missing",
        "extra",
        "not finite",
        "optimizer shape",
        "optimizer parameter",
        "optimizer member",
        "optimizer key",
        "no rng",
        "rng",
    ],
)
def test_tensors_that_do_not_fit_the_run_are_refused(kind: str) -> None:
    numerics = device.choose(QUICK)
    splits = load(QUICK, Path(), numerics.torch_device)
    trainer = Trainer(QUICK, splits, numerics)
    trainer.path.run(torch.arange(100), trainer.factors(1))
    captured = trainer.capture("last")
    spoil(kind, tensors := {name: tensor.clone() for name, tensor in captured.tensors.items()})
    with pytest.raises(InputError, match=captured.meta.file_name):
        Trainer(QUICK, splits, numerics).restore(Snapshot(captured.meta, tensors))
    Trainer(QUICK, splits, numerics).restore(captured)
