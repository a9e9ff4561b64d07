"""Which step path trains a config: chosen by rule, so that the same machine always chooses the same."""

from __future__ import annotations

import torch

from tui_trainer.config import RunConfig
from tui_trainer.engine import compiled
from tui_trainer.engine.compiled import CompiledStep
from tui_trainer.engine.graph import GraphStep, is_recordable
from tui_trainer.engine.manual import ManualStep, is_plain
from tui_trainer.engine.model import Mlp
from tui_trainer.engine.optim import Optimizers
from tui_trainer.engine.step import AutogradStep
from tui_trainer.text import InputError

PATHS: dict[str, type[AutogradStep]] = {path.name: path for path in (CompiledStep, ManualStep, AutogradStep, GraphStep)}
"""The fastest first; graph comes last, and so only when it is asked for, until it has been tried on more GPUs."""


def choose(config: RunConfig, device: str, recorded: str = "") -> str:
    """The wished path; else the recorded one while it is there, else the fastest that can train this.

    Raises `InputError` when the wished one cannot.
    """
    wanted = config.training.step_path
    able = [name for name in PATHS if _is_able(name, config, device)]
    if "compiled" in able and "compiled" in (wanted, recorded or "compiled") and compiled.library() is None:
        able.remove("compiled")
    if wanted == "auto":
        return recorded if recorded in able else able[0]
    if wanted not in able:
        why = "cannot train this network here"
        if wanted == "compiled" and "manual" in able:
            why = "needs a C++ compiler, such as the one of pip install ziglang"
        elif wanted == "graph":
            why = f"cannot record {config.optimizer.name}" if device == "cuda" else f"needs CUDA, and this is {device}"
        raise InputError(f"training.step_path: {wanted!r} {why}; auto takes the fastest that can")
    return wanted


def _is_able(name: str, config: RunConfig, device: str) -> bool:
    match name:
        case "autograd":
            return True
        case "graph":
            return device == "cuda" and is_recordable(config)
    return device == "cpu" and is_plain(config)


def make(
    name: str, model: Mlp, optimizers: Optimizers, images: torch.Tensor, labels: torch.Tensor, precision: str
) -> AutogradStep:
    return PATHS[name](model, optimizers, images, labels, precision)
