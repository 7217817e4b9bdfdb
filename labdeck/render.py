"""Deck and results -> page, through the Jinja templates. Never runs a demo."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from . import __version__
from .answers import Answer, DemoInserts
from .errors import DeckError, Problems, Where
from .furnish import Furniture
from .layers import bundled_root, layers
from .markup.slides import Inserts, SlideHtml, SlideWriter
from .model import Deck, Slide
from .references import References
from .tags import render_attributes
from .typeset import Typesetter

if TYPE_CHECKING:
    from jinja2 import Environment

# What each of plotly's bundles can draw; the smallest that has all traces of a deck is taken.
BASIC = frozenset(("scatter", "bar", "pie"))
CARTESIAN = BASIC | frozenset(
    [
        "box",
        "heatmap",
        "histogram",
        "histogram2d",
        "histogram2dcontour",
        "contour",
        "image",
        "violin",
        "scatterternary",
    ]
)


@dataclass(frozen=True)
class Page:
    """A rendered talk and what the index says of it."""

    html: str
    title: str
    slide_count: int
    lang: str
    deck: Deck


class Templates:
    """The Jinja environment: custom/templates over the project's over the bundled ones.

    Bundled templates can be extended as `labdeck/deck.html`, so that `custom/templates/deck.html`
    does not extend itself.
    """

    def __init__(self, project: Path) -> None:
        self.project = project

    @cached_property
    def environment(self) -> Environment:
        from jinja2 import (
            ChoiceLoader,
            Environment,
            FileSystemLoader,
            PrefixLoader,
            StrictUndefined,
        )

        bundled = FileSystemLoader(bundled_root() / "templates")
        own = [FileSystemLoader(folder) for folder in layers(self.project, "templates")]
        return Environment(
            loader=ChoiceLoader([*own, PrefixLoader({"labdeck": bundled})]),
            autoescape=True,
            undefined=StrictUndefined,
            keep_trailing_newline=False,
        )

    def render(self, name: str, **context: Any) -> str:
        """A template's text; DeckError names the template's file and line."""
        from jinja2 import TemplateError

        try:
            return self.environment.get_template(name).render(version=__version__, **context)
        except TemplateError as error:
            raise _template_error(name, error) from error


def _template_error(name: str, error: Exception) -> DeckError:
    from jinja2 import TemplateNotFound

    if isinstance(error, TemplateNotFound):
        hint = "bundled ones begin with labdeck/, e.g. labdeck/deck.html; see docs/templates.md"
        where = _template_place(error) or Where(f"templates/{name}")
        return DeckError(f"there is no template `{error.name}`", where, hint, code="template")
    hint = "docs/templates.md lists what each template is given"
    where = _template_place(error) or Where(f"templates/{name}")
    return DeckError(f"template: {error}", where, hint, code="template")


def _template_place(error: Exception) -> Where | None:
    """The line of a template that an error comes from."""
    import traceback

    if getattr(error, "lineno", None) is not None and getattr(error, "filename", None):
        return Where(error.filename, error.lineno)  # type: ignore[attr-defined]
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.endswith(".html")]
    return Where(frames[-1].filename, frames[-1].lineno) if frames else None


class DeckRenderer:
    """Renders one deck.

    Args:
        deck: parsed.
        templates: of the project.
        typesetter: shared by a build.
        references: finds the files the deck mentions.
        answers: for each demo entry its result.
        problems: gets everything that is wrong.
    """

    def __init__(
        self,
        deck: Deck,
        templates: Templates,
        typesetter: Typesetter,
        references: References,
        answers: Mapping[str, Answer],
        problems: Problems,
    ) -> None:
        self.deck = deck
        self.templates = templates
        self.references = references
        self.problems = problems
        self.lang = deck.settings.lang or guess_language("".join(s.markdown for s in deck.slides))
        self.demos = (
            DemoInserts(answers, self.lang, templates.render) if deck.settings.demos else None
        )
        inserts = Inserts(self.demos.number, self.demos.figure) if self.demos else None
        try:
            self.writer = SlideWriter(deck.settings, typesetter, problems, inserts)
        except DeckError as error:
            places = [
                deck.places.get((key,)) for key in ("markdownExtensions", "markdown_extensions")
            ]
            raise error.at(places[0] or places[1] or deck.where("")) from error

    def slides(self) -> list[list[SlideHtml]]:
        """Every stack's slides as HTML, local addresses pointed into the site."""
        return [[self._slide(slide) for slide in stack.slides] for stack in self.deck.stacks]

    def _slide(self, slide: Slide) -> SlideHtml:
        def where(address: str) -> Where:
            for text, span in ((slide.markdown, slide.span), (slide.notes, slide.notes_span)):
                offset = text.find(address) if text and address else -1
                if text and span and offset >= 0:
                    return span.where(text.count("\n", 0, offset))
            return slide.span.where()

        written = self.writer.write(slide, lambda text: self.references.in_html(text, where))
        attributes = self.references.in_attributes(written.attributes, where)
        if slide.flow:
            attributes["class"] = f"flow {attributes.get('class', '')}".strip()
        return SlideHtml(attributes, written.html, written.title)

    def page(self, stacks: list[list[SlideHtml]], furniture: Furniture) -> Page:
        """The whole page."""
        settings = self.deck.settings
        title = settings.title or next((s.title for stack in stacks for s in stack if s.title), "")
        title = title or self.deck.path.stem
        engine = [*furniture.engine_scripts, *self._plotly(furniture)]
        context = {
            "lang": self.lang,
            "title": title,
            "author": settings.author,
            "date": settings.date,
            "description": settings.description,
            "absolute_url": settings.absolute_url,
            "favicon": furniture.favicon,
            "styles": furniture.styles,
            "engine_scripts": engine,
            "scripts": furniture.scripts,
            "reveal": _page_options(settings.reveal),
            "extra": settings.extra,
            "stacks": self._stacks(stacks),
        }
        text = self.templates.render("deck.html", deck=context, slide_template="slide.html")
        hidden = sum(
            s.attributes.get("data-visibility") == "hidden" for stack in stacks for s in stack
        )
        count = sum(len(stack) for stack in stacks) - hidden
        return Page(text, title, count, self.lang, self.deck)

    def _plotly(self, furniture: Furniture) -> list[str]:
        traces = self.demos.traces if self.demos else frozenset()
        if not traces:
            return []
        bundle = "basic" if traces <= BASIC else "cartesian" if traces <= CARTESIAN else "full"
        return furniture.plotly[bundle]

    def _stacks(self, stacks: list[list[SlideHtml]]) -> list[dict[str, Any]]:
        from markupsafe import Markup

        return [
            {
                "vertical": stack.vertical,
                "slides": [
                    {
                        "attributes": Markup(render_attributes(written.attributes)),
                        "html": Markup(written.html.strip()),
                        "title": written.title,
                        "source": str(slide.span.where(_lead(slide.markdown))),
                    }
                    for slide, written in zip(stack.slides, html_stack, strict=True)
                ],
            }
            for stack, html_stack in zip(self.deck.stacks, stacks, strict=True)
        ]


def _lead(markdown: str) -> int:
    """Blank lines before the first text of a slide."""
    stripped = markdown.lstrip("\n")
    return len(markdown) - len(stripped) if stripped else 0


def _page_options(reveal: Mapping[str, Any]) -> dict[str, Any]:
    """Options for Reveal.initialize; those that were used at build time stay out."""
    return {
        key: value for key, value in reveal.items() if key not in ("markdown", "highlight", "math")
    }


def guess_language(text: str) -> str:
    """The language a text is most likely in, for `lang` of the page: zh-CN, ja, ko or en."""
    letters = re.findall(r"[^\W\d_]", text)
    han = sum("\u3400" <= c <= "\u9fff" for c in letters)
    kana = sum("\u3040" <= c <= "\u30ff" for c in letters)
    hangul = sum("\uac00" <= c <= "\ud7af" for c in letters)
    if kana > 0.05 * len(letters):
        return "ja"
    if hangul > 0.2 * len(letters):
        return "ko"
    return "zh-CN" if han > 0.1 * len(letters) and han else "en"


def describe(page: Page) -> dict[str, Any]:
    """What the index says of a talk, as plain data."""
    settings = page.deck.settings
    return {
        "title": page.title,
        "author": settings.author,
        "date": settings.date,
        "description": settings.description,
        "slide_count": page.slide_count,
        "lang": page.lang,
    }


def render_index(
    templates: Templates, talks: Mapping[str, Mapping[str, Any]], styles: list[str]
) -> str:
    """The index of talks, by address in the order given."""
    lang = next((str(talk["lang"]) for talk in talks.values()), "en")
    chinese = lang.startswith("zh")
    entries = []
    for href, talk in talks.items():
        count = talk["slide_count"]
        slides = f"{count} 页" if chinese else f"{count} slide" + "s" * (count != 1)
        details = [part for part in (talk["author"], talk["date"], slides) if part]
        entries.append({**talk, "href": quote(href), "details": details})
    title = "报告" if chinese else "Talks"
    context = {"lang": lang, "title": title, "talks": entries, "styles": styles}
    return templates.render("index.html", index=context)
