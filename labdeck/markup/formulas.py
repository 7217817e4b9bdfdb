"""Takes formulas and `{{ … }}` out of a slide before Markdown sees it (FORMAT F60, F64, §12)."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..errors import Problems, Where
from ..fences import find_fences
from ..model import Span
from .shelf import Piece, Shelf

_TOKEN = re.compile(
    r"(?P<comment><!--.*?(?:-->|\Z))"
    r"|(?P<raw><(?P<rawname>script|style|textarea|pre|noscript)\b[^>]*>.*?(?:</(?P=rawname)\s*>|\Z))"
    r"|(?P<tag></?[a-zA-Z][\w:-]*(?:\s+(?:[^<>\"'`]|\"[^\"]*\"|'[^']*')*)?/?>)"
    r"|(?P<code>`+)"
    r"|(?P<number>\{\{(?P<expression>(?:[^{}\n\"']|\"[^\"\n]*\"|'[^'\n]*'|\{[^{}\n]*\})*)\}\})"
    r"|(?P<paren>\\{1,2}\((?P<intex>(?:(?!\n[ \t>]*\n|\\\().)+?)\\{1,2}\))"
    r"|(?P<bracket>\\{1,2}\[(?P<distex>(?:(?!\n[ \t>]*\n).)+?)\\{1,2}\])"
    r"|(?P<env>\\begin\{(?P<envname>[a-zA-Z]+\*?)\}(?:(?!\n[ \t>]*\n).)*?\\end\{(?P=envname)\})"
    r"|(?P<escape>\\[!-/:-@\[-`{-~])"
    r"|(?P<display>\$\$(?P<dollars>(?:\\.|(?!\$\$).)+?)\$\$)"
    r"|(?P<inline>\$)",
    re.DOTALL,
)
_BACKTICK_MATH = re.compile(
    r"\A\s*(?:\$\$(?P<block>[^$]+)\$\$|\$(?P<line>[^$\s](?:[^$]*[^$\s])?)\$|\\\((?P<paren>.+)\\\))\s*\Z",
    re.DOTALL,
)
_BLANK_LINE = re.compile(r"\n[ \t>]*\n")
_PRICE = re.compile(r"\d[\d.,]*\s*[kKmMbB]?(?:[\s,;]+|-)[^\W\d_]{2,}")
# Between \( and \): an escaped bracket around words, not a formula.
_WORDS = re.compile(r"(?:[^\W_]|[\s,.;:'-])*(?:\d|[^\W\d_]{2})(?:[^\W_]|[\s,.;:'-])*")
# Environments that are formulas by themselves for MathJax 2.
_BARE = frozenset(
    [
        "equation",
        "equation*",
        "align",
        "align*",
        "gather",
        "gather*",
        "multline",
        "multline*",
        "eqnarray",
        "eqnarray*",
        "alignat",
        "alignat*",
        "flalign",
        "flalign*",
    ]
)
_ENTITY = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "nbsp": " "}
_DOUBLE = re.compile(r"\\\\\\\\|\\\\[{}_,;:!%#&|*]")


class FormulaTaker:
    """Reads one text and puts its formulas and expressions on the shelf.

    Args:
        shelf: where they go.
        span: where the text stands, for places.
        problems: gets warnings on formulas written for reveal-md's faults.
        expressions: whether `{{ … }}` is read (only in decks that declare demos).
    """

    def __init__(self, shelf: Shelf, span: Span, problems: Problems, expressions: bool) -> None:
        self.shelf = shelf
        self.span = span
        self.problems = problems
        self.expressions = expressions
        self.text = ""

    def take(self, text: str) -> str:
        """The text with marks where formulas and expressions were."""
        self.text = text
        if not any(sign in text for sign in ("$", "\\(", "\\[", "\\begin", "{{")):
            return text
        fences = find_fences(text)
        parts: list[str] = []
        last = position = 0
        while match := _TOKEN.search(text, position):
            fence = next((f for f in fences if f.start <= match.start() < f.end), None)
            if fence is not None:
                position = fence.end
                continue
            piece, end = self._read(match)
            position = max(end, match.start() + 1)
            if piece is not None:
                parts += [text[last : match.start()], self.shelf.put(piece)]
                last = end
        return "".join([*parts, text[last:]])

    def _read(self, match: re.Match[str]) -> tuple[Piece | None, int]:
        kind = next((name for name in _READERS if match[name] is not None), "")
        reader = _READERS.get(kind)
        return reader(self, match) if reader else (None, match.end())

    def _piece(self, start: int, end: int, tex: str, display: bool) -> Piece:
        where = self._where(start)
        return Piece("math", self.text[start:end], self._tex(tex, start), display, where)

    def _where(self, offset: int) -> Where:
        line = self.text.count("\n", 0, offset)
        return self.span.where(line, offset - (self.text.rfind("\n", 0, offset) + 1) + 1)

    def _delimited(self, match: re.Match[str]) -> tuple[Piece | None, int]:
        display = match["paren"] is None
        tex = match["intex"] or match["distex"] or match["dollars"] or ""
        if match["display"] is not None and _BLANK_LINE.search(tex) and not self._alone(match):
            return None, match.start() + 2
        escaped = (match["paren"] or match["bracket"] or "$$")[:2] in ("\\(", "\\[")
        empty = not tex.strip("\\ \t\n")
        if empty or (escaped and _WORDS.fullmatch(tex)):
            return None, match.start() + 2
        return self._piece(match.start(), match.end(), tex, display), match.end()

    def _alone(self, match: re.Match[str]) -> bool:
        """Whether both `$$` stand on lines of their own: then a blank line inside is harmless."""
        before = self.text[self.text.rfind("\n", 0, match.start()) + 1 : match.start()]
        inner = match["dollars"]
        return (
            not before.strip(" \t>") and inner.startswith("\n") and inner.rstrip(" \t>")[-1] == "\n"
        )

    def _environment(self, match: re.Match[str]) -> tuple[Piece | None, int]:
        if match["envname"] not in _BARE:
            return None, match.end()
        hint = "write $$ before and after it"
        message = f"\\begin{{{match['envname']}}} without $$ around it is read as a formula"
        self.problems.warn("math-bare-environment", message, self._where(match.start()), hint)
        return self._piece(match.start(), match.end(), match["env"], True), match.end()

    def _code(self, match: re.Match[str]) -> tuple[Piece | None, int]:
        """A code span is stepped over, unless it holds nothing but a formula (F64)."""
        ticks = match["code"]
        closing = re.compile(rf"(?<!`){ticks}(?!`)").search(self.text, match.end())
        if closing is None or _BLANK_LINE.search(self.text, match.end(), closing.start()):
            return None, match.end()
        inner = _BACKTICK_MATH.match(self.text[match.end() : closing.start()])
        if inner is None:
            return None, closing.end()
        hint = "write it without backticks; this page needs none"
        where = self._where(match.start())
        self.problems.warn("math-in-backticks", "a formula in backticks", where, hint)
        tex = inner["block"] or inner["line"] or inner["paren"]
        piece = self._piece(match.start(), closing.end(), tex, inner["block"] is not None)
        return piece, closing.end()

    def _number(self, match: re.Match[str]) -> tuple[Piece | None, int]:
        if not self.expressions:
            return None, match.start() + 2
        where = self._where(match.start())
        piece = Piece("number", match[0], match["expression"].strip(), where=where)
        return piece, match.end()

    def _dollar(self, match: re.Match[str]) -> tuple[Piece | None, int]:
        start = match.start()
        end = self._closing_dollar(start + 1)
        if end is None:
            return None, start + 1
        tex = self.text[start + 1 : end]
        if self._is_price(tex, self.text[end + 1 : end + 2]):
            hint = "write \\$ for a dollar sign"
            message = "two dollar signs that look like prices are left as text"
            self.problems.warn("math-looks-like-price", message, self._where(start), hint)
            return None, start + 1
        return self._piece(start, end + 1, tex, False), end + 1

    def _closing_dollar(self, position: int) -> int | None:
        """The next `$` outside braces and escapes, before a blank line.

        Braces that do not pair hide it; what is TeX all the same is then an error with a place.
        """
        depth = 0
        index = position
        limit = _BLANK_LINE.search(self.text, position)
        stop = limit.start() if limit else len(self.text)
        while index < stop:
            char = self.text[index]
            if char == "\\":
                index += 1
            elif char == "$" and depth <= 0:
                return index if self.text[position:index].strip() else None
            elif char in "{}":
                depth += 1 if char == "{" else -1
            index += 1
        unpaired = re.compile(r"[^$\n]*\\[a-zA-Z]+[^$\n]*(?=\$)").match(self.text, position, stop)
        return unpaired.end() if unpaired else None

    @staticmethod
    def _is_price(tex: str, following: str) -> bool:
        if following.isdigit():
            return True
        if tex[-1].isspace() and not tex[0].isspace() and following.isalnum():
            return True
        return bool(_PRICE.match(tex)) and not re.search(r"[\\^_={}]", tex)

    def _tex(self, tex: str, start: int) -> str:
        """TeX as its author saw it: quote marks off, entities decoded, doubled escapes undone."""
        if "\n" in tex:
            tex = self._without_quote_marks(tex, start)
        if "&" in tex and re.search(r"&(?:lt|gt|amp|quot|nbsp);", tex):
            hint = "write < > and & as they are"
            message = "an entity inside a formula is decoded"
            self.problems.warn("entity-in-math", message, self._where(start), hint)
            tex = re.sub(r"&(lt|gt|amp|quot|nbsp);", lambda m: _ENTITY[m[1]], tex)
        if _DOUBLE.search(tex):
            hint = "one backslash less is enough here"
            message = "backslashes doubled for reveal-md are read as single ones"
            self.problems.warn("math-double-escaped", message, self._where(start), hint)
            tex = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", tex)
        elif re.search(r"(?<!\\)\\[_*]", tex) and "\\text" not in tex:
            tex = re.sub(r"(?<!\\)\\([_*])", r"\1", tex)
        # Inside a formula these mean nothing to TeX, and plain brackets to reveal-md.
        return re.sub(r"(?<!\\)\\([()\[\]])", r"\1", tex)

    def _without_quote_marks(self, tex: str, start: int) -> str:
        line = self.text[self.text.rfind("\n", 0, start) + 1 : start]
        depth = line.count(">") if re.fullmatch(r"[ \t>]*>[ \t>]*", line) else 0
        if depth == 0:
            return tex
        return re.sub(rf"\n(?:[ \t]*>){{0,{depth}}}", "\n", tex)


_Reader = Callable[[FormulaTaker, "re.Match[str]"], "tuple[Piece | None, int]"]
_READERS: dict[str, _Reader] = {
    "code": FormulaTaker._code,
    "number": FormulaTaker._number,
    "paren": FormulaTaker._delimited,
    "bracket": FormulaTaker._delimited,
    "env": FormulaTaker._environment,
    "display": FormulaTaker._delimited,
    "inline": FormulaTaker._dollar,
}
