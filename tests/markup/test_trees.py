from __future__ import annotations

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from labdeck.markup.trees import curl, slug

Check = Callable[..., None]


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("My Heading", "my-heading"),
        ("自注意力 机制", "自注意力-机制"),
        ("注意力：机制-x", "注意力：机制-x"),
        ("Q&A (2024), part 1.5!", "qa-2024-part-15"),
        ("a <b>c</b> d", "a-c-d"),
        ("snake_case", "snake_case"),
        ("  two  spaces ", "two--spaces"),
        ("“quoted” — dash…", "quoted--dash"),
        ("***", ""),
    ],
)
def test_f58_ids_of_headings_are_those_of_reveal_5(text: str, id: str) -> None:
    assert slug(text) == id


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("# A **b** `c`", '<h1 id="a-b-c">A <strong>b</strong> <code>c</code></h1>'),
        ("## 自注意力 机制", '<h2 id="自注意力-机制">自注意力 机制</h2>'),
        ("A\n===", '<h1 id="a">A</h1>'),
        ("# R&amp;D", '<h1 id="rd">R&amp;D</h1>'),
        ("# A\n\n## A\n\n# a", '<h1 id="a">A</h1><h2 id="a-1">A</h2><h1 id="a-2">a</h1>'),
    ],
)
def test_f58_headings_get_ids(assert_renders: Check, markdown: str, html: str) -> None:
    assert_renders(markdown, html)


def test_f58_a_formula_in_a_heading_counts_as_its_source(render: Callable[..., Any]) -> None:
    assert render("# Cost $O(n^2)$").html.startswith('<h1 id="cost-on2">Cost <span class="katex">')


@pytest.mark.parametrize(
    ("plain", "curled"),
    [
        ("\"a\" and 'b'", "“a” and ‘b’"),
        ("it's", "it’s"),
        ("a -- b --- c", "a – b — c"),
        ("wait...", "wait…"),
        ('("a")', "(“a”)"),
    ],
)
def test_f53_smartypants_curls(plain: str, curled: str) -> None:
    assert curl(plain) == curled


def test_f53_smartypants_leaves_formulas_and_code_alone(render: Callable[..., Any]) -> None:
    html = render("\"a\" $f'(x) -- 1$ `x -- 'y'`", markdown={"smartypants": True}).html
    assert html.startswith("<p>“a” <span")
    assert "<code>x -- 'y'</code>" in html
    assert "f'(x) -- 1</annotation>" in unescape(html)


def test_f53_quotes_stay_as_written_by_default(assert_renders: Check) -> None:
    assert_renders("\"a\" -- 'b'...", "<p>\"a\" -- 'b'...</p>")
