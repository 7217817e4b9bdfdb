"""Opens a built talk in Chromium and measures every slide at every step.

Nothing is asked of another host: what the page wants from there is refused and told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from .errors import DeckError
from .layers import assets_root

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request

SMALLEST_PX = 14  # of text, on a slide of 1280 x 720
READY_MS = 30_000
MOST_STEPS = 500  # of one slide

# Before the page's own scripts: options for looking at it, whatever the deck says.
_STILL = """(() => {
  const still = {
    transition: "none", backgroundTransition: "none", autoAnimate: false, autoSlide: 0, margin: 0,
    hash: false, history: false, view: null, scrollActivationWidth: null, autoPlayMedia: false,
  };
  let real;
  Object.defineProperty(window, "Reveal", {
    configurable: true,
    get: () => real,
    set(value) {
      real = value;
      const initialize = value.initialize;
      value.initialize = (options) => initialize.call(value, Object.assign({}, options, still));
    },
  });
  document.addEventListener("DOMContentLoaded", () => {
    const style = document.createElement("style");
    style.textContent = "*, *::before, *::after { transition-duration: 0s !important;" +
      " transition-delay: 0s !important; animation-duration: 0s !important;" +
      " animation-delay: 0s !important; }";
    document.head.append(style);
  });
})()"""


class Place(NamedTuple):
    """A slide of the page: the numbers of its address, and `file:line` of its source."""

    h: int
    v: int
    source: str


@dataclass(frozen=True)
class Fault:
    """What the page showed to be wrong.

    Args:
        code, selector, values: of the fault.
        h, v, step: the slide and the first step it shows at.
        source: the slide's `file:line`.
        needles: texts that stand near its source line.
        group: what tells it from others of its code on the slide, where not its selector.
    """

    code: str
    h: int
    v: int
    step: int
    source: str
    selector: str
    needles: tuple[str, ...]
    values: Mapping[str, Any]
    group: str = ""

    @property
    def key(self) -> tuple[object, ...]:
        """The same for one fault at several steps; colours of code are those of a whole talk."""
        if self.code == "low-contrast" and ".hljs" in self.selector:
            return (self.code, self.group)
        at = self.group if self.code in ("overflow", "low-contrast", "small-text") else ""
        at = at or f"{self.selector} {self.group}"
        return (self.code, self.h, self.v, at)

    @property
    def size(self) -> float:
        """How bad it is: of one fault at several steps the worst is told."""
        return float(self.values.get("pixels", 0))


@dataclass
class Seen:
    """What there was to see in one page."""

    places: list[Place] = field(default_factory=list)
    steps: int = 0
    faults: list[Fault] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    asking: dict[str, Fault] = field(default_factory=dict)

    def add(self, faults: Sequence[Fault]) -> None:
        """Keep faults, each once, at its first step and with its worst measure."""
        known = {fault.key: index for index, fault in enumerate(self.faults)}
        for fault in faults:
            index = known.get(fault.key)
            if index is None:
                known[fault.key] = len(self.faults)
                self.faults.append(fault)
            elif fault.size > self.faults[index].size:
                first = self.faults[index].step
                self.faults[index] = Fault(**{**vars(fault), "step": first})


def inspect(browser: Browser, site: Path, name: str) -> Seen:
    """Look at a page of a site; DeckError if it does not start."""
    seen = Seen()
    with _page(browser, site, name, seen) as page:
        page.evaluate((assets_root() / "axe" / "axe.min.js").read_text(encoding="utf-8"))
        page.evaluate((Path(__file__).parent / "inspect_page.js").read_text(encoding="utf-8"))
        for index in range(page.evaluate("labdeckInspect.count()")):
            seen.steps += _slide(page, index, seen)
        for address in seen.asked:
            if at := page.evaluate("a => labdeckInspect.asks(a)", address):
                place = Place(at["h"], at["v"], at["source"])
                seen.asking[address] = _fault({"code": "external-request", **at}, place, 0)
    return seen


def _slide(page: Page, index: int, seen: Seen) -> int:
    """Look at all steps of a slide; how many there are."""
    place = Place(**page.evaluate("n => labdeckInspect.open(n)", index))
    seen.places.append(place)
    for step in range(MOST_STEPS):
        arguments = [step == 0, SMALLEST_PX]
        found = page.evaluate("([first, px]) => labdeckInspect.look(first, px)", arguments)
        seen.add([_fault(one, place, step) for one in found])
        if not page.evaluate("labdeckInspect.next()"):
            break
    return step + 1


def _fault(found: Mapping[str, Any], place: Place, step: int) -> Fault:
    return Fault(
        code=found["code"],
        h=place.h,
        v=place.v,
        step=step,
        source=place.source,
        selector=found["selector"],
        needles=tuple(found["needles"]),
        values=found.get("values", {}),
        group=str(found.get("group", "")),
    )


@contextmanager
def _page(browser: Browser, site: Path, name: str, seen: Seen) -> Iterator[Page]:
    """A page at the size of its slides, all movement off, its requests noted."""
    from playwright.sync_api import Error

    size = {"width": 1280, "height": 720}
    context = browser.new_context(viewport=size, offline=True, reduced_motion="reduce")  # type: ignore[arg-type]
    context.add_init_script(_STILL)
    context.on("request", lambda request: _note(request.url, seen))
    context.on("requestfailed", lambda request: _failed(request, site, seen))
    context.on("weberror", lambda error: seen.errors.append(str(error.error)))
    try:
        page = context.new_page()
        page.goto((site / name).resolve().as_uri(), timeout=READY_MS)
        page.wait_for_function("window.Reveal && Reveal.isReady()", timeout=READY_MS)
        config = page.evaluate("(({width, height}) => [width, height])(Reveal.getConfig())")
        if all(isinstance(value, (int, float)) for value in config):
            page.set_viewport_size({"width": round(config[0]), "height": round(config[1])})
        yield page
    except Error as error:
        why = "; ".join(seen.errors) or str(error).splitlines()[0]
        raise DeckError(
            f"the page does not work in Chromium: {why}",
            hint="open it in a browser and see its console; mend the deck's scripts or templates",
            code="page-broken",
        ) from error
    finally:
        context.close()


def _failed(request: Request, site: Path, seen: Seen) -> None:
    """Note a local file that is not there."""
    if request.url.startswith("file:///") and "FILE_NOT_FOUND" in (request.failure or ""):
        seen.absent.append(_name(request.url, site))


def _note(address: str, seen: Seen) -> None:
    """Note a request to another host; in a page from a file, //host/… asks a file of it."""
    parts = urlsplit(address)
    foreign = parts.scheme == "file" and bool(parts.netloc)
    if (foreign or parts.scheme in ("http", "https", "ws", "wss")) and address not in seen.asked:
        seen.asked.append(address)


def _name(address: str, site: Path) -> str:
    """The name below the site of a file that a page asked for."""
    path = Path(unquote(urlsplit(address).path))
    root = site.resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
