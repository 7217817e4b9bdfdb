"""A font cut to some characters, with fontTools, which is imported only where that is done."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import DeckError, MachineError

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

SUFFIXES = (".ttf", ".otf", ".woff2", ".ttc", ".otc")
WEIGHTS = (400, 700)  # of a bundled font: what reveal's themes use, and all between
LICENCE_NAMES = [0, 13, 14]  # entries of a font's name table that its licence wants kept
_FACE = re.compile(r"url\((?P<file>[^)]+)\)[^}]*?unicode-range:\s*(?P<ranges>[^;}]+)")
_KEPT = ("head", "hhea", "maxp", "OS/2", "name", "post", "fvar", "avar", "glyf", "loca", "hmtx")
_VALUE_FIELDS = ("XPlacement", "YPlacement", "XAdvance", "YAdvance")


@dataclass(frozen=True)
class Cut:
    """A font cut to some characters.

    Args:
        content: the WOFF2 file.
        covers: the characters it can draw, in order.
        weight: what its @font-face rule says, "" for a font of one weight.
    """

    content: bytes
    covers: str
    weight: str = ""


def require_tools() -> None:
    """MachineError if what cuts fonts is not installed."""
    try:
        import brotli  # noqa: F401
        import fontTools.ttLib  # noqa: F401
    except ImportError as error:
        message = f"`fonts` needs {error.name}, which is not installed"
        hint = 'pip install "labdeck[fonts]"'
        raise MachineError(message, hint=hint, code="fonts") from error


def _open(path: Path, face: int = 0) -> TTFont:
    from fontTools.ttLib import TTFont

    stream = io.BytesIO(path.read_bytes())  # tables are read when asked for: no file stays open
    return TTFont(stream, fontNumber=face, recalcTimestamp=False, lazy=True)


def cut_file(path: Path, face: int, characters: str) -> Cut:
    """A font of the author's: its own features and metrics, fewer glyphs."""
    try:
        return _subset(_open(path, face), characters)
    except DeckError:
        raise
    except Exception as error:  # fontTools lets through whatever a broken table leads to
        said = str(error) or type(error).__name__
        raise DeckError(
            f"{path.name} cannot be read as a font: {said}",
            hint=f"it must be one of {', '.join(SUFFIXES)}; of a collection, "
            f"`{path.name}#2` is the third face",
            code="font",
        ) from error


def _subset(font: TTFont, characters: str) -> Cut:
    from fontTools import subset

    covers = "".join(c for c in characters if ord(c) in (font.getBestCmap() or ()))
    options = subset.Options(name_IDs=LICENCE_NAMES, hinting=False, notdef_outline=True)
    # `locl` would keep the Japanese, Korean and traditional forms of every character as well.
    options.layout_features = [f for f in options.layout_features if f != "locl"] + ["halt", "chws"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=[ord(c) for c in covers])
    subsetter.subset(font)
    axes = font["fvar"].axes if "fvar" in font else []
    weights = [f"{a.minValue:g} {a.maxValue:g}" for a in axes if a.axisTag == "wght"]
    return Cut(_woff2(font), covers, "".join(weights))


def _woff2(font: TTFont) -> bytes:
    font.flavor = "woff2"
    stream = io.BytesIO()
    font.save(stream)
    return stream.getvalue()


def cut_slices(folder: Path, characters: str) -> Cut:
    """A bundled font: a variable one that came in slices of some hundred characters each.

    The glyphs that are needed are taken out of their slices into one new font.
    """
    from fontTools.varLib import instancer

    left = set(characters)
    picked: list[tuple[TTFont, str]] = []
    for path, declared in _slices(folder / "index.css"):
        if declared.isdisjoint(map(ord, left)):
            continue
        font = _open(path)
        found = "".join(sorted(c for c in left if ord(c) in font.getBestCmap()))
        if found:
            picked.append((font, found))
            left -= set(found)
    if not picked:
        return Cut(b"", "")
    font = instancer.instantiateVariableFont(_joined(picked), {"wght": WEIGHTS})
    covers = "".join(sorted(set(characters) - left))
    return Cut(_woff2(font), covers, "{} {}".format(*WEIGHTS))


def _slices(sheet: Path) -> Iterator[tuple[Path, set[int]]]:
    """The files that a stylesheet of fontsource names, and the code points of each."""
    for match in _FACE.finditer(sheet.read_text(encoding="utf-8")):
        parts = [part.strip().removeprefix("U+").split("-") for part in match["ranges"].split(",")]
        ranges = [range(int(part[0], 16), int(part[-1], 16) + 1) for part in parts]
        yield sheet.parent / match["file"], set().union(*ranges)


def _joined(picked: list[tuple[TTFont, str]]) -> TTFont:
    """One font of the glyphs that are needed of each slice; slices of a font share its tables."""
    fonts = [font for font, _ in picked]
    taken: dict[str, tuple[TTFont, str]] = {".notdef": (fonts[0], ".notdef")}
    for font, found in picked:
        taken |= {f"u{ord(c):04X}": (font, font.getBestCmap()[ord(c)]) for c in found}
    glyphs = {new: font["glyf"][old] for new, (font, old) in taken.items()}
    metrics = {new: font["hmtx"][old] for new, (font, old) in taken.items()}
    variations = {new: font["gvar"].variations[old] for new, (font, old) in taken.items()}
    halves = _half_widths(taken)
    return _filled(fonts[0], glyphs, metrics, variations, halves)


def _filled(
    font: TTFont,
    glyphs: dict[str, Any],
    metrics: dict[str, tuple[int, int]],
    variations: dict[str, Any],
    halves: dict[str, str],
) -> TTFont:
    """A slice with all that depends on its glyphs replaced."""
    from fontTools.feaLib.builder import addOpenTypeFeaturesFromString
    from fontTools.fontBuilder import FontBuilder

    for tag in set(font.keys()) - {*_KEPT, "gvar", "GlyphOrder"}:
        del font[tag]
    font["name"].names = [n for n in font["name"].names if n.nameID in LICENCE_NAMES]
    names = {int(name[1:], 16): name for name in glyphs if name != ".notdef"}
    builder = FontBuilder(font=font)
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap(names)
    builder.setupGlyf(glyphs)
    font["hmtx"].metrics = metrics
    font["gvar"].variations = variations
    font["post"].formatType = 3.0  # no names of glyphs
    if halves:
        rules = "".join(f"pos {glyph} <{value}>;" for glyph, value in halves.items())
        addOpenTypeFeaturesFromString(font, f"feature halt {{{rules}}} halt;")
    return font


def _half_widths(taken: dict[str, tuple[TTFont, str]]) -> dict[str, str]:
    """How full-width punctuation becomes half as wide, which browsers do where two marks meet."""
    values: dict[str, str] = {}
    by_font: dict[TTFont, dict[str, str]] = {}
    for new, (font, old) in taken.items():
        by_font.setdefault(font, {})[old] = new
    for font, names in by_font.items():
        for subtable in _lookups(font, "halt"):
            for index, glyph in enumerate(subtable.Coverage.glyphs):
                value = subtable.Value if subtable.Format == 1 else subtable.Value[index]
                if glyph in names:
                    numbers = (getattr(value, field, 0) for field in _VALUE_FIELDS)
                    values[names[glyph]] = " ".join(map(str, numbers))
    return values


def _lookups(font: TTFont, tag: str) -> Iterator[Any]:
    """The subtables of a feature of GPOS that moves single glyphs."""
    if "GPOS" not in font:
        return
    table = font["GPOS"].table
    records = table.FeatureList.FeatureRecord
    wanted = {i for r in records if r.FeatureTag == tag for i in r.Feature.LookupListIndex}
    for index in sorted(wanted):
        for subtable in table.LookupList.Lookup[index].SubTable:
            yield getattr(subtable, "ExtSubTable", subtable)
