from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from labdeck import catalogue, layers
from labdeck.catalogue import Catalogue
from labdeck.contract import Run
from labdeck.errors import DeckError, MachineError

HEAD = (
    "from labdeck.contract import Number, Result, Run, demo, Param\nfrom typing import Annotated\n"
)
ONE = HEAD + (
    '@demo(question="q", source="s")\n'
    "def one(run, size: Annotated[int, Param('how many', low=1, high=9)] = {default}):\n"
    "    return Result({{'n': Number({value})}})\n"
)


def one(value: object = 1, default: int = 2) -> str:
    return ONE.format(value=value, default=default)


@pytest.fixture(autouse=True)
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty place for the bundled demos, and no trace of loaded ones afterwards."""
    root = tmp_path / "bundled"
    monkeypatch.setattr(layers, "bundled_root", lambda: root)
    monkeypatch.setattr(catalogue, "bundled_root", lambda: root)
    yield root
    for name in [name for name in sys.modules if name.startswith("labdeck_demos_")]:
        del sys.modules[name]


def write_files(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def value_of(found: Catalogue, id: str) -> float:
    return found.get(id).demo(Run()).numbers["n"].value


def test_demos_are_listed_without_running_them(tmp_path: Path) -> None:
    project = write_files(
        tmp_path,
        {
            "demos/b/demo.py": "import torch\nraise SystemError\n" + one(),
            "demos/a/demo.py": "from labdeck import contract\n"
            "@contract.demo(question='q', source='s')\ndef z(run): ...\n"
            "@contract.demo(question='q', source='s')\ndef y(run): ...\ndef helper(): ...\n",
            "demos/a-b/demo.py": one(),
            "demos/c/reference.py": "",
            "demos/broken/demo.py": "def (",
        },
    )
    before = set(sys.modules)
    found = Catalogue(project)
    assert found.ids() == ["a.y", "a.z", "b.one"]
    assert set(sys.modules) == before
    path = project / "demos/broken/demo.py"
    assert [str(error) for error in found.broken()] == [
        f"{path}:1: error: this is no Python: invalid syntax"
    ]
    with pytest.raises(DeckError, match="this is no Python"):
        found.find("broken.thing")


def test_the_first_layer_with_the_topic_wins(tmp_path: Path, bundled: Path) -> None:
    write_files(bundled, {"demos/a/demo.py": one(1), "demos/b/demo.py": one(1)})
    write_files(bundled, {"demos/c/demo.py": one(1)})
    project = write_files(
        tmp_path / "p",
        {
            "demos/a/demo.py": one(2),
            "demos/b/demo.py": one(2),
            "custom/demos/a/demo.py": one(3),
            "custom/demos/c/notes.txt": "no demo here",
        },
    )
    found = Catalogue(project)
    assert {id: value_of(found, id) for id in found.ids()} == {"a.one": 3, "b.one": 2, "c.one": 1}
    assert found.get("a.one").layer == project / "custom/demos"
    assert found.get("b.one").path == project / "demos/b/demo.py"
    trusting_no_one = Catalogue(project, allow_project=False)
    assert {id: value_of(trusting_no_one, id) for id in trusting_no_one.ids()} == {
        "a.one": 1,
        "b.one": 1,
        "c.one": 1,
    }


def test_layers_keep_their_modules_apart_and_sys_path_alone(tmp_path: Path, bundled: Path) -> None:
    """Relative imports work, also of a folder above, and no name is taken from anybody."""
    body = "from . import reference\nfrom ..shared.drawing import X\n" + one("reference.Y + X")
    write_files(bundled, {"demos/random/demo.py": body, "demos/random/reference.py": "Y = 1"})
    write_files(bundled, {"demos/__init__.py": "BASE = 10\n"})
    write_files(bundled, {"demos/shared/drawing.py": "from .. import BASE\nX = BASE"})
    project = write_files(
        tmp_path / "p",
        {
            "demos/json/demo.py": body,
            "demos/json/reference.py": "Y = 2",
            "demos/json/__init__.py": "",
            "demos/shared/drawing.py": "X = 20",
        },
    )
    import json
    import random

    path, found = list(sys.path), Catalogue(project)
    assert value_of(found, "random.one") == 11
    assert value_of(found, "json.one") == 22
    assert sys.path == path
    assert sys.modules["json"] is json and sys.modules["random"] is random


def test_a_new_catalogue_sees_an_edit_of_the_same_size_at_once(tmp_path: Path) -> None:
    project = write_files(tmp_path, {"demos/a/demo.py": "from .b import X\n" + one("X")})
    for value in "123":
        write_files(project, {"demos/a/b.py": f"X = {value}"})
        assert value_of(Catalogue(project), "a.one") == int(value)
    assert not list(project.rglob("*.pyc"))


@pytest.mark.parametrize(
    ("id", "hint"),
    [
        ("lora.finetun", "did you mean `lora.finetune`?"),
        ("lore.finetune", "did you mean `lora.finetune`?"),
        ("lora", "known: lora.finetune"),
        ("lora.find", "did you mean `lora.finetune`?"),
        ("../lora.finetune/x", "did you mean `lora.finetune`?"),
        ("qqq", "known: lora.finetune, moe.load"),
    ],
)
def test_an_unknown_demo_names_the_closest(tmp_path: Path, id: str, hint: str) -> None:
    project = write_files(
        tmp_path,
        {
            "demos/lora/demo.py": one().replace("def one", "def finetune"),
            "demos/moe/demo.py": one().replace("def one", "def load"),
        },
    )
    with pytest.raises(DeckError) as caught:
        Catalogue(project).get(id)
    assert str(caught.value) == f"error: unknown demo `{id}`\n    → {hint}"


def test_without_any_demo_the_message_says_so(tmp_path: Path) -> None:
    with pytest.raises(DeckError) as caught:
        Catalogue(tmp_path).digest("a.b")
    assert str(caught.value) == ("error: unknown demo `a.b`\n    → there is nothing to choose from")


HINT = "its module must import without an error; heavy work belongs into the function"


@pytest.mark.parametrize(
    ("files", "place", "said", "hint"),
    [
        (
            {"demo.py": "x = 1\n1 / 0\n" + one()},
            "demo.py:2",
            "demo `a.one` cannot be loaded: ZeroDivisionError: division by zero",
            HINT,
        ),
        (
            {"demo.py": "from . import b\n" + one(), "b.py": "\n\nimport nosuch_package\n"},
            "b.py:3",
            "demo `a.one` cannot be loaded: ModuleNotFoundError: No module named 'nosuch_package'",
            HINT,
        ),
        (
            {"demo.py": "from . import b\n" + one(), "b.py": "x = 1\ny = = 2\n"},
            "b.py:2",
            "demo `a.one` cannot be loaded: SyntaxError: invalid syntax (b.py, line 2)",
            HINT,
        ),
        (
            {"demo.py": one().replace(", low=1, high=9", "")},
            "demo.py:3",
            "demo `a.one`: one: parameter `size` needs bounds (low, high)",
            None,
        ),
        (
            {"demo.py": one(default=12)},
            "demo.py:3",
            "demo `a.one`: parameter `size` must be an integer from 1 to 9, got 12",
            "how many",
        ),
        (
            {"demo.py": one().replace("@demo", "@print\n@demo")},
            "demo.py:5",
            "demo `a.one` is no demo but NoneType",
            "decorate it with `@demo` of labdeck.contract, as the last decorator applied",
        ),
    ],
)
def test_a_demo_that_cannot_be_loaded_is_named_with_its_line(
    tmp_path: Path, files: dict[str, str], place: str, said: str, hint: str | None
) -> None:
    project = write_files(tmp_path, {f"demos/a/{name}": text for name, text in files.items()})
    with pytest.raises(DeckError) as caught:
        Catalogue(project).get("a.one")
    tail = f"\n    → {hint}" if hint else ""
    assert str(caught.value) == f"{project}/demos/a/{place}: error: {said}{tail}"


def test_a_missing_package_of_the_extra_is_the_machines_lack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    project = write_files(tmp_path, {"demos/a/demo.py": "import torch.nn\n" + one()})
    found = Catalogue(project)
    assert len(found.digest("a.one")) == 64
    with pytest.raises(MachineError) as caught:
        found.get("a.one")
    assert str(caught.value) == (
        "error: demo `a.one` needs torch, which is not installed\n"
        "    → install what demos need: pip install 'labdeck[demos]'"
    )


def test_messages_name_files_as_the_project_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(tmp_path, {"demos/a/demo.py": "1 / 0\n" + one()})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DeckError) as caught:
        Catalogue(Path()).get("a.one")
    assert str(caught.value.where) == "demos/a/demo.py:1"


def test_a_contract_broken_before_a_line_of_the_layer_is_placed_at_the_demo(
    tmp_path: Path,
) -> None:
    project = write_files(tmp_path, {"demos/a/demo.py": one().replace("def one(run, ", "def one(")})
    with pytest.raises(DeckError) as caught:
        Catalogue(project).get("a.one")
    assert caught.value.message == "demo `a.one`: one: the first argument of a demo is `run`"
