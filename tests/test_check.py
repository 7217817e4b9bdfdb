"""`labdeck check`: decks with planted faults in Chromium, and what the command says of them."""

from __future__ import annotations

import json
import shutil
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labdeck.complaint import Sources, complain, reported
from labdeck.errors import Problem, Where
from labdeck.finding import Finding, Spot
from labdeck.inspect_page import Fault, Place, Seen
from labdeck.model import Deck, Settings, Slide, Span, Stack
from tests.conftest import TOY_DEMO, Project

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
MakeProject = Callable[..., Project]
FRONT = "theme: white\nrevealOptions: {width: 1280, height: 720}\n"
HEAD = f"---\n{FRONT}---\n"


@pytest.fixture
def chromium() -> None:
    """Skips a test where there is no browser."""
    pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))):
        pytest.skip("no Chromium on PATH")


def png(width: int, height: int) -> bytes:
    """A picture of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x20\x40\x80" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def findings(made: Project, *arguments: str, code: int = 1) -> list[dict[str, Any]]:
    """What `check --json` finds."""
    ran = made.run("check", "--json", *arguments)
    assert (ran.code, ran.err) == (code, "")
    told = json.loads(ran.out)
    assert told["summary"]["findings"] == len(told["findings"])
    return told["findings"]  # type: ignore[no-any-return]


def brief(found: list[dict[str, Any]]) -> list[tuple[str, int | None, str | None]]:
    return [(one["code"], one["line"], one["selector"]) for one in found]


# The deck with one fault of each kind

BULLETS = "\n".join(f"- item {n}" for n in range(25))
CODE = "```py [1|2] {rest}\na = 1\nb = 2\n```"
COLUMNS = """<div style="display: grid; grid-template-columns: 1fr 1fr">
<div>

left

</div>
<div style="white-space: nowrap; word-spacing: 900px; min-width: 0">

far out

</div>
</div>"""
CUT = '<div style="overflow: hidden; height: 50px">\n\nfirst\n\nsecond\n\n</div>'
PLANTED = [
    ("overflow", f"{BULLETS}"),
    ("overflow", f"{COLUMNS}"),
    ("clipped", f"{CUT}"),
    ("small-text", '<p style="font-size: 12px">Who can read this?</p>'),
    ("upscaled-image", '![a blue field](small.png) <!-- .element: style="width: 300px" -->'),
    ("low-contrast", '<p style="color: #ccc">Who can see this?</p>'),
    ("missing-alt", "![](large.png)"),
    ("broken-link", "[fine](#/1) [fine](#/the-end) [broken](#/gone)"),
    ("missing-file", "![not there](gone.png)"),
    ("external-request", "![far away](https://example.org/x.png)"),
    ("code-info-rest", CODE),
    ("result-stale", "{{ toy.loss }}\n\n## The end"),
]


@pytest.fixture
def planted(project: MakeProject) -> Project:
    slides = "\n\n---\n\n".join(f"{text}\n\nNote: said" for _, text in PLANTED)
    text = f"---\n{FRONT}demos:\n  toy: toy.measure\n---\n{slides}\n"
    pictures = {"slides/small.png": png(30, 20), "slides/large.png": png(300, 200)}
    made = project({"demos/toy/demo.py": TOY_DEMO, "slides/a.md": text, **pictures})
    made.bake()
    made.write({"demos/toy/demo.py": TOY_DEMO.replace("0.5", "0.6")})
    return made


@pytest.mark.browser
def test_exactly_the_planted_faults_are_found(planted: Project, chromium: None) -> None:
    found = findings(planted)
    assert sorted(one["code"] for one in found) == sorted(code for code, _ in PLANTED)
    by_slide = {one["slide"]["h"]: one["code"] for one in found if one["slide"]}
    assert by_slide == {h: code for h, (code, _) in enumerate(PLANTED) if code != "result-stale"}
    lines = planted.read("slides/a.md").splitlines()
    said = {one["code"]: lines[one["line"] - 1] for one in found}
    assert said == {
        "overflow": said["overflow"],
        "clipped": "second",
        "small-text": PLANTED[3][1],
        "upscaled-image": PLANTED[4][1],
        "low-contrast": PLANTED[5][1],
        "missing-alt": "![](large.png)",
        "broken-link": PLANTED[7][1],
        "missing-file": PLANTED[8][1],
        "external-request": PLANTED[9][1],
        "code-info-rest": CODE.splitlines()[0],
        "result-stale": "  toy: toy.measure",
    }
    assert not (planted.root / "_site").exists()
    assert '"loss"' in planted.read(next((planted.root / "slides/baked").iterdir()).as_posix())


@pytest.mark.browser
def test_the_faults_come_with_their_values(planted: Project, chromium: None) -> None:
    found = {(one["code"], one["slide"] and one["slide"]["h"]): one for one in findings(planted)}
    below, right = found["overflow", 0], found["overflow", 1]
    assert below["selector"] == "ul > li:nth-of-type(25)" and below["values"]["side"] == "bottom"
    assert 500 < below["values"]["pixels"] < 1500
    assert below["message"] == f"content is {below['values']['pixels']} px below the slide"
    assert (
        right["values"]["side"] == "right" and right["selector"] == "div > div:nth-of-type(2) > p"
    )
    assert found["clipped", 2]["values"]["side"] == "bottom"
    assert found["small-text", 3]["values"] == {"px": 12, "count": 1}
    enlarged = found["upscaled-image", 4]
    assert enlarged["values"] == {"natural": [30, 20], "drawn": [300, 200], "times": 10}
    assert enlarged["message"] == "a picture of 30x20 pixels is drawn 300x200"
    faint = found["low-contrast", 5]["values"]
    assert (faint["text"], faint["ground"], faint["ratio"]) == ("#cccccc", "#ffffff", 1.6)
    assert found["broken-link", 7]["message"] == "`#/gone` leads to no slide"
    assert found["external-request", 9]["selector"] == "p > img"
    assert all(one["remedy"] for one in found.values())


CLEAN = f"""# Clean

$$\\sqrt{{\\frac{{a^{{b^c}}}}{{\\sum_i x_i}}}}$$

Note: {"a very long note " * 80}

---

## Pictures

![a blue field](large.png) <!-- .element: style="width: 300px" -->

![](small.png) <!-- .element: role="presentation" -->

[back](#/clean) and [down](#/2/1) and [out](https://example.org/)

---

```py [1|30]
{"x = 1" + chr(10) + "".join(f"y{n} = {n}" + chr(10) for n in range(30))}```

----

one <!-- .element: class="fragment" -->

two <!-- .element: class="fragment" -->

<p class="fragment fade-out">three</p>

<span style="position: absolute; width: 1px; height: 1px; overflow: hidden">for readers</span>
"""


@pytest.mark.browser
def test_a_clean_deck_has_no_finding(project: MakeProject, chromium: None) -> None:
    pictures = {"slides/small.png": png(30, 20), "slides/large.png": png(300, 200)}
    made = project({"slides/a.md": HEAD + CLEAN, **pictures})
    assert findings(made, code=0) == []
    ran = made.run("check")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "0 findings in 1 talk, 4 slides")


@pytest.mark.browser
def test_each_step_is_looked_at_and_a_fault_is_told_once(
    project: MakeProject, chromium: None
) -> None:
    out = 'style="position: absolute; top: {}px"'
    slide = (
        '# A\n\n- a <!-- .element: class="fragment" -->\n\n'
        f'<p class="fragment fade-in-then-out" {out.format(760)}>b</p>\n'
        f'<p class="fragment" {out.format(900)}>c</p>\n<p class="fragment">d</p>\n'
        '<p class="fragment" style="color: #ddd">Who sees this?</p>\n'
    )
    found = findings(project({"slides/a.md": HEAD + slide}))
    assert [(one["code"], one["step"]) for one in found] == [("overflow", 2), ("low-contrast", 5)]
    assert (
        found[0]["values"]["pixels"] > 180 and found[0]["selector"] == "p.fragment:nth-of-type(2)"
    )


@pytest.mark.browser
@pytest.mark.parametrize(
    ("slide", "codes"),
    [
        ("# 第 \U0001fff0 章", ["missing-glyph"]),
        ("char \u0378\n\n$x$ 倓 → ×", ["missing-glyph"]),
        ('<img src="l.png">', ["missing-alt"]),
        ('[x](#/0/1) [y](#/7) [z](#/a/0)\n\n# a', ["broken-link", "broken-link"]),
        (f"```py\n{'x' * 400}\n```", ["clipped"]),
        ("```py\n" + "x = 1\n" * 40 + "```", ["clipped"]),
        ('<p style="position: absolute; left: -40px; margin: 0">left</p>', ["overflow"]),
        ('<div style="zoom: 0.2"><p>small</p></div>', ["small-text"]),
        ('<svg width="9" viewBox="0 0 9 9"><text y="9" font-size="9">s</text></svg>',
         ["small-text"]),
        ("H<sub>2</sub>O and $x^{y^z}$ <!-- .element: style=\"font-size: 15px\" -->", []),
        ('![s](l.png) <!-- .element: style="width: 300px; image-rendering: pixelated" -->', []),
    ],
)  # fmt: skip
def test_a_fault_of_its_kind(
    slide: str, codes: list[str], project: MakeProject, chromium: None
) -> None:
    made = project({"slides/a.md": HEAD + slide, "slides/l.png": png(60, 40)})
    assert [one["code"] for one in findings(made, code=1 if codes else 0)] == codes


@pytest.mark.browser
def test_what_scripts_do_is_seen(project: MakeProject, chromium: None) -> None:
    script = (
        "fetch('https://example.org/data').catch(() => 0);"
        "document.body.append(Object.assign(new Image(), {src: 'gone.png'}));"
        "setTimeout(() => nosuch(), 0);"
    )
    made = project({"slides/a.md": "---\nscripts: p.js\n---\n# A", "slides/p.js": script})
    found = findings(made)
    assert [(one["code"], one["file"], one["slide"]) for one in found] == [
        ("external-request", "slides/a.md", None),
        ("missing-file", "slides/a.md", None),
        ("script-error", "slides/a.md", None),
    ]
    assert found[0]["message"] == "the page asks another host for https://example.org/data"
    assert found[1]["message"] == "the page asks for gone.png, which is not in the site"
    assert "nosuch is not defined" in found[2]["message"]


@pytest.mark.browser
def test_a_page_that_does_not_start_is_a_finding(
    project: MakeProject, chromium: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labdeck.inspect_page.READY_MS", 1500)
    made = project(
        {"slides/a.md": "---\nscripts: p.js\n---\n# A", "slides/p.js": "delete window.Reveal"}
    )
    [one] = findings(made)
    assert (one["code"], one["severity"], one["file"]) == ("page-broken", "error", "slides/a.md")
    assert one["message"].startswith("the page does not work in Chromium: ")


@pytest.mark.browser
def test_what_cannot_be_built_is_told_and_the_rest_looked_at(
    project: MakeProject, chromium: None
) -> None:
    made = project(
        {"slides/a.md": "$\\nosuch{$", "slides/b.md": HEAD + '<p style="font-size: 9px">b</p>'}
    )
    ran = made.run("check", "--json")
    told = json.loads(ran.out)
    assert [(one["code"], one["severity"]) for one in told["findings"]] == [
        ("tex", "error"),
        ("small-text", "warning"),
    ]
    assert told["summary"] == {
        "findings": 2,
        "by_code": {"small-text": 1, "tex": 1},
        "talks": 1,
        "slides": 1,
        "steps": 1,
        "not_built": ["a.html"],
    }


@pytest.mark.browser
def test_results_of_uncommitted_sources_are_told(
    toy: Callable[..., Project], chromium: None
) -> None:
    made = toy("# {{ toy.loss }}", FRONT)
    assert findings(made, code=0) == []
    from dataclasses import replace

    from labdeck import results

    path = next((made.root / "slides/baked").glob("**/*.json"))
    stored = results.read(path)
    results.write(
        made.root / "slides/baked",
        replace(stored, provenance=replace(stored.provenance, dirty=True)),
    )
    [one] = findings(made)
    assert (one["code"], one["line"]) == ("result-dirty", 5)
    assert (
        one["message"] == "the result of `toy.measure` comes from sources that were not committed"
    )


@pytest.mark.browser
def test_the_table_names_place_fault_and_remedy(project: MakeProject, chromium: None) -> None:
    made = project({"slides/a.md": HEAD + '# A\n\n---\n\n<p style="font-size: 7px">b</p>'})
    ran = made.run("check", "slides/a.md")
    assert ran.code == 1
    assert [line.rstrip() for line in ran.out.splitlines()] == [
        "place          what is wrong, and what to do",
        "slides/a.md:9  small-text: text of 7 px, at 1280 px slide width; 14 px is least",
        "#/1/0          p",
        "               → set it larger, or leave it out",
        "1 finding in 1 talk, 2 slides",
    ]


@pytest.mark.browser
@pytest.mark.slow
def test_the_shipped_talks_have_no_finding(chromium: None, tmp_path: Path) -> None:
    from labdeck.check import check
    from labdeck.site import Job

    root = Path(__file__).parent.parent
    report = check(Job(root / "slides", root, tmp_path / "none"))
    assert [str(finding) for finding in report.findings] == []
    assert report.talks == len(list((root / "slides").glob("*.md")))
    assert report.steps > report.slides > 30


# What the machine may lack


def test_without_playwright_the_remedy_is_said(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "playwright", None)
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    ran = project({"slides/a.md": "# A"}).run("check")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == (
        "error: looking at pages needs Playwright, which is not installed\n"
        "    → install it: pip install 'labdeck[check]'\n"
    )


@pytest.mark.browser
def test_without_chromium_the_remedy_is_said(project: MakeProject) -> None:
    pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    ran = project({"slides/a.md": "# A"}).run("check", "--chromium", "/nowhere/chromium")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == (
        "error: there is no program /nowhere/chromium\n"
        "    → install one (`apt install chromium`, or `playwright install chromium`), "
        "or say where it is with --chromium\n"
    )


@pytest.mark.browser
def test_a_chromium_that_does_not_start_is_named(project: MakeProject) -> None:
    pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    made = project({"slides/a.md": "# A", "broken": "#!/bin/sh\nexit 1\n"})
    (made.root / "broken").chmod(0o755)
    ran = made.run("check", "--chromium", "./broken")
    assert ran.code == 3
    assert ran.err.startswith(f"error: {made.root}/broken does not start\n")
    assert ran.err.endswith(
        "    → see whether it starts by hand, or name another one with --chromium\n"
    )


@pytest.mark.browser
def test_wrong_usage_is_not_a_finding(project: MakeProject, chromium: None) -> None:
    ran = project({}).run("check", "nowhere.md")
    assert (ran.code, ran.out) == (2, "")
    assert "no such file or folder" in ran.err


# Without a browser: from faults to findings


def fault(code: str = "overflow", **changes: Any) -> Fault:
    values: dict[str, Any] = {
        "h": 0, "v": 0, "step": 0, "source": "a.md:3", "selector": "p", "needles": (), "values": {},
    }  # fmt: skip
    return Fault(**{"code": code, **values, **changes})


def test_a_fault_keeps_its_first_step_and_its_worst_measure() -> None:
    seen = Seen()
    seen.add([fault(step=1, values={"pixels": 5}, group="bottom")])
    seen.add([fault(step=2, values={"pixels": 9}, group="bottom", selector="ul")])
    seen.add([fault(step=3, values={"pixels": 7}, group="bottom"), fault(group="top")])
    kept = [(one.step, one.selector, one.values.get("pixels")) for one in seen.faults]
    assert kept == [(1, "ul", 9), (0, "p", None)]


@pytest.fixture
def sources() -> Sources:
    first = Slide(
        "# A\n\nsome *words* here\n![b](b%20c.png)", Span("a.md", 3, 6), "n", Span("a.md", 8, 9)
    )
    second = Slide("# B", Span("a.md", 11, 11))
    deck = Deck(Path("/a.md"), "a.md", Settings(), (Stack((first,)), Stack((second,))))
    return Sources(deck, [Place(0, 0, "a.md:3"), Place(1, 0, "a.md:11")])


@pytest.mark.parametrize(
    ("needles", "line"),
    [((), 3), (("nowhere",), 3), (("nowhere", "here"), 5), (("b c.png",), 6), (("# B",), 3)],
)
def test_the_line_of_a_fault(needles: tuple[str, ...], line: int, sources: Sources) -> None:
    assert sources.where(fault(needles=needles)) == Where("a.md", line)


@pytest.mark.parametrize(
    ("line", "spot"), [(5, Spot(0, 0)), (9, Spot(0, 0)), (11, Spot(1, 0)), (1, None), (None, None)]
)
def test_the_slide_of_a_line(line: int | None, spot: Spot | None, sources: Sources) -> None:
    assert sources.spot(Where("a.md", line)) == spot
    assert sources.spot(Where("b.css", 5)) is None


def test_a_fault_in_words(sources: Sources) -> None:
    finding = complain(fault(step=2, values={"pixels": 811, "side": "bottom"}), sources)
    assert finding.plain() == {
        "code": "overflow",
        "severity": "warning",
        "message": "content is 811 px below the slide",
        "file": "a.md",
        "line": 3,
        "column": None,
        "slide": {"h": 0, "v": 0},
        "step": 2,
        "selector": "p",
        "values": {"pixels": 811, "side": "bottom"},
        "remedy": "shorten it, set it smaller, or split the slide",
    }
    assert str(finding.spot) == "#/0/0 step 2"


def test_a_problem_of_the_build_as_a_finding() -> None:
    problem = Problem("error", "tex", "TeX: no", Where("a.md", 2, 5), "mend it", "x^^2")
    finding = Finding.of_problem(problem)
    assert finding.severity == "error" and finding.values == {"snippet": "x^^2"}
    assert (finding.plain()["column"], finding.plain()["slide"]) == (5, None)


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        ("https://example.org/a%20b.png", True),
        ("file://example.org/c.png", True),
        ("https://example.org/other.png", False),
    ],
)
def test_an_address_that_the_build_named_is_known(asked: str, known: bool) -> None:
    found = [
        Finding(
            "external-request", f"the page will ask another host for {address}", Where("a.md"), ""
        )
        for address in ("https://example.org/a%20b.png", "//example.org/c.png")
    ]
    assert (reported(found, "external-request", asked, "a.md") is not None) is known
    assert reported(found, "external-request", asked, "b.md") is None
    assert reported(found, "missing-file", asked) is None
