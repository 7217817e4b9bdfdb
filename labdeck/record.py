"""A result as plain JSON values, and the text they are written as.

The text is the same for the same values: keys sorted, floats as Python's repr, lists of plain
values on one line so that a diff shows which curve moved.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from .contract import ContractError, Figure, Number, Result, Table


def plain_result(result: Result) -> dict[str, Any]:
    """A Result as dicts, lists, texts and numbers; ContractError names what is none of these."""
    return {
        "numbers": {
            name: {
                "value": number.value,
                "unit": number.unit,
                "kind": number.kind,
                "spread": plain(number.spread, f"numbers.{name}.spread"),
                "label": plain(number.label, f"numbers.{name}.label"),
            }
            for name, number in result.numbers.items()
        },
        "figures": {
            name: {
                "spec": plain(figure.spec, f"figures.{name}.spec"),
                "alt": plain(figure.alt, f"figures.{name}.alt"),
                "words": plain(figure.words, f"figures.{name}.words"),
            }
            for name, figure in result.figures.items()
        },
        "tables": {
            name: {
                "columns": plain(table.columns, f"tables.{name}.columns"),
                "rows": plain(table.rows, f"tables.{name}.rows"),
            }
            for name, table in result.tables.items()
        },
    }


def read_result(data: Mapping[str, Any]) -> Result:
    """The Result back from its plain form; ContractError or TypeError where it is none."""
    return Result(
        {name: Number(**fields) for name, fields in data["numbers"].items()},
        {name: Figure(**fields) for name, fields in data["figures"].items()},
        {name: Table(**fields) for name, fields in data["tables"].items()},
    )


def plain(value: Any, path: str) -> Any:
    """A value as JSON can hold it, tuples as lists; ContractError names the place of any other."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ContractError(f"`{path}` is {value!r}, which JSON cannot hold", "use None")
        return float(value)
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise ContractError(f"`{path}` has the key {key!r}, which is no text")
        return {key: plain(item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, f"{path}[{index}]") for index, item in enumerate(value)]
    raise ContractError(
        f"`{path}` is a {type(value).__name__}, not a plain value",
        "turn arrays and tensors into lists with .tolist()",
    )


def checksum(data: Mapping[str, Any]) -> str:
    """sha256 of plain values, whatever their layout in a file."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def write_text(data: Mapping[str, Any]) -> str:
    """Plain values as the text of a file."""
    return _text(data, "") + "\n"


def _text(value: Any, indent: str) -> str:
    inner = indent + " "
    if isinstance(value, Mapping) and value:
        lines = [f"{inner}{_atom(key)}: {_text(value[key], inner)}" for key in sorted(value)]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, (Mapping, list)) for item in value):
        lines = [inner + _text(item, inner) for item in value]
        return "[\n" + ",\n".join(lines) + f"\n{indent}]"
    return _atom(value)


def _atom(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
