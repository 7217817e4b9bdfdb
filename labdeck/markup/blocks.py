"""markdown-it-py set up for decks: CommonMark and GFM's blocks, as wide as marked 4 reads them.

The differences from CommonMark are those that decks rely on (FORMAT §11.1): inside a list item a
line of HTML goes on with the item, and a numbered list may interrupt text at any number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.html_block import html_block
from markdown_it.rules_block.list import list_block
from markdown_it.rules_inline.state_inline import Scanned, StateInline
from markdown_it.token import Token

from . import addresses
from .switches import OWN

_CJK = re.compile(
    "[\u1100-\u11ff\u2e80-\u303f\u3040-\u33ff\u3400-\u9fff\ua960-\ua97f\uac00-\ud7ff"
    "\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
)

_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff\uffa0-\uffdc]")
_WIDE_BY_COMPANY = frozenset("“”‘’—…·")
_SELECTOR = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")  # picks a glyph of what is before it


def is_cjk(char: str) -> bool:
    """Whether a character is Chinese, Japanese or Korean, full-width punctuation included."""
    return bool(_CJK.match(char))


def joins(before: str, after: str) -> bool:
    """Whether a line end between two characters would be a gap that nobody wrote.

    Chinese and Japanese have no spaces between words, Korean has. Curly quotes, dashes and dots are
    full-width only in their company.
    """
    sides = [_HANGUL.match(char) is None and is_cjk(char) for char in (before, after)]
    return all(sides) or (any(sides) and (before in _WIDE_BY_COMPANY or after in _WIDE_BY_COMPANY))


def create_parser(switches: Sequence[str] = ()) -> MarkdownIt:
    """A block and inline parser; `switches` are names of `OWN`."""
    options = {
        "html": True,
        "tasklists": True,
        "strikethrough_single_tilde": True,
        "maxNesting": 60,
    }
    parser = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    parser.inline = _CjkInline(parser.inline)
    interrupts = ["paragraph", "reference", "blockquote"]
    parser.block.ruler.at("list", _list_rule, {"alt": interrupts})
    parser.block.ruler.at("html_block", _html_rule, {"alt": interrupts})
    # A link may have any address; what a page may load is the site's business.
    parser.validateLink = lambda url: True  # type: ignore[method-assign]
    parser.normalizeLink = _normalize_link  # type: ignore[method-assign]
    addresses.switch_on(parser)
    for name in switches:
        OWN[name](parser)
    return parser


def _normalize_link(url: str) -> str:
    """The address as written; browsers encode what needs it, and files keep their names."""
    return url.replace(" ", "%20")


def _list_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A list interrupts the text of a list item at any number (marked reads it line by line)."""
    if silent and state.parentType == "paragraph" and state.listIndent >= 0:
        state.parentType = "root"
        try:
            return list_block(state, start, end, silent)
        finally:
            state.parentType = "paragraph"
    return list_block(state, start, end, silent)


def _html_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """HTML right below an item's text, further left than it, is part of that text."""
    in_item = state.listIndent >= 0 and state.sCount[start] < state.blkIndent
    if silent and in_item and start > 0 and not state.isEmpty(start - 1):
        return False
    return html_block(state, start, end, silent)


class _CjkInline(ParserInline):
    """The inline parser with delimiter runs that know Chinese (FORMAT F59)."""

    def __init__(self, plain: ParserInline) -> None:
        super().__init__()
        self.ruler = plain.ruler
        self.ruler2 = plain.ruler2

    def parse(self, src: str, md: MarkdownIt, env: Any, tokens: list[Token]) -> list[Token]:
        state = _CjkState(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


class _CjkState(StateInline):
    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:
        """CommonMark's flanking rules, except that a CJK neighbour counts as a border of words."""
        marker = self.src[start]
        end = start
        while end < self.posMax and self.src[end] == marker:
            end += 1
        before = self._before(start)
        after = self.src[end] if end < self.posMax else " "
        left = _flanks(inner=after, outer=before)
        right = _flanks(inner=before, outer=after)
        if canSplitWord:
            return Scanned(left, right, end - start)
        opens = left and (not right or _is_punctuation(before))
        closes = right and (not left or _is_punctuation(after))
        return Scanned(opens, closes, end - start)

    def _before(self, position: int) -> str:
        while position > 0 and _SELECTOR.match(self.src[position - 1]):
            position -= 1
        return self.src[position - 1] if position > 0 else " "


def _flanks(inner: str, outer: str) -> bool:
    if _is_space(inner):
        return False
    if not _is_punctuation(inner) or is_cjk(inner):
        return True
    return _is_space(outer) or _is_punctuation(outer) or is_cjk(outer)


def _is_space(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) == "Zs"


def _is_punctuation(char: str) -> bool:
    return unicodedata.category(char)[0] in "PS"
