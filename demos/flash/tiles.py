"""What tiles do to the error, to the memory, and to one row on its way through the keys."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..attention.reference import causal_mask, scaled_dot_product
from .memory import peak_bytes
from .reference import tiled_attention, walk

SIZES = (1, 7, 16, 64, 100, 256)  # keys a tile, in the comparison of errors
MOST = 1024  # tiles of keys in that comparison; a size that needs more is left out
LOUD = 40.0  # what logits are multiplied by to make e^score overflow


@dataclass(frozen=True)
class Inputs:
    """Random q, k, v (H, T, D) in float64, and whether attention is causal."""

    q: Tensor
    k: Tensor
    v: Tensor
    causal: bool

    def at(self, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
        """q, k, v in another precision."""
        return self.q.to(dtype), self.k.to(dtype), self.v.to(dtype)

    def plain(self, dtype: torch.dtype) -> Tensor:
        """Plain attention in a precision."""
        return scaled_dot_product(*self.at(dtype), mask=self.mask()).out

    def mask(self) -> Tensor | None:
        """True where a query sees a key; None where all see all."""
        tokens = self.q.shape[-2]
        return causal_mask(tokens, tokens, device=self.q.device) if self.causal else None


def draw(
    heads: int, tokens: int, width: int, *, causal: bool, generator: torch.Generator, device: str
) -> Inputs:
    """Random inputs of unit variance; v too, so that errors are errors of numbers around 1."""
    parts = [
        torch.randn(heads, tokens, width, dtype=torch.float64, generator=generator).to(device)
        for _ in range(3)
    ]
    return Inputs(*parts, causal)


@dataclass(frozen=True)
class Errors:
    """Largest differences from plain attention in float64.

    Args:
        sizes: keys a tile.
        single: tiled, float32, for each size.
        double: tiled, float64, for each size.
        forgot: tiled, float64, without rescaling o, for each size.
        plain: plain attention in float32: what the precision alone costs.
        forgot_relative: ‖error‖ / ‖output‖ without rescaling, at the tile that was asked for.
    """

    sizes: list[int]
    single: list[float]
    double: list[float]
    forgot: list[float]
    plain: float
    forgot_relative: float


def compare(
    inputs: Inputs, tile: int, report: Callable[[int, int], None] = lambda step, total: None
) -> Errors:
    """Measure Errors for SIZES (those of not too many tiles) and for `tile`."""
    exact = inputs.plain(torch.float64)
    tokens = inputs.q.shape[-2]
    asked = [size for size in SIZES if tokens <= MOST * size]
    sizes = sorted({min(size, tokens) for size in (*asked, tile)})

    def off(size: int, dtype: torch.dtype, rescale: bool = True) -> Tensor:
        out = tiled_attention(
            *inputs.at(dtype), causal=inputs.causal, tile_q=tokens, tile_k=size, rescale=rescale
        ).out
        return out.double() - exact

    single, double, forgot = [], [], []
    for step, size in enumerate(sizes, start=1):
        single.append(_largest(off(size, torch.float32)))
        double.append(_largest(off(size, torch.float64)))
        forgot.append(_largest(off(size, torch.float64, rescale=False)))
        report(step, len(sizes))
    return Errors(
        sizes,
        single,
        double,
        forgot,
        _largest(inputs.plain(torch.float32).double() - exact),
        (off(min(tile, tokens), torch.float64, rescale=False).norm() / exact.norm()).item(),
    )


@dataclass(frozen=True)
class Overflow:
    """Share of output rows that are not finite in float32 when the logits are LOUD times larger."""

    without_max: float
    tiled: float


def overflow(inputs: Inputs, tile: int) -> Overflow:
    """Take e^score as it comes, and with the running maximum."""
    q, k, v = inputs.at(torch.float32)
    q, mask = q * LOUD, inputs.mask()
    powers = (q @ k.mT / math.sqrt(q.shape[-1])).exp()
    powers = powers if mask is None else powers.masked_fill(~mask, 0.0)
    careless = (powers / powers.sum(-1, keepdim=True)) @ v
    tiled = tiled_attention(q, k, v, causal=inputs.causal, tile_q=tile, tile_k=tile).out
    return Overflow(_broken(careless), _broken(tiled))


@dataclass(frozen=True)
class Peaks:
    """Most bytes held beyond q, k and v while computing the output in float32."""

    plain: int
    tiled: int


def peaks(inputs: Inputs, tile: int) -> Peaks:
    """Measure both."""
    q, k, v = inputs.at(torch.float32)
    mask = inputs.mask()
    given = [q, k, v] if mask is None else [q, k, v, mask]

    def tiled() -> None:
        tiled_attention(q, k, v, causal=inputs.causal, tile_q=tile, tile_k=tile)

    return Peaks(
        peak_bytes(lambda: scaled_dot_product(q, k, v, mask=mask), given),
        peak_bytes(tiled, [q, k, v]),
    )


@dataclass(frozen=True)
class Path:
    """One query on its way through the tiles: m and l after each, and the keys seen by then."""

    row: int
    keys: list[int]
    m: list[float]
    l: list[float]  # noqa: E741 (the paper's letter)
    rises: int


def follow(inputs: Inputs, tile: int) -> Path:
    """The query of the first head whose maximum rises most often after the first tile."""
    q, k, v = (part[0] for part in (inputs.q, inputs.k, inputs.v))
    states = list(walk(q, k, v, last=0 if inputs.causal else None, tile_k=tile))
    m, sums = torch.stack([s.m for s in states]), torch.stack([s.l for s in states])
    rises = (m[1:] > m[:-1]).sum(0)
    row = int(rises.argmax())
    keys = [min((index + 1) * tile, len(k)) for index in range(len(states))]
    return Path(row, keys, m[:, row].tolist(), sums[:, row].tolist(), int(rises[row]))


def _largest(error: Tensor) -> float:
    return error.abs().max().item()


def _broken(out: Tensor) -> float:
    rows = ~out.isfinite().all(-1)
    return int(rows.sum()) / rows.numel()
