"""Digits as a pocket calculator shows them, with noise: upright, or turned and inverted."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

SIDE = 12
CLASSES = 10
# Rows and columns of the strokes: top, upper left and right, middle, lower left and right, bottom.
STROKES = (
    (slice(1, 3), slice(3, 9)),
    (slice(2, 6), slice(2, 4)),
    (slice(2, 6), slice(8, 10)),
    (slice(5, 7), slice(3, 9)),
    (slice(6, 10), slice(2, 4)),
    (slice(6, 10), slice(8, 10)),
    (slice(9, 11), slice(3, 9)),
)
LIT = ("1110111", "0010010", "1011101", "1011011", "0111010", "1101011", "1101111", "1010010",
       "1111111", "1111011")  # fmt: skip


class Glyphs(NamedTuple):
    """Images (N, 144), around 0 … 1, and the digits they show (N,)."""

    images: Tensor
    digits: Tensor


def draw(count: int, generator: torch.Generator, noise: float = 0.3) -> Glyphs:
    """Upright digits, each stroke lit more or less brightly, moved by up to one pixel."""
    strokes = torch.zeros(len(STROKES), SIDE, SIDE)
    for index, (rows, columns) in enumerate(STROKES):
        strokes[index, rows, columns] = 1.0
    lit = torch.tensor([[float(mark) for mark in marks] for marks in LIT])
    digits = torch.randint(CLASSES, (count,), generator=generator)
    bright = 0.6 + 0.4 * torch.rand(count, len(STROKES), generator=generator)
    images = torch.einsum("ns,sij->nij", lit[digits] * bright, strokes)
    moves = torch.randint(-1, 2, (count, 2), generator=generator).tolist()
    images = torch.stack(
        [image.roll(move, (0, 1)) for image, move in zip(images, moves, strict=True)]
    )
    images = images + noise * torch.randn(images.shape, generator=generator)
    return Glyphs(images.flatten(1), digits)


def turned(glyphs: Glyphs) -> Glyphs:
    """The same digits a quarter turn to the left, dark on light."""
    images = glyphs.images.unflatten(1, (SIDE, SIDE)).rot90(1, (1, 2))
    return Glyphs((1 - images).flatten(1), glyphs.digits)


def strips(generator: torch.Generator) -> tuple[list[list[float]], list[list[float]]]:
    """One image of each digit side by side, upright and turned, as rows of pixels."""
    pool = draw(40 * CLASSES, generator)
    first = [int((pool.digits == digit).nonzero()[0]) for digit in range(CLASSES)]
    some = Glyphs(pool.images[first], pool.digits[first])

    def strip(glyphs: Glyphs) -> list[list[float]]:
        pixels = glyphs.images.unflatten(1, (SIDE, SIDE)).transpose(0, 1).flatten(1)
        return [[round(value, 2) for value in row] for row in pixels.tolist()]

    return strip(some), strip(turned(some))
