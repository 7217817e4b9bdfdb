"""Tree processors: heading ids as reveal.js 5.1 gave them, and list items as fragments."""

from __future__ import annotations

import html
import re
import xml.etree.ElementTree as etree
from collections.abc import Callable

from markdown import Markdown
from markdown.treeprocessors import Treeprocessor

_HEADING = re.compile(r"h[1-6]\Z")
_ASCII_PUNCTUATION = re.compile(
    "[\u2000-\u206f\u2e00-\u2e7f\\\\'!\"#$%&()*+,./:;<=>?@\\[\\]^`{|}~]"
)


def slug(text: str) -> str:
    """marked 4's id of a heading: lower case, tags and ASCII punctuation off, spaces to hyphens."""
    text = re.sub(r"<[!/a-z].*?>", "", text.lower().strip(), flags=re.IGNORECASE)
    return re.sub(r"\s", "-", _ASCII_PUNCTUATION.sub("", text))


class HeadingIds(Treeprocessor):
    """Gives headings ids; `plain` turns marks into text, `used` counts the deck's ids so far."""

    def __init__(self, md: Markdown, plain: Callable[[str], str], used: dict[str, int]) -> None:
        super().__init__(md)
        self.plain = plain
        self.used = used

    def run(self, root: etree.Element) -> None:
        for element in root.iter():
            if (
                isinstance(element.tag, str)
                and _HEADING.match(element.tag)
                and not element.get("id")
            ):
                text = "".join(str(part) for part in element.itertext())
                base = slug(self.plain(html.unescape(text)))
                element.set("id", self._unused(base))

    def _unused(self, base: str) -> str:
        name = base
        while name in self.used:
            self.used[base] += 1
            name = f"{base}-{self.used[base]}"
        self.used[name] = 0
        return name


class AnimateLists(Treeprocessor):
    """Makes every list item a fragment (reveal's `markdown.animateLists`)."""

    def run(self, root: etree.Element) -> None:
        for item in root.iter("li"):
            item.set("class", "fragment")


def curl(text: str) -> str:
    """Typographic quotes, dashes and dots (reveal's `markdown.smartypants`)."""
    text = text.replace("---", "—").replace("--", "–")
    text = re.sub(r"(^|[-—/(\[{\"\s])'", r"\1‘", text).replace("'", "’")
    text = re.sub(r"(^|[-—/(\[{‘\s])\"", r"\1“", text).replace('"', "”")
    return text.replace("...", "…")
