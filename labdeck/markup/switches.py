"""What an author switches on by `markdownExtensions:`, checked before anything is imported."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt

from ..errors import DeckError, did_you_mean
from . import attributes, containers, footnotes

OWN: Mapping[str, Callable[[MarkdownIt], None]] = {
    "footnotes": footnotes.switch_on,
    "definition_lists": lambda parser: _definition_lists(parser),
    "containers": containers.switch_on,
    "attributes": attributes.switch_on,
}
# A deck may name modules of these packages only: naming one imports it.
_FOREIGN = re.compile(r"(?:markdown\.extensions|pymdownx)\.[a-z][a-z0-9_]*\Z")
_BARE = re.compile(r"[a-z][a-z0-9_]*\Z")
# What decks have anyway, or have under another name.
INSTEAD = {
    "markdown.extensions.admonition": "switch `containers` on, and write ::: note",
    "markdown.extensions.attr_list": "switch `attributes` on",
    "markdown.extensions.def_list": "switch `definition_lists` on",
    "markdown.extensions.fenced_code": "leave it out, decks have fenced code",
    "markdown.extensions.footnotes": "switch `footnotes` on",
    "markdown.extensions.md_in_html": "leave it out; blank lines let Markdown into HTML",
    "markdown.extensions.sane_lists": "leave it out, decks have CommonMark's lists",
    "markdown.extensions.tables": "leave it out, decks have tables",
    "pymdownx.arithmatex": "leave it out, decks have formulas",
    "pymdownx.details": "write HTML: <details>",
    "pymdownx.highlight": "leave it out, code is highlighted",
    "pymdownx.inlinehilite": "leave it out, code in a line is not highlighted",
    "pymdownx.superfences": "leave it out, decks have fenced code",
    "pymdownx.tasklist": "leave it out, decks have task lists",
}


@dataclass(frozen=True)
class Switches:
    """What is on: names of `OWN`, and modules with Python-Markdown's extensions."""

    own: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()


def read_switches(names: Sequence[str]) -> Switches:
    """Tell our own switches from extensions of Python-Markdown; DeckError for any other name."""
    own = tuple(dict.fromkeys(name for name in names if name in OWN))
    foreign = tuple(dict.fromkeys(_module(name) for name in names if name not in OWN))
    return Switches(own, foreign)


def _module(name: str) -> str:
    full = f"markdown.extensions.{name}" if _BARE.match(name) else name
    if not _FOREIGN.match(full):
        raise DeckError(
            f"`{name}` is no Markdown extension that a deck may switch on",
            None,
            did_you_mean(name, [*OWN, "abbr", "pymdownx.mark"]),
            code="markdown-extension",
        )
    return full


def _definition_lists(parser: MarkdownIt) -> None:
    from mdit_py_plugins.deflist import deflist_plugin

    parser.use(deflist_plugin)
