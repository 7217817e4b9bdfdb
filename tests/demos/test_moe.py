from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from sklearn.metrics import normalized_mutual_info_score
from torch.utils.flop_counter import FlopCounterMode

from demos.moe import contest, counts, demo, reference, regimes
from labdeck.contract import ContractError, Result

SIZES = [
    (1, 4, 1),
    (7, 3, 2),
    (13, 5, 5),
    (2, 11, 1),
]  # T, E, K; the last: more experts than tokens


def layer(experts: int, top_k: int, width: int = 6) -> reference.MixtureOfExperts:
    return reference.MixtureOfExperts(width, 5, experts, top_k).double()


def draw(generator: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize(("tokens", "experts", "top_k"), SIZES)
def test_the_layer_equals_a_loop_over_tokens(
    tokens: int, experts: int, top_k: int, generator: torch.Generator
) -> None:
    module, x = layer(experts, top_k), draw(generator, tokens, 6)
    rows = []
    for token in x:
        p = torch.softmax(module.router.weight @ token, 0)
        best = sorted(range(experts), key=lambda e: -p[e].item())[:top_k]
        row = torch.zeros(6, dtype=torch.float64)
        for e in best:
            first, _, second = module.experts[e]
            row += p[e] * (
                second.weight @ (first.weight @ token + first.bias).clamp(min=0) + second.bias
            )
        rows.append(row)
    torch.testing.assert_close(module(x).out, torch.stack(rows), rtol=0, atol=1e-12)


def test_all_experts_chosen_is_the_dense_mixture(generator: torch.Generator) -> None:
    module, x = layer(4, 4), draw(generator, 9, 6)
    p = module.router(x).softmax(-1)
    dense = sum(p[:, e, None] * module.experts[e](x) for e in range(4))
    torch.testing.assert_close(module(x).out, dense, rtol=0, atol=1e-12)


def test_permuting_tokens_permutes_the_output(generator: torch.Generator) -> None:
    module, x = layer(5, 2), draw(generator, 8, 6)
    order = torch.randperm(8, generator=generator)
    torch.testing.assert_close(module(x[order]).out, module(x).out[order])


@pytest.mark.parametrize(("tokens", "experts", "top_k"), SIZES)
@pytest.mark.parametrize("capacity", [0, 1, 3, 100])
def test_routed_and_dropped_make_all_tokens(
    tokens: int, experts: int, top_k: int, capacity: int, generator: torch.Generator
) -> None:
    module, x = layer(experts, top_k), draw(generator, tokens, 6)
    routing = module(x, capacity=capacity).routing
    asked = torch.bincount(routing.experts.flatten(), minlength=experts)
    served = torch.bincount(routing.experts[routing.kept], minlength=experts)
    assert torch.equal(served, asked.clamp(max=capacity))
    assert int(routing.kept.sum()) + int((~routing.kept).sum()) == tokens * top_k
    assert reference.expert_shares(routing).sum().item() == pytest.approx(1)


def test_a_full_expert_drops_the_latest_tokens() -> None:
    logits = torch.tensor([[3.0, 1, 0], [3, 1, 0], [1, 3, 0], [3, 1, 0]])
    routing = reference.route(logits, 2, capacity=2)
    assert routing.experts.tolist() == [[0, 1], [0, 1], [1, 0], [0, 1]]
    # Expert 0: first choices of tokens 0 and 1 fill it. Expert 1: token 2's first choice comes
    # before the second choices, of which token 0's is the earliest.
    assert routing.kept.tolist() == [[True, True], [True, False], [True, False], [False, False]]


def test_a_dropped_token_gets_nothing_from_the_layer(generator: torch.Generator) -> None:
    module, x = layer(3, 1), draw(generator, 5, 6)
    mixed = module(x, capacity=0)
    assert torch.equal(mixed.out, torch.zeros_like(x))
    model = regimes.Classifier(4, 1, 8)
    points = torch.randn(5, 16, generator=generator)
    logits, _ = model(points, capacity=0)
    torch.testing.assert_close(logits, model.read(model.embed(points)))


def test_the_router_learns_from_the_task_through_one_gate(generator: torch.Generator) -> None:
    module, x = layer(4, 1), draw(generator, 9, 6)
    (module(x).out * draw(generator, 9, 6)).sum().backward()
    assert module.router.weight.grad.abs().max() > 1e-6


def test_balance_loss_is_one_when_balanced_and_e_when_collapsed() -> None:
    even = 20 * torch.eye(4).repeat(3, 1)
    for top_k in (1, 2):
        uniform = reference.route(torch.zeros(12, 4), top_k)
        assert reference.balance_loss(uniform).item() == pytest.approx(1)
    assert reference.expert_shares(reference.route(even, 1)).tolist() == pytest.approx([0.25] * 4)
    assert reference.balance_loss(reference.route(even, 1)).item() == pytest.approx(1)
    collapsed = torch.tensor([[50.0, 0, 0, 0]]).repeat(12, 1)
    assert reference.balance_loss(reference.route(collapsed, 1)).item() == pytest.approx(4)


def test_balance_loss_pushes_the_busy_expert_down() -> None:
    logits = torch.tensor([[2.0, 0, 0]]).repeat(6, 1).requires_grad_()
    reference.balance_loss(reference.route(logits, 1)).backward()
    assert (logits.grad[:, 0] > 0).all() and (logits.grad[:, 1:] < 0).all()


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(ValueError, match="top_k must be from 1 to experts = 2, got 3"):
        reference.MixtureOfExperts(4, 4, 2, 3)
    with pytest.raises(ValueError, match=r"x must have shape \(T, 6\), got \(2, 3, 6\)"):
        layer(2, 1)(torch.zeros(2, 3, 6))
    with pytest.raises(ValueError, match="capacity must be 0 or more, got -1"):
        reference.route(torch.zeros(2, 2), 1, capacity=-1)


def test_counts_equal_the_model_and_the_profiler(generator: torch.Generator) -> None:
    module, x = layer(5, 2), draw(generator, 9, 6)
    assert counts.layer_parameters(6, 5, 5) == sum(p.numel() for p in module.parameters())
    one = sum(p.numel() for p in module.experts[0].parameters())
    assert counts.active_parameters(6, 5, 5, 2) == 2 * one + module.router.weight.numel()
    with FlopCounterMode(display=False) as counter:
        module(x)
    assert counter.get_total_flops() == counts.layer_flops(9, 6, 5, 5, 2)


@pytest.mark.parametrize(
    ("tokens", "experts", "top_k", "factor", "room"),
    [(100, 8, 1, 1.25, 16), (7, 3, 2, 1, 5), (1, 9, 1, 1, 1)],
)
def test_capacity_is_rounded_up(
    tokens: int, experts: int, top_k: int, factor: float, room: int
) -> None:
    assert counts.capacity(tokens, experts, top_k, factor) == room


def test_shared_information_equals_sklearn(generator: torch.Generator) -> None:
    rows = torch.randint(8, (200,), generator=generator)
    columns = (rows + torch.randint(3, (200,), generator=generator)) % 5
    seen = regimes.together(rows, columns[:, None], 5)
    expected = normalized_mutual_info_score(rows, columns, average_method="geometric")
    assert regimes.shared_information(seen) == pytest.approx(expected)
    assert regimes.shared_information(torch.ones(8, 1).double()) == 0


def test_points_carry_their_regime(generator: torch.Generator) -> None:
    world = regimes.make_world(generator)
    points, classes, source = regimes.draw(world, 50, generator)
    for point, wanted, regime in zip(points, classes, source, strict=True):
        scores = (point - world.centres[regime]) @ world.maps[regime]
        assert scores.argmax() == wanted


def test_the_balancing_loss_balances() -> None:
    free, balanced = (regimes.train(8, 1, alpha, 150, factor=1.25, seed=2) for alpha in (0.0, 0.3))
    assert free.max_load > 1.6 > 1.3 > balanced.max_load
    assert free.dropped > 0.1 > 0.02 > balanced.dropped
    assert free.accuracy_capped < free.accuracy - 0.05
    assert len(free.tracks) == 150 and sum(free.loads) == pytest.approx(1)


def test_balance_demo(perform: Callable[..., Result]) -> None:
    result = perform(demo.balance, experts=3, steps=4, repeats=2)
    assert set(result.figures) == {"load", "busiest", "routing", "accuracy"}
    numbers = result.numbers
    for name in ("max_load", "idle", "dropped", "accuracy", "accuracy_capped", "information"):
        for case in ("without", "with", "paper"):
            assert numbers[f"{name}_{case}"].spread is not None
    assert numbers["alpha_paper"].kind == "quoted"
    assert numbers["parameters"].value == counts.layer_parameters(32, 32, 3)
    assert numbers["active_share"].value < 0.5
    assert 0 <= numbers["dropped_without"].value < 1
    loads = result.figures["load"].spec["data"][0]["y"]
    assert math.fsum(loads) == pytest.approx(3, abs=1e-3)


def test_more_choices_than_experts(perform: Callable[..., Result]) -> None:
    with pytest.raises(ContractError, match="top_k = 3 is more than experts = 2"):
        perform(demo.balance, experts=2, top_k=3)


def test_a_single_seed_has_no_spread(perform: Callable[..., Result]) -> None:
    result = perform(demo.balance, experts=2, top_k=2, steps=1, repeats=1)
    assert result.numbers["max_load_with"].spread is None
    assert result.numbers["max_load_with"].value == pytest.approx(1)


def test_same_seed_same_result(perform: Callable[..., Result]) -> None:
    sizes = {"experts": 3, "steps": 2, "repeats": 1}
    first, again, other = (perform(demo.balance, seed=seed, **sizes) for seed in (1, 1, 2))
    assert first == again != other


def test_the_dense_layer_costs_as_much() -> None:
    plan = contest.Plan(experts=4, top_k=2, alpha=0.1, factor=1.0, steps=1, repeats=1)
    seen = contest.hold(plan, seed=0)
    assert len(seen.dense[0].loads) == 1 and len(seen.balanced[0].loads) == 4
    experts_only = counts.layer_flops(1, 32, 32, 0, 2)
    assert experts_only == counts.layer_flops(1, 32, 2 * 32, 0, 1)


def test_parameters_have_bounds() -> None:
    with pytest.raises(ContractError, match="`alpha` must be a number from 0 to 10, got -1"):
        demo.balance.bind({"alpha": -1})
