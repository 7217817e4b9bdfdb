"""CommonMark's own examples through our pipeline: what is not met is listed in docs/markdown.md.

The examples come with markdown-it-py's source distribution, which pip fetches once into .labdeck/;
LABDECK_COMMONMARK names a commonmark.json to use instead. `python tests/markup/test_commonmark.py`
writes the list anew.
"""

from __future__ import annotations

import html.parser
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tarfile
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from labdeck.errors import Problems
from labdeck.layers import assets_root
from labdeck.markup.slides import SlideWriter
from labdeck.model import Settings, Slide, Span
from labdeck.tags import VOID
from labdeck.typeset import Typesetter

ROOT = Path(__file__).parent.parent.parent
DOC = ROOT / "docs/markdown.md"
LISTED = re.compile(r"(?<=<!-- measured: commonmark -->\n)(?P<body>.*?)(?=<!-- end -->)", re.DOTALL)
# Why an example is not met; one that no reason covers fails the test.
REASONS = {
    "an address is a link without brackets (GFM)": (608, 611, 612),
    'a script in a slide does nothing: it gets `type="text/plain"`': (170, 178),
}
NAMES = """
address article aside blockquote body br center dd details div dl dt fieldset figure footer form
h1 h2 h3 h4 h5 h6 head header hr html iframe legend li main nav ol p pre section summary
table tbody td tfoot th thead title tr ul
"""
BLOCKS = frozenset(NAMES.split())


# The examples


def fetch() -> Path:
    """commonmark.json of the installed markdown-it-py's sources."""
    given = os.environ.get("LABDECK_COMMONMARK")
    if given:
        return Path(given)
    version = importlib.metadata.version("markdown-it-py")
    target = ROOT / f".labdeck/commonmark-{version}.json"
    if not target.is_file():
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(download(f"markdown-it-py=={version}", target.parent))
    return target


def download(requirement: str, folder: Path) -> bytes:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
    command += ["--no-binary", "markdown-it-py", "--dest", str(folder), requirement]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise FileNotFoundError(done.stderr)
    [archive] = folder.glob("markdown_it_py-*.tar.gz")
    with tarfile.open(archive) as opened:
        name = next(n for n in opened.getnames() if n.endswith("/commonmark.json"))
        member = opened.extractfile(name)
        assert member is not None
        text = member.read()
    archive.unlink()
    return text


@pytest.fixture(scope="module")
def examples() -> list[dict[str, Any]]:
    try:
        path = fetch()
    except FileNotFoundError as error:
        pytest.skip(f"CommonMark's examples cannot be fetched: {error}")
    return list(json.loads(path.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def failed(examples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return unmet(examples)


# Two HTML texts compared as what a browser makes of them


@dataclass
class Node:
    """An element of a parsed text: children are nodes, and texts with blanks squeezed."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Node | str] = field(default_factory=list)

    def plain(self) -> Any:
        return [
            self.name,
            self.attributes,
            [c if isinstance(c, str) else c.plain() for c in self.kept()],
        ]

    def kept(self) -> Iterator[Node | str]:
        """Children; texts lose the blanks that mean nothing beside blocks."""
        for index, child in enumerate(self.children):
            if not isinstance(child, str):
                yield child
                continue
            text = child if self.name == "pre" else re.sub(r"\s+", " ", child)
            if self._edge(index - 1):
                text = text.lstrip()
            if self._edge(index + 1):
                text = text.rstrip()
            if text:
                yield text

    def _edge(self, index: int) -> bool:
        if not 0 <= index < len(self.children):
            return self.name in BLOCKS or self.name in ("root", "code in pre")
        neighbour = self.children[index]
        return isinstance(neighbour, Node) and neighbour.name in BLOCKS


class Builder(html.parser.HTMLParser):
    """Builds nodes; elements left open end with what is around them, stray end tags are nothing."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("root")
        self.stack = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "span":
            return  # highlighting; the examples have none
        inside = self.stack[-1].name == "pre" and tag == "code"
        node = Node("code in pre" if inside else tag, attributes(tag, attrs))
        self.stack[-1].children.append(node)
        if tag not in VOID:
            self.stack.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        names = [node.name.split()[0] for node in self.stack]
        if tag in names:
            del self.stack[len(names) - 1 - names[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        children = self.stack[-1].children
        if children and isinstance(children[-1], str):
            children[-1] += data
        else:
            children.append(data)

    def handle_comment(self, data: str) -> None:
        self.stack[-1].children.append(Node("comment", {"text": data.replace("- -", "--")}))


def attributes(tag: str, attrs: list[tuple[str, str | None]]) -> dict[str, str]:
    """Attributes as far as both sides should agree on them."""
    found = {name: value or "" for name, value in attrs}
    if re.fullmatch("h[1-6]", tag):
        found.pop("id", None)  # reveal.js' ids (FORMAT F58)
    if tag == "code":
        first = (found.pop("class", "").split() or [""])[0].removeprefix("language-")
        found |= {"class": first} if first not in ("", "hljs") else {}
    for name in ("href", "src"):
        if name in found:
            found[name] = urllib.parse.quote(urllib.parse.unquote(found[name]))
    return found


def dom(text: str) -> Any:
    # Declarations and the like are comments to a browser; Python's parser changed its mind on them.
    text = re.sub(r"<(\?[^>]*)>|<!(?!--)([^>]*)>", lambda m: f"<!--{m[1] or m[2]}-->", text)
    for name in ("style", "script", "textarea"):
        if text.count(f"<{name}") > text.count(f"</{name}"):
            text += f"</{name}>"  # a browser closes it, Python's parser drops it
    builder = Builder()
    builder.feed(text)
    builder.close()
    return builder.root.plain()


def unmet(examples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    typesetter = Typesetter(assets_root())
    failed = []
    for example in examples:
        writer = SlideWriter(Settings(), typesetter, Problems())
        slide = Slide(example["markdown"], Span("talk.md", 1, 1))
        if dom(writer.write(slide).html) != dom(example["html"]):
            failed.append(example)
    return failed


def listing(examples: list[dict[str, Any]], failed: list[dict[str, Any]]) -> str:
    """The generated part of docs/markdown.md."""
    share = 100 * (len(examples) - len(failed)) / len(examples)
    lines = [
        f"{len(examples) - len(failed)} of {len(examples)} examples are met ({share:.1f} %).",
        "",
        "| example | section | why it is not met |",
        "| --- | --- | --- |",
    ]
    for example in failed:
        number = example["example"]
        why = [reason for reason, numbers in REASONS.items() if number in numbers]
        lines.append(f"| {number} | {example['section']} | {', '.join(why) or '?'} |")
    return "\n".join(lines) + "\n"


def test_commonmark_examples_are_met_but_for_those_listed(
    examples: list[dict[str, Any]], failed: list[dict[str, Any]]
) -> None:
    listed = LISTED.search(DOC.read_text(encoding="utf-8"))
    assert listed is not None
    wanted = listing(examples, failed)
    assert listed["body"] == wanted, "write it anew: python tests/markup/test_commonmark.py"
    assert " ? |" not in wanted, "an example is not met, and nobody said why"


def test_at_least_96_percent_of_the_examples_are_met(
    examples: list[dict[str, Any]], failed: list[dict[str, Any]]
) -> None:
    assert len(examples) > 600
    assert len(failed) <= 0.04 * len(examples)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<p>a</p>\n<p>b</p>", "<p>a</p><p>b</p>"),
        ("<p>a <b>c</p>", "<p>a <b>c</p></b>"),
        ('<a href="a%20b">x</a>', '<a href="a b">x</a>'),
        ("&copy;", "©"),
        ('<h1 id="a">a</h1>', "<h1>a</h1>"),
    ],
)
def test_what_is_the_same_for_a_browser_is_the_same(one: str, other: str) -> None:
    assert dom(one) == dom(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<p>a b</p>", "<p>ab</p>"),
        ("<p>a</p>", "<div>a</div>"),
        ("<pre>a  b</pre>", "<pre>a b</pre>"),
        ('<a href="b">x</a>', '<a href="c">x</a>'),
        ("<em>a</em>b", "<em>ab</em>"),
        ("a <em>b</em>", "a<em>b</em>"),
        ("<!-- a -->", "<!-- b -->"),
        ("<ul><li>a</li></ul>", "<ul><li><p>a</p></li></ul>"),
    ],
)
def test_what_is_not_the_same_differs(one: str, other: str) -> None:
    assert dom(one) != dom(other)


if __name__ == "__main__":
    text = DOC.read_text(encoding="utf-8")
    found = json.loads(fetch().read_text(encoding="utf-8"))
    made = listing(found, unmet(found))
    DOC.write_text(LISTED.sub(lambda m: made, text), encoding="utf-8")
