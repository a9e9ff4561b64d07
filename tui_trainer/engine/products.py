"""Matrix products of float32 on the CPU, through oneDNN where that is faster."""

import torch
from torch.nn import functional

ONEDNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
ONEDNN_ROWS = 64  # with fewer its calls cost more than they win


def onednn_is_faster(rows: int) -> bool:
    """Twice as fast as PyTorch's default on AMD processors, as fast elsewhere. A rule, no measurement: bits stay."""
    return ONEDNN and rows >= ONEDNN_ROWS


def product(
    left: torch.Tensor, right: torch.Tensor, bias: torch.Tensor | None, onednn: bool, relu: bool = False
) -> torch.Tensor:
    """left [m, k] · right [n, k]ᵀ (+ bias [n]), and then the larger of that and 0 if `relu`."""
    if onednn:  # what PyTorch's own compiler calls
        found: torch.Tensor = torch.ops.mkldnn._linear_pointwise(left, right, bias, "relu" if relu else "none", [], "")
        return found
    found = functional.linear(left, right, bias)
    return found.relu_() if relu else found
