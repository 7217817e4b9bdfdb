"""The local files that a talk mentions: where they are, and the names they get in the site."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote

from .errors import Problems, Where
from .tags import Tag, rewrite, with_attributes

ASSETS = "_assets"
# Attributes that hold one address, whatever the element.
_ONE = frozenset(
    [
        "src",
        "data-src",
        "poster",
        "data-background",
        "data-background-image",
        "data-background-iframe",
        "data",
        "data-preview-image",
        "data-preview-video",
        "data-preview-link",
        "data-poster",
    ]
)
_SEVERAL = frozenset(("data-background-video", "srcset", "data-srcset"))
_SCHEME = re.compile(r"(?:[a-z][a-z0-9+.-]*:|//|#|\?|\Z)", re.IGNORECASE)
_CSS_URL = re.compile(
    r"/\*.*?\*/|(?P<import>@import\s+)(?:url\()?\s*(?P<iq>[\"']?)(?P<iurl>[^\"')\s;]+)(?P=iq)\s*\)?"
    r"|url\(\s*(?P<q>[\"']?)(?P<url>[^\"')]*?)(?P=q)\s*\)",
    re.DOTALL | re.IGNORECASE,
)
_STYLE = re.compile(r"(<style\b[^>]*>)(.*?)(</style)", re.DOTALL | re.IGNORECASE)
_LOOKS_LIKE_FILE = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,4}(?:[?#].*)?\Z")
_EXTERNAL = re.compile(r"(?:https?:)?//", re.IGNORECASE)


@dataclass
class SiteFiles:
    """Files that go into a site: name below the site -> where its bytes are, or the bytes.

    A file keeps its name, in a folder named by the digest of its content.
    """

    files: dict[str, Path | bytes] = field(default_factory=dict)
    _named: dict[Path, str] = field(default_factory=dict)

    def add(self, path: Path) -> str:
        """Add a file under a name with a digest of its content; the name."""
        path = path.resolve()
        if path not in self._named:
            content = path.read_bytes()
            self._named[path] = self.add_bytes(path.name, content, path)
        return self._named[path]

    def add_bytes(self, name: str, content: bytes, source: Path | None = None) -> str:
        hashed = f"{ASSETS}/{hashlib.sha256(content).hexdigest()[:10]}/{name}"
        self.files[hashed] = source or content
        return hashed


@dataclass(frozen=True)
class Place:
    """Where a deck stands: what its relative addresses mean, and where they are pointed at.

    Args:
        project: nothing outside is read.
        folder: the deck's own folder.
        up: "" or "../" … : from the deck's page to the site's root.
        base: the folder that the site mirrors: a file below it that is linked to keeps its place.
        pages: decks of this build, by resolved path -> page below the site.
    """

    project: Path
    folder: Path
    up: str
    base: Path
    pages: dict[Path, str] = field(default_factory=dict)


class References:
    """Finds the files one deck mentions, adds them to the site and points the page at them."""

    def __init__(self, place: Place, site: SiteFiles, problems: Problems) -> None:
        self.place = place
        self.site = site
        self.problems = problems
        self.externals: set[str] = set()

    def in_html(self, text: str, where: Callable[[str], Where]) -> str:
        """HTML with local addresses replaced; `where` tells the place of an address as written."""
        text = rewrite(text, lambda tag: self._tag(tag, where))
        if "<style" not in text:
            return text
        return _STYLE.sub(
            lambda m: m[1] + self.in_css(m[2], self.place.folder, where, "") + m[3], text
        )

    def in_attributes(
        self, attributes: dict[str, str], where: Callable[[str], Where]
    ) -> dict[str, str]:
        """The attributes of a slide with local addresses replaced."""
        return attributes | self._changes("section", attributes, where)

    def _tag(self, tag: Tag, where: Callable[[str], Where]) -> str | None:
        if tag.kind != "open" or "=" not in tag.rest:
            return None
        changes = self._changes(tag.name, tag.attributes, where)
        return with_attributes(tag, changes) if changes else None

    def _changes(
        self, element: str, attributes: dict[str, str], where: Callable[[str], Where]
    ) -> dict[str, str]:
        changes: dict[str, str] = {}
        for name, value in attributes.items():
            new = self._attribute(element, name, value, where)
            if new is not None and new != value:
                changes[name] = new
        return changes

    def _attribute(
        self, element: str, name: str, value: str, where: Callable[[str], Where]
    ) -> str | None:
        if name in _SEVERAL:
            return ", ".join(self._candidate(part.strip(), where) for part in value.split(","))
        if name == "style" and "url(" in value:
            return self.in_css(value, self.place.folder, lambda url: where(url), "")
        if name in ("href", "xlink:href"):
            return self._href(element, value, where)
        if name not in _ONE or (name == "data" and element != "object"):
            return None
        if name.startswith("data-background") and not _LOOKS_LIKE_FILE.search(value):
            return None
        return self.address(value, where(value))

    def _candidate(self, part: str, where: Callable[[str], Where]) -> str:
        """One address of a list, with a descriptor such as 2x behind it."""
        address, space, descriptor = part.partition(" ")
        return (self.address(address, where(address)) or address) + space + descriptor

    def _href(self, element: str, value: str, where: Callable[[str], Where]) -> str | None:
        if element in ("image", "use", "link"):
            return self.address(value, where(value))
        if _SCHEME.match(value) or element != "a":
            return None
        path, tail = _split(value)
        found = self._find(path)
        if found is not None and found in self.place.pages:
            return self.place.up + quote(self.place.pages[found]) + tail
        if found is None and path.endswith(".html"):
            source = self._find(path.removesuffix(".html") + ".md")
            if source in self.place.pages:
                return None
        if (
            found is not None
            and found.is_file()
            and found.is_relative_to(self.place.base.resolve())
        ):
            name = found.relative_to(self.place.base.resolve()).as_posix()
            self.site.files[name] = found
            return self.place.up + quote(name) + tail
        return self.address(value, where(value))

    def address(self, value: str, where: Where) -> str | None:
        """What the page says instead of `value`: None to leave it (another host, data:, an id)."""
        if _EXTERNAL.match(value):
            self.externals.add(value)
            return None
        if _SCHEME.match(value) and not re.match(r"[a-zA-Z]:\\", value):
            return None
        path, tail = _split(value)
        found = self._find(path)
        if found is None:
            self._missing(path, where)
            return None
        if found.is_dir():
            return None
        return self.place.up + quote(self._add(found)) + tail

    def folder(self, name: str, where: Where) -> None:
        """Copy a folder as it is, so that scripts find what no tag mentions (`staticDirs`)."""
        found = self._find(name) or self._find(name, self.place.project)
        if found is None or not found.is_dir():
            self._missing(name, where)
            return
        base = self.place.base.resolve()
        root = base if found.is_relative_to(base) else found.parent
        for path in sorted(p for p in found.rglob("*") if p.is_file()):
            if path.resolve().is_relative_to(self.place.project.resolve()):
                self.site.files[path.relative_to(root).as_posix()] = path

    def stylesheet(self, path: Path) -> str:
        """Add a stylesheet and all it mentions; its name below the site."""
        text = path.read_text(encoding="utf-8-sig", errors="replace")
        new = self.in_css(text, path.parent, lambda url: _line_of(path, text, url), "../")
        return self.site.add_bytes(path.name, new.encode())

    def in_css(self, text: str, folder: Path, where: Callable[[str], Where], base: str) -> str:
        """CSS with local addresses replaced; `base` leads to _assets/ ("" inside a page)."""

        def replace(match: re.Match[str]) -> str:
            url = match["url"] or match["iurl"] or ""
            if _EXTERNAL.match(url):
                self.externals.add(url)
            if not url or _SCHEME.match(url):
                return match[0]
            path, tail = _split(url)
            found = self._find(path, folder)
            if found is None or not found.is_file():
                self._missing(path, where(url))
                return match[0]
            name = self.stylesheet(found) if match["import"] else self._add(found)
            shown = base + name.removeprefix(f"{ASSETS}/") if base else self.place.up + name
            return f'{match["import"] or ""}url("{quote(shown)}{tail}")'

        return _CSS_URL.sub(replace, text)

    def option(self, name: str, key: str, where: Where) -> Path | None:
        """The file that an option such as `css` names: in the project first, then by the deck."""
        for folder in dict.fromkeys([self.place.project, *self._folders(), self.place.folder]):
            found = self._find(name, folder)
            if found is not None and found.is_file():
                self._warn_if_shadowed(name, found, key, where)
                return found
        self._missing(name, where)
        return None

    def _folders(self) -> list[Path]:
        """The folders from the project down to the deck."""
        chain = [self.place.folder, *self.place.folder.parents]
        return [f for f in reversed(chain) if f.is_relative_to(self.place.project)]

    def _warn_if_shadowed(self, name: str, found: Path, key: str, where: Where) -> None:
        beside = self._find(name, self.place.folder)
        if beside is not None and beside != found and beside.is_file():
            self.problems.warn(
                "two-files",
                f"`{key}: {name}` is in the project and beside the deck; the project's is taken",
                where,
                "rename one of the two",
            )

    def _find(self, written: str, folder: Path | None = None) -> Path | None:
        """The file or folder an address means, inside the project; None if there is none."""
        project = self.place.project.resolve()
        base = folder or self.place.folder
        for form in dict.fromkeys((written, unquote(written), unquote(written).replace("\\", "/"))):
            roots = [base] if not form.startswith("/") else [project, base]
            for root in roots:
                try:
                    path = (root / form.lstrip("/")).resolve()
                    if path.exists() and path.is_relative_to(project):
                        return path
                except (OSError, ValueError):
                    continue
        return None

    def _add(self, path: Path) -> str:
        if path.suffix.lower() in (".html", ".htm"):
            return self._add_page(path)
        if path.suffix.lower() == ".css":
            return self.stylesheet(path)
        return self.site.add(path)

    def _add_page(self, path: Path) -> str:
        """An HTML page keeps its place, so that its own relative addresses go on working."""
        name = path.relative_to(self.place.project.resolve()).as_posix()
        if name not in self.site.files:
            self.site.files[name] = path
            text = path.read_text(encoding="utf-8", errors="replace")
            for match in re.finditer(r"(?:src|href)\s*=\s*[\"']([^\"'#?:]+)[\"'#?]", text):
                found = self._find(match[1], path.parent)
                if found is not None and found.is_file() and found.suffix.lower() != ".md":
                    self.site.files[found.relative_to(self.place.project.resolve()).as_posix()] = (
                        found
                    )
        return name

    def _missing(self, path: str, where: Where) -> None:
        target = (self.place.folder / unquote(path).replace("\\", "/").lstrip("/")).resolve()
        if not target.is_relative_to(self.place.project.resolve()):
            self.problems.warn(
                "outside",
                f"`{path}` lies outside the project and is not copied",
                where,
                f"put a copy into {self.place.folder.name or 'the deck folder'}/ and name that",
            )
            return
        self.problems.warn("missing-file", f"no such file: {path}", where, _other_case(target))


def _split(value: str) -> tuple[str, str]:
    """A path, and the query or fragment behind it."""
    match = re.search(r"[?#]", value)
    return (value[: match.start()], value[match.start() :]) if match else (value, "")


def _other_case(target: Path) -> str:
    """A hint for a file that is there in another spelling."""
    try:
        names = [p.name for p in target.parent.iterdir()]
    except OSError:
        return f"there is no folder {target.parent.name}/ beside the deck; check the path"
    same = [name for name in names if name.lower() == target.name.lower()]
    if same:
        return f"there is `{same[0]}`: upper and lower case count"
    stem = [name for name in names if Path(name).stem == target.stem]
    return f"there is `{stem[0]}` in that folder" if stem else "check the path, or add the file"


def _line_of(path: Path, text: str, url: str) -> Where:
    return Where(str(path), text.count("\n", 0, max(text.find(url), 0)) + 1)
