"""Notes as decks: headings split, long sections go on, nothing is lost."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from labdeck.errors import DeckError, Problems
from labdeck.flow import flow
from labdeck.model import Deck
from labdeck.parse import parse_deck, read_source
from labdeck.settings import Configuration, resolve


def cut(text: str, level: int = 2) -> Deck:
    problems = Problems()
    source = read_source(text, "notes.md", problems)
    settings = resolve({}, source.front, Configuration(), problems)
    deck = flow(parse_deck(source, Path("notes.md"), settings, problems), level)
    assert problems.found == []
    return deck


def first_lines(deck: Deck) -> list[list[str]]:
    return [
        [slide.markdown.strip("\n").split("\n")[0] for slide in stack.slides]
        for stack in deck.stacks
    ]


def test_headings_above_the_level_begin_stacks_and_those_of_the_level_slides() -> None:
    deck = cut("# A\n\na\n\n## A1\n\nx\n\n### deeper\n\ny\n\n## A2\n\nz\n\n# B\n")
    assert first_lines(deck) == [["# A", "## A1", "## A2"], ["# B"]]
    assert "### deeper" in deck.stacks[0].slides[1].markdown


def test_text_before_the_first_heading_is_a_slide() -> None:
    assert first_lines(cut("intro\n\n# A\n")) == [["intro"], ["# A"]]


def test_explicit_separators_still_split() -> None:
    assert first_lines(cut("# A\n\none\n\n---\n\ntwo\n")) == [["# A"], ["two"]]


def test_a_long_section_goes_on_under_its_heading() -> None:
    paragraphs = "\n\n".join(f"第{n}段。" + "这一段写得很长，要占好几行。" * 8 for n in range(12))
    deck = cut(f"## 长\n\n{paragraphs}\n")
    slides = deck.slides
    heads = [slide.markdown.split("\n")[0] for slide in slides]
    count = len(slides)
    assert count > 2
    assert heads == ["## 长", *(f"## 长 ({n}/{count})" for n in range(2, count + 1))]
    shown = "".join(slide.markdown for slide in slides)
    assert [shown.count(f"第{n}段。") for n in range(12)] == [1] * 12


def test_a_paragraph_longer_than_a_slide_is_cut_between_sentences() -> None:
    text = "".join(f"这是第{n}句话，它不短也不长。" for n in range(120))
    deck = cut(f"## 长\n\n{text}\n")
    assert len(deck.slides) > 1
    shown = re.sub(r"##.*\n|\s", "", "".join(slide.markdown for slide in deck.slides))
    assert shown == text
    assert all(slide.markdown.rstrip().endswith("。") for slide in deck.slides)


def test_items_of_an_inner_list_that_begin_a_slide_are_no_code() -> None:
    items = "\n".join(f"    - inner {n}\n" + "      text " * 60 for n in range(30))
    deck = cut(f"## L\n\n- outer\n{items}\n")
    assert len(deck.slides) > 1
    for slide in deck.slides[1:]:
        assert re.match(r"## L \(\d+/\d+\)\n\n- inner", slide.markdown)


def test_long_code_is_cut_into_fences_of_the_same_language() -> None:
    lines = [f"line_{n} = {n}" for n in range(40)]
    deck = cut("## C\n\n```python\n" + "\n".join(lines) + "\n```\n")
    parts = re.findall(
        r"```python\n(.*?)\n```", "".join(s.markdown for s in deck.slides), re.DOTALL
    )
    assert len(parts) == 3
    assert "\n".join(parts).split("\n") == lines


def test_a_heading_does_not_end_a_slide() -> None:
    filler = "\n\n".join("很长的一段话，" * 25 + "完。" for _ in range(6))
    deck = cut(f"## A\n\n{filler}\n\n### last\n\n{filler}\n")
    for slide in deck.slides:
        assert not slide.markdown.rstrip().endswith("### last")


def test_contents_link_to_the_slides() -> None:
    deck = cut("[TOC]\n\n# A\n\n## A1\n\nx\n\n# B\n")
    assert "- [A](#/1)\n- [A1](#/1/1)\n- [B](#/2)" in deck.slides[0].markdown


def test_a_slide_knows_its_lines() -> None:
    deck = cut("---\ntitle: t\n---\n\n# A\n\nx\n\n## B\n\ny\n")
    second = deck.slides[1]
    line = second.markdown.split("\n").index("y")
    assert second.span.first + line == 11


def test_the_level_must_be_one() -> None:
    source = read_source("---\nslideLevel: 9\n---\n# A\n", "n.md", Problems())
    with pytest.raises(DeckError) as caught:
        resolve({}, source.front, Configuration(), Problems())
    assert str(caught.value) == (
        "n.md:2:1: error: `slideLevel` must be a level of headings, 1 to 6, got 9\n"
        "    → cut notes into slides at headings up to it"
    )


def test_keys_that_blogs_give_twice_are_no_error() -> None:
    problems = Problems()
    source = read_source("---\ncover: a\ntitle: t\ncover: b\n---\n# A\n", "n.md", problems)
    assert source.front.data["cover"] == "b"
    assert [str(problem) for problem in problems.found] == [
        "n.md:4:1: warning: `cover` is given twice (first on line 2); the last one counts\n"
        "    → keep one of the two"
    ]


@pytest.mark.parametrize("seed", range(20))
def test_no_text_is_lost_or_doubled(seed: int) -> None:
    chance = random.Random(seed)
    words = (f"w{n}w" for n in range(10_000))
    blocks = []
    for _ in range(chance.randint(5, 60)):
        text = " ".join(next(words) for _ in range(chance.choice((1, 8, 40, 250))))
        kind = chance.choice(("# {}", "## {}", "### {}", "{}", "{}.", "- {}", "  - {}", "1. {}"))
        if kind == "{}" and chance.random() < 0.3:
            kind = "```text\n{}\n```"
            text = text.replace(" ", "\n")
        blocks.append(kind.format(text if "#" not in kind else next(words)))
    source = "\n\n".join(blocks) + "\n"
    shown = "\n".join(
        re.sub(r"\A(#+ \S+) \(\d+/\d+\)\n", "", slide.markdown) for slide in cut(source).slides
    )
    # Whatever a heading's continuation repeats was taken off above.
    assert sorted(re.findall(r"w\d+w", shown)) == sorted(re.findall(r"w\d+w", source))
