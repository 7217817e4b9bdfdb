"""What stands around the slides: reveal.js, themes, stylesheets, scripts, copied into the site."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from . import __version__
from .cache import Cache
from .errors import DeckError, MachineError, Problems, Where, did_you_mean
from .fonts import BUNDLED, FAMILY, Source, characters, stylesheet, uncovered
from .glyphs import SUFFIXES
from .layers import bundled_root
from .model import Deck
from .references import ASSETS, References, SiteFiles

_URL = re.compile(r"url\(\s*[\"']?([^\"')]+)[\"']?\s*\)")
_EXTERNAL = re.compile(r"(?:[a-z]+:)?//", re.IGNORECASE)
VENDORED = f"{ASSETS}/labdeck-{__version__}"
BUNDLES = {
    "basic": "plotly/plotly-basic.min.js",
    "cartesian": "plotly/plotly-cartesian.min.js",
    "full": "plotly/plotly.min.js",
}


@dataclass(frozen=True)
class Style:
    """A stylesheet; themes carry the ids that reveal-md gave them, which scripts look for."""

    href: str
    id: str = ""


@dataclass(frozen=True)
class Furniture:
    """Addresses, seen from the page, of what stands around the slides."""

    styles: list[Style]
    scripts: list[str]
    engine_scripts: list[str]
    favicon: str | None = None
    plotly: Mapping[str, list[str]] = field(default_factory=dict)  # bundle -> scripts


class Furnisher:
    """Finds and adds the files that a deck's page is made of beside its slides.

    Args:
        deck: whose settings name themes, css and scripts.
        references: finds the author's files and adds them.
        assets: the folder the build hook filled.
        problems: gets what is missing.
    """

    def __init__(
        self, deck: Deck, references: References, assets: Path, problems: Problems
    ) -> None:
        self.deck = deck
        self.settings = deck.settings
        self.references = references
        self.assets = assets
        self.problems = problems
        self.up = references.place.up

    def furniture(self, body: str) -> Furniture:
        """Addresses for the page; `body` tells whether it has formulas."""
        for name in self.settings.static_dirs:
            self.references.folder(name, self._where("staticDirs"))
        styles = [Style(self._vendored(f"reveal/{name}.css")) for name in ("reset", "reveal")]
        styles += [Style(self._theme(), "theme"), Style(self._highlight_theme(), "highlight-theme")]
        if "katex" in body:
            styles.append(Style(self._vendored("katex/katex.min.css")))
        styles += [Style(href) for href in (self._static("labdeck.css"), *self._named("css"))]
        engine = ["reveal.js", "plugin/zoom.js", "plugin/notes.js", "plugin/search.js"]
        return Furniture(
            styles=styles,
            scripts=self._named("scripts"),
            engine_scripts=[self._vendored(f"reveal/{name}") for name in engine]
            + [self._static("labdeck.js")],
            favicon=self._favicon(),
            plotly=_Lazy(self),
        )

    def with_fonts(self, furniture: Furniture, page: str, cache: Cache) -> Furniture:
        """The same and a stylesheet for the font that `fonts` asks for, cut to the page's text."""
        name = str(self.settings.fonts.get("cjk") or "")
        source = self._font(name) if name else None
        if source is None:
            return furniture
        sheets = self._own_sheets()
        asked = characters(page, sheets)
        try:
            cut = source.cut(asked, cache)
        except DeckError as error:
            raise error.at(self._where("fonts")) from error
        if problem := uncovered(self.deck, name, asked, cut.covers):
            self.problems.add(problem)
        if not cut.covers:
            return furniture
        site, themed = self.references.site, self._has_font_properties(furniture, sheets)
        font = site.add_bytes("labdeck-cjk.woff2", cut.content)
        css = stylesheet(cut, f"../{font.removeprefix(f'{ASSETS}/')}", themed)
        style = Style(self.up + site.add_bytes("labdeck-cjk.css", css.encode()))
        after = [style.id for style in furniture.styles].index("highlight-theme") + 1
        return replace(
            furniture, styles=[*furniture.styles[:after], style, *furniture.styles[after:]]
        )

    def _font(self, name: str) -> Source | None:
        """The font that `fonts` names; None, after a warning, for a file that is not there."""
        if name in BUNDLED:
            folder = self.assets / BUNDLED[name]
            if not folder.is_dir():
                message = f"browser asset {BUNDLED[name]} is missing"
                hint = 'install labdeck again: pip install -e ".[dev]", or pip install labdeck'
                raise MachineError(message, self._where("fonts"), hint, code="assets")
            return Source(folder)
        file, _, face = name.partition("#")
        if not file.lower().endswith(SUFFIXES) or (face and not face.isdecimal()):
            hint = f"{did_you_mean(name, BUNDLED)}; or name a file: {', '.join(SUFFIXES)}"
            raise DeckError(f"no font `{name}`", self._where("fonts"), hint, code="font")
        path = self.references.option(file, "fonts", self._where("fonts"))
        return Source(path, int(face or 0)) if path else None

    def _own_sheets(self) -> list[str]:
        """The texts of the author's stylesheets, those that they import too."""
        files = self.references.site.files
        contents = [c for name, c in files.items() if name.endswith(".css")]
        return [c.decode("utf-8") for c in contents if isinstance(c, bytes)]

    def _has_font_properties(self, furniture: Furniture, sheets: list[str]) -> bool:
        """Whether the theme has reveal.js's properties for fonts; a warning if it has not."""
        href = next(style.href for style in furniture.styles if style.id == "theme")
        theme = self.references.site.files.get(href.removeprefix(self.up))
        text = "".join(sheets) + (theme.read_text("utf-8") if isinstance(theme, Path) else "")
        if "--r-main-font" in text and "--r-heading-font" in text:
            return True
        self.problems.warn(
            "font-unused",
            f"theme `{self.settings.theme}` sets no --r-main-font and --r-heading-font, "
            f'so nothing asks for "{FAMILY}"',
            self._where("fonts"),
            f'put "{FAMILY}" first where your stylesheets set font-family',
        )
        return False

    @staticmethod
    def index_style(site: SiteFiles) -> str:
        """Add the stylesheet of the index; its name below the site."""
        return site.add(bundled_root() / "templates" / "static" / "labdeck.css")

    def plotly(self, bundle: str) -> list[str]:
        """The scripts that draw figures, added to the site."""
        return [self._vendored(BUNDLES[bundle]), self._static("figures.js")]

    def _vendored(self, name: str) -> str:
        """Add a file of the build hook, and what its stylesheet needs, under its own name."""
        path = self.assets / name
        target = f"{VENDORED}/{name}"
        if target not in self.references.site.files:
            self.references.site.files[target] = path
            if name.endswith(".css"):
                for url in _URL.findall(path.read_text(encoding="utf-8")):
                    if not url.startswith("data:"):
                        self._vendored(_join(name, url))
        return self.up + target

    def _static(self, name: str) -> str:
        return self.up + self.references.site.add(bundled_root() / "templates" / "static" / name)

    def _where(self, key: str) -> Where:
        return self.deck.where(key)

    def _theme(self) -> str:
        theme = self.settings.theme
        bundled = self.assets / "reveal" / "theme" / f"{theme}.css"
        if re.fullmatch(r"[\w-]+", theme) and bundled.is_file():
            return self._vendored(f"reveal/theme/{theme}.css")
        found = self._style(theme, "theme")
        if found:
            return found
        names = [p.stem for p in bundled.parent.glob("*.css")]
        self.problems.warn(
            "unknown-theme",
            f"no theme `{theme}`; black is taken",
            self._where("theme"),
            did_you_mean(theme, names),
        )
        return self._vendored("reveal/theme/black.css")

    def _highlight_theme(self) -> str:
        theme = self.settings.highlight_theme.removesuffix(".css")
        for name in (theme, f"base16/{theme}"):
            file = f"hljs/styles/{name}.min.css"
            if (
                re.fullmatch(r"[\w./-]+", name)
                and ".." not in name
                and (self.assets / file).is_file()
            ):
                if name != theme:
                    message = f"highlight theme `{theme}` is read as `{name}`; reveal-md finds none"
                    hint = f"write `highlightTheme: {name}`"
                    self.problems.warn(
                        "highlight-theme", message, self._where("highlightTheme"), hint
                    )
                return self._vendored(file)
        found = self._style(self.settings.highlight_theme, "highlightTheme")
        if found:
            return found
        styles = self.assets / "hljs" / "styles"
        names = [
            p.relative_to(styles).as_posix().removesuffix(".min.css") for p in styles.rglob("*.css")
        ]
        self.problems.warn(
            "unknown-theme",
            f"no highlight theme `{theme}`; base16/zenburn is taken",
            self._where("highlightTheme"),
            did_you_mean(theme, names),
        )
        return self._vendored("hljs/styles/base16/zenburn.min.css")

    def _style(self, name: str, key: str) -> str | None:
        """A stylesheet that is a file or an address; None if there is none, without a complaint."""
        if _EXTERNAL.match(name):
            self.references.externals.add(name)
            return name
        if not name.endswith(".css"):
            return None
        path = self.references.option(name, key, self._where(key))
        return self.up + self.references.stylesheet(path) if path else None

    def _named(self, key: str) -> list[str]:
        """The stylesheets or scripts that the deck names."""
        addresses: list[str] = []
        for name in getattr(self.settings, key):
            if _EXTERNAL.match(name):
                self.references.externals.add(name)
                addresses.append(name)
                continue
            path = self.references.option(name, key, self._where(key))
            if path is None:
                continue
            try:
                site = self.references.site
                added = self.references.stylesheet(path) if key == "css" else site.add(path)
            except OSError as error:
                raise DeckError(
                    f"{name} cannot be read: {error.strerror}", self._where(key)
                ) from error
            addresses.append(self.up + added)
        return addresses

    def _favicon(self) -> str | None:
        name = self.settings.favicon
        path = self.deck.path.parent / "favicon.ico"
        if name:
            if _EXTERNAL.match(name):
                return name
            found = self.references.option(name, "favicon", self._where("favicon"))
            return self.up + self.references.site.add(found) if found else None
        return self.up + self.references.site.add(path) if path.is_file() else None


class _Lazy(dict[str, Any]):
    """Plotly's scripts by bundle, added to the site only when a deck has figures."""

    def __init__(self, furnisher: Furnisher) -> None:
        super().__init__()
        self.furnisher = furnisher

    def __missing__(self, bundle: str) -> list[str]:
        return self.furnisher.plotly(bundle)


def _join(name: str, url: str) -> str:
    """The name that a relative address in a vendored stylesheet means."""
    parts = name.split("/")[:-1]
    for part in re.split(r"[?#]", url)[0].split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
