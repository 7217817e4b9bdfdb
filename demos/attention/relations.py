"""A task that asks each letter four things at once, for one head or several to answer.

Each letter of a random string has to name the letter before it, the one after it, the first one,
and its mirror image (before the first comes the last). One softmax gives one average; the four
answers lie in four places.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .reference import MultiHeadAttention

RELATIONS = ("previous", "next", "first", "mirrored")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LENGTH = 9


def sources(length: int = LENGTH) -> Tensor:
    """Where each relation's answer lies, (T, 4): sources()[t, r] is the place that t asks for."""
    t = torch.arange(length)
    return torch.stack([(t - 1) % length, (t + 1) % length, 0 * t, length - 1 - t], 1)


class Relater(nn.Module):
    """One multi-head attention layer, and a linear reading of its output for each relation.

    Shapes:
        letters (B, T) int → logits (B, T, 4, 26), and weights (B, H, T, T)
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(len(LETTERS), channels)
        self.place = nn.Embedding(LENGTH, channels)
        self.attend = MultiHeadAttention(channels, heads)
        self.read = nn.Linear(channels, len(RELATIONS) * len(LETTERS))

    def forward(self, letters: Tensor) -> tuple[Tensor, Tensor]:
        found = self.attend(self.embed(letters) + self.place.weight)
        return self.read(found.out).unflatten(-1, (len(RELATIONS), -1)), found.weights


def silenced(model: Relater, head: int) -> Relater:
    """A copy in which one head's output no longer counts."""
    quiet = copy.deepcopy(model)
    size = quiet.attend.channels // quiet.attend.heads
    with torch.no_grad():
        quiet.attend.o.weight[:, head * size : (head + 1) * size] = 0.0
    return quiet


@dataclass(frozen=True)
class Answers:
    """What a trained model can do, tested on strings it has not seen.

    Args:
        model: the trained model.
        accuracy: share of right answers for each relation.
        lost: for each head, the accuracy each relation loses when that head is silenced.
        entropy_nat: for each head, the mean entropy of its weights.
        divergence_nat: mean Jensen-Shannon divergence between two heads' weights; 0 for one head.
    """

    model: Relater
    accuracy: list[float]
    lost: list[list[float]]
    entropy_nat: list[float]
    divergence_nat: float

    @property
    def mean_accuracy(self) -> float:
        return sum(self.accuracy) / len(self.accuracy)


def train(
    channels: int,
    heads: int,
    steps: int,
    *,
    seed: int,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    report: Callable[[int, float], None] = lambda step, loss: None,
) -> Answers:
    """Teach a model and question it; `report` hears of every step and its loss (nat an answer)."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Relater(channels, heads).to(device, dtype)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for step in range(1, steps + 1):
        letters, wanted = _strings(64, generator, device)
        loss = F.cross_entropy(model(letters)[0].flatten(0, 2), wanted.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        report(step, loss.item())
    return question(model, *_strings(500, generator, device))


@torch.no_grad()
def question(model: Relater, letters: Tensor, wanted: Tensor) -> Answers:
    """Test a model as it is and with each head silenced."""
    accuracy = _accuracy(model, letters, wanted)
    lost = []
    for head in range(model.attend.heads):
        without = _accuracy(silenced(model, head), letters, wanted)
        lost.append([full - part for full, part in zip(accuracy, without, strict=True)])
    weights = model(letters)[1].double()
    nats = torch.special.entr(weights).sum(-1).mean((0, 2))
    return Answers(model, accuracy, lost, nats.tolist(), divergence(weights))


def divergence(weights: Tensor) -> float:
    """Mean Jensen-Shannon divergence (nat, at most ln 2) of two heads; weights (B, H, T, T)."""
    heads = weights.shape[1]
    pairs = [(i, j) for i in range(heads) for j in range(i)]
    if not pairs:
        return 0.0
    entropy = torch.special.entr(weights).sum(-1)  # (B, H, T)
    gaps = []
    for i, j in pairs:
        middle = torch.special.entr((weights[:, i] + weights[:, j]) / 2).sum(-1)
        gaps.append((middle - (entropy[:, i] + entropy[:, j]) / 2).mean())
    return max(0.0, torch.stack(gaps).mean().item())


@torch.no_grad()
def look(model: Relater, word: str) -> Tensor:
    """Each head's weights (H, 9, 9) for one word of nine capital letters, in float64 on the CPU."""
    if len(word) != LENGTH or any(letter not in LETTERS for letter in word):
        raise ValueError(f"a word has {LENGTH} letters A to Z, got {word!r}")
    device = next(model.parameters()).device
    letters = torch.tensor([[LETTERS.index(letter) for letter in word]], device=device)
    return model(letters)[1][0].double().cpu()


def _strings(count: int, generator: torch.Generator, device: str) -> tuple[Tensor, Tensor]:
    letters = torch.randint(len(LETTERS), (count, LENGTH), generator=generator)
    return letters.to(device), letters[:, sources()].to(device)  # (B, T), (B, T, 4)


def _accuracy(model: Relater, letters: Tensor, wanted: Tensor) -> list[float]:
    right = (model(letters)[0].argmax(-1) == wanted).sum((0, 1)).tolist()
    return [count / letters.numel() for count in right]
