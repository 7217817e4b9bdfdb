"""What is wrong with a talk, before the audience sees it.

The talk is built into a temporary folder with its results as they are, and every slide is looked
at in Chromium at every step.
"""

from __future__ import annotations

import dataclasses
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .bake import Baking, Outcome, bake
from .catalogue import Catalogue
from .chromium import open_chromium
from .complaint import Sources, complain, reported
from .errors import DeckError, Where
from .finding import Finding, Spot
from .inspect_page import Seen, inspect
from .model import Deck
from .results import Request, Stale
from .site import Job, build, page_names

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_PLAYER = re.compile(r"[?&](?:enablejs)?api=1\Z")  # which reveal.js adds for YouTube and Vimeo


@dataclass
class Report:
    """What a check found, and what it looked at."""

    findings: list[Finding] = field(default_factory=list)
    talks: int = 0
    slides: int = 0
    steps: int = 0
    not_built: list[str] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        codes = Counter(finding.code for finding in self.findings)
        return {
            "findings": [finding.plain() for finding in self.findings],
            "summary": {
                "findings": len(self.findings),
                "by_code": dict(sorted(codes.items())),
                "talks": self.talks,
                "slides": self.slides,
                "steps": self.steps,
                "not_built": self.not_built,
            },
        }


def check(job: Job, chromium: Path | None = None) -> Report:
    """Build the decks of a job elsewhere and look at them; `job.out` is not touched.

    Raises:
        MachineError: Playwright or Chromium is missing; nothing was done then.
    """
    with (
        open_chromium(chromium) as browser,
        tempfile.TemporaryDirectory(prefix="labdeck-check-") as folder,
    ):
        elsewhere = dataclasses.replace(job, out=Path(folder) / "site", strict=False)
        return _Checker(browser, elsewhere).report()


class _Checker:
    def __init__(self, browser: Browser, job: Job) -> None:
        self.browser = browser
        self.job = job
        self.answered: dict[tuple[Path, Request], Outcome] = {}

    def report(self) -> Report:
        built = build(self.job, self._as_they_are)
        report = Report(not_built=built.failed)
        found = [Finding.of_problem(problem) for problem in built.problems.found]
        names = page_names(self.job)
        for page in built.pages:
            deck = page.deck
            try:
                seen = inspect(self.browser, self.job.out, names[deck.path.resolve()])
            except DeckError as error:
                found.append(Finding.of_problem(error.at(Where(deck.name)).problem()))
                continue
            report.talks += 1
            report.slides += len(seen.places)
            report.steps += seen.steps
            found = _merged(found, deck, seen) + list(self._dirty(deck))
        report.findings = sorted(found, key=_order)
        return report

    def _as_they_are(
        self, requests: list[Request], folder: Path, catalogue: Catalogue
    ) -> list[Outcome]:
        """Answers requests from what is baked, and remembers the answers."""
        outcomes = bake(requests, Baking(catalogue, folder), policy="never")
        self.answered |= {(folder, outcome.request): outcome for outcome in outcomes}
        return outcomes

    def _dirty(self, deck: Deck) -> Iterator[Finding]:
        """Results whose demos had changes that no commit has; what is stale was told before."""
        for ref in deck.settings.demos:
            request = Request(ref.demo, ref.params, ref.seed)
            outcome = self.answered[(deck.path.parent / "baked", request)]
            if outcome.stored is None or isinstance(outcome.state, Stale):
                continue
            if outcome.stored.provenance.dirty:
                yield Finding(
                    "result-dirty",
                    f"the result of `{ref.demo}` comes from sources that were not committed",
                    ref.where or deck.where("demos"),
                    "commit the demos and bake again: labdeck bake --bake all",
                    values={"file": str(outcome.path), "commit": outcome.stored.provenance.commit},
                )


def _merged(found: list[Finding], deck: Deck, seen: Seen) -> list[Finding]:
    """The build's findings with their slides, and those of the page that it did not know of."""
    sources = Sources(deck, seen.places)
    merged = []
    for finding in found:
        spot = finding.spot or sources.spot(finding.where)
        merged.append(dataclasses.replace(finding, spot=spot))
    for fault in seen.faults:
        merged.append(complain(fault, sources))
    for address in seen.asked:
        merged = _requested(merged, deck, address, seen, sources)
    for name in seen.absent:
        if not reported(merged, "missing-file", Path(name).name):
            message = f"the page asks for {name}, which is not in the site"
            hint = "name the folder in `staticDirs`, so that it is copied"
            merged.append(Finding("missing-file", message, Where(deck.name), hint))
    for error in seen.errors:
        hint = "open the page in a browser and see its console; mend the script"
        merged.append(Finding("script-error", f"a script fails: {error}", Where(deck.name), hint))
    return merged


def _requested(
    found: list[Finding], deck: Deck, address: str, seen: Seen, sources: Sources
) -> list[Finding]:
    """A request to another host: the build's warning gets its slide, or there is a new finding."""
    fault = seen.asking.get(address)
    where = sources.where(fault) if fault else Where(deck.name)
    spot = Spot(fault.h, fault.v, 0, fault.selector) if fault else None
    known = reported(found, "external-request", _PLAYER.sub("", address), deck.name)
    if known is None:
        message = f"the page asks another host for {address}"
        hint = "save the file beside the deck and name that, so that the talk needs no network"
        values = {"address": address}
        return [*found, Finding("external-request", message, where, hint, spot, values)]
    placed = dataclasses.replace(known, where=where, spot=spot, values={"address": address})
    return [placed if finding is known else finding for finding in found]


def _order(finding: Finding) -> tuple[object, ...]:
    return (finding.where.file, finding.where.line or 0, finding.code, finding.message)
