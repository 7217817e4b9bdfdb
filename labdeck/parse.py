"""Text -> Deck: front matter off, slides apart, notes off. Pure; the rules of FORMAT §1–§4."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .errors import DeckError, Problems, Where
from .fences import Fence, find_fences
from .model import Deck, Settings, Slide, Span, Stack
from .settings import KEYS
from .yamlish import Document, read_json, read_yaml

# As yaml-front-matter 4.1.1 has it: the closing fence is a prefix of its line; `...` is none.
_FRONT = re.compile(r"---\n(?P<body>[\w\W]+?)\n---")
_NOTES = r"^s*notes?:"  # as reveal.js has it: `\s` in a plain JavaScript string is `s`
_INDENTED_NOTES = re.compile(r"^[ \t]+notes?:", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Source:
    """A deck's text with the front matter taken off; `body` begins on line `first_line`."""

    name: str
    front: Document
    body: str
    first_line: int


def read_source(text: str, name: str, problems: Problems) -> Source:
    """Take the front matter off. Errors carry the line of the file."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DeckError("a NUL byte: this is no text file", Where(name, line))
    match = _FRONT.match(text)
    if match is None or not match["body"].strip():
        if text.startswith("---\n") and re.match(r"---\n(?:[\w-]+:.*\n)+", text):
            hint = "close the front matter with a line of three dashes"
            problems.warn(
                "front-matter-not-closed", "front matter is not closed", Where(name, 1), hint
            )
        return _source(name, Document(), text, 1)
    body, rest = match["body"], text[match.end() :]
    read = read_json if body.lstrip().startswith("{") else read_yaml
    front = read(body, name, 2, "front matter")
    _check_repeated(front, problems)
    closing = match[0].count("\n") + 1
    if rest and not rest.startswith("\n"):
        problems.warn(
            "front-matter-close-prefix",
            "the line that closes the front matter goes on; what follows --- is content",
            Where(name, closing, 4),
            "let the closing line be exactly ---",
        )
    return _source(name, front, rest, closing)


def _check_repeated(front: Document, problems: Problems) -> None:
    """A key given twice is an error, unless only other tools read it (blogs repeat some)."""
    for path, error in front.repeated.items():
        if path[0] in KEYS or len(path) > 1:
            raise error
        hint = "keep one of the two"
        problems.warn("repeated-key", f"{error.message}; the last one counts", error.where, hint)


def _source(name: str, front: Document, body: str, line: int) -> Source:
    """The body as reveal.js sees it, between newlines: a separator may be its first line."""
    if not body.startswith("\n"):
        body, line = "\n" + body, line - 1
    return Source(name, front, body if body.endswith("\n") else body + "\n", line)


def parse_deck(source: Source, path: Path, settings: Settings, problems: Problems) -> Deck:
    """Split the body into stacks of slides, and each slide into text and notes."""
    splitter = _Splitter(source, settings, problems)
    return Deck(path, source.name, settings, splitter.stacks(), source.front.places)


def javascript_regex(pattern: str, what: str, flags: int = 0) -> re.Pattern[str]:
    """A JavaScript regular expression as Python's; line ends are already plain newlines."""
    python = pattern.replace(r"\r\n", r"\r?\n").replace(r"\r??\n", r"\r?\n").replace("\r\n", "\n")
    python = re.sub(r"\(\?<(?![=!])", "(?P<", python)
    try:
        return re.compile(python, flags)
    except re.error as error:
        raise DeckError(
            f"`{what}` is no regular expression: {error}",
            hint=f"it reads {pattern!r}; put a \\ before characters such as ( [ * + ?",
            code="separator",
        ) from error


@dataclass(frozen=True)
class _Piece:
    """Text between two separators: its offsets in the body."""

    start: int
    end: int


class _Splitter:
    def __init__(self, source: Source, settings: Settings, problems: Problems) -> None:
        self.source = source
        self.body = source.body
        self.settings = settings
        self.problems = problems
        self.horizontal = self._regex("separator", settings.separator)
        both = f"{settings.separator}|{settings.vertical_separator}"
        self.either = self._regex("verticalSeparator", both, re.MULTILINE)
        self.notes = self._notes_regex()
        self.fences = find_fences(self.body, self._breaks())

    def _regex(self, key: str, pattern: str, flags: int = 0) -> re.Pattern[str]:
        where = self.source.front.where(key) or Where(self.source.name, 1)
        try:
            return javascript_regex(pattern, key, flags)
        except DeckError as error:
            raise error.at(where) from error

    def _notes_regex(self) -> re.Pattern[str]:
        flags = re.MULTILINE | re.IGNORECASE
        return self._regex("notesSeparator", self.settings.notes_separator or _NOTES, flags)

    def _breaks(self) -> Callable[[str], bool]:
        return lambda line: self.either.search(f"\n{line.rstrip()}\n") is not None

    def line(self, offset: int) -> int:
        """The line of the file at an offset of the body."""
        return self.source.first_line + self.body.count("\n", 0, offset)

    def where(self, offset: int) -> Where:
        start = self.body.rfind("\n", 0, offset) + 1
        return Where(self.source.name, self.line(offset), offset - start + 1)

    def stacks(self) -> tuple[Stack, ...]:
        """reveal.js' slidify: the slide before a first vertical separator opens the stack."""
        stacks: list[list[_Piece]] = []
        vertical: list[bool] = []
        last, was_horizontal = 0, True
        for start, end, is_horizontal in self._separators():
            if not is_horizontal and was_horizontal:
                stacks.append([])
                vertical.append(True)
            elif is_horizontal and was_horizontal:
                stacks.append([])
                vertical.append(False)
            stacks[-1].append(_Piece(last, start))
            last, was_horizontal = end, is_horizontal
        if was_horizontal:
            stacks.append([])
            vertical.append(False)
        stacks[-1].append(_Piece(last, len(self.body)))
        built = [tuple(self._slide(piece) for piece in pieces) for pieces in stacks]
        return tuple(Stack(slides, flag) for slides, flag in zip(built, vertical, strict=True))

    def _separators(self) -> list[tuple[int, int, bool]]:
        found: list[tuple[int, int, bool]] = []
        position = 0
        while position <= len(self.body) and (match := self.either.search(self.body, position)):
            start, end = match.span()
            position = end
            if start == end:  # an empty match separates nothing and must not loop
                position += 1
                continue
            fence = self._fence_around(start, end)
            if fence is not None:
                self._warn_in_fence(start, match[0])
                position = max(end, min(fence.end, len(self.body)))
                continue
            found.append((start, end, self.horizontal.search(match[0]) is not None))
            self._warn_about(match, found[-1][2])
        return found

    def _fence_around(self, start: int, end: int) -> Fence | None:
        """The closed fence a separator lies in; its own newlines may touch the fence's lines."""
        text = self.body[start:end]
        inner = start + len(text) - len(text.lstrip("\n"))
        return next((f for f in self.fences if f.start < inner < f.end), None)

    def _warn_in_fence(self, offset: int, text: str) -> None:
        self.problems.warn(
            "separator-in-fence",
            f"{text.strip()!r} inside a code block separates slides in reveal-md, but not here",
            self.where(offset + len(text) - len(text.lstrip())),
            "nothing to do unless the deck must also open in reveal-md",
        )

    def _warn_about(self, match: re.Match[str], is_horizontal: bool) -> None:
        start, text = match.start(), match[0]
        at = self.where(start + len(text) - len(text.lstrip("\n")))
        vertical = javascript_regex(self.settings.vertical_separator, "verticalSeparator")
        rest = self.body[match.end() : match.end() + 8]
        whole = vertical.search(text + rest) if is_horizontal else None
        if whole and whole.start() == 0 and whole.end() > len(text):
            hint = "anchor it: separator: ^---$ and verticalSeparator: ^----$"
            message = "`separator` matches inside `verticalSeparator`, so this makes no stack"
            self.problems.warn("vertical-separator-swallowed", message, at, hint)
        before = self.body[self.body.rfind("\n", 0, start) + 1 : start]
        if not text.startswith("\n") and before.count("`") % 2 == 1:
            hint = "write the separator otherwise here, e.g. with &lt; for <"
            message = "a separator inside inline code separates slides"
            self.problems.warn("separator-in-code", message, at, hint)
        opened = self.body.rfind("<!--", 0, start)
        if opened > self.body.rfind("-->", 0, start) and "<!--" not in text:
            message = "a separator inside an HTML comment separates slides"
            hint = "take the line out of the comment, or indent it"
            self.problems.warn("separator-in-comment", message, at, hint)
        if is_horizontal and rest.startswith("---\n"):
            message = "two separators on adjacent lines separate once; the second is a rule"
            hint = "put a blank line between them for an empty slide"
            self.problems.warn("separator-adjacent", message, at, hint)

    def _slide(self, piece: _Piece) -> Slide:
        text = self.body[piece.start : piece.end]
        first = self.line(piece.start)
        span = Span(self.source.name, first, self.line(piece.end))
        if not text.strip() and self.body.strip():
            hint = "remove one of the separators around it if it is not meant to be there"
            self.problems.warn("empty-slide", "an empty slide", span.where(), hint)
        self._warn_trailing_space(text, span)
        matches = self._notes_matches(text)
        if len(matches) != 1:
            self._warn_about_notes(text, len(matches), span)
            return Slide(text, span)
        match = matches[0]
        notes = text[match.end() :]
        offset = text.count("\n", 0, match.end())
        notes_span = Span(self.source.name, first + offset, span.last)
        return Slide(text[: match.start()], span, notes, notes_span)

    def _notes_matches(self, text: str) -> list[re.Match[str]]:
        fences = find_fences(text)
        return [
            match
            for match in self.notes.finditer(text)
            if match[0] and not any(f.start < match.start() < f.end for f in fences)
        ]

    def _warn_about_notes(self, text: str, count: int, span: Span) -> None:
        if count > 1:
            message = f"{count} lines begin notes, so this slide has none and all stay visible"
            self.problems.warn(
                "notes-twice", message, span.where(), "keep one `Note:` line a slide"
            )
        elif match := _INDENTED_NOTES.search(text):
            where = span.where(text.count("\n", 0, match.start()))
            hint = "begin the line with `Note:`, without spaces before it"
            self.problems.warn(
                "indented-note", "an indented note is shown on the slide", where, hint
            )

    def _warn_trailing_space(self, text: str, span: Span) -> None:
        if self.settings.separator != Settings.separator:
            return
        for number, line in enumerate(text.split("\n")):
            if re.match(r" {0,3}-{3,4}[ \t]+\Z", line) or re.match(r" {1,3}-{3,4}\Z", line):
                side = "trailing" if line[0] == "-" else "leading"
                message = "a line of dashes with spaces is a rule, it does not separate slides"
                where = span.where(number)
                hint = "take the spaces out if it should"
                self.problems.warn(f"separator-{side}-space", message, where, hint)
