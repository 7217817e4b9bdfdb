"""Starts a folder for talks: a first deck, a style of one's own, and the settings file."""

from __future__ import annotations

import datetime
import shutil
from pathlib import Path

from .errors import UsageError, Where
from .layers import bundled_root


def scaffold(folder: Path, lang: str) -> list[Path]:
    """Copy the starter of a language into a new or empty folder; the files made.

    Raises:
        UsageError: the folder holds something already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            "this folder is not empty",
            Where(str(folder)),
            "name a new folder: labdeck new my-talks",
        )
    starter = bundled_root() / "templates" / "new"
    made = []
    for source in sorted(p for p in starter.rglob("*") if p.is_file()):
        if "__pycache__" in source.parts:
            continue
        name = source.relative_to(starter)
        if name.suffixes[-2:-1] in ([".en"], [".zh"]):
            if name.suffixes[-2] != f".{lang}":
                continue
            name = name.with_name(name.name.replace(f".{lang}.", "."))
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        made.append(target)
    _date(folder)
    return made


def _date(folder: Path) -> None:
    """Put today's date into the new decks."""
    today = datetime.date.today().isoformat()
    for deck in folder.glob("slides/*.md"):
        text = deck.read_text(encoding="utf-8")
        deck.write_text(text.replace("DATE", today, 1), encoding="utf-8")
