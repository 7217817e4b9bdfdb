"""Parameters and optimizer state of full and low-rank fine-tuning, by arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise


def linear_parameters(inputs: int, outputs: int) -> int:
    """A linear map with its bias."""
    return inputs * outputs + outputs


def model_parameters(widths: Sequence[int]) -> int:
    """A perceptron whose layers have these widths, inputs first."""
    return sum(linear_parameters(i, o) for i, o in pairwise(widths))


def adapter_parameters(inputs: int, outputs: int, rank: int) -> int:
    """A and B of one layer: R·(in + out)."""
    return rank * (inputs + outputs)


def adapters_parameters(widths: Sequence[int], rank: int) -> int:
    """Adapters on every layer of the perceptron."""
    return sum(adapter_parameters(i, o, rank) for i, o in pairwise(widths))


def adam_state_bytes(trained: int, itemsize: int) -> int:
    """Adam keeps two running means for each trained parameter."""
    return 2 * trained * itemsize
