"""Gather, check, render, write: a folder of talks, or one talk, becomes a site."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .answers import Answer
from .cache import Cache
from .catalogue import Catalogue
from .errors import DeckError, MachineError, Problems, UsageError, Where
from .flow import flow
from .furnish import Furnisher
from .layers import assets_root
from .model import Deck, DemoRef, Settings
from .parse import parse_deck, read_source
from .publish import Plan, Written, publish, read_manifest
from .references import Place, References, SiteFiles
from .render import DeckRenderer, Page, Templates, describe, render_index
from .results import Request, Stale
from .settings import read_configuration, resolve
from .typeset import Typesetter
from .yamlish import Document

if TYPE_CHECKING:
    from .bake import Outcome as Answered

SKIPPED = frozenset(("node_modules", "baked", "__pycache__"))
# Answers the requests of one deck from the results in a folder, baking them or not.
Baker = Callable[[list[Request], Path, Catalogue], "list[Answered]"]


@dataclass(frozen=True)
class Job:
    """What to build.

    Args:
        target: a deck or a folder of decks.
        project: nothing outside is read.
        out: the folder of the site.
        flags: options of the command line, by their key in decks.
        strict: any problem keeps everything as it was.
    """

    target: Path
    project: Path
    out: Path
    flags: Mapping[str, Any] = field(default_factory=dict)
    strict: bool = False


@dataclass
class Outcome:
    """What came of a build."""

    problems: Problems
    pages: list[Page] = field(default_factory=list)
    written: Written = field(default_factory=Written)
    failed: list[str] = field(default_factory=list)
    index: str = ""


def find_project(target: Path, cwd: Path) -> Path:
    """A target's project: an ancestor with [tool.labdeck], the working folder, or its own."""
    folder = target if target.is_dir() else target.parent
    for ancestor in (folder, *folder.parents):
        marker = ancestor / "pyproject.toml"
        try:
            if marker.is_file() and "[tool.labdeck" in marker.read_text(encoding="utf-8"):
                return ancestor
        except (OSError, UnicodeDecodeError):
            continue
    return cwd if folder.is_relative_to(cwd) else folder


def find_decks(target: Path, pattern: str = "**/*.md", skip: Path | None = None) -> list[Path]:
    """The decks of a folder in order, or the one that was named."""
    if target.is_file():
        return [target]
    if not target.is_dir():
        raise UsageError(
            "no such file or folder", Where(str(target)), "name a deck or a folder of decks"
        )
    found = []
    for root, folders, files in os.walk(target):
        folders[:] = sorted(f for f in folders if not f.startswith((".", "_")) and f not in SKIPPED)
        folders[:] = [f for f in folders if skip is None or Path(root, f).resolve() != skip]
        for name in sorted(files):
            path = Path(root, name)
            relative = path.relative_to(target).as_posix()
            if fnmatch.fnmatch(relative, pattern) or fnmatch.fnmatch(
                "/" + relative, pattern.replace("**", "*")
            ):
                found.append(path)
    return sorted(found)


def read_deck(path: Path, job: Job, problems: Problems) -> Deck:
    """Read and parse one deck; DeckError if it cannot be."""
    name = os.path.relpath(path)
    if not path.resolve().is_relative_to(job.project.resolve()):
        hint = "nothing outside the project is read; name the file itself, or copy it"
        raise DeckError("a link out of the project", Where(name), hint, code="outside")
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        hint = "save the file as UTF-8 (in an editor: Save with encoding)"
        raise DeckError("not a UTF-8 text", Where(name, line), hint, code="encoding") from error
    except OSError as error:
        hint = "check that the file exists and may be read"
        raise DeckError(
            f"cannot be read: {error.strerror}", Where(name), hint, code="read"
        ) from error
    source = read_source(text, name, problems)
    configuration = read_configuration(path.parent, job.project)
    settings = resolve(job.flags, source.front, configuration, problems)
    deck = parse_deck(source, path, settings, problems)
    return flow(deck, settings.slide_level) if settings.slide_level else deck


def build(job: Job, bake: Baker) -> Outcome:
    """Build a site; all problems are in the outcome, the folder holds what could be built."""
    problems = Problems()
    outcome = Outcome(problems)
    builder = _Builder(job, problems)
    names = page_names(job)
    for path, deck in builder.decks(names, outcome):
        builder.render(path, deck, names, bake, outcome)
    if not names:
        hint = "decks are Markdown files (*.md); name a file to build another one"
        raise UsageError("no decks here", Where(str(job.target)), hint)
    if job.strict and problems.found:
        return outcome
    plan = builder.plan(names, outcome)
    outcome.written = publish(job.out, plan)
    return outcome


def bake_decks(job: Job, bake: Baker) -> tuple[Problems, list[Answered]]:
    """Only bake what the decks of a target ask for; problems of their text are reported too."""
    problems = Problems()
    outcomes: list[Answered] = []
    catalogue = Catalogue(job.project)
    for path in find_decks(job.target, _pattern(job), job.out.resolve()):
        try:
            deck = read_deck(path, job, problems)
            refs = deck.settings.demos
            requests = [Request(ref.demo, ref.params, ref.seed) for ref in refs]
            found = bake(list(dict.fromkeys(requests)), path.parent / "baked", catalogue)
            outcomes += found
            by_request = {outcome.request: outcome for outcome in found}
            for ref, request in zip(refs, requests, strict=True):
                if problem := by_request[request].problem(_place(ref, deck)):
                    problems.add(problem)
        except MachineError:
            raise
        except DeckError as error:
            problems.error(error)
    return problems, outcomes


def _pattern(job: Job) -> str:
    """Which files of a folder are decks: `glob` of the command line or the configuration files."""
    if not job.target.is_dir():
        return Settings.glob
    configuration = read_configuration(job.target, job.project)
    return resolve(job.flags, Document(), configuration, Problems()).glob


def page_names(job: Job) -> dict[Path, str]:
    """Each deck's page below the site, by resolved path."""
    base = job.target if job.target.is_dir() else job.target.parent
    paths = find_decks(job.target, _pattern(job), job.out.resolve())
    names: dict[Path, str] = {}
    for path in paths:
        name = path.relative_to(base).with_suffix(".html").as_posix()
        if name in names.values():
            name = path.relative_to(base).as_posix() + ".html"
        names[path.resolve()] = name
    return names


class _Builder:
    def __init__(self, job: Job, problems: Problems) -> None:
        self.job = job
        self.problems = problems
        self.templates = Templates(job.project)
        self.typesetter = Typesetter(assets_root())
        self.site = SiteFiles()
        self.catalogue = Catalogue(job.project)
        self.pages: dict[str, tuple[Page, frozenset[str]]] = {}

    def decks(self, names: Mapping[Path, str], outcome: Outcome) -> Iterator[tuple[Path, Deck]]:
        for path, name in names.items():
            try:
                yield path, read_deck(path, self.job, self.problems)
            except DeckError as error:
                self._fail(error, name, outcome)

    def _fail(self, error: DeckError, name: str, outcome: Outcome) -> None:
        self.problems.error(error)
        outcome.failed.append(name)

    def render(
        self, path: Path, deck: Deck, names: Mapping[Path, str], bake: Baker, outcome: Outcome
    ) -> None:
        """Render one deck; problems of its own keep it out of the plan."""
        own = Problems()
        try:
            answers = self._answers(deck, bake, own)
            page, needs = self._page(path, deck, names, answers, own)
        except MachineError:
            raise
        except DeckError as error:
            own.error(error)
        self.problems.extend(own.found)
        if own.errors:
            outcome.failed.append(names[path])
        else:
            self.pages[names[path]] = (page, needs)
            outcome.pages.append(page)

    def _page(
        self,
        path: Path,
        deck: Deck,
        names: Mapping[Path, str],
        answers: Mapping[str, Answer],
        problems: Problems,
    ) -> tuple[Page, frozenset[str]]:
        up = "../" * names[path].count("/")
        base = self.job.target if self.job.target.is_dir() else self.job.target.parent
        place = Place(self.job.project.resolve(), path.parent, up, base, dict(names))
        files = SiteFiles()
        references = References(place, files, problems)
        cache = Cache.of_deck(self.job.project, path, self.typesetter.version)
        self.typesetter.new_deck(cache)
        renderer = DeckRenderer(
            deck, self.templates, self.typesetter, references, answers, problems
        )
        slides = renderer.slides()
        furnisher = Furnisher(deck, references, assets_root(), problems)
        body = "".join(slide.html for stack in slides for slide in stack)
        furniture = furnisher.furniture(body)
        page = renderer.page(slides, furniture)
        if deck.settings.fonts:  # a font is cut to all that the page says, templates included
            page = renderer.page(slides, furnisher.with_fonts(furniture, page.html, cache))
        cache.save()
        for address in sorted(references.externals):
            problems.warn(
                "external-request",
                f"the page will ask another host for {address}",
                Where(deck.name),
                "save the file beside the deck and name that, so that the talk needs no network",
            )
        self.site.files.update(files.files)
        return page, frozenset(files.files)

    def _answers(self, deck: Deck, bake: Baker, problems: Problems) -> dict[str, Answer]:
        """A result for each demo entry; what is wrong with it is reported at the entry's line."""
        requests: dict[str, Request] = {}
        answers: dict[str, Answer] = {}
        for ref in deck.settings.demos:
            try:
                requests[ref.name] = Request(ref.demo, ref.params, ref.seed)
            except DeckError as error:
                problems.error(error.at(_place(ref, deck)))
                answers[ref.name] = Answer(None, error.message, reported=True)
        if not requests:
            return answers
        folder = deck.path.parent / "baked"
        outcomes = bake(list(dict.fromkeys(requests.values())), folder, self.catalogue)
        by_request = {outcome.request: outcome for outcome in outcomes}
        for ref in deck.settings.demos:
            if ref.name in requests:
                outcome = by_request[requests[ref.name]]
                answers[ref.name] = _answer(outcome, _place(ref, deck), problems)
        return answers

    def plan(self, names: Mapping[Path, str], outcome: Outcome) -> Plan:
        """The files of the site: pages, what they need, and the index."""
        pages = {name: (page.html.encode(), needs) for name, (page, needs) in self.pages.items()}
        if self.job.target.is_dir():
            self._add_index(pages, names, outcome)
        elif self.pages:
            (name,) = self.pages
            outcome.index = name
            pages.setdefault("index.html", pages[name])
        failed = frozenset(outcome.failed)
        if self.job.target.is_file() and failed:
            failed |= {"index.html"}
        talks = {name: describe(page) for name, (page, _) in self.pages.items()}
        return Plan(pages, self.site.files, failed, talks)

    def _add_index(
        self,
        pages: dict[str, tuple[bytes, frozenset[str]]],
        names: Mapping[Path, str],
        outcome: Outcome,
    ) -> None:
        style = Furnisher.index_style(self.site)
        kept = read_manifest(self.job.out)
        talks = {
            name: entry.talk
            for name, entry in kept.items()
            if name in outcome.failed and entry.talk
        }
        talks |= {name: describe(page) for name, (page, _) in self.pages.items()}
        outcome.index = "index.html"
        if "index.html" in names.values():
            outcome.index = "talks.html"
            hint = "rename index.md if the index of talks should be at index.html"
            message = "index.md takes index.html; the index of talks is talks.html"
            self.problems.warn("index-taken", message, Where(str(self.job.target)), hint)
        text = render_index(self.templates, dict(sorted(talks.items())), [style])
        pages[outcome.index] = (text.encode(), frozenset((style,)))


def _place(ref: DemoRef, deck: Deck) -> Where:
    return ref.where or deck.where("demos")


def _answer(outcome: Answered, where: Where, problems: Problems) -> Answer:
    problem = outcome.problem(where)
    if problem is not None:
        problems.add(problem)
    stale = outcome.state.reason if isinstance(outcome.state, Stale) else ""
    missing = outcome.error.message if outcome.error else ""
    return Answer(outcome.stored, missing, stale, reported=outcome.error is not None)
