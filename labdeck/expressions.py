"""`{{ … }}` in prose: arithmetic over the numbers of baked results, in Jinja's sandbox."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .contract import Number
from .errors import DeckError, Where, did_you_mean

_SI = (
    (1e12, "T"),
    (1e9, "G"),
    (1e6, "M"),
    (1e3, "k"),
    (1.0, ""),
    (1e-3, "m"),
    (1e-6, "µ"),
    (1e-9, "n"),
)


MAX_LENGTH = 500
MAX_DIGITS = 50
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Shown:
    """An evaluated expression.

    Args:
        text: what the slide shows.
        value: the number behind it, in its unit.
        used: (name of the demo entry, metric) of every number it was made from.
    """

    text: str
    value: float | int | str
    used: tuple[tuple[str, str], ...]


class MissingResult(DeckError):
    """An expression asks for an entry that has no result."""

    def __init__(self, name: str, why: str) -> None:
        hint = "bake it: labdeck bake <the talk>"
        super().__init__(f"`{name}` has no result: {why}", hint=hint, code="missing-result")
        self.name = name


class _Quantity(float):
    """A value that knows its unit; arithmetic gives plain floats."""

    unit: str
    whole: bool

    def __new__(cls, number: Number) -> _Quantity:
        made = super().__new__(cls, number.value)
        made.unit = number.unit
        made.whole = isinstance(number.value, int)
        return made


class _Formatted(str):
    """A text made by a filter, with the value it was made from."""

    value: float

    def __new__(cls, text: str, value: float) -> _Formatted:
        made = super().__new__(cls, text)
        made.value = value
        return made


class _Numbers:
    """The numbers of one demo entry, by attribute."""

    def __init__(
        self, name: str, numbers: Mapping[str, Number], used: list[tuple[str, str]]
    ) -> None:
        self._name, self._numbers, self._used = name, numbers, used

    def __getitem__(self, metric: str) -> _Quantity:
        if metric not in self._numbers:
            raise DeckError(
                f"`{self._name}` has no number `{metric}`",
                hint=did_you_mean(metric, self._numbers),
                code="undefined-number",
            )
        self._used.append((self._name, metric))
        return _Quantity(self._numbers[metric])


def percent(value: float, digits: int = 1) -> _Formatted:
    """A share as percent: 0.0132 -> 1.3%."""
    return _Formatted(f"{100 * value:.{_few(digits)}f}%", float(value))


def si(value: float, digits: int = 3) -> _Formatted:
    """A number with an SI prefix and its unit: 235012 -> 235 k."""
    unit = getattr(value, "unit", "")
    size = abs(value)
    scale, prefix = next((s for s in _SI if size >= s[0]), _SI[-1]) if size else (1.0, "")
    text = _significant(value / scale, _few(digits))
    return _Formatted(f"{text} {prefix}{unit}".rstrip(), float(value))


def sci(value: float, digits: int = 2) -> _Formatted:
    """A number as a power of ten: 4.4e-07 -> 4.4 × 10⁻⁷."""
    mantissa, _, exponent = f"{value:.{_few(digits) - 1}e}".partition("e")
    power = str(int(exponent)).translate(_SUPERSCRIPT)
    unit = getattr(value, "unit", "")
    return _Formatted(f"{mantissa}\u202f×\u202f10{power} {unit}".rstrip(), float(value))


def fmt(value: float, spec: str = ".3g") -> _Formatted:
    """A number by Python's format specification, without its unit."""
    try:
        if any(int(number) > MAX_DIGITS for number in re.findall(r"\d+", spec)):
            raise ValueError(f"widths and digits up to {MAX_DIGITS}")
        whole = getattr(value, "whole", False) and spec[-1:] in "dxob,_"
        return _Formatted(format(int(value) if whole else float(value), spec), float(value))
    except ValueError as error:
        raise DeckError(
            f"fmt: {error}", hint='write e.g. fmt(".2f") or fmt(",.0f")', code="undefined-number"
        ) from error


def _few(digits: int) -> int:
    """A number of digits that a slide can hold."""
    if not 0 <= digits <= MAX_DIGITS:
        raise ValueError(f"digits from 0 to {MAX_DIGITS}, not {digits}")
    return digits


def _significant(value: float, digits: int) -> str:
    if value == 0:
        return "0"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{places}f}"


def plain_text(value: Any) -> str:
    """A number without a filter: whole ones as they are, others to three digits, unit behind."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, _Rounded):
        return f"{value:.{value.digits}f}"
    unit = getattr(value, "unit", "")
    if getattr(value, "whole", False) or (isinstance(value, int) and not isinstance(value, bool)):
        text = f"{int(value):,}".replace(",", "\u202f") if abs(value) >= 10_000 else str(int(value))
    else:
        text = (
            _significant(float(value), 3)
            if 1e-4 <= abs(value) < 1e6 or value == 0
            else f"{value:.2e}"
        )
    return f"{text}\u00a0{unit}".rstrip()


def plain_number(number: Number) -> str:
    """A number as a slide shows it without a filter."""
    return plain_text(_Quantity(number))


class _Rounded(float):
    """A rounded number, shown with as many digits as were asked for."""

    digits: int


def rounded(value: float, digits: int = 0) -> _Rounded:
    """A number rounded to some digits after the point; arithmetic goes on with it."""
    made = _Rounded(round(float(value), _few(digits)))
    made.digits = digits
    return made


FILTERS: Mapping[str, Callable[..., Any]] = {
    "percent": percent,
    "si": si,
    "sci": sci,
    "fmt": fmt,
    "round": rounded,
    "abs": abs,
}


_HINT = "write e.g. {{ lora.accuracy | percent }}; filters: " + ", ".join(FILTERS)


class Expressions:
    """Evaluates the expressions of one deck.

    Args:
        numbers: for each demo entry that has a result, its numbers.
        missing: names of entries without a result, with why.
    """

    def __init__(
        self, numbers: Mapping[str, Mapping[str, Number]], missing: Mapping[str, str]
    ) -> None:
        from jinja2 import StrictUndefined
        from jinja2.sandbox import SandboxedEnvironment

        self.numbers = numbers
        self.missing = missing
        self.environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
        self.environment.globals.clear()
        self.environment.filters = dict(FILTERS)
        self._compiled: dict[str, Callable[..., Any]] = {}

    def evaluate(self, expression: str, where: Where) -> Shown:
        """The value of an expression; DeckError with the place and the close matches."""
        from jinja2 import TemplateError

        used: list[tuple[str, str]] = []
        try:
            self._check(expression)
            scope = {name: _Numbers(name, found, used) for name, found in self.numbers.items()}
            value = self._compile(expression)(scope)
            text = plain_text(value)
        except MissingResult as error:
            error.where = where
            raise
        except DeckError as error:
            raise error.at(where) from error
        except (TemplateError, ArithmeticError, TypeError, ValueError) as error:
            message = f"{{{{ {expression} }}}}: {error}"
            raise DeckError(message, where, _HINT, code="undefined-number") from error
        raw = getattr(value, "value", value)
        raw = int(raw) if getattr(raw, "whole", False) else raw
        return Shown(
            text, raw if isinstance(raw, (int, float)) else str(raw), tuple(dict.fromkeys(used))
        )

    def _compile(self, expression: str) -> Callable[..., Any]:
        if expression not in self._compiled:
            compiled = self.environment.compile_expression(expression, undefined_to_none=False)
            self._compiled[expression] = compiled
        return self._compiled[expression]

    def _check(self, expression: str) -> None:
        """Only numbers, names, filters and arithmetic: looked at before Jinja computes anything."""
        from jinja2 import nodes

        if len(expression) > MAX_LENGTH:
            raise ValueError("too long: let the demo return this number")
        tree = self.environment.parse("{{" + expression + "}}")
        output = tree.body[0] if len(tree.body) == 1 else None
        if not isinstance(output, nodes.Output) or len(output.nodes) != 1:
            raise ValueError("not one expression")
        self._check_node(output.nodes[0])

    def _check_node(self, node: Any) -> None:
        from jinja2 import nodes

        arithmetic = (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.Neg, nodes.Pos)
        if isinstance(node, nodes.Name):
            self._check_name(node.name)
        elif isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
            self._check_name(node.node.name)
        elif isinstance(node, nodes.Filter):
            if node.name not in FILTERS:
                hint = did_you_mean(node.name, FILTERS)
                raise DeckError(f"no filter `{node.name}`", hint=hint, code="undefined-number")
            if not all(isinstance(arg, nodes.Const) for arg in node.args) or node.kwargs:
                raise ValueError("a filter takes plain values")
            self._check_node(node.node)
        elif isinstance(node, arithmetic):
            for child in node.iter_child_nodes():
                self._check_node(child)
        elif not (isinstance(node, nodes.Const) and isinstance(node.value, (int, float))):
            raise ValueError("only numbers, their names, + - * / and filters are read here")

    def _check_name(self, name: str) -> None:
        if name in self.missing:
            raise MissingResult(name, self.missing[name])
        if name not in self.numbers:
            hint = did_you_mean(name, [*self.numbers, *self.missing])
            raise DeckError(
                f"`{name}` is not declared under demos:", hint=hint, code="undefined-number"
            )
