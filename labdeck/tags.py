"""HTML as a run of tags: find them, read and change their attributes, leave the rest as it is."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    ]
)
RAW_TEXT = frozenset(["script", "style", "textarea", "title", "xmp", "noembed", "noframes"])
FORMATTING = frozenset(
    [
        "a",
        "b",
        "big",
        "code",
        "em",
        "font",
        "i",
        "nobr",
        "s",
        "small",
        "strike",
        "strong",
        "tt",
        "u",
    ]
)
AROUND = frozenset(("section", "div", "body", "html"))  # what a page has around a slide
HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
# Opening one of these closes an open <p>, as in the HTML standard.
CLOSES_P = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "center",
        "details",
        "dialog",
        "dir",
        "div",
        "dl",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hgroup",
        "hr",
        "main",
        "menu",
        "nav",
        "ol",
        "p",
        "pre",
        "search",
        "section",
        "summary",
        "table",
        "ul",
    ]
)
# Opening a key closes an open element of the value, unless one of the barriers lies between.
CLOSES = {
    "li": ("li",),
    "dt": ("dt", "dd"),
    "dd": ("dt", "dd"),
    "tr": ("tr", "td", "th"),
    "td": ("td", "th"),
    "th": ("td", "th"),
    "tbody": ("thead", "tbody", "tfoot", "tr", "td", "th"),
    "tfoot": ("thead", "tbody", "tr", "td", "th"),
    "option": ("option",),
}
BARRIERS = frozenset(
    ["ul", "ol", "dl", "table", "section", "div", "select", "template", "button", "object"]
)

_TOKEN = re.compile(
    r"<!--(?P<comment>.*?)(?:-->|\Z)"
    r"|<(?P<close>/?)(?P<name>[a-zA-Z][^\s/>]*)(?P<rest>(?:[^>\"']|\"[^\"]*\"|'[^']*')*)>",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(
    r"(?P<name>[^\s\"'<>/=]+)(?:\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'"
    r"|(?P<bare>[^\s\"'=<>`]+)))?"
)


@dataclass(frozen=True)
class Tag:
    """A tag or comment at `start:end` of its text; `rest` is what stands after the name."""

    kind: Literal["open", "close", "comment"]
    name: str
    start: int
    end: int
    rest: str

    @property
    def attributes(self) -> dict[str, str]:
        """Attribute values by lower-case name, entities decoded; the first of two equal names."""
        found: dict[str, str] = {}
        for match in _ATTRIBUTE.finditer(self.rest):
            value = match["double"] or match["single"] or match["bare"] or ""
            found.setdefault(match["name"].lower(), html.unescape(value))
        return found


def scan(text: str) -> Iterator[Tag]:
    """Every tag and comment of `text`; nothing inside script, style and textarea."""
    position = 0
    while match := _TOKEN.search(text, position):
        position = match.end()
        if match["comment"] is not None:
            yield Tag("comment", "", match.start(), position, match["comment"])
            continue
        name = match["name"].lower()
        kind: Literal["open", "close"] = "close" if match["close"] else "open"
        yield Tag(kind, name, match.start(), position, match["rest"])
        if kind == "open" and name in RAW_TEXT:
            position = _raw_end(text, Tag(kind, name, match.start(), position, ""))


def render_attributes(attributes: Mapping[str, str]) -> str:
    """Attributes for a start tag, with a leading space each."""
    return "".join(
        f' {name}="{html.escape(value, quote=True)}"' if value != "" else f' {name}=""'
        for name, value in attributes.items()
    )


def with_attributes(tag: Tag, changes: Mapping[str, str]) -> str:
    """The start tag again, with some attributes set and the others as written."""
    kept = _ATTRIBUTE.sub(lambda m: "" if m["name"].lower() in changes else m[0], tag.rest)
    slash = "/" if kept.rstrip().endswith("/") else ""
    kept = re.sub(r"\s+", " ", kept.rstrip().rstrip("/")).rstrip() if changes else kept
    return f"<{tag.name}{kept}{render_attributes(changes)}{' /' if slash else ''}>"


def rewrite(text: str, change: Callable[[Tag], str | None]) -> str:
    """`text` with the start tags and comments for which `change` returns another text."""
    parts: list[str] = []
    last = 0
    for tag in scan(text):
        if tag.kind == "close":
            continue
        new = change(tag)
        if new is not None:
            parts += [text[last : tag.start], new]
            last = tag.end
    return "".join([*parts, text[last:]]) if parts else text


def contain(text: str) -> str:
    """HTML that can neither end nor swallow what stands around it, as a browser's innerHTML does.

    Comments and elements left open are closed, end tags that would end the page's own elements are
    dropped, and a `<` that begins no tag becomes text. Formatting elements are counted apart: a
    browser opens them again after a block that closed them.
    """
    opened = OpenElements()
    formatting: Counter[str] = Counter()
    parts: list[str] = []
    last = 0
    for tag in scan(text):
        parts.append(_no_markup(text[last : tag.start]))
        last = tag.end
        shown = text[tag.start : tag.end]
        if tag.kind == "comment":
            shown = shown if shown.endswith("-->") else shown + "-->"
        elif tag.kind == "close":
            shown = shown if opened.pop(tag.name) or tag.name not in AROUND else ""
            formatting[tag.name] -= formatting[tag.name] > 0
        else:
            opened.push(tag)
            formatting[tag.name] += tag.name in FORMATTING
            if tag.name in VOID or tag.rest.rstrip().endswith("/"):
                opened.stack.pop()
            elif tag.name in RAW_TEXT:
                end = _raw_end(text, tag)
                shown += text[tag.end : end]
                last = end
        parts.append(shown)
    names = [*formatting.elements()]
    names += [tag.name for tag in reversed(opened.stack) if tag.name not in FORMATTING]
    return "".join(parts) + _no_markup(text[last:]) + "".join(f"</{name}>" for name in names)


def _raw_end(text: str, tag: Tag) -> int:
    """Where the text of a script, style or textarea ends."""
    found = re.compile(rf"</{tag.name}\b", re.IGNORECASE).search(text, tag.end)
    return found.start() if found else len(text)


def _no_markup(text: str) -> str:
    return re.sub(r"<(?=[a-zA-Z/!?])", "&lt;", text) if "<" in text else text


class OpenElements:
    """The open elements while tags go by, as an HTML parser would keep them."""

    def __init__(self) -> None:
        self.stack: list[Tag] = []

    def push(self, tag: Tag) -> None:
        """Open an element, after closing those that its start tag closes."""
        if tag.name in CLOSES_P:
            self._close_until("p", BARRIERS | {"li", "td", "th", "button"})
        if tag.name in HEADINGS and self.stack and self.stack[-1].name in HEADINGS:
            self.stack.pop()
        for closed in CLOSES.get(tag.name, ()):
            self._close_until(closed, BARRIERS - {"table"} if tag.name == "tbody" else BARRIERS)
        self.stack.append(tag)

    def pop(self, name: str) -> bool:
        """Close the nearest open element of that name; False if there is none."""
        return self._close_until(name, frozenset())

    def _close_until(self, name: str, barriers: frozenset[str] | set[str]) -> bool:
        for index in range(len(self.stack) - 1, -1, -1):
            if self.stack[index].name == name:
                del self.stack[index:]
                return True
            if self.stack[index].name in barriers:
                return False
        return False
