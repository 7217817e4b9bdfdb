"""Fonts for Chinese: the characters of a deck that a font is cut to, and the rules that use it."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .cache import Cache
from .errors import Problem, Where
from .glyphs import Cut, cut_file, cut_slices, require_tools
from .model import Deck

FAMILY = "labdeck CJK"
BUNDLED = {"noto-sans-sc": "fonts/noto-sans-sc"}  # name -> folder of the assets
SHOWN = 20  # characters that a warning names; the rest are counted
_CJK = (
    r"\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe10-\ufe1f\ufe30-\ufe4f"
    r"\uff01-\uffee\U0001b000-\U0001b16f\U00020000-\U0003fffd"
)
_IS_CJK = re.compile(f"[{_CJK}]")
_OTHER = re.compile(r"[\xa1-\u2e7f]+")
_CONTENT = re.compile(r"\bcontent\s*:[^;}]*")


@dataclass(frozen=True)
class Source:
    """A font as it came: the folder of a bundled one, or a file and which of its faces."""

    path: Path
    face: int = 0

    def cut(self, characters: str, cache: Cache) -> Cut:
        """The font cut to the characters it has among these.

        Raises:
            DeckError: the file is no font.
            MachineError: fontTools or brotli is not installed.
        """
        key = f"font {self._identity()} {_digest(characters.encode())}"
        kept = cache.get(key)
        if kept is not None:
            content, covers, weight = json.loads(kept)
            return Cut(base64.b64decode(content), covers, weight)
        require_tools()
        cut = self._cut(characters)
        content = base64.b64encode(cut.content).decode("ascii")
        cache.put(key, json.dumps([content, cut.covers, cut.weight], ensure_ascii=False))
        return cut

    def _cut(self, characters: str) -> Cut:
        if self.path.is_dir():
            return cut_slices(self.path, characters)
        return cut_file(self.path, self.face, characters)

    def _identity(self) -> str:
        """A bundled font is named by its folder: another release of it has another cache."""
        if self.path.is_dir():
            return self.path.name
        return f"{_digest(self.path.read_bytes())}#{self.face}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# Which characters


def characters(page: str, sheets: Iterable[str] = ()) -> str:
    """What a font for Chinese is asked to draw on a page, sorted.

    All CJK characters, and of other marks and signs (quotation marks, dashes, ①) those that
    stand beside CJK characters at least half of the time; letters stay with the theme's fonts.

    Args:
        page: the HTML; what stands in comments does not count.
        sheets: stylesheets, of which the `content:` declarations count.
    """
    shown, *parts = page.split("<!--")
    shown += "".join(part.partition("-->")[2] if "-->" in part else part for part in parts)
    contents = [match for sheet in sheets for match in _CONTENT.findall(sheet)]
    text = "\n".join([html.unescape(shown), *contents])
    return "".join(sorted({*_IS_CJK.findall(text), *_marks(text)}))


def is_cjk(character: str) -> bool:
    """Whether a font for Chinese has to have a character."""
    return bool(_IS_CJK.match(character))


def _marks(text: str) -> Iterator[str]:
    """Marks and signs that stand beside CJK characters as often as not."""
    balance: Counter[str] = Counter()
    for run in _OTHER.finditer(text):
        around = text[max(run.start() - 1, 0) : run.start()] + text[run.end() : run.end() + 1]
        beside = 1 if _IS_CJK.search(around) else -1
        balance.update(dict.fromkeys(run[0], beside))
    for mark, count in balance.items():
        if count >= 0 and unicodedata.category(mark)[0] in "PSN":
            yield mark


# On the page


def stylesheet(cut: Cut, address: str, themed: bool) -> str:
    """The @font-face rule, and rules that put the family first where the theme names fonts.

    Args:
        cut: the font.
        address: of its file, seen from the stylesheet.
        themed: whether the theme has reveal.js's custom properties for fonts.
    """
    weight = f"font-weight:{cut.weight};" if cut.weight else ""
    # Without U+0020 the family never is the first available font, whose metrics set line heights.
    ranges = ["U+2E80-3FFFF", *(f"U+{ord(c):X}" for c in cut.covers if c < "\u2e80")]
    rules = [
        f'@font-face{{font-family:"{FAMILY}";src:url("{address}") format("woff2");{weight}'
        f"font-display:block;unicode-range:{','.join(ranges)}}}"
    ]
    if themed:
        headings = ",".join(f".reveal h{level}" for level in range(1, 7))
        rules += [
            f'.reveal{{font-family:"{FAMILY}",var(--r-main-font)}}',
            f'{headings}{{font-family:"{FAMILY}",var(--r-heading-font)}}',
            f'.reveal .katex .cjk_fallback{{font-family:"{FAMILY}",var(--r-main-font)}}',
            f'.reveal pre,.reveal code{{font-family:var(--r-code-font),"{FAMILY}"}}',
        ]
    return "\n".join(rules) + "\n"


def uncovered(deck: Deck, name: str, asked: str, covers: str) -> Problem | None:
    """A warning about CJK characters that a font does not have, at the first of them."""
    missing = [c for c in asked if is_cjk(c) and c not in covers]
    if not missing:
        return None
    named = ", ".join(f"{c} (U+{ord(c):04X})" for c in missing[:SHOWN])
    more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
    return Problem(
        "warning",
        "uncovered-glyph",
        f"`{name}` has no glyph for {named}{more}",
        _place(deck, "".join(missing)) or deck.where("fonts"),
        "the reader's own fonts have to draw them; name a font file that has them",
    )


def _place(deck: Deck, characters: str) -> Where | None:
    """Where one of some characters first stands in a deck's text."""
    pattern = re.compile(f"[{characters}]")
    for slide in deck.slides:
        for text, span in ((slide.markdown, slide.span), (slide.notes, slide.notes_span)):
            if span and (match := pattern.search(text or "")):
                return span.where((text or "").count("\n", 0, match.start()))
    return None
