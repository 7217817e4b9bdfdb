from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from labdeck.markup.code import Info, highlighted_lines, read_info, split_lines

Check = Callable[..., None]
RenderSlide = Callable[..., Any]


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ("", Info("")),
        ("py", Info("py")),
        ("py [1|3-5|1,2]", Info("py", "1|3-5|1,2")),
        ("py[1]", Info("py", "1")),
        ("py []", Info("py", "")),
        ("py [10:]", Info("py", "", "10")),
        ("py [10: 1|3-4]", Info("py", "1|3-4", "10")),
        ("[1|2]", Info("", "1|2")),
        ("[1|] py", Info("py", "1|")),
        ("py [ 10 : 1,2 ]", Info("py", None, None, ("[", "10", ":", "1,2", "]"))),
        ("scala mdoc:reset", Info("scala", None, None, ("mdoc:reset",))),
        ('js title="x"', Info("js", None, None, ('title="x"',))),
        ("{.python .numberLines}", Info("", None, None, ("{.python", ".numberLines}"))),
        ("c++", Info("c++")),
    ],
)
def test_f47_info_strings(info: str, expected: Info) -> None:
    assert read_info(info) == expected


@pytest.mark.parametrize(
    ("step", "lines"),
    [
        ("1", {1}),
        ("1,3-4", {1, 3, 4}),
        (" 2 - 3 ", {2, 3}),
        ("", set()),
        ("0,9", set()),
        ("3-99", {3, 4, 5}),
        ("4-2", set()),
        ("x", set()),
    ],
)
def test_f48_lines_that_exist_are_lit(step: str, lines: set[int]) -> None:
    assert highlighted_lines(step, 5) == lines


def test_lines_keep_the_spans_that_cross_them() -> None:
    assert split_lines('<span class="a">x\n<span>y</span>\nz</span>w') == [
        '<span class="a">x</span>',
        '<span class="a"><span>y</span></span>',
        '<span class="a">z</span>w',
    ]


def codes(html: str) -> list[tuple[str, str | None, list[int]]]:
    """(class, data-line-numbers, lines lit) of each `<code>`."""
    found = []
    for attributes, inner in re.findall(r"<code([^>]*)>(.*?)</code>", html, re.DOTALL):
        lit = [
            index
            for index, row in enumerate(re.findall(r"<tr[^>]*>", inner), 1)
            if "highlight-line" in row
        ]
        name = re.search(r'class="([^"]*)"', attributes)
        numbers = re.search(r'data-line-numbers="([^"]*)"', attributes)
        found.append((name[1] if name else "", numbers[1] if numbers else None, lit))
    return found


def text_of(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", html))


THREE = "a = 1\nb = 2\nc = 3"


def test_code_is_highlighted_at_build_time(assert_renders: Check) -> None:
    html = (
        '<pre><code class="python hljs">x = <span class="hljs-number">1</span>'
        ' &lt; <span class="hljs-string">&quot;a&quot;</span></code></pre>'
    )
    assert_renders('```python\nx = 1 < "a"\n```', html)


def test_f48_each_further_step_is_a_fragment(render: RenderSlide) -> None:
    html = render(f"```py [1|2-3|]\n{THREE}\n```").html
    assert codes(html) == [
        ("py hljs has-highlights", "1", [1]),
        ("py hljs has-highlights fragment", "2-3", [2, 3]),
        ("py hljs fragment", "", []),
    ]
    assert html.startswith("<pre><code") and html.endswith("</code></pre>")


def test_f47_brackets_alone_number_the_lines(render: RenderSlide) -> None:
    html = render(f"```py []\n{THREE}\n```").html
    assert codes(html) == [("py hljs", "", [])]
    assert re.findall(r'data-line-number="(\d+)"', html) == ["1", "2", "3"]


def test_f48_steps_count_from_one_whatever_the_offset(render: RenderSlide) -> None:
    html = render(f"```py [10: 2]\n{THREE}\n```").html
    assert codes(html) == [("py hljs has-highlights", "2", [2])]
    assert re.findall(r'data-line-number="(\d+)"', html) == ["10", "11", "12"]
    assert 'data-ln-start-from="10"' in html


def test_f49_steps_stand_in_document_order(render: RenderSlide) -> None:
    fragment = '<!-- .element: class="fragment" -->'
    html = render(f"a {fragment}\n\n```py [1|2]\n{THREE}\n```\n\nz {fragment}").html
    order = re.findall(r'<(p|code) class="[^"]*fragment', html)
    assert order == ["p", "code", "p"]
    assert html.index(">a") < html.index("<pre>") < html.index(">z")


def test_f49_an_unknown_language_is_plain_and_none_is_guessed(render: RenderSlide) -> None:
    assert codes(render("```nosuch\nx = 1\n```").html) == [("nosuch hljs", None, [])]
    assert "hljs-" not in render("```nosuch\ndef f(): return 1\n```").html
    assert "hljs-keyword" in render("```\ndef f(): return 1\n```").html


def test_indented_code_is_code(render: RenderSlide) -> None:
    assert text_of(render("    a < b\n").html) == "a < b"


@pytest.mark.parametrize(
    ("info", "message"),
    [
        ('js title="x"', 'talk.md:1: warning: `title="x"` after the language means nothing here'),
        (
            "scala mdoc:reset",
            "talk.md:1: warning: `mdoc:reset` after the language means nothing here",
        ),
        ("py [ 1 : 2 ]", "talk.md:1: warning: `[ 1 : 2 ]` after the language means nothing here"),
    ],
)
def test_f47_what_is_not_understood_says_so(render: RenderSlide, info: str, message: str) -> None:
    rendered = render(f"```{info}\nx\n```")
    assert rendered.problems == [message + "\n    → write line steps as [1|3-5]"]
    assert 'title="x"' not in rendered.html


def test_the_place_of_a_fence_in_the_middle(render: RenderSlide) -> None:
    assert render("# A\n\n- b\n\n```js x\ny\n```").problems[0].startswith("talk.md:5: warning")


def test_f31_a_textarea_end_in_code_is_code(render: RenderSlide) -> None:
    assert text_of(render("```\n</textarea></section><b>\n```").html) == "</textarea></section><b>"


def test_f49_mermaid_blocks_are_left_for_mermaid(render: RenderSlide) -> None:
    html = render("```mermaid\ngraph LR; A --> B\n```").html
    assert html.startswith('<pre><code class="mermaid')
    assert "A --&gt; B" in html and "<span" not in html


def test_f49_mermaid_says_that_nothing_is_drawn(render: RenderSlide) -> None:
    assert render("a\n\n```mermaid\nb\n```").problems == [
        "talk.md:3: warning: mermaid diagrams stay text here\n"
        "    → draw it beforehand, and show the picture"
    ]


def test_f49_an_index_on_a_block_orders_nothing_and_says_so(render: RenderSlide) -> None:
    comment = '<!-- .element: data-fragment-index="1" -->'
    assert render(f"```py [1|2]\na\nb\n```\n{comment}").problems == [
        "talk.md:5: warning: `data-fragment-index` on a code block orders nothing\n"
        "    → code steps come where the block stands; move the block"
    ]


def test_f49_mermaid_false_makes_it_code(render: RenderSlide) -> None:
    html = render("```mermaid [1]\na\n```", mermaid=False).html
    assert codes(html) == [("mermaid hljs has-highlights", "1", [1])]


# Code as HTML


def test_code_written_as_html_is_highlighted(render: RenderSlide) -> None:
    html = render('<pre><code class="language-python">x = 1 &lt; 2</code></pre>').html
    assert "hljs-number" in html and text_of(html) == "x = 1 < 2"


def test_data_trim_takes_blank_lines_and_indentation_off(render: RenderSlide) -> None:
    html = render("<pre><code data-trim>\n    a\n      b\n</code></pre>").html
    assert text_of(html) == "a\n  b" and "data-trim" in html


def test_html_code_may_have_steps(render: RenderSlide) -> None:
    html = render('<pre><code class="js" data-line-numbers="1|2">a\nb</code></pre>').html
    assert [(numbers, lit) for _, numbers, lit in codes(html)] == [("1", [1]), ("2", [2])]


def test_data_noescape_keeps_marks_made_by_hand(render: RenderSlide) -> None:
    html = render("<pre><code data-noescape>a <mark>b</mark></code></pre>").html
    assert "<mark>b</mark>" in html and "&lt;mark" not in html
