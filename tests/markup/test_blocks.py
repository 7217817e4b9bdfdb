"""Blocks and inline Markdown as decks mean them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from labdeck.markup.blocks import create_parser, is_cjk

Check = Callable[..., None]
RenderSlide = Callable[..., Any]


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("text", "<p>text</p>"),
        ("a\nb", "<p>a\nb</p>"),
        ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
        ("3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'),
        ("> a\n> b", "<blockquote><p>a\nb</p></blockquote>"),
        ("a\n\n***\n\nb", "<p>a</p><hr /><p>b</p>"),
        ("<div>\n\n**a**\n\n</div>", "<div><p><strong>a</strong></p></div>"),
        ("<div>**a**</div>", "<div>**a**</div>"),
        ("text\n- a", "<p>text</p><ul><li>a</li></ul>"),
    ],
)
def test_blocks(assert_renders: Check, markdown: str, html: str) -> None:
    assert_renders(markdown, html)


@pytest.mark.parametrize("indent", [2, 3, 4])
def test_lists_nest_by_two_to_four_spaces(assert_renders: Check, indent: int) -> None:
    inner = "<ul><li>b</li></ul>"
    assert_renders(f"- a\n{' ' * indent}- b\n- c", f"<ul><li>a{inner}</li><li>c</li></ul>")


def test_a_heading_in_raw_html_with_blank_lines_is_a_heading(assert_renders: Check) -> None:
    html = '<div class="middle center"><h1 id="t">T</h1></div>'
    assert_renders('<div class="middle center">\n\n# T\n\n</div>', html)


def test_a_numbered_list_interrupts_the_text_of_an_item(assert_renders: Check) -> None:
    html = '<ul><li>a<ol start="2"><li>b</li></ol></li></ul>'
    assert_renders("- a\n  2. b", html)


def test_f36_braces_are_literal_text(assert_renders: Check) -> None:
    assert_renders("a {#id .cls}", "<p>a {#id .cls}</p>")


def test_f54_tables_align_with_an_attribute(assert_renders: Check) -> None:
    markdown = "| a | b | c |\n|:--|:-:|--:|\n| 1 | `x|y` | 3 |"
    html = (
        '<table><thead><tr><th align="left">a</th><th align="center">b</th>\n'
        '<th align="right">c</th></tr></thead><tbody><tr><td align="left">1</td>\n'
        '<td align="center">`x</td><td align="right">y`</td></tr></tbody></table>'
    )
    assert_renders(markdown, html)


def test_f54_task_lists_have_boxes(assert_renders: Check) -> None:
    html = (
        '<ul><li><input checked="" disabled="" type="checkbox" /> a</li>\n'
        '<li><input disabled="" type="checkbox" /> b</li></ul>'
    )
    assert_renders("- [x] a\n- [ ] b", html)


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("a  \nb", "<p>a<br />\nb</p>"),
        ("a\\\nb", "<p>a<br />\nb</p>"),
        ("a[^1]", "<p>a[^1]</p>"),
        ("==a== :smile:", "<p>==a== :smile:</p>"),
        ("Term\n: definition", "<p>Term\n: definition</p>"),
    ],
)
def test_f54_line_ends_and_what_is_not_in_the_flavour(
    assert_renders: Check, markdown: str, html: str
) -> None:
    assert_renders(markdown, html)


@pytest.mark.parametrize("mark", ["~", "~~"])
def test_f54_one_or_two_tildes_strike_out(assert_renders: Check, mark: str) -> None:
    assert_renders(f"{mark}x{mark}", "<p><del>x</del></p>")


def test_f53_breaks_makes_every_line_end_one(assert_renders: Check) -> None:
    assert_renders("a\nb", "<p>a<br />\nb</p>", markdown={"breaks": True})


def test_f33_indented_text_is_not_dedented(assert_renders: Check) -> None:
    code = "```\n" + " " * 14 + "x = 1" + " " * 14 + "y\n```"
    html = '<pre><code class="hljs">' + " " * 14 + "x = 1" + " " * 14 + "y</code></pre>"
    assert_renders(code.replace("```\n", "```text\n", 1), html.replace('"hljs', '"text hljs'))


# Inline


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("*a* **b** `c`", "<em>a</em> <strong>b</strong> <code>c</code>"),
        ("`a < b && c`", "<code>a &lt; b &amp;&amp; c</code>"),
        ("a & b &lt; &copy;", "a &amp; b &lt; ©"),
        ("\\*a\\*", "*a*"),
        ('[a](b.html "t")', '<a href="b.html" title="t">a</a>'),
        ("[a][r]\n\n[r]: b.png", '<a href="b.png">a</a>'),
        ("![a *b*](x.png)", '<img alt="a b" src="x.png" />'),
        ("![](a%20b.png)", '<img alt="" src="a%20b.png" />'),
        ("![](<a b.png>)", '<img alt="" src="a%20b.png" />'),
        ("![](图.png)", '<img alt="" src="图.png" />'),
        ("[a](?x=1&copy=2)", '<a href="?x=1&amp;copy=2">a</a>'),
        ("a <b>c</b> <br> d", "a <b>c</b> <br> d"),
        ("<https://a.org/b>", '<a href="https://a.org/b">https://a.org/b</a>'),
        ("<me@a.org>", '<a href="mailto:me@a.org">me@a.org</a>'),
    ],
)
def test_inline(assert_renders: Check, markdown: str, html: str) -> None:
    assert_renders(markdown, f"<p>{html}</p>")


def link(shown: str, href: str | None = None) -> str:
    return f'<a href="{href or shown}">{shown}</a>'


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("see https://a.org/x_y_z.", f"see {link('https://a.org/x_y_z')}."),
        ("（https://a.org）。", f"（{link('https://a.org')}）。"),
        ("(https://a.org/b_(c))", f"({link('https://a.org/b_(c)')})"),
        ("www.a.org, b", f"{link('www.a.org', 'http://www.a.org')}, b"),
        ("a@b.org", link("a@b.org", "mailto:a@b.org")),
        ("torch.nn a.org", "torch.nn a.org"),
        ("`https://a.org`", "<code>https://a.org</code>"),
        ("[https://a.org](b)", link("https://a.org", "b")),
    ],
)
def test_f54_addresses_become_links_but_bare_domains_do_not(
    assert_renders: Check, markdown: str, html: str
) -> None:
    assert_renders(markdown, f"<p>{html}</p>")


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("**“引号”**后文", "<strong>“引号”</strong>后文"),
        ("**注意：**这里", "<strong>注意：</strong>这里"),
        ("前文**（括号）**后文", "前文<strong>（括号）</strong>后文"),
        ("约**12.5%**左右", "约<strong>12.5%</strong>左右"),
        ("用**f(x)**表示", "用<strong>f(x)</strong>表示"),
        ("*强调*、`代码`", "<em>强调</em>、<code>代码</code>"),
        ("~~删除：~~后文", "<del>删除：</del>后文"),
        ("これは**「重要」**です", "これは<strong>「重要」</strong>です"),
        ("snake_case_name 2*3*4", "snake_case_name 2<em>3</em>4"),
        ("** not bold **", "** not bold **"),
    ],
)
def test_f59_bold_beside_chinese_punctuation(
    assert_renders: Check, markdown: str, html: str
) -> None:
    assert_renders(markdown, f"<p>{html}</p>")


def test_a_line_end_between_two_chinese_characters_is_no_gap(assert_renders: Check) -> None:
    assert_renders("自注意\n力", "<p>自注意力</p>")
    assert_renders("自\na", "<p>自\na</p>")


@pytest.mark.parametrize("char", "自。「ァ한Ａ")
def test_cjk_characters(char: str) -> None:
    assert is_cjk(char) and not is_cjk("a") and not is_cjk("—")


def test_a_link_may_have_any_address() -> None:
    assert '<a href="javascript:x">' in create_parser().render("[a](javascript:x)")


def test_f61_nested_lists_are_animated_without_an_error(assert_renders: Check) -> None:
    item = '<li class="fragment">'
    html = f"<ul>\n{item}a<ul>\n{item}b</li></ul></li></ul>"
    assert_renders(
        "- a\n  - b", html.replace("</ul></li>", "</ul></li>"), markdown={"animateLists": True}
    )


def test_f61_a_loose_list_is_animated_too(assert_renders: Check) -> None:
    item = '<li class="fragment">'
    html = f"<ol>\n{item}\n<p>a</p></li>\n{item}\n<p>b</p></li></ol>"
    assert_renders("1. a\n\n2. b", html, markdown={"animateLists": True})
