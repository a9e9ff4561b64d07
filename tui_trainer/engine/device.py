"""Where and how the arithmetic runs: everything besides config and seed that decides the bits."""

import ctypes
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

import tui_trainer
from tui_trainer.config import RunConfig
from tui_trainer.engine import compiled, paths
from tui_trainer.engine.evaluate import batch_size as evaluation_batch
from tui_trainer.engine.optim import states_per_weight
from tui_trainer.text import InputError, size

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h
MOST_THREADS = torch.get_num_threads()  # asked before any run sets it
FLOPS_A_THREAD = 16e6  # of a step


@dataclass(frozen=True)
class Numerics:
    """Chosen once for a run, recorded in its `Started` event and checkpoints, and reused when it is resumed."""

    device: str
    device_name: str
    threads: int
    precision: str
    versions: dict[str, str]
    step_path: str = "autograd"
    data_file: str = ""
    """Digest of what a person's own file holds; of a published data set the files are checked by theirs."""

    @property
    def torch_device(self) -> torch.device:
        return torch.device(self.device)


def choose(config: RunConfig, recorded: Numerics | None = None) -> Numerics:
    """The numerics for this machine; a resumed run keeps the threads and the step path it was recorded with.

    Raises `InputError` when the config asks for a device or precision that is not here.
    """
    wanted: str = config.training.device
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wanted == "auto":
        wanted = next(name for name, here in available.items() if here)
    if not available[wanted]:
        raise InputError(f"training.device: {wanted!r} is not available here; auto would take the best there is")
    precision = "fp32" if config.training.precision == "auto" else config.training.precision
    if precision in ("tf32", "fp16") and wanted != "cuda":
        raise InputError(f"training.precision: {precision!r} needs CUDA, and this run is on {wanted}")
    versions = {
        "tui-trainer": tui_trainer.__version__,
        "torch": str(torch.__version__),
        "python": platform.python_version(),
    }
    step_path = paths.choose(config, wanted, recorded.step_path if recorded else "")
    if step_path == "compiled" and (built := compiled.library()):
        versions["compiled step"] = built[1]
    threads = MOST_THREADS
    if wanted == "cpu" and step_path != "compiled":  # which shares its steps among threads by itself
        threads = min(threads, useful_threads(config))
    threads = config.training.threads or (recorded.threads if recorded else threads)
    return Numerics(
        device="cuda:0" if wanted == "cuda" else wanted,
        device_name=_name(wanted),
        threads=threads,
        precision=precision,
        versions=versions,
        step_path=step_path,
        data_file=config.file_digest,
    )


def useful_threads(config: RunConfig) -> int:
    """For PyTorch's operations: in small steps, threads wait for each other longer than they save."""
    examples = min(config.training.batch_size, config.split.train)
    weights = sum(inputs * outputs for inputs, outputs in pairwise(config.layer_sizes))
    return max(1, round(6 * examples * weights / FLOPS_A_THREAD))


def _name(device: str) -> str:
    if device == "cuda":
        return torch.cuda.get_device_name(0)
    if device == "mps":
        return "Apple GPU"
    try:
        with Path("/proc/cpuinfo").open() as lines:
            return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def uuid(device: torch.device) -> str:
    """The GPU's name in `CUDA_VISIBLE_DEVICES` and NVML; empty for other devices."""
    if device.type != "cuda":
        return ""
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    alone = allowed.startswith(("GPU-", "MIG-")) and "," not in allowed  # only so does a slice of a card have its name
    return allowed if alone else f"GPU-{torch.cuda.get_device_properties(device).uuid}"


def prepare(numerics: Numerics, deterministic: bool = True) -> None:
    """Set the process up so that the same config and seed give the same bits."""
    # per thread, and before the first parallel operation: denormals slow late epochs down many times over
    torch.set_flush_denormal(True)
    torch.set_num_threads(numerics.threads)
    torch.use_deterministic_algorithms(deterministic)
    # nothing reads memory before it is written; filling it with NaN takes three hundredths of a step
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    torch.set_float32_matmul_precision("high" if numerics.precision == "tf32" else "highest")
    keep_freed_memory()


def keep_freed_memory() -> None:
    """Ask the C library to give freed memory back late: what every batch takes anew would be mapped page by page.

    On wide layers that is a fifth of an evaluation. Where there is no such setting (macOS, musl), nothing happens.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(M_MMAP_THRESHOLD, 32 << 20)  # the most that glibc takes
        set_option(M_TRIM_THRESHOLD, 256 << 20)


def settle(config: RunConfig, recorded: Mapping[str, Any] | None) -> tuple[Numerics, list[str]]:
    """The numerics to train with, and the names of what differs from those recorded with the run, if there are any."""
    before = Numerics(**recorded) if recorded else None
    now = choose(config, before)
    old, new = {**asdict(now), **(recorded or {})}, asdict(now)  # what an older version did not record, it kept
    return now, [key for key in old if old[key] != new[key]]


def memory_needed(config: RunConfig, device: torch.device) -> dict[str, int]:
    """Bytes by what they hold, computed from the config: what training takes of the device besides PyTorch itself.

    `data` counts images with noise or distortion, which lie beside those without; `activations` are inputs,
    activations and their gradients of one batch; `evaluation` is a layer beside the one before it, at their widest;
    `saving` are copies of what a checkpoint holds: the last, the best, and the one that is being written.
    """
    parameters, split, noise = sum(config.layer_parameters), config.split, config.noise
    evaluated = split.test + (0 if split.validation_is_test else split.validation)
    examples = split.train + evaluated
    disturbed = (split.train + evaluated * noise.on_evaluation) * ((noise.input_noise > 0) + (noise.distortion > 0))
    batch = max(min(config.training.batch_size, split.train), 1)
    inputs, *hidden, classes = config.layer_sizes
    evaluated_at_once = min(evaluation_batch(device), max(split.train, split.validation, split.test))
    widest = max(*(width * config.network.pieces for width in hidden), classes, 0)
    weights, states = 4 * parameters, 4 * parameters * states_per_weight(config)
    copies = (2 + config.checkpoints.best) * (device.type == "cpu")  # of another device they lie in the host's memory
    return {
        "weights": weights,
        "gradients": weights,
        "optimizer_state": states,
        "data": examples * (4 * inputs + 8) + disturbed * 4 * inputs,
        "activations": 4 * 3 * batch * (inputs + sum(hidden) * config.network.pieces + classes),
        "evaluation": 4 * 2 * evaluated_at_once * widest,
        "saving": copies * (weights + states),
    }


def memory_free(device: torch.device) -> int:
    """Bytes that nothing uses now, on the device."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    import psutil

    return int(psutil.virtual_memory().available)


def check_memory(config: RunConfig, device: torch.device) -> None:
    """Refuse, from computed bytes and before anything is allocated, what cannot fit."""
    needed, free = sum(memory_needed(config, device).values()), memory_free(device)
    if needed > free:
        raise InputError(
            f"network.hidden_sizes: {config.architecture} ({sum(config.layer_parameters):,} parameters) with batches "
            f"of {config.training.batch_size:,} needs about {size(needed)}, but {device} has {size(free)} free"
        )


def is_out_of_memory(error: Exception) -> bool:
    """PyTorch has a kind of error for GPUs; on the CPU only its words tell."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)


@contextmanager
def memory_explained(config: RunConfig) -> Iterator[None]:
    """Refuse, with batch size and network named, what runs out of memory inside."""
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise InputError(explain_out_of_memory(config)) from None


def explain_out_of_memory(config: RunConfig) -> str:
    return (
        f"out of memory on the device with batches of {config.training.batch_size:,} and a network of "
        f"{config.architecture} ({sum(config.layer_parameters):,} parameters): choose a smaller batch_size or network"
    )
