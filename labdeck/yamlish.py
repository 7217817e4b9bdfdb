"""YAML and JSON as decks mean them: js-yaml's reading of scalars, and a place for every key.

PyYAML reads 16:9 as 969, `on` as true and 8e3 as text, keeps the last of two equal keys and turns
dates into objects; js-yaml, which reveal-md uses, does not. So scalars are resolved here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import DeckError, Where

MAX_NODES = 20_000  # aliases count each time they are used, so a YAML bomb ends here
_INT = re.compile(r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0o?[0-7_]+|(?:0|[1-9][0-9_]*))\Z")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9_]+)\Z")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
Places = dict[tuple[str, ...], Where]


@dataclass(frozen=True)
class Document:
    """A mapping read from a file.

    Args:
        data: the mapping.
        places: where each key stands, by its path.
        repeated: errors for keys given twice, by path; `data` has their last values.
    """

    data: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[tuple[str, ...], Where] = field(default_factory=dict)
    repeated: Mapping[tuple[str, ...], DeckError] = field(default_factory=dict)

    def where(self, *path: str) -> Where | None:
        """The place of the key at `path`, or of the nearest key above it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path)


def scalar(text: str) -> Any:
    """A plain scalar as js-yaml reads it: null, bool, int, float or text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.match(text) and not text.endswith("_"):
        return _integer(text.replace("_", ""))
    if _FLOAT.match(text) and not text.endswith("_"):
        return float(text.replace("_", ""))
    return text


def _integer(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-")
    if digits[:2] in ("0b", "0x", "0o"):
        return sign * int(digits, 0)
    base = 8 if len(digits) > 1 and digits.startswith("0") else 10
    return sign * int(digits, base)


def read_yaml(text: str, file: str, first_line: int, what: str) -> Document:
    """The mapping in `text`, whose first line is line `first_line` of `file`."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        root = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Where(file, first_line + (mark.line if mark else 0), mark.column + 1 if mark else 1)
        raise _bad_yaml(error.problem or str(error), where, text, first_line, what) from error
    except yaml.YAMLError as error:
        raise _bad_yaml(str(error), Where(file, first_line), text, first_line, what) from error
    if not isinstance(root, yaml.MappingNode):
        found = {yaml.SequenceNode: "a list", yaml.ScalarNode: "a plain text"}.get(
            type(root), "nothing"
        )
        raise DeckError(
            f"{what} must hold `key: value` lines, found {found}",
            Where(file, first_line),
            "write `title: …`, or put a blank line before the first --- if it separates slides",
            code="front-matter",
        )
    places: Places = {}
    builder = _Builder(file, first_line, places)
    return Document(builder.mapping(root, ()), places, builder.repeated)


def _bad_yaml(problem: str, where: Where, text: str, first_line: int, what: str) -> DeckError:
    lines = text.splitlines()
    index = (where.line or first_line) - first_line
    shown = lines[index] if index < len(lines) else ""
    caret = shown.expandtabs(1) + "\n" + " " * ((where.column or 1) - 1) + "^" if shown else None
    hint = "check the indentation, the colons and the quotes of this line"
    if "\t" in shown:
        hint = "YAML is indented with spaces, not tabs"
    message = f"{what}, line {where.line}: {problem}"
    return DeckError(message, where, hint, code="front-matter", snippet=caret)


class _Builder:
    """Builds plain data from YAML nodes, noting the place of every key."""

    def __init__(self, file: str, first_line: int, places: Places) -> None:
        self.file = file
        self.first_line = first_line
        self.places = places
        self.repeated: dict[tuple[str, ...], DeckError] = {}
        self.nodes = 0
        self.open: list[int] = []

    def where(self, node: Any) -> Where:
        mark = node.start_mark
        return Where(self.file, self.first_line + mark.line, mark.column + 1)

    def value(self, node: Any, path: tuple[str, ...]) -> Any:
        self.nodes += 1
        if self.nodes > MAX_NODES or id(node) in self.open:
            raise DeckError("too many nested aliases in YAML", self.where(node))
        if node.id == "scalar":
            return scalar(node.value) if not node.style else node.value
        self.open.append(id(node))
        if node.id == "mapping":
            built: Any = self.mapping(node, path)
        else:
            built = [self.value(item, (*path, str(i))) for i, item in enumerate(node.value)]
        self.open.pop()
        return built

    def mapping(self, node: Any, path: tuple[str, ...]) -> dict[str, Any]:
        data: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.id != "scalar":
                raise DeckError("a key must be a plain word", self.where(key_node))
            key = str(key_node.value)
            if key == "<<" and not key_node.style:
                merged.update(self._merge(value_node, path))
                continue
            here = (*path, key)
            if key in data:
                first = self.places[here].line
                self.repeated[here] = DeckError(
                    f"`{key}` is given twice (first on line {first})",
                    self.where(key_node),
                    "keep one of the two",
                    code="front-matter",
                )
            self.places[here] = self.where(key_node)
            data[key] = self.value(value_node, here)
        return {**merged, **data}

    def _merge(self, node: Any, path: tuple[str, ...]) -> dict[str, Any]:
        value = self.value(node, path)
        parts = value if isinstance(value, list) else [value]
        if not all(isinstance(part, dict) for part in parts):
            raise DeckError("`<<` needs a mapping", self.where(node))
        return {key: item for part in reversed(parts) for key, item in part.items()}


def read_json(text: str, file: str, first_line: int, what: str) -> Document:
    """A JSON mapping (front matter that starts with `{`)."""
    import json

    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        line = first_line + error.lineno - 1
        raise DeckError(
            f"{what}, line {line}: not valid JSON: {error.msg}",
            Where(file, line, error.colno),
            "front matter that starts with { is read as JSON",
            code="front-matter",
        ) from error
    return Document(_require_mapping(data, file, first_line, what))


def read_json5(text: str, file: str) -> Document:
    """A configuration file: JSON, or JSON5 where that fails (comments are allowed in both)."""
    import json

    try:
        data = json.loads(text)
    except json.JSONDecodeError:
        data = _loads_json5(text, file)
    return Document(_require_mapping(data, file, 1, "the file"))


def _loads_json5(text: str, file: str) -> Any:
    import json5

    try:
        return json5.loads(text)
    except ValueError as error:
        match = re.search(r":(\d+) .*?(?:at column (\d+))?\Z", str(error))
        line = int(match.group(1)) if match else 1
        raise DeckError(
            f"not valid JSON5: {error}", Where(file, line), "check commas and quotes"
        ) from error


def _require_mapping(data: Any, file: str, line: int, what: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise DeckError(
            f"{what} must hold a mapping, found {type(data).__name__}",
            Where(file, line),
            code="front-matter",
        )
    return data
