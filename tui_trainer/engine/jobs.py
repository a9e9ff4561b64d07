"""One-off work outside training, each in a process of its own: JSON lines on stdout, progress, then one result."""

import io
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import nn

from tui_trainer import datasets
from tui_trainer.config import build
from tui_trainer.engine import checkpoint, model, trained
from tui_trainer.engine.checkpoint import Snapshot
from tui_trainer.engine.evaluate import evaluate
from tui_trainer.files import write_whole
from tui_trainer.runs.directory import Run
from tui_trainer.text import InputError, clean

TELL_SECONDS = 0.1


def tell(**line: Any) -> None:
    print(json.dumps(line), flush=True)


def telling(unit: str) -> Callable[[int, int], None]:
    """Tells how much of the work is done, in `unit`: the first time, the last, and ten times a second in between."""
    told_at = -TELL_SECONDS

    def progress(done: int, of: int) -> None:
        nonlocal told_at
        now = time.monotonic()
        if now - told_at >= TELL_SECONDS or done == of:
            told_at = now
            tell(progress={"done": done, "of": of, "unit": unit})

    return progress


def check_file(file: str) -> None:
    """Read a checkpoint and compare its content with the sha256 inside it."""
    snapshot = checkpoint.read(Path(file), telling("bytes"))
    tell(
        result={
            "checkpoint": Path(file).name,
            "bytes": Path(file).stat().st_size,
            "epoch": snapshot.meta.epoch,
            "step": snapshot.meta.step,
            "weights_sha256": snapshot.meta.weights_sha256,
        }
    )


def evaluate_run(run: str, file: str, split: str, data_root: str) -> None:
    """Loss and accuracy of a checkpoint on one split. Reads only, so it needs no lock and may run beside a worker."""
    snapshot = checkpoint.read(Path(file), telling("bytes"))
    subject = trained.load(snapshot, Path(data_root))
    examples = subject.splits.named(split)
    loss, accuracy = evaluate(subject.model, examples, telling("examples"))
    tell(
        result={
            **header(run, file, snapshot, split, len(examples), subject.numerics.device),
            "loss": loss,
            "accuracy": accuracy,
            "correct": round(accuracy * len(examples)),
        }
    )


def header(run: str, file: str, snapshot: Snapshot, split: str, examples: int, device: str) -> dict[str, Any]:
    """What every result of a checkpoint on a split begins with."""
    return {
        "run": Run(Path(run)).id,
        "checkpoint": Path(file).name,
        "epoch": snapshot.meta.epoch,
        "step": snapshot.meta.step,
        "split": split,
        "examples": examples,
        "device": device,
    }


def export_run(file: str, output: str, names: str) -> None:
    """`{'epoch', 'model_state_dict'}` as `torch.load(…, weights_only=True)` reads it.

    Keys are those of `nn.Sequential(Linear, activation, …, Linear)`; `names`, joined by commas, renames the linear
    layers in order.
    """
    snapshot = checkpoint.read(Path(file), telling("bytes"))
    network = model.build(build(snapshot.meta.config))
    linear = [str(index) for index, layer in enumerate(network) if isinstance(layer, nn.Linear)]
    chosen = names.split(",") if names else linear
    if len(chosen) != len(linear) or len(set(chosen)) != len(chosen) or not all(name.strip() for name in chosen):
        raise InputError(
            f"--names: {names!r} must be {len(linear)} different names joined by commas, one a linear layer"
        )
    renamed = dict(zip(linear, chosen, strict=True))
    network.load_state_dict(snapshot.part("model"))
    state = {}
    for key, tensor in network.state_dict().items():
        layer, _, rest = key.partition(".")
        state[f"{renamed.get(layer, layer)}.{rest}"] = tensor
    content = io.BytesIO()
    torch.save({"epoch": snapshot.meta.epoch, "model_state_dict": state}, content)
    try:
        write_whole(Path(output), content.getvalue())
    except OSError as error:
        raise InputError(f"{output}: cannot be written: {error.strerror}") from None
    tell(result={"file": output, "epoch": snapshot.meta.epoch, "keys": list(state), "network": str(network)})


def verify_run(run: str, data_root: str) -> None:
    """Train the run again and compare weights and metrics; says where they first differ."""
    from tui_trainer.engine.verify import Replay
    from tui_trainer.engine.worker import history

    directory = Run(Path(run))
    state = history(directory)
    replay = Replay(directory, state, Path(data_root), telling("steps"))
    replay.run()
    tell(
        result={
            "run": directory.id,
            "identical": not replay.difference,
            "difference": replay.difference,
            "steps": replay.newest.step,
            "changes": len(state.changes),
            "weights_sha256": replay.newest.weights_sha256,
        }
    )


def fetch(name: str, data_root: str) -> None:
    """Download a data set through torchvision, which checks each file, and check what it unpacked."""
    import torchvision

    entry = datasets.dataset(name)
    if not entry.files:
        tell(result={"name": name, "message": f"is here already: {entry.source}"})
        return
    folder = Path(data_root) / entry.folder
    done = threading.Event()
    progress = telling("bytes")

    def watch(arriving: Path) -> None:
        while not done.wait(0.2):
            packed = [file for pattern in ("*.gz", "*.zip") for file in arriving.glob(pattern)]
            progress(sum(file.stat().st_size for file in packed), entry.download_bytes)

    try:
        Path(data_root).mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=data_root, prefix=".fetch-") as temporary:
            arriving = Path(temporary) / entry.folder
            watcher = threading.Thread(target=watch, args=(arriving,), daemon=True)
            watcher.start()
            try:
                download = getattr(torchvision.datasets, entry.torchvision)
                download(temporary, download=True, **entry.torchvision_options)
            finally:
                done.set()
                watcher.join()
            datasets.read(entry, Path(temporary))
            folder.mkdir(parents=True, exist_ok=True)
            for file in arriving.iterdir():
                file.replace(folder / file.name)
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"data set {name}: no download was possible ({clean(str(error), 200)}); on a machine with network run "
            f"tui-trainer data fetch {name}, then copy its files to {folder}"
        ) from None
    tell(result={"name": name, "message": f"is in {folder}; {datasets.checked(entry)}"})


def check_data(name: str, data_root: str) -> None:
    """Read a data set whole and compare it with what is published of it."""
    entry = datasets.dataset(name)
    datasets.read(entry, Path(data_root), telling("bytes"))
    tell(result={"name": name, "message": f"is sound; {datasets.checked(entry)}"})
