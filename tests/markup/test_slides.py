"""A slide as HTML: what is contained, notes, titles, formulas, numbers and figures in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from labdeck.errors import DeckError, Where
from labdeck.markup.slides import Inserts

Check = Callable[..., None]
RenderSlide = Callable[..., Any]


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("</section></div>a", "a"),
        ("a</section></div>", "<p>a</p>"),
        ("<div>\n\na", "<div><p>a</p></div>"),
        ("a <b>c", "<p>a <b>c</p></b>"),
        ("<!-- never closed\n\n# A", "<!-- never closed\n\n# A-->"),
    ],
)
def test_a_slide_cannot_end_or_swallow_what_follows(
    render: RenderSlide, markdown: str, html: str
) -> None:
    squeezed = render(markdown).html.replace("\n\n", "\n").replace(">\n", ">").replace("\n<", "<")
    assert squeezed == html.replace("\n\n", "\n")


def test_f31_a_textarea_end_ends_nothing(render: RenderSlide) -> None:
    assert render("a\n\n</textarea>\n\nb").html.count("<p>") == 2


@pytest.mark.parametrize(
    "script",
    [
        "<script>alert(1)</script>",
        '<script src="x.js"></script>',
        '<SCRIPT type="module">x</SCRIPT>',
        '<script type="text/javascript">x</script>',
    ],
)
def test_f35_a_script_in_a_slide_does_not_run(render: RenderSlide, script: str) -> None:
    html = render(script).html
    assert html.count("<script") == 1 and 'type="text/plain"' in html


def test_f34_the_end_of_a_script_is_harmless(render: RenderSlide) -> None:
    assert render("<script>a</script>\n\n**b**").html.endswith("<strong>b</strong></p>")


def test_f30_entities_in_text_and_code_stay_as_written(render: RenderSlide) -> None:
    html = render("&lt;b&gt; and `&lt;`").html
    assert html == "<p>&lt;b&gt; and <code>&amp;lt;</code></p>"


def test_f30_an_entity_that_reveal_md_decodes_is_warned_of(render: RenderSlide) -> None:
    assert render("a\n\n&amp;lt;").problems == [
        "talk.md:3: warning: `&amp;` stays text here; reveal-md decodes it before Markdown\n"
        "    → write the character itself if reveal-md's reading is meant"
    ]


def test_f39_notes_stand_last_in_an_aside(render: RenderSlide) -> None:
    rendered = render("# A", notes=" say *this*\n\n$x$\n")
    assert rendered.html.startswith('<h1 id="a">A</h1><aside class="notes"><p>say <em>this</em>')
    assert 'class="katex"' in rendered.html and rendered.html.endswith("</aside>")


def test_f39_notes_may_be_empty(render: RenderSlide) -> None:
    assert render("a", notes="\n").html.endswith('<aside class="notes"></aside>')


def test_f39_notes_as_html_stay(assert_renders: Check) -> None:
    assert_renders('<aside class="notes">**a**</aside>', '<aside class="notes">**a**</aside>')


@pytest.mark.parametrize(
    ("markdown", "title"),
    [
        ("text\n\n## A **b** `c`\n\n# D", "A b c"),
        ("# R&amp;D < E", "R&D < E"),
        ("<h3>Raw\nHTML</h3>", "Raw HTML"),
        ("# Cost $n^2$", "Cost n2"),
        ("no heading", ""),
    ],
)
def test_the_title_of_a_slide_is_its_first_heading(
    render: RenderSlide, markdown: str, title: str
) -> None:
    assert render(markdown).slide.title == title


def test_ids_of_headings_are_counted_over_the_deck(render: RenderSlide) -> None:
    assert 'id="a-1"' in render("# A\n\n# A").html
    assert 'id="a-1"' not in render("# A").html


# Bad TeX


@pytest.mark.parametrize(
    ("markdown", "message"),
    [
        (
            "# A\n\ntext $\\frac{1}{$ more",
            "talk.md:3:16: error: TeX: Unexpected end of input in a macro argument,"
            " expected '}'\n"
            "    \\frac{1}{\n             ^\n"
            "    → write \\$ for a dollar sign that begins no formula",
        ),
        (
            "$\\nosuch x$",
            "talk.md:1:2: error: TeX: Undefined control sequence: \\nosuch\n"
            "    \\nosuch x\n    ^\n"
            "    → check the spelling; KaTeX's functions: https://katex.org/docs/supported",
        ),
        (
            "$$\na\n+ \\bad\n$$",
            "talk.md:3:3: error: TeX: Undefined control sequence: \\bad\n"
            "    + \\bad\n      ^\n"
            "    → check the spelling; KaTeX's functions: https://katex.org/docs/supported",
        ),
    ],
)
def test_bad_tex_is_an_error_with_place_and_caret(
    render: RenderSlide, markdown: str, message: str
) -> None:
    problems = render(markdown).problems
    assert problems == [message]


def test_a_stray_ampersand_is_shown_and_says_so(render: RenderSlide) -> None:
    rendered = render("a $x & y$")
    assert rendered.problems == [
        "talk.md:1:3: warning: & outside an environment\n"
        "    → write \\& for the sign, or put the formula into an aligned environment"
    ]
    assert ">x &amp; y</annotation>" in rendered.html


# Numbers and figures


def inserts(seen: list[tuple[str, ...]]) -> Inserts:
    def number(expression: str, where: Where) -> str:
        seen.append(("number", expression, str(where)))
        if expression == "bad":
            raise DeckError("no such number", hint="look")
        return f"<data>{expression}</data>"

    def figure(name: str, body: str, where: Where) -> str:
        seen.append(("figure", name, body, str(where)))
        return f"<figure>{name}</figure>"

    return Inserts(number, figure)


def test_numbers_and_figures_are_asked_for_with_their_places(render: RenderSlide) -> None:
    seen: list[tuple[str, ...]] = []
    html = render(
        "# {{ a.b }}\n\n- x {{ a.c | si }}\n\n```demo a.f\ncaption: c\n```\n", inserts(seen)
    ).html
    assert sorted(seen) == [
        ("figure", "a.f", "caption: c\n", "talk.md:5"),
        ("number", "a.b", "talk.md:1:3"),
        ("number", "a.c | si", "talk.md:3:5"),
    ]
    assert "<h1" in html and "<data>a.b</data></h1>" in html
    assert "<li>x <data>a.c | si</data></li>" in html
    assert "<figure>a.f</figure>" in html and "<p><figure>" not in html


def test_an_error_of_a_number_gets_its_place(render: RenderSlide) -> None:
    assert render("a\n{{ bad }}", inserts([])).problems == [
        "talk.md:2:1: error: no such number\n    → look"
    ]


def test_numbers_are_no_numbers_in_code_math_and_attributes(render: RenderSlide) -> None:
    seen: list[tuple[str, ...]] = []
    html = render('`{{ a }}` <b title="{{ b }}">x</b> [c]({{d}})', inserts(seen)).html
    assert [name for _, name, _ in seen] == []
    assert "<code>{{ a }}</code>" in html and 'title="{{ b }}"' in html


def test_without_demos_braces_and_blocks_are_text(render: RenderSlide) -> None:
    html = render("{{ a.b }}\n\n```demo a.f\nx\n```").html
    assert "<p>{{ a.b }}</p>" in html and "<figure" not in html and "<pre>" in html
