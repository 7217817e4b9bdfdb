"""Notes as decks: headings begin slides, and what does not fit on one goes on on the next.

Works on source lines, so that every slide still knows where it came from. Heights are estimates
for the type sizes that `labdeck.css` gives `section.flow`; they err on the generous side.
"""

from __future__ import annotations

import itertools
import math
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace

from markdown_it.token import Token

from .errors import Problems
from .markup.blocks import create_parser, is_cjk
from .markup.formulas import FormulaTaker
from .markup.shelf import Piece, Shelf
from .model import Deck, Slide, Span, Stack

FONT_PX = 26  # of `section.flow`, see templates/static/labdeck.css
LINE_PX = 39
IMAGE_PX = 330
HEADING_PX = 76
CODE_LINE_PX = 25
CODE_LINES = 18  # of one block on one slide
CODE_COLUMNS = 78
_TOC = re.compile(r"^\[toc\]\s*$", re.IGNORECASE | re.MULTILINE)
_IMAGE = re.compile(r"<img\b|!\[")
_FENCE = re.compile(
    r"(?P<open>(?P<mark>`{3,}|~{3,})[^\n]*)\n(?P<code>.*?)\n(?P=mark)[`~]*\s*\Z", re.DOTALL
)
_SENTENCE = re.compile(r"(?<=[。！？；])|(?<=[.!?;])\s+")


@dataclass(frozen=True)
class Atom:
    """Source lines that stay together: from `start` up to `end`, about `height` pixels tall.

    Args:
        breakable: whether a slide may begin with it.
        text: its own text where a long paragraph was cut, else None.
        heading: whether it is a heading, which does not end a slide.
    """

    start: int
    end: int
    height: float
    breakable: bool
    text: str | None = None
    heading: bool = False


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it; level 0 is text before any heading."""

    level: int
    title: str
    line: int
    atoms: tuple[Atom, ...]


def flow(deck: Deck, level: int) -> Deck:
    """The deck with each slide cut at headings up to `level` and at the height of the page."""
    page = _Page(deck)
    stacks: list[list[Slide]] = []
    for slide in deck.slides:
        sections = page.sections(slide, level)
        for section in sections:
            slides = page.slides(section, slide)
            if section is sections[-1] and slides:
                slides[-1] = replace(slides[-1], notes=slide.notes, notes_span=slide.notes_span)
            if section.level == level and stacks:
                stacks[-1] += slides
            elif slides:
                stacks.append(slides)
    built = tuple(Stack(tuple(slides), vertical=len(slides) > 1) for slides in stacks)
    return replace(deck, stacks=_with_contents(built, page, level))


class _Page:
    """How much fits on one slide of a deck, and how its text becomes slides."""

    def __init__(self, deck: Deck) -> None:
        self.deck = deck
        self.width = _pixels(deck.settings.reveal.get("width"), 960) * 0.96
        self.height = _pixels(deck.settings.reveal.get("height"), 700) * 0.9
        self.parser = create_parser()

    def sections(self, slide: Slide, level: int) -> list[Section]:
        """The sections of one slide as written."""
        lines = slide.markdown.split("\n")
        tokens, shelf = self._tokens(slide)
        starts = [
            (token.map[0], int(token.tag[1]), shelf.restore(inline.content))
            for token, inline in itertools.pairwise(tokens)
            if token.type == "heading_open" and token.map and int(token.tag[1]) <= level
            if token.level == 0
        ]
        atoms = [a for a in self._atoms(tokens, lines, shelf) if not _is_start(a, starts)]
        bounds = [(-1, 0, ""), *starts]
        sections = []
        for (line, depth, title), after in zip(
            bounds, [*[s[0] for s in starts], len(lines)], strict=True
        ):
            own = tuple(atom for atom in atoms if line <= atom.start < after)
            if depth or own:
                sections.append(Section(depth, title, max(line, 0), own))
        return sections

    def _tokens(self, slide: Slide) -> tuple[list[Token], Shelf]:
        shelf = Shelf()
        taker = FormulaTaker(shelf, slide.span, Problems(), expressions=False)
        tokens: list[Token] = []
        text = taker.take(Shelf.clean(slide.markdown))
        self.parser.block.parse(text, self.parser, {}, tokens)
        return tokens, shelf

    def _atoms(self, tokens: list[Token], lines: list[str], shelf: Shelf) -> list[Atom]:
        """Leaves of the block structure, each up to where the next one begins."""
        found: list[tuple[int, float, bool, str]] = []
        item_starts = {t.map[0] for t in tokens if t.type == "list_item_open" and t.map}
        headings = {t.map[0] for t in tokens if t.type == "heading_open" and t.map}
        table = -1
        for token in tokens:
            if token.type == "table_open" and token.map:
                table = token.map[1]
                rows = token.map[1] - token.map[0]
                found.append((token.map[0], rows * 52 + 20, token.level == 0, ""))
            leaf = token.type in ("inline", "fence", "code_block", "html_block", "hr")
            if not leaf or not token.map or token.map[0] < table:
                continue
            start = token.map[0]
            if found and found[-1][0] == start:
                continue
            breakable = token.level <= 1 or start in item_starts
            title = token.level == 1 and (start in headings or _is_title(token))
            kind = "heading" if title else token.type
            found.append((start, self._height(token, shelf), breakable, kind))
        ends = [start for start, *_ in found[1:]] + [len(lines)]
        atoms = [
            Atom(start, end, height, breakable, heading=kind == "heading")
            for (start, height, breakable, kind), end in zip(found, ends, strict=True)
        ]
        return [part for atom in atoms for part in self._cut(atom, lines)]

    def _cut(self, atom: Atom, lines: list[str]) -> Iterator[Atom]:
        """A paragraph too tall for a slide, cut at the ends of sentences; code, every few lines."""
        text = "\n".join(lines[atom.start : atom.end]).strip("\n")
        if fence := _FENCE.match(text):
            yield from _cut_code(atom, fence)
            return
        room = (self.height - HEADING_PX) * 0.8
        plain = not _IMAGE.search(text) and "$" not in text and not text.startswith((" ", "<", "`"))
        if atom.height <= room or not plain or not atom.breakable:
            yield atom
            return
        part = ""
        for sentence in _SENTENCE.split(text):
            if part and self._text_height(part + sentence, self.width) > room / 2:
                yield Atom(atom.start, atom.end, self._text_height(part, self.width), True, part)
                part = ""
            part += sentence
        yield Atom(atom.start, atom.end, self._text_height(part, self.width), True, part)

    def _height(self, token: Token, shelf: Shelf) -> float:
        """About how tall a leaf is, in pixels."""
        content = shelf.restore(token.content)
        if token.type in ("fence", "code_block"):
            return min(CODE_LINES, content.count("\n")) * CODE_LINE_PX + 40
        if token.type == "hr":
            return 30
        width = self.width - 44 * max(0, token.level - 1)
        images = len(_IMAGE.findall(content))
        height: float = images * IMAGE_PX
        for mark in re.finditer("\ufdd0(\\d+)\ufdd1", token.content):
            height += _formula_height(shelf.pieces[int(mark[1])])
        text = re.sub(r"<[^>]*>|!\[[^\]]*\]\([^)]*\)|\]\([^)]*\)", "", content)
        if text.strip():
            height += self._text_height(text, width)
        return height

    def _text_height(self, text: str, width: float) -> float:
        lines = 0
        for line in text.strip().split("\n"):
            units = sum(1.0 if is_cjk(char) else 0.56 for char in line)
            lines += max(1, math.ceil(units * FONT_PX / width))
        return lines * LINE_PX + 16

    def slides(self, section: Section, source: Slide) -> list[Slide]:
        """A section as slides, the heading on each."""
        chunks = self._chunks(section)
        lines = source.markdown.split("\n")
        head = f"{'#' * section.level} {section.title}" if section.level else ""
        slides = []
        for index, chunk in enumerate(chunks):
            number = f" ({index + 1}/{len(chunks)})" if index and head else ""
            body = _text(chunk, lines)
            text = f"{head}{number}\n\n{body}" if head else body
            line = chunk[0].start if chunk else section.line
            first = source.span.first + line - (2 if head else 0)
            span = Span(source.span.file, first, first + text.count("\n"))
            slides.append(Slide(text, span, flow=True))
        return slides

    def _chunks(self, section: Section) -> list[list[Atom]]:
        room = self.height - (HEADING_PX if section.level else 0)
        chunks: list[list[Atom]] = [[]]
        used = 0.0
        for atom in section.atoms:
            if chunks[-1] and atom.breakable and used + atom.height > room:
                chunks.append(_trailing_headings(chunks))
                used = sum(moved.height for moved in chunks[-1])
            chunks[-1].append(atom)
            used += atom.height
        return chunks


def _trailing_headings(chunks: list[list[Atom]]) -> list[Atom]:
    """Take the headings off the end of the last chunk, unless it holds nothing else."""
    last = chunks[-1]
    keep = len(last)
    while keep and last[keep - 1].heading:
        keep -= 1
    if keep == 0:
        return []
    moved = last[keep:]
    del last[keep:]
    return moved


def _cut_code(atom: Atom, fence: re.Match[str]) -> Iterator[Atom]:
    part: list[str] = []
    rows = 0
    code = fence["code"].split("\n")
    if sum(map(_rows, code)) <= CODE_LINES:
        yield atom
        return
    for number, line in enumerate(code):
        if part and rows + _rows(line) > CODE_LINES:
            yield _code_atom(atom, fence, part, number, rows)
            part, rows = [], 0
        part.append(line)
        rows += _rows(line)
    yield _code_atom(atom, fence, part, len(code), rows)


def _rows(line: str) -> int:
    """How many rows a line of code takes, wrapped."""
    units = sum(2 if is_cjk(char) else 1 for char in line.expandtabs(4))
    return max(1, math.ceil(units / CODE_COLUMNS))


def _code_atom(atom: Atom, fence: re.Match[str], part: list[str], after: int, rows: int) -> Atom:
    text = "\n".join([fence["open"], *part, fence["mark"]])
    start = atom.start + after - len(part)
    return Atom(start, atom.end, rows * CODE_LINE_PX + 40, True, text)


def _is_title(token: Token) -> bool:
    """Whether a paragraph of text without headings looks like one: a short line, no full stop."""
    text = token.content.strip()
    return (
        token.type == "inline"
        and len(text) <= 40
        and not re.search(r"[\n。！？；.!?;,，]|!\[|<", text)
    )


def _is_start(atom: Atom, starts: list[tuple[int, int, str]]) -> bool:
    return any(atom.start == line for line, _, _ in starts)


def _text(chunk: list[Atom], lines: list[str]) -> str:
    """The source of a chunk; items of an inner list that begin a slide move to the left."""
    parts = [
        atom.text if atom.text is not None else "\n".join(lines[atom.start : atom.end])
        for atom in chunk
    ]
    joined = "\n\n" if any(atom.text is not None for atom in chunk) else "\n"
    return textwrap.dedent(joined.join(parts))


def _formula_height(piece: Piece) -> float:
    if not piece.display:
        return 8
    rows = piece.content.count("\\\\") + 1
    tall = 30 if re.search(r"\\(?:d?frac|sum|int|prod)", piece.content) else 0
    return rows * (52 + tall) + 40


def _pixels(value: object, default: int) -> float:
    return float(value) if isinstance(value, (int, float)) else default


def _with_contents(stacks: tuple[Stack, ...], page: _Page, level: int) -> tuple[Stack, ...]:
    """`[TOC]` becomes links to the slides that begin with a heading."""
    at = next(
        (i for i, stack in enumerate(stacks) for s in stack.slides if _TOC.search(s.markdown)), None
    )
    if at is None:
        return stacks
    entries = _entries(stacks, level)
    rows = max(4, int((page.height - HEADING_PX) / 46)) * 2
    pages = [entries[i : i + rows] for i in range(0, len(entries), rows)]
    # The contents may take several slides, all in the stack they begin in: nothing else moves.
    slides: list[Slide] = []
    for slide in stacks[at].slides:
        if not _TOC.search(slide.markdown):
            slides.append(slide)
            continue
        for items in pages:
            text = '<div class="toc">\n\n' + "\n".join(items) + "\n\n</div>"
            slides.append(replace(slide, markdown=_TOC.sub(lambda m: text, slide.markdown)))  # noqa: B023
    changed = replace(stacks[at], slides=tuple(slides), vertical=len(slides) > 1)
    return (*stacks[:at], changed, *stacks[at + 1 :])


def _entries(stacks: tuple[Stack, ...], level: int) -> list[str]:
    """A line of Markdown for each heading that begins a stack, or a slide if there are few."""
    found: list[tuple[int, str]] = []
    for h, stack in enumerate(stacks):
        for v, slide in enumerate(stack.slides):
            match = re.match(r"(#{1,6}) (.*)", slide.markdown)
            if match and not re.search(r" \(\d+/\d+\)$", match[2]):
                place = f"#/{h}/{v}" if v else f"#/{h}"
                title = re.sub(r"[\[\]]", "", match[2]).strip()
                found.append((len(match[1]), f"- [{title}]({place})"))
    top = [entry for depth, entry in found if depth < level]
    return [entry for _, entry in found] if len(found) <= 24 or not top else top
