"""The machine's own limit for a workload: what its matrix products and its memory traffic cost at the least.

    python -m benchmarks.floor '[784, 128, 10]' 100 '"sgd"' '"cpu"'

A step needs, for each layer, the forward product and the weights' gradient, and for all layers but the first the
gradient of its inputs: each is timed alone, written into place, by PyTorch's `mm` and, on a CPU, by oneDNN, and the
faster counts. Then the batch is gathered from the data set, and the optimizer reads and writes its memory: at the
measured speed of an addition of as many numbers. Activations, the loss and every call in between are free here.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from benchmarks.contenders import CALM, LIMIT

if TYPE_CHECKING:
    import torch

EXAMPLES = 60_000
BOX = 0.02  # seconds a repetition takes
REPEATS = 7
# numbers read and written for each parameter besides the products; plain SGD's update is one with the product's output
TRAFFIC = {"sgd": 0, "adam": 7, "adadelta": 7}


@dataclass(frozen=True)
class Floor:
    """Seconds of one step; `products` of its matrix products alone, whose rate is `flops` a second."""

    products: float
    gather: float
    update: float
    flops: float

    @property
    def step(self) -> float:
        return self.products + self.gather + self.update


def best_time(work: Callable[[], object], device: str) -> float:
    """Seconds of one call, the best of some repetitions; on CUDA replayed as a graph, without the launches."""
    work()
    if device == "cuda":
        import torch

        calls = 20
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            for _ in range(calls):
                work()
        return best_time_of_batches(graph.replay, torch.cuda.synchronize) / calls
    return best_time_of_batches(work, lambda: None)


def best_time_of_batches(work: Callable[[], object], wait: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    wait()
    count = max(1, int(BOX / max(time.perf_counter() - began, 1e-7)))
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        for _ in range(count):
            work()
        wait()
        times.append((time.perf_counter() - began) / count)
    return min(times)


def products(sizes: tuple[int, ...], batch: int, device: str) -> Iterator[tuple["torch.Tensor", "torch.Tensor"]]:
    """The factors a [n, k], b [k, m] of every matrix product of a step, laid out as a layer has them."""
    import torch

    for number, (inputs, outputs) in enumerate(pairwise(sizes)):
        x, gradient = torch.randn(batch, inputs, device=device), torch.randn(batch, outputs, device=device)
        weight = torch.randn(outputs, inputs, device=device)
        yield x, weight.t()
        yield gradient.t(), x
        if number:
            yield gradient, weight


def product_time(a: "torch.Tensor", b: "torch.Tensor", device: str) -> float:
    import torch

    out = torch.empty(a.shape[0], b.shape[1], device=device)
    times = [best_time(lambda: torch.mm(a, b, out=out), device)]
    if device == "cpu" and torch.backends.mkldnn.is_available():
        linear = torch.ops.mkldnn._linear_pointwise
        times.append(best_time(lambda: linear(a, b.t(), None, "none", [], ""), device))
    return min(times)


def floor(sizes: tuple[int, ...], batch: int, optimizer: str, device: str = "cpu") -> Floor:
    """Of one step of the network `sizes`."""
    import torch

    spent = flops = 0.0
    times: dict[object, float] = {}  # equal layers are measured once
    for a, b in products(sizes, batch, device):
        shapes = (a.shape, a.stride(), b.shape, b.stride())
        if shapes not in times:
            times[shapes] = product_time(a, b, device)
        spent += times[shapes]
        flops += 2 * a.shape[0] * a.shape[1] * b.shape[1]
    images = torch.rand(EXAMPLES, sizes[0], device=device)
    chosen = torch.randint(EXAMPLES, (batch,), device=device)
    rows = torch.empty(batch, sizes[0], device=device)
    gather = best_time(lambda: torch.index_select(images, 0, chosen, out=rows), device)
    first, second, third = torch.zeros(3, sum((i + 1) * o for i, o in pairwise(sizes)), device=device)
    update = 0.0
    if traffic := TRAFFIC[optimizer]:
        update = best_time(lambda: torch.add(first, second, out=third), device) * traffic / 3
    return Floor(spent, gather, update, flops / spent)


def measured_floor(sizes: tuple[int, ...], batch: int, optimizer: str, device: str) -> Floor:
    """`floor` in a process of its own. Raises `subprocess.SubprocessError`."""
    command = [sys.executable, "-m", "benchmarks.floor", *map(json.dumps, (sizes, batch, optimizer, device))]
    done = subprocess.run(command, env={**os.environ, **CALM}, check=True, capture_output=True, timeout=LIMIT)
    return Floor(**json.loads(done.stdout))


if __name__ == "__main__":
    print(json.dumps(asdict(floor(*map(json.loads, sys.argv[1:])))))
