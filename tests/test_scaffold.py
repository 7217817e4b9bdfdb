from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest

from labdeck.errors import UsageError
from labdeck.scaffold import scaffold
from tests.conftest import Project

FILES = ["custom/custom.css", "demos/dice/demo.py", "pyproject.toml", "slides/talk.md"]


@pytest.mark.parametrize(("lang", "title"), [("en", "# My first talk"), ("zh", "# 我的第一个报告")])
def test_a_new_folder_holds_a_talk_of_its_language(tmp_path: Path, lang: str, title: str) -> None:
    folder = tmp_path / "deep" / "talks"
    made = scaffold(folder, lang)
    assert [path.relative_to(folder).as_posix() for path in made] == FILES
    assert sorted(p for p in folder.rglob("*") if p.is_file()) == sorted(made)
    deck = (folder / "slides/talk.md").read_text("utf-8")
    assert title in deck
    assert f"date: {datetime.date.today().isoformat()}\n" in deck and "DATE" not in deck


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    assert len(scaffold(tmp_path, "en")) == len(FILES)


@pytest.mark.parametrize("name", ["x", ".git"])
def test_a_folder_that_holds_something_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine", "utf-8")
    with pytest.raises(UsageError) as caught:
        scaffold(tmp_path, "en")
    assert str(caught.value) == (
        f"{tmp_path}: error: this folder is not empty\n"
        "    → name a new folder: labdeck new my-talks"
    )
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "talks").write_text("mine", "utf-8")
    with pytest.raises(UsageError, match="this folder is not empty"):
        scaffold(tmp_path / "talks", "en")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_new_talk_builds_strictly_with_a_number_that_was_computed(
    project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch, lang: str
) -> None:
    made = project({})
    scaffold(made.root / "talks", lang)
    monkeypatch.chdir(made.root / "talks")
    ran = made.build("--strict", "--device", "cpu")
    assert ran.code == 0, ran.err
    page = made.read("talks/_site/talk.html")
    assert '<figure class="demo" data-demo="dice"' in page and 'data-metric="mean"' in page
    assert ("点数平均值" in page) == (lang == "zh")
    assert "theme/white.css" in page and "custom.css" in page and '"width": 1280' in page
