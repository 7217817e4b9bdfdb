"""Parameters, active parameters, capacity and FLOPs of a mixture of experts, by arithmetic."""

from __future__ import annotations

import math


def expert_parameters(width: int, hidden: int) -> int:
    """Two linear maps with biases."""
    return 2 * width * hidden + hidden + width


def layer_parameters(width: int, hidden: int, experts: int) -> int:
    """All experts and the router."""
    return experts * expert_parameters(width, hidden) + width * experts


def active_parameters(width: int, hidden: int, experts: int, top_k: int) -> int:
    """What one token passes through: the router and its K experts."""
    return top_k * expert_parameters(width, hidden) + width * experts


def layer_flops(tokens: int, width: int, hidden: int, experts: int, top_k: int) -> int:
    """FLOPs of the matrix products: the router for every expert, K experts a token."""
    return tokens * (2 * width * experts + 4 * top_k * width * hidden)


def capacity(tokens: int, experts: int, top_k: int, factor: float) -> int:
    """Tokens that an expert takes at most: factor times its even share, rounded up."""
    return math.ceil(factor * top_k * tokens / experts)
