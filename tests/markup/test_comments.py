"""`.slide` and `.element`: whom a comment addresses, what it may say, and what it warns of."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from labdeck.markup.comments import apply_comments, derive_background

Check = Callable[..., None]
F = '<!-- .element: class="f" -->'


def attributes(comment: str) -> tuple[dict[str, str], list[tuple[str, str, str]]]:
    warned: list[tuple[str, str, str]] = []
    html, slide = apply_comments(
        comment, lambda code, said, hint, near: warned.append((code, said, hint))
    )
    assert html == ""
    return slide, warned


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<!-- .slide: class="a b" id="c" -->', {"class": "a b", "id": "c"}),
        ('<!--.slide:data-background="red"-->', {"data-background": "red"}),
        ("<!-- .slide: data-auto-animate -->", {"data-auto-animate": ""}),
        ('<!-- .slide: data-x="a=b,c;d:e(f)" -->', {"data-x": "a=b,c;d:e(f)"}),
        ('<!-- .slide: id="自注意力" -->', {"id": "自注意力"}),
        ('<!-- note .slide: class="a" -->', {"class": "a"}),
        ('<!-- .slide: data-a="x &amp; y" -->', {"data-a": "x &amp; y"}),
    ],
)
def test_f40_f41_attributes_of_a_slide(text: str, expected: dict[str, str]) -> None:
    assert attributes(text) == (expected, [])


@pytest.mark.parametrize(
    ("text", "expected", "warning"),
    [
        (
            "<!-- .slide: class='x' -->",
            {},
            ("attribute-single-quotes", "`class='x'` is not read",
             'use double quotes: name="value"'),
        ),
        (
            '<!-- .slide: data-foo="" -->',
            {},
            ("attribute-empty-value", '`data-foo=""` is not read',
             "an empty value is ignored; leave the attribute out"),
        ),
        (
            "<!-- .slide: class=x -->",
            {},
            ("attribute-unquoted", "`class=x` is not read",
             'put the value in double quotes: name="value"'),
        ),
        (
            "<!-- .slide: data-auto-animate-->",
            {},
            ("attribute-flag-tight", "`data-auto-animate` is not read", "put a space before -->"),
        ),
        (
            '<!-- .slide: hidden class="a" -->',
            {"class": "a"},
            ("attribute-plain-flag", "`hidden` is not read",
             "only flags that begin with data- are read"),
        ),
        (
            '<!-- .slide: class="a"\nid="b" -->',
            {"class": "a"},
            ("attributes-on-second-line", "attributes on a second line of a comment are not read",
             "write all of them on the line of .slide or .element"),
        ),
    ],
)  # fmt: skip
def test_f40_f41_what_is_ignored_says_so(
    text: str, expected: dict[str, str], warning: tuple[str, str, str]
) -> None:
    assert attributes(text) == (expected, [warning])


def test_f40_slide_without_its_colon_is_no_comment_of_ours_and_says_so(
    render: Callable[..., Any],
) -> None:
    rendered = render('# A\n\n<!-- .slide class="a" -->')
    assert rendered.slide.attributes == {}
    assert rendered.problems == [
        "talk.md:3: warning: a .slide comment without a colon is not read\n"
        "    → write <!-- .slide: … -->"
    ]


def test_a_warning_names_the_line_of_the_comment(render: Callable[..., Any]) -> None:
    assert render("# A\n\ntext\n\n<!-- .slide: class='x' -->").problems == [
        "talk.md:5: warning: `class='x'` is not read\n    → use double quotes: name=\"value\""
    ]


@pytest.mark.parametrize(
    "markdown",
    [
        '<!-- .slide: class="a" -->\n# A',
        '# A\n\n- b\n- c <!-- .slide: class="a" -->',
        '# A\n\n> b\n\n<!-- .slide: class="a" -->',
        '# A <!-- .slide: class="a" -->',
    ],
)
def test_f42_the_slide_is_addressed_from_anywhere(
    render: Callable[..., Any], markdown: str
) -> None:
    rendered = render(markdown)
    assert rendered.slide.attributes == {"class": "a"}
    assert "<!--" not in rendered.html and 'class="a"' not in rendered.html


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        (f"text {F}", '<p class="f">text</p>'),
        (f"a **b** {F}", '<p>a <strong class="f">b</strong></p>'),
        (f"![](x.png) {F}", '<p><img alt="" src="x.png" class="f" /></p>'),
        (f"a<br>{F}", '<p class="f">a<br></p>'),
        (f"- a {F}\n- b", '<ul><li class="f">a</li><li>b</li></ul>'),
        (f"# A {F}", '<h1 id="a-" class="f">A</h1>'),
        (f"> a {F}", '<blockquote><p class="f">a</p></blockquote>'),
        (f"a\n\nb\n\n{F}", '<p>a</p><p class="f">b</p>'),
        (f"[a](b) c {F}", '<p><a href="b" class="f">a</a> c</p>'),
    ],
)
def test_f43_the_nearest_element_before_is_addressed(
    render: Callable[..., Any], markdown: str, html: str
) -> None:
    found = render(markdown)
    assert found.problems == []
    assert re.sub(r"\n|\s+(?=</)", "", found.html) == html


@pytest.mark.parametrize(
    ("markdown", "tag"),
    [
        (f"```\nx\n```\n{F}", '<pre class="f">'),
        (f"| a |\n|---|\n| b |\n\n{F}", '<table class="f">'),
        (f"| a |\n|---|\n| b {F} |", '<td class="f">'),
        (f"- a\n- b\n\n{F}", '<ul class="f">'),
        (f"1. a\n2. b\n\n{F}", '<ol class="f">'),
        (f"a $x$ {F}", '<p class="f">'),
        (f'<div class="g">a</div>\n\n{F}', '<div class="f">'),
    ],
)
def test_f43_f44_blocks_are_addressed(render: Callable[..., Any], markdown: str, tag: str) -> None:
    html = render(markdown).html
    assert tag in html and html.count('class="f"') == 1 and "<!--" not in html


def test_f44_right_below_a_list_the_last_item_is_addressed(render: Callable[..., Any]) -> None:
    html = render(f"- a\n- b\n{F}").html.replace("\n", "")
    assert html == '<ul><li>a</li><li class="f">b</li></ul>'


def test_f44_in_a_loose_list_the_paragraph_is_addressed(render: Callable[..., Any]) -> None:
    html = render(f"- a {F}\n\n- b").html.replace("\n", "")
    assert '<li><p class="f">a' in html


def test_f44_below_a_nested_list_with_a_blank_line(render: Callable[..., Any]) -> None:
    html = render(f"- a\n  - b\n\n  {F}\n- c").html
    assert html.count('class="f"') == 1 and '<ul class="f">' in html


def test_f45_first_on_a_slide_the_slide_is_addressed(render: Callable[..., Any]) -> None:
    rendered = render(f'<!-- .slide: class="a" id="i" -->\n\n{F}\n\n# A')
    assert rendered.slide.attributes == {"class": "f", "id": "i"}


def test_f45_several_comments_hit_the_same_target(assert_renders: Check) -> None:
    more = '<!-- .element: data-fragment-index="2" -->'
    assert_renders(f"**a**{F}{more}", '<p><strong class="f" data-fragment-index="2">a</strong></p>')


def test_f41_class_replaces_the_classes_there(assert_renders: Check) -> None:
    assert_renders(f'<b class="old">x</b>{F}', '<p><b class="f">x</b></p>')


def test_f40_the_colon_of_element_is_optional(assert_renders: Check) -> None:
    assert_renders('**a**<!-- .element class="f" -->', '<p><strong class="f">a</strong></p>')


def test_other_comments_stay(assert_renders: Check) -> None:
    assert_renders("a <!-- just a remark -->", "<p>a <!-- just a remark --></p>")


@pytest.mark.parametrize(
    ("value", "image"),
    [
        ("x.png", True),
        ("a/b.JPEG?x=1", True),
        ("https://a.org/b", True),
        ("//a.org/b", True),
        ("#fff", False),
        ("rgb(1, 2, 3)", False),
        ("linear-gradient(red, blue)", False),
        ("pngish", False),
    ],
)
def test_f46_a_background_that_looks_like_an_image_is_one(value: str, image: bool) -> None:
    derived = derive_background({"data-background": value})
    assert derived.get("data-background-image") == (value if image else None)
    assert derived["data-background"] == value


def test_f46_an_image_that_is_named_stays() -> None:
    given = {"data-background": "x.png", "data-background-image": "y.png"}
    assert derive_background(given) == given
