from __future__ import annotations

import math
from typing import Annotated, Any

import pytest

from labdeck.contract import (
    SEED_LIMIT,
    ContractError,
    Demo,
    Figure,
    Number,
    Param,
    Progress,
    Result,
    Run,
    Table,
    demo,
)

ONE = {"n": Number(1)}
SPEC: dict[str, Any] = {"data": [], "layout": {}}


@demo(question="q", source="s", limit_s=5)
def sample(
    run: Run,
    rank: Annotated[int, Param("size", low=1, high=64, cuda=32)] = 4,
    rate: Annotated[float, Param("step", low=0.0, high=1.0)] = 0.5,
    mode: Annotated[str, Param("which", choices=("sum", "mean"))] = "sum",
    name: Annotated[str, Param("any text")] = "x",
    causal: Annotated[bool, Param("mask")] = True,
) -> Result:
    run.step(1, 2, loss=0.5)
    return Result({"n": Number(rank)})


def error(make: Any) -> tuple[str, str | None]:
    with pytest.raises(ContractError) as caught:
        make()
    assert str(caught.value) == caught.value.message
    return caught.value.message, caught.value.hint


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Number("1"), "a Number needs an int or a float, got '1'"),
        (lambda: Number(True), "a Number needs an int or a float, got True"),
        (lambda: Number(math.nan), "a Number must be finite, got nan"),
        (lambda: Number(-math.inf), "a Number must be finite, got -inf"),
        (
            lambda: Number(1, kind="guessed"),
            "a Number is measured, derived or quoted, got 'guessed'",
        ),
        (
            lambda: Figure({"data": []}, "alt"),
            "a Figure needs a plotly spec with `data` and `layout`",
        ),
        (
            lambda: Figure({"layout": {}}, "a"),
            "a Figure needs a plotly spec with `data` and `layout`",
        ),
        (lambda: Figure(SPEC, ""), "a Figure needs an alternative text (alt)"),
        (
            lambda: Table(["a", "b"], [[1, 2], [3]]),
            "a Table row has 1 cells under 2 columns: [3]",
        ),
        (lambda: Result({}), "a Result needs at least one Number"),
        (
            lambda: Result({"Loss": Number(1)}),
            "`Loss` is no name: lower case, digits and _ only",
        ),
        (lambda: Result({"n": 1}), "`n` must be a Number, got 1"),
        (lambda: Result(ONE, {"f": "plot"}), "`f` must be a Figure, got 'plot'"),
        (lambda: Result(ONE, {}, {"t": 3}), "`t` must be a Table, got 3"),
    ],
)
def test_a_result_that_breaks_the_contract_says_how(make: Any, message: str) -> None:
    assert error(make) == (message, None)


def declare(function: Any) -> Any:
    return lambda: demo(question="q", source="s")(function)


def no_run(rank: Annotated[int, Param("", low=1, high=2)] = 1) -> Result: ...
def no_param(run: Run, rank: int = 1) -> Result: ...
def no_default(run: Run, rank: Annotated[int, Param("", low=1, high=2)]) -> Result: ...
def reserved(run: Run, seed: Annotated[int, Param("", low=1, high=2)] = 1) -> Result: ...
def unbounded(run: Run, rank: Annotated[int, Param("", low=1)] = 1) -> Result: ...
def outside(run: Run, rank: Annotated[int, Param("size", low=1, high=2)] = 9) -> Result: ...
def cuda_outside(
    run: Run, rank: Annotated[int, Param("size", low=1, high=2, cuda=7)] = 1
) -> Result: ...
def listed(run: Run, rank: Annotated[list[int], Param("")] = ()) -> Result: ...  # type: ignore[assignment]


WRITE = 'write `rank: Annotated[int, Param("…", low=1, high=64)] = 8`'


@pytest.mark.parametrize(
    ("function", "message", "hint"),
    [
        (no_run, "no_run: the first argument of a demo is `run`", None),
        (no_param, "no_param: parameter `rank` needs a type and a Param", WRITE),
        (listed, "listed: parameter `rank` needs a type and a Param", WRITE),
        (no_default, "no_default: parameter `rank` needs a default", None),
        (reserved, "reserved: `seed` is reserved, name the parameter otherwise", None),
        (unbounded, "unbounded: parameter `rank` needs bounds (low, high)", None),
        (outside, "parameter `rank` must be an integer from 1 to 2, got 9", "size"),
        (cuda_outside, "parameter `rank` must be an integer from 1 to 2, got 7", "size"),
    ],
)
def test_a_demo_declared_wrongly_says_how(function: Any, message: str, hint: str | None) -> None:
    assert error(declare(function)) == (message, hint)


def test_a_demo_binds_what_is_given_and_fills_in_defaults() -> None:
    assert isinstance(sample, Demo) and sample.limit_s == 5
    defaults = {"rank": 4, "rate": 0.5, "mode": "sum", "name": "x", "causal": True}
    assert sample.bind({}) == defaults
    assert sample.bind({}, "cuda:0") == defaults | {"rank": 32}
    assert sample.bind({"rank": 8, "rate": 1}, "cuda") == defaults | {"rank": 8, "rate": 1.0}
    assert type(sample.bind({"rate": 1})["rate"]) is float


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        ({"rnk": 1}, "unknown parameter `rnk`", "did you mean `rank`?"),
        ({"zz": 1}, "unknown parameter `zz`", "its parameters: rank, rate, mode, name, causal"),
        ({"rank": 65}, "parameter `rank` must be an integer from 1 to 64, got 65", "size"),
        ({"rank": 2.0}, "parameter `rank` must be an integer from 1 to 64, got 2.0", "size"),
        ({"rank": True}, "parameter `rank` must be an integer from 1 to 64, got True", "size"),
        ({"rate": -0.1}, "parameter `rate` must be a number from 0 to 1, got -0.1", "step"),
        ({"rate": math.nan}, "parameter `rate` must be a number from 0 to 1, got nan", "step"),
        ({"mode": "max"}, "parameter `mode` must be one of sum, mean, got 'max'", "which"),
        ({"name": 3}, "parameter `name` must be a text, got 3", "any text"),
        ({"causal": 1}, "parameter `causal` must be true or false, got 1", "mask"),
    ],
)
def test_a_wrong_parameter_says_what_is_allowed(
    given: dict[str, object], message: str, hint: str
) -> None:
    assert error(lambda: sample.bind(given)) == (message, hint)


def test_a_run_reports_progress_and_knows_its_device() -> None:
    steps: list[Progress] = []
    run = Run(device="cuda:1", report=steps.append)
    assert sample(run, rank=3).numbers["n"].value == 3
    assert steps == [Progress(1, 2, {"loss": 0.5})]
    assert run.on_cuda and not Run().on_cuda


def test_a_run_seeds_its_generators() -> None:
    torch = pytest.importorskip("torch")
    run = Run(dtype="bfloat16", seed=SEED_LIMIT)
    first, again = run.generator(), run.generator("cpu")
    assert first.initial_seed() == SEED_LIMIT
    assert torch.equal(torch.rand(3, generator=first), torch.rand(3, generator=again))
    assert run.torch_dtype is torch.bfloat16
