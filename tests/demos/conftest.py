"""What the tests of the demos share: one thread, a small run, and a look at what a demo returns."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import torch

from labdeck.contract import Demo, Progress, Result, Run

UNIT = re.compile(r"\d+ [KMGT]iB\Z")  # the same in every language
LETTERS = re.compile(r"[A-Za-z]{2}")
LOOKS = {
    "color",
    "colorscale",
    "colorway",
    "font",
    "tickfont",
    "template",
    "bgcolor",
    "paper_bgcolor",
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def perform() -> Callable[..., Result]:
    """Run a demo with its parameters checked, see that it reports, and look its result over."""

    def perform(demo: Demo, *, seed: int = 0, **params: object) -> Result:
        heard: list[Progress] = []
        state = torch.get_rng_state()
        result = demo(Run(seed=seed, report=heard.append), **demo.bind(params))
        assert torch.equal(state, torch.get_rng_state()), "global random numbers drawn"
        steps = [progress.step for progress in heard]
        assert steps == sorted(steps)
        assert heard[-1].step == heard[-1].total
        look_over(result)
        return result

    return perform


def look_over(result: Result) -> None:
    for name, number in result.numbers.items():
        assert set(number.label) == {"en", "zh"} and all(number.label.values()), name
        assert type(number.value) in (int, float), name
    for name, figure in result.figures.items():
        text = json.dumps(figure.spec, allow_nan=False)
        assert len(text.encode()) < 100_000, name
        assert "bdata" not in text, name
        assert not LOOKS & set(keys(figure.spec)), name
        assert set(figure.alt) == {"en", "zh"}, name
        assert re.search(r"\d", figure.alt["en"]) and re.search(r"\d", figure.alt["zh"]), name
        assert re.search("[一-鿿]", figure.alt["zh"]), name
        missing = english(figure.spec) - set(figure.words["zh"])
        assert not missing, f"{name} has no Chinese for {missing}"


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield key
            yield from keys(item)
    elif isinstance(value, list):
        for item in value:
            yield from keys(item)


def english(value: Any, shown: bool = False) -> set[str]:
    """Strings that a reader sees and that have words in them."""
    if isinstance(value, Mapping):
        seen = ("text", "name", "ticktext")
        return set().union(*(english(item, key in seen) for key, item in value.items()), set())
    if isinstance(value, list):
        return set().union(*(english(item, shown) for item in value), set())
    words = isinstance(value, str) and LETTERS.search(value) and not UNIT.match(value)
    return {value} if shown and words else set()
