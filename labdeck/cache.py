"""What typesetting made of a deck's formulas and code the last time, in `.labdeck/` of the project.

Only a saving of time: a cache that cannot be read or written is no cache.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path


class Cache:
    """Texts by key, kept in a file; entries that a build did not use are forgotten.

    Args:
        path: the file; None keeps nothing.
        version: of whatever makes the texts; another one starts afresh.
    """

    def __init__(self, path: Path | None = None, version: str = "") -> None:
        self.path = path
        self.version = version
        self._old = self._read()
        self._used: dict[str, str] = {}

    @classmethod
    def of_deck(cls, project: Path, deck: Path, version: str) -> Cache:
        """The cache of one deck of a project."""
        name = hashlib.sha256(str(deck).encode()).hexdigest()[:16]
        return cls(project / ".labdeck" / f"{name}.json", version)

    def get(self, key: str) -> str | None:
        """The text kept for a key."""
        found = self._used.get(key) or self._old.get(key)
        if found is not None:
            self._used[key] = found
        return found

    def put(self, key: str, text: str) -> None:
        """Keep a text."""
        self._used[key] = text

    def save(self) -> None:
        """Write the file if anything changed."""
        if self.path is None or self._used == self._old:
            return
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(exist_ok=True)
            ignore = self.path.parent / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
            text = json.dumps({"version": self.version, "texts": self._used}, ensure_ascii=False)
            handle, name = tempfile.mkstemp(dir=self.path.parent)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(text)
                os.replace(name, self.path)
            except OSError:
                os.unlink(name)

    def _read(self) -> dict[str, str]:
        try:
            data = json.loads(self.path.read_text(encoding="utf-8")) if self.path else {}
            return dict(data["texts"]) if data.get("version") == self.version else {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}
