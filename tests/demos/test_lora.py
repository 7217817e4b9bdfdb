from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from demos.lora import adaptation, counts, demo, glyphs, reference
from labdeck.contract import ContractError, Result

RANKS = pytest.mark.parametrize("rank", [1, 3, 5, 40])  # 40 is more than the layer is wide


def adapter(rank: int, generator: torch.Generator, **more: float) -> reference.LoRALinear:
    """An adapter in the middle of training: neither A nor B is zero."""
    module = reference.LoRALinear(nn.Linear(7, 5), rank, generator=generator, **more).double()
    with torch.no_grad():
        module.b.copy_(torch.randn(5, rank, generator=generator))
    return module


def model() -> nn.Sequential:
    return nn.Sequential(nn.Linear(7, 6), nn.ReLU(), nn.Linear(6, 3))


@RANKS
def test_with_b_at_zero_nothing_changes(rank: int, generator: torch.Generator) -> None:
    base = model()
    x = torch.randn(11, 7, generator=generator)
    changed = reference.adapted(base, rank, generator=generator)
    assert torch.equal(changed(x), base(x))
    assert all(layer.a.abs().max() > 0 for layer in changed if hasattr(layer, "a"))


@RANKS
def test_the_update_equals_the_formula(rank: int, generator: torch.Generator) -> None:
    module = adapter(rank, generator, alpha=6.0)
    x = torch.randn(4, 7, dtype=torch.float64, generator=generator)
    for row, out in zip(x, module(x), strict=True):
        down = [sum(module.a[r, i] * row[i] for i in range(7)) for r in range(rank)]
        for o in range(5):
            up = sum(module.b[o, r] * down[r] for r in range(rank))
            wanted = module.base.weight[o] @ row + module.base.bias[o] + 6.0 / rank * up
            assert out[o].item() == pytest.approx(wanted.item(), abs=1e-12)


@RANKS
def test_merged_equals_unmerged(rank: int, generator: torch.Generator) -> None:
    module = adapter(rank, generator)
    x = torch.randn(9, 7, dtype=torch.float64, generator=generator)
    before = module.base.weight.clone()
    torch.testing.assert_close(module.merged()(x), module(x), rtol=0, atol=1e-12)
    assert torch.equal(module.base.weight, before), "merging leaves the base as it was"
    whole = reference.adapted(model(), rank, generator=generator)
    with torch.no_grad():
        for layer in whole:
            if isinstance(layer, reference.LoRALinear):
                layer.b.normal_(generator=generator)
    plain = reference.merged(whole)
    assert not any(isinstance(layer, reference.LoRALinear) for layer in plain)
    torch.testing.assert_close(plain(x.float()), whole(x.float()), rtol=1e-5, atol=1e-5)


def test_the_first_gradient_goes_to_b_alone(generator: torch.Generator) -> None:
    module = reference.LoRALinear(nn.Linear(7, 5), 2, generator=generator)
    module(torch.randn(3, 7, generator=generator)).square().sum().backward()
    assert module.b.grad.abs().max() > 0
    assert torch.equal(module.a.grad, torch.zeros_like(module.a))
    assert module.base.weight.grad is None


def test_a_starts_as_kaiming_uniform_says(generator: torch.Generator) -> None:
    module = reference.LoRALinear(nn.Linear(400, 5), 50, generator=generator)
    expected = nn.init.kaiming_uniform_(torch.empty(50, 400), a=5**0.5, generator=generator)
    assert module.a.abs().max().item() == pytest.approx(expected.abs().max().item(), rel=1e-2)
    assert module.a.std().item() == pytest.approx(expected.std().item(), rel=2e-2)


def test_only_adapters_are_trained(generator: torch.Generator) -> None:
    base = model()
    changed = reference.adapted(base, 2, generator=generator)
    trained = [p for p in changed.parameters() if p.requires_grad]
    assert sum(p.numel() for p in trained) == counts.adapters_parameters((7, 6, 3), 2)
    assert all(p.requires_grad for p in base.parameters()), "the model given stays trainable"
    assert sum(p.numel() for p in base.parameters()) == counts.model_parameters((7, 6, 3))


def test_detaching_gives_the_base_back_bit_for_bit(generator: torch.Generator) -> None:
    base = model()
    changed = reference.adapted(base, 2, generator=generator)
    trained = [p for p in changed.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=0.1)
    x = torch.randn(8, 7, generator=generator)
    for _ in range(3):
        optimizer.zero_grad()
        changed(x).square().sum().backward()
        optimizer.step()
    assert not torch.allclose(changed(x), base(x))
    assert torch.equal(reference.detached(changed)(x), base(x))


def test_energy_of_a_matrix_of_known_rank(generator: torch.Generator) -> None:
    left, right = torch.randn(7, 2, generator=generator), torch.randn(2, 5, generator=generator)
    share = reference.energy(left @ right)
    assert share.shape == (5,) and share[0] < 0.999
    assert share[1:].tolist() == pytest.approx([1] * 4)
    assert reference.energy(torch.diag(torch.tensor([3.0, 4.0]))).tolist() == pytest.approx(
        [16 / 25, 1]
    )
    assert reference.energy(torch.zeros(3, 2)).tolist() == [0, 0]


def test_no_update_of_its_rank_comes_closer(generator: torch.Generator) -> None:
    target = torch.randn(8, 6, dtype=torch.float64, generator=generator)
    left = torch.randn(8, 2, dtype=torch.float64, generator=generator)
    fitted = left @ torch.linalg.lstsq(left, target).solution  # the best with this column space
    kept = 1 - ((target - fitted).norm() / target.norm()).item() ** 2
    assert kept <= reference.energy(target)[1].item() + 1e-12


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(ValueError, match="rank must be 1 or more, got 0"):
        reference.LoRALinear(nn.Linear(2, 2), 0)
    with pytest.raises(ValueError, match="no linear layer to adapt in Sequential"):
        reference.adapted(nn.Sequential(nn.ReLU()), 1)


def test_turning_is_a_quarter_turn_and_an_inversion(generator: torch.Generator) -> None:
    upright = glyphs.draw(5, generator)
    turned = glyphs.turned(upright)
    side = glyphs.SIDE
    before, after = (part.images.view(5, side, side) for part in (upright, turned))
    for row in range(side):
        for column in range(side):
            wanted = 1 - before[:, column, side - 1 - row]
            torch.testing.assert_close(after[:, row, column], wanted)
    assert torch.equal(upright.digits, turned.digits)


def test_without_noise_digits_differ_as_their_strokes_do(generator: torch.Generator) -> None:
    drawn = glyphs.draw(300, generator, noise=0.0)
    one, eight = (drawn.images[drawn.digits == digit].gt(0).sum(1) for digit in (1, 8))
    assert eight.min() > 2 * one.max()
    assert set(drawn.digits.tolist()) == set(range(10))


def test_state_bytes_are_what_arithmetic_says() -> None:
    trial = adaptation.trial(8, 2, 4.0, 2, adaptation.Rates(), seed=0)
    widths = adaptation.widths(8)
    low, full = counts.adapters_parameters(widths, 2), counts.model_parameters(widths)
    assert (trial.low.trained, trial.full.trained) == (low, full)
    assert trial.low.state_bytes == counts.adam_state_bytes(low, 4)
    assert trial.full.state_bytes == counts.adam_state_bytes(full, 4)
    assert trial.low_old_detached == trial.base_old


def test_adapters_come_close_to_full_fine_tuning() -> None:
    trial = adaptation.trial(128, 8, 16.0, 250, adaptation.Rates(), seed=0)
    full, low = trial.full.accuracies[-1], trial.low.accuracies[-1]
    assert trial.base_old > 0.9 and trial.base_new < 0.3
    assert full > 0.8 and low > full - 0.1
    assert trial.full.kept < trial.base_old - 0.3
    assert trial.merge_error < 1e-3


def test_finetune_demo(perform: Callable[..., Result]) -> None:
    result = perform(demo.finetune, rank=2, hidden=8, steps=3, repeats=2)
    assert set(result.figures) == {"accuracy", "loss", "tasks", "energy", "samples"}
    value = {name: number.value for name, number in result.numbers.items()}
    widths = adaptation.widths(8)
    assert value["trainable"] == counts.adapters_parameters(widths, 2)
    assert value["trainable_share"] == value["trainable"] / value["parameters"]
    assert value["old_detached"] == value["old_base"]
    assert value["merge_error"] < 1e-4
    assert value["state_full"] / value["state"] == pytest.approx(1 / value["trainable_share"])
    assert result.numbers["accuracy"].spread is not None
    assert result.numbers["loss"].unit == "nat"


def test_a_rank_beyond_the_width_runs(perform: Callable[..., Result]) -> None:
    result = perform(demo.finetune, rank=64, hidden=8, steps=1, repeats=1)
    assert result.numbers["trainable_share"].value > 1
    assert result.numbers["energy"].value == pytest.approx(1)


def test_same_seed_same_result(perform: Callable[..., Result]) -> None:
    sizes = {"hidden": 8, "steps": 2, "repeats": 1}
    first, again, other = (perform(demo.finetune, seed=seed, **sizes) for seed in (1, 1, 2))
    assert first == again != other


def test_parameters_have_bounds() -> None:
    with pytest.raises(ContractError, match="`rank` must be an integer from 1 to 128, got 0"):
        demo.finetune.bind({"rank": 0})
    assert demo.finetune.bind({}, "cuda:0")["hidden"] > demo.finetune.bind({})["hidden"]
