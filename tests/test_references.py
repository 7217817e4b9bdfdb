"""Which files of the author's a page mentions, and what becomes of them (F14, F55)."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Project

MakeProject = Callable[..., Project]
PNG = b"\x89PNG not really"
IN_SITE = r"_assets/[0-9a-f]{10}/"


def files(*names: str) -> dict[str, bytes]:
    return {f"slides/{name}": PNG + name.encode() for name in names}


def copied(made: Project) -> list[str]:
    """Names of the author's files in the site, without the folder that names their content."""
    return sorted(re.sub(rf"^{IN_SITE}", "", name) for name in made.assets())


@pytest.mark.parametrize(
    ("markdown", "name"),
    [
        ("![](x.png)", "x.png"),
        ('![a](x.png "a title")', "x.png"),
        ("![a][r]\n\n[r]: x.png", "x.png"),
        ("![](./x.png)", "x.png"),
        ("![](img/x.png)", "img/x.png"),
        ("![](x%20y.png)", "x y.png"),
        ("![](<x y.png>)", "x y.png"),
        ("![](图.png)", "图.png"),
        ("![](%E5%9B%BE.png)", "图.png"),
        ('<img src="img\\x.png">', "img/x.png"),
        ("![](img\\x.png)", "img/x.png"),
        ("<img src='x.png'>", "x.png"),
        ('<img data-src="x.png">', "x.png"),
        ('<img\n  alt="a"\n  src="x.png">', "x.png"),
        ('<video src="x.mp4"></video>', "x.mp4"),
        ('<video data-src="x.mp4"></video>', "x.mp4"),
        ('<video poster="x.png"></video>', "x.png"),
        ('<video><source src="x.webm"></video>', "x.webm"),
        ('<audio data-src="x.mp3"></audio>', "x.mp3"),
        ('<iframe data-src="x.svg"></iframe>', "x.svg"),
        ('<object data="x.svg"></object>', "x.svg"),
        ('<svg><image href="x.png"/></svg>', "x.png"),
        ('<svg><use xlink:href="x.svg#a"/></svg>', "x.svg"),
        ('<div style="background: url(x.png)">a</div>', "x.png"),
        ("""<div style="background: url('x y.png')">a</div>""", "x y.png"),
        ('<!-- .slide: data-background="x.png" -->\n# A', "x.png"),
        ('<!-- .slide: data-background-image="x.png" -->\n# A', "x.png"),
        ('<!-- .slide: data-background-video="x.mp4" -->\n# A', "x.mp4"),
        ('<section data-background="x.png"><p>a</p></section>', "x.png"),
        ('a <!-- .element: data-preview-image="x.png" -->', "x.png"),
        ('<a data-preview-video="x.mp4">a</a>', "x.mp4"),
        ("Note: ![](x.png)", "x.png"),
        ("[the data](x.csv)", "x.csv"),
        ("[the paper](paper.pdf#page=3)", "paper.pdf"),
        ('<img src="x.png?v=2">', "x.png"),
    ],
)
def test_f55_a_file_that_is_mentioned_is_copied_and_pointed_at(
    built: MakeProject, markdown: str, name: str
) -> None:
    made = built({"slides/a.md": f"# A\n\n{markdown}\n", **files(name)})
    site = made.site()
    (found,) = made.assets()
    assert site[found] == PNG + name.encode()
    assert Path(found).name == Path(name).name
    page = made.page()
    assert found in page or found.replace(" ", "%20").replace("图", "%E5%9B%BE") in page


def test_f55_a_style_element_in_a_slide_is_read(built: MakeProject) -> None:
    made = built(
        {"slides/a.md": "<style>.a { background: url(x.png) }</style>", "slides/x.png": b"x"}
    )
    assert len(made.assets()) == 1 and made.assets()[0] in made.page()


def test_a_style_element_that_asks_another_host_is_warned_of(project: MakeProject) -> None:
    made = project({"slides/a.md": "<style>@import url(https://example.org/x.css);</style>"})
    assert "the page will ask another host for https://example.org/x.css" in made.build().err


def test_f55_every_candidate_of_srcset(built: MakeProject) -> None:
    made = built({"slides/a.md": '<img srcset="a.png 1x, b.png 2x">', **files("a.png", "b.png")})
    assert copied(made) == ["a.png", "b.png"]
    assert re.search(rf'srcset="{IN_SITE}a\.png 1x, {IN_SITE}b\.png 2x"', made.page())


def test_f55_several_background_videos(built: MakeProject) -> None:
    slide = '<!-- .slide: data-background-video="a.mp4,b.webm" -->\n# A'
    assert copied(built({"slides/a.md": slide, **files("a.mp4", "b.webm")})) == ["a.mp4", "b.webm"]


@pytest.mark.parametrize(
    "markdown",
    [
        "`![](x.png)`",
        "```html\n<img src='x.png'>\n```",
        "<!-- ![](x.png) -->",
        "![](data:image/png;base64,AAAA)",
        "[a](#/2)",
        "[a](mailto:a@b.org)",
        "[a](https://example.org/x.png)",
        '<!-- .slide: data-background="#ff0000" -->\n# A',
        '<!-- .slide: data-background="rgb(1, 2, 3)" -->\n# A',
        '<!-- .slide: data-background-gradient="linear-gradient(red, blue)" -->\n# A',
        "$\\text{x.png}$",
    ],
)
def test_what_is_no_file_is_left_alone(built: MakeProject, markdown: str) -> None:
    assert built({"slides/a.md": markdown}).assets() == []


def test_css_and_what_it_mentions(built: MakeProject) -> None:
    css = (
        '@import "b.css";\n@font-face { src: url(../f.woff2?v=1#i) }\n'
        '/* url(no.png) */\n.a { background: url("x y.png") }'
    )
    made = built(
        {
            "slides/a.md": "---\ncss: style/a.css\n---\n# A",
            "slides/style/a.css": css,
            "slides/style/b.css": ".b { background: url(x%20y.png) }",
            **files("f.woff2", "style/x y.png"),
        }
    )
    assert copied(made) == ["a.css", "b.css", "f.woff2", "x y.png"]
    (name,) = (n for n in made.assets() if n.endswith("/a.css"))
    text = made.page(name)
    for address in ("b.css", "f.woff2?v=1#i", "x%20y.png"):
        found = re.search(rf'url\("(\.\./[0-9a-f]{{10}}/{re.escape(address)})"\)', text)
        assert found, address
        path = re.split(r"[?#]", found[1].replace("%20", " "))[0]
        assert (made.root / "_site" / name).parent.joinpath(path).is_file()


def test_f55_links_to_other_decks_become_links_to_their_pages(built: MakeProject) -> None:
    made = built(
        {
            "slides/a.md": "[b](sub/b.md#/2) [self](a.md)",
            "slides/sub/b.md": "[a](../a.md) ![](../x.png)",
            **files("x.png"),
        }
    )
    assert 'href="sub/b.html#/2"' in made.page() and 'href="a.html"' in made.page()
    page = made.page("sub/b.html")
    assert 'href="../a.html"' in page and re.search(rf'src="\.\./{IN_SITE}x\.png"', page)


def test_a_link_to_a_page_of_a_deck_stays(built: MakeProject) -> None:
    made = built({"slides/a.md": "[b](b.html)", "slides/b.md": "# B"})
    assert 'href="b.html"' in made.page()


def test_a_linked_file_of_the_deck_keeps_its_place(built: MakeProject) -> None:
    made = built({"slides/a.md": "[code](code/x.py)", "slides/code/x.py": "x = 1\n"})
    assert 'href="code/x.py"' in made.page()
    assert made.site()["code/x.py"] == b"x = 1\n"


def test_the_same_file_twice_is_copied_once(built: MakeProject) -> None:
    made = built({"slides/a.md": "![](x.png) ![](./x.png)", **files("x.png")})
    assert copied(made) == ["x.png"]


def test_equal_names_in_two_folders_keep_apart(built: MakeProject) -> None:
    made = built({"slides/a.md": "![](p/x.png) ![](q/x.png)", **files("p/x.png", "q/x.png")})
    assert copied(made) == ["x.png", "x.png"]


# What is not there


def warned(made: Project) -> str:
    ran = made.build()
    assert ran.code == 0
    assert made.build("--strict").code == 1
    return ran.err


@pytest.mark.parametrize(
    ("mention", "there", "message"),
    [
        ("x.png", "y.txt", "no such file: x.png\n    → check the path, or add the file"),
        (
            "x.png",
            "X.PNG",
            "no such file: x.png\n    → there is `X.PNG`: upper and lower case count",
        ),
        ("x.png", "x.jpg", "no such file: x.png\n    → there is `x.jpg` in that folder"),
        (
            "img/x.png",
            "x.png",
            "no such file: img/x.png\n"
            "    → there is no folder img/ beside the deck; check the path",
        ),
    ],
)
def test_a_missing_file_is_a_warning_with_its_line(
    project: MakeProject, mention: str, there: str, message: str
) -> None:
    made = project({"slides/a.md": f"# A\n\n---\n\n![]({mention})", **files(there)})
    assert warned(made) == f"slides/a.md:5: warning: {message}\n"
    assert f'src="{mention}"' in made.page() or made.assets() == []


def test_every_mention_of_a_missing_file_has_its_line(project: MakeProject) -> None:
    slide = '# A\n\n![](a.png)\n\n<!-- .slide: data-background="b.png" -->\n\nNote:\n![](c.png)\n'
    lines = [line for line in warned(project({"slides/a.md": slide})).splitlines() if ":" in line]
    places = [line.partition(": ")[0] for line in lines if line.startswith("slides")]
    assert sorted(places) == ["slides/a.md:3", "slides/a.md:5", "slides/a.md:8"]


def test_a_missing_file_in_a_stylesheet_has_its_line_there(project: MakeProject) -> None:
    made = project(
        {"slides/a.md": "---\ncss: a.css\n---\n# A", "slides/a.css": "\n.a{background:url(no.png)}"}
    )
    assert re.fullmatch(
        r"\S*slides/a\.css:2: warning: no such file: no\.png\n"
        r"    → check the path, or add the file\n",
        warned(made),
    )


# What lies outside


def outside(path: str) -> str:
    return (
        f"slides/a.md:3: warning: `{path}` lies outside the project and is not copied\n"
        "    → put a copy into slides/ and name that\n"
    )


def secret(made: Project) -> Path:
    path = made.root.parent / "secret.png"
    path.write_bytes(b"secret")
    return path


@pytest.mark.parametrize(
    "form",
    ["../../secret.png", "..%2F..%2Fsecret.png", "..\\..\\secret.png", "x/../../../secret.png"],
)
def test_f55_a_path_out_of_the_project_is_not_read(project: MakeProject, form: str) -> None:
    made = project({"slides/a.md": f'# A\n\n<img src="{form}">'})
    secret(made)
    assert warned(made) == outside(form)
    assert made.assets() == []


def test_an_absolute_path_is_not_read(project: MakeProject) -> None:
    made = project({})
    path = secret(made)
    made.write({"slides/a.md": f'# A\n\n<img src="{path}">'})
    assert warned(made) == (
        f"slides/a.md:3: warning: no such file: {path}\n"
        f"    → there is no folder {path.parent.name}/ beside the deck; check the path\n"
    )
    assert made.assets() == []


def test_a_link_out_of_the_project_is_not_followed(project: MakeProject) -> None:
    made = project({"slides/a.md": "# A\n\n![](x.png)"})
    (made.root / "slides/x.png").symlink_to(secret(made))
    assert warned(made) == outside("x.png")
    assert made.assets() == []


def test_a_link_inside_the_project_is_followed(built: MakeProject, tmp_path: Path) -> None:
    (tmp_path / "project/slides").mkdir()
    (tmp_path / "project/slides/x.png").symlink_to("y.png")
    made = built({"slides/a.md": "![](x.png)", **files("y.png")})
    assert copied(made) in (["x.png"], ["y.png"])


def test_a_folder_is_no_picture(project: MakeProject) -> None:
    made = project({"slides/a.md": "# A\n\n[code](img)", **files("img/x.png")})
    assert made.build().code == 0 and made.assets() == []


# Options


def test_f14_options_name_files_of_the_project_or_beside_the_deck(built: MakeProject) -> None:
    head = "---\ncss: [custom/a.css, b.css]\nscripts: c.js\nfavicon: i.ico\n---\n# A"
    made = built(
        {
            "slides/a.md": head,
            "custom/a.css": ".a{}",
            **{f"slides/{n}": n for n in ("b.css", "c.js", "i.ico")},
        }
    )
    assert copied(made) == ["a.css", "b.css", "c.js", "i.ico"]


def test_f14_the_project_wins_and_says_so_where_both_have_a_file(project: MakeProject) -> None:
    made = project(
        {"slides/a.md": "---\ncss: a.css\n---\n# A", "a.css": ".p{}", "slides/a.css": ".d{}"}
    )
    assert warned(made) == (
        "slides/a.md:2:1: warning: `css: a.css` is in the project and beside the deck;"
        " the project's is taken\n    → rename one of the two\n"
    )
    (name,) = made.assets()
    assert made.site()[name] == b".p{}"


def external(address: str) -> str:
    return (
        f"slides/a.md: warning: the page will ask another host for {address}\n"
        "    → save the file beside the deck and name that, so that the talk needs no network\n"
    )


@pytest.mark.parametrize(
    "slide",
    [
        "![](https://example.org/x.png)",
        '<img src="https://example.org/x.png">',
        '<!-- .slide: data-background="https://example.org/x.png" -->\n# A',
        "---\ncss: https://example.org/x.png\n---\n# A",
        "---\nscripts: https://example.org/x.png\n---\n# A",
        '<div style="background:url(https://example.org/x.png)">a</div>',
    ],
)
def test_what_the_page_would_fetch_from_another_host_is_warned_of(
    project: MakeProject, slide: str
) -> None:
    assert warned(project({"slides/a.md": slide})) == external("https://example.org/x.png")
