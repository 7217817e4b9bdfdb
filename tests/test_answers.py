"""Numbers, figures and tables on a page, in the deck's language."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from labdeck.answers import script_json, translate
from tests.conftest import TOY_DEMO, Project

Toy = Callable[..., Project]


def page(made: Project, *flags: str) -> str:
    ran = made.build(*flags)
    assert (ran.code, ran.err) == (0, "")
    return made.page()


def spec(html: str) -> Any:
    """The plotly spec of the only figure on a page."""
    (found,) = re.findall(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)
    return json.loads(found)


def attributes(html: str, element: str) -> dict[str, str]:
    """The attributes of the first such element on a page."""
    found = re.search(rf"<{element}\b([^>]*)>", html)
    assert found
    return {k: unescape(v) for k, v in re.findall(r'([\w-]+)="([^"]*)"', found[1])}


def test_a_number_carries_value_and_origin(toy: Toy) -> None:
    made = toy("Loss {{ toy.loss }}, {{ toy.share | percent }}.")
    html = page(made)
    number = attributes(html, "data")
    key = next((made.root / "slides/baked").glob("*.json")).stem
    assert number == {
        "class": "demo-number",
        "value": "0.125",
        "data-demo": "toy",
        "data-metric": "loss",
        "data-result": key,
        "title": "toy.measure · A Known CPU · 2025-01-02 · seed 0",
    }
    assert ">0.125\u00a0nat</data>, <data" in html and ">1.3%</data>." in html


def test_the_numbers_on_a_page_are_those_of_the_result_file(toy: Toy) -> None:
    made = toy("{{ toy.loss }} {{ toy.params }} {{ toy.memory }}")
    shown = re.findall(r'value="([^"]+)" data-demo="toy" data-metric="(\w+)"', page(made))
    baked = json.loads(next((made.root / "slides/baked").glob("*.json")).read_text("utf-8"))
    assert {m: float(v) for v, m in shown} == {
        m: baked["numbers"][m]["value"] for m in ("loss", "params", "memory")
    }


def test_a_quotient_names_both_numbers(toy: Toy) -> None:
    number = attributes(page(toy("{{ toy.params / toy.memory }}")), "data")
    assert number["data-metric"] == "params memory" and number["data-demo"] == "toy"


def test_a_figure_carries_its_spec_alt_and_caption(toy: Toy) -> None:
    html = page(toy("```demo toy.curve\ncaption: 'A \"curve\" & more'\nheight: 30\n```"))
    figure = attributes(html, "figure")
    assert (figure["class"], figure["data-demo"], figure["data-figure"]) == ("demo", "toy", "curve")
    assert figure["data-result"].startswith("toy.measure-")
    assert 'aria-label="The loss falls to 1.5." style="height: 30px"' in html
    assert "A &#34;curve&#34; &amp; more</figcaption>" in html
    assert spec(html)["data"][0]["name"] == "loss"


def test_an_alt_of_the_deck_wins(toy: Toy) -> None:
    html = page(toy("```demo toy.curve\nalt: mine: yes\n```"))
    assert 'aria-label="mine: yes"' in html


def test_a_figure_speaks_the_language_of_the_deck(toy: Toy) -> None:
    html = page(toy("# 训练损失的变化\n\n```demo toy.curve\n```"))
    assert 'lang="zh-CN"' in html and 'aria-label="损失降到 1.5。"' in html
    drawn = spec(html)
    assert drawn["data"][0]["name"] == "损失"
    assert drawn["layout"]["xaxis"]["title"]["text"] == "步数"
    assert drawn["layout"]["title"] == "损失"


def test_a_table_is_a_table_in_the_language_of_the_deck(toy: Toy) -> None:
    html = page(toy("```demo toy.rows\ncaption: c\n```", "lang: zh\n"))
    assert "<th>名称</th><th>MiB</th>" in html
    assert "<td>b &lt;c&gt;</td><td>2</td>" in html
    assert "plotly" not in html


def test_plotly_comes_only_with_figures(toy: Toy) -> None:
    assert "plotly" not in page(toy("{{ toy.loss }}"))


def fails(made: Project, *flags: str) -> str:
    ran = made.build(*flags)
    assert ran.code == 1
    assert not (made.root / "_site/a.html").exists()
    return ran.err.removesuffix("a.html: not built; the last good page, if any, was kept\n")


MEANT_TOY = "    → did you mean `toy`?"
MEANT_CURVE = "    → did you mean `toy.curve` or `toy.rows`?"


@pytest.mark.parametrize(
    ("slide", "message"),
    [
        ("{{ toy.los }}", "5:1: error: `toy` has no number `los`\n    → did you mean `loss`?"),
        ("a\n\n{{ tos.loss }}", "7:1: error: `tos` is not declared under demos:\n" + MEANT_TOY),
        ("```demo toy.curv\n```", "5: error: no figure `toy.curv`\n" + MEANT_CURVE),
        (
            "```demo\n```",
            "5: error: a demo block must name a figure\n    → known: toy.curve",
        ),
        ("```demo tox.curve\n```", "5: error: `tox` is not declared under demos:\n" + MEANT_TOY),
        (
            "```demo toy.curve\ncaption: a\ncolour: red\n```",
            "7:1: error: a demo block cannot hold `colour: red`\n"
            "    → write e.g. `caption: …`; known: caption, height, alt",
        ),
        (
            "```demo toy.curve\njust text\n```",
            "6:1: error: a demo block cannot hold `just text`\n"
            "    → write e.g. `caption: …`; known: caption, height, alt",
        ),
    ],
)  # fmt: skip
def test_what_a_demo_does_not_give_says_what_there_is(toy: Toy, slide: str, message: str) -> None:
    assert fails(toy(slide)) == f"slides/a.md:{message}\n"


def test_a_demo_that_nothing_declares_is_reported_once_at_its_entry(toy: Toy) -> None:
    made = toy("x")
    made.write(
        {"slides/a.md": "---\ndemos:\n  t: toy.mesure\n---\n{{ t.loss }}\n\n```demo t.f\n```"}
    )
    assert fails(made) == (
        "slides/a.md:3:3: error: unknown demo `toy.mesure`\n    → did you mean `toy.measure`?\n"
    )


def test_a_missing_result_is_an_error_where_nothing_is_baked(toy: Toy) -> None:
    made = toy("{{ toy.loss }}")
    next((made.root / "slides/baked").glob("*.json")).unlink()
    assert fails(made, "--bake", "never") == (
        "slides/a.md:3:3: error: there is no baked result of `toy.measure`\n"
        "    → bake it: labdeck bake <the talk>, or build without --bake never\n"
    )


def test_a_parameter_that_is_no_single_value_is_reported_at_its_entry(toy: Toy) -> None:
    made = toy("x")
    made.write({"slides/a.md": "---\ndemos:\n  t: {run: toy.measure, a: [1]}\n---\n{{ t.loss }}"})
    assert fails(made) == (
        "slides/a.md:3:3: error: demo `toy.measure`: parameter `a` must be one value, got [1]\n"
    )


def test_a_stale_result_is_shown_marked_and_warned_of(toy: Toy) -> None:
    made = toy("# 标题在此\n\n{{ toy.loss }}\n\n```demo toy.curve\n```")
    made.write({"demos/toy/demo.py": TOY_DEMO.replace("0.5", "0.6")})
    ran = made.build("--bake", "never")
    assert ran.code == 0
    assert ran.err == (
        "slides/a.md:3:3: warning: the result of `toy.measure` is stale: sources changed\n"
        "    → bake it again: labdeck bake <the talk>\n"
    )
    html = made.page()
    assert 'class="demo-number demo-stale"' in html
    assert '<span class="demo-stale" title="sources changed">（结果已过期）</span>' in html
    assert "stale: sources changed" in html
    assert made.build("--bake", "never", "--strict").code == 1


def test_json_cannot_end_its_script() -> None:
    assert script_json({"a": "</script>", "b": 1}) == '{"a":"\\u003c/script>","b":1}'


def test_only_texts_that_people_read_are_translated() -> None:
    words = {"loss": "损失", "lines": "线"}
    spec = {
        "data": [{"name": "loss", "mode": "lines", "text": ["loss", 1], "x": ["loss"]}],
        "layout": {"title": "loss", "annotations": [{"text": "loss"}], "other": "loss"},
    }
    assert translate(spec, words) == {
        "data": [{"name": "损失", "mode": "lines", "text": ["损失", 1], "x": ["损失"]}],
        "layout": {"title": "损失", "annotations": [{"text": "损失"}], "other": "loss"},
    }
