"""Footnotes: `[^1]` and `^[text]`, listed at the end of the slide that they stand on."""

from __future__ import annotations

import xml.etree.ElementTree as etree
from collections.abc import Callable, Iterator
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

Fill = Callable[[etree.Element, "list[Token] | None"], None]


def switch_on(parser: MarkdownIt) -> None:
    """Make the parser read footnotes."""
    from mdit_py_plugins.footnote import footnote_plugin

    parser.use(footnote_plugin, move_to_end=False)


class Footnotes:
    """The footnotes of one text.

    Args:
        prefix: sets their ids apart from those of the deck's other slides.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.bodies: list[tuple[str, etree.Element]] = []

    def open(self, label: str) -> etree.Element:
        """A place for the blocks of a definition."""
        body = etree.Element("li")
        self.bodies.append((label, body))
        return body

    def refer(self, parent: etree.Element, meta: dict[str, Any]) -> None:
        """The raised number of a reference."""
        number, again = meta["id"] + 1, meta.get("subId", 0)
        id = f"{self.prefix}-ref-{number}" + (f"-{again + 1}" if again else "")
        raised = etree.SubElement(parent, "sup", {"class": "footnote-ref"})
        link = etree.SubElement(raised, "a", {"href": f"#{self.prefix}-{number}", "id": id})
        link.text = str(number)

    def finish(self, root: etree.Element, env: dict[str, Any], fill: Fill) -> None:
        """List the footnotes in the order of their numbers; `fill` runs the inline phase.

        Definitions that nothing refers to follow, so that no text is lost.
        """
        notes = [*self._referred(env.get("footnotes", {}).get("list", {}), fill)]
        for _, body in self.bodies:
            fill(body, None)
            notes.append(body)
        if notes:
            listing = etree.SubElement(root, "div", {"class": "footnotes"})
            etree.SubElement(listing, "hr")
            etree.SubElement(listing, "ol").extend(notes)

    def _referred(self, entries: dict[int, Any], fill: Fill) -> Iterator[etree.Element]:
        number = 0
        while number in entries:  # a footnote may refer to others, which come later
            body = self._take(entries[number].get("label"))
            fill(body, entries[number].get("tokens"))
            number += 1
            body.set("id", f"{self.prefix}-{number}")
            back = {"href": f"#{self.prefix}-ref-{number}", "class": "footnote-backref"}
            last = body[-1] if len(body) and body[-1].tag == "p" else body
            if len(last):
                last[-1].tail = (last[-1].tail or "") + " "
            else:
                last.text = (last.text or "") + " "
            etree.SubElement(last, "a", back).text = "↩"
            yield body

    def _take(self, label: str | None) -> etree.Element:
        for index, (name, body) in enumerate(self.bodies):
            if name == label:
                del self.bodies[index]
                return body
        return etree.Element("li")
