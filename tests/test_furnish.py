"""Themes, stylesheets, scripts and icons of a page."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from labdeck import __version__
from labdeck.layers import assets_root
from tests.conftest import Project

MakeProject = Callable[..., Project]
VENDORED = f"_assets/labdeck-{__version__}"
THEMES = sorted(path.stem for path in (assets_root() / "reveal/theme").glob("*.css"))


def deck(front: str = "", body: str = "# A") -> dict[str, str]:
    return {"slides/a.md": f"---\ntitle: T\n{front}\n---\n{body}"}


def styles(page: str) -> list[str]:
    return re.findall(r'<link rel="stylesheet" href="([^"]+)"', page)


def scripts(page: str) -> list[str]:
    return re.findall(r'<script src="([^"]+)"', page)


def warned(made: Project) -> str:
    ran = made.build()
    assert ran.code == 0
    return ran.err


def test_f20_stylesheets_come_in_the_order_of_reveal_md(built: MakeProject) -> None:
    made = built({**deck("css: [x.css, y.css]"), "slides/x.css": "x{}", "slides/y.css": "y{}"})
    names = [re.sub(r"^_assets/[^/]+/", "", href) for href in styles(made.page())]
    assert names == [
        "reveal/reset.css",
        "reveal/reveal.css",
        "reveal/theme/black.css",
        "hljs/styles/base16/zenburn.min.css",
        "labdeck.css",
        "x.css",
        "y.css",
    ]


def test_f15_reveal_has_14_themes() -> None:
    assert (
        sorted(
            [
                "beige",
                "black",
                "black-contrast",
                "blood",
                "dracula",
                "league",
                "moon",
                "night",
                "serif",
                "simple",
                "sky",
                "solarized",
                "white",
                "white-contrast",
            ]
        )
        == THEMES
    )


@pytest.mark.parametrize("theme", THEMES)
def test_f64_a_theme_asks_no_other_host(built: MakeProject, theme: str) -> None:
    made = built(deck(f"theme: {theme}", "# A\n\n$x$\n\n```py\nx = 1\n```"))
    assert f"{VENDORED}/reveal/theme/{theme}.css" in styles(made.page())
    for name, content in made.site().items():
        if name.endswith(".css"):
            text = re.sub(r"/\*.*?\*/", "", content.decode(), flags=re.DOTALL)
            assert not re.search(r"(?:@import|url\()[^;)]*//", text), name
            for url in re.findall(r"url\(\s*[\"']?(?!data:|#)([^\"')?#]+)", text):
                path = (made.root / "_site" / name).parent / url
                assert path.is_file(), f"{name}: {url}"


def test_katex_comes_only_with_formulas(built: MakeProject) -> None:
    made = built({"slides/a.md": "# A", "slides/b.md": "$x$"})
    assert not any("katex" in href for href in styles(made.page()))
    assert any("katex" in href for href in styles(made.page("b.html")))
    assert any(name.endswith("KaTeX_Main-Regular.woff2") for name in made.site())


def test_a_page_needs_no_script_for_math_or_highlighting(built: MakeProject) -> None:
    made = built(deck(body="$x$\n\n```py [1|2]\nx\ny\n```"))
    names = [src.rpartition("/")[2] for src in scripts(made.page())]
    assert names == ["reveal.js", "zoom.js", "notes.js", "search.js", "labdeck.js"]


@pytest.mark.parametrize("name", ["github", "monokai", "base16/dracula", "atom-one-dark.css"])
def test_f16_highlight_themes_by_their_names(built: MakeProject, name: str) -> None:
    page = built(deck(f"highlightTheme: {name}")).page()
    assert f"{VENDORED}/hljs/styles/{name.removesuffix('.css')}.min.css" in styles(page)


def test_f16_a_bare_name_of_base16_is_found_and_says_so(project: MakeProject) -> None:
    made = project(deck("highlightTheme: zenburn"))
    assert warned(made) == (
        "slides/a.md:3:1: warning: highlight theme `zenburn` is read as `base16/zenburn`;"
        " reveal-md finds none\n    → write `highlightTheme: base16/zenburn`\n"
    )
    assert f"{VENDORED}/hljs/styles/base16/zenburn.min.css" in styles(made.page())


@pytest.mark.parametrize(
    ("front", "message", "taken"),
    [
        ("theme: blak", "no theme `blak`; black is taken\n    → did you mean `black`", "black.css"),
        ("theme: ../../x", "no theme `../../x`; black is taken\n    → known: beige", "black.css"),
        (
            "highlightTheme: githbu",
            "no highlight theme `githbu`; base16/zenburn is taken\n    → did you mean `github`",
            "zenburn.min.css",
        ),
        (
            "highlightTheme: ../../x",
            "no highlight theme `../../x`; base16/zenburn is taken\n    → known: 1c-light",
            "zenburn.min.css",
        ),
        (
            "theme: mine.css",
            "no such file: mine.css\n    → check the path, or add the file\n"
            "slides/a.md:3:1: warning: no theme `mine.css`; black is taken\n",
            "black.css",
        ),
    ],
)
def test_an_unknown_theme_is_warned_of_and_another_taken(
    project: MakeProject, front: str, message: str, taken: str
) -> None:
    made = project(deck(front))
    said = warned(made)
    assert said.startswith(f"slides/a.md:3:1: warning: {message.split('known:')[0]}")
    assert any(href.endswith(taken) for href in styles(made.page()))
    assert made.build("--strict").code == 1


def test_f15_a_theme_may_be_a_stylesheet(built: MakeProject) -> None:
    made = built({**deck("theme: mine.css"), "slides/mine.css": ".reveal{color:red}"})
    (name,) = made.assets()
    assert styles(made.page())[2] == name and made.site()[name] == b".reveal{color:red}"


def test_f19_scripts_run_between_the_options_and_reveal(built: MakeProject) -> None:
    made = built({**deck("scripts: x.js"), "slides/x.js": "options.plugins.push(0)"})
    page = made.page()
    (name,) = made.assets()
    assert page.index("var options") < page.index(f'src="{name}"') < page.index("Reveal.initialize")


@pytest.mark.parametrize("option", ["css", "scripts", "favicon"])
def test_f14_a_missing_file_of_an_option_has_its_line(project: MakeProject, option: str) -> None:
    made = project(deck(f"{option}: no.x"))
    assert warned(made) == (
        "slides/a.md:3:1: warning: no such file: no.x\n    → check the path, or add the file\n"
    )


def test_f56_folders_are_copied_as_they_are(built: MakeProject) -> None:
    made = built({**deck("staticDirs: data"), "slides/data/x/y.json": "{}", "slides/data/z": "z"})
    assert made.site()["data/x/y.json"] == b"{}" and made.site()["data/z"] == b"z"


def test_f56_a_folder_that_is_not_there_has_its_line(project: MakeProject) -> None:
    assert warned(project(deck("staticDirs: nosuch"))).startswith(
        "slides/a.md:3:1: warning: no such file: nosuch\n"
    )


def test_f57_an_icon_in_the_deck_folder_is_taken(built: MakeProject) -> None:
    made = built({**deck(), "slides/favicon.ico": "icon"})
    (name,) = made.assets()
    assert f'<link rel="icon" href="{name}">' in made.page()


def test_without_an_icon_the_browser_asks_for_none(built: MakeProject) -> None:
    assert '<link rel="icon" href="data:,">' in built(deck()).page()


def test_addresses_lead_up_from_folders(built: MakeProject) -> None:
    made = built({"slides/x/y/a.md": "---\ncss: a.css\n---\n# A", "slides/x/y/a.css": "a{}"})
    page = made.page("x/y/a.html")
    for address in (*styles(page), *scripts(page)):
        assert (made.root / "_site/x/y" / address).is_file(), address
