from __future__ import annotations

import pytest

from labdeck.fences import find_fences


def inside(text: str) -> list[str]:
    """The fences of a text, as text."""
    return [text[f.start : f.end] for f in find_fences(text)]


@pytest.mark.parametrize("mark", ["```", "~~~", "`````"])
def test_a_closed_fence_is_found_with_both_its_lines(mark: str) -> None:
    text = f"a\n{mark}py\n---\n{mark}\nb\n"
    assert inside(text) == [f"{mark}py\n---\n{mark}\n"]
    assert find_fences(text)[0].first_line == 1


@pytest.mark.parametrize(
    "text",
    [
        "```\nnever closed\n",
        "``\nx\n``\n",
        "a ``` b\n```x``` c\n",
        "```\nx\n~~~\n",
        "````\nx\n```\n",
        "```\nx\n``` not closing\n",
    ],
)
def test_what_looks_like_a_fence_but_is_none(text: str) -> None:
    assert inside(text) == []


def test_a_longer_mark_closes_and_other_marks_are_content() -> None:
    assert inside("```\n~~~\n`````\nb\n") == ["```\n~~~\n`````\n"]


@pytest.mark.parametrize("lead", ["- ", "1. ", "> ", "   ", "> - ", "\t"])
def test_fences_in_lists_and_quotes(lead: str) -> None:
    blank = lead.replace("-", " ").replace("1.", "  ")
    text = f"{lead}```\n{blank}---\n{blank}```\n"
    assert inside(text) == [text]


def test_two_fences_after_each_other() -> None:
    assert inside("```\na\n```\n```\nb\n```\n") == ["```\na\n```\n", "```\nb\n```\n"]


def test_a_fence_never_closed_does_not_swallow_the_next_slides() -> None:
    text = "```py\nx = 1\n\n---\n\n```js\ny\n```\n"
    assert inside(text)[0].startswith("```py")
    found = find_fences(text, lambda line: line.strip() == "---")
    assert [text[f.start : f.end] for f in found] == ["```js\ny\n```\n"]


def test_a_last_line_without_an_end_closes_too() -> None:
    assert inside("```\nx\n```") == ["```\nx\n```"]
    assert inside("") == []
