"""Matrix products of float32 on the CPU, through oneDNN where that is faster."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional

ONEDNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
ONEDNN_WORK = 2_000_000  # multiplications; of fewer its calls cost more than they win


def onednn_is_faster(multiplications: int) -> bool:
    """Twice as fast as PyTorch's default on AMD processors, as fast elsewhere. A rule, no measurement: bits stay."""
    return ONEDNN and multiplications >= ONEDNN_WORK


def product(
    left: torch.Tensor, right: torch.Tensor, bias: torch.Tensor | None = None, relu: bool = False
) -> torch.Tensor:
    """left [m, k] · right [n, k]ᵀ (+ bias [n]), and then the larger of that and 0 if `relu`."""
    if onednn_is_faster(left.numel() * right.shape[0]):  # what PyTorch's own compiler calls
        found: torch.Tensor = torch.ops.mkldnn._linear_pointwise(left, right, bias, "relu" if relu else "none", [], "")
        return found
    if relu and bias is not None:
        return torch._addmm_activation(bias, left, right.t())  # one kernel on CUDA
    found = functional.linear(left, right, bias)
    return found.relu_() if relu else found


class Linear(nn.Linear):
    """PyTorch's, through oneDNN where that is faster; differentiable once."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        plain = input.device.type == "cpu" and input.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
        if not (plain and onednn_is_faster(input.numel() * self.out_features)):
            return super().forward(input)
        found: torch.Tensor = _Product.apply(input, self.weight, self.bias)
        return found


class _Product(torch.autograd.Function):
    """oneDNN's operator has no derivative of its own."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        ctx.save_for_backward(x, weight)
        return product(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, slope: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        needs_x, needs_weight, needs_bias = ctx.needs_input_grad
        return (
            product(slope, weight.t()) if needs_x else None,
            product(slope.t(), x.t()) if needs_weight else None,
            slope.sum(0) if needs_bias else None,
        )
