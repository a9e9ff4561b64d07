"""One checkpoint, one safetensors file that proves itself and from which a run goes on exactly.

Inside: tensors `model/<key>`, `optimizer/<parameter>/<name>`, `rng/<cpu|device>`, and one metadata string, JSON, with
everything of `Meta` and a sha256 over the canonical rest of it and every tensor. A file is *committed* when it has its
final name and verifies. No pickle is ever read.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import safetensors
import torch
from safetensors.torch import save as serialise

from tui_trainer.engine.schedule import Patience
from tui_trainer.files import open_regular
from tui_trainer.text import InputError, reason

FORMAT = 1
DIGEST_BLOCK = 1 << 26
"""Bytes that a digest takes at a time, between which it tells how far it is."""
_NAME = re.compile(r"e(\d{4,})-s(\d{6,})\.safetensors")


class Best(msgspec.Struct, frozen=True):
    """The first epoch of highest validation accuracy so far."""

    epoch: int
    step: int
    val_accuracy: float
    val_loss: float


class Meta(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the run stands. `epoch` completed epochs, `step` optimizer steps, `epoch_step` steps into the unfinished
    epoch, whose running sums are `loss_sum` (loss · examples) and `correct`. `seconds` by phase; `early` and `plateau`
    are the memories of early stopping and of a plateau schedule, which has lowered the rate `falls` times."""

    format: int = FORMAT
    kinds: list[str]
    epoch: int
    step: int
    epoch_step: int
    loss_sum: float
    correct: int
    seconds: dict[str, float]
    best: Best | None
    val_accuracy: float | None
    early: Patience
    early_stop_epoch: int
    plateau: Patience
    falls: int
    scaler: dict[str, float]
    config: dict[str, Any]
    config_digest: str
    applied: list[str]
    numerics: dict[str, Any]
    step_path: str
    weights_sha256: str

    @property
    def file_name(self) -> str:
        return f"e{self.epoch:04}-s{self.step:06}.safetensors"


@dataclass(frozen=True)
class Snapshot:
    """A checkpoint in memory: tensors on the CPU that nothing else writes to."""

    meta: Meta
    tensors: Mapping[str, torch.Tensor]

    def part(self, prefix: str) -> dict[str, torch.Tensor]:
        """The tensors under `prefix/`, without it."""
        return {key[len(prefix) + 1 :]: t for key, t in self.tensors.items() if key.startswith(prefix + "/")}


def weights_sha256(model_state: Mapping[str, torch.Tensor]) -> str:
    """Over names, shapes and bytes of every parameter and buffer, in the model's order."""
    digest = hashlib.sha256()
    for name, tensor in model_state.items():
        for _ in _add(digest, name, tensor):
            pass
    return digest.hexdigest()


def _add(digest: "hashlib._Hash", name: str, tensor: torch.Tensor) -> Iterator[int]:
    """Take the tensor in, a block at a time; yields the bytes of each."""
    digest.update(f"{name}:{tensor.dtype}:{list(tensor.shape)}:".encode())
    content = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data
    for start in range(0, len(content), DIGEST_BLOCK):
        block = content[start : start + DIGEST_BLOCK]
        digest.update(block)
        yield len(block)


def _digest(
    meta: Mapping[str, Any],
    tensors: Mapping[str, torch.Tensor],
    progress: Callable[[int, int], None] | None = None,
) -> str:
    digest = hashlib.sha256(json.dumps(meta, sort_keys=True, separators=(",", ":")).encode())
    done, of = 0, sum(tensor.nbytes for tensor in tensors.values())
    for name in sorted(tensors):
        for count in _add(digest, name, tensors[name]):
            done += count
            if progress:
                progress(done, of)
    return digest.hexdigest()


def write(snapshot: Snapshot, folder: Path) -> Path:
    """Commit the snapshot: durable and under its final name, or, on any OSError, not there at all."""
    meta = msgspec.to_builtins(snapshot.meta)
    sealed = {**meta, "sha256": _digest(meta, snapshot.tensors)}
    content = serialise(dict(snapshot.tensors), {"tui_trainer": json.dumps(sealed)})
    target = folder / snapshot.meta.file_name
    commit(target, content)
    return target


def commit(target: Path, content: bytes) -> None:
    """Write beside, fsync, rename, fsync the folder; a failure leaves neither the temporary nor the target.

    A failed fsync may have dropped pages for good, so nothing is retried on the same descriptor.
    """
    temporary = target.with_name(f".{target.name}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.rename(target)
        folder = os.open(target.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError:  # a rename may report failure and have happened all the same
        temporary.unlink(missing_ok=True)
        target.unlink(missing_ok=True)
        raise


def read(path: Path, progress: Callable[[int, int], None] | None = None) -> Snapshot:
    """A committed checkpoint, every byte checked. Raises `InputError`: one line naming the file and what is wrong.

    `progress` is told the bytes checked, and of how many.
    """
    try:
        open_regular(path).close()
        with safetensors.safe_open(path, framework="pt") as stream:
            header = stream.metadata() or {}
            # cloned: the file behind a mapped tensor may be deleted while the tensor lives
            tensors = {key: stream.get_tensor(key).clone() for key in stream.keys()}  # noqa: SIM118  not a dict
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {reason(error)}") from None
    except safetensors.SafetensorError as error:
        raise InputError(f"{path}: not a safetensors file: {error}") from None
    try:
        sealed = json.loads(header["tui_trainer"])
        sha256 = sealed.pop("sha256")
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
        raise InputError(f"{path}: a safetensors file, but not a checkpoint of tui-trainer") from None
    if isinstance(sealed.get("format"), int) and sealed["format"] > FORMAT:
        raise InputError(f"{path}: format {sealed['format']} is newer than this program's {FORMAT}")
    if sha256 != _digest(sealed, tensors, progress):
        raise InputError(f"{path}: damaged: its content does not match its sha256")
    try:
        return Snapshot(msgspec.convert(sealed, Meta), tensors)
    except msgspec.ValidationError as error:
        raise InputError(f"{path}: metadata: {error}") from None


def scan(folder: Path) -> Iterator[Path]:
    """Files with the final name of a checkpoint, newest position first; they may still fail to verify."""
    found = [(int(m[2]), p) for p in folder.iterdir() if (m := _NAME.fullmatch(p.name))]
    return (path for _, path in sorted(found, reverse=True))


def newest(folder: Path) -> tuple[Snapshot | None, list[str]]:
    """The newest committed checkpoint, and what is wrong with newer files that do not verify."""
    problems: list[str] = []
    for path in scan(folder):
        try:
            return read(path), problems
        except InputError as error:
            problems += error.problems
    return None, problems


def sweep(folder: Path) -> None:
    """Delete what a crash left half written. The caller holds the run's lock."""
    for leftover in folder.glob(".*.tmp"):
        leftover.unlink(missing_ok=True)
