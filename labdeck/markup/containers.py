"""Containers: `::: columns` to `:::` becomes `<div class="columns">` around the blocks between."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock

from .attributes import Attributes, read_braces

_OPENING = re.compile(r":{3,}[ \t]*(?P<words>[\w-][\w \t-]*?)?[ \t]*(?P<braces>\{.*\})?[ \t]*:*\Z")
_CLOSING = re.compile(r":{3,}[ \t]*\Z")
_FENCE = re.compile(r"`{3,}|~{3,}")


def switch_on(parser: MarkdownIt) -> None:
    """Make the parser read containers."""
    parser.block.ruler.before(
        "fence", "container", _container, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )


def _container(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    attributes = None if state.is_code_block(start) else _opening(_line(state, start))
    if not attributes:
        return False
    if silent:
        return True
    last = _last_line(state, start, end)
    token = state.push("container_open", "div", 1)
    token.attrs, token.map = dict(attributes), [start, last]
    parent, limit = state.parentType, state.lineMax
    state.parentType, state.lineMax = "container", last
    state.md.block.tokenize(state, start + 1, last)
    state.parentType, state.lineMax = parent, limit
    state.push("container_close", "div", -1)
    state.line = min(last + 1, end)
    return True


def _opening(line: str) -> Attributes:
    """The attributes of the container that a line opens; none if it opens none."""
    match = _OPENING.match(line)
    if match is None:
        return {}
    attributes = read_braces(match["braces"]) if match["braces"] else {}
    classes = [*(match["words"] or "").split(), *attributes.get("class", "").split()]
    return {**attributes, "class": " ".join(classes)} if classes else attributes


def _last_line(state: StateBlock, start: int, end: int) -> int:
    """The line that closes the container opened at `start`, else the end of what is around it."""
    depth = 1
    fence = ""
    for number in range(start + 1, end):
        line = _line(state, number)
        if line and state.sCount[number] < state.blkIndent:
            return number
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[0].startswith(fence) and not line.strip(fence[0] + " \t"):
                fence = ""
        elif mark:
            fence = mark[0]
        elif line.startswith(":::"):
            depth += -1 if _CLOSING.match(line) else bool(_opening(line))
        if depth == 0:
            return number
    return end


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]
