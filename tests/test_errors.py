from __future__ import annotations

import pytest

from labdeck.errors import (
    DeckError,
    MachineError,
    Problem,
    Problems,
    UsageError,
    Where,
    did_you_mean,
)


@pytest.mark.parametrize(
    ("where", "text"),
    [
        (Where("a.md"), "a.md"),
        (Where("a.md", 3), "a.md:3"),
        (Where("a.md", 3, 7), "a.md:3:7"),
        (Where("a.md", None, 7), "a.md"),
    ],
)
def test_a_place_prints_as_editors_read_it(where: Where, text: str) -> None:
    assert str(where) == text


def test_a_problem_says_what_where_and_what_to_do() -> None:
    problem = Problem("error", "tex", "TeX: no", Where("a.md", 3, 2), "write it so", "\\x\n ^")
    assert str(problem) == "a.md:3:2: error: TeX: no\n    \\x\n     ^\n    → write it so"
    assert str(Problem("warning", "x", "no place")) == "warning: no place"


def test_an_error_keeps_the_first_place_it_gets() -> None:
    plain = DeckError("wrong", hint="do so", code="x", snippet="~")
    placed = plain.at(Where("a.md", 2))
    assert plain.where is None
    assert placed.at(Where("b.md", 9)) is placed
    assert placed.problem() == Problem("error", "x", "wrong", Where("a.md", 2), "do so", "~")
    assert str(placed) == "a.md:2: error: wrong\n    ~\n    → do so"


@pytest.mark.parametrize("kind", [MachineError, UsageError])
def test_a_place_does_not_change_what_kind_of_error_it_is(kind: type[DeckError]) -> None:
    assert isinstance(kind("wrong").at(Where("a.md")), kind)


def test_problems_are_kept_in_order_and_once() -> None:
    problems = Problems()
    problems.warn("w", "first", Where("a.md", 1), "hint")
    problems.error(DeckError("second", code="e"))
    problems.warn("w", "first", Where("a.md", 1), "hint")
    problems.extend([Problem("warning", "w", "third")])
    assert [p.message for p in problems.found] == ["first", "second", "third"]
    assert [p.message for p in problems.errors] == ["second"]
    assert [p.message for p in problems.warnings] == ["first", "third"]


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("los", ["loss", "share"], "did you mean `loss`?"),
        ("lora", ["lora1", "lora2"], "did you mean `lora2` or `lora1`?"),
        ("zzz", ["b", "a", "b"], "known: a, b"),
        ("zzz", [], "there is nothing to choose from"),
    ],
)
def test_a_hint_names_close_words_or_all(word: str, known: list[str], hint: str) -> None:
    assert did_you_mean(word, known) == hint
