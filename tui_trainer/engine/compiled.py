"""The compiled step path: `native/step.cpp`, built by this machine's own C++ compiler the first time it is needed."""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import torch

from tui_trainer.config import RunConfig
from tui_trainer.engine.manual import ManualStep
from tui_trainer.engine.model import Mlp
from tui_trainer.engine.optim import Optimizers, Terms
from tui_trainer.engine.step import AutogradStep, Sums

LOG = logging.getLogger(__name__)
SOURCE = Path(__file__).parent / "native"
FLAGS = ("-O3", "-march=native", "-std=c++17", "-shared", "-fPIC", "-fno-math-errno", "-fno-trapping-math", "-pthread")
BUILD_SECONDS = 300  # pip's compiler takes one minute, others five seconds
ACTIVATIONS = {"identity": 0, "relu": 1, "leaky_relu": 2, "elu": 3, "tanh": 4, "sigmoid": 5}
NONE, SGD, ADAM, ADADELTA = range(4)
MEMORIES = {SGD: ("momentum_buffer",), ADAM: ("exp_avg", "exp_avg_sq"), ADADELTA: ("square_avg", "acc_delta")}
FLOPS_A_THREAD = 3e6  # of a step; below, a second thread costs more in waiting than it saves
TRIAL_EVERY = 16  # chunks; and the share of a chunk that a trial takes
START_SECONDS = 0.002  # a shorter call tells how long threads take to start


class _Parameter(ctypes.Structure):
    _fields_ = (
        ("value", ctypes.c_void_p),
        ("gradient", ctypes.c_void_p),
        ("memory", ctypes.c_void_p * 2),
        ("steps", ctypes.c_void_p),
        ("fresh", ctypes.c_int32),
        ("rate", ctypes.c_double),
        ("penalty", ctypes.c_double),
        ("shrink", ctypes.c_double),
    )


class _Layer(ctypes.Structure):
    _fields_ = (
        ("inputs", ctypes.c_int64),
        ("outputs", ctypes.c_int64),
        ("weight", _Parameter),
        ("bias", _Parameter),
        ("mask", ctypes.c_void_p),
        ("kept", ctypes.c_float),
        ("trained", ctypes.c_int32),
    )


class _Network(ctypes.Structure):
    _fields_ = (
        ("layers", ctypes.POINTER(_Layer)),
        ("layer_count", ctypes.c_int64),
        ("activation", ctypes.c_int32),
        ("rule", ctypes.c_int32),
        ("slope", ctypes.c_float),
        ("label_smoothing", ctypes.c_float),
        ("settings", ctypes.c_double * 3),
        ("images", ctypes.c_void_p),
        ("labels", ctypes.c_void_p),
        ("threads", ctypes.c_int32),
        ("loss", ctypes.c_double),
        ("correct", ctypes.c_int64),
        ("gradient_norm", ctypes.c_double),
    )


def compilers() -> Iterator[tuple[str, ...]]:
    """Commands of C++ compilers: `$CXX`, else the first of the usual names; then the one that pip installs."""
    named = next(filter(None, map(shutil.which, (os.environ.get("CXX", ""), "c++", "g++", "clang++"))), None)
    if named is not None:
        yield (named,)
    if find_spec("ziglang"):
        yield sys.executable, "-m", "ziglang", "c++"


@cache
def library() -> tuple[ctypes.CDLL, str] | None:
    """The built steps and the digest of what they were built from; None where they cannot be built or loaded."""
    for builder in compilers():
        try:
            return _load(builder)
        except (OSError, subprocess.SubprocessError) as error:
            LOG.warning("no compiled step: %s", error)
    return None


def _load(builder: tuple[str, ...]) -> tuple[ctypes.CDLL, str]:
    """Build where that has not been done. Raises `OSError` and `subprocess.SubprocessError`.

    Kept in the user's cache under the digest of source, flags, compiler and processor, so that nothing stale is used.
    """
    version = subprocess.run([*builder, "--version"], capture_output=True, timeout=BUILD_SECONDS, check=True).stdout
    digest = hashlib.sha256(version + " ".join(FLAGS).encode() + _processor().encode())
    for source in sorted(SOURCE.glob("*.*")):
        digest.update(source.read_bytes())
    name = digest.hexdigest()[:16]
    built = _folder() / f"step-{name}.so"
    if not built.exists():
        LOG.info("building the training step for this machine: once, five seconds to a minute")
        _build(builder, built)
    found = ctypes.CDLL(str(built))
    found.tile_size.restype = ctypes.c_int64
    return found, name


def _folder() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("tui-trainer") / "steps"


def _processor() -> str:
    """What `-march=native` depends on: a home directory may be shared by unlike machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() + platform.machine()
    return "".join(sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))}))


def _build(builder: tuple[str, ...], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made = Path(folder) / target.name
        subprocess.run(
            [*builder, *FLAGS, str(SOURCE / "step.cpp"), "-o", str(made)],
            env={**os.environ, "ZIG_GLOBAL_CACHE_DIR": folder},  # pip's compiler builds its own library: 100 MB
            capture_output=True,
            timeout=BUILD_SECONDS,
            check=True,
        )
        made.replace(target)  # whole or not at all: several workers may build at once


class Threads:
    """How many threads the next steps get: the number that was fastest lately.

    No bit depends on it, so it may follow what else the machine has to do: where a core is shared, two threads that
    wait for each other at every layer are slower than one.
    """

    def __init__(self, most: int) -> None:
        self.candidates = sorted({1 << power for power in range(10) if 1 << power < most} | {most})
        self.seconds: dict[int, float] = {}
        self.calls = self.trials = 0

    @property
    def best(self) -> int:
        return min(self.seconds, key=self.seconds.__getitem__, default=self.candidates[-1])

    def trial(self) -> int | None:
        """Another number to try in this chunk: often at first, later now and then."""
        self.calls += 1
        others = [count for count in self.candidates if count != self.best]
        if not others or self.calls % (2 if self.calls < 2 * TRIAL_EVERY else TRIAL_EVERY):
            return None
        self.trials += 1
        return others[self.trials % len(others)]

    def took(self, count: int, seconds: float) -> None:
        """A step took so many seconds. Whatever disturbs a measurement makes it longer: a shorter one is believed."""
        before = self.seconds.get(count, seconds)
        self.seconds[count] = min(seconds, 0.7 * before + 0.3 * seconds)


class CompiledStep(ManualStep):
    """The steps of a chunk in one call. Where an optimizer or a limit is not compiled, only their gradients are."""

    name = "compiled"

    def __init__(
        self, model: Mlp, optimizers: Optimizers, images: torch.Tensor, labels: torch.Tensor, precision: str
    ) -> None:
        super().__init__(model, optimizers, images, labels, precision)
        found = library()
        assert found is not None  # `paths.choose` looked
        self.native = found[0]
        self.layers = (_Layer * len(self.linears))()
        self.net = _Network(layers=self.layers, layer_count=len(self.linears))
        self.gradients: dict[torch.Tensor, torch.Tensor] = {}

    def configure(self, config: RunConfig) -> None:
        super().configure(config)
        self.net.activation = ACTIVATIONS[config.network.activation]
        self.net.slope = config.network.leaky_slope
        self.net.label_smoothing = config.regularization.label_smoothing
        self.rule = self._rule(config)
        examples = min(self.step_size, len(self.labels))
        flops = 6 * examples * sum(linear.weight.numel() for linear in self.linears)
        self.threads = Threads(max(1, min(torch.get_num_threads(), round(flops / FLOPS_A_THREAD))))
        self.keeps_gradients = self.rule == NONE or examples > self.native.tile_size()

    def _rule(self, config: RunConfig) -> int:
        """The optimizer as the native code numbers it, its settings filled in; NONE where PyTorch's own must step."""
        chosen = config.optimizer
        settings: tuple[float, ...] = ()
        rule = NONE
        if not (self.limited or config.network.input_dropout or any(config.layer_dropout)):
            if chosen.name == "sgd":
                rule, settings = SGD, (chosen.momentum, chosen.dampening, chosen.nesterov)
            elif chosen.name in ("adam", "adamw"):
                rule, settings = ADAM, (*chosen.betas, chosen.eps)
            elif chosen.name == "adadelta":
                rule, settings = ADADELTA, (chosen.rho, chosen.eps)
        self.net.settings = (ctypes.c_double * 3)(*settings)
        return rule

    @torch.no_grad()
    def run(self, order: torch.Tensor, factors: Sequence[float]) -> None:
        if self.rule != NONE:
            first = len(factors) // TRIAL_EVERY
            trial = self.threads.trial() if first else None
            if trial:
                self._timed(trial, order[: first * self.step_size], factors[:first])
                order, factors = order[first * self.step_size :], factors[first:]
            self._timed(self.threads.best, order, factors)
            return
        self.net.threads = self.threads.best
        for part, factor in zip(order.split(self.step_size), factors, strict=True):
            seen, masks = self.dropout(len(part))
            if seen is None:
                self._call(self.images, self.labels, part, NONE, [factor], masks)
            else:
                images = self.images.index_select(0, part).mul_(seen)
                self._call(images, self.labels[part], torch.arange(len(part)), NONE, [factor], masks)
            for parameter in self.parameters:
                parameter.grad = self.gradients[parameter] if parameter.requires_grad else None
            self.update(self.optimizers.rates(factor))

    def _timed(self, threads: int, order: torch.Tensor, factors: Sequence[float]) -> None:
        self.net.threads = threads
        began = time.perf_counter()
        self._call(self.images, self.labels, order, self.rule, factors)
        seconds = time.perf_counter() - began
        if seconds > START_SECONDS:
            self.threads.took(threads, seconds / len(factors))

    def _call(
        self,
        images: torch.Tensor,
        labels: torch.Tensor,
        order: torch.Tensor,
        rule: int,
        factors: Sequence[float],
        masks: Sequence[torch.Tensor | None] = (),
    ) -> None:
        net = self.net
        images, order = images.contiguous(), order.contiguous()
        net.images, net.labels, net.rule = images.data_ptr(), labels.data_ptr(), rule
        terms = self.optimizers.terms()
        for layer, linear in zip(self.layers, self.linears, strict=True):
            layer.inputs, layer.outputs = linear.in_features, linear.out_features
            layer.trained, layer.kept, layer.mask = linear.weight.requires_grad, 1.0, None
            self._describe(layer.weight, linear.weight, terms[linear.weight])
            if linear.bias is not None:
                self._describe(layer.bias, linear.bias, terms[linear.bias])
        for layer, mask, rate in zip(self.layers, masks, self.model.dropout, strict=False):
            layer.mask, layer.kept = mask.data_ptr() if mask is not None else None, 1 - rate
        scale = (ctypes.c_double * len(factors))(*factors)
        size = self.step_size if rule != NONE else len(order)
        self.native.run_steps(
            ctypes.byref(net),
            ctypes.c_void_p(order.data_ptr()),
            ctypes.c_int64(len(order)),
            ctypes.c_int64(size),
            scale,
        )

    def _describe(self, target: _Parameter, parameter: torch.Tensor, terms: Terms) -> None:
        """Where a parameter, its gradient and its optimizer's memory lie now: a resume may have moved them."""
        target.value = parameter.data_ptr()
        if self.keeps_gradients and parameter.requires_grad:
            if parameter not in self.gradients:
                self.gradients[parameter] = torch.zeros_like(parameter)
            target.gradient = self.gradients[parameter].data_ptr()
        else:
            target.gradient = None
        target.steps = None
        if self.rule == NONE or not parameter.requires_grad:
            return
        target.rate, target.penalty, target.shrink = terms
        state = self.optimizers.members[0].state[parameter]
        if self.rule == SGD and not self.net.settings[0]:
            return
        target.fresh = state.get(MEMORIES[self.rule][0]) is None
        if target.fresh:  # what PyTorch's optimizer makes with its first step
            state.update({name: torch.zeros_like(parameter) for name in MEMORIES[self.rule]})
            if self.rule != SGD:
                state["step"] = torch.zeros(())
        if self.rule != SGD:
            target.steps = state["step"].data_ptr()
        for place, name in enumerate(MEMORIES[self.rule]):
            target.memory[place] = state[name].data_ptr()

    def gradient_norm(self) -> torch.Tensor:
        return AutogradStep.gradient_norm(self)

    def read(self) -> tuple[Sums, float]:
        norm = self.net.gradient_norm if self.rule != NONE else float(self.gradient_norm())
        return Sums(self.net.loss, self.net.correct), norm

    def restart(self, sums: Sums) -> None:
        self.net.loss, self.net.correct = sums.loss, sums.correct
