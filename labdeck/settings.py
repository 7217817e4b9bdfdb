"""Every option of a deck: one table, and the order in which the places it can stand in win.

Slide options: command line > front matter > reveal-md.json(5) > pyproject.toml > default.
Options of reveal.js: the same, then reveal.json(5) before the defaults of the page.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .contract import RESERVED, SEED_LIMIT
from .errors import DeckError, Problems, Where, did_you_mean
from .model import DemoRef, Settings
from .yamlish import Document, read_json5


@dataclass(frozen=True)
class Option:
    """One option: its key in decks, its field of `Settings`, its kind and what it means."""

    key: str
    field: str
    kind: str  # text | texts | level | fonts | mapping | mapping or false
    about: str

    @property
    def flag(self) -> str:
        return "--" + self.field.replace("_", "-")


OPTIONS = (
    Option("title", "title", "text", "title of the page; without it the first heading"),
    Option("separator", "separator", "text", "regular expression between horizontal slides"),
    Option("verticalSeparator", "vertical_separator", "text", "the same between vertical slides"),
    Option("notesSeparator", "notes_separator", "text", "regular expression before notes"),
    Option("theme", "theme", "text", "a theme of reveal.js, or a stylesheet"),
    Option("highlightTheme", "highlight_theme", "text", "a theme of highlight.js"),
    Option("css", "css", "texts", "stylesheets, after theme and highlight theme"),
    Option("scripts", "scripts", "texts", "classic scripts that run before Reveal.initialize"),
    Option("favicon", "favicon", "text", "icon of the page"),
    Option("staticDirs", "static_dirs", "texts", "folders copied into the site as they are"),
    Option("absoluteUrl", "absolute_url", "text", "address the site will have, for og: tags"),
    Option(
        "featuredSlide", "featured_slide", "text", "number of the slide to picture; not read here"
    ),
    Option("preprocessor", "preprocessor", "text", "code that changes the Markdown; not run here"),
    Option("template", "template", "text", "reveal-md's Mustache template; not read here"),
    Option("listingTemplate", "listing_template", "text", "the same for the index; not read here"),
    Option("mermaid", "mermaid", "mapping or false", "options of mermaid, or false"),
    Option("glob", "glob", "text", "which files of a folder are decks"),
    Option("slideLevel", "slide_level", "level", "cut notes into slides at headings up to it"),
    Option(
        "markdownExtensions", "markdown_extensions", "texts", "what Markdown reads beyond its own"
    ),
    Option("fonts", "fonts", "fonts", "`cjk:` noto-sans-sc or a font file, cut to the deck's text"),
    Option("lang", "lang", "text", "language of the deck, e.g. zh-CN; guessed if absent"),
    Option("author", "author", "text", "for the page, the index and the title slide"),
    Option("date", "date", "text", "as it should be printed"),
    Option("description", "description", "text", "one sentence for the index and for meta tags"),
)
BY_KEY = {option.key: option for option in OPTIONS}
ALSO = {"markdownExtensions": "markdown_extensions"}  # as other tools spell it
# All that front matter may tell labdeck.
KEYS = frozenset((*BY_KEY, *ALSO.values(), "revealOptions", "demos"))
REVEAL_DEFAULTS: Mapping[str, Any] = {
    "controls": True,
    "progress": True,
    "history": True,
    "center": True,
    "slideNumber": True,
    "transition": "default",
}
# Options of reveal.js that authors write at the top level, where reveal-md ignores them.
MISPLACED = frozenset(
    [
        "transition",
        "transitionSpeed",
        "slideNumber",
        "controls",
        "progress",
        "center",
        "width",
        "height",
        "margin",
        "loop",
        "hash",
        "history",
        "autoSlide",
        "backgroundTransition",
    ]
)


# Options of reveal-md that are understood but do nothing, and what to do instead.
UNREAD_HINT = {
    "preprocessor": "run it on the file beforehand; building a deck runs no code of the deck",
    "template": "write a Jinja template: docs/templates.md",
    "listingTemplate": "write a Jinja template: docs/templates.md",
    "featuredSlide": "take a picture of the slide and name it in a template of your own",
}
UNREAD = frozenset(UNREAD_HINT)


def text_option(option: Option, value: Any, where: Where | None) -> Any:
    """`value` as the option's kind, or DeckError with the place."""
    if value is None:
        return None
    check = _KINDS[option.kind]
    try:
        return check(value)
    except ValueError as error:
        raise DeckError(
            f"`{option.key}` {error}, got {value!r}", where, option.about, code="option"
        ) from error


def _text(value: Any) -> str:
    if isinstance(value, (bool, Mapping, list)):
        raise ValueError("must be a text")
    return str(value)


def _texts(value: Any) -> tuple[str, ...]:
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, Sequence):
        raise ValueError("must be a list, or texts with commas between them")
    return tuple(text for text in (_text(item).strip() for item in items) if text)


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError("must be a mapping")
    return value


def _mapping_or_false(value: Any) -> Mapping[str, Any] | bool:
    return False if value is False else {} if value is True else _mapping(value)


def _level(value: Any) -> int:
    text = str(value)
    if text not in ("1", "2", "3", "4", "5", "6"):
        raise ValueError("must be a level of headings, 1 to 6")
    return int(text)


def _fonts(value: Any) -> Mapping[str, Any]:
    fonts = value if isinstance(value, Mapping) else {"cjk": value}
    if unknown := sorted(set(map(str, fonts)) - {"cjk"}):
        raise ValueError(f"knows only `cjk`, not `{unknown[0]}`")
    if not all(font is False or (isinstance(font, str) and font) for font in fonts.values()):
        raise ValueError("must name a font or a font file under `cjk`")
    return fonts


_KINDS: Mapping[str, Callable[[Any], Any]] = {
    "text": _text,
    "texts": _texts,
    "mapping": _mapping,
    "level": _level,
    "fonts": _fonts,
    "mapping or false": _mapping_or_false,
}


@dataclass(frozen=True)
class Configuration:
    """The configuration files of a deck, the one that wins first; `reveal` is reveal.json."""

    sources: tuple[Document, ...] = ()
    reveal: Document = field(default_factory=Document)


def read_configuration(deck_folder: Path, project: Path) -> Configuration:
    """reveal-md.json(5), reveal.json(5) and pyproject.toml, the nearest up to `project`."""
    folders = [deck_folder]
    while folders[-1] != project and project in folders[-1].parents:
        folders.append(folders[-1].parent)
    sources = [_nearest(folders, "reveal-md.json5", "reveal-md.json"), _pyproject(project)]
    reveal = _nearest(folders, "reveal.json5", "reveal.json")
    return Configuration(tuple(s for s in sources if s is not None), reveal or Document())


def _nearest(folders: list[Path], *names: str) -> Document | None:
    for folder in folders:
        for name in names:
            path = folder / name
            if path.is_file():
                return read_json5(_read(path), str(path))
    return None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DeckError(f"cannot be read: {error}", Where(str(path))) from error


def _pyproject(project: Path) -> Document | None:
    path = project / "pyproject.toml"
    if not path.is_file():
        return None
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        data = tomllib.loads(_read(path))
    except tomllib.TOMLDecodeError as error:
        raise DeckError(f"not valid TOML: {error}", Where(str(path))) from error
    table = data.get("tool", {}).get("labdeck", {})
    known = [*BY_KEY, *ALSO.values(), "revealOptions", "trust"]
    for key in table:
        if key not in known:
            raise DeckError(
                f"[tool.labdeck]: unknown option `{key}`",
                Where(str(path)),
                did_you_mean(key, known),
                code="option",
            )
    return Document(table)


def resolve(
    flags: Mapping[str, Any], front: Document, configuration: Configuration, problems: Problems
) -> Settings:
    """Merge all places an option can stand in.

    Args:
        flags: by key, from the command line; `revealOptions` holds those for reveal.js.
        front: the front matter.
        configuration: the files.
        problems: gets warnings about keys that will have no effect.
    """
    documents = [Document(flags), front, *configuration.sources]
    fields: dict[str, Any] = {}
    for option in OPTIONS:
        value = _first(option, documents)
        if value is not None:
            fields[option.field] = value
    for key in sorted(UNREAD & {key for document in documents for key in document.data}):
        where = next((d.where(key) for d in documents if key in d.data), None)
        problems.warn("unread-option", f"`{key}` has no effect here", where, UNREAD_HINT[key])
    extra = {key: value for key, value in front.data.items() if key not in KEYS}
    _warn_about_extra(extra, front, problems)
    return Settings(
        **fields,
        demos=_demo_refs(front),
        reveal=_reveal_options(documents, configuration.reveal),
        extra=extra,
    )


def _first(option: Option, documents: Sequence[Document]) -> Any:
    """The value that wins; mappings are merged deeply, as reveal-md does."""
    values = [
        value
        for document in documents
        for key in (option.key, ALSO.get(option.key, option.key))
        if key in document.data
        and (value := text_option(option, document.data[key], document.where(key))) is not None
    ]
    if values and all(isinstance(value, Mapping) for value in values):
        return merge_deeply(reversed(values))
    return values[0] if values else None


def _reveal_options(documents: Sequence[Document], reveal: Document) -> Mapping[str, Any]:
    layers: list[Mapping[str, Any]] = [REVEAL_DEFAULTS, reveal.data]
    for document in reversed(documents):
        value = document.data.get("revealOptions")
        if value is None:
            continue
        if not isinstance(value, Mapping):
            raise DeckError(
                f"`revealOptions` must be a mapping, got {value!r}",
                document.where("revealOptions"),
                "write one option of reveal.js a line, indented under revealOptions:",
                code="option",
            )
        layers.append(value)
    return merge_deeply(layers)


def merge_deeply(layers: Any) -> dict[str, Any]:
    """Mappings merged, later ones win, nested mappings merged in turn."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            old = merged.get(key)
            if isinstance(old, Mapping) and isinstance(value, Mapping):
                merged[key] = merge_deeply([old, value])
            else:
                merged[key] = value
    return merged


def _warn_about_extra(extra: Mapping[str, Any], front: Document, problems: Problems) -> None:
    for key in extra:
        camel = _camel(key)
        if key in MISPLACED:
            hint = f"indent it under `revealOptions:` if you want reveal.js to see `{key}`"
            problems.warn("misplaced-option", f"`{key}` has no effect here", front.where(key), hint)
        elif key != camel and camel in {*BY_KEY, "revealOptions"}:
            problems.warn(
                "misspelt-option", f"`{key}` has no effect", front.where(key), f"write `{camel}`"
            )


def _camel(key: str) -> str:
    first, *rest = key.replace("_", "-").split("-")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def _demo_refs(front: Document) -> tuple[DemoRef, ...]:
    entries = front.data.get("demos")
    if entries is None:
        return ()
    where = front.where("demos")
    if not isinstance(entries, Mapping):
        raise DeckError(
            "`demos` must be a mapping of names to demos",
            where,
            "write e.g. `attn: attention.scaled_dot_product` on a line of its own under demos:",
            code="demo-entry",
        )
    return tuple(
        _demo_ref(name, entry, front.where("demos", name)) for name, entry in entries.items()
    )


def _demo_ref(name: str, entry: Any, where: Where | None) -> DemoRef:
    if not name.isidentifier():
        raise DeckError(
            f"demo name `{name}` cannot be used in {{{{ … }}}}",
            where,
            "use letters, digits and _ only, a letter first",
            code="demo-entry",
        )
    if isinstance(entry, str):
        return DemoRef(name, entry, where=where)
    if not isinstance(entry, Mapping) or not isinstance(entry.get("run"), str):
        raise DeckError(
            f"`demos.{name}` must name a demo",
            where,
            f"write `{name}: topic.function`, or `{name}: {{run: topic.function, rank: 8}}`",
            code="demo-entry",
        )
    for key in ("sweep", "live"):
        if key in entry:
            raise DeckError(
                f"`demos.{name}`: `{key}` is not available in this version",
                where,
                f"take `{key}` out, and name each run you need as an entry of its own",
                code="demo-entry",
            )
    params = {key: value for key, value in entry.items() if key not in RESERVED}
    return DemoRef(name, entry["run"], params, _seed(name, entry.get("seed", 0), where), where)


def _seed(name: str, seed: Any, where: Where | None) -> int:
    if type(seed) is int and 0 <= seed <= SEED_LIMIT:
        return seed
    raise DeckError(
        f"`demos.{name}`: seed must be an integer from 0 to {SEED_LIMIT}, got {seed!r}",
        where,
        code="demo-entry",
    )
