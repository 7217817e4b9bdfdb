"""A sparse mixture of experts as a loop over experts, and the loss that balances it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Routing(NamedTuple):
    """Which experts each token goes to.

    Args:
        probabilities: (T, E), the router's softmax.
        experts: (T, K) int, best first.
        gates: (T, K), the probabilities of those experts.
        kept: (T, K) bool, False where the expert was full.
    """

    probabilities: Tensor
    experts: Tensor
    gates: Tensor
    kept: Tensor


class Mixed(NamedTuple):
    """What the layer returns: the weighted sum of experts, and how it was routed."""

    out: Tensor
    routing: Routing


class Expert(nn.Sequential):
    """One feed-forward part: W₂·relu(W₁·x).

    Shapes:
        x (T, C) → (T, C)
    Units:
        none
    Cost:
        4·C·F FLOPs a token;  counts.expert_parameters().
    Args:
        width: C.
        hidden: F.
    Raises:
        nothing
    Checked by:
        tests/demos/test_moe.py::test_the_layer_equals_a_loop_over_tokens
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width))


class MixtureOfExperts(nn.Module):
    """Send each token to its K likeliest experts and add up what they say, weighted by the router.

    p = softmax(W_r·x);  out = Σ over the K largest p_e of p_e·f_e(x).   [eq. 1, 2]
    Gates stay as they are: scaled to sum to 1, a single gate would always be 1, and the router
    would learn nothing from the task.

    Shapes:
        x (T, C) → out (T, C), zeros for a token that no expert took;  routing (T, E) and (T, K)
    Units:
        none
    Cost:
        K·4·C·F + 2·C·E FLOPs a token;  counts.layer_parameters(), counts.active_parameters().
    Args:
        width: C.
        hidden: F of each expert.
        experts: E.
        top_k: K, from 1 to E.
    Raises:
        ValueError: K is not from 1 to E, or x is not (T, C); the message gives what it was.
    Checked by:
        tests/demos/test_moe.py::test_the_layer_equals_a_loop_over_tokens
        tests/demos/test_moe.py::test_all_experts_chosen_is_the_dense_mixture
        tests/demos/test_moe.py::test_routed_and_dropped_make_all_tokens
    """

    def __init__(self, width: int, hidden: int, experts: int, top_k: int = 1) -> None:
        super().__init__()
        if not 1 <= top_k <= experts:
            raise ValueError(f"top_k must be from 1 to experts = {experts}, got {top_k}")
        self.width, self.top_k = width, top_k
        self.router = nn.Linear(width, experts, bias=False)
        self.experts = nn.ModuleList(Expert(width, hidden) for _ in range(experts))

    def forward(self, x: Tensor, *, capacity: int | None = None) -> Mixed:
        """Mix; an expert takes at most `capacity` tokens, None: as many as come."""
        if x.dim() != 2 or x.shape[1] != self.width:
            raise ValueError(f"x must have shape (T, {self.width}), got {tuple(x.shape)}")
        routing = route(self.router(x), self.top_k, capacity=capacity)
        out = torch.zeros_like(x)
        for index, expert in enumerate(self.experts):
            token, choice = torch.where((routing.experts == index) & routing.kept)
            if len(token):  # an expert may get no token
                gate = routing.gates[token, choice, None]
                out = out.index_add(0, token, gate * expert(x[token]))
        return Mixed(out, routing)


def route(logits: Tensor, top_k: int, *, capacity: int | None = None) -> Routing:
    """Choose each token's experts; first choices come before second ones, earlier tokens first.

    Shapes:
        logits (T, E) → probabilities (T, E);  experts, gates, kept (T, K)
    Units:
        none
    Cost:
        one softmax and one top-k a token
    Args:
        logits: the router's output.
        top_k: K, from 1 to E.
        capacity: tokens that one expert takes at most; None: all.
    Raises:
        ValueError: capacity is below 0.
    Checked by:
        tests/demos/test_moe.py::test_a_full_expert_drops_the_latest_tokens
        tests/demos/test_moe.py::test_routed_and_dropped_make_all_tokens
    """
    if capacity is not None and capacity < 0:
        raise ValueError(f"capacity must be 0 or more, got {capacity}")
    probabilities = logits.softmax(-1)
    gates, experts = probabilities.topk(top_k, dim=-1)
    if capacity is None:
        return Routing(probabilities, experts, gates, torch.ones_like(experts, dtype=torch.bool))
    queue = experts.T.flatten()  # (K·T): all first choices, then all second choices
    taken = nn.functional.one_hot(queue, logits.shape[-1]).cumsum(0)  # (K·T, E)
    place = taken.gather(1, queue[:, None])[:, 0]  # 1 for the first token at its expert
    kept = (place <= capacity).view(top_k, -1).T
    return Routing(probabilities, experts, gates, kept)


def expert_shares(routing: Routing) -> Tensor:
    """What share of all assignments each expert gets, whether or not it has room: f.

    Shapes:
        → (E,), sums to 1
    Units:
        share of T·K assignments
    Cost:
        one count
    Args:
        routing: of T tokens, K experts each.
    Raises:
        nothing
    Checked by:
        tests/demos/test_moe.py::test_balance_loss_is_one_when_balanced_and_e_when_collapsed
    """
    counts = torch.bincount(routing.experts.flatten(), minlength=routing.probabilities.shape[1])
    return counts.to(routing.probabilities) / routing.experts.numel()


def balance_loss(routing: Routing) -> Tensor:
    """How uneven the router is: E·Σ f_e·P_e, with P the mean probability of each expert.

    1 when all experts get the same, E when one gets all. The gradient flows through P only; f
    counts, and counts have none.   [eq. 4-6, with f divided by K]

    Shapes:
        → scalar
    Units:
        none
    Cost:
        2·E FLOPs after the means
    Args:
        routing: of one batch.
    Raises:
        nothing
    Checked by:
        tests/demos/test_moe.py::test_balance_loss_is_one_when_balanced_and_e_when_collapsed
    """
    experts = routing.probabilities.shape[1]
    return experts * (expert_shares(routing) * routing.probabilities.mean(0)).sum()
