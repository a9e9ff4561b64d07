"""What a validation pass costs against its forward products alone, the fastest way this machine has for them.

    python -m benchmarks.evaluation [--device cpu] [-o FILE.md]

Random data of MNIST's shape: 10,000 images.
"""

import argparse
from itertools import pairwise
from pathlib import Path

import torch

from benchmarks import page
from benchmarks.floor import best_time, product_time
from tui_trainer import presets
from tui_trainer.engine import device as numerics
from tui_trainer.engine import model
from tui_trainer.engine.data import Examples
from tui_trainer.engine.evaluate import BATCH, GPU_BATCH, evaluate

EXAMPLES = 10_000
PRESETS = ("evaluation-report/setting-2", "lab-report/800-800-800")


def products_time(sizes: tuple[int, ...], device: str) -> float:
    """Seconds of the forward products of a whole pass, batch by batch as `evaluate` takes them."""
    size = BATCH if device == "cpu" else GPU_BATCH
    whole, rest = divmod(EXAMPLES, size)
    total = 0.0
    for rows, times in ((size, whole), (rest, 1)):
        for inputs, outputs in pairwise(sizes) if rows and times else ():
            images, weight = torch.randn(rows, inputs, device=device), torch.randn(outputs, inputs, device=device)
            total += times * product_time(images, weight.t(), device)
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("-o", "--output", type=Path, default=page.PAGE)
    options = parser.parse_args()
    device = options.device
    numerics.keep_freed_memory()  # as a worker does
    examples = Examples(
        torch.rand(EXAMPLES, 784, device=device), torch.randint(10, (EXAMPLES,), dtype=torch.int64, device=device)
    )
    rows = []
    for name in PRESETS:
        config = presets.load(name).config
        network = model.build(config).to(device)

        def validate(network: model.Mlp = network) -> object:
            return evaluate(network, examples)

        passes = min(best_time(validate, "cpu") for _ in range(3))  # ends with the numbers on the host, on any device
        products = products_time(config.layer_sizes, device)
        rows.append((name, f"{1e3 * passes:.2f}", f"{1e3 * products:.2f}", f"{passes / products:.2f}"))
    lines = [f"`python -m benchmarks.evaluation`. {page.conditions(device)}.", ""]
    lines += page.table(("10,000 images", "evaluation, ms", "its products, ms", "ratio"), rows)
    page.write(options.output, f"Evaluation on {device}", lines)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
