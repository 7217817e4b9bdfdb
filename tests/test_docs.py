"""The documents: their tables and help texts are current, their examples build, their links lead
somewhere.

`python tests/test_docs.py` writes the generated parts anew.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import click
import pytest

import labdeck
from labdeck.catalogue import Catalogue
from labdeck.cli import cli
from labdeck.layers import bundled_root
from labdeck.listing import describe, english
from labdeck.model import Settings
from labdeck.provenance import Provenance
from labdeck.render import Templates
from labdeck.settings import OPTIONS, Option

ROOT = Path(__file__).parent.parent
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
GENERATED = re.compile(
    r"(?P<start><!-- generated: (?P<what>[^\n]+?) -->\n)(?P<body>.*?)(?P<end><!-- end -->)",
    re.DOTALL,
)


def ids(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# What is generated: each text from what the code says of itself


def options_table() -> str:
    rows = [
        "| key in a deck | flag | kind | default | meaning |",
        "| --- | --- | --- | --- | --- |",
    ]
    rows += [
        f"| `{o.key}` | `{o.flag}` | {o.kind} | {default_of(o)} | {o.about} |" for o in OPTIONS
    ]
    return "\n".join(rows) + "\n"


def default_of(option: Option) -> str:
    default = next(f.default for f in fields(Settings) if f.name == option.field)
    return f"`{default}`" if isinstance(default, str) else ""


def help_of(command: str) -> str:
    """The help of a command as a terminal of 80 columns shows it."""
    current: click.Command = cli
    settings = {"terminal_width": 80, **cli.context_settings}
    context = click.Context(cli, info_name="labdeck", **settings)
    for name in command.split()[1:]:
        assert isinstance(current, click.Group)
        current = current.commands[name]
        context = click.Context(current, info_name=name, parent=context, **settings)
    return f"```text\n{current.get_help(context).rstrip()}\n```\n"


def demos_table() -> str:
    catalogue = Catalogue(bundled_root())
    rows = ["| demo | the question it answers | source |", "| --- | --- | --- |"]
    for id in catalogue.ids():
        entry = describe(catalogue.get(id))
        rows.append(f"| `{id}` | {english(entry['question'])} | {entry['source']} |")
    return "\n".join(rows) + "\n"


def modules_table() -> str:
    from tests.test_imports import RANKS

    rows = ["| rank | module | what it is |", "| --- | --- | --- |"]
    for name, rank in sorted(RANKS.items(), key=lambda item: (item[1], item[0])):
        folder = Path(labdeck.__file__).parent
        path = folder / name / "__init__.py" if (folder / name).is_dir() else folder / f"{name}.py"
        doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        said = " ".join(doc.split("\n\n")[0].split())
        rows.append(f"| {rank} | `{'labdeck' if name == '__init__' else name}` | {said} |")
    return "\n".join(rows) + "\n"


GENERATORS: dict[str, Callable[[], str]] = {
    "options": options_table,
    "demos": demos_table,
    "modules": modules_table,
}


def generate(what: str) -> str:
    if what.startswith("help of "):
        return help_of(what.removeprefix("help of "))
    return GENERATORS[what]()


def generated_parts() -> Iterator[tuple[Path, str, str]]:
    for path in DOCS:
        for match in GENERATED.finditer(path.read_text(encoding="utf-8")):
            yield path, match["what"], match["body"]


PARTS = list(generated_parts())


@pytest.mark.parametrize(
    ("path", "what", "body"), PARTS, ids=[f"{ids(path)}: {what}" for path, what, _ in PARTS]
)
def test_generated_parts_are_current(path: Path, what: str, body: str) -> None:
    assert body == generate(what), "write it anew: python tests/test_docs.py"


def test_every_command_is_documented() -> None:
    def names(command: click.Command, prefix: str) -> Iterator[str]:
        yield prefix
        if isinstance(command, click.Group):
            for name, inner in command.commands.items():
                yield from names(inner, f"{prefix} {name}")

    documented = {what.removeprefix("help of ") for _, what, _ in PARTS if "help of" in what}
    assert documented == set(names(cli, "labdeck"))


# Examples: every ```markdown block is a deck that builds


FENCE = re.compile(
    r"(?:<!-- deck\n(?P<said>(?:(?!-->).)*)-->\n+|<!-- file: (?P<file>[^\n]+?) -->\n+)?"
    r"^(?P<mark>`{3,})(?P<language>\w+)\n(?P<body>.*?)^(?P=mark)$",
    re.DOTALL | re.MULTILINE,
)
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 4"></svg>'


@dataclass(frozen=True)
class Example:
    """A deck in a document.

    `<!-- deck … -->` before the block may say, a line each: `files:` it needs beside it, `warns:`
    the code of a warning, `fails:` that of an error, `shows:` and `lacks:` a text of the page.
    """

    doc: Path
    line: int
    text: str
    said: dict[str, list[str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"line-{self.line}"


def read_said(text: str) -> dict[str, list[str]]:
    said: dict[str, list[str]] = {}
    for line in text.strip().splitlines():
        key, _, value = line.partition(": ")
        assert key in ("files", "warns", "fails", "shows", "lacks"), line
        said.setdefault(key, []).append(value)
    return said


def fences(path: Path) -> Iterator[tuple[int, re.Match[str]]]:
    text = path.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        yield text.count("\n", 0, match.start("mark")) + 1, match


def examples() -> Iterator[Example]:
    for path in DOCS:
        for line, match in fences(path):
            if match["language"] == "markdown":
                yield Example(path, line, match["body"], read_said(match["said"] or ""))


EXAMPLES = list(examples())


@dataclass
class Built:
    """A document's examples, built together: problems by example, and the site."""

    site: Path
    problems: dict[str, list[tuple[str, str, str]]]


@pytest.fixture(scope="module")
def build_doc(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Built]:
    """Builds the examples of a document, each document once, with the files that it shows."""
    done: dict[Path, Built] = {}

    def build(doc: Path) -> Built:
        if doc not in done:
            done[doc] = build_examples(doc, tmp_path_factory.mktemp(doc.stem))
        return done[doc]

    return build


def build_examples(doc: Path, root: Path) -> Built:
    from labdeck.bake import Baking, Conditions, bake
    from labdeck.site import Job
    from labdeck.site import build as build_site

    write(root / "pyproject.toml", "[tool.labdeck]\n")
    for _, match in fences(doc):
        if match["file"]:
            write(root / match["file"], match["body"])
    for example in EXAMPLES:
        if example.doc == doc:
            folder = root / "slides" / example.name
            write(folder / "talk.md", example.text.removesuffix("\n"))
            for name in " ".join(example.said.get("files", [])).split():
                write(folder / name, PICTURE)

    def baker(requests: Any, folder: Path, catalogue: Catalogue) -> Any:
        return bake(requests, Baking(catalogue, folder, Conditions("cpu", threads=1)))

    outcome = build_site(Job(root / "slides", root, root / "_site"), baker)
    problems: dict[str, list[tuple[str, str, str]]] = {}
    for problem in outcome.problems.found:
        place = Path(os.path.abspath(problem.where.file)) if problem.where else root
        said = (problem.severity, problem.code, str(problem))
        problems.setdefault(place.parent.name, []).append(said)
    return Built(root / "_site", problems)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: f"{ids(e.doc)}:{e.line}")
def test_examples_build(example: Example, build_doc: Callable[[Path], Built]) -> None:
    built = build_doc(example.doc)
    found = built.problems.get(example.name, [])
    errors = {code for severity, code, _ in found if severity == "error"}
    warnings = {code for severity, code, _ in found if severity == "warning"}
    listing = "\n".join(text for _, _, text in found)
    assert errors == set(example.said.get("fails", [])), listing
    assert warnings == set(example.said.get("warns", [])), listing
    page = built.site / example.name / "talk.html"
    assert page.exists() is not bool(errors)
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    for shown in example.said.get("shows", []):
        assert shown in text
    for absent in example.said.get("lacks", []):
        assert absent not in text


# Names that a document lists are the names there are


def listed(name: str, pattern: str) -> list[Any]:
    return re.findall(pattern, (ROOT / "docs" / name).read_text(encoding="utf-8"), re.MULTILINE)


def literal_warnings() -> set[str]:
    """Codes of warnings that are written out in the sources: first arguments of `….warn(…)`."""
    found = set()
    for path in Path(labdeck.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "warn":
                code = node.args[0] if node.args else None
                if isinstance(code, ast.Constant):
                    found.add(str(code.value))
    return found


def test_every_warning_has_an_example() -> None:
    shown = {code for example in EXAMPLES for code in example.said.get("warns", [])}
    of_a_folder = {"index-taken"}
    assert literal_warnings() - shown == of_a_folder


def test_templates_md_lists_every_block() -> None:
    there = {
        f"{path.name} {name}"
        for path in (ROOT / "templates").glob("*.html")
        for name in re.findall(r"{%-? block (\w+)", path.read_text(encoding="utf-8"))
    }
    rows = listed("templates.md", r"^\| `(\w+\.html)` \| `(\w+)` \|")
    assert {f"{template} {block}" for template, block in rows} == there


def test_templates_md_lists_what_each_template_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: set[str] = set()
    real = Templates.render

    def record(self: Templates, name: str, **context: Any) -> str:
        for key, value in context.items():
            given.update(f"{key}.{inner}" for inner in value if isinstance(value, dict))
        for stack in context.get("deck", {}).get("stacks", []):
            given.update(f"stack.{key}" for key in stack)
            given.update(f"slide.{key}" for slide in stack["slides"] for key in slide)
        for talk in context.get("index", {}).get("talks", []):
            given.update(f"talk.{key}" for key in talk)
        return real(self, name, **context)

    monkeypatch.setattr(Templates, "render", record)
    build_examples(ROOT / "docs/demos.md", tmp_path)
    rows = set(listed("templates.md", r"^\| `(\w+\.\w+)` \|"))
    assert rows - {"deck.html", "index.html"} == given


def test_templates_md_names_the_css_variables_there_are() -> None:
    used = set()
    for path in (ROOT / "templates/static").iterdir():
        text = path.read_text(encoding="utf-8")
        used |= {name.rstrip("-") for name in re.findall(r"--labdeck-[a-z0-9-]+", text)}
    named = set(listed("templates.md", r"`(--labdeck-[a-z0-9-]+)`"))
    assert {re.sub(r"-\d$", "", name) for name in named} == {
        re.sub(r"-\d$", "", name) for name in used
    }


def test_demos_md_lists_the_fields_of_the_provenance() -> None:
    rows = listed("demos.md", r"^\| `provenance\.(\w+)` \|")
    assert rows == [field.name for field in fields(Provenance)]


# Links and pictures


LINK = re.compile(r"(?<!`)\[[^\]\n]*\]\((?P<target>[^)\s]+)\)")


def without_code(text: str) -> str:
    text = re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(path: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", DOCS, ids=ids)
def test_links_lead_somewhere(path: Path) -> None:
    for target in LINK.findall(without_code(path.read_text(encoding="utf-8"))):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name) if name else path
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def test_pictures_are_small() -> None:
    for picture in (ROOT / "docs/images").iterdir():
        assert picture.stat().st_size < 150_000, picture.name


def rewrite() -> None:
    """Write the generated parts of all documents anew."""
    for path in DOCS:
        text = path.read_text(encoding="utf-8")
        new = GENERATED.sub(lambda m: m["start"] + generate(m["what"]) + m["end"], text)
        if new != text:
            path.write_text(new, encoding="utf-8")
            print(ids(path))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(rewrite())
