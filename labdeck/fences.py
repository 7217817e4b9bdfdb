"""Which lines of a text lie inside closed code fences."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_FENCE = re.compile(r"[ \t>*+-]*?(?:\d+[.)][ \t]+)?(?P<mark>`{3,}|~{3,})(?P<info>[^\n]*)\Z")


@dataclass(frozen=True)
class Fence:
    """A closed code fence: offsets from its opening line to the end of its closing line."""

    start: int
    end: int
    first_line: int


def find_fences(text: str, breaks: Callable[[str], bool] = lambda line: False) -> list[Fence]:
    """Closed fences of `text`, in order.

    Args:
        breaks: tells whether a line would separate slides. An opening fence that meets such a line
            and then another *opening* fence was never closed: it swallows no slides.
    """
    found: list[Fence] = []
    lines = text.splitlines(keepends=True)
    offsets = [0]
    for line in lines:
        offsets.append(offsets[-1] + len(line))
    index = 0
    while index < len(lines):
        opening = _opening(lines[index])
        closing = _closing(lines, index, opening, breaks) if opening else None
        if closing is None:
            index += 1
            continue
        found.append(Fence(offsets[index], offsets[closing + 1], index))
        index = closing + 1
    return found


def _opening(line: str) -> str | None:
    match = _FENCE.match(line.rstrip("\r\n"))
    if not match or (match["mark"][0] == "`" and "`" in match["info"]):
        return None
    return match["mark"]


def _closing(lines: list[str], start: int, mark: str, breaks: Callable[[str], bool]) -> int | None:
    separated = False
    for index in range(start + 1, len(lines)):
        line = lines[index].strip(" \t>\r\n")
        if line and line.strip(mark[0]) == "" and len(line) >= len(mark):
            return index
        if separated and (_opening(lines[index]) or "")[:1] == mark[0]:
            return None
        separated = separated or breaks(lines[index])
    return None
