"""From a folder of talks to a site: what is kept, what is removed, what one bad deck may not do."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

from labdeck.errors import Problems, UsageError
from labdeck.site import Job, find_decks, find_project, read_deck
from tests.conftest import Project

MakeProject = Callable[..., Project]
BAD = "# A\n\n$\\nosuch$\n"
KEPT = "a.html: not built; the last good page, if any, was kept\n"


def stamps(made: Project) -> dict[str, tuple[int, int]]:
    found = {}
    for path in (made.root / "_site").rglob("*"):
        status = path.stat()
        found[str(path)] = (status.st_mtime_ns, status.st_ino)
    return found


def test_a_folder_becomes_a_page_each_and_an_index(built: MakeProject) -> None:
    made = built({"slides/a.md": "# A", "slides/deep/er/b.md": "# B"})
    pages = [name for name in made.site() if name.endswith(".html")]
    assert pages == ["a.html", "deep/er/b.html", "index.html"]


def test_a_second_build_writes_nothing(built: MakeProject) -> None:
    made = built(
        {"slides/a.md": "# A\n\n$x$\n\n![](x.png)", "slides/x.png": "x", "slides/b.md": "B"}
    )
    before = stamps(made)
    ran = made.build()
    assert (ran.code, ran.out) == (0, "2 talks, nothing changed: _site/index.html\n")
    assert stamps(made) == before


def test_a_changed_deck_rewrites_its_page_alone(built: MakeProject) -> None:
    made = built({"slides/a.md": "# A\n\ntext", "slides/b.md": "# B"})
    before = made.site()
    made.write({"slides/a.md": "# A\n\nother"})
    assert made.build().out == "2 talks, 1 file written: _site/index.html\n"
    after = made.site()
    assert [name for name in after if after[name] != before.get(name)] == ["a.html"]


def test_pages_and_files_no_longer_named_are_removed(built: MakeProject) -> None:
    made = built(
        {
            "slides/a.md": "![](x.png)",
            "slides/s/b.md": "$x$",
            "slides/x.png": "x",
            "slides/y.png": "y",
        }
    )
    assert any("katex" in name for name in made.site())
    (made.root / "slides/s/b.md").unlink()
    made.write({"slides/a.md": "![](y.png)"})
    made.build()
    (name,) = made.assets()
    assert name.endswith("/y.png")
    assert "s/b.html" not in made.site() and not (made.root / "_site/s").exists()
    assert not any("katex" in name for name in made.site())


def test_a_deck_with_an_error_keeps_its_last_good_page_and_others_are_built(
    built: MakeProject,
) -> None:
    made = built({"slides/a.md": "# Good\n\n![](x.png)", "slides/b.md": "# B", "slides/x.png": "x"})
    good = made.page()
    made.write({"slides/a.md": BAD, "slides/b.md": "# New"})
    ran = made.build()
    assert ran.code == 1
    assert ran.err == (
        "slides/a.md:3:2: error: TeX: Undefined control sequence: \\nosuch\n"
        "    \\nosuch\n    ^\n"
        "    → check the spelling; KaTeX's functions: https://katex.org/docs/supported\n" + KEPT
    )
    assert made.page() == good and len(made.assets()) == 1
    assert ">New</h1>" in made.page("b.html")


@pytest.mark.parametrize(
    "text",
    [
        b"---\ntitle: [\n---\n# A",
        b"---\n# A\n---\n# B",
        b"\xff\xfe# A",
        b"# A\0",
        b"---\ndemos:\n  x: nosuch.demo\n---\n# A",
        b"---\nseparator: '('\n---\n# A",
        b"---\ncss: {a: 1}\n---\n# A",
    ],
)
def test_no_deck_breaks_the_build_of_another(built: MakeProject, text: bytes) -> None:
    made = built({"slides/a.md": "# Good", "slides/b.md": "# B"})
    good = made.page()
    made.write({"slides/a.md": text, "slides/b.md": "# New"})
    ran = made.build()
    assert ran.code == 1 and ran.err.startswith("slides/a.md:") and ran.err.endswith(KEPT)
    assert ran.out.startswith("1 talk, ") and ran.out.endswith(": _site/index.html\n")
    assert made.page() == good
    assert ">New</h1>" in made.page("b.html")


def test_a_deck_that_never_built_leaves_no_page(project: MakeProject) -> None:
    made = project({"slides/a.md": BAD, "slides/b.md": "# B"})
    assert made.build().code == 1
    assert "a.html" not in made.site() and "b.html" in made.site()


def test_one_file_that_fails_keeps_its_site(built: MakeProject) -> None:
    made = built({"slides/a.md": "# Good"})
    assert made.build("slides/a.md", "--out", "one").code == 0
    before = made.site("one")
    made.write({"slides/a.md": BAD})
    assert made.build("slides/a.md", "--out", "one").code == 1
    assert made.site("one") == before


def test_strict_writes_nothing_on_a_warning(built: MakeProject) -> None:
    made = built({"slides/a.md": "# Good", "slides/b.md": "# B"})
    before = stamps(made)
    made.write({"slides/a.md": "# A\n\n![](no.png)", "slides/b.md": "# New"})
    ran = made.build("--strict")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "slides/a.md:3: warning: no such file: no.png\n    → check the path, or add the file\n"
        "nothing written: 0 errors, 1 warning (--strict)\n"
    )
    assert stamps(made) == before
    assert made.build().code == 0


def test_all_problems_of_all_decks_are_listed(project: MakeProject) -> None:
    made = project(
        {"slides/a.md": "# A\n\n![](no.png)\n\n$\\x$\n\n$\\y$\n", "slides/b.md": "---\na: [\n---\n"}
    )
    places = [line.partition(": ")[0] for line in made.build().err.splitlines() if "md:" in line]
    assert sorted(places) == [
        "slides/a.md:3",
        "slides/a.md:5:2",
        "slides/a.md:7:2",
        "slides/b.md:3:1",
    ]


# Reading


def read_error(made: Project) -> str:
    ran = made.build()
    assert ran.code == 1
    return ran.err.removesuffix(KEPT)


def test_a_text_that_is_not_utf8_names_the_line(project: MakeProject) -> None:
    made = project({"slides/a.md": "# A\n\n中文\n".encode() + "注意".encode("gbk")})
    assert read_error(made) == (
        "slides/a.md:4: error: not a UTF-8 text\n"
        "    → save the file as UTF-8 (in an editor: Save with encoding)\n"
    )


def test_a_nul_byte_names_the_line(project: MakeProject) -> None:
    assert read_error(project({"slides/a.md": "# A\n\0"})) == (
        "slides/a.md:2: error: a NUL byte: this is no text file\n"
    )


def test_a_deck_that_cannot_be_read(project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    made = project({"slides/a.md": "# A"})
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "a.md":
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert read_error(made) == (
        "slides/a.md: error: cannot be read: Permission denied\n"
        "    → check that the file exists and may be read\n"
    )


def test_a_link_to_nothing_is_a_deck_that_cannot_be_read(project: MakeProject) -> None:
    made = project({"slides/b.md": "# B"})
    (made.root / "slides/a.md").symlink_to("nowhere.md")
    assert "error: cannot be read: No such file or directory\n" in made.build().err


def test_a_deck_that_is_a_link_out_of_the_project_is_not_read(
    project: MakeProject, tmp_path: Path
) -> None:
    (tmp_path / "secret.md").write_text("# Secret", "utf-8")
    made = project({"slides/b.md": "# B"})
    (made.root / "slides/a.md").symlink_to(tmp_path / "secret.md")
    assert read_error(made).endswith(
        ": error: a link out of the project\n"
        "    → nothing outside the project is read; name the file itself, or copy it\n"
    )
    assert "a.html" not in made.site() and "b.html" in made.site()


# Names


def test_f56_one_file_becomes_its_page_and_a_copy_as_index(project: MakeProject) -> None:
    made = project({"slides/a.md": "# A"})
    assert made.build("slides/a.md").out.endswith(": _site/a.html\n")
    assert made.page("a.html") == made.page("index.html")


def test_a_named_deck_may_have_any_suffix(project: MakeProject) -> None:
    made = project({"talk.txt": "# A"})
    assert made.build("talk.txt").code == 0 and ">A</h1>" in made.page("talk.html")


def test_f56_index_md_takes_index_html_and_says_so(project: MakeProject) -> None:
    made = project({"slides/index.md": "# Mine", "slides/b.md": "# B"})
    ran = made.build()
    assert ran.code == 0
    assert ran.err == (
        f"{made.root}/slides: warning: index.md takes index.html;"
        " the index of talks is talks.html\n"
        "    → rename index.md if the index of talks should be at index.html\n"
    )
    assert ">Mine</h1>" in made.page("index.html") and "b.html" in made.page("talks.html")


def test_two_decks_of_one_stem_keep_apart(built: MakeProject) -> None:
    made = built({"slides/a.md": "# A", "slides/a b.md": "# Space", "slides/图.md": "# 图"})
    assert {"a.html", "a b.html", "图.html"} <= set(made.site())


def test_the_index_links_to_names_that_need_quoting(built: MakeProject) -> None:
    made = built({"slides/50%25 #1?.md": "# A"})
    (href,) = re.findall(r'<a href="([^"]+)"', made.page("index.html"))
    assert not re.search(r"[ #?]", unescape(href))
    assert unquote(unescape(href)) == "50%25 #1?.html"


def test_decks_are_found_but_not_in_hidden_private_or_output_folders(tmp_path: Path) -> None:
    names = [
        "a.md",
        "s/b.md",
        ".git/c.md",
        "_site/d.md",
        "node_modules/e.md",
        "baked/f.md",
        "x.txt",
    ]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x", "utf-8")
    found = [p.relative_to(tmp_path).as_posix() for p in find_decks(tmp_path)]
    assert found == ["a.md", "s/b.md"]
    assert find_decks(tmp_path, skip=tmp_path.resolve() / "s") == [tmp_path / "a.md"]


def test_the_site_inside_the_folder_of_decks_is_no_deck(project: MakeProject) -> None:
    made = project({"a.md": "# A", "out/notes.md": "# no deck"})
    (made.root / "out/notes.md").unlink()
    assert made.build(".", "--out", "out").code == 0
    assert made.build(".", "--out", "out").out == "1 talk, nothing changed: out/index.html\n"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nosuch.md", "no such file or folder\n    → name a deck or a folder of decks\n"),
        (
            "empty",
            "no decks here\n    → decks are Markdown files (*.md); name a file to build another"
            " one\n",
        ),
    ],
)  # fmt: skip
def test_nothing_to_build_is_wrong_usage(project: MakeProject, target: str, message: str) -> None:
    made = project({"empty/x.txt": "x"})
    ran = made.build(target)
    assert (ran.code, ran.err) == (2, f"{made.root}/{target}: error: {message}")
    assert not (made.root / "_site").exists()


def test_a_project_is_marked_by_its_settings_or_is_the_working_folder(tmp_path: Path) -> None:
    deck = tmp_path / "p/slides/a.md"
    deck.parent.mkdir(parents=True)
    deck.write_text("x", "utf-8")
    elsewhere = tmp_path / "elsewhere"
    assert find_project(deck, tmp_path / "p") == tmp_path / "p"
    assert find_project(deck, elsewhere) == deck.parent
    assert find_project(deck.parent, elsewhere) == deck.parent
    (tmp_path / "p/pyproject.toml").write_text("[tool.labdeck]\n", "utf-8")
    assert find_project(deck, elsewhere) == tmp_path / "p"


def test_a_deck_elsewhere_reads_nothing_outside_its_folder(
    project: MakeProject, tmp_path: Path
) -> None:
    made = project({})
    other = tmp_path / "other"
    (other / "deck").mkdir(parents=True)
    (other / "x.png").write_bytes(b"x")
    (other / "deck/a.md").write_text("![](../x.png)", "utf-8")
    ran = made.build(str(other / "deck/a.md"))
    assert "`../x.png` lies outside the project and is not copied" in ran.err
    assert made.assets() == []


def test_reading_one_deck_gives_its_problems(project: MakeProject) -> None:
    made = project({"slides/a.md": "---\ntransition: x\n---\n# A"})
    problems = Problems()
    job = Job(made.root / "slides", made.root, made.root / "_site", {"theme": "moon"})
    deck = read_deck(made.root / "slides/a.md", job, problems)
    assert (deck.name, deck.settings.theme) == (os.path.join("slides", "a.md"), "moon")
    assert [p.code for p in problems.found] == ["misplaced-option"]


def test_nothing_there_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        find_decks(tmp_path / "nosuch")
