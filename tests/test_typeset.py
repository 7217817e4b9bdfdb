from __future__ import annotations

from pathlib import Path

import pytest

from labdeck.cache import Cache
from labdeck.errors import MachineError
from labdeck.layers import assets_root
from labdeck.typeset import TexError, Typesetter

FOLDER = assets_root()


@pytest.fixture
def fresh(typesetter: Typesetter) -> Typesetter:
    typesetter.new_deck()
    return typesetter


def test_tex_becomes_html_with_mathml_and_the_source(fresh: Typesetter) -> None:
    html = fresh.tex("x^2", display=False)
    assert html.startswith('<span class="katex"><span class="katex-mathml"><math')
    assert '<annotation encoding="application/x-tex">x^2</annotation>' in html
    assert fresh.tex("x^2", display=True).startswith('<span class="katex-display">')


def test_chinese_in_formulas(fresh: Typesetter) -> None:
    assert "注意力" in fresh.tex(r"\text{注意力} = 权重", display=True)


@pytest.mark.parametrize("tex", [r"\href{javascript:x}{a}", r"\includegraphics{x.png}", r"\url{x}"])
def test_tex_cannot_bring_addresses_into_the_page(fresh: Typesetter, tex: str) -> None:
    html = fresh.tex(tex, display=False)
    assert "<a " not in html and "<img" not in html


@pytest.mark.parametrize(
    ("tex", "said", "line", "column", "snippet"),
    [
        (r"a + \foo", r"Undefined control sequence: \foo", 0, 4, "a + \\foo\n    ^"),
        ("a\n+ \\foo b", r"Undefined control sequence: \foo", 1, 2, "+ \\foo b\n  ^"),
        (r"\frac{1", "Unexpected end of input in a macro argument, expected '}'", 0, 7,
         "\\frac{1\n       ^"),
        (r"权重 \foo", r"Undefined control sequence: \foo", 0, 3, "权重 \\foo\n     ^"),
        ("a^b^c", "Double superscript", 0, 3, "a^b^c\n   ^"),
    ],
)  # fmt: skip
def test_bad_tex_says_where_with_a_caret(
    fresh: Typesetter, tex: str, said: str, line: int, column: int, snippet: str
) -> None:
    with pytest.raises(TexError) as caught:
        fresh.tex(tex, display=False)
    error = caught.value
    assert (str(error), error.line, error.column, error.snippet) == (said, line, column, snippet)


def test_hints_of_bad_tex() -> None:
    spelling = "check the spelling; KaTeX's functions: https://katex.org/docs/supported"
    assert TexError(r"Undefined control sequence: \x", 0, 0, "").hint == spelling
    assert TexError("x", 0, 0, "").hint == "write \\$ for a dollar sign that begins no formula"


def test_endless_macros_end(fresh: Typesetter) -> None:
    with pytest.raises(TexError, match="Too many expansions"):
        fresh.tex(r"\def\a{\a\a}\a", display=False)


def test_macros_live_as_long_as_their_deck(fresh: Typesetter) -> None:
    fresh.tex(r"\gdef\kset{\mathbb{R}}", display=False)
    assert "R" in fresh.tex(r"x \in \kset", display=False)
    fresh.new_deck()
    with pytest.raises(TexError):
        fresh.tex(r"x \in \kset", display=False)


def test_a_redefined_macro_changes_later_formulas(fresh: Typesetter) -> None:
    fresh.tex(r"\gdef\v{a}", display=False)
    first = fresh.tex(r"\v", display=False)
    fresh.tex(r"\gdef\v{b}", display=False)
    assert fresh.tex(r"\v", display=False) != first


# Code


def test_code_becomes_spans(fresh: Typesetter) -> None:
    assert fresh.code("x = 1", "python") == 'x = <span class="hljs-number">1</span>'


@pytest.mark.parametrize("language", ["text", "nosuch", "plaintext", "none", "../../x", "a b"])
def test_unknown_languages_are_plain_and_escaped(fresh: Typesetter, language: str) -> None:
    assert fresh.code("if a < b & c > d", language) == "if a &lt; b &amp; c &gt; d"


@pytest.mark.parametrize("language", ["hs", "tex", "Python", "c++", "ps1", "dockerfile"])
def test_languages_and_aliases_outside_the_common_bundle(fresh: Typesetter, language: str) -> None:
    assert "hljs-" in fresh.code('let x = "1" -- \\frac{a} # 12\nFROM python:3', language)


def test_without_a_language_one_is_guessed(fresh: Typesetter) -> None:
    assert "hljs-keyword" in fresh.code("def f(x):\n    return x", "")


def test_closing_signs_cannot_leave_the_code(fresh: Typesetter) -> None:
    assert "<b>" not in fresh.code("</code></pre><b>", "html")


def test_a_missing_asset_is_an_error_of_the_machine(tmp_path: Path) -> None:
    for make, name in (
        (lambda t: t.tex("x", False), "katex/katex.min.js"),
        (lambda t: t.code("x", "py"), "hljs/highlight.min.js"),
    ):
        with pytest.raises(MachineError) as caught:
            make(Typesetter(tmp_path))
        assert str(caught.value) == (
            f"error: browser asset {name} is missing: No such file or directory\n"
            '    → install labdeck again: pip install -e ".[dev]", or pip install labdeck'
        )


# What is kept between builds


class NoEngine(Typesetter):
    """A typesetter that may only use what is kept."""

    def _engine(self, script: str, glue: str) -> object:
        raise AssertionError(f"{script} was needed")


def test_what_was_typeset_is_kept_for_the_next_build(tmp_path: Path) -> None:
    path = tmp_path / "cache.json"
    typesetter = Typesetter(FOLDER)
    cache = Cache(path, "1")
    typesetter.new_deck(cache)
    made = [typesetter.tex("x", True), typesetter.tex("x", False), typesetter.code("x=1", "py")]
    cache.save()
    again = NoEngine(FOLDER)
    again.new_deck(Cache(path, "1"))
    assert [again.tex("x", True), again.tex("x", False), again.code("x=1", "py")] == made
    again.new_deck(Cache(path, "2"))
    with pytest.raises(AssertionError, match="was needed"):
        again.tex("x", True)


def test_formulas_after_a_definition_are_not_kept(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache.json")
    typesetter = Typesetter(FOLDER)
    typesetter.new_deck(cache)
    typesetter.tex("a", False)
    typesetter.tex(r"\gdef\v{a}", False)
    typesetter.tex(r"\v", False)
    assert cache.get("inline a") and not cache.get(r"inline \v")


def test_the_version_changes_with_the_assets(tmp_path: Path) -> None:
    before = Typesetter(tmp_path).version
    (tmp_path / "DIGEST").write_text("abc\n", encoding="utf-8")
    assert Typesetter(tmp_path).version == f"{before}abc"
