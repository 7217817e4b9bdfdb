"""Results on their way into a page: numbers in prose, figures and tables in the deck's language."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .contract import Figure, Table, Text
from .errors import DeckError, Where, did_you_mean
from .expressions import Expressions, MissingResult
from .results import Stored

_TEXT_KEYS = frozenset(("text", "name", "hovertemplate", "ticksuffix", "tickprefix", "label"))
_OPTIONS = ("caption", "height", "alt")


@dataclass(frozen=True)
class Answer:
    """What a demo entry of a deck got.

    Args:
        stored: its result, None if there is none.
        missing: why there is none.
        stale: why the result is of another state of the demo, "" if it is not.
        reported: whether the lack was already reported as an error.
    """

    stored: Stored | None
    missing: str = ""
    stale: str = ""
    reported: bool = False


class DemoInserts:
    """Makes the HTML of numbers and figures for one deck.

    Args:
        answers: by entry name.
        lang: language of the deck; figures and labels follow it where they can.
        render: a template's name and context -> HTML.
    """

    def __init__(
        self, answers: Mapping[str, Answer], lang: str, render: Callable[..., str]
    ) -> None:
        self.answers = answers
        self.lang = lang.partition("-")[0]
        self.render = render
        self.traces: frozenset[str] = frozenset()
        results = {name: a.stored.result for name, a in answers.items() if a.stored}
        numbers = {name: result.numbers for name, result in results.items()}
        missing = {name: a.missing for name, a in answers.items() if not a.stored}
        self.silent = {name for name, a in answers.items() if a.reported}
        self.expressions = Expressions(numbers, missing)

    def number(self, expression: str, where: Where) -> str:
        """An expression as `<data class="demo-number">`."""
        try:
            shown = self.expressions.evaluate(expression, where)
        except MissingResult as error:
            if error.name in self.silent:
                return ""
            raise
        names = list(dict.fromkeys(name for name, _ in shown.used))
        context = {
            "text": shown.text,
            "value": shown.value,
            "demo": " ".join(names),
            "metric": " ".join(metric for _, metric in shown.used),
            "result": " ".join(self._stored(name).request.key for name in names),
            "provenance": "; ".join(self._provenance(name) for name in names),
            "stale": next((self.answers[n].stale for n in names if self.answers[n].stale), ""),
        }
        return self.render("number.html", number=context).strip()

    def figure(self, target: str, body: str, where: Where) -> str:
        """A `demo` block as a figure or a table."""
        name, _, metric = target.partition(".")
        if not target:
            known = [
                f"{n}.{f}"
                for n, a in self.answers.items()
                if a.stored
                for f in a.stored.result.figures
            ]
            message, hint = "a demo block must name a figure", did_you_mean("", known)
            raise DeckError(message, where, hint, code="unknown-figure")
        if name not in self.answers:
            raise DeckError(
                f"`{name}` is not declared under demos:",
                where,
                did_you_mean(name, self.answers),
                code="unknown-figure",
            )
        if self.answers[name].stored is None:
            if name in self.silent:
                return ""
            hint = "bake it: labdeck bake <the talk>"
            message = f"`{name}` has no result: {self.answers[name].missing}"
            raise DeckError(message, where, hint, code="missing-result")
        options = _read_options(body, where)
        result = self._stored(name).result
        if metric in result.tables:
            return self._table(name, metric, result.tables[metric], options)
        if metric not in result.figures:
            known = [f"{name}.{key}" for key in (*result.figures, *result.tables)]
            hint = did_you_mean(target, known)
            raise DeckError(f"no figure `{target}`", where, hint, code="unknown-figure")
        return self._figure(name, metric, result.figures[metric], options)

    def _figure(self, name: str, metric: str, figure: Figure, options: Mapping[str, str]) -> str:
        words = figure.words.get(self.lang, {})
        spec = translate(figure.spec, words)
        self.traces |= {str(trace.get("type", "scatter")) for trace in spec["data"]}
        answer = self.answers[name]
        from markupsafe import Markup

        context = {
            "demo": name,
            "name": metric,
            "result": self._stored(name).request.key,
            "alt": options.get("alt") or self.text(figure.alt),
            "caption": options.get("caption", ""),
            "height": _length(options.get("height", "")),
            "provenance": self._provenance(name),
            "spec": Markup(script_json(spec)),
            "stale": answer.stale,
            "stale_mark": "（结果已过期）" if self.lang == "zh" else "(stale)",
        }
        return self.render("figure.html", figure=context)

    def _table(self, name: str, metric: str, table: Table, options: Mapping[str, str]) -> str:
        context = {
            "demo": name,
            "name": metric,
            "result": self._stored(name).request.key,
            "provenance": self._provenance(name),
            "columns": [self.text(column) for column in table.columns],
            "rows": table.rows,
            "caption": options.get("caption", ""),
        }
        return self.render("table.html", table=context)

    def text(self, text: Text) -> str:
        """A text in the deck's language, else in English, else in any."""
        if isinstance(text, str):
            return text
        return text.get(self.lang) or text.get("en") or next(iter(text.values()), "")

    def _stored(self, name: str) -> Stored:
        stored = self.answers[name].stored
        assert stored is not None
        return stored

    def _provenance(self, name: str) -> str:
        stored = self._stored(name)
        origin = stored.provenance
        parts = [
            stored.request.demo,
            origin.device,
            origin.started[:10],
            f"seed {stored.request.seed}",
        ]
        if stale := self.answers[name].stale:
            parts.append(f"stale: {stale}")
        return " · ".join(parts)


def _length(text: str) -> str:
    """A CSS length; a bare number is in pixels of the slide."""
    return f"{text}px" if text.replace(".", "", 1).isdigit() else text


def script_json(value: Any) -> str:
    """JSON that may stand inside a script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.replace("<", "\\u003c")


def translate(value: Any, words: Mapping[str, str], key: str = "") -> Any:
    """A plotly spec with the texts that people read replaced by those of another language."""
    if isinstance(value, Mapping):
        return {
            k: translate(v, words, k if k != "title" or not isinstance(v, str) else "text")
            for k, v in value.items()
        }
    if isinstance(value, (list, tuple)):
        texts = key in ("ticktext", "text", "labels", "x", "y", "hovertext")
        return [translate(item, words, "text" if texts else key) for item in value]
    if isinstance(value, str) and key in _TEXT_KEYS:
        return words.get(value, value)
    return value


def _read_options(body: str, where: Where) -> dict[str, str]:
    """The options of a `demo` block: `key: value` lines."""
    options: dict[str, str] = {}
    for offset, line in enumerate(body.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key, colon, value = line.partition(":")
        if not colon or key.strip() not in _OPTIONS:
            place = Where(where.file, (where.line or 0) + offset, 1)
            hint = "write e.g. `caption: …`; known: " + ", ".join(_OPTIONS)
            raise DeckError(
                f"a demo block cannot hold `{line.strip()}`", place, hint, code="demo-block"
            )
        options[key.strip()] = value.strip().strip("\"'")
    return options
