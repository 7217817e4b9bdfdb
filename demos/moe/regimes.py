"""Data that falls into regimes with a rule each, and a classifier whose experts may share them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import counts
from .reference import MixtureOfExperts, Routing, balance_loss, expert_shares

REGIMES = 8
INPUTS = 16
CLASSES = 4
WIDTH = 32
HIDDEN = 32
BATCH = 256
TESTS = 4096


class World(NamedTuple):
    """The rules: a centre (R, 16) and a linear map to class scores (R, 16, 4) for each regime."""

    centres: Tensor
    maps: Tensor


class Batch(NamedTuple):
    """Points (T, 16), their classes (T,), and the regime each came from (T,)."""

    points: Tensor
    classes: Tensor
    regimes: Tensor


def make_world(generator: torch.Generator) -> World:
    """Random centres, and random rules that hold near them."""
    centres = 2 * torch.randn(REGIMES, INPUTS, generator=generator)
    return World(centres, torch.randn(REGIMES, INPUTS, CLASSES, generator=generator))


def draw(world: World, count: int, generator: torch.Generator) -> Batch:
    """Points around the centres; the class depends on the place within the regime."""
    regimes = torch.randint(REGIMES, (count,), generator=generator)
    offsets = torch.randn(count, INPUTS, generator=generator)
    scores = torch.einsum("ti,tic->tc", offsets, world.maps[regimes])
    return Batch(world.centres[regimes] + offsets, scores.argmax(-1), regimes)


class Classifier(nn.Module):
    """Embed, add what the experts say, read off the class.

    Shapes:
        points (T, 16) → logits (T, 4), and the routing
    """

    def __init__(self, experts: int, top_k: int, hidden: int) -> None:
        super().__init__()
        self.embed = nn.Linear(INPUTS, WIDTH)
        self.experts = MixtureOfExperts(WIDTH, hidden, experts, top_k)
        self.read = nn.Linear(WIDTH, CLASSES)

    def forward(self, points: Tensor, *, capacity: int | None = None) -> tuple[Tensor, Routing]:
        x = self.embed(points)
        mixed = self.experts(x, capacity=capacity)
        return self.read(x + mixed.out), mixed.routing  # a dropped token passes on as it was


@dataclass(frozen=True)
class Outcome:
    """A trained classifier, tested on points it has not seen.

    Args:
        loads: share of the assignments that each expert gets.
        by_regime: (R, E), the same for each regime alone.
        accuracy: share of right classes when no token is dropped.
        accuracy_capped: the same when every expert takes no more than its capacity.
        dropped: share of assignments that find their expert full.
        information: normalised mutual information between regime and expert, 0 … 1.
        tracks: largest share times E, at every step of training.
    """

    loads: list[float]
    by_regime: list[list[float]]
    accuracy: float
    accuracy_capped: float
    dropped: float
    information: float
    tracks: list[float]

    @property
    def max_load(self) -> float:
        """The busiest expert's load over the mean load; 1 is perfect balance."""
        return max(self.loads) * len(self.loads)

    @property
    def idle(self) -> int:
        """Experts that get less than a tenth of an even share."""
        return sum(load * len(self.loads) < 0.1 for load in self.loads)


def train(
    experts: int,
    top_k: int,
    alpha: float,
    steps: int,
    *,
    factor: float,
    hidden: int = HIDDEN,
    seed: int,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    report: Callable[[int, float], None] = lambda step, loss: None,
) -> Outcome:
    """Train with `alpha` times the balancing loss; `report` hears of the task's loss (nat)."""
    generator = torch.Generator().manual_seed(seed)
    world = make_world(generator)
    tests = _moved(draw(world, TESTS, generator), device, dtype)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Classifier(experts, top_k, hidden).to(device, dtype)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    tracks = []
    for step in range(1, steps + 1):
        batch = _moved(draw(world, BATCH, generator), device, dtype)
        logits, routing = model(batch.points)
        loss = F.cross_entropy(logits, batch.classes)
        optimizer.zero_grad()
        (loss + alpha * balance_loss(routing)).backward()
        optimizer.step()
        tracks.append(expert_shares(routing).max().item() * experts)
        report(step, loss.item())
    return examine(model, tests, factor=factor, tracks=tracks)


@torch.no_grad()
def examine(model: Classifier, tests: Batch, *, factor: float, tracks: list[float]) -> Outcome:
    """Test with all the room there is, and with `factor` times an even share for each expert."""
    layer = model.experts
    size = counts.capacity(len(tests.points), len(layer.experts), layer.top_k, factor)
    free, routing = model(tests.points)
    capped, tight = model(tests.points, capacity=size)
    seen = together(tests.regimes, routing.experts, len(layer.experts))  # (R, E) counts
    return Outcome(
        (seen.sum(0) / seen.sum()).tolist(),
        (seen / seen.sum(1, keepdim=True)).tolist(),
        _accuracy(free, tests.classes),
        _accuracy(capped, tests.classes),
        int((~tight.kept).sum()) / tight.kept.numel(),
        shared_information(seen),
        tracks,
    )


def together(regimes: Tensor, experts: Tensor, count: int) -> Tensor:
    """How often each expert gets a token of each regime: (T,), (T, K) → (R, E) float64."""
    cells = (regimes[:, None] * count + experts).flatten().cpu()
    return torch.bincount(cells, minlength=REGIMES * count).view(REGIMES, count).double()


def shared_information(seen: Tensor) -> float:
    """I(regime; expert) / √(H(regime)·H(expert)) of a table of counts; 0 if one never varies."""
    joint = seen / seen.sum()
    rows, columns = (torch.special.entr(joint.sum(axis)).sum() for axis in (1, 0))
    both = torch.special.entr(joint).sum()
    scale = (rows * columns).sqrt()
    return ((rows + columns - both) / scale).item() if scale > 0 else 0.0


def _accuracy(logits: Tensor, classes: Tensor) -> float:
    return int((logits.argmax(-1) == classes).sum()) / len(classes)


def _moved(batch: Batch, device: str, dtype: torch.dtype) -> Batch:
    points, classes, regimes = batch
    return Batch(points.to(device, dtype), classes.to(device), regimes.to(device))
