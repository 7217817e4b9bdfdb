from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from labdeck.cache import Cache


def test_texts_come_back_and_unused_ones_are_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "kept" / "c.json"
    first = Cache(path, "1")
    first.put("a", "A")
    first.put("b", "B")
    first.save()
    second = Cache(path, "1")
    assert (second.get("a"), second.get("zzz")) == ("A", None)
    second.save()
    third = Cache(path, "1")
    assert (third.get("a"), third.get("b")) == ("A", None)


def test_the_folder_is_ignored_by_git(tmp_path: Path) -> None:
    cache = Cache.of_deck(tmp_path, tmp_path / "slides/a.md", "1")
    cache.put("a", "A")
    cache.save()
    assert (tmp_path / ".labdeck/.gitignore").read_text() == "*\n"
    other = Cache.of_deck(tmp_path, tmp_path / "slides/b.md", "1")
    assert other.path != cache.path and other.get("a") is None


def test_nothing_changed_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    cache = Cache(path)
    cache.put("a", "A")
    cache.save()
    before = path.stat().st_ino
    again = Cache(path)
    again.get("a")
    again.save()
    assert path.stat().st_ino == before
    Cache(None).save()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"version": ""}', '{"version": "", "texts": 3}']
)
def test_a_cache_that_cannot_be_read_is_no_cache(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.json"
    path.write_text(text, encoding="utf-8")
    assert Cache(path).get("a") is None


def test_another_version_starts_afresh(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"version": "1", "texts": {"a": "A"}}), encoding="utf-8")
    assert Cache(path, "1").get("a") == "A"
    assert Cache(path, "2").get("a") is None


def test_a_cache_that_cannot_be_written_is_no_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    cache = Cache(tmp_path / "file" / "c.json")
    cache.put("a", "A")
    cache.save()
    assert cache.get("a") == "A"


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    cache = Cache(tmp_path / "c.json")
    cache.put("a", "A")
    monkeypatch.setattr(os, "replace", full)
    cache.save()
    assert [p.name for p in tmp_path.iterdir()] == [".gitignore"]
