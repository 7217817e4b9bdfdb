"""`<!-- .slide: … -->` and `<!-- .element: … -->`: for slides and elements (FORMAT §5)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from ..tags import VOID, OpenElements, Tag, scan, with_attributes

_SLIDE = re.compile(r"\.slide:\s*?(\S.+?)$", re.MULTILINE)
_ELEMENT = re.compile(r"\.element\s*?(.+?)$", re.MULTILINE)
_ATTRIBUTE = re.compile(r"([^\"= ]+?)=\"([^\"]+?)\"|(data-[^\"= ]+?)(?=[\" ])")
_LEFT_OVER = re.compile(
    r"(?P<single>[\w-]+='[^']*')|(?P<empty>[\w-]+=\"\")|(?P<unquoted>[\w-]+=[^\"'\s]+)"
    r"|(?P<tight>\bdata-[\w-]+\Z)|(?P<flag>(?<![\w.:-])[a-z][\w-]*(?![\w-]*=))"
)
_REMEDY = {
    "single": ("attribute-single-quotes", 'use double quotes: name="value"'),
    "empty": ("attribute-empty-value", "an empty value is ignored; leave the attribute out"),
    "unquoted": ("attribute-unquoted", 'put the value in double quotes: name="value"'),
    "tight": ("attribute-flag-tight", "put a space before -->"),
    "flag": ("attribute-plain-flag", "only flags that begin with data- are read"),
}
Warn = Callable[[str, str, str, str], None]  # code, message, hint, the comment's text


@dataclass
class _Target:
    """An element whose start tag may get attributes."""

    tag: Tag
    changes: dict[str, str] = field(default_factory=dict)


@dataclass
class _Level:
    """An open element while comments are sought: what a comment inside it would address."""

    target: _Target | None
    last: _Target | None = None  # nearest element before, among the children


def apply_comments(html: str, warn: Warn) -> tuple[str, dict[str, str]]:
    """HTML with the attributes of its comments set, and those of its slide.

    A comment addresses the nearest element before it among its siblings, else the one around it,
    and at the top of a slide the slide itself.
    """
    if "<!--" not in html:
        return html, {}
    finder = _Finder(warn)
    for tag in scan(html):
        finder.see(tag)
    parts: list[str] = []
    last = 0
    edits = [(t.tag, with_attributes(t.tag, t.changes)) for t in finder.targets if t.changes]
    edits += [(tag, "") for tag in finder.spent]
    for tag, new in sorted(edits, key=lambda edit: edit[0].start):
        parts += [html[last : tag.start], new]
        last = tag.end
    return "".join([*parts, html[last:]]), finder.slide


class _Finder:
    def __init__(self, warn: Warn) -> None:
        self.warn = warn
        self.slide: dict[str, str] = {}
        self.targets: list[_Target] = []
        self.spent: list[Tag] = []
        self.open = OpenElements()
        self.levels: dict[int, _Level] = {}
        self.top = _Level(None)

    def see(self, tag: Tag) -> None:
        if tag.kind == "comment":
            self._comment(tag)
        elif tag.kind == "close":
            self.open.pop(tag.name)
        else:
            self._element(tag)

    def _level(self) -> _Level:
        return self.levels[self.open.stack[-1].start] if self.open.stack else self.top

    def _element(self, tag: Tag) -> None:
        target = _Target(tag)
        self.targets.append(target)
        self.open.push(tag)
        self.open.stack.pop()
        if tag.name != "br":
            self._level().last = target
        if tag.name not in VOID and not tag.rest.rstrip().endswith("/"):
            self.open.stack.append(tag)
            self.levels[tag.start] = _Level(target)

    def _comment(self, tag: Tag) -> None:
        element = _ELEMENT.search(tag.rest)
        slide = None if element else _SLIDE.search(tag.rest)
        if element:
            level = self._level()
            target = level.last or level.target
            changes = self._attributes(element, tag)
            (target.changes if target else self.slide).update(changes)
            self.spent.append(tag)
        elif slide:
            self.slide.update(self._attributes(slide, tag))
            self.spent.append(tag)
        elif re.match(r"\s*\.slide\b", tag.rest):
            hint = "write <!-- .slide: … -->"
            message = "a .slide comment without a colon is not read"
            self.warn("slide-comment-without-colon", message, hint, tag.rest)

    def _attributes(self, match: re.Match[str], tag: Tag) -> dict[str, str]:
        text = match[1]
        found: dict[str, str] = {}
        for attribute in _ATTRIBUTE.finditer(text + ("" if match.end() == len(tag.rest) else " ")):
            name = attribute[1] or attribute[3]
            if re.match(r"[^\s\"'<>/=\x00]+\Z", name):
                found[name] = attribute[2] or ""
        self._complain(_ATTRIBUTE.sub("", text), tag)
        if tag.rest[match.end() :].strip():
            message = "attributes on a second line of a comment are not read"
            hint = "write all of them on the line of .slide or .element"
            self.warn("attributes-on-second-line", message, hint, tag.rest)
        return found

    def _complain(self, rest: str, tag: Tag) -> None:
        for left in _LEFT_OVER.finditer(rest.lstrip(": ")):
            code, hint = _REMEDY[left.lastgroup or "flag"]
            self.warn(code, f"`{left[0]}` is not read", hint, tag.rest)


def derive_background(attributes: dict[str, str]) -> dict[str, str]:
    """reveal.js' shorthand: a `data-background` that looks like an image is one (F46)."""
    value = attributes.get("data-background", "")
    image = re.search(
        r"\A(?:https?|file)://|\A//|\.(?:svg|png|jpe?g|gif|bmp|webp)(?:[?#\s]|\Z)", value, re.I
    )
    if image and "data-background-image" not in attributes:
        return {**attributes, "data-background-image": value}
    return attributes
