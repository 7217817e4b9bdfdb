"""What Markdown must not read: pieces are put on a shelf, marks stand for them in the text."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..errors import Where

# Unicode noncharacters: no text may contain them, so they cannot meet a deck's own characters.
OPEN, CLOSE, FILL = "\ufdd0", "\ufdd1", "\ufdd2"
_MARK = re.compile(f"{OPEN}(\\d+){CLOSE}")
_MARK_WITH_FILL = re.compile(f"{OPEN}(\\d+){CLOSE}(?:\\n[ \\t>]*{FILL})*")
_FILL = re.compile(f"\\s*{FILL}")
_FOREIGN = re.compile("[\ufdd0-\ufdef]")


@dataclass(frozen=True)
class Piece:
    """A piece of the source: a formula, an expression, or HTML.

    Args:
        kind: what it is; `html` goes back into the text before comments and addresses are read,
            `done` when all that is over; `source` and `element` are gone after the inline phase.
        source: the text it stood for, delimiters included.
        content: TeX, expression or HTML.
        display: for a formula, whether it is set on a line of its own.
        where: its first character in the deck.
    """

    kind: Literal["math", "number", "html", "done", "source", "element"]
    source: str
    content: str
    display: bool = False
    where: Where | None = None


class Shelf:
    """Pieces by number, and the marks that stand for them."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []

    @staticmethod
    def clean(text: str) -> str:
        """`text` without the characters that marks are made of."""
        return _FOREIGN.sub("\ufffd", text)

    def put(self, piece: Piece) -> str:
        """A mark for the piece, as many lines long as its source."""
        self.pieces.append(piece)
        inline = piece.kind in ("math", "number")
        fill = f"\n{FILL}" * piece.source.count("\n") if inline else ""
        return f"{OPEN}{len(self.pieces) - 1}{CLOSE}{fill}"

    def restore(self, text: str) -> str:
        """`text` with every mark turned back into its source (for code, where nothing is read)."""
        if OPEN not in text:
            return text
        return _MARK_WITH_FILL.sub(lambda m: self.pieces[int(m[1])].source, text)

    def plain(self, text: str, show: Callable[[Piece], str]) -> str:
        """`text` with marks turned into plain text (for attributes, ids and titles)."""
        if OPEN not in text:
            return text
        return _FILL.sub("", _MARK.sub(lambda m: show(self.pieces[int(m[1])]), text))

    def fill(self, text: str, show: Callable[[Piece], str]) -> str:
        """HTML with every mark replaced; inside a tag the mark's source stands, escaped."""
        if OPEN not in text and FILL not in text:
            return text

        def replace(match: re.Match[str]) -> str:
            piece = self.pieces[int(match[1])]
            if piece.kind in ("math", "number") and _inside_tag(text, match.start()):
                return html.escape(piece.source, quote=True)
            return show(piece)

        found = 1
        while found:  # what a mark stood for may hold marks
            text, found = _MARK.subn(replace, text)
            text = _FILL.sub("", text)
        return text


def _inside_tag(text: str, offset: int) -> bool:
    opened = text.rfind("<", 0, offset)
    return opened > text.rfind(">", 0, offset) and text[opened + 1 : opened + 2].isalpha()
