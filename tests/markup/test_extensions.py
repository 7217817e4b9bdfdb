"""What authors switch on by `markdownExtensions:`; reveal-md ignores the key."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest

from labdeck.errors import DeckError, Problems
from labdeck.markup.foreign import create_markdown
from labdeck.markup.slides import SlideWriter
from labdeck.markup.switches import OWN, read_switches
from labdeck.model import Settings, Slide, Span
from labdeck.typeset import Typesetter

Write = Callable[..., str]
needs_pymdownx = pytest.mark.skipif(
    importlib.util.find_spec("pymdownx") is None, reason="pymdown-extensions is not installed"
)


@pytest.fixture
def write(typesetter: Typesetter) -> Write:
    """Markdown of slides -> HTML of the last one, with extensions; nothing may be wrong."""

    def run(extensions: str, *slides: str, notes: str | None = None) -> str:
        problems = Problems()
        names = tuple(extensions.split())
        writer = SlideWriter(Settings(markdown_extensions=names), typesetter, problems)
        html = ""
        for markdown in slides:
            span = Span("talk.md", 1, 1 + markdown.count("\n"))
            html = writer.write(Slide(markdown, span, notes, span if notes else None)).html
        assert [str(problem) for problem in problems.found] == []
        return re.sub(
            r"\n*(</?(?:ul|ol|li|div|p|hr|dl|dt|dd|h\d|pre|aside)\b[^>]*>)\n*", r"\1", html
        )

    return run


# Footnotes


def note(number: int, text: str, slide: int = 1) -> str:
    back = f'<a class="footnote-backref" href="#fn-{slide}-ref-{number}">↩</a>'
    return f'<li id="fn-{slide}-{number}">{text.replace("@", back)}</li>'


def reference(number: int, again: str = "", slide: int = 1) -> str:
    return (
        f'<sup class="footnote-ref"><a href="#fn-{slide}-{number}"'
        f' id="fn-{slide}-ref-{number}{again}">{number}</a></sup>'
    )


def listed(*notes: str) -> str:
    return f'<div class="footnotes"><hr /><ol>{"".join(notes)}</ol></div>'


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("a[^1]\n\n[^1]: b", f"<p>a{reference(1)}</p>{listed(note(1, '<p>b @</p>'))}"),
        (
            "a[^y] b[^x]\n\n[^x]: X\n[^y]: Y",
            f"<p>a{reference(1)} b{reference(2)}</p>"
            + listed(note(1, "<p>Y @</p>"), note(2, "<p>X @</p>")),
        ),
        (
            "a[^1] b[^1]\n\n[^1]: c",
            f"<p>a{reference(1)} b{reference(1, '-2')}</p>{listed(note(1, '<p>c @</p>'))}",
        ),
        (
            "a^[in *line* `x`]",
            f"<p>a{reference(1)}</p>" + listed(note(1, "in <em>line</em> <code>x</code> @")),
        ),
        (
            "a[^1]\n\n[^1]: b\n\n    - c",
            f"<p>a{reference(1)}</p>" + listed(note(1, "<p>b</p><ul><li>c</li></ul> @")),
        ),
        (
            "a[^1]\n\n[^1]: b[^2]\n[^2]: c",
            f"<p>a{reference(1)}</p>"
            + listed(note(1, f"<p>b{reference(2)} @</p>"), note(2, "<p>c @</p>")),
        ),
        ("a\n\n[^1]: unused", f"<p>a</p>{listed('<li><p>unused</p></li>')}"),
        ("a[^1]", "<p>a[^1]</p>"),
        ("`[^1]`\n\n[^1]: b", f"<p><code>[^1]</code></p>{listed('<li><p>b</p></li>')}"),
    ],
)
def test_footnotes(write: Write, markdown: str, html: str) -> None:
    assert write("footnotes", markdown) == html


def test_footnotes_are_numbered_by_slide_and_their_ids_differ(write: Write) -> None:
    slide = "a[^1]\n\n[^1]: b"
    html = f"<p>a{reference(1, slide=2)}</p>{listed(note(1, '<p>b @</p>', slide=2))}"
    assert write("footnotes", slide, slide) == html
    assert write("footnotes", slide, "a[^1]") == "<p>a[^1]</p>"


def test_notes_have_footnotes_of_their_own(write: Write) -> None:
    html = write("footnotes", "a", notes="b[^1]\n\n[^1]: c")
    assert html == (
        f'<p>a</p><aside class="notes"><p>b{reference(1, slide=2)}</p>'
        f"{listed(note(1, '<p>c @</p>', slide=2))}</aside>"
    )


# Definition lists


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("T\n: d", "<dl><dt>T</dt><dd>d</dd></dl>"),
        ("T\n: d\n: e", "<dl><dt>T</dt><dd>d</dd><dd>e</dd></dl>"),
        ("*T*\n: `d`\n\nU\n: e", "<dl><dt><em>T</em></dt><dd>`d`</dd><dt>U</dt><dd>e</dd></dl>"),
        ("T\n\n: d\n\n  e", "<dl><dt>T</dt><dd><p>d</p><p>e</p></dd></dl>"),
        ("T\n: - a\n  - b", "<dl><dt>T</dt><dd><ul><li>a</li><li>b</li></ul></dd></dl>"),
    ],
)
def test_definition_lists(write: Write, markdown: str, html: str) -> None:
    assert write("definition_lists", markdown) == html.replace("`d`", "<code>d</code>")


# Containers


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("::: columns\na\n:::", '<div class="columns"><p>a</p></div>'),
        (":::columns\na\n:::", '<div class="columns"><p>a</p></div>'),
        ("::: a b\nc\n:::", '<div class="a b"><p>c</p></div>'),
        ("::: {.a #i data-x='1 2'}\nc\n:::", '<div class="a" data-x="1 2" id="i"><p>c</p></div>'),
        ("::: a {.b k=v}\nc\n:::", '<div class="a b" k="v"><p>c</p></div>'),
        (
            "text\n::: a\n- b\n:::\nmore",
            '<p>text</p><div class="a"><ul><li>b</li></ul></div><p>more</p>',
        ),
        (
            "::: o\n::: i\na\n:::\n::: j\nb\n:::\n:::\nc",
            '<div class="o"><div class="i"><p>a</p></div><div class="j"><p>b</p></div></div>'
            "<p>c</p>",
        ),
        (":::: o\n::: i\na\n:::\n::::", '<div class="o"><div class="i"><p>a</p></div></div>'),
        ("::: a\n```\n:::\n```\nb\n:::", '<div class="a"><pre>@</pre><p>b</p></div>'),
        (
            "- i\n\n  ::: a\n  b\n  :::\n- j",
            '<ul><li><p>i</p><div class="a"><p>b</p></div></li><li><p>j</p></li></ul>',
        ),
        ("::: a\nnever closed", '<div class="a"><p>never closed</p></div>'),
        (":::", "<p>:::</p>"),
        ("::: a.b!\nc\n:::", "<p>::: a.b!\nc\n:::</p>"),
        (":: a\nb\n::", "<p>:: a\nb\n::</p>"),
        ("    ::: a", "<pre>@</pre>"),
        ("::: a\n# T\n:::", '<div class="a"><h1 id="t">T</h1></div>'),
        ("::: {.a onclick=x}\nb\n:::", '<div class="a"><p>b</p></div>'),
    ],
)
def test_containers(write: Write, markdown: str, html: str) -> None:
    made = re.sub(r"<code.*?</code>", "@", write("containers", markdown), flags=re.DOTALL)
    assert made == html


# Attributes


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("# T {#i .a .b}", '<h1 class="a b" id="i">T</h1>'),
        ("# T *x* {.a}", '<h1 class="a" id="t-x">T <em>x</em></h1>'),
        ("T {k=v}\n===", '<h1 id="t" k="v">T</h1>'),
        ("![a](b.png){width=50% .c}", '<p><img alt="a" class="c" src="b.png" width="50%" /></p>'),
        ("[a](b){target=_blank}", '<p><a href="b" target="_blank">a</a></p>'),
        ("[a **b**]{.c}", '<p><span class="c">a <strong>b</strong></span></p>'),
        ("**a**{.b}", '<p><strong class="b">a</strong></p>'),
        ("*a **b**{.c}*{.d}", '<p><em class="d">a <strong class="c">b</strong></em></p>'),
        ("~~a~~{.b} c", '<p><del class="b">a</del> c</p>'),
        ("`a`{.b}", '<p><code class="b">a</code></p>'),
        ("[a]{t=\"x y\" u='z'}", '<p><span t="x y" u="z">a</span></p>'),
        ("[a](b){onclick=x .c ONLOAD=y}", '<p><a class="c" href="b">a</a></p>'),
        ("a {.b}", "<p>a {.b}</p>"),
        ("# T {x}", '<h1 id="t-x">T {x}</h1>'),
        ("**a** {.b}", "<p><strong>a</strong> {.b}</p>"),
        ("**a**{.b", "<p><strong>a</strong>{.b</p>"),
        ("**a**{}", "<p><strong>a</strong>{}</p>"),
        ("[a]", "<p>[a]</p>"),
    ],
)
def test_attributes(write: Write, markdown: str, html: str) -> None:
    assert write("attributes", markdown) == html


@pytest.mark.parametrize(
    ("info", "pre", "classes"),
    [
        ("python {#i .a}", '<pre id="i" class="a">', "python"),
        ("python {.a} [1|2]", '<pre class="a">', "python"),
        ("python [1|2] {.a}", '<pre class="a">', "python"),
        ("{.python .a}", '<pre class="a">', "python"),
        ("{.python}", "<pre>", "python"),
        ("python", "<pre>", "python"),
    ],
)
def test_attributes_of_fences(write: Write, info: str, pre: str, classes: str) -> None:
    html = write("attributes", f"```{info}\nx = 1\ny = 2\n```")
    assert html.startswith(f'{pre}<code class="{classes} hljs')
    assert ("data-line-numbers" in html) is ("[1|2]" in info)


def test_braces_are_text_without_the_switch(write: Write) -> None:
    assert write("containers", "**a**{.b}") == "<p><strong>a</strong>{.b}</p>"


# Extensions of Python-Markdown


@pytest.mark.parametrize(
    ("extensions", "markdown", "html"),
    [
        ("abbr", "A MoE.\n\n*[MoE]: Experts", '<p>A <abbr title="Experts">MoE</abbr>.</p>'),
        ("abbr", "**MoE**\n*[MoE]: E", '<p><strong><abbr title="E">MoE</abbr></strong></p>'),
        (
            "abbr",
            "`MoE` [MoE](MoE)\n\n*[MoE]: E",
            '<p><code>MoE</code> <a href="MoE"><abbr title="E">MoE</abbr></a></p>',
        ),
        ("abbr", "a 1 b\n\n*[1]: one", '<p>a <abbr title="one">1</abbr> b</p>'),
        ("smarty", '"a" -- `"b"`', '<p>&ldquo;a&rdquo; &ndash; <code>"b"</code></p>'),
        ("nl2br", "a\nb", "<p>a<br />b</p>"),
        (
            "wikilinks",
            "[[A B]] `[[C]]`",
            '<p><a class="wikilink" href="/A_B/">A B</a> <code>[[C]]</code></p>',
        ),
        ("markdown.extensions.nl2br", "a\nb", "<p>a<br />b</p>"),
    ],
)
def test_extensions_of_python_markdown(
    write: Write, extensions: str, markdown: str, html: str
) -> None:
    assert write(extensions, markdown) == html


MARK = "pymdownx.mark"


@needs_pymdownx
@pytest.mark.parametrize(
    ("extensions", "markdown", "html"),
    [
        (MARK, "a ==b== c", "a <mark>b</mark> c"),
        (MARK, "==a *b* `c`==", "<mark>a <em>b</em> <code>c</code></mark>"),
        (MARK, "**a ==b== c**", "<strong>a <mark>b</mark> c</strong>"),
        (MARK, "`==a==`", "<code>==a==</code>"),
        (MARK, "==a `==` b==", "<mark>a <code>==</code> b</mark>"),
        (MARK, '<b title="==x==">==a==</b>', '<b title="==x=="><mark>a</mark></b>'),
        (MARK, "a <!-- ==a== --> b", "a <!-- ==a== --> b"),
        (MARK, "[==a==](b==c==d)", '<a href="b==c==d"><mark>a</mark></a>'),
        (MARK, '[a](b "==t==")', '<a href="b" title="==t==">a</a>'),
        (MARK, "https://a.org/==b== c", '<a href="https://a.org/==b==">https://a.org/==b==</a> c'),
        (MARK, "\\==a== b", "==a== b"),
        (MARK, "==&copy;a== & b", "<mark>©a</mark> &amp; b"),
        ("pymdownx.tilde", "H~2~O ~~a~~", "H<sub>2</sub>O <del>a</del>"),
        ("pymdownx.tilde", "a~b\\ c~", "a<sub>b c</sub>"),
        ("pymdownx.caret", "x^2^ ^^a^^", "x<sup>2</sup> <ins>a</ins>"),
        (
            "pymdownx.mark pymdownx.caret pymdownx.tilde",
            "==a^b^== c~d~",
            "<mark>a<sup>b</sup></mark> c<sub>d</sub>",
        ),
        (
            "pymdownx.keys",
            "++ctrl+a++",
            '<span class="keys"><kbd class="key-control">Ctrl</kbd><span>+</span>'
            '<kbd class="key-a">A</kbd></span>',
        ),
        ("pymdownx.smartsymbols", "(c) --> `(c)`", "&copy; &rarr; <code>(c)</code>"),
        (
            "pymdownx.mark attributes",
            "==a== **b**{.c}",
            '<mark>a</mark> <strong class="c">b</strong>',
        ),
        (
            "pymdownx.mark footnotes",
            "a^[==b==]",
            f"a{reference(1)}</p>{listed(note(1, '<mark>b</mark> @'))}",
        ),
    ],
)
def test_extensions_of_pymdownx(write: Write, extensions: str, markdown: str, html: str) -> None:
    ends = "" if html.endswith("</div>") else "</p>"
    assert write(extensions, markdown) == f"<p>{html}{ends}"


@needs_pymdownx
def test_formulas_are_out_of_reach_of_extensions(write: Write) -> None:
    html = write("pymdownx.mark abbr", "==a $x==y==z$ MoE== $1$\n\n*[1]: one\n*[MoE]: E")
    assert '<annotation encoding="application/x-tex">x==y==z</annotation>' in html
    assert html.startswith("<p><mark>a <span") and html.count("<mark>") == 1
    assert '<abbr title="E">MoE</abbr></mark>' in html and 'title="one"' not in html


@needs_pymdownx
def test_extensions_leave_the_rest_of_markdown_alone(write: Write) -> None:
    markdown = "# 自注意力\n\n**“引号”**后文\n再换行 <b>x</b> &amp; [a][r] ![i](j.png)\n\n[r]: u"
    assert write("pymdownx.mark smarty", markdown) == write("", markdown)


# What cannot be switched on


def message(*names: str) -> str:
    with pytest.raises(DeckError) as caught:
        create_markdown(read_switches(names).foreign)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("os.path", "`os.path` is no Markdown extension that a deck may switch on"),
        ("pymdownx.blocks.tab", "is no Markdown extension that a deck may switch on"),
        ("markdown.extensions.__init__", "is no Markdown extension that a deck may switch on"),
        ("..evil", "is no Markdown extension that a deck may switch on"),
        ("foot-notes", "→ did you mean `footnotes`"),
        ("foot_notes", "there is no Markdown extension `foot_notes`"),
        ("container", "→ did you mean `containers`"),
        ("tables", "→ leave it out, decks have tables"),
        ("def_list", "→ switch `definition_lists` on"),
        ("toc", "`markdown.extensions.toc` is no inline extension: it would have no effect"),
        ("meta", "→ leave it out; blocks are CommonMark's, see docs/markdown.md"),
    ],
)
def test_other_names_are_errors(name: str, said: str) -> None:
    assert said in message(name)


@needs_pymdownx
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pymdownx.superfences", "→ leave it out, decks have fenced code"),
        ("pymdownx.snippets", "is no inline extension"),
        ("pymdownx.b64", "is no inline extension"),
        ("pymdownx.marks", "→ did you mean `pymdownx.mark`"),
        ("pymdownx.slugs", "the Markdown extension `pymdownx.slugs` cannot be loaded"),
    ],
)
def test_what_reads_blocks_or_files_is_an_error(name: str, said: str) -> None:
    assert said in message(name)


def test_a_module_outside_the_two_packages_is_never_imported() -> None:
    sys.modules.pop("this", None)
    assert "is no Markdown extension" in message("this.that")
    assert "this" not in sys.modules


class Refuse:
    """A finder in whose world there is no pymdownx."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name == "pymdownx":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "pymdownx"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Refuse(), *sys.meta_path])
    assert message("pymdownx.mark") == (
        "error: the Markdown extension `pymdownx.mark` needs a package that is not installed\n"
        "    → run `pip install pymdown-extensions`"
    )


def test_an_extension_that_fails_on_a_text_is_an_error_with_its_slide(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    from markdown.extensions import wikilinks

    def fail(*args: Any) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr(wikilinks.WikiLinksInlineProcessor, "handleMatch", fail)
    with pytest.raises(DeckError) as caught:
        write("wikilinks", "a [[b]]")
    assert str(caught.value) == (
        "talk.md:1: error: a Markdown extension failed on 'a [[b]]': out of order\n"
        "    → leave the extension out"
    )


# In a deck


@pytest.mark.parametrize("key", ["markdownExtensions", "markdown_extensions"])
@pytest.mark.parametrize("value", ["[containers, attributes]", "containers, attributes"])
def test_both_spellings_and_both_kinds_of_list(built: Any, key: str, value: str) -> None:
    deck = f"---\n{key}: {value}\n---\n::: a\n**b**{{.c}}\n:::\n"
    page = built({"a.md": deck}).page()
    assert '<div class="a"><p><strong class="c">b</strong></p>' in page


def test_a_wrong_name_is_an_error_at_its_line(project: Any) -> None:
    made = project({"a.md": "---\ntitle: T\nmarkdown_extensions: [footnote]\n---\na\n"})
    ran = made.build()
    assert ran.code == 1
    assert "a.md:3:1: error: there is no Markdown extension" in ran.err + ran.out
    assert "did you mean `footnotes`" in ran.err + ran.out


def test_the_switches_are_those_that_the_document_lists() -> None:
    from pathlib import Path

    text = (Path(__file__).parent.parent.parent / "docs/markdown.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert rows == list(OWN)
