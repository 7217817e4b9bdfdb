"""Fonts for Chinese: which characters, cutting, the rules of the page, and what Chromium draws."""

from __future__ import annotations

import builtins
import io
import re
import struct
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont

from labdeck.cache import Cache
from labdeck.errors import MachineError
from labdeck.fonts import BUNDLED, FAMILY, Source, characters
from labdeck.glyphs import Cut
from labdeck.layers import assets_root
from tests.conftest import Project

MakeProject = Callable[..., Project]
NOTO = assets_root() / BUNDLED["noto-sans-sc"]
SHARED = Path(__file__).parents[2] / "shared"
RARE = "\U00030edd"  # a character that no common font has


def deck(body: str, front: str = "fonts: {cjk: noto-sans-sc}\n") -> dict[str, str]:
    return {"slides/a.md": f"---\ntitle: T\n{front}---\n{body}"}


def subset_of(made: Project) -> TTFont:
    """The one cut font of a site, read back."""
    [name] = [name for name in made.site() if name.endswith("labdeck-cjk.woff2")]
    return TTFont(io.BytesIO(made.site()[name]))


def covered(made: Project) -> str:
    return "".join(map(chr, sorted(subset_of(made).getBestCmap())))


def sheet_of(made: Project) -> str:
    [name] = [name for name in made.site() if name.endswith("labdeck-cjk.css")]
    return made.site()[name].decode()


def cut(text: str, source: Source | None = None) -> Cut:
    return (source or Source(NOTO)).cut(characters(text), Cache())


def square_font(text: str, kind: str = "ttf", family: str = "Square") -> bytes:
    """A font that draws each character of a text, and Latin A, as a square."""
    names = {ord(c): f"u{ord(c):04X}" for c in (*text, "A")}
    glyphs = [".notdef", *names.values()]
    builder = FontBuilder(1000, isTTF=kind != "otf")
    builder.setupGlyphOrder(glyphs)
    builder.setupCharacterMap(names)
    if kind == "otf":
        pen: Any = T2CharStringPen(1000, None)
        draw(pen)
        outlines = {name: pen.getCharString() for name in glyphs}
        builder.setupCFF(family, {}, outlines, {})
    else:
        pen = TTGlyphPen(None)
        draw(pen)
        builder.setupGlyf({name: pen.glyph() for name in glyphs})
    builder.setupHorizontalMetrics({name: (1000, 100) for name in glyphs})
    builder.setupHorizontalHeader(ascent=880, descent=-120)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    return saved(builder.font, kind)


def draw(pen: Any) -> None:
    pen.moveTo((100, 0))
    for point in ((100, 800), (900, 800), (900, 0)):
        pen.lineTo(point)
    pen.closePath()


def saved(font: TTFont, kind: str) -> bytes:
    stream = io.BytesIO()
    font.flavor = "woff2" if kind == "woff2" else None
    font.save(stream)
    return stream.getvalue()


# Which characters


@pytest.mark.parametrize(
    ("page", "asked"),
    [
        ("<p>王倓 reads π and é</p>", "王倓"),
        ("<!-- 注释 --><p>&#x738b;，（。）</p><!-- b --><p>倓", "。倓王（），"),
        ("<script>var s = '<!--'</script><p>王</p>", "王"),
        ("<p>“引号”——后文……①②</p>", "—“”…①②引后号文"),
        ("<p>“quoted” — text … of 王 · 3×3</p>", "王"),
        ("<p>“is” and “as” 王“</p>", "王"),
        ('<script type="application/json">{"name":"损失"}</script>', "损失"),
        ('<img alt="图">', "图"),
        ("かな한글𠮷", "かな글한𠮷"),
    ],
)
def test_the_characters_of_a_page(page: str, asked: str) -> None:
    assert characters(page) == "".join(sorted(asked))


def test_stylesheets_add_what_they_write_on_the_page() -> None:
    sheet = '/* 注释 */ h2::before { color: red; content: "第" counter(a) "页" }'
    assert set(characters("<p>王</p>", [sheet])) == set("王第页")


# Cutting the bundled font


def test_every_character_asked_for_is_in_the_font_and_no_other() -> None:
    text = "王倓用于学习，捕获（序列）“依赖”①"
    made = cut(text)
    font = TTFont(io.BytesIO(made.content))
    assert set(font.getBestCmap()) == {ord(c) for c in text}
    assert made.covers == "".join(sorted(set(text)))
    assert set(font.keys()) >= {"glyf", "gvar", "fvar"} and font.flavor == "woff2"
    assert font["maxp"].numGlyphs == len(set(text)) + 1


def test_the_glyphs_are_those_of_the_package() -> None:
    """Each glyph at weight 400 and 700 has the outline that its slice gives there."""
    from fontTools.varLib.instancer import instantiateVariableFont

    text = "倓王，"
    for weight in (400, 700):
        made = instantiateVariableFont(
            TTFont(io.BytesIO(cut(text).content)), {"wght": weight}, inplace=False
        )
        for character in text:
            own = made["glyf"][made.getBestCmap()[ord(character)]]
            slice_ = instantiateVariableFont(slice_with(character), {"wght": weight})
            name = slice_.getBestCmap()[ord(character)]
            expected = slice_["glyf"][name]
            assert own.endPtsOfContours == expected.endPtsOfContours
            differences = [
                max(abs(a - c), abs(b - d))
                for (a, b), (c, d) in zip(own.coordinates, expected.coordinates, strict=True)
            ]
            assert max(differences) <= 1, character  # of 1000: deltas are rounded
            assert made["hmtx"][made.getBestCmap()[ord(character)]][0] == slice_["hmtx"][name][0]


def slice_with(character: str) -> TTFont:
    for path in sorted((NOTO / "files").glob("*.woff2")):
        font = TTFont(io.BytesIO(path.read_bytes()))
        if ord(character) in font.getBestCmap():
            return font
    raise AssertionError(character)


def test_bold_is_bolder() -> None:
    from fontTools.pens.areaPen import AreaPen
    from fontTools.varLib.instancer import instantiateVariableFont

    def ink(weight: int) -> float:
        font = instantiateVariableFont(TTFont(io.BytesIO(cut("王").content)), {"wght": weight})
        glyphs = font.getGlyphSet()
        pen = AreaPen(glyphs)
        glyphs[font.getBestCmap()[ord("王")]].draw(pen)
        return abs(pen.value)

    assert cut("王").weight == "400 700"
    assert ink(700) > 1.3 * ink(400)


def test_punctuation_can_still_become_half_as_wide() -> None:
    font = TTFont(io.BytesIO(cut("王，“（").content))
    [record] = font["GPOS"].table.FeatureList.FeatureRecord
    [index] = record.Feature.LookupListIndex
    tables = font["GPOS"].table.LookupList.Lookup[index].SubTable
    glyphs = {glyph for table in tables for glyph in table.Coverage.glyphs}
    assert record.FeatureTag == "halt"
    assert glyphs == {font.getBestCmap()[ord(c)] for c in "，“（"}


def test_two_dashes_are_one_line_as_wide_as_two_characters() -> None:
    font = TTFont(io.BytesIO(cut("王——倓").content))
    [table] = font["GSUB"].table.LookupList.Lookup[0].SubTable
    dash = font.getBestCmap()[ord("—")]
    [two] = [found.LigGlyph for found in table.ligatures[dash] if found.Component == [dash]]
    assert (font["hmtx"][dash][0], font["hmtx"][two][0]) == (1000, 2000)


def test_every_common_character_of_gb_2312_is_there() -> None:
    rows = (bytes([row, cell]) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF))
    common = {pair.decode("gb2312", errors="ignore") for pair in rows} - {""}
    sheet = (NOTO / "index.css").read_text(encoding="utf-8")
    files = [NOTO / name for name in re.findall(r"url\(\./([^)]+)\)", sheet)]
    there = {
        code
        for path in files
        for code in TTFont(io.BytesIO(path.read_bytes()))["cmap"].getBestCmap()
    }
    assert len(common) == 3755
    assert {c for c in common if ord(c) not in there} == set()


def test_the_slices_have_no_glyph_made_of_others() -> None:
    """Glyphs are taken out of their slices alone."""
    for path in sorted((NOTO / "files").glob("noto-sans-sc-[0-9]*.woff2")):
        font = TTFont(io.BytesIO(path.read_bytes()))
        assert not any(font["glyf"][g].isComposite() for g in font.getGlyphOrder()), path.name


def test_the_bytes_are_the_same_each_time() -> None:
    assert cut("王倓，").content == cut("倓，王").content


def test_the_licence_stays_in_the_font() -> None:
    names = TTFont(io.BytesIO(cut("王").content))["name"].names
    assert {name.nameID for name in names} <= {0, 13, 14}
    assert any("scripts.sil.org/OFL" in name.toUnicode() for name in names)


def test_a_font_is_cut_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Cache(tmp_path / "cache.json", "1")
    made = Source(NOTO).cut("王倓", first)
    first.save()
    monkeypatch.setattr("labdeck.fonts.cut_slices", None)
    assert Source(NOTO).cut("王倓", Cache(tmp_path / "cache.json", "1")) == made


# In a build


def test_a_deck_gets_its_characters_from_text_figures_templates_and_styles(
    toy: Callable[..., Project],
) -> None:
    made = toy(
        "# 学习\n\n王倓\n\n```demo toy.curve\n```\n",
        "lang: zh-CN\nfonts: {cjk: noto-sans-sc}\ncss: slides/x.css\n",
        **{
            "slides/x.css": 'h1::after { content: "页" }',
            "custom/templates/deck.html": '{% extends "labdeck/deck.html" %}'
            "{% block overlay %}<footer>组会</footer>{% endblock %}",
        },
    )
    ran = made.build()
    assert (ran.code, ran.err) == (0, "")
    assert set("学习王倓损失步数页组会") <= set(covered(made))


def test_the_stylesheet_stands_between_the_theme_and_the_authors(built: MakeProject) -> None:
    made = built(
        {**deck("# 王", "fonts: {cjk: noto-sans-sc}\ncss: x.css\n"), "slides/x.css": "x{}"}
    )
    hrefs = re.findall(r'<link rel="stylesheet" href="([^"]+)"', made.page())
    names = [href.rpartition("/")[2] for href in hrefs]
    order = [names.index(n) for n in ("black.css", "labdeck-cjk.css", "x.css")]
    assert order == sorted(order)


def test_the_rules_of_the_page(built: MakeProject) -> None:
    made = built(deck("# 王“倓”"))
    css = sheet_of(made)
    [font] = [name for name in made.site() if name.endswith("labdeck-cjk.woff2")]
    assert f'url("../{font.removeprefix("_assets/")}")' in css
    assert "font-weight:400 700" in css
    assert "unicode-range:U+2E80-3FFFF,U+201C,U+201D}" in css
    assert f'.reveal{{font-family:"{FAMILY}",var(--r-main-font)}}' in css
    assert f'.reveal code{{font-family:var(--r-code-font),"{FAMILY}"}}' in css


def test_without_the_option_or_without_cjk_nothing_is_added(built: MakeProject) -> None:
    made = built({**deck("# 王", ""), "slides/b.md": deck("# A")["slides/a.md"]})
    assert "labdeck-cjk" not in made.page("a.html") + made.page("b.html")


def test_a_deck_can_switch_off_what_its_project_asks_for(built: MakeProject) -> None:
    front = "fonts: {cjk: false}\n"
    toml = '[tool.labdeck]\nfonts = {cjk = "noto-sans-sc"}\n'
    made = built({**deck("# 王", front), "slides/b.md": "# 王", "pyproject.toml": toml})
    assert "labdeck-cjk" not in made.page("a.html")
    assert "labdeck-cjk" in made.page("b.html")


def test_the_name_alone_will_do(project: MakeProject) -> None:
    made = project({"slides/a.md": "# 王"})
    assert made.build("--fonts", "noto-sans-sc").code == 0
    assert covered(made) == "王"


def test_a_second_build_cuts_nothing_and_writes_nothing(
    built: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = built(deck("# 王倓"))
    before = made.site()
    monkeypatch.setattr("labdeck.fonts.cut_slices", None)
    ran = made.build()
    assert (ran.code, ran.err) == (0, "") and "nothing changed" in ran.out
    assert made.site() == before


def test_a_cold_build_gives_the_same_bytes(built: MakeProject) -> None:
    made = built(deck("# 王倓"))
    assert (made.root / ".labdeck").is_dir()
    for path in (made.root / ".labdeck").glob("*.json"):
        path.unlink()
    ran = made.build()
    assert ran.code == 0 and "nothing changed" in ran.out


def test_what_the_font_lacks_is_named_with_its_place(project: MakeProject) -> None:
    made = project(deck(f"# 王\n\n---\n\n한 {RARE}\n"))
    ran = made.build()
    assert ran.code == 0
    assert ran.err == (
        "slides/a.md:9: warning: `noto-sans-sc` has no glyph for 한 (U+D55C), "
        f"{RARE} (U+30EDD)\n"
        "    → the reader's own fonts have to draw them; name a font file that has them\n"
    )
    assert covered(made) == "王"
    assert made.build("--strict").code == 1


def test_a_warning_names_twenty_characters_and_counts_the_rest(project: MakeProject) -> None:
    text = "".join(map(chr, range(0xAC00, 0xAC00 + 23)))
    ran = project(deck(f"# {text}")).build()
    assert ran.err.count("(U+AC") == 20
    assert "(U+AC13) and 3 more\n" in ran.err


def test_a_lack_that_is_not_in_the_text_is_reported_at_the_option(project: MakeProject) -> None:
    ran = project(deck("# 王 &#xD55C;")).build()
    assert ran.err.startswith("slides/a.md:3:1: warning: `noto-sans-sc` has no glyph for 한")


@pytest.mark.shared
def test_the_source_deck_needs_less_than_60_kb(project: MakeProject) -> None:
    [seed] = (SHARED / "seeds").glob("000_*.txt")
    text = seed.read_text(encoding="utf-8")
    made = project({"slides/a.md": text})
    assert made.build("--fonts", "noto-sans-sc").code == 0
    [size] = [len(c) for n, c in made.site().items() if n.endswith("labdeck-cjk.woff2")]
    body = text.split("---", 2)[2]
    wide = {c for c in body if unicodedata.east_asian_width(c) in "WF"}
    assert "倓" in wide and wide <= set(covered(made))
    assert size < 60_000


# A font file of the author's


@pytest.mark.parametrize("kind", ["ttf", "otf", "woff2"])
def test_a_font_file_is_cut(project: MakeProject, kind: str) -> None:
    front = f"fonts: {{cjk: fonts/square.{kind}}}\n"
    made = project({**deck("# 王 A 倓", front), f"fonts/square.{kind}": square_font("王学", kind)})
    ran = made.build()
    assert ran.err == (
        f"slides/a.md:5: warning: `fonts/square.{kind}` has no glyph for 倓 (U+5013)\n"
        "    → the reader's own fonts have to draw them; name a font file that has them\n"
    )
    assert covered(made) == "王"
    assert "font-weight" not in sheet_of(made)


def test_a_face_of_a_collection(project: MakeProject) -> None:
    collection = TTCollection()
    collection.fonts = [TTFont(io.BytesIO(square_font(text))) for text in ("王", "倓")]
    stream = io.BytesIO()
    collection.save(stream)
    files = {"slides/two.ttc": stream.getvalue()}
    made = project({**deck("# 倓", "fonts: {cjk: two.ttc#1}\n"), **files})
    ran = made.build()
    assert (ran.code, ran.err) == (0, "")
    assert covered(made) == "倓"


def test_a_variable_font_file_keeps_its_weights(built: MakeProject) -> None:
    font = slice_with("倓")
    files = {"slides/v.ttf": saved(font, "ttf")}
    made = built({**deck("# 倓", "fonts: {cjk: v.ttf}\n"), **files})
    assert "font-weight:100 900;" in sheet_of(made)
    assert covered(made) == "倓"


def test_a_changed_font_file_is_cut_anew(built: MakeProject) -> None:
    front = "fonts: {cjk: a.ttf}\n"
    made = built({**deck("# 王", front), "slides/a.ttf": square_font("王", family="One")})
    before = made.site()
    made.write({"slides/a.ttf": square_font("王倓", family="Two")})
    made.write(deck("# 王倓", front))
    assert made.build().err == ""
    assert covered(made) == "倓王" and made.site() != before


@pytest.mark.parametrize(
    ("fonts", "message"),
    [
        (
            "{latin: x}",
            "slides/a.md:3:1: error: `fonts` knows only `cjk`, not `latin`, got {'latin': 'x'}\n"
            "    → `cjk:` noto-sans-sc or a font file, cut to the deck's text\n",
        ),
        (
            "{cjk: [a]}",
            "slides/a.md:3:1: error: `fonts` must name a font or a font file under `cjk`, "
            "got {'cjk': ['a']}\n"
            "    → `cjk:` noto-sans-sc or a font file, cut to the deck's text\n",
        ),
        (
            "{cjk: noto-sans}",
            "slides/a.md:3:1: error: no font `noto-sans`\n    → did you mean `noto-sans-sc`?; "
            "or name a file: .ttf, .otf, .woff2, .ttc, .otc\n",
        ),
        (
            "{cjk: bad.ttf}",
            "slides/a.md:3:1: error: bad.ttf cannot be read as a font: "
            "Not a TrueType or OpenType font (bad sfntVersion)\n    → it must be one of .ttf, "
            ".otf, .woff2, .ttc, .otc; of a collection, `bad.ttf#2` is the third face\n",
        ),
    ],
    ids=["unknown key", "wrong kind", "unknown name", "no font"],
)
def test_what_is_wrong_with_the_option(project: MakeProject, fonts: str, message: str) -> None:
    files = {"slides/bad.ttf": b"no font at all, just text"}
    ran = project({**deck("# 王", f"fonts: {fonts}\n"), **files}).build()
    assert ran.code == 1
    assert ran.err.startswith(message)


def test_a_broken_font_file_is_an_error_of_the_deck(project: MakeProject) -> None:
    font = square_font("王")
    for end in range(10, len(font) - 10, len(font) // 12):
        made = project({**deck("# 王", "fonts: {cjk: b.ttf}\n"), "slides/b.ttf": font[:end]})
        ran = made.build()
        assert ran.code == 1
        assert ran.err.startswith("slides/a.md:3:1: error: b.ttf cannot be read as a font: ")


def test_a_small_file_that_unpacks_to_a_large_one_is_refused(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fontTools.ttLib.tables.DefaultTable import DefaultTable

    monkeypatch.setattr("labdeck.glyphs.LARGEST", 1 << 20)
    font = TTFont(io.BytesIO(square_font("王")))
    font["zero"] = DefaultTable("zero")
    font["zero"].data = bytes(2 << 20)
    content = saved(font, "woff2")
    assert len(content) < 10_000
    made = project({**deck("# 王", "fonts: {cjk: z.woff2}\n"), "slides/z.woff2": content})
    ran = made.build()
    assert ran.code == 1
    assert ran.err.startswith(
        "slides/a.md:3:1: error: z.woff2 cannot be read as a font: "
        "more than 1 MiB when unpacked, or cut off\n"
    )


@pytest.mark.parametrize(
    "subtable",
    [
        struct.pack(">HHIIIIII", 12, 0, 28, 0, 1, 0, 0xFFFFFFFE, 1),
        struct.pack(">7H", 4, 9000, 0, 400, 0, 0, 0)
        + b"".join(word * 200 for word in (b"\xff\xfe", b"\0\0"))
        + bytes(802),
    ],
    ids=["format 12", "format 4"],
)
def test_a_character_map_larger_than_unicode_is_refused(
    project: MakeProject, subtable: bytes
) -> None:
    from fontTools.ttLib.tables.DefaultTable import DefaultTable

    font = TTFont(io.BytesIO(square_font("王")))
    font["cmap"] = DefaultTable("cmap")
    font["cmap"].data = struct.pack(">HHHHI", 0, 1, 3, 10, 12) + subtable
    files = {"slides/m.ttf": saved(font, "ttf")}
    ran = project({**deck("# 王", "fonts: {cjk: m.ttf}\n"), **files}).build()
    assert ran.code == 1
    assert ran.err.startswith(
        "slides/a.md:3:1: error: m.ttf cannot be read as a font: "
        "its character map is larger than Unicode\n"
    )


def test_a_missing_font_file_is_a_warning(project: MakeProject) -> None:
    ran = project(deck("# 王", "fonts: {cjk: gone.ttf}\n")).build()
    assert ran.code == 0
    assert ran.err.startswith("slides/a.md:3:1: warning: no such file: gone.ttf\n")


def test_a_theme_without_reveals_properties_is_named(project: MakeProject) -> None:
    front = "fonts: {cjk: noto-sans-sc}\ntheme: mine.css\n"
    made = project({**deck("# 王", front), "slides/mine.css": ".reveal { font-family: Arial }"})
    ran = made.build()
    assert ran.err == (
        "slides/a.md:3:1: warning: theme `mine.css` sets no --r-main-font and --r-heading-font, "
        'so nothing asks for "labdeck CJK"\n'
        '    → put "labdeck CJK" first where your stylesheets set font-family\n'
    )
    assert sheet_of(made).startswith("@font-face") and ".reveal" not in sheet_of(made)


def test_without_fonttools_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == "fontTools":
            raise ModuleNotFoundError(f"No module named {name!r}", name="fontTools")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MachineError) as caught:
        Source(NOTO).cut("王", Cache())
    assert str(caught.value) == (
        'error: `fonts` needs fontTools, which is not installed\n    → pip install "labdeck[fonts]"'
    )


# In Chromium


def platform_fonts(page: Any, selector: str) -> dict[str, int]:
    """How many glyphs of an element come from fonts of the page, and how many from the system's."""
    session = page.context.new_cdp_session(page)
    session.send("DOM.enable")
    session.send("CSS.enable")
    root = session.send("DOM.getDocument")["root"]["nodeId"]
    node = session.send("DOM.querySelector", {"nodeId": root, "selector": selector})["nodeId"]
    fonts = session.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
    counts = {"page": 0, "system": 0}
    for font in fonts:
        counts["page" if font["isCustomFont"] else "system"] += int(font["glyphCount"])
    return counts


@pytest.mark.browser
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("theme", ["simple", "black", "serif"])
def test_chromium_draws_every_character_with_the_font(
    built: MakeProject, browser: Any, theme: str
) -> None:
    body = (
        '# 学习倓\n\n<p id="plain">王倓，“引”</p>\n\n<p id="bold"><b>王倓</b></p>\n\n'
        '<p id="own">王</p>\n\n<p id="code"><code>变量</code></p>\n\n$\\text{注意}$\n'
    )
    front = f"theme: {theme}\nfonts: {{cjk: noto-sans-sc}}\ncss: x.css\n"
    made = built({**deck(body, front), "slides/x.css": "#own { font-family: serif }"})
    requests: list[str] = []
    context = browser.new_context(offline=True)
    context.on("request", lambda request: requests.append(request.url))
    page = context.new_page()
    page.goto((made.root / "_site/a.html").as_uri())
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    page.evaluate("document.fonts.ready.then(() => 0)")
    assert page.evaluate(f"document.fonts.check('700 20px \"{FAMILY}\"', '倓')")
    drawn = {s: platform_fonts(page, s) for s in ("h1", "#plain", "#bold b", "#own", "#code code")}
    drawn["math"] = platform_fonts(page, ".katex .cjk_fallback")
    context.close()
    assert drawn == {
        "h1": {"page": 3, "system": 0},
        "#plain": {"page": 6, "system": 0},
        "#bold b": {"page": 2, "system": 0},
        "#own": {"page": 0, "system": 1},
        "#code code": {"page": 2, "system": 0},
        "math": {"page": 2, "system": 0},
    }
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    assert sum(url.endswith("labdeck-cjk.woff2") for url in requests) == 1
