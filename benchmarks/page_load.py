"""Measure how fast a built talk shows its first slide in Chromium, and how many bytes it moves.

    python benchmarks/page_load.py                 # the lab talk of decks.py
    python benchmarks/page_load.py --long 200

Compared, in alternating rounds with an empty cache: labdeck's site, reveal-md's static site, and
the two pages of handwritten.py. All are served from this machine, without compression; a request
to another host is refused and counted.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import http.server
import os
import shutil
import statistics
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright
from rich.console import Console
from rich.table import Table

import contenders
import decks
import handwritten
from provenance import provenance, save

CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MEASURES = ("paint_ms", "ready_ms", "bytes", "requests", "elsewhere")
# Reveal marks its wrapper `ready` when slides are laid out; the next frame is what people see.
WATCH = """
new MutationObserver((_, observer) => {
    if (!document.querySelector(".reveal.ready .slides section.present")) return;
    observer.disconnect();
    requestAnimationFrame(() => { window.firstSlideMs = performance.now(); });
}).observe(document, { subtree: true, childList: true, attributes: true });
"""
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


def main() -> None:
    args = parse_args()
    with tempfile.TemporaryDirectory(prefix="labdeck-bench-") as scratch:
        pages = build_sites(args, Path(scratch))
        with serve(Path(scratch)) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_ARGS)
            urls = {name: f"{address}/{page.relative_to(scratch)}" for name, page in pages.items()}
            loads = measure(browser, urls, args.rounds)
            about = provenance(chromium=browser.version, **versions())
            browser.close()
    about |= {"slides": args.long or 10, "rounds": args.rounds}
    results = [summary(name, loads) for name in loads]
    show(about, results)
    save(args.json, about, results)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--long", type=int, metavar="N", help="a generated deck of N slides")
    parser.add_argument("--rounds", type=int, default=9)
    default = Path(__file__).parent / "results/page_load.json"
    parser.add_argument("--json", type=Path, default=default, help="where the numbers go")
    return parser.parse_args()


def chromium() -> str | None:
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


def versions() -> dict[str, str]:
    return {tool.name: tool.version for tool in (contenders.labdeck(), contenders.reveal_md())}


def build_sites(args: argparse.Namespace, scratch: Path) -> dict[str, Path]:
    """The same deck built four ways; the page of each."""
    talk = scratch / "talk"
    deck = decks.long_talk(talk, args.long) if args.long else decks.lab_talk(talk)
    pages: dict[str, Path] = {}
    for tool in (contenders.labdeck(), contenders.reveal_md()):
        contenders.run(tool, deck, scratch / tool.name)
        page = contenders.deck_page(scratch / tool.name)
        assert page is not None  # `run` has seen it
        pages[tool.name] = page
    for build in (handwritten.typeset, handwritten.plain):
        name = f"by hand, {build.__name__}"
        build(deck, scratch / build.__name__)
        pages[name] = scratch / build.__name__ / "index.html"
    return pages


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[str]:
    handler = functools.partial(QuietHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def measure(browser: Browser, urls: dict[str, str], rounds: int) -> dict[str, list[dict[str, Any]]]:
    """Load each page once a round, in turn; the first round only warms."""
    loads: dict[str, list[dict[str, Any]]] = {name: [] for name in urls}
    for turn in range(rounds + 1):
        for name, url in urls.items() if turn % 2 else reversed(urls.items()):
            load = load_once(browser, url)
            if turn:
                loads[name].append(load)
    return loads


def load_once(browser: Browser, url: str) -> dict[str, Any]:
    """One page in a new context, so nothing is cached."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    counted = count_traffic(page, context.new_cdp_session(page), url)
    page.add_init_script(WATCH)
    page.goto(url, wait_until="networkidle")
    page.wait_for_function("window.firstSlideMs !== undefined")
    load = {"paint_ms": page.evaluate(PAINT), "ready_ms": page.evaluate("window.firstSlideMs")}
    context.close()
    return load | counted


def count_traffic(page: Page, devtools: CDPSession, url: str) -> dict[str, int]:
    """Counts that grow while the page loads; requests to other hosts are refused."""
    counted = {"bytes": 0, "requests": 0, "elsewhere": 0}
    here = url.split("/", 3)[2]

    def finished(event: dict[str, Any]) -> None:
        counted["bytes"] += int(event["encodedDataLength"])
        counted["requests"] += 1

    def refuse(route: Any) -> None:
        counted["elsewhere"] += 1
        route.abort()

    page.route(lambda asked: "://" in asked and asked.split("/", 3)[2] != here, refuse)
    devtools.send("Network.enable")
    devtools.on("Network.loadingFinished", finished)
    return counted


def summary(name: str, loads: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Medians of one page, and their ratios to the other pages' medians."""
    medians = {page: {key: median(loads[page], key) for key in MEASURES} for page in loads}
    ratios = {
        other: {
            key: medians[name][key] / medians[other][key]
            for key in ("paint_ms", "ready_ms", "bytes")
        }
        for other in medians
    }
    return {"page": name, "medians": medians[name], "ratios": ratios, "all": loads[name]}


def median(loads: list[dict[str, Any]], key: str) -> float:
    return statistics.median(load[key] for load in loads)


def show(about: dict[str, Any], results: list[dict[str, Any]]) -> None:
    heading = f"{about['slides']} slides · {about['rounds']} rounds · {about['cpu']}"
    table = Table(title=heading, caption="medians; in brackets labdeck's share of that page's")
    for column in ("page", "first paint, ms", "first slide, ms", "bytes", "requests", "elsewhere"):
        table.add_column(column, no_wrap=True)
    ours = results[0]
    for row in results:
        cells = [row["page"]]
        for key in ("paint_ms", "ready_ms", "bytes"):
            ratio = ours["ratios"][row["page"]][key]
            cells.append(f"{row['medians'][key]:,.0f} ({ratio:.2f})")
        table.add_row(*cells, *(f"{row['medians'][key]:.0f}" for key in ("requests", "elsewhere")))
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
