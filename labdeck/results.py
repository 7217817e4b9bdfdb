"""Baked results: one JSON file each, beside the deck that asks for them.

A file is written whole or not at all, says where its numbers come from, and carries a checksum,
so a number changed by hand is noticed. Reading, verifying and telling stale from fresh needs
neither torch nor the demo.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .contract import SEED_LIMIT, ContractError, Demo, Result
from .errors import DeckError, Where
from .provenance import VOLATILE, Provenance
from .record import checksum, plain_result, read_result, write_text

SCHEMA = 1
REMEDY = "bake it again: labdeck bake <the talk> --bake all"

Scalar = int | float | str | bool


@dataclass(frozen=True)
class Request:
    """What a deck asks for: a demo, the parameters it gives explicitly, a seed."""

    demo: str
    params: Mapping[str, Scalar] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value in self.params.items():
            if not isinstance(value, (int, float, str, bool)):
                raise DeckError(
                    f"demo `{self.demo}`: parameter `{name}` must be one value, got {value!r}",
                    code="demo-params",
                )
        if type(self.seed) is not int or not 0 <= self.seed <= SEED_LIMIT:
            raise DeckError(
                f"demo `{self.demo}`: the seed must be an integer from 0 to {SEED_LIMIT}, "
                f"got {self.seed!r}",
                code="demo-params",
            )

    def __hash__(self) -> int:
        return hash(self.canonical)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Request) and self.canonical == other.canonical

    @property
    def canonical(self) -> str:
        """The request as one text, the same however its parameters were written."""
        params = {name: _one_way(value) for name, value in self.params.items()}
        data = {"demo": self.demo, "params": params, "seed": self.seed}
        return json.dumps(data, sort_keys=True, ensure_ascii=False)

    @property
    def key(self) -> str:
        """Name of its result: the demo's id and eight hexadecimal digits of the request."""
        return f"{self.demo}-{hashlib.sha256(self.canonical.encode()).hexdigest()[:8]}"

    def path(self, folder: Path) -> Path:
        """The file of its result in a folder."""
        return folder / f"{self.key}.json"


@dataclass(frozen=True)
class Stored:
    """A result with the request it answers, all its parameters, and where it comes from."""

    request: Request
    params: Mapping[str, Scalar]
    result: Result
    provenance: Provenance

    def text(self) -> str:
        """The file's text."""
        data = {
            "schema": SCHEMA,
            "demo": self.request.demo,
            "given": dict(self.request.params),
            "seed": self.request.seed,
            "params": dict(self.params),
            **plain_result(self.result),
            "provenance": self.provenance.plain(),
        }
        return write_text({**data, "checksum": _checksum(data)})


@dataclass(frozen=True)
class Fresh:
    """The stored result is what the demo as it is now would give."""


@dataclass(frozen=True)
class Missing:
    """There is no stored result."""


@dataclass(frozen=True)
class Stale:
    """The stored result is of another state of the demo."""

    reason: str


State = Fresh | Missing | Stale


def state(request: Request, digest: str, stored: Stored | None, demo: Demo | None = None) -> State:
    """Whether a stored result still answers a request, by the digest of the demo's sources.

    Defaults are part of the sources, so equal digests and equal explicit parameters mean equal
    parameters, on whatever device it was baked. A loaded `demo` only makes the reason more exact.
    """
    if stored is None:
        return Missing()
    if stored.request != request:
        return Stale(_request_change(stored.request, request))
    if stored.provenance.source_digest == digest:
        return Fresh()
    if demo is not None:
        with contextlib.suppress(ContractError):  # the run that follows reports it with its hint
            bound = demo.bind(request.params, stored.provenance.device_type)
            if changes := _changes(stored.params, bound):
                return Stale(f"parameters changed ({changes})")
    return Stale("sources changed")


def load(folder: Path, request: Request) -> Stored | None:
    """The stored result for a request, None if there is none; DeckError if it is damaged."""
    path = request.path(folder)
    return read(path) if path.exists() else None


def read(path: Path) -> Stored:
    """Read and verify a result file; DeckError says what is wrong with it and what to do."""
    data = _parse(path)
    if data.get("schema") != SCHEMA:
        raise _broken(
            path, f"the result has schema {data.get('schema')!r}, this labdeck reads {SCHEMA}"
        )
    try:
        wanted = data.pop("checksum")
        request = Request(data["demo"], data["given"], data["seed"])
        provenance = Provenance.read(data["provenance"])
        stored = Stored(request, data["params"], read_result(data), provenance)
    except (KeyError, TypeError, AttributeError, ContractError, DeckError) as error:
        raise _broken(path, f"the result is damaged: {_said(error)}") from error
    if wanted != _checksum(data):
        raise _broken(path, "the result was changed after it was baked: its checksum is another")
    return stored


def write(folder: Path, stored: Stored) -> Path:
    """Write a result file in one step: after any failure the old file is there, unharmed."""
    path = stored.request.path(folder)
    text = stored.text().encode()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _beside(path) as temporary:
            with open(temporary, "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
    except OSError as error:
        raise DeckError(
            f"cannot write the result: {error.strerror}",
            Where(str(path)),
            "make room and let the folder be written to; an earlier result there is as it was",
            code="result-write",
        ) from error
    return path


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[str]:
    """A new file in the same folder, gone afterwards unless it was renamed."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    os.close(handle)
    try:
        os.chmod(name, 0o644)
        yield name
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def _parse(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_bytes().decode())
    except OSError as error:
        raise DeckError(
            f"cannot read the result: {error.strerror}", Where(str(path)), REMEDY, code="result"
        ) from error
    except json.JSONDecodeError as error:
        raise DeckError(
            f"the result is no JSON: {error.msg}",
            Where(str(path), error.lineno, error.colno),
            REMEDY,
            code="result",
        ) from error
    except UnicodeDecodeError as error:
        raise _broken(path, f"the result is no UTF-8: {error.reason}") from error
    if not isinstance(data, dict):
        raise _broken(path, f"the result is a {type(data).__name__}, not an object")
    return data


def _broken(path: Path, message: str) -> DeckError:
    return DeckError(message, Where(str(path)), REMEDY, code="result")


def _said(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"it lacks `{error.args[0]}`"
    return getattr(error, "message", None) or str(error)


def _checksum(data: Mapping[str, Any]) -> str:
    """Over all of a file but what differs between two equal runs."""
    provenance = {k: v for k, v in data["provenance"].items() if k not in VOLATILE}
    return checksum({**data, "provenance": provenance})


def _one_way(value: Scalar) -> Scalar:
    """8.0 and 8 are one request: YAML and JSON do not agree on which of them is written."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _request_change(old: Request, new: Request) -> str:
    if old.demo != new.demo:
        return f"the file holds `{old.demo}`, not `{new.demo}`"
    if changes := _changes(old.params, new.params):
        return f"parameters changed ({changes})"
    return f"seed changed ({old.seed} → {new.seed})"


def _changes(old: Mapping[str, Scalar], new: Mapping[str, Scalar]) -> str:
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    said = [f"{n} {_shown(old.get(n))} → {_shown(new.get(n))}" for n in names]
    return ", ".join(said)


def _shown(value: Scalar | None) -> str:
    return "unset" if value is None else str(value)
