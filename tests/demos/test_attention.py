from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from demos.attention import coreference, counts, demo, formula, reference, relations
from labdeck.contract import ContractError, Result

SIZES = [(1, 1, 1, 1), (3, 5, 7, 2), (13, 2, 4, 4), (7, 7, 1, 3)]  # Tq, Tk, D, Dv


def draw(generator: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize(("tq", "tk", "d", "dv"), SIZES)
def test_scaled_dot_product_equals_loops_and_torch(
    tq: int, tk: int, d: int, dv: int, generator: torch.Generator
) -> None:
    q, k, v = draw(generator, 2, tq, d), draw(generator, 2, tk, d), draw(generator, 2, tk, dv)
    out, weights = reference.scaled_dot_product(q, k, v)
    naive = torch.zeros(2, tq, dv, dtype=torch.float64)
    for b in range(2):
        for i in range(tq):
            scores = [float(q[b, i] @ k[b, j]) / math.sqrt(d) for j in range(tk)]
            total = sum(math.exp(score) for score in scores)
            for j in range(tk):
                naive[b, i] += math.exp(scores[j]) / total * v[b, j]
    torch.testing.assert_close(out, naive, rtol=0, atol=1e-12)
    torch.testing.assert_close(out, F.scaled_dot_product_attention(q, k, v), rtol=0, atol=1e-12)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, tq, dtype=torch.float64))


def test_a_mask_means_what_it_means_to_torch(generator: torch.Generator) -> None:
    q, k, v = draw(generator, 3, 5, 4), draw(generator, 3, 7, 4), draw(generator, 3, 7, 4)
    mask = torch.rand(3, 5, 7, generator=generator) > 0.4
    mask[..., 0] = True
    expected = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    out = reference.scaled_dot_product(q, k, v, mask=mask).out
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-12)


def test_a_query_that_sees_nothing_gets_zeros(generator: torch.Generator) -> None:
    q, k, v = (draw(generator, 3, 4) for _ in range(3))
    mask = torch.tensor([[True, False, True], [False] * 3, [True] * 3])
    out, weights = reference.scaled_dot_product(q, k, v, mask=mask)
    assert torch.equal(out[1], torch.zeros(4, dtype=torch.float64))
    assert weights.sum(-1).tolist() == pytest.approx([1, 0, 1])


@pytest.mark.parametrize(("tq", "tk"), [(6, 6), (3, 8)])
def test_a_causal_output_ignores_later_tokens(tq: int, tk: int, generator: torch.Generator) -> None:
    q, k, v = draw(generator, tq, 4), draw(generator, tk, 4), draw(generator, tk, 4)
    mask = reference.causal_mask(tq, tk)
    before = reference.scaled_dot_product(q, k, v, mask=mask).out
    assert mask[-1].all() and mask[0].sum() == tk - tq + 1
    k[-1], v[-1] = 9.0, 9.0
    after = reference.scaled_dot_product(q, k, v, mask=mask).out
    assert torch.equal(before[:-1], after[:-1])
    assert not torch.equal(before[-1], after[-1])


def test_without_positions_attention_does_not_see_order(generator: torch.Generator) -> None:
    x, order = draw(generator, 6, 4), torch.randperm(6, generator=generator)
    out = reference.scaled_dot_product(x, x, x).out
    shuffled = reference.scaled_dot_product(x[order], x[order], x[order]).out
    torch.testing.assert_close(shuffled, out[order])


def test_entropy_of_known_weights() -> None:
    weights = torch.tensor([[1.0, 0, 0, 0], [0.25] * 4, [0.5, 0.5, 0, 0]])
    assert reference.entropy(weights).tolist() == pytest.approx([0, math.log(4), math.log(2)])


def test_with_v_inside_the_softmax_every_row_sums_to_one(generator: torch.Generator) -> None:
    q, k, v = (draw(generator, 5, 3) for _ in range(3))
    wrong = reference.misplaced_v(q, k, v)
    torch.testing.assert_close(wrong.sum(-1), torch.ones(5, dtype=torch.float64))
    assert (wrong >= 0).all()
    assert not torch.allclose(wrong, reference.scaled_dot_product(q, k, v).out, atol=0.1)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((4,), (4,), (4,)), "need shapes"),
        (((2, 3), (2, 4), (2, 4)), "same last axis D, got q (2, 3), k (2, 4), v (2, 4)"),
        (((2, 3), (5, 3), (4, 3)), "same number of keys Tk, got q (2, 3), k (5, 3), v (4, 3)"),
    ],
)
def test_wrong_shapes_are_named(shapes: tuple[tuple[int, ...], ...], message: str) -> None:
    with pytest.raises(ValueError) as error:
        reference.scaled_dot_product(*(torch.zeros(shape) for shape in shapes))
    assert message in str(error.value)


def test_wrong_dtypes_are_named() -> None:
    x = torch.zeros(2, 3)
    with pytest.raises(ValueError, match=r"one floating dtype, got torch\.float32, torch\.float64"):
        reference.scaled_dot_product(x, x.double(), x)
    with pytest.raises(ValueError, match="mask must be boolean"):
        reference.scaled_dot_product(x, x, x, mask=torch.ones(2, 2))


@pytest.mark.parametrize(("channels", "heads"), [(6, 1), (6, 3), (8, 8)])
def test_multi_head_equals_torch_with_the_same_weights(
    channels: int, heads: int, generator: torch.Generator
) -> None:
    ours = reference.MultiHeadAttention(channels, heads).double()
    theirs = torch.nn.MultiheadAttention(channels, heads, batch_first=True).double()
    formula.copy_weights(ours, theirs)
    x, y = draw(generator, 2, 5, channels), draw(generator, 2, 7, channels)
    mask = torch.rand(5, 7, generator=generator) > 0.3
    mask[:, 0] = True
    out, weights = ours(x, y, mask=mask)
    expected, seen = theirs(x, y, y, attn_mask=~mask, average_attn_weights=False)
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(weights, seen, rtol=0, atol=1e-12)
    assert formula.multi_head_error_against_torch(channels, heads, generator) < 1e-12


def test_multi_head_names_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="multiple of heads, got 6 and 4"):
        reference.MultiHeadAttention(6, 4)
    with pytest.raises(ValueError, match=r"x must have shape \(B, T, 6\), got \(2, 5\)"):
        reference.MultiHeadAttention(6, 2)(torch.zeros(2, 5))


def test_counts_equal_the_model_and_the_profiler() -> None:
    module = reference.MultiHeadAttention(12, 3)
    assert counts.multi_head_parameters(12) == sum(p.numel() for p in module.parameters())
    with FlopCounterMode(display=False) as counter:
        module(torch.zeros(2, 5, 12), torch.zeros(2, 7, 12))
    assert counter.get_total_flops() == counts.multi_head_flops(2, 5, 7, 12)
    assert counts.attention_flops(2, 3, 5, 7, 4) == 4 * 2 * 3 * 5 * 7 * 4
    q, k, scores = 2 * 3 * 5 * 4, 2 * 3 * 7 * 4, 2 * 3 * 5 * 7
    assert counts.attention_bytes(2, 3, 5, 7, 4, itemsize=2) == 2 * (2 * q + 2 * k + 2 * scores)


def test_scores_have_the_variance_that_theory_says(generator: torch.Generator) -> None:
    spread = formula.spread(64, generator)
    assert spread.variance == pytest.approx(64, rel=0.1)
    assert spread.scaled_variance == pytest.approx(1, rel=0.1)
    assert spread.largest > 3 * spread.scaled_largest > 3 / formula.KEYS


def test_sentences_mean_what_they_say(generator: torch.Generator) -> None:
    known, unknown = coreference.split_cases(generator)
    assert len(known) + len(unknown) == 8 * 7 * 8
    assert not set(map(tuple, known.tolist())) & set(map(tuple, unknown.tolist()))
    words, meant = coreference.spell(unknown, generator)
    for sentence, wanted in zip(words.tolist(), meant.tolist(), strict=True):
        spelled = [coreference.WORDS[index] for index in sentence]
        noun = spelled[0] if spelled[-1] in coreference.BIG else spelled[2]
        assert spelled[coreference.IT] == "it"
        assert coreference.WORDS[wanted[coreference.IT]] == noun
        assert [a for i, a in enumerate(wanted) if i != 4] == [
            a for i, a in enumerate(sentence) if i != 4
        ]


def test_relations_point_where_they_say() -> None:
    assert relations.sources(4).tolist() == [[3, 1, 0, 3], [0, 2, 0, 2], [1, 3, 0, 1], [2, 0, 0, 0]]


def test_a_silenced_head_no_longer_counts() -> None:
    model = relations.Relater(8, 2)
    letters = torch.randint(26, (3, 9))
    quiet = relations.silenced(relations.silenced(model, 0), 1)
    bias = model.read(model.attend.o.bias).view(4, 26)
    torch.testing.assert_close(quiet(letters)[0], bias.expand(3, 9, 4, 26))
    assert not torch.allclose(model(letters)[0], quiet(letters)[0])


def test_divergence_of_known_heads() -> None:
    first, second = torch.zeros(1, 1, 2, 4), torch.zeros(1, 1, 2, 4)
    first[..., 0], second[..., 1] = 1, 1
    assert relations.divergence(torch.cat([first, second], 1)) == pytest.approx(math.log(2))
    assert relations.divergence(torch.cat([first, first], 1)) == 0
    assert relations.divergence(first) == 0


def test_looking_at_unknown_words_is_an_error() -> None:
    with pytest.raises(ValueError, match="a sentence has 7 words"):
        coreference.look(coreference.Reader(8), ("trophy",))
    with pytest.raises(ValueError, match="9 letters A to Z, got 'word'"):
        relations.look(relations.Relater(8, 1), "word")


def test_self_attention_demo(perform: Callable[..., Result]) -> None:
    result = perform(demo.scaled_dot_product, steps=20, width=8)
    assert set(result.figures) == {"weights", "flip", "scaling", "saturation", "row_sums"}
    value = {name: number.value for name, number in result.numbers.items()}
    assert value["error_fp64"] < 1e-12
    assert value["wrong_row_sum"] == pytest.approx(1, abs=1e-12)
    assert value["wrong_row_sum_error"] < 1e-12 < value["wrong_difference"]
    assert 0 < value["entropy"] <= value["entropy_uniform"] == pytest.approx(math.log(7))
    map_ = result.figures["weights"].spec["data"][0]["z"]
    assert [sum(row) for row in map_] == pytest.approx([1] * 7, abs=1e-3)
    assert map_[4][0] == pytest.approx(value["it_on_trophy"], abs=1e-4)


def test_a_trained_reader_looks_at_what_it_means() -> None:
    reading = coreference.train(32, 300, seed=0)
    assert reading.accuracy > 0.9
    assert reading.parameters == sum(p.numel() for p in reading.reader.parameters())
    for word, place in (("big", 0), ("small", 2)):
        weights = coreference.look(reading.reader, (*demo.SENTENCE[:-1], word))
        assert weights[coreference.IT].argmax() == place


def test_multi_head_demo(perform: Callable[..., Result]) -> None:
    result = perform(demo.multi_head, steps=15, width=16, heads=2)
    assert set(result.figures) == {"heads", "accuracy", "division"}
    value = {name: number.value for name, number in result.numbers.items()}
    assert {"entropy_1", "entropy_2"} <= set(value) and "entropy_3" not in value
    assert value["parameters"] == 4 * 16**2 + 4 * 16
    assert value["error_fp64"] < 1e-12
    assert 0 <= value["divergence"] <= math.log(2)
    assert len(result.figures["heads"].spec["data"]) == 2


@pytest.mark.parametrize("heads", [1, 8])
def test_one_head_and_eight_can_be_drawn(heads: int, perform: Callable[..., Result]) -> None:
    result = perform(demo.multi_head, steps=1, width=8, heads=heads)
    assert len(result.figures["heads"].spec["data"]) == heads


def test_several_heads_do_what_one_cannot() -> None:
    one, four = (relations.train(64, heads, 250, seed=0) for heads in (1, 4))
    assert four.mean_accuracy > 0.95 > 0.7 > one.mean_accuracy
    for relation in range(4):
        assert max(lost[relation] for lost in four.lost) > 0.5


def test_same_seed_same_result(perform: Callable[..., Result]) -> None:
    first, again, other = (
        perform(demo.scaled_dot_product, steps=5, width=8, seed=seed) for seed in (3, 3, 4)
    )
    assert first == again != other


def test_parameters_have_bounds() -> None:
    with pytest.raises(ContractError, match="`heads` must be an integer from 1 to 8, got 9"):
        demo.multi_head.bind({"heads": 9})
    with pytest.raises(ContractError, match="`steps` must be an integer from 1 to 5000"):
        demo.scaled_dot_product.bind({"steps": 0})


def test_heads_must_divide_the_width(perform: Callable[..., Result]) -> None:
    with pytest.raises(ContractError, match="heads = 3 does not divide width = 8"):
        perform(demo.multi_head, heads=3, width=8)
