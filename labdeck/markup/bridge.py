"""The bridge: markdown-it-py's block tokens become the element tree of Python-Markdown.

Python-Markdown keeps everything else: it runs the inline phase (`inline.py`), tree processors,
serializer and post-processors, so its extensions and authors' own work on decks.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as etree
from collections.abc import Callable
from typing import Any

from markdown import Markdown
from markdown.blockparser import BlockParser
from markdown.util import AtomicString
from markdown_it import MarkdownIt
from markdown_it.common.utils import unescapeAll
from markdown_it.token import Token

from .attributes import are_on, split_behind
from .footnotes import Footnotes
from .foreign import Abbreviations
from .shelf import Piece, Shelf

# Draws a fenced block: (info string, code, first line within the text) -> HTML.
FenceDrawer = Callable[[str, str, int], str]
_NO_HTML = re.compile(r"(?P<indent>\s*)<(?:(?P<asked>\?[^>]*)|!(?!--)(?P<declared>[^>]*))>")
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


class BridgeParser(BlockParser):
    """Python-Markdown's block parser, reading by markdown-it-py.

    Args:
        md: the Markdown instance it belongs to.
        parser: markdown-it-py, set up for decks.
        shelf: where finished HTML is put.
        draw_fence: turns code blocks into HTML.
        footnotes: get the definitions of the text.
    """

    def __init__(
        self,
        md: Markdown,
        parser: MarkdownIt,
        shelf: Shelf,
        draw_fence: FenceDrawer,
        footnotes: Footnotes,
    ) -> None:
        self.abbreviations = Abbreviations(md)
        super().__init__(md)
        self.parser = parser
        self.shelf = shelf
        self.draw_fence = draw_fence
        self.footnotes = footnotes
        self.references: dict[str, Any] = {}

    def parseDocument(self, lines: Any) -> etree.ElementTree:
        """The tree of a text; link references are kept for the inline phase."""
        env: dict[str, Any] = {}
        tokens: list[Token] = []
        self.parser.block.parse("\n".join(lines), self.parser, env, tokens)
        self.references = env
        root = etree.Element(self.md.doc_tag)
        _TreeBuilder(self, root).build(tokens)
        return etree.ElementTree(root)


class _TreeBuilder:
    def __init__(self, bridge: BridgeParser, root: etree.Element) -> None:
        self.bridge = bridge
        self.stack = [root]
        self.after: dict[etree.Element, str] = {}  # comments that follow an element

    def build(self, tokens: list[Token]) -> None:
        for token in tokens:
            if token.type == "inline":
                self._inline(token)
            elif token.nesting == 1:
                self._open(token)
            elif token.nesting == -1:
                self._close(token)
            else:
                self._leaf(token)

    def _open(self, token: Token) -> None:
        if token.hidden:
            return
        if token.type == "footnote_reference_open":
            self.stack.append(self.bridge.footnotes.open(token.meta["label"]))
            return
        if token.tag != "p":
            self._task_box()
        element = etree.SubElement(self.stack[-1], token.tag)
        for name, value in (token.attrs or {}).items():
            if name == "style" and str(value).startswith("text-align:"):
                element.set("align", str(value).partition(":")[2])
            elif name != "class" or token.type == "container_open":
                element.set(name, str(value))
        if token.type == "list_item_open" and "checked" in token.meta:
            element.set("data-labdeck-task", "checked" if token.meta["checked"] else "open")
        self.stack.append(element)

    def _close(self, token: Token) -> None:
        if token.hidden:
            return
        element = self.stack.pop()
        if element.tag == "p" and not element.text and not len(element):
            self.stack[-1].remove(element)
            return
        element.tail = "\n"
        if element in self.after:
            self._html(self.after.pop(element))

    def _inline(self, token: Token) -> None:
        """Text for the inline phase, in a fragment of its own: what follows is no tail of it."""
        parent = self.stack[-1]
        item = next((element for element in reversed(self.stack) if element.tag == "li"), None)
        text, comments = self._own_lines(parent, token.content), ""
        if item is not None and parent.tag == "p" and self.stack[-2] is item:
            text, comments = _comments_below(text)
        if self._task_box():
            text = " " + text
        if text or not token.content:
            _fragment(parent).text = text
        if comments:
            self.after[parent] = comments

    def _task_box(self) -> bool:
        """The box of a task that has just begun, at the beginning of its text or first block."""
        item = next((element for element in reversed(self.stack) if element.tag == "li"), None)
        task = item.attrib.pop("data-labdeck-task", None) if item is not None else None
        if task is not None:
            checked = {"checked": ""} if task == "checked" else {}
            etree.SubElement(
                self.stack[-1], "input", {"type": "checkbox", "disabled": ""} | checked
            )
        return task is not None

    def _own_lines(self, parent: etree.Element, text: str) -> str:
        """The text without what is written in it about the block, or about other blocks."""
        if parent.tag in _HEADINGS and are_on(self.bridge.parser):
            text, attributes = split_behind(text)
            parent.attrib.update(attributes)
        return self.bridge.abbreviations.take(text) if parent.tag == "p" else text

    def _leaf(self, token: Token) -> None:
        line = token.map[0] if token.map else 0
        self._task_box()
        if token.type in ("fence", "code_block"):
            code = self.bridge.shelf.restore(token.content)
            info = unescapeAll(token.info) if token.type == "fence" else ""
            self._html(self.bridge.draw_fence(self.bridge.shelf.restore(info), code, line))
        elif token.type == "html_block":
            self._html(as_browsers_read(token.content))
        elif token.type == "hr":
            etree.SubElement(self.stack[-1], "hr").tail = "\n"

    def _html(self, html: str) -> None:
        fragment = _fragment(self.stack[-1])
        fragment.text = AtomicString(self.bridge.shelf.put(Piece("html", html, html)))
        fragment.tail = "\n"


def as_browsers_read(html: str) -> str:
    """`<?…>` and `<!…>`, which HTML does not have, as the comments that browsers make of them."""
    match = _NO_HTML.match(html)
    if match is None:
        return html
    inside = match["asked"] or match["declared"]
    return f"{match['indent']}<!--{inside.replace('--', '- -')}-->{html[match.end() :]}"


def _comments_below(text: str) -> tuple[str, str]:
    """A paragraph of a loose list item without the comments on its last lines, and these.

    marked reads them as blocks of the item, so that they address the whole paragraph.
    """
    match = re.search(r"(?:\n[ \t]*<!--(?:(?!-->).)*-->[ \t]*)+\Z", text, re.DOTALL)
    return (text[: match.start()], match[0].strip()) if match else (text, "")


def _fragment(parent: etree.Element) -> etree.Element:
    """An element without a tag: Python-Markdown's serializer writes only what is in it."""
    element = etree.SubElement(parent, "fragment")
    element.tag = None  # type: ignore[assignment]
    return element
