"""Attributes in braces: `{#id .class key=value}` behind a heading, picture, link, span or fence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

Attributes = Mapping[str, str]
_ONE = r"(?:[#.][\w:-]+|[\w:-]+=(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s\"'{}]+))"
_BRACES = re.compile(rf"\{{[ \t]*{_ONE}(?:[ \t]+{_ONE})*[ \t]*\}}")
_SPLIT = re.compile(_ONE)
_BEHIND = re.compile(rf"[ \t]*({_BRACES.pattern})[ \t]*\Z")
_MARKED = ("em_close", "strong_close", "s_close")
_COMPLETE = ("image", "code_inline", "link_close", "span_close")


def switch_on(parser: MarkdownIt) -> None:
    """Make the parser read braces behind pictures, links, code and `[spans]`."""
    parser.inline.ruler.after("link", "span", _span)
    parser.inline.ruler.push("attributes", _behind_complete)
    parser.options["attributes"] = True


def are_on(parser: MarkdownIt) -> bool:
    return bool(parser.options.get("attributes"))


def read_braces(text: str) -> Attributes:
    """The attributes of `{…}`, which must be all of the text; none if it is something else."""
    attributes, length = _read(text, 0)
    return attributes if length == len(text) else {}


def split_behind(text: str) -> tuple[str, Attributes]:
    """A heading's text without the attributes at its end, and these."""
    match = _BEHIND.search(text)
    return (text[: match.start()], read_braces(match[1])) if match else (text, {})


def split_info(info: str) -> tuple[str, Attributes]:
    """A fence's info string without attributes, and these; `{.python}` may name the language."""
    match = _BRACES.search(info)
    if match is None:
        return info, {}
    rest = f"{info[: match.start()]} {info[match.end() :]}"
    attributes = dict(read_braces(match[0]))
    words = attributes.get("class", "").split()
    if words and not re.match(r"[^\s\[]", rest.lstrip()):
        rest = f"{words.pop(0)} {rest}"
        attributes |= {"class": " ".join(words)}
    return rest.strip(), {k: v for k, v in attributes.items() if v or k != "class"}


def attach_behind_emphasis(tokens: Sequence[Token]) -> None:
    """Give `**bold**{.class}` its attributes: delimiters are paired after all rules have run."""
    for index, token in enumerate(tokens[:-1]):
        follower = tokens[index + 1]
        if token.type in _MARKED and follower.type == "text":
            attributes, length = _read(follower.content, 0)
            if length:
                _opening(tokens[:index], token).attrs.update(attributes)
                follower.content = follower.content[length:]


def _behind_complete(state: StateInline, silent: bool) -> bool:
    if state.pending or not state.tokens or state.tokens[-1].type not in _COMPLETE:
        return False
    attributes, end = _read(state.src, state.pos)
    if not end:
        return False
    last = state.tokens[-1]
    if not silent:
        token = last if last.nesting == 0 else _opening(state.tokens[:-1], last)
        token.attrs.update(attributes)
    state.pos = end
    return True


def _span(state: StateInline, silent: bool) -> bool:
    """`[text]{.class}`"""
    if state.src[state.pos] != "[":
        return False
    start, limit = state.pos, state.posMax
    end = state.md.helpers.parseLinkLabel(state, start)
    if end < 0 or not _read(state.src, end + 1)[1]:
        return False
    if not silent:
        state.push("span_open", "span", 1)
        state.pos, state.posMax = start + 1, end
        state.md.inline.tokenize(state)
        state.push("span_close", "span", -1)
    state.pos, state.posMax = end + 1, limit
    return True


def _opening(before: Sequence[Token], closing: Token) -> Token:
    return next(t for t in reversed(before) if t.nesting == 1 and t.level == closing.level)


def _read(text: str, start: int) -> tuple[dict[str, str], int]:
    """Attributes that begin at `start`, and where they end; 0 if there are none."""
    match = _BRACES.match(text, start)
    attributes: dict[str, str] = {}
    if match is None:
        return attributes, 0
    for one in _SPLIT.findall(match[0]):
        sign, rest = one[0], one[1:]
        name, _, value = ("id", "", rest) if sign == "#" else one.partition("=")
        name, value = ("class", rest) if sign == "." else (name, value.strip("\"'"))
        if name == "class" and "class" in attributes:
            value = f"{attributes['class']} {value}"
        if not name.lower().startswith("on"):  # a deck runs nothing by itself
            attributes[name] = value
    return attributes, match.end()
