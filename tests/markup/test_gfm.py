"""GitHub's extensions, case by case as its specification describes them, with our decisions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Check = Callable[..., None]


def table(head: str, *rows: str, align: str = "") -> str:
    """A table of cells with `|` between them; `align` has a letter or `-` for each column."""
    names = {"l": ' align="left"', "c": ' align="center"', "r": ' align="right"'}
    styles = [names.get(letter, "") for letter in align.ljust(head.count("|") + 1, "-")]

    def line(cells: str, tag: str) -> str:
        drawn = zip(styles, cells.split("|"), strict=True)
        return "<tr>" + "".join(f"<{tag}{style}>{c}</{tag}>" for style, c in drawn) + "</tr>"

    body = "".join(line(row, "td") for row in rows)
    body = f"<tbody>{body}</tbody>" if rows else ""
    return f"<table><thead>{line(head, 'th')}</thead>{body}</table>"


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("| a | b |\n| - | - |\n| 1 | 2 |", table("a|b", "1|2")),
        ("a | b\n:- | -\n1 | 2", table("a|b", "1|2", align="l-")),
        ("|a|b|c|d|\n|:-|:-:|-:|-|\n|1|2|3|4|", table("a|b|c|d", "1|2|3|4", align="lcr-")),
        ("| a |\n| - |", table("a")),
        ("| a |\n| - |\n| x\\|y |", table("a", "x&#124;y").replace("&#124;", "|")),
        ("| a |\n| - |\n| **b** |\n| `c` |", table("a", "<strong>b</strong>", "<code>c</code>")),
        ("| a | b |\n| - | - |\n| 1 |", table("a|b", "1|")),
        ("| a | b |\n| - | - |\n| 1 | 2 | 3 |", table("a|b", "1|2")),
        ("| a |\n| - |\n| 1 |\n\ntext", table("a", "1") + "<p>text</p>"),
        ("| a |\n| - |\n| 1 |\n> q", table("a", "1") + "<blockquote><p>q</p></blockquote>"),
        ("| a |\n| - |\n| 1 |\nrow", table("a", "1", "row")),
        ("| a | b |\n| - |\n| 1 |", "<p>| a | b |\n| - |\n| 1 |</p>"),
        ("- i\n\n  | a |\n  | - |\n  | 1 |", f"<ul><li><p>i</p>{table('a', '1')}</li></ul>"),
        ("> | a |\n> | - |\n> | 1 |", f"<blockquote>{table('a', '1')}</blockquote>"),
        ("text\n| a |\n| - |\n| 1 |", "<p>text</p>" + table("a", "1")),
        ("| 甲 |\n| - |\n| 乙 |", table("甲", "乙")),
    ],
)
def test_tables(assert_renders: Check, markdown: str, html: str) -> None:
    assert_renders(markdown, html)


BOX = '<input disabled="" type="checkbox" />'
DONE = '<input checked="" disabled="" type="checkbox" />'


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("- [ ] a", f"<ul><li>{BOX} a</li></ul>"),
        ("- [x] a", f"<ul><li>{DONE} a</li></ul>"),
        ("- [X] a", f"<ul><li>{DONE} a</li></ul>"),
        ("* [ ] a\n+ [x] b", f"<ul><li>{BOX} a</li></ul><ul><li>{DONE} b</li></ul>"),
        ("1. [x] a", f"<ol><li>{DONE} a</li></ol>"),
        ("- [x] a\n  - [ ] b", f"<ul><li>{DONE} a<ul><li>{BOX} b</li></ul></li></ul>"),
        ("- [ ] a\n- b", f"<ul><li>{BOX} a</li><li>b</li></ul>"),
        ("- [ ] a\n\n- [x] b", f"<ul><li><p>{BOX} a</p></li><li><p>{DONE} b</p></li></ul>"),
        ("- [ ] **a**", f"<ul><li>{BOX} <strong>a</strong></li></ul>"),
        ("- [ ]a", "<ul><li>[ ]a</li></ul>"),
        ("- [y] a", "<ul><li>[y] a</li></ul>"),
        ("- \\[ ] a", "<ul><li>[ ] a</li></ul>"),
        ("- a [ ] b", "<ul><li>a [ ] b</li></ul>"),
        ("[ ] a", "<p>[ ] a</p>"),
    ],
)
def test_task_lists(assert_renders: Check, markdown: str, html: str) -> None:
    assert_renders(markdown, html)


def test_the_box_of_a_task_is_what_a_comment_right_behind_it_addresses(
    assert_renders: Check,
) -> None:
    box = BOX.replace(" />", ' class="fragment" />')
    comment = '<!-- .element: class="fragment" -->'
    assert_renders(f"- [ ] {comment}a", f"<ul><li>{box}a</li></ul>")


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("~~a~~", "<del>a</del>"),
        ("~a~", "<del>a</del>"),
        ("a~~b~~c", "a<del>b</del>c"),
        ("~~a **b**~~", "<del>a <strong>b</strong></del>"),
        ("**~~a~~**", "<strong><del>a</del></strong>"),
        ("~~~a~~~ b", "~~~a~~~ b"),
        ("~~a~", "~~a~"),
        ("~~ a ~~", "~~ a ~~"),
        ("\\~\\~a\\~\\~", "~~a~~"),
        ("`~~a~~`", "<code>~~a~~</code>"),
        ("~/bin and ~/lib", "~/bin and ~/lib"),
        ("约 ~5 到 ~10", "约 ~5 到 ~10"),
    ],
)
def test_strikethrough(assert_renders: Check, markdown: str, html: str) -> None:
    assert_renders(f"x {markdown}", f"<p>x {html}</p>")


def test_struck_text_ends_with_its_paragraph(assert_renders: Check) -> None:
    assert_renders("a ~~b\n\nc~~", "<p>a ~~b</p><p>c~~</p>")


def link(shown: str, href: str | None = None) -> str:
    return f'<a href="{href or shown}">{shown}</a>'


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("www.a.org", link("www.a.org", "http://www.a.org")),
        ("www.a.org/help", link("www.a.org/help", "http://www.a.org/help")),
        ("Visit www.a.org.", f"Visit {link('www.a.org', 'http://www.a.org')}."),
        ("http://a.org", link("http://a.org")),
        ("https://a.org/x?q=b", link("https://a.org/x?q=b")),
        ("ftp://a.org/x", link("ftp://a.org/x")),
        ("(https://a.org/x)", f"({link('https://a.org/x')})"),
        ("https://a.org/x_(y)", link("https://a.org/x_(y)")),
        ("https://a.org/x)).", f"{link('https://a.org/x')}))."),
        ("https://a.org/x&copy;", f"{link('https://a.org/x')}©"),
        ("https://a.org/?x=1&y=2", link("https://a.org/?x=1&amp;y=2")),
        ("https://a.org/*x*/_y_/~z~/", link("https://a.org/*x*/_y_/~z~/")),
        ("**https://a.org**", f"<strong>{link('https://a.org')}</strong>"),
        ("*https://a.org*", f"<em>{link('https://a.org')}</em>"),
        ("~~https://a.org~~", f"<del>{link('https://a.org')}</del>"),
        ("https://a.org<b>x</b>", f"{link('https://a.org')}<b>x</b>"),
        ("me@a.org", link("me@a.org", "mailto:me@a.org")),
        ("me+x.y@a-b.org.", f"{link('me+x.y@a-b.org', 'mailto:me+x.y@a-b.org')}."),
        ("me@a", "me@a"),
        ("a.org and torch.nn", "a.org and torch.nn"),
        ("xhttps://a.org", "xhttps://a.org"),
        ("<https://a.org/b c>", "&lt;https://a.org/b c&gt;"),
        ("<https://a.org/b>", link("https://a.org/b")),
        ("https://", "https://"),
        ("`https://a.org`", "<code>https://a.org</code>"),
        ("[https://a.org](b)", link("https://a.org", "b")),
        ("[see https://a.org now](b)", '<a href="b">see https://a.org now</a>'),
        ("![https://a.org](b)", '<img alt="https://a.org" src="b" />'),
        ("见https://a.org/x，后文", f"见{link('https://a.org/x')}，后文"),
        ("（https://a.org/x）后文", f"（{link('https://a.org/x')}）后文"),
        ("见 https://a.org/图 后文", f"见 {link('https://a.org/图')} 后文"),
    ],
)
def test_addresses(assert_renders: Check, markdown: str, html: str) -> None:
    assert_renders(markdown, f"<p>{html}</p>")


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("a[^1]\n\n[^1]: b", '<p>a<a href="b">^1</a></p>'),
        ("a[^1]", "<p>a[^1]</p>"),
        ("==a==", "<p>==a==</p>"),
        ("a :smile:", "<p>a :smile:</p>"),
        ("T\n: d", "<p>T\n: d</p>"),
        ("::: columns\na\n:::", "<p>::: columns\na\n:::</p>"),
        ("**a**{.b}", "<p><strong>a</strong>{.b}</p>"),
    ],
)
def test_what_is_off_by_default(assert_renders: Check, markdown: str, html: str) -> None:
    assert_renders(markdown, html)
