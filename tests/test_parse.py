"""Splitting a text into slides; each fact of the format that this module carries by its number."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from labdeck.errors import DeckError, Problems
from labdeck.model import Deck
from labdeck.parse import javascript_regex, parse_deck, read_source
from labdeck.settings import Configuration, resolve


def parse(text: str) -> tuple[Deck, list[str]]:
    problems = Problems()
    source = read_source(text, "t.md", problems)
    settings = resolve({}, source.front, Configuration(), problems)
    deck = parse_deck(source, Path("/t.md"), settings, problems)
    return deck, [str(problem) for problem in problems.found]


def shape(text: str) -> list[list[str]]:
    """The slides of a text without problems, by stacks, stripped."""
    deck, problems = parse(text)
    assert problems == []
    return slides(deck)


def slides(deck: Deck) -> list[list[str]]:
    return [[slide.markdown.strip("\n") for slide in stack.slides] for stack in deck.stacks]


def fails(text: str) -> str:
    with pytest.raises(DeckError) as caught:
        parse(text)
    return str(caught.value)


# Front matter


def test_f1_front_matter_is_read_and_taken_off() -> None:
    deck, problems = parse("---\ntitle: A\nx: 1\n---\n# B\n")
    assert problems == []
    assert deck.settings.title == "A" and deck.settings.extra == {"x": 1}
    assert slides(deck) == [["# B"]]
    assert str(deck.where("title")) == "t.md:2:1" and str(deck.where("css")) == "t.md:1"


def test_a_deck_without_front_matter_is_a_deck() -> None:
    assert shape("# A\n\n---\n\n# B") == [["# A"], ["# B"]]


def test_f1_a_byte_order_mark_before_it_is_dropped() -> None:
    assert parse("\ufeff---\ntitle: A\n---\nB")[0].settings.title == "A"


def test_f1_a_blank_line_before_it_makes_it_slides() -> None:
    deck, _ = parse("\n---\ntitle: A\n---\nB")
    assert deck.settings.title is None
    assert slides(deck) == [[""], ["title: A"], ["B"]]


def test_f1_front_matter_never_closed_is_an_empty_first_slide_and_says_so() -> None:
    deck, problems = parse("---\ntitle: A\n\n# B\n")
    assert slides(deck) == [[""], ["title: A\n\n# B"]]
    assert problems[0] == (
        "t.md:1: warning: front matter is not closed\n"
        "    → close the front matter with a line of three dashes"
    )


@pytest.mark.parametrize(("closing", "content"), [("----", "-"), ("---# A", "# A"), ("--- ", "")])
def test_f2_a_closing_line_that_goes_on_is_content(closing: str, content: str) -> None:
    deck, problems = parse(f"---\ntitle: A\n{closing}\n\nB\n")
    assert deck.settings.title == "A"
    assert slides(deck)[0][0].strip().startswith(content)
    assert problems[0] == (
        "t.md:3:4: warning: the line that closes the front matter goes on;"
        " what follows --- is content\n    → let the closing line be exactly ---"
    )


def test_f2_three_dots_do_not_close() -> None:
    deck, _ = parse("---\ntitle: A\n...\n# B\n")
    assert deck.settings.title is None
    assert slides(deck) == [[""], ["title: A\n...\n# B"]]


def test_f3_front_matter_may_be_json() -> None:
    deck, _ = parse('---\n{"title": "A", "revealOptions": {"width": 5}}\n---\nB')
    assert deck.settings.title == "A" and deck.settings.reveal["width"] == 5


def test_f4_a_rule_a_heading_and_a_rule_say_what_to_write() -> None:
    assert fails("---\n# A\n---\n# B") == (
        "t.md:2: error: front matter must hold `key: value` lines, found nothing\n"
        "    → write `title: …`, or put a blank line before the first --- if it separates slides"
    )


def test_f4_a_key_given_twice_is_an_error() -> None:
    assert fails("---\ntheme: a\nx: 1\ntheme: b\n---\nA") == (
        "t.md:4:1: error: `theme` is given twice (first on line 2)\n    → keep one of the two"
    )


def test_a_key_of_other_tools_given_twice_is_warned_of() -> None:
    deck, problems = parse("---\ncategory: a\ncategory: b\n---\nA")
    assert deck.settings.extra == {"category": "b"}
    assert problems == [
        "t.md:3:1: warning: `category` is given twice (first on line 2); the last one counts\n"
        "    → keep one of the two"
    ]


def test_f5_nothing_after_the_front_matter_is_one_empty_slide() -> None:
    for text in ("---\ntitle: A\n---", "---\ntitle: A\n---\n"):
        deck, problems = parse(text)
        assert slides(deck) == [[""]]
        assert problems == []


def test_a_nul_byte_says_its_line() -> None:
    assert fails("# A\n\nb\0c") == "t.md:3: error: a NUL byte: this is no text file"


# Splitting


def test_f22_no_blank_lines_are_needed() -> None:
    assert shape("a\n---\n# B") == [["a"], ["# B"]]


def test_f28_a_vertical_separator_takes_the_slide_before_into_the_stack() -> None:
    text = "A\n---\nB\n----\nB2\n----\nB3\n---\nC"
    assert shape(text) == [["A"], ["B", "B2", "B3"], ["C"]]
    assert [stack.vertical for stack in parse(text)[0].stacks] == [False, True, False]


def test_f28_a_deck_may_begin_and_end_with_a_stack() -> None:
    assert shape("A\n----\nB\n---\nC\n----\nD") == [["A", "B"], ["C", "D"]]


def test_f24_carriage_returns_change_nothing() -> None:
    text = "---\ntitle: A\n---\nA\n---\nB\n----\nC\n"
    assert shape(text.replace("\n", "\r\n")) == shape(text) == [["A"], ["B", "C"]]


def test_f24_empty_slides_are_slides_and_say_so() -> None:
    deck, problems = parse("A\n---\n\n---\nB\n---\n")
    assert slides(deck) == [["A"], [""], ["B"], [""]]
    hint = "\n    → remove one of the separators around it if it is not meant to be there"
    assert [p.removesuffix(hint) for p in problems] == [
        "t.md:3: warning: an empty slide",
        "t.md:7: warning: an empty slide",
    ]


def test_f23_a_space_behind_the_dashes_makes_a_rule_and_says_so() -> None:
    deck, problems = parse("A\n\n--- \n\nB")
    assert slides(deck) == [["A\n\n--- \n\nB"]]
    assert problems == [
        "t.md:3: warning: a line of dashes with spaces is a rule, it does not separate slides\n"
        "    → take the spaces out if it should"
    ]
    assert parse("A\n\n ---\n\nB")[1] == problems


def test_f23_two_separators_on_adjacent_lines_separate_once_and_say_so() -> None:
    deck, problems = parse("A\n---\n---\nB")
    assert slides(deck) == [["A"], ["---\nB"]]
    assert problems == [
        "t.md:2:1: warning: two separators on adjacent lines separate once; the second is a rule\n"
        "    → put a blank line between them for an empty slide"
    ]


def test_f25_nothing_separates_inside_a_closed_fence() -> None:
    for mark in ("```", "~~~"):
        text = f"A\n\n{mark}yaml\na: 1\n---\nb: 2\n----\n{mark}\n\n---\nB"
        deck, problems = parse(text)
        assert len(deck.stacks) == 2 and slides(deck)[1] == ["B"]
        assert problems == [
            "t.md:5:1: warning: '---' inside a code block separates slides in reveal-md, but not"
            " here\n    → nothing to do unless the deck must also open in reveal-md"
        ]


def test_f25_a_fence_never_closed_swallows_no_slides() -> None:
    assert shape("```py\nx\n---\nB\n\n```js\ny\n```\n") == [["```py\nx"], ["B\n\n```js\ny\n```"]]


def test_f25_a_separator_in_a_comment_separates_and_says_so() -> None:
    deck, problems = parse("A\n<!-- note\n---\nmore -->\nB")
    assert len(deck.stacks) == 2
    assert problems == [
        "t.md:3:1: warning: a separator inside an HTML comment separates slides\n"
        "    → take the line out of the comment, or indent it"
    ]


def test_f25_a_separator_in_inline_code_separates_and_says_so() -> None:
    deck, problems = parse("---\nseparator: <!--s-->\n---\nwrite `<!--s-->` so")
    assert slides(deck) == [["write `"], ["` so"]]
    assert problems == [
        "t.md:4:8: warning: a separator inside inline code separates slides\n"
        "    → write the separator otherwise here, e.g. with &lt; for <"
    ]


def test_f26_a_separator_is_a_regular_expression_found_anywhere() -> None:
    text = (
        "---\nseparator: <!--s-->\nverticalSeparator: <!--v-->\n---\nA<!--s-->B<!--v-->C<!-- s -->D"
    )
    assert shape(text) == [["A"], ["B", "C<!-- s -->D"]]


def test_f27_with_other_separators_dashes_are_markdown() -> None:
    assert shape("---\nseparator: '\\n\\+\\+\\n'\n---\nA\n---\nB\n++\nC") == [["A\n---\nB"], ["C"]]


def test_f21_a_separator_inside_the_vertical_one_makes_no_stack_and_says_so() -> None:
    deck, problems = parse("---\nseparator: '---'\nverticalSeparator: '----'\n---\nA\n\n----\n\nB")
    assert slides(deck) == [["A"], ["-\n\nB"]]
    assert problems == [
        "t.md:7:1: warning: `separator` matches inside `verticalSeparator`, so this makes no"
        " stack\n"
        "    → anchor it: separator: ^---$ and verticalSeparator: ^----$"
    ]


def test_f21_line_anchors_decide_the_direction_on_the_matched_text_alone() -> None:
    text = "---\nseparator: ^---$\nverticalSeparator: ^----$\n---\nA\n\n---\n\nB\n\n----\n\nC"
    assert shape(text) == [["A"], ["B", "C"]]


@pytest.mark.parametrize(
    ("key", "value"),
    [("separator", "'('"), ("verticalSeparator", "'['"), ("notesSeparator", "'*'")],
)
def test_a_separator_that_is_no_regular_expression_says_so(key: str, value: str) -> None:
    said = fails(f"---\ntitle: A\n{key}: {value}\n---\nB")
    assert said.startswith(f"t.md:3:1: error: `{key}` is no regular expression: ")
    assert said.endswith("; put a \\ before characters such as ( [ * + ?")


def test_javascript_and_python_write_names_of_groups_otherwise() -> None:
    assert javascript_regex(r"(?<a>x)\r\n(?<=\n)", "s").pattern == "(?P<a>x)\\r?\\n(?<=\\n)"


def test_a_separator_that_matches_nothing_does_not_loop() -> None:
    assert shape("---\nseparator: 'x*'\n---\nA\nB") == [["A\nB"]]


# Notes


def notes(text: str) -> tuple[str, str | None]:
    slide = parse(text)[0].slides[0]
    return slide.markdown.strip(), slide.notes


@pytest.mark.parametrize("word", ["Note:", "note:", "NOTES:", "Notes:", "ssnote:"])
def test_f37_notes_begin_with_any_of_these(word: str) -> None:
    assert notes(f"# A\n\n{word} say *this*\nand that") == ("# A", " say *this*\nand that\n")


def test_f37_an_indented_note_stays_visible_and_says_so() -> None:
    deck, problems = parse("# A\n\n  Note: x")
    assert deck.slides[0].notes is None
    assert problems == [
        "t.md:3: warning: an indented note is shown on the slide\n"
        "    → begin the line with `Note:`, without spaces before it"
    ]


def test_f38_a_note_must_begin_its_line() -> None:
    assert notes("# A\n\nThe Note: x") == ("# A\n\nThe Note: x", None)


def test_f38_two_notes_are_none_and_say_so() -> None:
    deck, problems = parse("# A\n\nNote: x\n\nNote: y")
    assert deck.slides[0].notes is None and "Note: y" in deck.slides[0].markdown
    assert problems == [
        "t.md:1: warning: 2 lines begin notes, so this slide has none and all stay visible\n"
        "    → keep one `Note:` line a slide"
    ]


def test_f38_a_note_in_a_fence_is_code() -> None:
    assert notes("```yaml\nnote: 1\n```\n") == ("```yaml\nnote: 1\n```", None)


def test_f39_notes_may_be_empty_and_have_a_separator_of_their_own() -> None:
    assert notes("# A\n\nNote:") == ("# A", "\n")
    text = "---\nnotesSeparator: ^@@\n---\n# A\nNote: x\n@@ y"
    assert notes(text) == ("# A\nNote: x", " y\n")


# Where things stand


def test_slides_and_notes_know_their_lines() -> None:
    text = "---\ntitle: A\n---\n# A\n\n---\n\n# B\n\nNote:\nx\n\n----\n# C\n"
    spans = [(s.span.first, s.span.last) for s in parse(text)[0].slides]
    lines = text.split("\n")
    for (first, last), heading in zip(spans, ("# A", "# B", "# C"), strict=True):
        assert heading in lines[first - 1 : last]
    second = parse(text)[0].slides[1]
    assert second.notes_span is not None and second.notes_span.first == 10
    assert str(second.span.where(3, 2)) == f"t.md:{spans[1][0] + 3}:2"


PIECES = (
    "# 标题\n\ntext",
    "- a\n- b\n  - c",
    "```yaml\na: 1\n```",
    "~~~\n`code`\n~~~",
    "| a | b |\n| --- | --- |\n| 1 | 2 |",
    "<!-- a comment -->\n\n<div>\n\n**x**\n\n</div>",
    "$$\na - b\n$$",
    "Setext\n===",
    "![](x.png)\n\nNote: say it",
    "> quote\n> --- not a separator",
)


@pytest.mark.parametrize("seed", range(40))
def test_random_slides_joined_by_separators_split_into_the_same_slides(seed: int) -> None:
    dice = random.Random(seed)
    stacks = [
        [
            "\n\n".join(dice.sample(PIECES[:-2], dice.randint(1, 4)))
            for _ in range(dice.randint(1, 4))
        ]
        for _ in range(dice.randint(1, 6))
    ]
    gap = dice.choice(["\n{}\n", "\n\n{}\n\n", "\n{}\n\n"])
    vertical, horizontal = gap.format("----"), gap.format("---")
    text = horizontal.join(vertical.join(stack) for stack in stacks)
    assert shape(text) == stacks
    front = "---\ntitle: x\n---\n" if dice.random() < 0.5 else ""
    assert shape(front + text.replace("\n", "\r\n")) == stacks


@pytest.mark.parametrize("seed", range(20))
def test_writing_a_deck_back_gives_the_same_text(seed: int) -> None:
    dice = random.Random(seed)
    parts = [dice.choice(PIECES) for _ in range(8)]
    marks = [dice.choice(["\n---\n", "\n----\n"]) for _ in range(7)]
    text = "\n" + "".join(p + m for p, m in zip(parts, [*marks, "\n"], strict=True))
    deck, _ = parse(text)
    again = "\n----\n".join(
        s.markdown + (f"Note:{s.notes}" if s.notes is not None else "") for s in deck.slides
    )
    assert again == text.replace("\n---\n", "\n----\n")
