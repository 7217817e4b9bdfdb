"""What becomes of the formula when a piece of it is moved or left out, on random tensors."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional as F

from .reference import MultiHeadAttention, attention_weights, misplaced_v, scaled_dot_product

KEYS = 64  # keys that each query chooses from in `spread`


def error_against_torch(generator: torch.Generator) -> float:
    """Largest difference from torch's own scaled dot-product attention, in float64."""
    q, k, v = (
        torch.randn(2, 4, length, 16, dtype=torch.float64, generator=generator)
        for length in (13, 29, 29)
    )
    expected = F.scaled_dot_product_attention(q, k, v)
    return (scaled_dot_product(q, k, v).out - expected).abs().max().item()


def multi_head_error_against_torch(channels: int, heads: int, generator: torch.Generator) -> float:
    """Largest difference from torch's multi-head attention with the same weights, in float64."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        ours = MultiHeadAttention(channels, heads).double()
        theirs = torch.nn.MultiheadAttention(channels, heads, batch_first=True).double()
        for parameter in ours.parameters():
            parameter.normal_(generator=generator)
        copy_weights(ours, theirs)
        x = torch.randn(2, 7, channels, generator=generator, dtype=torch.float64)
        y = torch.randn(2, 11, channels, generator=generator, dtype=torch.float64)
        x, y = x / channels, y / channels  # keeps the softmax away from 0 and 1
        return (ours(x, y).out - theirs(x, y, y)[0]).abs().max().item()


def copy_weights(ours: MultiHeadAttention, theirs: torch.nn.MultiheadAttention) -> None:
    """Give torch's multi-head attention our weights; it keeps q, k and v in one matrix."""
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.q.weight, ours.k.weight, ours.v.weight]))
        theirs.in_proj_bias.copy_(torch.cat([ours.q.bias, ours.k.bias, ours.v.bias]))
        theirs.out_proj.weight.copy_(ours.o.weight)
        theirs.out_proj.bias.copy_(ours.o.bias)


@dataclass(frozen=True)
class Spread:
    """For random q and k of unit variance and width `dim`: what √D is there for.

    Args:
        dim: D.
        variance: of the scores q·k, before any scaling; D in theory.
        scaled_variance: of q·k / √D; 1 in theory.
        largest: mean largest weight among KEYS keys without scaling.
        scaled_largest: the same with scaling.
    """

    dim: int
    variance: float
    scaled_variance: float
    largest: float
    scaled_largest: float


def spread(dim: int, generator: torch.Generator, queries: int = 512) -> Spread:
    """Measure a Spread, in float64."""
    q = torch.randn(queries, 1, dim, dtype=torch.float64, generator=generator)
    k = torch.randn(queries, KEYS, dim, dtype=torch.float64, generator=generator)
    scores = q @ k.mT
    unscaled, scaled = (attention_weights(q, k, scaled=flag).amax(-1) for flag in (False, True))
    return Spread(
        dim,
        scores.var().item(),
        (scores / dim**0.5).var().item(),
        unscaled.mean().item(),
        scaled.mean().item(),
    )


@dataclass(frozen=True)
class RowSums:
    """The sums of the output's rows, with v after the softmax and with v inside it.

    Args:
        right: one sum for each token with the formula as published.
        wrong: the same with v inside.
        difference: ‖wrong − right‖ / ‖right‖ of the two outputs.
    """

    right: list[float]
    wrong: list[float]
    difference: float


def row_sums(tokens: int, dim: int, generator: torch.Generator) -> RowSums:
    """Compute both formulas on the same random q, k, v, in float64."""
    q, k, v = (torch.randn(tokens, dim, dtype=torch.float64, generator=generator) for _ in range(3))
    # The shapes fit both ways, so no error message tells the two apart.
    right, wrong = scaled_dot_product(q, k, v).out, misplaced_v(q, k, v)
    difference = ((wrong - right).norm() / right.norm()).item()
    return RowSums(right.sum(-1).tolist(), wrong.sum(-1).tolist(), difference)
