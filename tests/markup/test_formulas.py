"""Which texts are formulas, and what their TeX is; FormulaTaker alone, then typeset."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from labdeck.errors import Problems
from labdeck.markup.formulas import FormulaTaker
from labdeck.markup.shelf import Shelf
from labdeck.model import Span

Taken = list[tuple[str, bool]]


def take(text: str, expressions: bool = False) -> tuple[Shelf, str, list[str]]:
    shelf, problems = Shelf(), Problems()
    span = Span("t.md", 1, 1 + text.count("\n"))
    left = FormulaTaker(shelf, span, problems, expressions).take(text)
    return shelf, left, [str(problem) for problem in problems.found]


def formulas(text: str) -> Taken:
    """(TeX, display) of each formula of a text without problems."""
    shelf, left, problems = take(text)
    assert problems == []
    assert shelf.restore(left) == text
    return [(piece.content, piece.display) for piece in shelf.pieces]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a $x^2$ b", [("x^2", False)]),
        ("$a$ and $b$", [("a", False), ("b", False)]),
        ("$$x$$", [("x", True)]),
        ("in a $$x$$ paragraph", [("x", True)]),
        ("$$\nx\n= y\n$$", [("\nx\n= y\n", True)]),
        (r"\(x\) and \[y\]", [("x", False), ("y", True)]),
        (r"\\(x\\) and \\[y\\]", [("x", False), ("y", True)]),
        (r"$\text{costs $5}$", [(r"\text{costs $5}", False)]),
        (r"$a\$b$", [(r"a\$b", False)]),
        ("中文$x$中文", [("x", False)]),
        ("$x$，$y$。", [("x", False), ("y", False)]),
        ("- $x$\n- $y$", [("x", False), ("y", False)]),
        ("| $x$ | `$y` |", [("x", False)]),
        (r"$f\colon A \to B$", [(r"f\colon A \to B", False)]),
        ("$\\begin{matrix} a & b \\\\ c & d \\end{matrix}$",
         [("\\begin{matrix} a & b \\\\ c & d \\end{matrix}", False)]),
    ],
)  # fmt: skip
def test_f60_formulas_are_taken_out_before_markdown(text: str, expected: Taken) -> None:
    assert formulas(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "no formula",
        "one $ alone",
        "a $5 b",
        r"\$x\$",
        "$ $",
        "$$ $$",
        "$a\n\nb$",
        "`$x`",
        "`a $x$ b`",
        "```\n$x$\n```",
        "~~~tex\n$$x$$\n~~~",
        "<!-- $x$ -->",
        '<img alt="$x$">',
        "<pre>$x$</pre>",
        "<script>$x$</script>",
        "<textarea>$x$</textarea>",
        r"\(see below\)",
        r"\[1\]",
        r"\begin{foo}x\end{foo}",
        "{{ a.b }}",
    ],
)
def test_f64_what_is_no_formula(text: str) -> None:
    assert formulas(text) == []


@pytest.mark.parametrize(
    "text", ["costs $5 and $6", "from $10 to $20", "$20k now, $30k later", "US$5 and US$6 m"]
)
def test_f64_prices_are_text_and_say_so(text: str) -> None:
    shelf, left, problems = take(text)
    assert (shelf.pieces, left) == ([], text)
    column = text.index("$") + 1
    assert problems[0] == (
        f"t.md:1:{column}: warning: two dollar signs that look like prices are left as text\n"
        "    → write \\$ for a dollar sign"
    )


def test_f64_shell_code_is_no_formula() -> None:
    assert formulas("`echo $HOME and $PATH`") == []


@pytest.mark.parametrize(
    ("text", "tex", "display"),
    [
        ("`$x_1$`", "x_1", False),
        ("`$$ a_1 $$`", " a_1 ", True),
        ("``$x$``", "x", False),
        (r"`\(x\)`", "x", False),
    ],
)
def test_f64_backtick_math_is_a_formula_and_says_so(text: str, tex: str, display: bool) -> None:
    shelf, _, problems = take(f"a {text}")
    assert [(p.content, p.display, p.source) for p in shelf.pieces] == [(tex, display, text)]
    assert problems == [
        "t.md:1:3: warning: a formula in backticks\n"
        "    → write it without backticks; this page needs none"
    ]


def test_f64_a_bare_environment_is_a_formula_and_says_so() -> None:
    shelf, _, problems = take("a\n\n\\begin{align}\nx &= 1 \\\\\ny &= 2\n\\end{align}")
    assert [p.display for p in shelf.pieces] == [True]
    assert problems == [
        "t.md:3:1: warning: \\begin{align} without $$ around it is read as a formula\n"
        "    → write $$ before and after it"
    ]


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        (r"$$a \\\\ b$$", r"a \\ b"),
        (r"$\\{x\\}$", r"\{x\}"),
        (r"$a\\_i$", "a_i"),
    ],
)
def test_f60_doubled_escapes_are_read_as_their_author_saw_them(text: str, tex: str) -> None:
    shelf, _, problems = take(text)
    assert shelf.pieces[0].content.replace(r"\_", "_") == tex
    assert problems == [
        "t.md:1:1: warning: backslashes doubled for reveal-md are read as single ones\n"
        "    → one backslash less is enough here"
    ]


def test_f60_escaped_underscores_and_stars_are_plain_ones() -> None:
    assert formulas(r"$x\_i \* y$") == [("x_i * y", False)]
    assert formulas(r"$\text{a\_b}$") == [(r"\text{a\_b}", False)]


def test_f30_entities_in_formulas_are_decoded_and_say_so() -> None:
    shelf, _, problems = take("a\n$x &lt; y &amp; z$")
    assert shelf.pieces[0].content == "x < y & z"
    assert problems == [
        "t.md:2:1: warning: an entity inside a formula is decoded\n"
        "    → write < > and & as they are"
    ]


def test_f60_quote_marks_are_no_part_of_a_formula() -> None:
    shelf, _, _ = take("> $$\n> a\n> > b\n> $$")
    assert shelf.pieces[0].content == "\n a\n > b\n "


def test_formulas_know_their_places() -> None:
    shelf, _, _ = take("a\n\nb $x$ $y$")
    assert [str(piece.where) for piece in shelf.pieces] == ["t.md:3:3", "t.md:3:7"]


@pytest.mark.parametrize(
    ("text", "expressions"),
    [
        ("{{ a.b }}", ["a.b"]),
        ("{{ a.b | fmt('{}') }} {{c.d}}", ["a.b | fmt('{}')", "c.d"]),
        ('{{ a.b | fmt("}}") }}', ['a.b | fmt("}}")']),
        ("`{{ a.b }}`", []),
        ("```\n{{ a.b }}\n```", []),
        ("$x_{{ a }}$", []),
        ("<!-- {{ a.b }} -->", []),
        ("{{ a\nb }}", []),
        ("{ { a } }", []),
    ],
)
def test_expressions_are_taken_where_demos_are_declared(text: str, expressions: list[str]) -> None:
    shelf, left, _ = take(text, expressions=True)
    assert [p.content for p in shelf.pieces if p.kind == "number"] == expressions
    assert shelf.restore(left) == text
    assert [p for p in take(text)[0].pieces if p.kind == "number"] == []


# Typeset


def tex_of(html: str) -> list[str]:
    """The TeX of each formula on a page."""
    parts = html.split('<annotation encoding="application/x-tex">')[1:]
    return [unescape(part.partition("</annotation>")[0]) for part in parts]


@pytest.mark.parametrize(
    ("markdown", "tex"),
    [
        ("$x^*_i y^*_i$", "x^*_i y^*_i"),
        ("$$\na\n- b\n+ c\n> d\n=\n$$", "\na\n- b\n+ c\n> d\n=\n"),
        ("$\\{a\\,b\\}$", "\\{a\\,b\\}"),
        ("$$ a \\\\ b $$", " a \\\\ b "),
        ("$a <b> c$", "a <b> c"),
        ("$`x`$", "`x`"),
    ],
)
def test_f60_markdown_changes_nothing_in_a_formula(
    render: Callable[..., Any], markdown: str, tex: str
) -> None:
    assert [t.strip() for t in tex_of(render(markdown).html)] == [tex.strip()]


def test_f60_a_formula_in_a_table_does_not_split_its_cell(render: Callable[..., Any]) -> None:
    html = render("| a | b |\n|---|---|\n| $|x|$ | $\\|y\\|$ |").html
    assert html.count("<td>") == 2
    assert tex_of(html) == ["|x|", "\\|y\\|"]


def test_a_formula_never_becomes_a_script(render: Callable[..., Any]) -> None:
    html = render("$x$ and\n\n$$y$$").html
    assert "<script" not in html and html.count('class="katex"') == 2
    assert html.count('<span class="katex-display">') == 1
