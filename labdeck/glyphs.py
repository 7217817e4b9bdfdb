"""A font cut to some characters, with fontTools, which is imported only where that is done."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import DeckError, MachineError

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

SUFFIXES = (".ttf", ".otf", ".woff2", ".ttc", ".otc")
WEIGHTS = (400, 700)  # of a bundled font: what reveal's themes use, and all between
LARGEST = 128 << 20  # bytes that a WOFF2 file may unpack to
MOST = 2 * 0x110000  # characters that a font may claim: all of Unicode in two tables
LICENCE_NAMES = [0, 13, 14]  # entries of a font's name table that its licence wants kept
# Of a font for all of East Asia, not also the forms of other languages.
SCRIPTS = ["DFLT.dflt", "hani.dflt", "hani.ZHS", "kana.dflt", "hang.dflt", "bopo.dflt"]
_FACE = re.compile(r"url\((?P<file>[^)]+)\)[^}]*?unicode-range:\s*(?P<ranges>[^;}]+)")
# Tables that slices of a font share, and those filled anew.
_KEPT = ("head", "hhea", "maxp", "OS/2", "name", "post", "fvar", "avar")
_REPLACED = ("gvar", "glyf", "loca", "hmtx")
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


def _check_size(content: bytes) -> None:
    """ValueError if some kilobytes of WOFF2 would become gigabytes of font."""
    import brotli
    from fontTools.ttLib.woff2 import WOFF2DirectoryEntry, woff2DirectorySize

    stream = io.BytesIO(content)
    tables, packed = struct.unpack_from(">H6xI", content, 12)
    stream.seek(woff2DirectorySize)
    for _ in range(tables):
        WOFF2DirectoryEntry().fromFile(stream)
    decoder = brotli.Decompressor()
    decoder.process(stream.read(packed), output_buffer_limit=LARGEST)
    if not decoder.is_finished():
        raise ValueError(f"more than {LARGEST >> 20} MiB when unpacked, or cut off")


def _claimed(table: bytes) -> Iterator[int]:
    """How many characters each range of a `cmap` table claims, before anyone counts them out."""
    (count,) = struct.unpack_from(">2xH", table)
    offsets = {struct.unpack_from(">4xI", table, 4 + 8 * index)[0] for index in range(count)}
    for offset in offsets:
        (form,) = struct.unpack_from(">H", table, offset)
        if form == 4:
            segments = struct.unpack_from(">H", table, offset + 6)[0] // 2
            ends = struct.unpack_from(f">{segments}H", table, offset + 14)
            starts = struct.unpack_from(f">{segments}H", table, offset + 16 + 2 * segments)
            yield from (end - start for start, end in zip(starts, ends, strict=True) if end > start)
        elif form in (12, 13):
            (groups,) = struct.unpack_from(">I", table, offset + 12)
            for group in range(groups):
                start, end = struct.unpack_from(">II", table, offset + 16 + 12 * group)
                yield max(0, end - start)


def cut_file(path: Path, face: int, characters: str) -> Cut:
    """A font of the author's: its own features and metrics, fewer glyphs."""
    try:
        content = path.read_bytes()
        if content[:4] == b"wOF2":
            _check_size(content)
        font = _open(path, face)
        if sum(_claimed(font.reader["cmap"])) > MOST:
            raise ValueError("its character map is larger than Unicode")
        return _subset(font, characters)
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
    options.layout_features = [*options.layout_features, "halt", "chws"]
    options.layout_scripts = SCRIPTS
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
    from fontTools.feaLib.builder import addOpenTypeFeaturesFromString
    from fontTools.fontBuilder import FontBuilder

    first = picked[0][0]
    taken = {".notdef": (first, ".notdef")}  # name in the new font -> its slice, its name there
    names: dict[int, str] = {}
    rules: dict[str, list[str]] = {"ccmp": [], "halt": []}
    for font, found in picked:
        mapped, own = _glyphs_of(font, found)
        names |= mapped
        joins, parts = _ligatures(font, own)
        rules["ccmp"] += joins
        rules["halt"] += _half_widths(font, own)
        taken |= {new: (font, old) for new, old in (own | parts).items()}
    glyphs = {new: font["glyf"][old] for new, (font, old) in taken.items()}
    metrics = {new: font["hmtx"][old] for new, (font, old) in taken.items()}
    variations = {new: font["gvar"].variations[old] for new, (font, old) in taken.items()}
    for tag in set(first.keys()) - {*_KEPT, *_REPLACED, "GlyphOrder"}:
        del first[tag]
    builder = FontBuilder(font=first)
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap(names)
    builder.setupGlyf(glyphs)
    first["hmtx"].metrics = metrics
    first["gvar"].variations = variations
    first["post"].formatType = 3.0  # no names of glyphs
    first["name"].names = [n for n in first["name"].names if n.nameID in LICENCE_NAMES]
    features = "".join(f"feature {t} {{{''.join(r)}}} {t};" for t, r in rules.items() if r)
    addOpenTypeFeaturesFromString(first, features)
    return first


def _glyphs_of(font: TTFont, found: str) -> tuple[dict[int, str], dict[str, str]]:
    """Names in the new font by code point, and for each the glyph of a slice as Chinese has it."""
    local: dict[str, str] = {}
    for subtable in _subtables(font, "GSUB", "locl"):
        local |= getattr(subtable, "mapping", {})
    names = {ord(c): f"u{ord(c):04X}" for c in found}
    old = {name: font.getBestCmap()[code] for code, name in names.items()}
    return names, {name: local.get(glyph, glyph) for name, glyph in old.items()}


def _ligatures(font: TTFont, own: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """Rules for glyphs that several marks become together (——), and these glyphs."""
    rules: list[str] = []
    parts: dict[str, str] = {}
    names = {old: new for new, old in own.items()}
    for subtable in _subtables(font, "GSUB", "ccmp"):
        for head, ligatures in getattr(subtable, "ligatures", {}).items():
            for ligature in ligatures:
                marks = [head, *ligature.Component]
                if all(mark in names for mark in marks):
                    new = "_".join(names[mark] for mark in marks)
                    parts[new] = ligature.LigGlyph
                    rules.append(f"sub {' '.join(names[mark] for mark in marks)} by {new};")
    return rules, parts


def _half_widths(font: TTFont, own: dict[str, str]) -> list[str]:
    """Rules that make full-width punctuation half as wide, which browsers do where two meet."""
    values: dict[str, str] = {}
    for subtable in _subtables(font, "GPOS", "halt"):
        for index, glyph in enumerate(subtable.Coverage.glyphs):
            value = subtable.Value if subtable.Format == 1 else subtable.Value[index]
            values[glyph] = " ".join(str(getattr(value, field, 0)) for field in _VALUE_FIELDS)
    return [f"pos {new} <{values[old]}>;" for new, old in own.items() if old in values]


def _subtables(font: TTFont, table: str, feature: str) -> Iterator[Any]:
    """What a feature does to Chinese: the subtables of its lookups."""
    if table not in font or font[table].table.ScriptList is None:
        return
    layout = font[table].table
    scripts = {r.ScriptTag: r.Script for r in layout.ScriptList.ScriptRecord}
    script = scripts.get("hani") or scripts["DFLT"]
    languages = {r.LangSysTag: r.LangSys for r in script.LangSysRecord}
    system = languages.get("ZHS ") or script.DefaultLangSys
    records = [layout.FeatureList.FeatureRecord[index] for index in system.FeatureIndex]
    wanted = {i for r in records if r.FeatureTag == feature for i in r.Feature.LookupListIndex}
    for index in sorted(wanted):
        for subtable in layout.LookupList.Lookup[index].SubTable:
            yield getattr(subtable, "ExtSubTable", subtable)
