"""Train a model on upright digits, then adapt it to turned ones: all weights, or adapters only."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import glyphs
from .glyphs import Glyphs
from .reference import adapted, detached, energy, merged

BATCH = 128
TESTS = 2000
FEW = 2000  # turned digits to learn from; upright ones never run out
MIDDLE = 2  # index of the middle linear layer, whose update is looked at

Report = Callable[[int, float], None]


@dataclass(frozen=True)
class Tuned:
    """A model after fine-tuning.

    Args:
        model: the model.
        losses: nat, at every step.
        steps: steps at which `accuracies` were taken.
        accuracies: on the new task.
        kept: accuracy on the old task at the end.
        trained: parameters that were trained.
        state_bytes: what the optimizer keeps for them, measured.
    """

    model: nn.Sequential
    losses: list[float]
    steps: list[int]
    accuracies: list[float]
    kept: float
    trained: int
    state_bytes: int


@dataclass(frozen=True)
class Rates:
    """Learning rates at the start; they fall to a twentieth."""

    full: float = 5e-3
    low_rank: float = 1e-2


@dataclass(frozen=True)
class Trial:
    """One model, fine-tuned both ways.

    Args:
        base_new, base_old: accuracy of the model before, on the new task and on the old.
        full, low: after fine-tuning all weights, and adapters.
        low_old_detached: accuracy on the old task when the adapters are taken off again.
        merge_error: largest difference between adapted and merged logits.
        full_energy, low_energy: `energy` of the middle layer's updates.
    """

    base_new: float
    base_old: float
    full: Tuned
    low: Tuned
    low_old_detached: float
    merge_error: float
    full_energy: list[float]
    low_energy: list[float]


@dataclass(frozen=True)
class Data:
    """Digits to learn from and to test with; `turn` has the new task."""

    learn: Glyphs
    turn: Glyphs
    tests: Glyphs
    turn_tests: Glyphs


def widths(hidden: int) -> tuple[int, ...]:
    """Widths of the perceptron's layers, inputs first."""
    return (glyphs.SIDE**2, hidden, hidden, glyphs.CLASSES)


def perceptron(hidden: int) -> nn.Sequential:
    """Three linear layers with relu between them."""
    inputs, first, second, outputs = widths(hidden)
    return nn.Sequential(
        nn.Linear(inputs, first),
        nn.ReLU(),
        nn.Linear(first, second),
        nn.ReLU(),
        nn.Linear(second, outputs),
    )


def draw(generator: torch.Generator, device: str, dtype: torch.dtype) -> Data:
    """All the data of one experiment."""

    def moved(digits: Glyphs) -> Glyphs:
        return Glyphs(digits.images.to(device, dtype), digits.digits.to(device))

    learn, turn = glyphs.draw(4 * FEW, generator), glyphs.turned(glyphs.draw(FEW, generator))
    tests = glyphs.draw(TESTS, generator)
    return Data(moved(learn), moved(turn), moved(tests), moved(glyphs.turned(tests)))


def base(
    hidden: int,
    steps: int,
    data: Data,
    generator: torch.Generator,
    *,
    seed: int,
    report: Report = lambda step, loss: None,
) -> nn.Sequential:
    """A model trained on upright digits."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = perceptron(hidden).to(data.learn.images)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for step in range(1, steps + 1):
        report(step, _learn(model, optimizer, data.learn, generator))
    return model


def trial(
    hidden: int,
    rank: int,
    alpha: float,
    steps: int,
    rates: Rates,
    *,
    seed: int,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    report: Report = lambda step, loss: None,
) -> Trial:
    """Train a model, fine-tune it both ways; `report` hears of 3·steps steps and their loss."""
    generator = torch.Generator().manual_seed(seed)
    data = draw(generator, device, dtype)
    model = base(hidden, steps, data, generator, seed=seed, report=report)

    def later(stage: int) -> Report:
        return lambda step, loss: report(stage * steps + step, loss)

    everything = full(model, rates.full, steps, data, seed=seed, report=later(1))
    low = low_rank(model, rank, alpha, rates.low_rank, steps, data, seed=seed, report=later(2))
    with torch.no_grad():
        low_energy = energy(low.model[MIDDLE].update()).tolist()
    return Trial(
        accuracy(model, data.turn_tests),
        accuracy(model, data.tests),
        everything,
        low,
        accuracy(detached(low.model), data.tests),
        merge_error(low.model, data.turn_tests),
        update_energy(model, everything.model).tolist(),
        low_energy,
    )


def full(
    model: nn.Sequential, rate: float, steps: int, data: Data, *, seed: int, report: Report
) -> Tuned:
    """Fine-tune a copy of a model, every weight of it."""
    return _tune(copy.deepcopy(model).requires_grad_(True), rate, steps, data, seed, report)


def low_rank(
    model: nn.Sequential,
    rank: int,
    alpha: float,
    rate: float,
    steps: int,
    data: Data,
    *,
    seed: int,
    report: Report,
) -> Tuned:
    """Fine-tune adapters on a copy of a model."""
    generator = torch.Generator().manual_seed(seed)
    return _tune(
        adapted(model, rank, alpha=alpha, generator=generator), rate, steps, data, seed, report
    )


@torch.no_grad()
def accuracy(model: nn.Sequential, tests: Glyphs) -> float:
    """Share of digits that the model reads right."""
    return int((model(tests.images).argmax(-1) == tests.digits).sum()) / len(tests.digits)


@torch.no_grad()
def merge_error(model: nn.Sequential, tests: Glyphs) -> float:
    """Largest difference between the logits of an adapted model and of its merged copy."""
    return (model(tests.images) - merged(model)(tests.images)).abs().max().item()


@torch.no_grad()
def update_energy(before: nn.Sequential, after: nn.Sequential) -> Tensor:
    """`energy` of what fine-tuning changed in the middle layer's weight."""
    return energy(after[MIDDLE].weight - before[MIDDLE].weight).cpu()


def _tune(
    model: nn.Sequential, rate: float, steps: int, data: Data, seed: int, report: Report
) -> Tuned:
    generator = torch.Generator().manual_seed(seed)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=rate)
    fall = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, total_iters=steps)
    losses, seen, scores = [], [0], [accuracy(model, data.turn_tests)]
    every = max(1, steps // 20)
    for step in range(1, steps + 1):
        losses.append(_learn(model, optimizer, data.turn, generator))
        fall.step()
        report(step, losses[-1])
        if step % every == 0 or step == steps:
            seen.append(step)
            scores.append(accuracy(model, data.turn_tests))
    kept = accuracy(model, data.tests)
    count = sum(p.numel() for p in trained)
    return Tuned(model, losses, seen, scores, kept, count, _state_bytes(optimizer))


def _learn(
    model: nn.Sequential, optimizer: torch.optim.Optimizer, data: Glyphs, generator: torch.Generator
) -> float:
    rows = torch.randint(len(data.digits), (BATCH,), generator=generator)
    loss = F.cross_entropy(model(data.images[rows]), data.digits[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return float(loss.item())


def _state_bytes(optimizer: torch.optim.Optimizer) -> int:
    """Bytes of the optimizer's tensors, without the step counters (one number a tensor)."""
    kept = [t for state in optimizer.state.values() for t in state.values() if t.dim()]
    return sum(t.numel() * t.element_size() for t in kept)
