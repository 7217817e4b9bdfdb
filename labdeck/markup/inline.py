"""The inline phase: CommonMark's inline rules by markdown-it-py, into Python-Markdown's tree."""

from __future__ import annotations

import xml.etree.ElementTree as etree
from collections.abc import Callable, Iterable

from markdown import Markdown
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString
from markdown_it.token import Token

from .addresses import short_addresses
from .attributes import are_on, attach_behind_emphasis
from .blocks import joins
from .bridge import BridgeParser, as_browsers_read
from .foreign import ForeignPatterns
from .shelf import OPEN, Piece, Shelf


class InlineTreeprocessor(Treeprocessor):
    """Takes the place of Python-Markdown's own `inline` tree processor.

    Args:
        md: the Markdown instance; its parser must be a BridgeParser.
        shelf: where raw inline HTML is put.
        curl: changes the text of a text node (smart punctuation), or leaves it.
        breaks: whether every line end is a break.
    """

    def __init__(
        self, md: Markdown, shelf: Shelf, curl: Callable[[str], str], breaks: bool
    ) -> None:
        super().__init__(md)
        self.shelf = shelf
        self.curl = curl
        self.breaks = breaks
        bridge = md.parser
        assert isinstance(bridge, BridgeParser)
        self.bridge = bridge
        foreign = len(md.inlinePatterns) + len(md.treeprocessors) > 0
        self.foreign = ForeignPatterns(md, shelf) if foreign else None
        # Foreign tree processors may change text, and leave alone what is atomic.
        self.text: Callable[[str], str] = str if foreign else AtomicString

    @property
    def stashed_nodes(self) -> dict[str, etree.Element | str]:
        """What foreign patterns ask Python-Markdown's own inline processor for."""
        return self.foreign.driver.stashed_nodes if self.foreign else {}

    def run(self, root: etree.Element) -> None:
        self._run(root, None)
        self.bridge.footnotes.finish(root, self.bridge.references, self._run)

    def _run(self, root: etree.Element, tokens: list[Token] | None) -> None:
        if tokens:
            _InlineBuilder(self, root).build(tokens)
            return
        for element in list(root.iter()):
            if element.text and not isinstance(element.text, AtomicString):
                text, element.text = element.text, None
                self.fill(element, self.foreign.apply(text) if self.foreign else text)

    def fill(self, element: etree.Element, text: str) -> None:
        """Put the inline phase's reading of a text into an empty element."""
        if self.foreign is None and _SPECIAL.isdisjoint(text):
            element.text = AtomicString(self.curl(text.strip("\n")))
            return
        tokens: list[Token] = []
        parser = self.bridge.parser
        parser.inline.parse(text, parser, self.bridge.references, tokens)
        if are_on(parser):
            attach_behind_emphasis(tokens)
        _InlineBuilder(self, element).build(tokens)


_SPECIAL = frozenset("\\`*_~[]!<>&\n@:.{^\ufdd0")


class _InlineBuilder:
    """Builds elements from inline tokens."""

    def __init__(self, owner: InlineTreeprocessor, root: etree.Element) -> None:
        self.owner = owner
        self.shelf = owner.shelf
        self.breaks = owner.breaks
        self.stack = [root]

    def build(self, tokens: list[Token]) -> None:
        for index, token in enumerate(tokens):
            if token.type in ("text", "text_special"):
                self._text(token.content, token.type == "text")
            elif token.nesting == 1:
                self.stack.append(
                    etree.SubElement(self.stack[-1], _tag(token), self._attributes(token))
                )
            elif token.nesting == -1:
                self.stack.pop()
            elif token.type == "softbreak":
                self._softbreak(tokens, index)
            else:
                self._leaf(token)

    def _leaf(self, token: Token) -> None:
        if token.type == "hardbreak":
            etree.SubElement(self.stack[-1], "br")
            self._add("\n")
        elif token.type == "code_inline":
            code = etree.SubElement(self.stack[-1], "code", self._attributes(token))
            code.text = AtomicString(_literal(self.shelf.restore(token.content)))
        elif token.type == "image":
            self._image(token)
        elif token.type == "html_inline":
            content = as_browsers_read(token.content)
            self._add(self.shelf.put(Piece("html", token.content, content)))
        elif token.type == "footnote_ref":
            self.owner.bridge.footnotes.refer(self.stack[-1], token.meta)

    def _image(self, token: Token) -> None:
        attributes = self._attributes(token)
        alt = "".join(_plain_text(child) for child in token.children or [])
        image = {"src": attributes.pop("src", ""), "alt": _literal(self.shelf.restore(alt))}
        etree.SubElement(
            self.stack[-1], "img", image | {k: v for k, v in attributes.items() if k != "alt"}
        )

    def _attributes(self, token: Token) -> dict[str, str]:
        return {k: _literal(self.shelf.restore(str(v))) for k, v in (token.attrs or {}).items()}

    def _softbreak(self, tokens: list[Token], index: int) -> None:
        """A line end inside a paragraph; between two Chinese characters it would be a gap."""
        if self.breaks:
            etree.SubElement(self.stack[-1], "br")
            self._add("\n")
            return
        before = _neighbour(reversed(tokens[:index]))[-1:]
        after = _neighbour(tokens[index + 1 :]).lstrip()[:1]
        if not (before and after and joins(before, after)):
            self._add("\n")

    def _text(self, text: str, plain: bool) -> None:
        if self.owner.foreign is None or OPEN not in text:
            self._own_text(text, plain)
            return
        for part in self.owner.foreign.split(text):
            if isinstance(part, str):
                self._own_text(part, plain)
            else:
                made, inside = part
                attributes = {k: _literal(self.shelf.restore(v)) for k, v in made.items()}
                element = etree.SubElement(self.stack[-1], made.tag, attributes)
                self.owner.fill(element, inside)

    def _own_text(self, text: str, plain: bool) -> None:
        if not plain or any(element.tag == "a" for element in self.stack):
            self._add(self.owner.curl(text) if plain else text)
            return
        last = 0
        for start, shown, href in short_addresses(text):
            self._add(self.owner.curl(text[last:start]))
            link = etree.SubElement(self.stack[-1], "a", {"href": _literal(href)})
            link.text = AtomicString(_literal(shown))
            last = start + len(shown)
        self._add(self.owner.curl(text[last:]))

    def _add(self, text: str) -> None:
        """Text after whatever the open element holds so far."""
        text = _literal(text)
        parent = self.stack[-1]
        if len(parent):
            parent[-1].tail = self.owner.text((parent[-1].tail or "") + text)
        else:
            parent.text = self.owner.text((parent.text or "") + text)


def _neighbour(tokens: Iterable[Token]) -> str:
    """The text of the first token that has any; emphasis, links and tags are looked through."""
    for token in tokens:
        if token.type == "html_inline" and not token.content.startswith(("<br", "<img")):
            continue
        if token.content or (token.nesting == 0 and token.type != "text"):
            return token.content
    return ""


def _tag(token: Token) -> str:
    return "del" if token.tag == "s" else token.tag  # as marked and GFM have it


def _literal(text: str) -> str:
    """Text whose entities stay text: Python-Markdown's serializer takes them for entities."""
    return text.replace("&", "&amp;")


def _plain_text(token: Token) -> str:
    if token.children:
        return "".join(_plain_text(child) for child in token.children)
    if token.type == "softbreak" or token.type == "hardbreak":
        return "\n"
    return "" if token.type == "html_inline" else token.content
