"""Scaled dot-product and multi-head attention, written to be read."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Attended(NamedTuple):
    """What attention returns: the averages, and the weights they were taken with."""

    out: Tensor
    weights: Tensor


def scaled_dot_product(q: Tensor, k: Tensor, v: Tensor, *, mask: Tensor | None = None) -> Attended:
    """Average the values v, weighting each by how well its key fits the query.

    weights = softmax(q·kᵀ / √D), out = weights·v. The softmax closes before v comes.   [eq. 1]

    Shapes:
        q (…, Tq, D);  k (…, Tk, D);  v (…, Tk, Dv), all of one floating dtype
        → out (…, Tq, Dv);  weights (…, Tq, Tk), rows sum to 1 (to 0 where all is masked)
    Units:
        Scores and weights have none.
    Cost:
        2·Tq·Tk·(D + Dv) FLOPs a head;  counts.attention_flops(), counts.attention_bytes().
    Args:
        q: queries.
        k: keys.
        v: values.
        mask: True where the query may see the key, broadcast to (…, Tq, Tk); None: everywhere.
    Raises:
        ValueError: shapes or dtypes do not fit; the message gives them.
    Checked by:
        tests/demos/test_attention.py::test_scaled_dot_product_equals_loops_and_torch
        tests/demos/test_attention.py::test_a_query_that_sees_nothing_gets_zeros
    """
    _check_qkv(q, k, v)
    weights = attention_weights(q, k, mask=mask)
    return Attended(weights @ v, weights)


def attention_weights(
    q: Tensor, k: Tensor, *, mask: Tensor | None = None, scaled: bool = True
) -> Tensor:
    """How much each query looks at each key: softmax(q·kᵀ / √D) over the keys.

    Shapes:
        q (…, Tq, D);  k (…, Tk, D) → weights (…, Tq, Tk)
    Units:
        none
    Cost:
        2·Tq·Tk·D FLOPs a head.
    Args:
        q: queries.
        k: keys.
        mask: True where the query may see the key.
        scaled: divide by √D; False shows what happens without.
    Raises:
        ValueError: the mask is not boolean.
    Checked by:
        tests/demos/test_attention.py::test_scaled_dot_product_equals_loops_and_torch
    """
    scores = q @ k.mT  # (…, Tq, Tk)
    if scaled:
        scores = scores / math.sqrt(q.shape[-1])
    if mask is None:
        return scores.softmax(-1)
    if mask.dtype != torch.bool:
        raise ValueError(f"mask must be boolean (True: may see), got {mask.dtype}")
    weights = scores.masked_fill(~mask, -math.inf).softmax(-1)
    # A row of nothing but -inf comes out of softmax as NaN; we define it as seeing nothing.
    return weights.masked_fill(~mask, 0.0)


def misplaced_v(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """The formula with v inside the softmax, as slides sometimes have it: softmax(q·kᵀ/√D · v).

    Every row of the output is then a probability vector, whatever v holds.

    Shapes:
        q (…, Tq, D);  k (…, Tk, D);  v (…, Tk, Dv) → (…, Tq, Dv), rows sum to 1
    Units:
        none
    Cost:
        as scaled_dot_product
    Args:
        q: queries.
        k: keys.
        v: values.
    Raises:
        ValueError: shapes or dtypes do not fit; the message gives them.
    Checked by:
        tests/demos/test_attention.py::test_with_v_inside_the_softmax_every_row_sums_to_one
    """
    _check_qkv(q, k, v)
    return (q @ k.mT / math.sqrt(q.shape[-1]) @ v).softmax(-1)


def causal_mask(queries: int, keys: int, *, device: torch.device | str | None = None) -> Tensor:
    """True where a query may look: at keys no later than itself, the last rows aligned.

    Shapes:
        → (Tq, Tk) bool; query t sees keys 0 … t + Tk − Tq
    Units:
        none
    Cost:
        Tq·Tk bytes
    Args:
        queries: Tq.
        keys: Tk; more than Tq when earlier keys are cached.
        device: where the mask lies.
    Raises:
        nothing
    Checked by:
        tests/demos/test_attention.py::test_a_causal_output_ignores_later_tokens
    """
    return torch.ones(queries, keys, dtype=torch.bool, device=device).tril(keys - queries)


def entropy(weights: Tensor) -> Tensor:
    """How widely each query looks: 0 for one key only, ln Tk for all keys alike.

    Shapes:
        weights (…, Tk) → (…)
    Units:
        nat
    Cost:
        one logarithm a weight
    Args:
        weights: rows that sum to 1; 0·ln 0 counts as 0.
    Raises:
        nothing
    Checked by:
        tests/demos/test_attention.py::test_entropy_of_known_weights
    """
    return torch.special.entr(weights).sum(-1)


class MultiHeadAttention(nn.Module):
    """Attend in several smaller spaces at once and mix what was found.

    head_h = attention(x·W_q, y·W_k, y·W_v) on the h-th slice of D = C/H channels;
    out = [head_1 … head_H]·W_o.   [§3.2.2]

    Shapes:
        x (B, Tq, C);  y (B, Tk, C), x itself when not given
        → out (B, Tq, C);  weights (B, H, Tq, Tk)
    Units:
        none
    Cost:
        counts.multi_head_parameters() = 4·C² + 4·C, whatever H is;  counts.multi_head_flops().
    Args:
        channels: C, a multiple of heads.
        heads: H.
    Raises:
        ValueError: C is no multiple of H, or an input does not have C channels.
    Checked by:
        tests/demos/test_attention.py::test_multi_head_equals_torch_with_the_same_weights
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        if channels < 1 or heads < 1 or channels % heads:
            raise ValueError(f"channels must be a multiple of heads, got {channels} and {heads}")
        self.channels, self.heads = channels, heads
        self.q, self.k, self.v, self.o = (nn.Linear(channels, channels) for _ in range(4))

    def forward(
        self, x: Tensor, y: Tensor | None = None, *, mask: Tensor | None = None
    ) -> Attended:
        """Attend from x to y; True in mask (…, Tq, Tk) lets a query see a key."""
        y = x if y is None else y
        for name, given in (("x", x), ("y", y)):
            if given.dim() != 3 or given.shape[-1] != self.channels:
                shape = tuple(given.shape)
                raise ValueError(f"{name} must have shape (B, T, {self.channels}), got {shape}")
        found = scaled_dot_product(
            self._split(self.q(x)), self._split(self.k(y)), self._split(self.v(y)), mask=mask
        )
        joined = found.out.transpose(1, 2).flatten(2)  # (B, H, Tq, D) → (B, Tq, C)
        return Attended(self.o(joined), found.weights)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, T, C) → (B, H, T, D)


def _check_qkv(q: Tensor, k: Tensor, v: Tensor) -> None:
    shapes = ", ".join(f"{n} {tuple(t.shape)}" for n, t in (("q", q), ("k", k), ("v", v)))
    if min(q.dim(), k.dim(), v.dim()) < 2:
        raise ValueError(f"q, k and v need shapes (…, T, D), got {shapes}")
    if q.shape[-1] != k.shape[-1]:
        raise ValueError(f"q and k must have the same last axis D, got {shapes}")
    if k.shape[-2] != v.shape[-2]:
        raise ValueError(f"k and v must have the same number of keys Tk, got {shapes}")
    if not q.dtype == k.dtype == v.dtype or not q.is_floating_point():
        types = f"{q.dtype}, {k.dtype}, {v.dtype}"
        raise ValueError(f"q, k and v must share one floating dtype, got {types}")
