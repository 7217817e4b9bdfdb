from __future__ import annotations

import pytest

from labdeck.contract import Number
from labdeck.errors import DeckError, Where
from labdeck.expressions import Expressions, MissingResult, fmt, percent, plain_number, sci, si

NUMBERS = {
    "lora": {
        "share": Number(0.0132),
        "params": Number(235_012),
        "loss": Number(0.125, "nat"),
        "time": Number(0.00352, "s"),
        "zero": Number(0.0),
    },
    "full": {"params": Number(17_802_240)},
}
WHERE = Where("t.md", 3, 7)
ONLY = (
    "only numbers, their names, + - * / and filters are read here\n"
    "    → write e.g. {{ lora.accuracy | percent }}; filters: percent, si, sci, fmt, round, abs"
)
FORM = "    → write e.g. {{ lora.accuracy | percent }}; filters: percent, si, sci, fmt, round, abs"


@pytest.fixture
def expressions() -> Expressions:
    return Expressions(NUMBERS, {"slow": "there is no GPU"})


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("lora.share | percent", "1.3%"),
        ("lora.share | percent(2)", "1.32%"),
        ("lora.params", "235\u202f012"),
        ("lora.loss", "0.125\u00a0nat"),
        ("lora.params | si", "235 k"),
        ("lora.time | si", "3.52 ms"),
        ("lora.zero | si", "0"),
        ('lora.loss | fmt(".1f")', "0.1"),
        ('lora.params | fmt(",d")', "235,012"),
        ('(full.params / lora.params) | fmt(".0f")', "76"),
        ("lora.loss * 2", "0.250"),
        ("(lora.loss - 1) | abs", "0.875"),
        ("lora.loss | round(1)", "0.1"),
        ("-lora.loss + 1", "0.875"),
        ("1 + 1", "2"),
    ],
)
def test_expressions(expressions: Expressions, expression: str, text: str) -> None:
    assert expressions.evaluate(expression, WHERE).text == text


def test_an_expression_knows_its_value_and_the_numbers_behind_it(expressions: Expressions) -> None:
    shown = expressions.evaluate('(full.params / lora.params) | fmt(".0f")', WHERE)
    assert shown.value == pytest.approx(17_802_240 / 235_012)
    assert set(shown.used) == {("full", "params"), ("lora", "params")}
    assert expressions.evaluate("lora.share | percent", WHERE).value == 0.0132


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Number(7), "7"),
        (Number(10_000), "10\u202f000"),
        (Number(0.5), "0.500"),
        (Number(1234.5), "1234"),
        (Number(-0.25, "nat"), "-0.250\u00a0nat"),
        (Number(0), "0"),
        (Number(0.0), "0"),
    ],
)
def test_plain_numbers(number: Number, text: str) -> None:
    assert plain_number(number) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(999.9, "1000"), (1e15, "1000 T"), (-4200.0, "-4.20 k"), (2e-7, "200 n"), (1.0, "1.00")],
)
def test_si_prefixes(value: float, text: str) -> None:
    assert si(value) == text


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (4.4e-07, 2, "4.4\u202f×\u202f10⁻⁷"),
        (235_012, 1, "2\u202f×\u202f10⁵"),
        (0.0, 2, "0.0\u202f×\u202f10⁰"),
        (-3.14, 3, "-3.14\u202f×\u202f10⁰"),
    ],
)
def test_powers_of_ten(value: float, digits: int, text: str) -> None:
    assert sci(value, digits) == text


def test_filters_take_plain_numbers() -> None:
    assert (percent(1), fmt(2), fmt(3.5, "+.2f")) == ("100.0%", "2", "+3.50")


def error(expressions: Expressions, expression: str) -> str:
    with pytest.raises(DeckError) as caught:
        expressions.evaluate(expression, WHERE)
    assert caught.value.where == WHERE
    return str(caught.value)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("lora.shar", "`lora` has no number `shar`\n    → did you mean `share`?"),
        ("lorra.share", "`lorra` is not declared under demos:\n    → did you mean `lora`?"),
        (
            "slow.time",
            "`slow` has no result: there is no GPU\n    → bake it: labdeck bake <the talk>",
        ),
        (
            'lora.loss | fmt("q")',
            "fmt: Unknown format code 'q' for object of type 'float'\n"
            '    → write e.g. fmt(".2f") or fmt(",.0f")',
        ),
        (
            'lora.loss | fmt("99.1f")',
            'fmt: widths and digits up to 50\n    → write e.g. fmt(".2f") or fmt(",.0f")',
        ),
        (
            "lora.loss | percent(51)",
            f"{{{{ lora.loss | percent(51) }}}}: digits from 0 to 50, not 51\n{FORM}",
        ),
        ("lora.loss | percnt", "no filter `percnt`\n    → did you mean `percent`?"),
        (
            "lora.loss | fmt(lora.share)",
            f"{{{{ lora.loss | fmt(lora.share) }}}}: a filter takes plain values\n{FORM}",
        ),
        ("lora['loss']", "{{ lora['loss'] }}: " + ONLY),
        ("a }} {{ b", f"{{{{ a }}}} {{{{ b }}}}: not one expression\n{FORM}"),
        (
            "1" * 501,
            f"{{{{ {'1' * 501} }}}}: too long: let the demo return this number\n{FORM}",
        ),
        ("lora.loss / 0", f"{{{{ lora.loss / 0 }}}}: float division by zero\n{FORM}"),
        ("lora.loss +", f"{{{{ lora.loss + }}}}: unexpected 'end of print statement'\n{FORM}"),
        (
            "9 ** 9 ** 9",
            "{{ 9 ** 9 ** 9 }}: " + ONLY,
        ),
    ],
)
def test_what_cannot_be_evaluated_says_why(
    expressions: Expressions, expression: str, message: str
) -> None:
    assert error(expressions, expression) == f"t.md:3:7: error: {message}"


def test_an_entry_without_a_result_is_an_error_of_its_own(expressions: Expressions) -> None:
    with pytest.raises(MissingResult) as caught:
        expressions.evaluate("slow.time + lora.loss", WHERE)
    assert caught.value.name == "slow"


@pytest.mark.parametrize(
    "expression",
    [
        "''.__class__.__mro__",
        "lora.__class__",
        "lora._numbers",
        "lora.loss.__class__.__base__.__subclasses__()",
        "range(10)",
        "cycler",
        "10 ** 100000000",
        "'a' * 1000000000",
        "'%999999999d' % 1",
        "'a'.center(1000000000)",
        "lipsum",
        "namespace",
        "self",
        "lora.loss | attr('__class__')",
        "lora.loss | map('x')",
        "(lora | list)",
    ],
)
def test_expressions_stay_in_their_sandbox(expressions: Expressions, expression: str) -> None:
    error(expressions, expression)
