"""Faults of a page in words: what is wrong, with its values and its line, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from .errors import Where
from .finding import Finding, Spot
from .inspect_page import SMALLEST_PX, Fault, Place
from .model import Deck, Slide


class Sources:
    """The way from a page back to the lines of its deck.

    Args:
        deck: the deck.
        places: its slides in the page.
    """

    def __init__(self, deck: Deck, places: Iterable[Place]) -> None:
        self.deck = deck
        self.places = list(places)

    def where(self, fault: Fault) -> Where:
        """The line of a fault, or the first of its slide."""
        slide = self._slide(fault.source)
        if slide is None:
            return _read(fault.source)
        lines = slide.markdown.split("\n")
        for needle in fault.needles:
            for offset, line in enumerate(lines):
                if needle in line or needle in unquote(line):
                    return slide.span.where(offset)
        return _read(fault.source)

    def spot(self, where: Where) -> Spot | None:
        """The slide that a line belongs to."""
        for place in self.places:
            slide = self._slide(place.source)
            if slide is None or slide.span.file != where.file or where.line is None:
                continue
            spans = [slide.span, slide.notes_span or slide.span]
            if any(span.first <= where.line <= span.last for span in spans):
                return Spot(place.h, place.v)
        return None

    def _slide(self, source: str) -> Slide | None:
        at = _read(source)
        for slide in self.deck.slides:
            span = slide.span
            if span.file == at.file and span.first <= (at.line or 0) <= span.last:
                return slide
        return None


def _read(source: str) -> Where:
    """A place as `data-source` says it."""
    file, colon, line = source.rpartition(":")
    return Where(file, int(line)) if colon and line.isdigit() else Where(source)


def complain(fault: Fault, sources: Sources) -> Finding:
    """A fault as a finding."""
    say, remedy = _SAID[fault.code]
    spot = Spot(fault.h, fault.v, fault.step, fault.selector)
    message = say(fault.values)
    return Finding(fault.code, message, sources.where(fault), remedy, spot, fault.values)


def _overflow(values: Mapping[str, Any]) -> str:
    side = {"bottom": "below", "top": "above", "left": "left of", "right": "right of"}
    return f"content is {values['pixels']} px {side[values['side']]} the slide"


def _clipped(values: Mapping[str, Any]) -> str:
    return f"a box cuts {values['pixels']} px off its content at the {values['side']}"


def _small(values: Mapping[str, Any]) -> str:
    places = f" ({values['count']} times)" if values["count"] > 1 else ""
    return f"text of {values['px']:g} px{places}, at 1280 px slide width; {SMALLEST_PX} px is least"


def _enlarged(values: Mapping[str, Any]) -> str:
    (width, height), (drawn_width, drawn_height) = values["natural"], values["drawn"]
    return f"a picture of {width}x{height} pixels is drawn {drawn_width}x{drawn_height}"


def _faint(values: Mapping[str, Any]) -> str:
    places = f" ({values['count']} times)" if values["count"] > 1 else ""
    return (
        f"text {values['text']} on {values['ground']}{places} has contrast "
        f"{values['ratio']:g}:1; {values['wanted']:g}:1 is least"
    )


def _glyphs(values: Mapping[str, Any]) -> str:
    named = ", ".join(f"{char} (U+{ord(char):04X})" for char in values["characters"])
    return f"no font has {named}; asked for {values['fonts']}"


# For each code what to say of its values, and the remedy.
_SAID: Mapping[str, tuple[Callable[[Mapping[str, Any]], str], str]] = {
    "overflow": (_overflow, "shorten it, set it smaller, or split the slide"),
    "clipped": (_clipped, "make the box larger, shorten what is in it, or let it wrap"),
    "small-text": (_small, "set it larger, or leave it out"),
    "upscaled-image": (_enlarged, "take a larger picture or an SVG, or show it smaller"),
    "low-contrast": (_faint, "take a darker or a lighter colour (WCAG 2 AA)"),
    "missing-alt": (
        lambda values: "a picture has no text in its place",
        "say what it shows: ![what it shows](file); for mere decoration: role=\"presentation\"",
    ),
    "broken-link": (
        lambda values: f"`{values['href']}` leads to no slide",
        "link to an id of a slide or heading (#/id), or to a slide's numbers from 0 (#/2/1)",
    ),
    "missing-glyph": (_glyphs, "write another character, or bring a font that has it"),
}  # fmt: skip


def reported(
    found: Iterable[Finding], code: str, address: str, file: str | None = None
) -> Finding | None:
    """The finding of a code whose message names an address, however it is encoded."""
    wanted = unquote(address)
    names = (" " + wanted, " " + wanted.partition(":")[2], "/" + wanted)
    for finding in found:
        here = finding.code == code and file in (None, finding.where.file)
        if here and unquote(finding.message).endswith(names):
            return finding
    return None
