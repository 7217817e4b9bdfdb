"""Inline extensions of Python-Markdown and pymdownx, run before markdown-it-py's inline rules.

Their patterns see a text in which code, HTML, addresses and escaped characters are marks. What they
find becomes a mark too, so that emphasis reaches over it; its text is then read like any other.
"""

from __future__ import annotations

import html
import importlib
import pkgutil
import re
import xml.etree.ElementTree as etree
from collections.abc import Iterator, Sequence
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension
from markdown.treeprocessors import InlineProcessor, Treeprocessor
from markdown.util import AtomicString, Registry

from ..errors import DeckError, did_you_mean
from .shelf import CLOSE, OPEN, Piece, Shelf
from .switches import INSTEAD, OWN

_REGISTRIES = ("preprocessors", "inlinePatterns", "treeprocessors", "postprocessors")
_KEPT = ("unescape", "raw_html", "amp_substitute")  # what foreign patterns rely on
# Extensions that change the text of the finished tree instead of having patterns.
_TEXTUAL = ("markdown.extensions.abbr", "markdown.extensions.smarty", "pymdownx.smartsymbols")
_LITERAL = re.compile(
    r"\\."
    r"|(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n\n).)+?(?<!`)(?P=ticks)(?!`)"
    r"|<!--.*?-->|<\?.*?\?>|</?[a-zA-Z](?:[^<>\"']|\"[^\"]*\"|'[^']*')*>"
    r"|(?:(?:https?|ftp)://|www\.)[^\s<>]+"
    r"|(?<=\])\([ \t]*(?:<[^<>\n]*>|(?:[^\s()\\]|\\.|\([^\s()]*\))*)"
    r"(?:\s+(?:\"[^\"]*\"|'[^']*'|\([^()]*\)))?\s*\)"
    r"|(?<=\])\[[^\]\n]*\]",
    re.DOTALL,
)
_MARK = re.compile(f"{OPEN}(\\d+){CLOSE}")


def create_markdown(names: Sequence[str]) -> Markdown:
    """A Markdown instance with nothing in it but what the named extensions registered."""
    md = Markdown()
    if not names:
        for registry in _REGISTRIES:
            setattr(md, registry, Registry())
        return md
    defaults = _items(md)
    both = (md.treeprocessors, md.postprocessors)
    kept = {id(registry[name]) for registry in both for name in _KEPT if name in registry}
    for name in names:
        earlier = _items(md)
        _load(name).extendMarkdown(md)
        _require_inline(name, {r for (r, id) in _items(md).keys() - earlier.keys()})
    for registry in _REGISTRIES:
        items = [
            item
            for item in getattr(md, registry)
            if (registry, id(item)) not in defaults or id(item) in kept
        ]
        setattr(md, registry, _registry(items))
    return md


def _items(md: Markdown) -> dict[tuple[str, int], Any]:
    """Everything registered, by registry and identity."""
    places = {name: getattr(md, name) for name in _REGISTRIES}
    places["blockprocessors"] = md.parser.blockprocessors
    return {(name, id(item)): item for name, registry in places.items() for item in registry}


def _registry(items: Sequence[Any]) -> Registry[Any]:
    """Items in their order, below priority 5: our own tree processors come first."""
    registry: Registry[Any] = Registry()
    for index, item in enumerate(items):
        registry.register(item, f"foreign-{index}", 4 - index / 1000)
    return registry


def _load(name: str) -> Extension:
    try:
        extension = importlib.import_module(name).makeExtension()
    except ModuleNotFoundError as error:
        raise _missing(name, error) from error
    except Exception as error:  # whatever another's code may raise
        raise _error(f"the Markdown extension `{name}` cannot be loaded: {error}") from error
    assert isinstance(extension, Extension)
    return extension


def _missing(name: str, error: ModuleNotFoundError) -> DeckError:
    package = name.rpartition(".")[0]
    if package.startswith(error.name or ""):
        message = f"the Markdown extension `{name}` needs a package that is not installed"
        return _error(message, "run `pip install pymdown-extensions`")
    if error.name != name:
        return _error(f"the Markdown extension `{name}` needs {error.name}, which is not installed")
    modules = pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}.")
    known = [module.name for module in modules if module.name not in INSTEAD]
    hint = did_you_mean(_short(name), [*OWN, *(_short(full) for full in known if "._" not in full)])
    return _error(f"there is no Markdown extension `{_short(name)}`", hint)


def _short(name: str) -> str:
    return name.removeprefix("markdown.extensions.")


def _require_inline(name: str, registries: set[str]) -> None:
    """DeckError for an extension that reads blocks or changes the finished page."""
    allowed = {"inlinePatterns", "treeprocessors"}
    if name == "markdown.extensions.abbr":
        allowed.add("blockprocessors")
    trees_only = registries == {"treeprocessors"} and name not in _TEXTUAL
    if registries <= allowed and not trees_only and name not in INSTEAD:
        return
    hint = INSTEAD.get(name, "leave it out; blocks are CommonMark's, see docs/markdown.md")
    raise _error(f"`{name}` is no inline extension: it would have no effect on a deck", hint)


def _error(message: str, hint: str | None = None) -> DeckError:
    return DeckError(message, None, hint, code="markdown-extension")


class ForeignPatterns:
    """The inline patterns of a Markdown instance, applied to one text after the other.

    Args:
        md: from `create_markdown`.
        shelf: where marks are put.
    """

    def __init__(self, md: Markdown, shelf: Shelf) -> None:
        self.md = md
        self.shelf = shelf
        self.driver = InlineProcessor(md)
        self.elements: dict[int, tuple[etree.Element, str]] = {}

    def apply(self, text: str) -> str:
        """The text with a mark for each element that a pattern made."""
        root = etree.Element("div")
        paragraph = etree.SubElement(root, "p")
        paragraph.text = _LITERAL.sub(self._hide, text)
        try:
            self.driver.run(root)
        except Exception as error:  # whatever another's code may raise
            message = f"a Markdown extension failed on {text[:60]!r}: {error}"
            raise _error(message, "leave the extension out") from error
        return self._flatten(paragraph)

    def split(self, text: str) -> Iterator[str | tuple[etree.Element, str]]:
        """Text and, at their marks, elements with the Markdown inside them."""
        last = 0
        for match in _MARK.finditer(text):
            if int(match[1]) in self.elements:
                yield text[last : match.start()]
                yield self.elements[int(match[1])]
                last = match.end()
        yield text[last:]

    def _hide(self, match: re.Match[str]) -> str:
        return self.shelf.put(Piece("source", match[0], match[0]))

    def _flatten(self, element: etree.Element) -> str:
        """What is inside an element, as Markdown with a mark for each child."""
        parts = [self._markdown(element.text)]
        for child in element:
            inner = self._flatten(child)
            mark = self.shelf.put(Piece("element", "".join(child.itertext()), ""))
            self.elements[len(self.shelf.pieces) - 1] = (child, inner)
            parts += [mark, self._markdown(child.tail)]
        return "".join(parts)

    def _markdown(self, text: str | None) -> str:
        """Hidden pieces back in place; text that no rule may read goes onto the shelf."""
        if not text:
            return ""
        shown = _MARK.sub(self._show, text)
        if not isinstance(text, AtomicString):
            return shown
        return self.shelf.put(Piece("html", shown, html.escape(shown, quote=False)))

    def _show(self, match: re.Match[str]) -> str:
        piece = self.shelf.pieces[int(match[1])]
        if piece.kind != "source":
            return match[0]
        if piece.source == "\\ " and " " in self.md.ESCAPED_CHARS:
            return "&#32;"  # in sub- and superscripts a space must be escaped
        return piece.source


class Abbreviations:
    """`*[HTML]: …` lines, which the extension `abbr` takes out of paragraphs."""

    def __init__(self, md: Markdown) -> None:
        known = md.parser.blockprocessors
        self.processor = known["abbr"] if "abbr" in known else None  # noqa: SIM401 (no mapping)

    def take(self, text: str) -> str:
        """The paragraph without definitions; "" if there is nothing else in it."""
        if self.processor is None or "*[" not in text:
            return text
        blocks = [text]
        parent = etree.Element("div")
        while blocks and self.processor.run(parent, blocks):
            pass
        return "\n".join(blocks)


class Isolate(Treeprocessor):
    """Keeps marks out of reach of foreign tree processors: each gets an element of its own."""

    def run(self, root: etree.Element) -> None:
        for element in list(root.iter()):
            if element.tag is None:
                element.tag = "fragment"
            children = list(element)
            self._split(element, None, element.text)
            for child in children:
                self._split(element, child, child.tail)

    def _split(self, parent: etree.Element, before: etree.Element | None, text: str | None) -> None:
        if not text or OPEN not in text or isinstance(text, AtomicString):
            return
        index = 0 if before is None else list(parent).index(before) + 1
        first, *rest = re.split(f"({OPEN}.*?{CLOSE})", text)
        if before is None:
            parent.text = first
        else:
            before.tail = first
        for mark, following in zip(rest[::2], rest[1::2], strict=True):
            element = etree.Element("fragment")
            element.text, element.tail = AtomicString(mark), following
            parent.insert(index, element)
            index += 1


class Release(Treeprocessor):
    """Makes fragments invisible again for the serializer."""

    def run(self, root: etree.Element) -> None:
        for element in root.iter("fragment"):
            element.tag = None  # type: ignore[assignment]
