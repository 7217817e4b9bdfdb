"""Fixtures: a project in a folder of its own, results baked for it, slides as HTML, a browser."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from labdeck import results
from labdeck.catalogue import Catalogue
from labdeck.cli import main
from labdeck.contract import Figure, Number, Result, Table
from labdeck.errors import Problems
from labdeck.layers import assets_root
from labdeck.markup.slides import Inserts, SlideHtml, SlideWriter
from labdeck.model import Settings, Slide, Span
from labdeck.provenance import Provenance
from labdeck.results import Request, Stored
from labdeck.settings import REVEAL_DEFAULTS
from labdeck.typeset import Typesetter

# Pure Python, so that baking it needs nothing but the interpreter.
TOY_DEMO = '''\
"""A demo for tests."""
from labdeck.contract import Figure, Number, Result, Run, demo


@demo(question={"en": "How large?", "zh": "多大？"}, source="Nobody, 2025, equation 1")
def measure(run: Run) -> Result:
    return Result({"loss": Number(0.5)})
'''
CURVE = Figure(
    {
        "data": [{"type": "scatter", "name": "loss", "x": [1, 2, 3], "y": [3.0, 2.0, 1.5]}],
        "layout": {
            "title": "loss",
            "xaxis": {"title": {"text": "step"}},
            "yaxis": {"title": {"text": "loss"}},
        },
    },
    {"en": "The loss falls to 1.5.", "zh": "损失降到 1.5。"},
    {"zh": {"loss": "损失", "step": "步数"}},
)
TOY_RESULT = Result(
    {
        "loss": Number(0.125, "nat", spread=0.02, label="final loss"),
        "share": Number(0.0132, kind="derived"),
        "params": Number(235_012, kind="derived"),
        "memory": Number(12.5, "MiB"),
    },
    {"curve": CURVE},
    {"rows": Table([{"en": "name", "zh": "名称"}, "MiB"], [["a", 1.5], ["b <c>", 2]])},
)


@dataclass(frozen=True)
class Ran:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str


class Project:
    """A folder that is the working folder, and the command line called in it."""

    def __init__(self, root: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self.capture = capture

    def write(self, files: Mapping[str, str | bytes]) -> None:
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def run(self, *arguments: str) -> Ran:
        self.capture.readouterr()
        code = main(list(arguments))
        said = self.capture.readouterr()
        return Ran(code, said.out, said.err)

    def build(self, *arguments: str) -> Ran:
        return self.run("build", *arguments)

    def read(self, name: str) -> str:
        return (self.root / name).read_text(encoding="utf-8")

    def page(self, name: str = "a.html") -> str:
        return self.read(f"_site/{name}")

    def site(self, folder: str = "_site") -> dict[str, bytes]:
        """Every file of the site by its name."""
        root = self.root / folder
        return {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }

    def assets(self) -> list[str]:
        """The author's files in the site, without what labdeck brings itself."""
        own = ("_assets/labdeck-", ".labdeck.json")
        names = [name for name in self.site() if not name.startswith(own)]
        return [n for n in names if not n.endswith((".html", "labdeck.css", "labdeck.js"))]

    def bake(self, demo: str = "toy.measure", result: Result = TOY_RESULT) -> Path:
        """Write a fresh result for a demo of this project as baking it would."""
        digest = Catalogue(self.root).digest(demo)
        origin = Provenance(
            device="A Known CPU",
            device_type="cpu",
            dtype="float32",
            seed=0,
            threads=1,
            repeats=1,
            versions={"python": "3.11.7"},
            source_digest=digest,
            commit=None,
            dirty=None,
            started="2025-01-02T03:04:05+00:00",
            duration_s=1.25,
            peak_memory_bytes=1000,
        )
        return results.write(self.root / "slides/baked", Stored(Request(demo), {}, result, origin))


MakeProject = Callable[[Mapping[str, "str | bytes"]], Project]


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> MakeProject:
    """Writes files into a new folder, which becomes the working folder."""
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "100")

    def make(files: Mapping[str, str | bytes]) -> Project:
        made = Project(root, capsys)
        made.write(files)
        return made

    return make


@pytest.fixture
def built(project: MakeProject) -> MakeProject:
    """A project that was built without any problem."""

    def make(files: Mapping[str, str | bytes]) -> Project:
        made = project(files)
        ran = made.build()
        assert (ran.code, ran.err) == (0, "")
        return made

    return make


@pytest.fixture
def toy(project: MakeProject) -> Callable[..., Project]:
    """A project with one baked demo; `slide` is what its talk shows."""

    def make(slide: str, front: str = "", **files: str) -> Project:
        head = f"---\n{front}demos:\n  toy: toy.measure\n---\n"
        made = project({"demos/toy/demo.py": TOY_DEMO, "slides/a.md": head + slide, **files})
        made.bake()
        return made

    return make


@pytest.fixture(scope="session")
def typesetter() -> Typesetter:
    return Typesetter(assets_root())


_BLOCK = r"</?(?:ul|ol|li|table|thead|tbody|tr|th|td|blockquote|div|p|h[1-6]|hr|pre)\b[^>]*>"


def compact(html: str) -> str:
    """HTML without the line ends between blocks, which mean nothing."""
    return re.sub(rf"\n*({_BLOCK})\n*", r"\1", html)


@dataclass
class Rendered:
    """A slide as HTML, and what was wrong with it."""

    slide: SlideHtml
    problems: list[str] = field(default_factory=list)

    @property
    def html(self) -> str:
        return self.slide.html.strip()


Render = Callable[..., Rendered]


@pytest.fixture
def render(typesetter: Typesetter) -> Render:
    """Markdown of one slide, from line 1 of talk.md -> HTML; keywords are options of reveal.js."""

    def run(markdown: str, /, inserts: Inserts | None = None, **options: Any) -> Rendered:
        mermaid = options.pop("mermaid", {})
        notes = options.pop("notes", None)
        problems = Problems()
        settings = Settings(reveal={**REVEAL_DEFAULTS, **options}, mermaid=mermaid)
        typesetter.new_deck()
        writer = SlideWriter(settings, typesetter, problems, inserts)
        span = Span("talk.md", 1, 1 + markdown.count("\n"))
        notes_span = Span("talk.md", span.last + 1, span.last + 9) if notes is not None else None
        slide = writer.write(Slide(markdown, span, notes, notes_span))
        return Rendered(slide, [str(problem) for problem in problems.found])

    return run


@pytest.fixture
def assert_renders(render: Render) -> Callable[..., None]:
    """Asserts the HTML of a slide, and that nothing is wrong; line ends of blocks do not count."""

    def check(markdown: str, expected: str, /, **options: Any) -> None:
        rendered = render(markdown, **options)
        assert rendered.problems == []
        assert compact(rendered.html) == compact(expected)

    return check


# Not for the whole session: two of Playwright's loops in one thread get in each other's way.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, or a skipped test where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
    if path is None:
        pytest.skip("no Chromium on PATH")
    quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update"]
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-sync", *quiet]
        )
        yield chromium
        chromium.close()
