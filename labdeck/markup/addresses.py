"""Addresses that become links by themselves: `https://…` and `www.…`, and mail addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

# What marked 4 makes a link of without being asked. Full-width punctuation ends an address.
_REST = r"(?:[a-zA-Z0-9-]+\.?)+[^\s<，。；：！？、（）【】《》「」『』“”\ufdd0-\ufdef]*"
_FULL = re.compile(rf"://{_REST}")
_SCHEME = re.compile(r"(?<![a-zA-Z0-9<])(?:https?|ftp)\Z", re.IGNORECASE)
_SHORT = re.compile(
    rf"(?P<url>(?<![a-zA-Z0-9<])www\.{_REST})"
    r"|(?P<mail>(?<![A-Za-z0-9._+-])[A-Za-z0-9._+-]+@[a-zA-Z0-9_-]+"
    r"(?:\.[a-zA-Z0-9_-]*[a-zA-Z0-9])+(?![-_]))",
    re.IGNORECASE,
)
_TRAILING = re.compile(r"(?:[?!.,:;*_'\"~’]|&[a-zA-Z0-9]+;)+\Z")


def switch_on(parser: MarkdownIt) -> None:
    """Make the parser read full addresses before it sees emphasis in them."""
    parser.inline.ruler.before("escape", "address", _address)


def _address(state: StateInline, silent: bool) -> bool:
    """A link at the `:` of an address whose scheme has gone by."""
    match = _FULL.match(state.src, state.pos) if state.src[state.pos] == ":" else None
    if match is None or silent or state.linkLevel:
        return False
    scheme = _SCHEME.search(state.pending)
    if scheme is None:
        return False
    shown = _trim(scheme[0] + match[0])
    state.pending = state.pending[: scheme.start()]
    token = state.push("link_open", "a", 1)
    token.attrs = {"href": shown}
    state.push("text_special", "", 0).content = shown
    state.push("link_close", "a", -1)
    state.pos += len(shown) - len(scheme[0])
    return True


def short_addresses(text: str) -> Iterator[tuple[int, str, str]]:
    """Where `www.` and mail addresses stand in a text, their texts and where they lead."""
    if "@" not in text and "www." not in text.lower():
        return
    for match in _SHORT.finditer(text):
        if match["mail"]:
            yield match.start(), match[0], f"mailto:{match[0]}"
        else:
            shown = _trim(match[0])
            yield match.start(), shown, f"http://{shown}"


def _trim(address: str) -> str:
    """An address without the punctuation that ends its sentence."""
    while True:
        shorter = _TRAILING.sub("", address)
        if shorter.endswith(")") and shorter.count(")") > shorter.count("("):
            shorter = shorter[:-1]
        if shorter == address:
            return address
        address = shorter
