from __future__ import annotations

import pytest

from labdeck.tags import Tag, contain, render_attributes, rewrite, scan, with_attributes


def names(text: str) -> list[str]:
    signs = {"open": "", "close": "/", "comment": "!"}
    return [signs[tag.kind] + tag.name for tag in scan(text)]


def first(text: str) -> Tag:
    return next(scan(text))


def test_tags_and_comments_in_order_with_their_places() -> None:
    text = "a <p class='x'>b<br/></P> <!-- <i> --> c"
    assert names(text) == ["p", "br", "/p", "!"]
    assert next(text[t.start : t.end] for t in scan(text)) == "<p class='x'>"


def test_a_sign_in_an_attribute_ends_no_tag() -> None:
    assert names('<a title="x > y"><b>') == ["a", "b"]


@pytest.mark.parametrize("name", ["script", "style", "textarea", "title"])
def test_nothing_is_a_tag_inside_raw_text(name: str) -> None:
    assert names(f"<{name}><b></b></{name}><i>") == [name, f"/{name}", "i"]


def test_text_that_only_looks_like_a_tag() -> None:
    assert names("1 < 2 and 3 > 2 <5> <") == []


def test_an_open_comment_reaches_to_the_end() -> None:
    assert names("<p><!-- <b> never closed <i>") == ["p", "!"]


def test_attributes_are_read_as_a_browser_reads_them() -> None:
    tag = first("""<img SRC="a.png" alt='x &amp; "y"' hidden width=3 src="b.png">""")
    assert tag.attributes == {"src": "a.png", "alt": 'x & "y"', "hidden": "", "width": "3"}


def test_attributes_are_written_escaped() -> None:
    assert render_attributes({"a": 'x "<&', "b": ""}) == ' a="x &quot;&lt;&amp;" b=""'


@pytest.mark.parametrize(
    ("tag", "changes", "expected"),
    [
        ('<p class="a" id=b>', {"class": "c"}, '<p id=b class="c">'),
        ("<img src='a' />", {"alt": ""}, """<img src='a' alt="" />"""),
        ("<br/>", {"class": "x"}, '<br class="x" />'),
        ("<P>", {"id": "自"}, '<p id="自">'),
        ("<a title='x > y'>", {"href": "?a&b"}, """<a title='x > y' href="?a&amp;b">"""),
    ],
)
def test_a_start_tag_with_other_attributes(
    tag: str, changes: dict[str, str], expected: str
) -> None:
    assert with_attributes(first(tag), changes) == expected


def test_rewriting_leaves_the_rest_as_it_is() -> None:
    text = "<p>a</p><i>b</i>"
    assert rewrite(text, lambda tag: "<b>" if tag.name == "p" else None) == "<b>a</p><i>b</i>"
    assert rewrite(text, lambda tag: None) is text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<div><p>a", "<div><p>a</p></div>"),
        ("a</section></div>b", "ab"),
        ("<b>a</div></b>", "<b>a</b>"),
        ("<br><img src=x/>b", "<br><img src=x/>b"),
        ("<!-- open", "<!-- open-->"),
        ("x <script", "x &lt;script"),
        ("1 < 2", "1 < 2"),
        ("<script>if (a</b>", "<script>if (a</b></script>"),
        ("<textarea><section>", "<textarea><section></textarea>"),
        ("a</p>", "a</p>"),
        ("<ul><li>a<li>b</ul>", "<ul><li>a<li>b</ul>"),
        ("<p>a<div>b</div>", "<p>a<div>b</div>"),
        ("<table><tr><td>a<td>b<tr></table>", "<table><tr><td>a<td>b<tr></table>"),
        ("<section>a</section>", "<section>a</section>"),
    ],
)
def test_contained_html_cannot_leave_its_place(text: str, expected: str) -> None:
    assert contain(text) == expected
    assert contain(expected) == expected
