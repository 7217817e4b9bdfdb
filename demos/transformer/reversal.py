"""Learning to write a sequence backwards, and testing it without help."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from .reference import Config, Transformer

SYMBOLS = "ABCDEFGHIJKLMNOPQRST"
BATCH = 64
TESTS = 200  # sequences in each test


@dataclass(frozen=True)
class Score:
    """How the model does on sequences it has not seen, after `step` training steps.

    Args:
        step: training steps so far.
        taught: share of right symbols when it is shown the right prefix (teacher forcing).
        symbols: share of right symbols when it reads back only what it wrote.
        exact: share of sequences without any mistake, written in the same way.
    """

    step: int
    taught: float
    symbols: float
    exact: float


@dataclass(frozen=True)
class Lesson:
    """A trained model, its loss (nat a symbol) at every step, and its scores on the way."""

    model: Transformer
    losses: list[float]
    scores: list[Score]


def draw(count: int, length: int, generator: torch.Generator) -> Tensor:
    """Random sequences (count, length) of symbols, all symbols equally likely."""
    return torch.randint(len(SYMBOLS), (count, length), generator=generator)


def shifted(target: Tensor, start: int) -> Tensor:
    """What the decoder is shown: the start symbol, then the target without its last symbol."""
    return torch.cat([target.new_full((len(target), 1), start), target[:, :-1]], 1)


def score(model: Transformer, source: Tensor, step: int) -> Score:
    """Test a model on sources (B, S)."""
    target = source.flip(1)
    with torch.no_grad():
        taught = model(source, shifted(target, model.start)).logits.argmax(-1) == target
    alone = model.greedy(source, target.shape[1]) == target
    return Score(step, _share(taught), _share(alone), _share(alone.all(1)))


def teach(
    config: Config,
    length: int,
    steps: int,
    *,
    seed: int,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    report: Callable[[int, float], None] = lambda step, loss: None,
) -> Lesson:
    """Train with teacher forcing, testing about 16 times; `report` hears of every step's loss."""
    generator = torch.Generator().manual_seed(seed)
    tests = draw(TESTS, length, generator).to(device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Transformer(config).to(device, dtype)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, betas=(0.9, 0.98))
    rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps))
    losses, scores = [], [score(model, tests, 0)]
    every = max(1, steps // 16)
    for step in range(1, steps + 1):
        source = draw(BATCH, length, generator).to(device)
        target = source.flip(1)
        logits = model(source, shifted(target, model.start)).logits
        loss = F.cross_entropy(logits.flatten(0, 1), target.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rate.step()
        losses.append(loss.item())
        report(step, losses[-1])
        if step % every == 0 or step == steps:
            scores.append(score(model, tests, step))
    return Lesson(model, losses, scores)


@dataclass(frozen=True)
class Look:
    """Where the decoder looked while it wrote one sequence, over all heads of its last layer.

    Args:
        source: the symbols it read.
        written: the symbols it wrote.
        weights: (T, S), mean over heads.
        mirrored: mean weight on the symbol that had to be written.
    """

    source: str
    written: str
    weights: list[list[float]]
    mirrored: float


@torch.no_grad()
def look(model: Transformer, source: Tensor) -> Look:
    """Let the model write one sequence (S,) and see where it looks."""
    written = model.greedy(source[None], len(source))
    found = model(source[None], shifted(written, model.start)).cross_weights
    weights = found[0].double().mean(0).cpu()  # (T, S)
    spelled = ["".join(SYMBOLS[index] for index in row) for row in (source, written[0])]
    return Look(*spelled, weights.tolist(), weights.flip(1).diagonal().mean().item())


def _rate(step: int, steps: int) -> float:
    """Rise for 40 steps (post-LN needs it), fall in the second half."""
    return min(1.0, (step + 1) / 40, 2 * (steps - step) / steps)


def _share(right: Tensor) -> float:
    return int(right.sum()) / right.numel()
