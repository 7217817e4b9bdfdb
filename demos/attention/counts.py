"""What attention costs, by arithmetic: FLOPs of the matrix products, bytes moved, parameters.

One multiply-add is two FLOPs. Softmax, scaling and biases do not count, nor do
profilers count them.
"""

from __future__ import annotations


def attention_flops(batch: int, heads: int, queries: int, keys: int, width: int) -> int:
    """FLOPs of q·kᵀ and of weights·v, all heads of width D."""
    return 4 * batch * heads * queries * keys * width


def attention_bytes(
    batch: int, heads: int, queries: int, keys: int, width: int, *, itemsize: int
) -> int:
    """Bytes of q, k, v, the output, and the weights written once and read once."""
    rows = 2 * queries * width + 2 * keys * width
    return batch * heads * (rows + 2 * queries * keys) * itemsize


def multi_head_parameters(channels: int) -> int:
    """Four C×C projections with biases; the number of heads does not enter."""
    return 4 * channels * channels + 4 * channels


def multi_head_flops(batch: int, queries: int, keys: int, channels: int) -> int:
    """FLOPs of the four projections and of attention in all heads together."""
    projections = 4 * batch * (queries + keys) * channels * channels
    return projections + attention_flops(batch, 1, queries, keys, channels)
