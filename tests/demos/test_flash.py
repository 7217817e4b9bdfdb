from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch.nn import functional as F

from demos.attention.reference import causal_mask, scaled_dot_product
from demos.flash import counts, demo, memory, reference, tiles
from labdeck.contract import ContractError, Result

SHAPES = [(1, 1, 1, 1), (2, 13, 29, 5), (1, 17, 17, 8), (3, 31, 7, 4)]  # heads, Tq, Tk, D
TILES = [(1, 1), (4, 7), (64, 64), (5, 29)]


def draw(
    generator: torch.Generator, heads: int, tq: int, tk: int, d: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    lengths = (tq, tk, tk)
    q, k, v = (torch.randn(heads, n, d, dtype=torch.float64, generator=generator) for n in lengths)
    return q, k, v


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("tile_q", "tile_k"), TILES)
@pytest.mark.parametrize("shape", SHAPES)
def test_any_tile_gives_plain_attention(
    shape: tuple[int, int, int, int],
    tile_q: int,
    tile_k: int,
    causal: bool,
    generator: torch.Generator,
) -> None:
    q, k, v = draw(generator, *shape)
    mask = causal_mask(shape[1], shape[2]) if causal else None
    exact = scaled_dot_product(q, k, v, mask=mask).out
    options = {"causal": causal, "tile_q": tile_q, "tile_k": tile_k}
    out = reference.tiled_attention(q, k, v, **options).out
    torch.testing.assert_close(out, exact, rtol=0, atol=1e-13)
    single = [part.float() for part in (q, k, v)]
    budget = (scaled_dot_product(*single, mask=mask).out - exact).abs().max()
    off = (reference.tiled_attention(*single, **options).out - exact).abs().max()
    assert off <= 8 * budget + 1e-7


def test_tiles_equal_torch(generator: torch.Generator) -> None:
    q, k, v = draw(generator, 2, 19, 23, 6)
    expected = F.scaled_dot_product_attention(q, k, v)
    out = reference.tiled_attention(q, k, v, tile_q=8, tile_k=5).out
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-13)


def test_lse_equals_logsumexp_of_the_scores(generator: torch.Generator) -> None:
    q, k, v = draw(generator, 2, 11, 13, 4)
    expected = torch.logsumexp(q @ k.mT / math.sqrt(4), -1)
    lse = reference.tiled_attention(q, k, v, tile_q=3, tile_k=4).lse
    torch.testing.assert_close(lse, expected, rtol=0, atol=1e-13)


def test_rows_that_see_nothing_are_zero(generator: torch.Generator) -> None:
    q, k, v = draw(generator, 1, 7, 3, 4)  # causal with Tq > Tk: the first four see no key
    out, lse = reference.tiled_attention(q, k, v, causal=True, tile_q=2, tile_k=2)
    assert torch.equal(out[:, :4], torch.zeros(1, 4, 4, dtype=torch.float64))
    assert lse[:, :4].eq(-math.inf).all() and lse[:, 4:].isfinite().all()


def test_a_causal_output_ignores_later_keys(generator: torch.Generator) -> None:
    q, k, v = draw(generator, 1, 9, 9, 4)
    before = reference.tiled_attention(q, k, v, causal=True, tile_q=4, tile_k=2).out
    k[:, -1], v[:, -1] = 50.0, 50.0
    after = reference.tiled_attention(q, k, v, causal=True, tile_q=4, tile_k=2).out
    assert torch.equal(before[:, :-1], after[:, :-1])


def test_the_state_is_that_of_the_keys_seen(generator: torch.Generator) -> None:
    q, k, v = draw(generator, 2, 5, 11, 4)
    for step, state in enumerate(reference.walk(q, k, v, last=None, tile_k=3), start=1):
        seen = min(3 * step, 11)
        scores = q @ k[:, :seen].mT / 2
        torch.testing.assert_close(state.m, scores.amax(-1))
        torch.testing.assert_close(state.l, (scores - state.m[..., None]).exp().sum(-1))
        partial = scaled_dot_product(q, k[:, :seen], v[:, :seen]).out
        torch.testing.assert_close(state.o / state.l[..., None], partial)
    assert step == 4


def test_gradients_equal_those_of_plain_attention(generator: torch.Generator) -> None:
    parts = [part.requires_grad_() for part in draw(generator, 1, 7, 9, 3)]
    grain = torch.randn(1, 7, 3, dtype=torch.float64, generator=generator)
    wanted = torch.autograd.grad((scaled_dot_product(*parts).out * grain).sum(), parts)
    out = reference.tiled_attention(*parts, tile_q=4, tile_k=4).out
    for ours, theirs in zip(torch.autograd.grad((out * grain).sum(), parts), wanted, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


def test_forgetting_to_rescale_is_wrong_once_the_maximum_rises(generator: torch.Generator) -> None:
    q, k, v = draw(generator, 1, 33, 64, 16)
    exact = scaled_dot_product(q, k, v).out
    bad = reference.tiled_attention(q, k, v, tile_k=8, rescale=False).out
    one_tile = reference.tiled_attention(q, k, v, tile_k=64, rescale=False).out
    assert (bad - exact).norm() > 0.1 * exact.norm()
    torch.testing.assert_close(one_tile, exact)


@pytest.mark.parametrize(
    ("shapes", "options", "message"),
    [
        (((3,), (3,), (3,)), {}, "need shapes"),
        (((2, 3), (2, 4), (2, 4)), {}, "q and k must share D"),
        (((1, 2, 3), (2, 3), (2, 3)), {}, "same leading axes"),
        (((2, 3), (0, 3), (0, 3)), {}, "must not be empty"),
        (((2, 3), (2, 3), (2, 3)), {"tile_k": 0}, "got tile_q=64, tile_k=0"),
    ],
)
def test_what_does_not_fit_is_named(
    shapes: tuple[tuple[int, ...], ...], options: dict[str, int], message: str
) -> None:
    with pytest.raises(ValueError) as error:
        reference.tiled_attention(*(torch.zeros(shape) for shape in shapes), **options)
    assert message in str(error.value)


def test_mixed_dtypes_are_named() -> None:
    x = torch.zeros(2, 3)
    with pytest.raises(ValueError, match=r"got torch\.float32, torch\.float64, torch\.float32"):
        reference.tiled_attention(x, x.double(), x)


def test_the_ledger_counts_what_lives() -> None:
    x = torch.zeros(1000)  # 4000 bytes

    def compute() -> torch.Tensor:
        y = x + 1
        z = y.view(10, 100)  # no new storage
        y = z * 2  # two live
        del z
        return y + 1

    assert memory.peak_bytes(compute, [x]) == 8000
    assert memory.peak_bytes(lambda: x.view(10, 100), [x]) == 0


def test_measured_memory_is_what_arithmetic_says(generator: torch.Generator) -> None:
    inputs = tiles.draw(2, 128, 16, causal=False, generator=generator, device="cpu")
    peaks = tiles.peaks(inputs, 16)
    scores = 2 * counts.score_bytes(128, 4)
    assert scores <= peaks.plain <= 3 * scores
    output = 2 * 128 * 17 * 4  # out and lse
    assert output < peaks.tiled < output + 2 * 6 * counts.tile_bytes(16, 16, 16, 4)


def test_traffic_counts_equal_a_walk_over_tiles() -> None:
    tokens, width, tile = 100, 8, 32
    moved = 0
    for start in range(0, tokens, tile):
        rows = min(tile, tokens - start)
        moved += 2 * rows * width  # q in, o out
        moved += 2 * tokens * width  # all keys and values
    assert counts.tiled_traffic_bytes(tokens, width, tile, 2) == 2 * moved
    assert counts.plain_traffic_bytes(tokens, width, 2) == 2 * (4 * tokens * width + 4 * tokens**2)
    assert counts.tile_bytes(3, 5, 7, 4) == 4 * (3 * 7 + 5 * 7 + 5 * 7 + 3 * 7 + 3 * 5 + 3 + 3)


def test_the_maximum_keeps_large_logits_finite(generator: torch.Generator) -> None:
    inputs = tiles.draw(1, 40, 16, causal=False, generator=generator, device="cpu")
    overflow = tiles.overflow(inputs, 16)
    assert overflow.without_max > 0.1 and overflow.tiled == 0


@pytest.mark.parametrize("causal", [False, True])
def test_tiling_demo(causal: bool, perform: Callable[..., Result]) -> None:
    result = perform(demo.tiling, tokens=67, tile=16, width=8, causal=causal)
    assert set(result.figures) == {"running", "error", "memory", "traffic"}
    value = {name: number.value for name, number in result.numbers.items()}
    assert value["error_fp64"] < 1e-13
    assert value["error_fp32"] < 1e-5 < 1e-2 < value["error_forgot"]
    assert value["peak_tiled"] > 0
    assert value["score_matrix"] == pytest.approx(2 * 67 * 67 * 4 / 2**20)
    sums = result.figures["running"].spec["data"]
    assert len(sums[0]["y"]) == 5
    assert sums[0]["y"] == sorted(sums[0]["y"])


def test_a_tile_larger_than_the_sequence(perform: Callable[..., Result]) -> None:
    perform(demo.tiling, tokens=2, tile=64, width=1, heads=1)


def test_same_seed_same_result(perform: Callable[..., Result]) -> None:
    first, again, other = (perform(demo.tiling, tokens=20, seed=seed) for seed in (1, 1, 2))
    assert first == again != other


def test_parameters_have_bounds() -> None:
    with pytest.raises(ContractError, match="`tile` must be an integer from 1 to 1024, got 0"):
        demo.tiling.bind({"tile": 0})
    assert demo.tiling.bind({}, "cuda:0")["tokens"] > demo.tiling.bind({})["tokens"]
