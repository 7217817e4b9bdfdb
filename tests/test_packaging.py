"""The pins, the browser's files, and a wheel that works without Node and without a checkout."""

from __future__ import annotations

import ast
import http.server
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import hatch_build

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
ASSETS = ROOT / hatch_build.ASSETS


def read_json(name: str) -> dict[str, dict[str, dict[str, str]]]:
    return json.loads((ROOT / name).read_text(encoding="utf-8"))


# Pins


def test_every_npm_package_is_pinned_exactly_and_locked() -> None:
    pinned = read_json("package.json")["dependencies"]
    locked = read_json("package-lock.json")["packages"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", str(version)) for version in pinned.values())
    assert pinned == {name: locked[f"node_modules/{name}"]["version"] for name in pinned}


def test_the_lock_file_names_no_registry_and_checks_every_package() -> None:
    packages = read_json("package-lock.json")["packages"]
    for name, entry in packages.items():
        assert "resolved" not in entry, name
        assert not name or entry["integrity"].startswith("sha512-"), name


def dependencies(*extras: str) -> set[str]:
    """Normalised names of what the package, with these extras, asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = list(project["dependencies"])
    for extra in extras:
        asked += project["optional-dependencies"][extra]
    return {canonicalize_name(Requirement(line).name) for line in asked} - {"labdeck"}


def test_constraints_pin_every_direct_dependency() -> None:
    names = dependencies("demos", "kernels", "check", "fonts", "dev")
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert all(str(pin.specifier).startswith("==") for pin in pins)
    assert names <= {canonicalize_name(pin.name) for pin in pins}


def imported(folder: str) -> set[str]:
    """Top-level names that the modules of a folder import, our own and Python's left out."""
    names: set[str] = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split(".")[0])
    return names - sys.stdlib_module_names - {"labdeck", "demos", "tomllib"}


@pytest.mark.parametrize(
    ("folder", "extras"),
    [("labdeck", ["check", "demos", "fonts"]), ("demos", ["demos", "kernels"])],
)
def test_every_import_is_a_declared_dependency(folder: str, extras: list[str]) -> None:
    providers = packages_distributions()
    declared = dependencies(*extras)
    names = imported(folder)
    assert names
    for name in names:
        assert declared & {canonicalize_name(d) for d in providers.get(name, [name])}, name


def test_figures_are_drawn_by_the_plotly_js_that_python_plotly_writes_for() -> None:
    spec = importlib.util.find_spec("plotly")
    assert spec is not None and spec.origin is not None
    bundle = Path(spec.origin).parent / "package_data/plotly.min.js"
    with bundle.open(encoding="utf-8") as file:
        written_for = re.search(r"plotly\.js v(\d+)\.", file.read(400))
    assert written_for is not None
    bundles = {v for k, v in read_json("package.json")["dependencies"].items() if "plotly" in k}
    assert {str(version).split(".")[0] for version in bundles} == {written_for[1]}
    assert len(bundles) == 1, "all plotly.js bundles have one version"


# The assets of this checkout


def test_the_assets_are_those_of_the_lock_file() -> None:
    assert hatch_build.is_fresh(ROOT), "run `pip install -e .` again"
    versions = json.loads((ASSETS / "VERSIONS.json").read_text(encoding="utf-8"))
    assert versions == read_json("package.json")["dependencies"]


def test_no_stylesheet_needs_another_host_or_a_missing_file() -> None:
    hatch_build.check(ASSETS)
    for theme in ASSETS.glob("reveal/theme/*.css"):
        assert "://" not in theme.read_text(encoding="utf-8"), theme.name


def test_every_package_has_its_licence_beside() -> None:
    texts = {path.stem: path.read_text(encoding="utf-8") for path in ASSETS.glob("licences/*")}
    for package in read_json("package.json")["dependencies"]:
        assert len(texts[package.lstrip("@").replace("/", "-")]) > 500, package


def test_highlight_themes_keep_their_folders_and_pictures() -> None:
    styles = ASSETS / "hljs/styles"
    assert (styles / "github.min.css").is_file()
    assert (styles / "base16/zenburn.min.css").is_file()
    assert (styles / "brown-papersq.png").is_file() and (styles / "pojoaque.jpg").is_file()


# In a browser


@pytest.fixture
def served_assets() -> Iterator[str]:
    handler = partial(QuietHandler, directory=str(ASSETS))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


LOAD_FACES = """async () => {
    const faces = [...document.fonts];
    await Promise.all(faces.map((face) => face.load()));
    return faces.filter((face) => face.status !== "loaded").map((face) => face.family);
}"""


@pytest.mark.browser
def test_every_face_of_every_stylesheet_loads_from_here(served_assets: str) -> None:
    from playwright.sync_api import sync_playwright

    themes = [path.stem for path in sorted(ASSETS.glob("reveal/theme/*.css"))]
    links = [f"reveal/theme/{theme}.css" for theme in themes] + ["katex/katex.min.css"]
    asked: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{served_assets}/VERSIONS.json")
        head = "".join(f'<link rel="stylesheet" href="{served_assets}/{link}">' for link in links)
        page.set_content(head, wait_until="load")
        assert page.evaluate("document.styleSheets.length") == len(links)
        assert page.evaluate(LOAD_FACES) == []
        families = set(page.evaluate("[...document.fonts].map((f) => f.family)"))
        browser.close()
    assert {url for url in asked if not url.startswith(served_assets + "/")} == set()
    assert {"Lato", "KaTeX_Main"} <= {family.strip("'\"") for family in families}
    assert len(themes) == 14


# The wheel


@pytest.fixture(scope="module")
def unpacked_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert hatch_build.is_fresh(ROOT), "run `pip install -e .` again"
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr + done.stdout
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run_wheel(site: Path, code: str, cwd: Path, *args: str) -> str:
    """Run code where labdeck is the unpacked wheel and PATH holds no program at all."""
    done = subprocess.run(
        [sys.executable, "-c", code, *args],
        cwd=cwd,
        env={"PYTHONPATH": str(site), "PATH": str(cwd), "HOME": str(cwd)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@pytest.mark.slow
def test_a_wheel_carries_assets_templates_and_demos(unpacked_wheel: Path) -> None:
    package = unpacked_wheel / "labdeck"
    for path in ASSETS.rglob("*"):
        assert (package / "_assets" / path.relative_to(ASSETS)).exists(), path
    for name in hatch_build.BUNDLED:
        files = [path for path in (ROOT / name).rglob("*") if path.is_file()]
        for path in (file for file in files if "__pycache__" not in file.parts):
            assert (package / "bundled" / path.relative_to(ROOT)).exists(), path
    assert not [path for path in package.rglob("*") if path.name == "__pycache__"]


@pytest.mark.slow
def test_a_wheel_finds_its_own_files(unpacked_wheel: Path, tmp_path: Path) -> None:
    code = "from labdeck import layers; print(layers.assets_root()); print(layers.bundled_root())"
    inside = unpacked_wheel / "labdeck"
    printed = run_wheel(unpacked_wheel, code, tmp_path).splitlines()
    assert printed == [str(inside / "_assets"), str(inside / "bundled")]


@pytest.mark.slow
def test_a_wheel_makes_and_builds_a_talk(unpacked_wheel: Path, tmp_path: Path) -> None:
    code = "import sys; from labdeck.cli import main; sys.exit(main(sys.argv[1:]))"
    run_wheel(unpacked_wheel, code, tmp_path, "new", "talk")
    run_wheel(unpacked_wheel, code, tmp_path / "talk", "build")
    pages = list((tmp_path / "talk").rglob("*.html"))
    assert any('class="reveal"' in page.read_text(encoding="utf-8") for page in pages)
