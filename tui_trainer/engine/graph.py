"""The graph step path: whole optimizer steps recorded as CUDA graphs, and several of them replayed by one call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import torch

from tui_trainer.config import RunConfig
from tui_trainer.engine.manual import ManualStep, is_plain
from tui_trainer.engine.model import Mlp
from tui_trainer.engine.optim import Optimizers

AT_ONCE = 16  # steps a replay, where the chunk has as many
Replay = Callable[[], None]


def is_recordable(config: RunConfig) -> bool:
    """Does PyTorch's optimizer take rates that lie on the device? Adagrad and Muon ask the host for theirs."""
    return config.optimizer.name not in ("adagrad", "muon")


class GraphStep(ManualStep):
    """Forward, backward, the optimizer's update and the sums of a step, launched by no host.

    The backward is the manual path's where that can train the network, because it takes fewer kernels, else autograd's.

    A graph reads and writes where it did when it was recorded. So which examples come and at what rates are written to
    fixed places before a replay, and graphs are recorded anew when parameters, the optimizer's memory, or a setting
    that is part of the recording has changed. A graph of one step does what a graph of several does for each, so that
    chunks and their ends reach no bit.
    """

    name = "graph"

    def __init__(
        self, model: Mlp, optimizers: Optimizers, images: torch.Tensor, labels: torch.Tensor, precision: str
    ) -> None:
        super().__init__(model, optimizers, images, labels, precision)
        self.device = images.device
        self.norm = torch.zeros((), device=self.device)  # of the last gradient
        self.recorded_images = self.own_images = images
        self.replays: dict[tuple[int, int], Replay] = {}  # by steps, and examples in each
        self.baked: object = None
        self.addresses: list[object] = []
        self.pool = torch.cuda.graph_pool_handle() if self.device.type == "cuda" else None

    def configure(self, config: RunConfig) -> None:
        super().configure(config)
        self.is_plain, self.updates_itself = is_plain(config), False  # a rate on the device is no number of the host's
        size = min(self.step_size, len(self.labels))
        settings = config.optimizer.model_copy(update={"learning_rate": 0.0})
        baked = (config.regularization, config.layer_dropout, config.network.input_dropout, settings, size)
        if baked != self.baked:
            self.baked = baked
            self.replays.clear()
            groups = sum(1 for _ in self.optimizers.groups)
            self.order = torch.zeros(AT_ONCE, size, dtype=torch.int64, device=self.device)
            self.rates = torch.zeros(AT_ONCE, groups, device=self.device)

    def run(self, order: torch.Tensor, factors: Sequence[float]) -> None:
        pinned = self.device.type == "cuda"  # copied while the host goes on
        rates = torch.tensor([self.optimizers.rates(factor) for factor in factors], pin_memory=pinned)
        rates = rates.to(self.device, non_blocking=True)
        self._follow_images()
        makes_memory = self.optimizers.makes_memory()
        done = 0
        while done < len(factors):
            rest = order[done * self.step_size :]
            size = min(self.step_size, len(rest))
            count = AT_ONCE if len(rest) >= AT_ONCE * size and not makes_memory else 1
            self.order[:count, :size] = rest[: count * size].view(count, size)
            self.rates[:count] = rates[done : done + count]
            if makes_memory:  # which a recording would make each time: the first step of all, and of a thawed layer
                self.steps(count, size)
                makes_memory = False
            else:
                self._replay(count, size)()
            done += count

    def steps(self, count: int, size: int) -> None:
        """What is recorded: `count` steps of `size` examples each, from the fixed places."""
        order, rates = self.order[:count, :size].flatten(), [now.unbind() for now in self.rates[:count]]
        if self.is_plain:
            self.train(order, rates)
        else:
            for (images, labels), now in zip(self.batches(order), rates, strict=True):
                self.step(images, labels, now)
        self.norm.copy_(super().gradient_norm())

    def add_losses(self, losses: torch.Tensor) -> None:
        """Step by step: a GPU adds up many at once in an order that depends on how many they are."""
        for part in losses.split(self.step_size):
            self.loss.add_(part.sum())

    def gradient_norm(self) -> torch.Tensor:
        return self.norm

    def _follow_images(self) -> None:
        """Noise gives every epoch images of its own; a recording reads them in one place."""
        if self.images is self.recorded_images:
            return
        if self.recorded_images is self.own_images:
            self.recorded_images = self.images.clone()
            self.replays.clear()
        else:
            self.recorded_images.copy_(self.images)
        self.images = self.recorded_images

    def _replay(self, count: int, size: int) -> Replay:
        addresses = self._addresses()
        if addresses != self.addresses:
            self.addresses = addresses
            self.replays.clear()
        if (count, size) not in self.replays:
            self.replays[count, size] = self._record(count, size)
        return self.replays[count, size]

    def _addresses(self) -> list[object]:
        """What else a recording depends on: where the state lies, and which parameters are trained."""
        state = [*self.model.state_dict().values(), *self.optimizers.tensors().values()]
        return [*(tensor.data_ptr() for tensor in state), *(p.requires_grad for p in self.parameters)]

    def _record(self, count: int, size: int) -> Replay:
        """Record on CUDA; elsewhere the same steps, one operation after another."""
        self._warm_up(count, size)
        steps = partial(self.steps, count, size)
        if self.device.type != "cuda":
            return steps
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self.pool):
            steps()
        self.optimizers.zero_grad()  # gradients lie in the graphs' own memory
        return graph.replay

    def _warm_up(self, count: int, size: int) -> None:
        """Take the steps once for the libraries' sake, which prepare themselves, and take them back."""
        if self.scaler:
            self.scaler.scale(self.loss)  # makes its numbers
        changing = [*self.model.state_dict().values(), *self.optimizers.tensors().values()]
        changing += [self.loss, self.correct, self.norm]
        if self.scaler:
            changing += [self.scaler._scale, self.scaler._growth_tracker]
        copies = [tensor.clone() for tensor in changing]
        with torch.random.fork_rng([self.device] if self.device.type == "cuda" else []), aside(self.device):
            self.steps(count, size)
        with torch.no_grad():
            for tensor, copy in zip(changing, copies, strict=True):
                tensor.copy_(copy)
        self.optimizers.zero_grad()


@contextmanager
def aside(device: torch.device) -> Iterator[None]:
    """Work on a stream of its own, as a recording does; the current one waits for it at the end."""
    if device.type != "cuda":
        yield
        return
    main, side = torch.cuda.current_stream(device), torch.cuda.Stream(device)
    side.wait_stream(main)
    with torch.cuda.stream(side):
        yield
    main.wait_stream(side)
