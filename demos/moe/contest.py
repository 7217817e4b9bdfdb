"""The same classifier with different weights of the balancing loss, and a dense one beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from . import counts, regimes
from .regimes import Outcome

PAPER_ALPHA = 0.01  # Fedus et al. 2021, §2.2


@dataclass(frozen=True)
class Plan:
    """What is compared.

    Args:
        experts: E.
        top_k: K.
        alpha: weight of the balancing loss in the run that has it.
        factor: capacity factor when testing.
        steps: training steps.
        repeats: seeds, each with its own data.
    """

    experts: int
    top_k: int
    alpha: float
    factor: float
    steps: int
    repeats: int

    def sizes(self) -> tuple[int, int]:
        """Parameters of the layer, and those that one token passes through."""
        shape = (regimes.WIDTH, regimes.HIDDEN, self.experts)
        return counts.layer_parameters(*shape), counts.active_parameters(*shape, self.top_k)


@dataclass(frozen=True)
class Contest:
    """Outcomes, one for each seed: dense, alpha = 0, PAPER_ALPHA, the plan's alpha."""

    dense: list[Outcome]
    without: list[Outcome]
    as_paper: list[Outcome]
    balanced: list[Outcome]


def hold(
    plan: Plan,
    *,
    seed: int,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    report: Callable[[int, int, float], None] = lambda step, total, loss: None,
) -> Contest:
    """Train them all; the dense layer has K times the hidden width, so as many FLOPs."""
    entries = [
        (1, 1, 0.0, plan.top_k * regimes.HIDDEN),
        *((plan.experts, plan.top_k, alpha, regimes.HIDDEN) for alpha in (0.0, PAPER_ALPHA)),
        (plan.experts, plan.top_k, plan.alpha, regimes.HIDDEN),
    ]
    total = len(entries) * plan.repeats * plan.steps
    done = 0
    results: list[list[Outcome]] = []
    for experts, top_k, alpha, hidden in entries:
        results.append([])
        for repeat in range(plan.repeats):
            outcome = regimes.train(
                experts,
                top_k,
                alpha,
                plan.steps,
                factor=plan.factor,
                hidden=hidden,
                seed=seed + repeat,
                device=device,
                dtype=dtype,
                report=lambda step, loss, done=done: report(done + step, total, loss),
            )
            done += plan.steps
            results[-1].append(outcome)
    return Contest(*results)
