"""What plain and tiled attention hold and move, by arithmetic; N queries and N keys of width D.

Bytes are for one head of one sequence. Moved means between the accelerator's large memory and its
chip, supposing that a tile stays on the chip while it is worked on.
"""

from __future__ import annotations

import math


def score_bytes(tokens: int, itemsize: int) -> int:
    """The whole score matrix: N²."""
    return tokens * tokens * itemsize


def tile_bytes(tile_q: int, tile_k: int, width: int, itemsize: int) -> int:
    """One step's working set: tiles of q, k, v and o, its scores, and m and l."""
    rows = 2 * tile_q * width + 2 * tile_k * width
    return (rows + tile_q * tile_k + 2 * tile_q) * itemsize


def plain_traffic_bytes(tokens: int, width: int, itemsize: int) -> int:
    """q, k, v read and o written once; scores and weights each written once and read once."""
    return (4 * tokens * width + 4 * tokens * tokens) * itemsize


def tiled_traffic_bytes(tokens: int, width: int, tile_q: int, itemsize: int) -> int:
    """q read and o written once, k and v read once for each tile of queries."""
    return (2 * tokens * width + math.ceil(tokens / tile_q) * 2 * tokens * width) * itemsize
