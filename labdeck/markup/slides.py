"""A slide's Markdown -> the HTML of its section."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from markdown import Markdown

from ..errors import DeckError, Problems, Where
from ..model import Settings, Slide, Span
from ..tags import Tag, contain, render_attributes, rewrite, with_attributes
from ..typeset import TexError, Typesetter
from .attributes import are_on, split_info
from .blocks import create_parser
from .bridge import BridgeParser
from .code import draw_code, highlight_html, read_info
from .comments import apply_comments, derive_background
from .footnotes import Footnotes
from .foreign import Isolate, Release, create_markdown
from .formulas import FormulaTaker
from .inline import InlineTreeprocessor
from .shelf import Piece, Shelf
from .switches import read_switches
from .trees import AnimateLists, HeadingIds, curl

_INDEXED_PRE = re.compile(r"<pre\b[^>]*\bdata-fragment-index")
_DECODED = re.compile(r"&lt;(?=[a-zA-Z/!])|&amp;(?=#?\w+;)")


@dataclass(frozen=True)
class SlideHtml:
    """A slide ready for the page: attributes of its section, HTML inside, title for listings."""

    attributes: dict[str, str]
    html: str
    title: str


@dataclass(frozen=True)
class Inserts:
    """What a deck with demos puts into its text.

    Args:
        number: expression, place -> HTML of the number.
        figure: name, body of the block, place -> HTML of the figure.
    """

    number: Callable[[str, Where], str]
    figure: Callable[[str, str, Where], str]


class SlideWriter:
    """Turns the slides of one deck into HTML.

    Args:
        settings: the deck's.
        typesetter: for formulas and code.
        problems: gets warnings, and errors of formulas and inserts.
        inserts: numbers and figures, None for a deck without demos.
    """

    def __init__(
        self,
        settings: Settings,
        typesetter: Typesetter,
        problems: Problems,
        inserts: Inserts | None = None,
    ) -> None:
        self.settings = settings
        self.typesetter = typesetter
        self.problems = problems
        self.inserts = inserts
        self.switches = read_switches(settings.markdown_extensions)
        create_markdown(self.switches.foreign)  # what cannot be loaded is known before any slide
        self.parser = create_parser(self.switches.own)
        self.ids: dict[str, int] = {}
        self.texts = 0

    def write(self, slide: Slide, edit: Callable[[str], str] = str) -> SlideHtml:
        """The HTML of a slide, notes at its end; `edit` changes what the author wrote of it.

        What formulas and code become is put in after `edit`: it has no address to change.
        """
        text = _Text(self, slide.span)
        body = text.convert(slide.markdown)
        body, attributes = apply_comments(body, text.warn)
        self._warn_differences(slide, body, text)
        aside = ""
        if slide.notes is not None and slide.notes_span is not None:
            notes = _Text(self, slide.notes_span)
            note_html, _ = apply_comments(notes.convert(slide.notes.strip("\n")), notes.warn)
            aside = f'<aside class="notes">{notes.finish(note_html, edit)}</aside>'
        body = text.finish(body, edit) + aside
        return SlideHtml(derive_background(attributes), body, _title(body))

    def _warn_differences(self, slide: Slide, body: str, text: _Text) -> None:
        """Warn of what is read otherwise than it looks, or than in reveal-md (F30, F49)."""
        decoded = _DECODED.search(slide.markdown)
        if decoded:
            message = f"`{decoded[0]}` stays text here; reveal-md decodes it before Markdown"
            hint = "write the character itself if reveal-md's reading is meant"
            text.warn("entity-decoded", message, hint, decoded[0])
        if _INDEXED_PRE.search(body):
            message = "`data-fragment-index` on a code block orders nothing"
            hint = "code steps come where the block stands; move the block"
            text.warn("fragment-index-on-code", message, hint, "data-fragment-index")


class _Text:
    """One Markdown text on its way to HTML: a slide, or its notes."""

    def __init__(self, writer: SlideWriter, span: Span) -> None:
        self.writer = writer
        self.span = span
        self.shelf = Shelf()
        self.source = ""

    def convert(self, text: str) -> str:
        """HTML in which formulas and numbers are still marks."""
        self.source = Shelf.clean(text)
        taker = FormulaTaker(
            self.shelf, self.span, self.writer.problems, self.writer.inserts is not None
        )
        try:
            body = self._markdown().convert(taker.take(self.source))
        except DeckError as error:
            raise error.at(self.span.where()) from error
        return self._unshelve_html(body)

    def finish(self, body: str, edit: Callable[[str], str]) -> str:
        """HTML with everything in place."""
        body = edit(contain(rewrite(body, _neutralise)))
        body = highlight_html(body, self.writer.typesetter, self.shelf.restore)
        return self.shelf.fill(body, self._show)

    def warn(self, code: str, message: str, hint: str, near: str) -> None:
        """A warning at the line where `near` stands in the source."""
        offset = self.source.find(self.shelf.restore(near))
        where = self.span.where(self.source.count("\n", 0, max(offset, 0)))
        self.writer.problems.warn(code, message, where, hint)

    def _markdown(self) -> Markdown:
        """A Python-Markdown instance whose blocks come over the bridge."""
        settings = self.writer.settings
        md = create_markdown(self.writer.switches.foreign)
        self.writer.texts += 1
        footnotes = Footnotes(f"fn-{self.writer.texts}")
        parser = self.writer.parser
        md.parser = BridgeParser(md, parser, self.shelf, self._draw_fence, footnotes)
        options = settings.markdown_options
        smart = curl if options.get("smartypants") else str
        inline = InlineTreeprocessor(md, self.shelf, smart, bool(options.get("breaks")))
        if len(md.treeprocessors):
            md.treeprocessors.register(Isolate(md), "isolate", 4.5)
            md.treeprocessors.register(Release(md), "release", 0)
        md.treeprocessors.register(inline, "inline", 20)
        md.treeprocessors.register(HeadingIds(md, self._plain, self.writer.ids), "heading-ids", 10)
        if options.get("animateLists"):
            md.treeprocessors.register(AnimateLists(md), "animate-lists", 5)
        return md

    def _plain(self, text: str) -> str:
        return self.shelf.plain(text, lambda p: p.source if p.kind == "html" else p.content)

    def _unshelve_html(self, body: str) -> str:
        """Raw HTML back in its place: comments and tags are seen with their surroundings."""
        pieces = self.shelf.pieces

        def show(match: re.Match[str]) -> str:
            piece = pieces[int(match[1])]
            return piece.content if piece.kind == "html" else match[0]

        return re.sub("\ufdd0(\\d+)\ufdd1", show, body)

    def _draw_fence(self, info: str, code: str, line: int) -> str:
        where = self.span.where(line)
        info, attributes = split_info(info) if are_on(self.writer.parser) else (info, {})
        words = info.split()
        if words and words[0] == "demo" and self.writer.inserts is not None:
            return self._insert(lambda: self._figure(info, code, where), where)
        if words and words[0] == "mermaid" and self.writer.settings.mermaid is not False:
            hint = "draw it beforehand, and show the picture"
            self.writer.problems.warn("mermaid", "mermaid diagrams stay text here", where, hint)
            return f'<pre><code class="mermaid">{html.escape(code, quote=False)}</code></pre>'
        read = read_info(info)
        if read.rest:
            self._warn_rest(read.rest, where)
        drawn = draw_code(code, read, self.writer.typesetter)
        mark = self.shelf.put(Piece("done", code, drawn))
        return f"<pre{render_attributes(attributes)}>{mark}</pre>"

    def _warn_rest(self, rest: tuple[str, ...], where: Where) -> None:
        brackets = any("[" in word for word in rest)
        code = "code-brackets-not-understood" if brackets else "code-info-rest"
        shown = " ".join(rest)
        message = f"`{shown}` after the language means nothing here"
        self.writer.problems.warn(code, message, where, "write line steps as [1|3-5]")

    def _figure(self, info: str, body: str, where: Where) -> str:
        assert self.writer.inserts is not None
        name = info.split(maxsplit=1)[1].strip() if len(info.split()) > 1 else ""
        return self.writer.inserts.figure(name, body, where)

    def _show(self, piece: Piece) -> str:
        if piece.kind in ("html", "done"):
            return piece.content
        if piece.kind in ("source", "element"):
            return html.escape(piece.source)
        where = piece.where or self.span.where()
        if piece.kind == "number":
            assert self.writer.inserts is not None
            number = self.writer.inserts.number
            return self._insert(lambda: number(piece.content, where), where)
        try:
            return self._typeset(piece, where)
        except TexError as error:
            self.writer.problems.error(_located(error, piece, where))
            return html.escape(piece.source)

    def _typeset(self, piece: Piece, where: Where) -> str:
        typesetter = self.writer.typesetter
        try:
            return typesetter.tex(piece.content, piece.display)
        except TexError as error:
            if "got '&'" not in str(error):
                raise
        # A stray & is a mark for columns that are not there; MathJax showed it or an error.
        shown = typesetter.tex(re.sub(r"(?<!\\)&", r"\&", piece.content), piece.display)
        hint = "write \\& for the sign, or put the formula into an aligned environment"
        self.writer.problems.warn("math-stray-ampersand", "& outside an environment", where, hint)
        source = html.escape(piece.content, quote=False)
        return re.sub(
            r"(<annotation[^>]*>).*?(</annotation>)",
            lambda m: m[1] + source + m[2],
            shown,
            flags=re.DOTALL,
        )

    def _insert(self, make: Callable[[], str], where: Where) -> str:
        try:
            return make()
        except DeckError as error:
            self.writer.problems.error(error.at(where))
            return ""


def _located(error: TexError, piece: Piece, where: Where) -> DeckError:
    """A TeX error at its place in the deck."""
    column = error.column + 1
    if error.line == 0 and where.column is not None:
        column = where.column + piece.source.find(piece.content.split("\n")[0]) + error.column
    line = (where.line or 1) + error.line
    place = replace(where, line=line, column=column)
    return DeckError(f"TeX: {error}", place, error.hint, code="tex", snippet=error.snippet)


def _neutralise(tag: Tag) -> str | None:
    """A script in a slide does nothing, as in reveal-md, which inserts slides as text (F35)."""
    if tag.name != "script":
        return None
    kind = tag.attributes.get("type", "").lower()
    if kind and "script" not in kind and kind != "module":
        return None  # data, which no browser runs
    return with_attributes(tag, {"type": "text/plain"})


def _title(body: str) -> str:
    """The text of a slide's first heading."""
    match = re.search(r"<h[1-6][^>]*>(.*?)</h[1-6]>", body, re.DOTALL)
    if not match:
        return ""
    text = re.sub(
        r"<annotation.*?</annotation>|<span class=\"katex-html\".*", "", match[1], flags=re.DOTALL
    )
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", text))).strip()
