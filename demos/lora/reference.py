"""Low-rank adaptation of linear layers, written to be read."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class LoRALinear(nn.Module):
    """A frozen linear layer plus a trainable update of rank R.

    out = W·x + b + (α/R)·B·A·x.   [§4.1]
    A starts random and B at zero, so the adapted model starts as the model it adapts; were both
    zero, neither would ever get a gradient.

    Shapes:
        x (…, in) → (…, out);  A (R, in), B (out, R)
    Units:
        none
    Cost:
        2·R·(in + out) FLOPs a row more than W alone;  counts.adapter_parameters() to train.
    Args:
        base: the trained layer; it is frozen, and shared, not copied.
        rank: R, 1 or more; above min(in, out) it costs more and can do no more.
        alpha: α; the update is scaled by α/R, so that R can change while the learning rate stays.
        generator: draws A.
    Raises:
        ValueError: rank is below 1; the message gives it.
    Checked by:
        tests/demos/test_lora.py::test_with_b_at_zero_nothing_changes
        tests/demos/test_lora.py::test_merged_equals_unmerged
        tests/demos/test_lora.py::test_the_update_equals_the_formula
    """

    def __init__(
        self,
        base: nn.Linear,
        rank: int,
        *,
        alpha: float = 8.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if rank < 1:
            raise ValueError(f"rank must be 1 or more, got {rank}")
        self.base = base.requires_grad_(False)
        self.scale = alpha / rank
        bound = 1 / math.sqrt(base.in_features)  # what kaiming_uniform_(a=√5) comes to
        drawn = torch.rand(rank, base.in_features, generator=generator)
        self.a = nn.Parameter((bound * (2 * drawn - 1)).to(base.weight))
        self.b = nn.Parameter(base.weight.new_zeros(base.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + self.scale * F.linear(F.linear(x, self.a), self.b)

    def update(self) -> Tensor:
        """The change of the weight, (α/R)·B·A, as one matrix (out, in)."""
        return self.scale * (self.b @ self.a)

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain linear layer that does the same; this one stays as it is."""
        linear = copy.deepcopy(self.base)
        linear.weight += self.update()
        return linear


def adapted(
    model: nn.Sequential,
    rank: int,
    *,
    alpha: float = 8.0,
    generator: torch.Generator | None = None,
) -> nn.Sequential:
    """A copy of a model in which every linear layer is frozen and has an adapter.

    Shapes:
        as the model
    Units:
        none
    Cost:
        counts.adapter_parameters() for each layer
    Args:
        model: layers in a row.
        rank: R of every adapter.
        alpha: α of every adapter.
        generator: draws every A.
    Raises:
        ValueError: the model has no linear layer.
    Checked by:
        tests/demos/test_lora.py::test_only_adapters_are_trained
    """
    if not any(isinstance(layer, nn.Linear) for layer in model):
        raise ValueError(f"there is no linear layer to adapt in {model}")
    layers = copy.deepcopy(model).requires_grad_(False)
    return nn.Sequential(
        *(
            LoRALinear(layer, rank, alpha=alpha, generator=generator)
            if isinstance(layer, nn.Linear)
            else layer
            for layer in layers
        )
    )


def merged(model: nn.Sequential) -> nn.Sequential:
    """A copy of an adapted model without adapters, their updates added to the weights.

    Shapes:
        as the model
    Units:
        none
    Cost:
        that of the model before it was adapted
    Args:
        model: what `adapted` returned, trained or not.
    Raises:
        nothing
    Checked by:
        tests/demos/test_lora.py::test_merged_equals_unmerged
    """
    return nn.Sequential(
        *(
            layer.merged() if isinstance(layer, LoRALinear) else copy.deepcopy(layer)
            for layer in model
        )
    )


def detached(model: nn.Sequential) -> nn.Sequential:
    """The model as it was before it was adapted; its layers are shared, not copied.

    Shapes:
        as the model
    Units:
        none
    Cost:
        nothing
    Args:
        model: what `adapted` returned, trained or not.
    Raises:
        nothing
    Checked by:
        tests/demos/test_lora.py::test_detaching_gives_the_base_back_bit_for_bit
    """
    return nn.Sequential(
        *(layer.base if isinstance(layer, LoRALinear) else layer for layer in model)
    )


def energy(update: Tensor) -> Tensor:
    """How much of a matrix its best approximation of each rank holds, as a share of its squares.

    Σ_{i≤r} σ_i² / Σ σ_i² for r = 1 … min(out, in); no rank-r matrix comes closer (Eckart-Young).

    Shapes:
        update (out, in) → (min(out, in),), rising to 1
    Units:
        share of the squared Frobenius norm
    Cost:
        one singular value decomposition
    Args:
        update: the matrix; all zeros give zeros.
    Raises:
        nothing
    Checked by:
        tests/demos/test_lora.py::test_energy_of_a_matrix_of_known_rank
    """
    squares = torch.linalg.svdvals(update.double()) ** 2
    return squares.cumsum(0) / squares.sum().clamp_min(torch.finfo(torch.float64).tiny)
