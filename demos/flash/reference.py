"""Attention with online softmax, one tile of queries and keys at a time, written to be read."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor


class State(NamedTuple):
    """What a tile of queries remembers of the keys it has seen.

    Args:
        m: (…, Tq), the largest score so far; -inf before the first visible key.
        l: (…, Tq), the sum of e^(score − m) so far.
        o: (…, Tq, Dv), the sum of e^(score − m)·v so far.
    """

    m: Tensor
    l: Tensor  # noqa: E741 (the paper's letter)
    o: Tensor


class Tiled(NamedTuple):
    """What tiled attention returns: the output, and the logarithm of each row's softmax sum."""

    out: Tensor
    lse: Tensor


def tiled_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    *,
    causal: bool = False,
    tile_q: int = 64,
    tile_k: int = 64,
    rescale: bool = True,
) -> Tiled:
    """Attend to k and v tile by tile; the scores of one tile are all that is ever held.

    Shapes:
        q (…, Tq, D);  k (…, Tk, D);  v (…, Tk, Dv), of one floating dtype
        → out (…, Tq, Dv), zeros where a query sees nothing;  lse (…, Tq), -inf there
    Units:
        lse is a natural logarithm. Scores are scaled by 1/√D.
    Cost:
        2·Tq·Tk·(D + Dv) FLOPs a head, as plain attention, causal or not;
        counts.tile_bytes() held a head instead of counts.score_bytes().
    Args:
        q: queries.
        k: keys.
        v: values.
        causal: query t sees keys 0 … t + Tk − Tq, so the last rows align.
        tile_q: queries at a time; any positive int, the last tile may be short.
        tile_k: keys at a time; any positive int, the last tile may be short.
        rescale: False forgets to rescale o when m grows, to show what that does.
    Raises:
        ValueError: shapes or dtypes do not fit, or a tile is below 1; the message says which.
    Checked by:
        tests/demos/test_flash.py::test_any_tile_gives_plain_attention
        tests/demos/test_flash.py::test_lse_equals_logsumexp_of_the_scores
        tests/demos/test_flash.py::test_rows_that_see_nothing_are_zero
    """
    _check(q, k, v, tile_q, tile_k)
    offset = k.shape[-2] - q.shape[-2]
    out = q.new_empty(*q.shape[:-1], v.shape[-1])
    lse = q.new_empty(q.shape[:-1])
    for start in range(0, q.shape[-2], tile_q):
        rows = slice(start, start + tile_q)
        last = start + offset if causal else None
        states = walk(q[..., rows, :], k, v, last=last, tile_k=tile_k, rescale=rescale)
        state = deque(states, maxlen=1).pop()  # the last one; none before it is kept
        seen = state.l > 0
        divisor = torch.where(seen, state.l, 1.0)
        out[..., rows, :] = state.o / divisor[..., None]
        lse[..., rows] = torch.where(seen, state.m + divisor.log(), -math.inf)
    return Tiled(out, lse)


def walk(
    q: Tensor, k: Tensor, v: Tensor, *, last: int | None, tile_k: int, rescale: bool = True
) -> Iterator[State]:
    """The state of one tile of queries after each tile of keys.

    Shapes:
        q (…, Tq, D);  k (…, Tk, D);  v (…, Tk, Dv) → ⌈Tk / tile_k⌉ states
    Units:
        as tiled_attention
    Cost:
        2·Tq·tile_k·(D + Dv) FLOPs a step and head.
    Args:
        q: one tile of queries.
        k: all keys.
        v: all values.
        last: the last key that the first query sees, each next query one more; None: all see all.
        tile_k: keys a step.
        rescale: as in tiled_attention.
    Raises:
        nothing
    Checked by:
        tests/demos/test_flash.py::test_the_state_is_that_of_the_keys_seen
    """
    state = State(
        q.new_full(q.shape[:-1], -math.inf),
        q.new_zeros(q.shape[:-1]),
        q.new_zeros(*q.shape[:-1], v.shape[-1]),
    )
    for start in range(0, k.shape[-2], tile_k):
        keys, values = k[..., start : start + tile_k, :], v[..., start : start + tile_k, :]
        scores = q @ keys.mT / math.sqrt(q.shape[-1])  # (…, Tq, tile_k)
        if last is not None:
            column = torch.arange(start, start + keys.shape[-2], device=q.device)
            limit = last + torch.arange(q.shape[-2], device=q.device)
            scores = scores.masked_fill(column > limit[:, None], -math.inf)
        state = absorb(state, scores, values, rescale=rescale)
        yield state


def absorb(state: State, scores: Tensor, values: Tensor, *, rescale: bool = True) -> State:
    """Take in one tile of scores.

    m' = max(m, max s);  l' = e^(m−m')·l + Σ e^(s−m');  o' = e^(m−m')·o + e^(s−m')·v.   [Alg. 1]

    Shapes:
        scores (…, Tq, n), values (…, n, Dv) → a State of the same shapes
    Units:
        as tiled_attention
    Cost:
        2·Tq·n·Dv FLOPs and Tq·(n + 1) exponentials a head.
    Args:
        state: before.
        scores: -inf where a query does not see a key.
        values: of the same keys.
        rescale: False leaves out the factor before o.
    Raises:
        nothing
    Checked by:
        tests/demos/test_flash.py::test_the_state_is_that_of_the_keys_seen
    """
    m = torch.maximum(state.m, scores.amax(-1))
    # Where nothing has been visible yet m is -inf, and -inf − (-inf) would be NaN.
    base = torch.where(m == -math.inf, 0.0, m)
    p = (scores - base[..., None]).exp()
    shrink = (state.m - base).exp()
    kept = state.o * shrink[..., None] if rescale else state.o
    return State(m, shrink * state.l + p.sum(-1), kept + p @ values)


def _check(q: Tensor, k: Tensor, v: Tensor, tile_q: int, tile_k: int) -> None:
    shapes = ", ".join(f"{n} {tuple(t.shape)}" for n, t in (("q", q), ("k", k), ("v", v)))
    if min(q.dim(), k.dim(), v.dim()) < 2:
        raise ValueError(f"q, k and v need shapes (…, T, D), got {shapes}")
    if q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2]:
        raise ValueError(f"q and k must share D, k and v must share Tk, got {shapes}")
    if not q.shape[:-2] == k.shape[:-2] == v.shape[:-2]:
        raise ValueError(f"q, k and v must have the same leading axes, got {shapes}")
    if 0 in (*q.shape, *k.shape, *v.shape):
        raise ValueError(f"q, k and v must not be empty, got {shapes}")
    if not q.dtype == k.dtype == v.dtype or not q.is_floating_point():
        types = f"{q.dtype}, {k.dtype}, {v.dtype}"
        raise ValueError(f"q, k and v must share one floating dtype, got {types}")
    if min(tile_q, tile_k) < 1:
        raise ValueError(f"tiles must be 1 or more, got tile_q={tile_q}, tile_k={tile_k}")
