"""Decks to measure with: the same slides for every tool, written into an empty folder."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

FRONT_MATTER = """\
---
title: {title}
separator: <!--s-->
verticalSeparator: <!--v-->
theme: simple
highlightTheme: github
revealOptions:
    transition: fade
    center: false
    slideNumber: "c/t"
    width: 1000
---
"""

LAB_TALK = [
    [
        '<div class="middle center">\n<div style="width: 100%">\n\n# 组会报告\n\n<hr>\n\n'
        "labdeck 2026.11\n\n</div>\n</div>"
    ],
    [
        '<div class="middle center">\n<div style="width: 100%">\n\n# 注意力\n\n</div>\n</div>',
        "## 结构\n\n<img src='img/a.svg' width=45% style='display: block; margin: 0 auto;'>",
        "## 缩放点积\n\n每个查询与所有键做内积，除以键长的平方根，再按行归一化。\n$$\n"
        "\\text{Attention}(Q, K, V) = "
        "\\text{softmax}\\left(\\frac{QK^T}{\\sqrt{d_k}}\\right)V\n$$\n\n"
        "<img src='img/b.svg' width=30% style='display: block; margin: 0 auto;'>",
        "## 多头\n\n各个头在不同的子空间里看同一个序列，结果拼接后再投影一次。\n\n"
        "- 每头宽度 $d/h$\n- 总计算量不变\n\n<img src='img/c.svg' width=40%>",
        "## 图像\n\n把图像切成小块，每块当作一个词元送入同样的编码器。\n\n![小块](img/d.svg)",
    ],
    [
        '<div class="middle center">\n<div style="width: 100%">\n\n# 专家混合\n\n</div>\n</div>',
        "## 门控\n\n门控为每个词元选出少数专家：\n\n| 专家 | 词元 |\n| --- | --- |\n"
        "| 1 | 12 |\n| 2 | 20 |\n\n<img src='img/e.svg' width=45%>",
    ],
    [
        '<div class="middle center">\n<div style="width: 100%">\n\n# 低秩微调\n\n</div>\n</div>',
        "冻结原来的权重，只学习两个窄矩阵的乘积。\n\n```python\n"
        "def forward(x, w, a, b, scale):\n    return x @ w.T + scale * (x @ a.T) @ b.T\n```\n\n"
        "<img src='img/f.svg' width=35%>",
    ],
]


def lab_talk(folder: Path) -> Path:
    """Ten slides in four stacks: a talk in Chinese with pictures, formulas, a table and code."""
    for name in "abcdef":
        write(folder / f"img/{name}.svg", picture(name))
    return write_deck(folder, "组会报告", LAB_TALK)


def long_talk(folder: Path, slides: int = 1000) -> Path:
    """Many slides; one formula and one code block on every second one, no two alike."""
    return write_deck(folder, f"{slides} slides", [[long_slide(n)] for n in range(slides)])


def long_slide(n: int) -> str:
    words = f"A paragraph with *emphasis*, `code` and a number, {n * n}."
    text = f"## Slide {n}\n\n{words}\n\n- one\n- two"
    if n % 2:
        return text
    formula = f"$$\n\\sum_{{i=1}}^{{{n}}} \\frac{{x_i^{{{n % 7}}}}}{{\\sqrt{{d_{{{n}}}}}}}\n$$"
    code = f"```python\ndef step_{n}(x, w):\n    return x @ w * {n}  # one step\n```"
    return f"{text}\n\n{formula}\n\n{code}"


def given(folder: Path, deck: Path) -> Path:
    """A copy of a deck and its folder; stylesheets and scripts that it lacks become empty files.

    reveal-md ends with an error where one of them is missing.
    """
    shutil.copytree(deck.parent, folder, dirs_exist_ok=True)
    copied = folder / "deck.md"
    shutil.copyfile(deck, copied)
    text = copied.read_text(encoding="utf-8")
    for name in re.findall(r"^(?:css|scripts?):\s*(\S+)\s*$", text, flags=re.M):
        if "://" not in name and not (folder / name).exists():
            write(folder / name, "")
    return copied


def write_deck(folder: Path, title: str, stacks: list[list[str]]) -> Path:
    body = "\n\n<!--s-->\n".join("\n\n<!--v-->\n".join(stack) for stack in stacks)
    return write(folder / "deck.md", FRONT_MATTER.format(title=title) + "\n" + body + "\n")


def change_one_slide(deck: Path, turn: int) -> None:
    """Add a sentence to the end of the middle slide, another one each turn."""
    lines = deck.read_text(encoding="utf-8").split("\n")
    breaks = [n for n, line in enumerate(lines) if line in ("<!--s-->", "<!--v-->")]
    at = breaks[len(breaks) // 2]
    write(deck, "\n".join([*lines[:at], f"Changed in turn {turn}.", "", *lines[at:]]))


def picture(name: str) -> str:
    """A small drawing, each name another one."""
    boxes = "".join(
        f'<rect x="{40 + 90 * n}" y="{60 + 13 * (ord(name) % (n + 2))}" width="70" height="40"/>'
        for n in range(6)
    )
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 300" fill="#8ac">'
    return f"{head}{boxes}</svg>"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
