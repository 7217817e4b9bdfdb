"""Writing a site: staged, swapped, never half, never over what others put there."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from labdeck import publish as publishing
from labdeck.errors import DeckError, UsageError
from labdeck.publish import MANIFEST, Kept, Plan, publish, read_manifest
from tests.conftest import Project

MakeProject = Callable[..., Project]


def plan(pages: dict[str, str], files: dict[str, bytes | Path] | None = None) -> Plan:
    """Pages that all need all files."""
    names = frozenset(files or {})
    return Plan({p: (text.encode(), names) for p, text in pages.items()}, files or {})


def tree(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def test_a_site_is_written_whole(tmp_path: Path) -> None:
    source = tmp_path / "x.png"
    source.write_bytes(b"x")
    out = tmp_path / "deep" / "site"
    wanted = plan({"a.html": "A", "s/b.html": "B"}, {"_assets/1/x.png": source})
    written = publish(out, replace(wanted, talks={"a.html": {"title": "T"}}))
    assert written.changed == [MANIFEST, "_assets/1/x.png", "a.html", "s/b.html"]
    assert written.removed == []
    found = tree(out)
    manifest = read_manifest(out)
    del found[MANIFEST]
    assert found == {"_assets/1/x.png": b"x", "a.html": b"A", "s/b.html": b"B"}
    needs = ("_assets/1/x.png",)
    assert manifest == {"a.html": Kept(needs, {"title": "T"}), "s/b.html": Kept(needs)}


def test_the_same_again_writes_nothing(tmp_path: Path) -> None:
    wanted = plan({"a.html": "A"}, {"f": b"1"})
    publish(tmp_path, wanted)
    before = {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in tmp_path.rglob("*")}
    written = publish(tmp_path, wanted)
    assert (written.changed, written.removed) == ([], [])
    assert {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in tmp_path.rglob("*")} == before


def test_only_what_changed_is_written(tmp_path: Path) -> None:
    publish(tmp_path, plan({"a.html": "A", "b.html": "B"}, {"f": b"1"}))
    old = (tmp_path / "b.html").stat().st_ino
    written = publish(tmp_path, plan({"a.html": "A2", "b.html": "B"}, {"f": b"1"}))
    assert written.changed == ["a.html"]
    assert (tmp_path / "b.html").stat().st_ino == old


def test_what_no_page_needs_any_more_is_removed_with_its_folders(tmp_path: Path) -> None:
    publish(tmp_path, plan({"a.html": "A", "s/b.html": "B"}, {"x/y/f": b"1", "g": b"2"}))
    written = publish(tmp_path, plan({"a.html": "A"}, {"g": b"2"}))
    assert written.removed == ["s/b.html", "x/y/f"]
    assert sorted(tree(tmp_path)) == [MANIFEST, "a.html", "g"]
    assert not (tmp_path / "x").exists() and not (tmp_path / "s").exists()


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    publish(tmp_path, plan({"a.html": "A"}, {"x/f": b"1"}))
    (tmp_path / "CNAME").write_text("a.org", "utf-8")
    (tmp_path / "x/mine").write_text("m", "utf-8")
    publish(tmp_path, plan({"b.html": "B"}))
    assert sorted(tree(tmp_path)) == [MANIFEST, "CNAME", "b.html", "x/mine"]


def test_a_page_that_failed_stays_with_what_it_needs(tmp_path: Path) -> None:
    publish(tmp_path, plan({"a.html": "A", "b.html": "B"}, {"f": b"1"}))
    publish(tmp_path, Plan({"b.html": (b"B2", frozenset())}, {}, frozenset({"a.html"})))
    found = tree(tmp_path)
    assert (found["a.html"], found["b.html"], found["f"]) == (b"A", b"B2", b"1")
    publish(tmp_path, plan({"b.html": "B2"}))
    assert sorted(tree(tmp_path)) == [MANIFEST, "b.html"]


# Folders that are not ours


def test_a_folder_with_files_of_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work", "utf-8")
    with pytest.raises(UsageError) as caught:
        publish(tmp_path, plan({"a.html": "A"}))
    assert str(caught.value) == (
        f"{tmp_path}: error: this folder holds files that labdeck did not write\n"
        "    → choose an empty folder with --out"
    )
    assert sorted(tree(tmp_path)) == ["thesis.tex"]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "site"
    out.write_text("a file", "utf-8")
    with pytest.raises(UsageError) as caught:
        publish(out, plan({"a.html": "A"}))
    assert str(caught.value) == f"{out}: error: not a folder\n    → choose another one with --out"
    assert out.read_text("utf-8") == "a file"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pages": 3}', '{"labdeck": 1}'])
def test_a_damaged_list_of_what_was_written_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text, "utf-8")
    with pytest.raises(DeckError) as caught:
        publish(tmp_path, plan({"a.html": "A"}))
    assert str(caught.value).startswith(f"{tmp_path / MANIFEST}: error: cannot be read: ")
    assert caught.value.hint == "delete it and build again"


@pytest.mark.parametrize("name", ["../precious", "/precious", "a/../../precious"])
def test_a_list_of_what_was_written_cannot_name_files_outside(tmp_path: Path, name: str) -> None:
    out = tmp_path / "site"
    out.mkdir()
    (tmp_path / "precious").write_text("mine", "utf-8")
    pages = {name: {"needs": [], "talk": None}}
    (out / MANIFEST).write_text(json.dumps({"labdeck": 1, "pages": pages}), "utf-8")
    with pytest.raises(DeckError, match="is outside the folder"):
        publish(out, plan({"a.html": "A"}))
    assert (tmp_path / "precious").read_text("utf-8") == "mine"


# A disk that is full


def write_error(folder: Path) -> str:
    return (
        f"{folder}: error: cannot write the site: No space left on device\n"
        "    → make room or choose another folder with --out; what was there is as it was"
    )


@pytest.mark.parametrize("room", [0, 1, 2])
def test_a_full_disk_while_staging_leaves_the_old_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    old = {"a.html": "A", "b.html": "B"}
    publish(tmp_path, plan(old, {"f": b"1"}))
    before = tree(tmp_path)
    staged: list[Path] = []
    stage = publishing._stage

    def full(path: Path, content: publishing.Content) -> None:
        if len(staged) == room:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        staged.append(path)
        stage(path, content)

    monkeypatch.setattr(publishing, "_stage", full)
    with pytest.raises(DeckError) as caught:
        publish(tmp_path, plan({"a.html": "A2", "b.html": "B2"}, {"f": b"2", "g": b"3"}))
    assert str(caught.value) == write_error(tmp_path)
    assert len(staged) == room
    assert tree(tmp_path) == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if mount is None or umount is None or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    command = [mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot mount a small disk here: {done.stderr.strip()}")
    yield folder
    subprocess.run([umount, str(folder)], check=True)


def test_a_disk_that_is_really_full_leaves_the_old_site(small_disk: Path) -> None:
    out = small_disk / "site"
    publish(out, plan({"a.html": "A"}, {"f": b"1" * 300_000}))
    before = tree(out)
    with pytest.raises(DeckError) as caught:
        publish(out, plan({"a.html": "A2"}, {"f": b"2" * 300_000, "g": b"3" * 900_000}))
    assert str(caught.value) == write_error(out)
    assert tree(out) == before
    publish(out, plan({"a.html": "A3"}, {"f": b"1" * 300_000}))
    assert tree(out)["a.html"] == b"A3"


def test_a_build_onto_a_full_disk_ends_with_1_and_keeps_the_old_page(
    built: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = built({"slides/a.md": "# A"})
    before = made.site()

    def full(path: Path, content: publishing.Content) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    made.write({"slides/a.md": "# B"})
    monkeypatch.setattr(publishing, "_stage", full)
    ran = made.build()
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == write_error(made.root / "_site") + "\n"
    assert made.site() == before


def test_a_folder_that_may_not_be_written_is_an_error(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    out = tmp_path / "site"
    out.mkdir(mode=0o500)
    with pytest.raises(DeckError, match="cannot write the site: Permission denied"):
        publish(out, plan({"a.html": "A"}))
