"""TeX -> HTML with KaTeX, code -> HTML with highlight.js, both inside QuickJS, at build time."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from . import __version__
from .cache import Cache
from .errors import MachineError

_KATEX_JS = """
var macros = {};
function typesetTex(tex, display) {
  try {
    return JSON.stringify({html: katex.renderToString(tex, {
      displayMode: display, output: 'htmlAndMathml', strict: 'ignore', trust: false,
      globalGroup: true, macros: macros, maxExpand: 2000, maxSize: 500})});
  } catch (error) {
    return JSON.stringify({error: String(error.message || error), at: error.position});
  }
}
function forgetMacros() { macros = {}; }
"""
_HLJS_JS = """
function highlightCode(code, language) {
  var result = language ? hljs.highlight(code, {language: language, ignoreIllegals: true})
                        : hljs.highlightAuto(code);
  return result.value;
}
function knows(language) { return !!hljs.getLanguage(language); }
"""
_DEFINES = re.compile(r"\\(?:[gx]?def|(?:re|provide)?newcommand|let)\b")
PLAIN = frozenset(("text", "txt", "plain", "plaintext", "none", "nohighlight", "no-highlight"))


class TexError(Exception):
    """KaTeX cannot read a formula: `line` and `column` count from 0 inside it."""

    def __init__(self, message: str, line: int, column: int, snippet: str) -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.snippet = snippet

    @property
    def hint(self) -> str:
        if "Undefined control sequence" in str(self):
            return "check the spelling; KaTeX's functions: https://katex.org/docs/supported"
        return "write \\$ for a dollar sign that begins no formula"


class Typesetter:
    """One QuickJS engine for a build; KaTeX and highlight.js are loaded when first needed.

    Args:
        assets: the folder the build hook filled.
    """

    def __init__(self, assets: Path) -> None:
        self.assets = assets
        self.cache = Cache()
        self._stateful = False  # whether the deck has defined macros: then nothing is kept

    @cached_property
    def _katex(self) -> Any:
        return self._engine("katex/katex.min.js", _KATEX_JS)

    @cached_property
    def _hljs(self) -> Any:
        return self._engine("hljs/highlight.min.js", _HLJS_JS)

    def _engine(self, script: str, glue: str) -> Any:
        import quickjs

        context = quickjs.Context()
        context.set_max_stack_size(8 * 1024 * 1024)
        context.set_memory_limit(512 * 1024 * 1024)
        context.eval(self._script(script))
        context.eval(glue)
        return context

    def _script(self, name: str) -> str:
        path = self.assets / name
        try:
            return path.read_text(encoding="utf-8")
        except OSError as error:
            raise MachineError(
                f"browser asset {name} is missing: {error.strerror}",
                hint='install labdeck again: pip install -e ".[dev]", or pip install labdeck',
                code="assets",
            ) from error

    @cached_property
    def version(self) -> str:
        """Changes whenever KaTeX, highlight.js or this module would give something else."""
        digest = self.assets / "DIGEST"
        return f"{__version__} {digest.read_text().strip() if digest.is_file() else ''}"

    def new_deck(self, cache: Cache | None = None) -> None:
        """Begin a deck: forget the macros that the last one defined, and take its cache."""
        if self._stateful:
            self._katex.eval("forgetMacros()")
            self._stateful = False
        self.cache = cache or Cache()

    def tex(self, tex: str, display: bool) -> str:
        """A formula as HTML with MathML beside it.

        Raises:
            TexError: KaTeX cannot read it; the snippet has a caret under the place.
        """
        self._stateful = self._stateful or bool(_DEFINES.search(tex))
        key = f"{'display' if display else 'inline'} {tex}"
        kept = None if self._stateful else self.cache.get(key)
        if kept is not None:
            return kept
        answer = json.loads(self._katex.get("typesetTex")(tex, display))
        if "error" in answer:
            raise _tex_error(tex, answer)
        if not self._stateful:
            self.cache.put(key, answer["html"])
        return str(answer["html"])

    def code(self, code: str, language: str) -> str:
        """Code as HTML with `hljs-…` spans.

        Without a language highlight.js guesses one; an unknown language leaves the code plain.
        """
        language = language.lower()
        key = f"code {language} {code}"
        kept = self.cache.get(key)
        if kept is None:
            kept = self._highlight(code, language)
            self.cache.put(key, kept)
        return kept

    def _highlight(self, code: str, language: str) -> str:
        if language in PLAIN or (language and not self._load_language(language)):
            return _escape(code)
        return str(self._hljs.get("highlightCode")(code, language))

    def _load_language(self, language: str) -> bool:
        if self._hljs.get("knows")(language):
            return True
        if not re.fullmatch(r"[a-z0-9+#_.-]+", language):
            return False
        folder = self.assets / "hljs" / "languages"
        own = folder / f"{language}.min.js"
        # An alias (`hs`, `tex`, `ps1`) is known only to its language's file: load what names it.
        for path in [own] if own.is_file() else sorted(folder.glob("*.min.js")):
            text = path.read_text(encoding="utf-8")
            if path == own or f'"{language}"' in text:
                self._hljs.eval(text)
            if self._hljs.get("knows")(language):
                return True
        return False


def _escape(code: str) -> str:
    return code.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _tex_error(tex: str, answer: Mapping[str, Any]) -> TexError:
    message = re.sub(r"^KaTeX parse error: ", "", answer["error"])
    message = re.sub(r"\s+at position \d+:.*|\s+at end of input:.*", "", message, flags=re.DOTALL)
    at = answer.get("at")
    end = len(tex.rstrip())
    at = end if at is None else min(int(at), end)
    start = tex.rfind("\n", 0, at) + 1
    end = tex.find("\n", at)
    line = tex[start : end if end >= 0 else len(tex)]
    snippet = line + "\n" + " " * _width(line[: at - start]) + "^"
    return TexError(message, tex.count("\n", 0, at), at - start, snippet)


def _width(text: str) -> int:
    return sum(2 if ord(char) > 0x2E7F else 1 for char in text)
