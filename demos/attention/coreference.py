"""A small model that learns what "it" stands for, and where it looks to find out.

The sentences are after Winograd's: the trophy won't fit the suitcase because it is too big (the
trophy), or too small (the suitcase). The model writes the sentence down again with "it" replaced by
the noun it stands for. Its last layer has no residual path: a word that is to be written has to be
looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .reference import MultiHeadAttention

NOUNS = ("trophy", "suitcase", "piano", "van", "doll", "box", "book", "bag")
BIG = ("big", "wide", "long", "thick")  # then "it" is the first noun
SMALL = ("small", "narrow", "short", "thin")  # then "it" is the second
VERBS = ("won't fit", "can't enter", "won't go in")
LINKS = ("because", "since", "as")
COPULAS = ("is too", "was too", "looks too")
WORDS = NOUNS + BIG + SMALL + VERBS + LINKS + COPULAS + ("it",)
INDEX = {word: index for index, word in enumerate(WORDS)}
IT = 4  # place of "it" in a sentence of LENGTH words
LENGTH = 7


class Sentences(NamedTuple):
    """Sentences as word indices (B, 7), and what the model should write (B, 7)."""

    words: Tensor
    meant: Tensor


def cases() -> Tensor:
    """Every (first noun, second noun, adjective) with two different nouns, as word indices."""
    nouns, adjectives = range(len(NOUNS)), [INDEX[word] for word in BIG + SMALL]
    rows = [(a, b, adj) for a in nouns for b in nouns if a != b for adj in adjectives]
    return torch.tensor(rows)


def split_cases(generator: torch.Generator, held_out: float = 0.2) -> tuple[Tensor, Tensor]:
    """Cases to learn from and cases never shown, in random order."""
    rows = cases()
    order = torch.randperm(len(rows), generator=generator)
    cut = int(len(rows) * held_out)
    return rows[order[cut:]], rows[order[:cut]]


def spell(rows: Tensor, generator: torch.Generator) -> Sentences:
    """Sentences for cases (B, 3): first noun, verb, second noun, link, it, copula, adjective."""

    def any_of(choices: tuple[str, ...]) -> Tensor:
        picked = torch.randint(len(choices), (len(rows),), generator=generator)
        return picked + INDEX[choices[0]]

    first, second, adjective = rows.unbind(1)
    it = torch.full_like(first, INDEX["it"])
    words = [first, any_of(VERBS), second, any_of(LINKS), it, any_of(COPULAS), adjective]
    stacked = torch.stack(words, 1)
    meant = stacked.clone()
    meant[:, IT] = torch.where(adjective < INDEX[SMALL[0]], first, second)
    return Sentences(stacked, meant)


class Reader(nn.Module):
    """Two layers of one head each: the first gathers context, the second looks words up.

    h = x + attention(x);  out = attention(h → x), so that weights point at words, not at what the
    first layer moved about. The second layer starts with q = 0, every word weighing the same:
    from random weights it may instead learn to look at every word but the right one.

    Shapes:
        words (B, 7) int → logits (B, 7, len(WORDS)), and the last layer's weights (B, 7, 7)
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(len(WORDS), channels)
        self.place = nn.Embedding(LENGTH, channels)
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in range(3))
        self.layers = nn.ModuleList(MultiHeadAttention(channels, heads=1) for _ in range(2))
        self.write = nn.Linear(channels, len(WORDS))
        nn.init.zeros_(self.layers[1].q.weight)
        nn.init.zeros_(self.layers[1].q.bias)

    def forward(self, words: Tensor) -> tuple[Tensor, Tensor]:
        embedded = self.embed(words) + self.place.weight
        x = self.norms[0](embedded)
        h = embedded + self.layers[0](x).out
        last = self.layers[1](self.norms[1](h), x)
        return self.write(self.norms[2](last.out)), last.weights[:, 0]


@dataclass(frozen=True)
class Reading:
    """A trained reader and how often it names the right noun in sentences it has not seen."""

    reader: Reader
    accuracy: float
    parameters: int


def train(
    channels: int,
    steps: int,
    *,
    seed: int,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    report: Callable[[int, float], None] = lambda step, loss: None,
) -> Reading:
    """Teach a reader; `report` hears of every step and its loss (nat a word)."""
    generator = torch.Generator().manual_seed(seed)
    known, unknown = split_cases(generator)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        reader = Reader(channels).to(device, dtype)
    optimizer = torch.optim.Adam(reader.parameters(), lr=3e-3)
    for step in range(1, steps + 1):
        batch = known[torch.randint(len(known), (128,), generator=generator)]
        words, meant = (part.to(device) for part in spell(batch, generator))
        logits, _ = reader(words)
        loss = F.cross_entropy(logits.flatten(0, 1), meant.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        report(step, loss.item())
    parameters = sum(p.numel() for p in reader.parameters())
    return Reading(reader, _accuracy(reader, spell(unknown, generator), device), parameters)


@torch.no_grad()
def _accuracy(reader: Reader, sentences: Sentences, device: str) -> float:
    logits, _ = reader(sentences.words.to(device))
    right = logits[:, IT].argmax(-1).cpu() == sentences.meant[:, IT]
    return int(right.sum()) / len(right)


@torch.no_grad()
def look(reader: Reader, sentence: tuple[str, ...]) -> Tensor:
    """Weights (7, 7) of the last layer for one sentence of known words, in float64 on the CPU."""
    unknown = [word for word in sentence if word not in INDEX]
    if unknown or len(sentence) != LENGTH:
        raise ValueError(f"a sentence has {LENGTH} words of {WORDS}, got {sentence}")
    device = next(reader.parameters()).device
    words = torch.tensor([[INDEX[word] for word in sentence]], device=device)
    return reader(words)[1][0].double().cpu()
