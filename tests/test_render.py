"""The page: its parts, its templates, its language, and the index of talks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from labdeck.render import guess_language
from tests.conftest import Project

MakeProject = Callable[..., Project]
Toy = Callable[..., Project]


def options(page: str) -> dict[str, Any]:
    found = re.search(r"var options = Object\.assign\((\{.*?\}), \{", page)
    assert found
    return json.loads(found[1])


def sections(page: str) -> list[str]:
    """Start and end tags of sections, without attributes."""
    return [f"<{end}section>" for end in re.findall(r"<(/?)section\b", page)]


def test_f28_slides_stand_in_their_stacks(built: MakeProject) -> None:
    page = built({"slides/a.md": "# A\n---\n# B\n----\n# C\n---\n# D"}).page()
    s, e = "<section>", "</section>"
    assert sections(page) == [s, e, s, s, e, s, e, e, s, e]


def test_a_slide_names_the_line_it_comes_from(built: MakeProject) -> None:
    page = built({"slides/a.md": "---\ntitle: T\n---\n\n# A\n\n---\n\n\n# B"}).page()
    assert re.findall(r'data-source="([^"]+)"', page) == ["slides/a.md:5", "slides/a.md:10"]


def test_attributes_of_a_slide_are_escaped(built: MakeProject) -> None:
    page = built({"slides/a.md": '<!-- .slide: class="a" data-state="<b>&\'" -->\n# A'}).page()
    assert 'class="a" data-state="&lt;b&gt;&amp;&#x27;"' in page


def test_f8_options_of_reveal_reach_the_page(built: MakeProject) -> None:
    front = "revealOptions: {width: 1000, transition: fade, markdown: {breaks: true}}"
    page = built({"slides/a.md": f"---\n{front}\n---\n# A"}).page()
    assert options(page) == {
        "center": True,
        "controls": True,
        "history": True,
        "progress": True,
        "slideNumber": True,
        "transition": "fade",
        "width": 1000,
    }


def test_f10_flags_of_the_command_stay_out_of_the_page(project: MakeProject) -> None:
    made = project({"slides/a.md": "# A"})
    assert made.build("--theme", "moon", "-R", "transition=zoom", "-R", "a.b=1").code == 0
    given = options(made.page())
    assert (given["transition"], given["a"]) == ("zoom", {"b": 1})
    assert "theme" not in given and "_" not in given


def test_an_option_cannot_end_its_script(built: MakeProject) -> None:
    front = "revealOptions: {a: '</script><script>x'}"
    page = built({"slides/a.md": f"---\n{front}\n---\n# A"}).page()
    assert "</script><script>x" not in page and options(page)["a"] == "</script><script>x"


def test_f17_titles_are_escaped(built: MakeProject) -> None:
    page = built({"slides/a.md": "---\ntitle: A </title> & <b>\n---\nx"}).page()
    assert "<title>A &lt;/title&gt; &amp; &lt;b&gt;</title>" in page


@pytest.mark.parametrize(
    ("text", "title"),
    [("---\ntitle: T\n---\n# A", "T"), ("text\n\n---\n\n# A *b*", "A b"), ("text", "a")],
)
def test_the_title_is_given_or_the_first_heading_or_the_name(
    built: MakeProject, text: str, title: str
) -> None:
    assert f"<title>{title}</title>" in built({"slides/a.md": text}).page()


def test_meta_tags(built: MakeProject) -> None:
    front = 'author: Ann\ndescription: About "it"\nabsoluteUrl: https://a.org/t'
    page = built({"slides/a.md": f"---\ntitle: T\n{front}\n---\nx"}).page()
    assert '<meta name="author" content="Ann">' in page
    assert '<meta name="description" content="About &#34;it&#34;">' in page
    assert '<meta property="og:url" content="https://a.org/t">' in page
    assert "initial-scale=1" in page and "user-scalable=no" not in page


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("The quick brown fox", "en"),
        ("注意力机制 Transformer attention is all you need", "zh-CN"),
        ("これは注意機構です", "ja"),
        ("어텐션 메커니즘", "ko"),
        ("123 + 456", "en"),
        ("", "en"),
    ],
)
def test_f20_the_language_of_a_page_is_guessed(text: str, lang: str) -> None:
    assert guess_language(text) == lang


def test_f20_a_language_that_is_given_wins(built: MakeProject) -> None:
    assert '<html lang="de">' in built({"slides/a.md": "---\nlang: de\n---\n中文"}).page()


# Templates


def test_a_template_of_the_author_extends_the_bundled_one(built: MakeProject) -> None:
    template = (
        '{% extends "labdeck/deck.html" %}{% block head %}<meta name="x"'
        ' content="{{ deck.extra.institute }}">{% endblock %}'
    )
    made = built(
        {
            "slides/a.md": "---\ninstitute: A & B\n---\n# A",
            "custom/templates/deck.html": template,
        }
    )
    assert '<meta name="x" content="A &amp; B">' in made.page()
    assert "<h1" in made.page()


def test_custom_templates_win_over_those_of_the_project(built: MakeProject) -> None:
    made = built(
        {
            "slides/a.md": "# A",
            "templates/slide.html": "<section>project</section>",
            "custom/templates/slide.html": "<section>custom</section>",
        }
    )
    assert "<section>custom</section>" in made.page()


HINT = "    → docs/templates.md lists what each template is given\n"


@pytest.mark.parametrize(
    ("template", "line", "message"),
    [
        ("a\n{% block %}", 2, "template: "),
        ("a\n\n{{ deck.nosuch }}", 3, "template: 'dict object' has no attribute 'nosuch'\n"),
        ("{{ nosuch }}", 1, "template: 'nosuch' is undefined\n"),
    ],
)
def test_an_error_in_a_template_names_its_file_and_line(
    project: MakeProject, template: str, line: int, message: str
) -> None:
    made = project({"slides/a.md": "# A", "custom/templates/deck.html": template})
    ran = made.build()
    assert ran.code == 1
    assert ran.err.startswith(f"{made.root}/custom/templates/deck.html:{line}: error: {message}")
    assert HINT in ran.err


def test_a_template_that_is_not_there(project: MakeProject) -> None:
    made = project(
        {"slides/a.md": "# A", "custom/templates/deck.html": '{% extends "nosuch.html" %}'}
    )
    ran = made.build()
    assert ran.code == 1
    assert ran.err.startswith(
        f"{made.root}/custom/templates/deck.html:1: error: there is no template `nosuch.html`\n"
        "    → bundled ones begin with labdeck/, e.g. labdeck/deck.html; see docs/templates.md\n"
    )


# The index of talks


def test_the_index_lists_talks_with_what_is_known_of_them(built: MakeProject) -> None:
    made = built(
        {
            "slides/b.md": "---\ntitle: B & C\nauthor: Ann\ndate: 2024-05-01\n"
            "description: All <of> it\n---\n# B\n---\n# C",
            "slides/x/a.md": "# A",
        }
    )
    page = made.page("index.html")
    assert '<a href="b.html">B &amp; C</a>' in page and '<a href="x/a.html">A</a>' in page
    assert "<span>Ann</span><span>2024-05-01</span><span>2 slides</span>" in page
    assert "<p>All &lt;of&gt; it</p>" in page
    assert page.index("b.html") < page.index("x/a.html")


def test_the_index_speaks_chinese_for_chinese_talks(built: MakeProject) -> None:
    page = built({"slides/a.md": "# 注意力\n---\n# 机制"}).page("index.html")
    assert '<html lang="zh-CN">' in page and "<span>2 页</span>" in page


def test_f52_hidden_slides_do_not_count(built: MakeProject) -> None:
    hidden = '<!-- .slide: data-visibility="hidden" -->\n# B'
    page = built({"slides/a.md": f"# A\n\n---\n\n{hidden}"}).page("index.html")
    assert "<span>1 slide</span>" in page
