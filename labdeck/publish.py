"""Writes a site: everything is staged beside it first, then swapped in file by file, pages last.

Files of the folder that labdeck did not write are left alone; a folder that holds such files and no
site of labdeck's is refused. When staging fails (a full disk), nothing of the old site is touched.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from .errors import DeckError, UsageError, Where

MANIFEST = ".labdeck.json"
Content = Path | bytes


@dataclass(frozen=True)
class Plan:
    """What a build wants the folder to hold.

    Args:
        pages: name below the folder -> (content, names of the files it needs).
        files: name -> content, for all those files.
        failed: pages whose decks could not be built; what is there of them stays.
        talks: page -> what the index says of it, kept for as long as the page.
    """

    pages: Mapping[str, tuple[bytes, frozenset[str]]]
    files: Mapping[str, Content]
    failed: frozenset[str] = frozenset()
    talks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Kept:
    """A page that is there: the files it needs, and what the index says of it."""

    needs: tuple[str, ...]
    talk: Mapping[str, Any] | None = None


@dataclass
class Written:
    """What a build did: names of new or changed files, and of removed ones."""

    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


def publish(folder: Path, plan: Plan) -> Written:
    """Bring a folder to what the plan wants; DeckError leaves it as it was."""
    old = read_manifest(folder)
    kept = {page: entry for page, entry in old.items() if page in plan.failed}
    new = {
        page: Kept(tuple(sorted(needs)), plan.talks.get(page))
        for page, (_, needs) in plan.pages.items()
    }
    manifest = new | kept
    contents: dict[str, Content] = dict(plan.files)
    contents |= {page: content for page, (content, _) in plan.pages.items()}
    contents[MANIFEST] = _manifest_text(manifest)
    changed = [name for name, content in contents.items() if not _same(folder / name, content)]
    wanted = {*contents, *manifest, *_needed(manifest)}
    gone = sorted({*old, *_needed(old)} - wanted)
    written = Written(sorted(changed), [name for name in gone if (folder / name).exists()])
    if written.changed or written.removed:
        _write(folder, contents, written, plan)
    return written


def _needed(manifest: Mapping[str, Kept]) -> set[str]:
    return {name for entry in manifest.values() for name in entry.needs}


def _write(folder: Path, contents: Mapping[str, Content], written: Written, plan: Plan) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".labdeck-", dir=folder) as staging:
            for name in written.changed:
                _stage(Path(staging) / name, contents[name])
            last = {MANIFEST: 2, **dict.fromkeys(plan.pages, 1)}
            for name in sorted(written.changed, key=lambda name: (last.get(name, 0), name)):
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(Path(staging) / name, target)
    except OSError as error:
        raise DeckError(
            f"cannot write the site: {error.strerror or error}",
            Where(str(folder)),
            "make room or choose another folder with --out; what was there is as it was",
            code="write",
        ) from error
    _remove(folder, written.removed)


def _stage(path: Path, content: Content) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        shutil.copyfile(content, path)


def _remove(folder: Path, names: Iterable[str]) -> None:
    for name in names:
        path = folder / name
        path.unlink(missing_ok=True)
        for parent in path.parents:
            if parent == folder or any(parent.iterdir()):
                break
            parent.rmdir()


def _same(path: Path, content: Content) -> bool:
    try:
        if isinstance(content, bytes):
            return path.stat().st_size == len(content) and path.read_bytes() == content
        return (
            path.stat().st_size == content.stat().st_size
            and path.read_bytes() == content.read_bytes()
        )
    except FileNotFoundError:
        return False
    except OSError:
        return False


def _manifest_text(manifest: Mapping[str, Kept]) -> bytes:
    pages = {
        page: {"needs": list(entry.needs), "talk": entry.talk}
        for page, entry in sorted(manifest.items())
    }
    return (
        json.dumps({"labdeck": 1, "pages": pages}, indent=1, ensure_ascii=False) + "\n"
    ).encode()


def read_manifest(folder: Path) -> dict[str, Kept]:
    """Pages of the site that is there; UsageError if the folder is not ours."""
    path = folder / MANIFEST
    if not folder.exists():
        return {}
    if not folder.is_dir():
        raise UsageError("not a folder", Where(str(folder)), "choose another one with --out")
    if not path.exists():
        if any(not p.name.startswith(".labdeck-") for p in folder.iterdir()):
            raise UsageError(
                "this folder holds files that labdeck did not write",
                Where(str(folder)),
                "choose an empty folder with --out",
            )
        return {}
    try:
        pages = json.loads(path.read_text(encoding="utf-8"))["pages"]
        found = {page: Kept(tuple(e["needs"]), e["talk"]) for page, e in pages.items()}
        for name in {*found, *_needed(found)}:
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                raise ValueError(f"{name} is outside the folder")
        return found
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DeckError(
            f"cannot be read: {error}", Where(str(path)), "delete it and build again", code="write"
        ) from error
