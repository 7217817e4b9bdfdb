"""Built pages as Chromium shows them, opened from file:// with every other request blocked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest

from labdeck.layers import assets_root
from tests.conftest import Project

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]
MakeProject = Callable[..., Project]
THEMES = sorted(path.stem for path in (assets_root() / "reveal/theme").glob("*.css"))
FRAGMENT = '<!-- .element: class="fragment" -->'


@dataclass
class Seen:
    """What went wrong while a page was open, and what it asked for."""

    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def assert_clean(self) -> None:
        assert self.errors == []
        assert [
            url for url in self.requests if not url.startswith(("file:", "data:", "blob:"))
        ] == []


Open = Callable[..., tuple[Any, Seen]]


@pytest.fixture
def open_page(browser: Any) -> Iterator[Open]:
    """Opens a page of a project's site; what it asks of other hosts is refused and noted."""
    contexts = []

    def start(made: Project, name: str = "a.html", tail: str = "") -> tuple[Any, Seen]:
        context = browser.new_context(viewport={"width": 1280, "height": 720}, offline=True)
        contexts.append(context)
        seen = Seen()
        context.on("request", lambda request: seen.requests.append(request.url))
        context.on("requestfailed", lambda r: seen.errors.append(f"{r.url}: {r.failure}"))
        context.on("console", lambda m: seen.errors.append(m.text) if m.type == "error" else None)
        context.on("weberror", lambda error: seen.errors.append(str(error.error)))
        page = context.new_page()
        page.goto((made.root / "_site" / name).as_uri() + tail)
        page.wait_for_function("window.Reveal && Reveal.isReady()")
        return page, seen

    yield start
    for context in contexts:
        context.close()


@pytest.mark.parametrize("theme", THEMES)
def test_f64_a_page_opens_without_errors_and_without_network(
    built: MakeProject, open_page: Open, theme: str
) -> None:
    slide = "# 标题 A\n\n$x^2$ ![](x.svg)\n\n```py [1|2]\na = 1\nb = 2\n```\n\n---\n\n## B\n\n- c\n"
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    made = built({"slides/a.md": f"---\ntheme: {theme}\n---\n{slide}", "slides/x.svg": svg})
    page, seen = open_page(made)
    fonts = page.evaluate(
        "document.fonts.ready.then(f => [...f].filter(x => x.status == 'error').length)"
    )
    size = page.evaluate("document.querySelector('img').naturalWidth")
    page.keyboard.press("ArrowRight")
    assert (fonts, size) == (0, 9)
    assert any(f"theme/{theme}.css" in url for url in seen.requests)
    seen.assert_clean()


def test_a_page_that_asks_another_host_would_be_seen(project: MakeProject, open_page: Open) -> None:
    made = project({"slides/a.md": "![](https://example.org/x.png)", "slides/p.js": "nosuch()"})
    made.build("--scripts", "p.js")
    _, seen = open_page(made)
    assert "https://example.org/x.png" in seen.requests
    assert any("nosuch is not defined" in error for error in seen.errors)


def test_f28_f8_slides_stacks_and_the_number_of_the_slide(
    built: MakeProject, open_page: Open
) -> None:
    text = "---\nrevealOptions: {slideNumber: c/t, width: 1000}\n---\n"
    made = built({"slides/a.md": text + "# A\n---\n# B\n----\n# C\n----\n# D\n---\n# E"})
    page, seen = open_page(made)
    assert page.evaluate("Reveal.getTotalSlides()") == 5
    stacks = page.evaluate(
        "Reveal.getHorizontalSlides().map(s => s.querySelectorAll(':scope > section').length || 1)"
    )
    assert stacks == [1, 3, 1]
    number = page.locator(".slide-number")
    assert re.sub(r"\s", "", number.inner_text()) == "1/5"
    page.evaluate("Reveal.slide(1, 1)")
    assert re.sub(r"\s", "", number.inner_text()) == "3/5"
    assert page.evaluate("Reveal.getConfig().width") == 1000
    seen.assert_clean()


def steps(page: Any) -> list[str]:
    """The text of each fragment in the order in which they appear."""
    order = []
    while page.evaluate("Reveal.availableFragments().next"):
        page.evaluate("Reveal.nextFragment()")
        order.append(
            page.evaluate(
                "(() => { const f = document.querySelector('.current-fragment');"
                " return f.dataset.lineNumbers || f.textContent.trim() })()"
            )
        )
    return order


def test_f49_steps_of_code_come_in_the_order_of_the_slide(
    project: MakeProject, open_page: Open
) -> None:
    made = project(
        {"slides/a.md": f"a {FRAGMENT}\n\n```py [1|2|3]\nx\ny\nz\n```\n\nz {FRAGMENT}\n"}
    )
    made.build()
    page, seen = open_page(made)
    assert steps(page) == ["a", "2", "3", "z"]
    seen.assert_clean()


def test_f50_fragments_with_an_index_come_by_it(built: MakeProject, open_page: Open) -> None:
    index = '<!-- .element: class="fragment" data-fragment-index="{}" -->'
    slide = f"- a {index.format(2)}\n- b {FRAGMENT}\n- c {index.format(1)}\n- d {index.format(1)}\n"
    page, _ = open_page(built({"slides/a.md": slide}))
    found = page.evaluate(
        "[...document.querySelectorAll('.fragment')].map(f => +f.dataset.fragmentIndex)"
    )
    assert found == [1, 2, 0, 0]


def test_f51_f58_a_heading_is_found_by_its_id(built: MakeProject, open_page: Open) -> None:
    made = built({"slides/a.md": "# A\n\n---\n\n## 自注意力 机制\n\n---\n\n# C"})
    page, _ = open_page(made, tail="#/" + quote("自注意力-机制"))
    assert page.evaluate("Reveal.getIndices().h") == 1


def test_f52_hidden_slides_are_gone_and_uncounted_ones_do_not_count(
    built: MakeProject, open_page: Open
) -> None:
    visibility = '<!-- .slide: data-visibility="{}" -->\n'
    hidden, uncounted = visibility.format("hidden"), visibility.format("uncounted")
    slides = f"# A\n---\n{hidden}# B\n---\n# C\n---\n{uncounted}# D"
    page, _ = open_page(built({"slides/a.md": slides}))
    assert page.evaluate("Reveal.getTotalSlides()") == 2
    assert page.locator(".slides h1").all_text_contents() == ["A", "C", "D"]


def test_math_needs_no_script_and_is_laid_out(built: MakeProject, open_page: Open) -> None:
    page, seen = open_page(built({"slides/a.md": "inline $x$ and\n\n$$\\frac{a}{b}$$"}))
    scripts = [url for url in seen.requests if url.endswith(".js")]
    assert not any("katex" in url or "mathjax" in url.lower() for url in scripts)
    assert page.locator(".katex").count() == 2
    font = page.evaluate("getComputedStyle(document.querySelector('.katex')).fontFamily")
    loaded = page.evaluate(
        "document.fonts.ready.then(() => document.fonts.check('20px KaTeX_Math'))"
    )
    height = page.locator(".katex-display .katex-html").bounding_box()["height"]
    assert "KaTeX_Main" in font and loaded and height > 40
    seen.assert_clean()


def test_f35_a_script_in_a_slide_does_not_run(built: MakeProject, open_page: Open) -> None:
    slide = "<script>window.ran = 1</script>\n\n<script src='x.js'></script>\n\n# A"
    page, seen = open_page(built({"slides/a.md": slide, "slides/x.js": "window.ran = 2"}))
    assert page.evaluate("window.ran") is None
    seen.assert_clean()


def test_f19_a_script_of_the_deck_may_add_plugins(built: MakeProject, open_page: Open) -> None:
    script = (
        "options.plugins.push({id: 'mine', init: deck => { window.mine = deck.getConfig().width }})"
    )
    made = built({"slides/a.md": "---\nscripts: p.js\n---\n# A", "slides/p.js": script})
    page, _ = open_page(made)
    assert page.evaluate("window.mine") == 960


@pytest.mark.parametrize("theme", ["white", "black", "serif"])
def test_a_figure_is_drawn_in_the_font_and_colours_of_the_deck(
    toy: Callable[..., Project], open_page: Open, theme: str
) -> None:
    made = toy("```demo toy.curve\ncaption: c\n```", f"theme: {theme}\n")
    assert made.build().err == ""
    page, seen = open_page(made)
    page.wait_for_selector(".demo-plot .main-svg .lines path")
    drawn = page.evaluate(
        """() => {
            const plot = document.querySelector('.demo-plot');
            const style = getComputedStyle(plot.closest('figure'));
            const texts = [...plot.querySelectorAll('text')].filter(t => t.textContent.trim());
            return {
                sizes: texts.map(t => parseFloat(getComputedStyle(t).fontSize)),
                fonts: [...new Set(texts.map(t => getComputedStyle(t).fontFamily.split(',')[0]))],
                fills: [...new Set(texts.map(t => getComputedStyle(t).fill))],
                line: getComputedStyle(plot.querySelector('.lines path')).stroke,
                said: texts.map(t => t.textContent),
                color: style.color,
                font: style.fontFamily.split(',')[0],
                series: style.getPropertyValue('--labdeck-1').trim(),
            };
        }"""
    )
    assert min(drawn["sizes"]) >= 18
    assert (drawn["fonts"], drawn["fills"]) == ([drawn["font"]], [drawn["color"]])
    assert {"step", "loss"} <= set(drawn["said"])
    red, green, blue = (int(drawn["series"][i : i + 2], 16) for i in (1, 3, 5))
    assert drawn["line"] == f"rgb({red}, {green}, {blue})"
    seen.assert_clean()


def test_a_figure_is_drawn_when_its_slide_comes(
    toy: Callable[..., Project], open_page: Open
) -> None:
    made = toy("# A\n---\n# B\n---\n```demo toy.curve\n```")
    made.build()
    page, seen = open_page(made)
    assert page.locator(".main-svg").count() == 0
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".demo-plot .main-svg .lines path")
    widths = page.evaluate(
        "['.demo-plot', '.demo-plot .main-svg'].map("
        "s => parseFloat(getComputedStyle(document.querySelector(s)).width))"
    )
    assert widths == [960, 960]
    seen.assert_clean()


def test_f63_jump_to_slide_finds_chinese(built: MakeProject, open_page: Open) -> None:
    made = built({"slides/a.md": "# 开始\n---\n# 第二页\n---\n# 混合专家模型\n---\n# 结束"})
    page, seen = open_page(made)
    page.keyboard.press("g")
    page.locator(".jump-to-slide-input").fill("专家")
    page.keyboard.press("Enter")
    page.wait_for_function("Reveal.getIndices().h === 2")
    seen.assert_clean()


def test_the_speaker_view_opens_with_the_notes(built: MakeProject, open_page: Open) -> None:
    page, seen = open_page(built({"slides/a.md": "# A\n\nNote: say *this*\n\n---\n\n# B"}))
    with page.expect_popup() as popup:
        page.keyboard.press("s")
    view = popup.value
    view.wait_for_selector("#current-slide iframe")
    view.wait_for_function(
        "document.querySelector('.speaker-controls-notes').innerText.includes('this')"
    )
    assert "say this" in view.locator(".speaker-controls-notes").inner_text()
    assert [url for url in seen.requests if url.startswith("http")] == []


def test_the_index_leads_to_the_talks(built: MakeProject, browser: Any) -> None:
    made = built({"slides/报告 一.md": "# 一", "slides/b/c.md": "# C"})
    page = browser.new_page()
    for name, title in (("一", "一"), ("C", "C")):
        page.goto((made.root / "_site/index.html").as_uri())
        page.get_by_role("link", name=name).click()
        page.wait_for_function("window.Reveal && Reveal.isReady()")
        assert page.title() == title
    page.close()
