from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from demos.attention.formula import copy_weights
from demos.attention.reference import MultiHeadAttention
from demos.transformer import counts, demo, reference, reversal
from labdeck.contract import ContractError, Result

ORDERS = pytest.mark.parametrize("norm_first", [True, False])


def small(**more: object) -> reference.Config:
    sizes = {"symbols": 5, "width": 8, "heads": 2, "layers": 2, "hidden": 12}
    return reference.Config(**{**sizes, **more})


def copy_linear(ours: nn.Module, theirs: nn.Module) -> None:
    theirs.load_state_dict(ours.state_dict())


def randomized(module: nn.Module, generator: torch.Generator) -> nn.Module:
    """The same module with every parameter, biases and norms too, away from its start."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=generator)
    return module.double()


def torch_layer(ours: nn.Module, config: reference.Config) -> nn.Module:
    decoder = isinstance(ours, reference.DecoderLayer)
    kind = nn.TransformerDecoderLayer if decoder else nn.TransformerEncoderLayer
    theirs = kind(
        config.width,
        config.heads,
        config.hidden,
        dropout=0.0,
        batch_first=True,
        norm_first=config.norm_first,
    ).double()
    copy_weights(ours.attend, theirs.self_attn)
    if decoder:
        copy_weights(ours.cross, theirs.multihead_attn)
    copy_linear(ours.feed[0], theirs.linear1)
    copy_linear(ours.feed[2], theirs.linear2)
    for index, norm in enumerate(ours.norms, start=1):
        copy_linear(norm, getattr(theirs, f"norm{index}"))
    return theirs


def causal(tokens: int) -> torch.Tensor:
    return torch.ones(tokens, tokens, dtype=torch.bool).triu(1)  # True: torch may not look


@ORDERS
def test_layers_equal_torch_with_the_same_weights(
    norm_first: bool, generator: torch.Generator
) -> None:
    config = small(norm_first=norm_first)
    x = torch.randn(3, 5, 8, dtype=torch.float64, generator=generator)
    memory = torch.randn(3, 7, 8, dtype=torch.float64, generator=generator)
    encoder = randomized(reference.EncoderLayer(config), generator)
    torch.testing.assert_close(encoder(x), torch_layer(encoder, config)(x), rtol=0, atol=1e-12)
    decoder = randomized(reference.DecoderLayer(config), generator)
    expected = torch_layer(decoder, config)(x, memory, tgt_mask=causal(5))
    torch.testing.assert_close(decoder(x, memory)[0], expected, rtol=0, atol=1e-12)


@ORDERS
def test_the_whole_equals_torch_with_the_same_weights(
    norm_first: bool, generator: torch.Generator
) -> None:
    config = small(norm_first=norm_first)
    model = randomized(reference.Transformer(config), generator)
    source = torch.randint(5, (2, 6), generator=generator)
    target = torch.randint(6, (2, 4), generator=generator)

    def embedded(symbols: torch.Tensor) -> torch.Tensor:
        places = reference.sinusoids(symbols.shape[1], 8).double()
        return model.embed(symbols) * math.sqrt(8) + places

    memory, x = embedded(source), embedded(target)
    for layer in model.encoder:
        memory = torch_layer(layer, config)(memory)
    memory = model.encoder_norm(memory)
    for layer in model.decoder:
        x = torch_layer(layer, config)(x, memory, tgt_mask=causal(4))
    expected = model.write(model.decoder_norm(x))
    torch.testing.assert_close(model(source, target).logits, expected, rtol=0, atol=1e-12)
    assert isinstance(model.encoder_norm, nn.LayerNorm) is norm_first


def test_what_comes_later_in_the_target_changes_nothing(generator: torch.Generator) -> None:
    model = reference.Transformer(small()).double()
    source = torch.randint(5, (1, 6), generator=generator)
    target = torch.randint(5, (1, 5), generator=generator)
    before = model(source, target).logits
    target[:, -1] = (target[:, -1] + 1) % 5
    after = model(source, target).logits
    torch.testing.assert_close(before[:, :-1], after[:, :-1], rtol=0, atol=1e-14)
    assert not torch.equal(before[:, -1], after[:, -1])


def test_without_positions_the_encoder_does_not_see_order(generator: torch.Generator) -> None:
    source = torch.randint(5, (1, 6), generator=generator)
    for positions in (False, True):
        model = reference.Transformer(small(positions=positions)).double()
        same = torch.allclose(model.encode(source).flip(1), model.encode(source.flip(1)))
        assert same is not positions


def test_sinusoids_equal_the_formula() -> None:
    table = reference.sinusoids(7, 6)
    for t in range(7):
        for i in range(3):
            angle = t / 10000 ** (2 * i / 6)
            assert table[t, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-6)
            assert table[t, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-6)
    with pytest.raises(ValueError, match="width must be even, got 3"):
        reference.sinusoids(2, 3)


def test_greedy_writes_what_the_logits_say(generator: torch.Generator) -> None:
    model = reference.Transformer(small()).double()
    source = torch.randint(5, (4, 6), generator=generator)
    written = model.greedy(source, 5)
    shown = reversal.shifted(written, model.start)
    assert torch.equal(model(source, shown).logits.argmax(-1), written)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"layers": 0}, "must be 1 or more"),
        ({"width": 9, "heads": 3}, "width must be even"),
        ({"width": 10, "heads": 4}, "a multiple of heads"),
    ],
)
def test_sizes_that_do_not_fit_are_named(sizes: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(**sizes)


def test_shapes_that_do_not_fit_are_named() -> None:
    model = reference.Transformer(small())
    with pytest.raises(ValueError, match=r"source must have shape \(B, T\), got \(3,\)"):
        model.encode(torch.zeros(3, dtype=torch.long))


@ORDERS
@pytest.mark.parametrize("layers", [1, 3])
def test_counts_equal_the_model_and_the_profiler(layers: int, norm_first: bool) -> None:
    config = small(layers=layers, norm_first=norm_first)
    model = reference.Transformer(config)
    assert counts.parameters(config) == sum(p.numel() for p in model.parameters())
    source, target = torch.zeros(2, 6, dtype=torch.long), torch.zeros(2, 4, dtype=torch.long)
    with FlopCounterMode(display=False) as counter:
        model(source, target)
    assert counter.get_total_flops() == counts.forward_flops(config, 2, 6, 4)


def test_the_model_attends_with_our_own_attention() -> None:
    model = reference.Transformer(small())
    found = [m for m in model.modules() if isinstance(m, MultiHeadAttention)]
    assert len(found) == 2 * 3  # one in each encoder layer, two in each decoder layer


def test_scores_of_a_model_that_is_always_right() -> None:
    class Oracle:
        start = 20

        def __call__(self, source: torch.Tensor, target: torch.Tensor) -> reference.Output:
            logits = nn.functional.one_hot(source.flip(1), 20).double()
            return reference.Output(logits, logits)

        def greedy(self, source: torch.Tensor, length: int) -> torch.Tensor:
            wrong = source.flip(1)
            wrong[0, 0] = (wrong[0, 0] + 1) % 20
            return wrong

    source = torch.arange(20).view(4, 5)
    score = reversal.score(Oracle(), source, 7)
    assert score == reversal.Score(step=7, taught=1.0, symbols=19 / 20, exact=3 / 4)


def test_a_model_learns_to_reverse_and_needs_positions() -> None:
    lessons = [
        reversal.teach(reference.Config(20, 32, 2, 1, 64, positions=flag), 4, 150, seed=0)
        for flag in (True, False)
    ]
    with_positions, without = (lesson.scores[-1].exact for lesson in lessons)
    assert with_positions > 0.9 and without < 0.3
    look = reversal.look(lessons[0].model, torch.tensor([3, 1, 4, 2]))
    assert look.source == "DBEC" and look.written == "CEBD"
    assert [sum(row) for row in look.weights] == pytest.approx([1] * 4, abs=1e-5)
    assert look.mirrored > 1 / 4


def test_reverse_demo(perform: Callable[..., Result]) -> None:
    result = perform(demo.reverse, length=3, steps=4, width=8, layers=1)
    assert set(result.figures) == {"loss", "accuracy", "cross_attention"}
    value = {name: number.value for name, number in result.numbers.items()}
    assert value["loss_chance"] == pytest.approx(math.log(20))
    assert value["steps"] == 4
    model = reference.Transformer(reference.Config(20, 8, 4, 1, 16))
    assert value["parameters"] == sum(p.numel() for p in model.parameters())
    shown = result.figures["accuracy"].spec["data"]
    assert shown[-1]["y"][-1] == pytest.approx(value["exact_match"], abs=1e-4)


def test_the_paper_s_order_and_no_positions_run(perform: Callable[..., Result]) -> None:
    perform(demo.reverse, length=2, steps=1, width=8, layers=1, norm_first=False, positions=False)


def test_same_seed_same_result(perform: Callable[..., Result]) -> None:
    sizes = {"length": 3, "steps": 3, "width": 8, "layers": 1}
    first, again, other = (perform(demo.reverse, seed=seed, **sizes) for seed in (1, 1, 2))
    assert first == again != other


def test_parameters_have_bounds() -> None:
    with pytest.raises(ContractError, match="`length` must be an integer from 2 to 40, got 1"):
        demo.reverse.bind({"length": 1})
    with pytest.raises(ContractError, match="`positions` must be true or false"):
        demo.reverse.bind({"positions": 1})
