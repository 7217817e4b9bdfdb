"""Code blocks: highlighted at build time, with reveal.js' line numbers and steps (FORMAT §6)."""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass

from ..tags import Tag, render_attributes, scan
from ..typeset import Typesetter

_BRACKETS = re.compile(r"\[\s*((\d*):)?\s*([\s\d,|-]*)\]")
_SPAN = re.compile(r"<(/?)span[^>]*>")


@dataclass(frozen=True)
class Info:
    """A fence's info string: `py [10: 1|3-4]`.

    Args:
        language: as written, "" if absent.
        numbers: the steps, "" for line numbers alone, None without them.
        start: number of the first line, None for 1.
        rest: words that mean nothing here; reveal-md puts them into the class.
    """

    language: str
    numbers: str | None = None
    start: str | None = None
    rest: tuple[str, ...] = ()


def read_info(info: str) -> Info:
    """Read an info string as reveal.js does."""
    match = _BRACKETS.search(info)
    words = (info[: match.start()] + " " + info[match.end() :] if match else info).split()
    numbers = start = None
    if match:
        numbers, start = match[3].strip(), match[2] or None
    plain = bool(words) and re.fullmatch(r"[A-Za-z0-9+#_.:/-]+", words[0]) is not None
    language = words[0] if plain else ""
    return Info(language, numbers, start, tuple(words[1:] if plain else words))


def draw_code(code: str, info: Info, typesetter: Typesetter) -> str:
    """Highlighted code for a `<pre>`; each further step is a `<code class="fragment">` on top."""
    language = info.language.lower()
    attributes: dict[str, str] = {}
    if info.start is not None:
        attributes["data-ln-start-from"] = info.start
    classes = " ".join([*([language] if language else []), *info.rest, "hljs"])
    highlighted = typesetter.code(code.rstrip("\n"), language)
    return _codes(highlighted, classes, attributes, info.numbers)


def _codes(highlighted: str, classes: str, attributes: dict[str, str], numbers: str | None) -> str:
    if numbers is None:
        names = html.escape(classes)
        return f'<code class="{names}"{render_attributes(attributes)}>{highlighted}</code>'
    lines = split_lines(highlighted)
    first = int(attributes.get("data-ln-start-from") or 1)
    drawn = []
    for index, step in enumerate(numbers.split("|")):
        shown = highlighted_lines(step, len(lines))
        names = classes + (" has-highlights" if shown else "") + (" fragment" if index else "")
        own = {**attributes, "data-line-numbers": re.sub(r"\s", "", step)}
        table = _table(lines, shown, first)
        drawn.append(f'<code class="{html.escape(names)}"{render_attributes(own)}>{table}</code>')
    return "".join(drawn)


def _table(lines: list[str], shown: set[int], first: int) -> str:
    rows = []
    for index, line in enumerate(lines):
        mark = ' class="highlight-line"' if index + 1 in shown else ""
        rows.append(
            f'<tr{mark}><td class="hljs-ln-line hljs-ln-numbers"'
            f' data-line-number="{first + index}"></td>'
            f'<td class="hljs-ln-line hljs-ln-code">{line or " "}</td></tr>'
        )
    return f'<table class="hljs-ln"><tbody>{"".join(rows)}</tbody></table>'


def highlighted_lines(step: str, count: int) -> set[int]:
    """The lines (from 1) that a step such as `1,3-5` lights up."""
    shown: set[int] = set()
    for part in step.replace(" ", "").split(","):
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", part)
        if match:
            shown.update(range(int(match[1]), min(int(match[2] or match[1]), count) + 1))
    return {line for line in shown if 1 <= line <= count}


def split_lines(highlighted: str) -> list[str]:
    """Highlighted HTML by lines, with spans that cross a line end closed and opened again."""
    lines: list[str] = []
    open_spans: list[str] = []
    for line in highlighted.split("\n"):
        prefix = "".join(open_spans)
        for match in _SPAN.finditer(line):
            if match[1]:
                open_spans.pop()
            else:
                open_spans.append(match[0])
        lines.append(prefix + line + "</span>" * len(open_spans))
    return lines


def highlight_html(text: str, typesetter: Typesetter, keep: Callable[[str], str]) -> str:
    """Highlight `<pre><code>` that authors wrote as HTML, unless it says `data-noescape`."""
    if "<pre" not in text:
        return text
    parts: list[str] = []
    last = 0
    tags = list(scan(text))
    for before, tag in itertools.pairwise(tags):
        if not (tag.kind == before.kind == "open" and tag.name == "code" and before.name == "pre"):
            continue
        end = next(
            (t for t in tags if t.start > tag.start and t.kind == "close" and t.name == "code"),
            None,
        )
        if (
            end is None
            or text[before.end : tag.start].strip()
            or "hljs" in tag.attributes.get("class", "")
        ):
            continue
        parts += [text[last : tag.start], _redraw(tag, keep(text[tag.end : end.start]), typesetter)]
        last = end.end
    return "".join([*parts, text[last:]])


def _redraw(tag: Tag, source: str, typesetter: Typesetter) -> str:
    attributes = tag.attributes
    names = attributes.pop("class", "").split()
    numbers = attributes.pop("data-line-numbers", None)
    if "data-trim" in attributes:
        source = _trim(source)
    language = next((n for n in names if not n.startswith("fragment")), "")
    language = re.sub(r"^lang(uage)?-", "", language).lower()
    code = html.unescape(source) if "data-noescape" not in attributes else source
    if "<" in code and re.search(r"</?(?:mark|span|b|em|strong|u)\b", code):
        highlighted = source  # marked up by hand
    else:
        highlighted = typesetter.code(code.rstrip("\n"), language)
    return _codes(highlighted, " ".join([*names, "hljs"]), attributes, numbers)


def _trim(source: str) -> str:
    """Blank lines around and common indentation off, as reveal.js does for data-trim."""
    lines = source.replace("\t", "    ").split("\n")
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    indent = min((len(s) - len(s.lstrip()) for s in lines if s.strip()), default=0)
    return "\n".join(line[indent:] for line in lines)
