"""The same slides as a page written by hand: what labdeck's pages are held against.

`plain` is the floor: reveal.js, its theme and the slides; TeX and code stay as they are written.
`typeset` adds what such a page loads to show formulas and colours, reveal's own plugins for KaTeX
and highlight.js, working in the browser.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from markdown_it import MarkdownIt

PEERS = Path(__file__).parent / ".peers/node_modules"
ASSETS = Path(__file__).parent.parent / "labdeck/_assets"  # themes whose fonts are local
OPTIONS = "hash: true, transition: 'fade', center: false, slideNumber: 'c/t', width: 1000"
PAGE = """\
<!doctype html>
<html lang="zh">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1.0">
<title>By hand</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="reveal/reset.css">
<link rel="stylesheet" href="reveal/reveal.css">
<link rel="stylesheet" href="reveal/theme/simple.css">
{styles}
</head>
<body>
<div class="reveal"><div class="slides">
{slides}
</div></div>
<script src="reveal/reveal.js"></script>
{scripts}
<script>Reveal.initialize({{ {options} }});</script>
</body>
</html>
"""


def plain(deck: Path, out: Path) -> None:
    """reveal.js and the slides, nothing else."""
    carry(deck, out)
    write_page(deck, out, styles="", scripts="", options=OPTIONS)


def typeset(deck: Path, out: Path) -> None:
    """reveal.js with its plugins for formulas and code, all served from here."""
    carry(deck, out)
    for plugin in ("math.js", "highlight.js"):
        place(PEERS / "reveal.js/dist/plugin" / plugin, out / "plugin" / plugin)
    shutil.copytree(PEERS / "katex/dist", out / "katex/dist")
    place(ASSETS / "hljs/styles/github.min.css", out / "github.css")
    write_page(
        deck,
        out,
        styles='<link rel="stylesheet" href="github.css">',
        scripts='<script src="plugin/math.js"></script><script src="plugin/highlight.js"></script>',
        options=f"{OPTIONS}, katex: {{ local: 'katex' }}, "
        "plugins: [RevealMath.KaTeX, RevealHighlight]",
    )


def carry(deck: Path, out: Path) -> None:
    """reveal.js, its theme with the fonts, and the deck's pictures."""
    for name in ("reveal.js", "reveal.css", "reset.css"):
        place(PEERS / "reveal.js/dist" / name, out / "reveal" / name)
    place(ASSETS / "reveal/theme/simple.css", out / "reveal/theme/simple.css")
    shutil.copytree(ASSETS / "reveal/fonts", out / "reveal/fonts")
    for path in deck.parent.rglob("*"):
        if path.is_file() and path != deck:
            place(path, out / path.relative_to(deck.parent))


def place(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def write_page(deck: Path, out: Path, *, styles: str, scripts: str, options: str) -> None:
    body = deck.read_text(encoding="utf-8").split("\n---\n", 1)[1]
    slides = "\n".join(stack(text) for text in body.split("<!--s-->"))
    page = PAGE.format(styles=styles, scripts=scripts, slides=slides, options=options)
    (out / "index.html").write_text(page, encoding="utf-8")


def stack(text: str) -> str:
    slides = [f"<section>\n{html(slide)}</section>" for slide in text.split("<!--v-->")]
    return slides[0] if len(slides) == 1 else "<section>\n" + "\n".join(slides) + "\n</section>"


def html(slide: str) -> str:
    """A slide's Markdown as HTML; display formulas become a paragraph with TeX in it."""
    apart = re.sub(r"\$\$(.*?)\$\$", r"\n\n<p>\\[\1\\]</p>\n\n", slide, flags=re.S)
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(apart)
