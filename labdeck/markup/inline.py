"""The inline phase: CommonMark's inline rules by markdown-it-py, into Python-Markdown's tree."""

from __future__ import annotations

import re
import xml.etree.ElementTree as etree
from collections.abc import Callable

from markdown import Markdown
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString
from markdown_it.token import Token

from .blocks import is_cjk
from .bridge import BridgeParser
from .shelf import Piece, Shelf

# What marked 4 makes a link of without being asked: full addresses, www., and mail addresses.
_AUTOLINK = re.compile(
    r"(?P<url>(?:(?:ftp|https?)://|www\.)(?:[a-zA-Z0-9-]+\.?)+[^\s<\ufdd0-\ufdef]*)"
    r"|(?P<mail>[A-Za-z0-9._+-]+@[a-zA-Z0-9_-]+(?:\.[a-zA-Z0-9_-]*[a-zA-Z0-9])+(?![-_]))",
    re.IGNORECASE,
)
_TRAILING = re.compile(r"[?!.,:;*_'\"~。，、；：！？）】》”’]+\Z")


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

    def run(self, root: etree.Element) -> None:
        for element in list(root.iter()):
            if element.text and not isinstance(element.text, AtomicString):
                text, element.text = element.text, None
                self._fill(element, text)

    def _fill(self, element: etree.Element, text: str) -> None:
        bridge = self.md.parser
        assert isinstance(bridge, BridgeParser)
        if not any(char in _SPECIAL for char in text):
            element.text = AtomicString(self.curl(text.strip("\n")))
            return
        tokens: list[Token] = []
        bridge.parser.inline.parse(text, bridge.parser, bridge.references, tokens)
        _InlineBuilder(self, element).build(tokens)


_SPECIAL = frozenset("\\`*_~[]!<>&\n@:.\ufdd0")


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
            code = etree.SubElement(self.stack[-1], "code")
            code.text = AtomicString(_literal(self.shelf.restore(token.content)))
        elif token.type == "image":
            self._image(token)
        elif token.type == "html_inline":
            self._add(self.shelf.put(Piece("html", token.content, token.content)))

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
        before = tokens[index - 1].content[-1:] if index else ""
        after = tokens[index + 1].content.lstrip()[:1] if index + 1 < len(tokens) else ""
        if before and after and is_cjk(before) and is_cjk(after):
            return
        self._add("\n")

    def _text(self, text: str, plain: bool) -> None:
        inside_link = any(element.tag == "a" for element in self.stack)
        if not plain or inside_link or not ("://" in text or "@" in text or "www." in text):
            self._add(self.owner.curl(text) if plain else text)
            return
        last = 0
        for match in _AUTOLINK.finditer(text):
            shown, href = _link(match)
            if (
                match.start() > 0
                and text[match.start() - 1].isalnum()
                and text[match.start() - 1].isascii()
            ):
                continue
            self._add(self.owner.curl(text[last : match.start()]))
            link = etree.SubElement(self.stack[-1], "a", {"href": href})
            link.text = AtomicString(shown)
            last = match.start() + len(shown)
        self._add(self.owner.curl(text[last:]))

    def _add(self, text: str) -> None:
        """Text after whatever the open element holds so far."""
        text = _literal(text)
        parent = self.stack[-1]
        if len(parent):
            parent[-1].tail = AtomicString((parent[-1].tail or "") + text)
        else:
            parent.text = AtomicString((parent.text or "") + text)


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


def _link(match: re.Match[str]) -> tuple[str, str]:
    """The text and the address of an autolink, without punctuation that ends a sentence."""
    if match["mail"]:
        return match["mail"], "mailto:" + match["mail"]
    shown = match["url"]
    while True:
        shorter = _TRAILING.sub("", shown)
        if shorter.endswith(")") and shorter.count(")") > shorter.count("("):
            shorter = shorter[:-1]
        if shorter == shown:
            break
        shown = shorter
    return shown, ("http://" + shown if shown.lower().startswith("www.") else shown)
