"""All that a demo may import from labdeck: what it declares, what it is given, what it returns.

Standard library only; torch is imported inside the one method that needs it.
"""

from __future__ import annotations

import inspect
import math
import re
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal

VERSION = 1  # of this contract; part of every source digest, so a change makes results stale
Kind = Literal["measured", "derived", "quoted"]
Text = str | Mapping[str, str]  # one text, or one for each language: {"en": …, "zh": …}
RESERVED = ("run", "seed", "sweep", "live")  # keys of a deck's `demos:` entry, no parameter names
SEED_LIMIT = 2**31 - 1
_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


class ContractError(ValueError):
    """A demo or its caller broke the contract; `hint` says what would be right."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class DemoUnavailable(RuntimeError):
    """This machine cannot run the demo (no suitable GPU, a package missing); the text says why."""


@dataclass(frozen=True)
class Number:
    """One value for a slide.

    Args:
        value: a finite number, in `unit`.
        unit: "" for counts and shares (0…1, never percent), else e.g. "nat", "MiB", "ms".
        kind: `measured` by this run, `derived` by arithmetic, or `quoted` from the demo's source.
        spread: standard deviation over repeats, in `unit`; None where nothing was repeated.
        label: what it is, for people, in one or more languages.
    """

    value: float | int
    unit: str = ""
    kind: Kind = "measured"
    spread: float | None = None
    label: Text = ""

    def __post_init__(self) -> None:
        if isinstance(self.value, bool) or not isinstance(self.value, (int, float)):
            raise ContractError(f"a Number needs an int or a float, got {self.value!r}")
        if not math.isfinite(self.value):
            raise ContractError(f"a Number must be finite, got {self.value!r}")
        if self.kind not in typing.get_args(Kind):
            raise ContractError(f"a Number is measured, derived or quoted, got {self.kind!r}")


@dataclass(frozen=True)
class Figure:
    """A plot as plotly JSON, in English, without colours or fonts of its own.

    The page gives it the deck's colours and fonts, and the words of the deck's language.

    Args:
        spec: {"data": […], "layout": {…}}, plain lists and numbers.
        alt: what a person who cannot see it should know, made from the numbers.
        words: for each other language, English text in the figure -> text in that language.
    """

    spec: Mapping[str, Any]
    alt: Text
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.spec.get("data"), Sequence) or "layout" not in self.spec:
            raise ContractError("a Figure needs a plotly spec with `data` and `layout`")
        if not self.alt:
            raise ContractError("a Figure needs an alternative text (alt)")


@dataclass(frozen=True)
class Table:
    """Rows under named columns; a column's name carries its unit."""

    columns: Sequence[Text]
    rows: Sequence[Sequence[str | int | float]]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ContractError(
                    f"a Table row has {len(row)} cells under {len(self.columns)} columns: {row!r}"
                )


@dataclass(frozen=True)
class Result:
    """What a demo returns: numbers, figures and tables by name; at least one number."""

    numbers: Mapping[str, Number]
    figures: Mapping[str, Figure] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.numbers:
            raise ContractError("a Result needs at least one Number")
        for group, kind in ((self.numbers, Number), (self.figures, Figure), (self.tables, Table)):
            for name, item in group.items():
                if not _NAME.match(name):
                    raise ContractError(f"`{name}` is no name: lower case, digits and _ only")
                if not isinstance(item, kind):
                    raise ContractError(f"`{name}` must be a {kind.__name__}, got {item!r}")


@dataclass(frozen=True)
class Param:
    """Describes one parameter of a demo: `rank: Annotated[int, Param("…", low=1, high=64)] = 8`.

    Args:
        help: what it does, one line.
        low, high: inclusive bounds of an int or a float (both needed for these types).
        choices: the allowed values of a str.
        unit: unit of the value, "" for counts.
        cuda: another default on a CUDA device, where a larger size says more.
    """

    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""
    cuda: int | float | str | bool | None = None


@dataclass(frozen=True)
class ParamSpec:
    """A parameter as read from a demo's signature."""

    name: str
    type: type
    default: Any
    about: Param

    @property
    def allowed(self) -> str:
        """The allowed values in words, for messages and listings."""
        if self.about.choices:
            return "one of " + ", ".join(self.about.choices)
        if self.type is bool:
            return "true or false"
        if self.type is str:
            return "a text"
        name = "an integer" if self.type is int else "a number"
        return f"{name} from {self.about.low:g} to {self.about.high:g}"

    def check(self, value: object) -> Any:
        """`value` as this parameter's type; ContractError naming the allowed range."""
        if self.type is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        wrong = type(value) is not self.type
        if not wrong and self.about.choices:
            wrong = value not in self.about.choices
        if not wrong and isinstance(value, (int, float)) and self.type is not bool:
            low, high = self.about.low, self.about.high
            wrong = (low is not None and value < low) or (high is not None and value > high)
            wrong = wrong or not math.isfinite(value)
        if wrong:
            raise ContractError(
                f"parameter `{self.name}` must be {self.allowed}, got {value!r}", self.about.help
            )
        return value

    def default_on(self, device: str) -> Any:
        """The default on a device: "cpu" or "cuda…"."""
        if device.startswith("cuda") and self.about.cuda is not None:
            return self.about.cuda
        return self.default


@dataclass(frozen=True)
class Demo:
    """A function that answers a question with numbers and figures; call it with a Run.

    Args:
        function: takes a Run and the declared parameters, returns a Result.
        question: what it answers, one sentence, in one or more languages.
        source: authors, title, year, identifier, and the equation or algorithm.
        params: its parameters, in the order of the signature.
        limit_s: seconds after which a run is ended.
    """

    function: Callable[..., Result]
    question: Text
    source: str
    params: tuple[ParamSpec, ...]
    limit_s: float = 120.0

    def __call__(self, run: Run, **params: Any) -> Result:
        return self.function(run, **params)

    def bind(self, given: Mapping[str, object], device: str = "cpu") -> dict[str, Any]:
        """All parameters with their values: those given, checked, and defaults for the rest."""
        known = {spec.name: spec for spec in self.params}
        for name in given:
            if name not in known:
                close = get_close_matches(name, known, n=1)
                listing = ", ".join(known) or "none"
                hint = f"did you mean `{close[0]}`?" if close else f"its parameters: {listing}"
                raise ContractError(f"unknown parameter `{name}`", hint)
        return {
            name: spec.check(given[name]) if name in given else spec.default_on(device)
            for name, spec in known.items()
        }


def demo(
    *, question: Text, source: str, limit_s: float = 120.0
) -> Callable[[Callable[..., Result]], Demo]:
    """Declare a function `(run, **parameters) -> Result` to be a demo."""

    def declare(function: Callable[..., Result]) -> Demo:
        return Demo(function, question, source, _read_params(function), limit_s)

    return declare


def _read_params(function: Callable[..., Result]) -> tuple[ParamSpec, ...]:
    hints = typing.get_type_hints(function, include_extras=True)
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters or parameters[0].name != "run":
        raise ContractError(f"{function.__name__}: the first argument of a demo is `run`")
    return tuple(_read_param(function.__name__, p, hints.get(p.name)) for p in parameters[1:])


def _read_param(owner: str, parameter: inspect.Parameter, hint: Any) -> ParamSpec:
    name = parameter.name
    args = typing.get_args(hint)
    about = next((extra for extra in args[1:] if isinstance(extra, Param)), None)
    if about is None or args[0] not in (int, float, str, bool):
        raise ContractError(
            f"{owner}: parameter `{name}` needs a type and a Param",
            f'write `{name}: Annotated[int, Param("…", low=1, high=64)] = 8`',
        )
    if parameter.default is inspect.Parameter.empty:
        raise ContractError(f"{owner}: parameter `{name}` needs a default")
    if name in RESERVED:
        raise ContractError(f"{owner}: `{name}` is reserved, name the parameter otherwise")
    if args[0] in (int, float) and (about.low is None or about.high is None):
        raise ContractError(f"{owner}: parameter `{name}` needs bounds (low, high)")
    spec = ParamSpec(name, args[0], parameter.default, about)
    for value in (spec.default, about.cuda):
        if value is not None:
            spec.check(value)
    return spec


@dataclass(frozen=True)
class Progress:
    """How far a run is: step of total, and numbers so far."""

    step: int
    total: int
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """What a demo is given: where to compute, with what randomness, and whom to tell how far it is.

    Args:
        device: "cpu" or "cuda:0"; never "auto", which is settled before a demo runs.
        dtype: name of the floating type that the demo should compute in, e.g. "float32".
        seed: seed of every random choice.
        report: called with a Progress; by default nobody listens.
    """

    device: str = "cpu"
    dtype: str = "float32"
    seed: int = 0
    report: Callable[[Progress], None] = lambda progress: None

    def generator(self, device: str | None = None) -> Any:
        """A new `torch.Generator` with this run's seed, by default on the run's device."""
        import torch

        return torch.Generator(device=device or self.device).manual_seed(self.seed)

    @property
    def torch_dtype(self) -> Any:
        """`dtype` as a `torch.dtype`."""
        import torch

        return getattr(torch, self.dtype)

    @property
    def on_cuda(self) -> bool:
        return self.device.startswith("cuda")

    def step(self, step: int, total: int, **numbers: float) -> None:
        """Say that step `step` of `total` is done, with partial numbers worth showing."""
        self.report(Progress(step, total, numbers))
