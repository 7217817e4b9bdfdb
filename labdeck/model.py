"""A talk as data: frozen, complete from the constructors, and aware of the lines it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import Where


@dataclass(frozen=True)
class Span:
    """Lines `first` to `last` (from 1, inclusive) of a file."""

    file: str
    first: int
    last: int

    def where(self, line: int | None = None, column: int | None = None) -> Where:
        """A place in the file: line `line` of the span (from 0), by default its first."""
        return Where(self.file, max(1, self.first + (line or 0)), column)


@dataclass(frozen=True)
class DemoRef:
    """An entry of a deck's `demos:`: the name numbers are called by, and what is to be run."""

    name: str
    demo: str
    params: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    where: Where | None = None


@dataclass(frozen=True)
class Settings:
    """Every option of a deck after flags, front matter and configuration files were merged.

    `labdeck.settings.OPTIONS` documents each field.
    """

    title: str | None = None
    separator: str = r"\r?\n---\r?\n"
    vertical_separator: str = r"\r?\n----\r?\n"
    notes_separator: str | None = None
    theme: str = "black"
    highlight_theme: str = "base16/zenburn"
    css: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    favicon: str | None = None
    static_dirs: tuple[str, ...] = ()
    absolute_url: str | None = None
    featured_slide: str | None = None
    preprocessor: str | None = None
    template: str | None = None
    listing_template: str | None = None
    mermaid: Mapping[str, Any] | bool = field(default_factory=dict)
    glob: str = "**/*.md"
    slide_level: int | None = None
    markdown_extensions: tuple[str, ...] = ()
    fonts: Mapping[str, Any] = field(default_factory=dict)
    lang: str | None = None
    author: str | None = None
    date: str | None = None
    description: str | None = None
    demos: tuple[DemoRef, ...] = ()
    reveal: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def markdown_options(self) -> Mapping[str, Any]:
        """reveal's `markdown:` options (animateLists, smartypants, breaks, …)."""
        options = self.reveal.get("markdown")
        return options if isinstance(options, Mapping) else {}


@dataclass(frozen=True)
class Slide:
    """One slide as written: its Markdown, its notes, and where both stand.

    `flow` marks a slide cut from notes, which is set smaller.
    """

    markdown: str
    span: Span
    notes: str | None = None
    notes_span: Span | None = None
    flow: bool = False


@dataclass(frozen=True)
class Stack:
    """A horizontal step of the deck: one slide, or several under each other (`vertical`)."""

    slides: tuple[Slide, ...]
    vertical: bool = False


@dataclass(frozen=True)
class Deck:
    """A parsed talk.

    Args:
        path: the file, absolute.
        name: how messages call it, relative to where the command was called.
        settings: its options, merged.
        stacks: its slides in order.
        places: where keys of the front matter stand, by path.
    """

    path: Path
    name: str
    settings: Settings
    stacks: tuple[Stack, ...]
    places: Mapping[tuple[str, ...], Where] = field(default_factory=dict)

    def where(self, key: str) -> Where:
        """The place of a key of the front matter, else of the deck."""
        return self.places.get((key,)) or Where(self.name, 1)

    @property
    def slides(self) -> list[Slide]:
        return [slide for stack in self.stacks for slide in stack.slides]
