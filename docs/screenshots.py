"""Takes the README's pictures anew: `python docs/screenshots.py SITE/transformer-moe-lora.html`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

# Name of the picture -> what the slide contains.
SLIDES = {
    "attention-weights.png": "figure[data-figure=weights]",
    "self-attention.png": "img[src*='self-attention']",
}
FIND = """selector => {
  const slide = document.querySelector(selector).closest("section");
  const at = Reveal.getIndices(slide);
  Reveal.slide(at.h, at.v, 99);
}"""


def main(page_file: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = chromium.new_page(viewport={"width": 1280, "height": 720})
        page.goto(Path(page_file).resolve().as_uri())
        page.wait_for_function("window.Reveal && Reveal.isReady()")
        for name, selector in SLIDES.items():
            page.evaluate(FIND, selector)
            page.wait_for_timeout(1500)  # transitions and plots
            page.screenshot(path=Path(__file__).parent / "images" / name)
        chromium.close()


if __name__ == "__main__":
    main(sys.argv[1])
