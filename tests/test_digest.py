from __future__ import annotations

import ast
import hashlib
from pathlib import Path

import pytest

from labdeck import contract
from labdeck.digest import Sources, dump
from labdeck.errors import DeckError

DEMO = '''"""About the topic."""

from __future__ import annotations

import json

from labdeck.contract import Number, Result, Run, demo

from . import reference
from ..drawing import line

SCALE = 2.5
OTHER = 7


@demo(question="How large?", source="nobody, 2020", limit_s=10)
def first(run: Run) -> Result:
    """What it does."""
    return Result({"n": Number(scaled(1))})


@demo(question="And this?", source="nobody, 2020")
def second(run: Run) -> Result:
    from .late import late_value

    return Result({"n": Number(late_value * OTHER + line(reference.X))})


def scaled(value):
    return SCALE * value  # a comment
'''

FILES = {
    "demos/topic/__init__.py": '"""The topic."""\nNAME = 1\n',
    "demos/topic/demo.py": DEMO,
    "demos/topic/reference.py": "import torch.nn as nn\nX = 1\n",
    "demos/topic/late.py": "from .later import late_value\n",
    "demos/topic/later.py": "late_value = 3\n",
    "demos/topic/unused.py": "from . import demo\n",
    "demos/drawing.py": "import plotly\ndef line(x):\n    return x\n",
    "demos/other/demo.py": "A = 1\n",
}


def write_files(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def digests(folder: Path) -> tuple[str, str]:
    sources = Sources(folder / "demos")
    return sources.reach("topic", "first").digest, sources.reach("topic", "second").digest


def changed(folder: Path, name: str, old: str, new: str) -> tuple[bool, bool]:
    """Which of the two demos' digests an edit changes."""
    write_files(folder, FILES)
    before = digests(folder)
    text = FILES[name]
    assert text.count(old) == 1
    (folder / name).write_text(text.replace(old, new), "utf-8")
    after = digests(folder)
    return before[0] != after[0], before[1] != after[1]


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        # a digit that only one of two functions in one file depends on
        ("demos/topic/demo.py", "SCALE = 2.5", "SCALE = 2.6", (True, False)),
        ("demos/topic/demo.py", "OTHER = 7", "OTHER = 8", (False, True)),
        ("demos/topic/demo.py", "scaled(1)", "scaled(2)", (True, False)),
        # modules imported inside a function, directly and through another
        ("demos/topic/later.py", "3", "4", (False, True)),
        ("demos/topic/reference.py", "X = 1", "X = 2", (False, True)),
        ("demos/drawing.py", "return x", "return -x", (False, True)),
        # packages on the way run too
        ("demos/topic/__init__.py", "NAME = 1", "NAME = 2", (True, True)),
        # nothing depends on these
        ("demos/topic/unused.py", "demo", "reference", (False, False)),
        ("demos/other/demo.py", "1", "2", (False, False)),
        ("demos/topic/demo.py", "# a comment", "# another", (False, False)),
        ("demos/topic/demo.py", "What it does.", "What else.", (False, False)),
        ("demos/topic/demo.py", "SCALE = 2.5", "SCALE = (\n    2.50\n)", (False, False)),
        ("demos/topic/demo.py", "import json", "import json, re", (False, False)),
        ("demos/topic/demo.py", "Result, Run, demo", "Result, Run, Table, demo", (False, False)),
        ("demos/topic/demo.py", "How large?", "How small?", (False, False)),
        ("demos/topic/demo.py", "limit_s=10", "limit_s=20", (False, False)),
        ("demos/topic/__init__.py", "The topic.", "Its topic.", (False, False)),
        # a statement with effects counts for every demo of its file
        ("demos/topic/demo.py", "OTHER = 7", "OTHER = 7\njson.x = 1", (True, True)),
    ],
)
def test_an_edit_changes_the_digests_that_depend_on_it(
    tmp_path: Path, name: str, old: str, new: str, expected: tuple[bool, bool]
) -> None:
    assert changed(tmp_path, name, old, new) == expected


def test_a_function_that_reflects_depends_on_its_whole_file(tmp_path: Path) -> None:
    write_files(tmp_path, FILES)
    path = tmp_path / "demos/topic/demo.py"
    path.write_text(DEMO.replace("scaled(1)", "globals()['SCALE']"), "utf-8")
    before = digests(tmp_path)
    path.write_text(path.read_text("utf-8").replace("OTHER = 7", "OTHER = 8"), "utf-8")
    after = digests(tmp_path)
    assert (before[0] != after[0], before[1] != after[1]) == (True, True)


def test_a_name_imported_from_the_layer_by_its_own_name_is_followed(tmp_path: Path) -> None:
    write_files(tmp_path, {"demos/t/demo.py": "from demos.helper import X\ndef f(run): X\n"})
    write_files(tmp_path, {"demos/helper.py": "X = 1\n"})
    reach = Sources(tmp_path / "demos").reach("t", "f")
    assert [path.name for path in reach.files] == ["helper.py", "demo.py"]
    assert reach.needs == frozenset()


def test_reach_names_the_files_and_the_packages_needed(tmp_path: Path) -> None:
    write_files(tmp_path, FILES)
    reach = Sources(tmp_path / "demos").reach("topic", "second")
    root = tmp_path / "demos"
    names = [path.relative_to(root).as_posix() for path in reach.files]
    assert names == [
        "drawing.py",
        "topic/__init__.py",
        "topic/demo.py",
        "topic/late.py",
        "topic/later.py",
        "topic/reference.py",
    ]
    assert reach.needs == {"torch", "plotly"}
    assert Sources(root).reach("topic", "first").needs == frozenset()


def test_the_digest_does_not_depend_on_where_the_folder_is(tmp_path: Path) -> None:
    write_files(tmp_path / "a", FILES)
    write_files(tmp_path / "b" / "c", FILES)
    assert digests(tmp_path / "a") == digests(tmp_path / "b" / "c")


def test_a_new_contract_changes_the_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, FILES)
    before = digests(tmp_path)
    monkeypatch.setattr(contract, "VERSION", contract.VERSION + 1)
    after = digests(tmp_path)
    assert before[0] != after[0] and before[1] != after[1]


SYNTAX = '''"""Doc."""
from __future__ import annotations
import os, sys as s
from .a import (b, c as d)
X: int = 1_000
Y = 0x10 + 1e3 - 2j
def f(a, /, b=1, *args, c: "str" = 'x', d=None, **kw) -> None:
    """Doc."""
    async def g(): await h(); return
    t = f"a{a!r:>{b}}" "b" f"{b=}{c:}" u"ü\\n"; q = b"\\x00"
    u = lambda x, *, y=2: (x, *y, {**kw, None: ...})
    with open(t) as fh, g(): del fh
    try: pass
    except (A, B) as e: raise X from e
    finally: print(a[1:2, ::3], not a, -1, a if b else c, [i for i in a if i if not i])
    match a:
        case {"x": [1, *rest], **kk}: return None
        case C(1, y=None) | None: ...
        case _: return
    global zz; zz = yield
    assert a < b <= c is not d, "m"
    while True: break
    else: x @= 2; (n := 3)
@deco(1)
class K(Base, metaclass=M):
    z: int
    "attribute doc"
'''


def test_the_dump_is_the_same_on_every_python() -> None:
    """The expected digest was the same on CPython 3.10.13, 3.11.7, 3.12.1 and 3.13.0."""
    text = dump(ast.parse(SYNTAX))
    assert hashlib.sha256(text.encode()).hexdigest() == (
        "b71018b1cf7c7b56d71e941e7861ae640a2f73986269c516f23dcd8444eb36d4"
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = True"),
        ("x = 1", "x = 1.0"),
        ("x = 'a'", "x = b'a'"),
        ("def f(): return", "def f(): return None"),
        ("f(a, b)", "f((a, b))"),
        ("x = [1, [2]]", "x = [[1], 2]"),
        ("a + b * c", "(a + b) * c"),
        ("from . import a", "from .. import a"),
        ("x = ''", "x = None"),
    ],
)
def test_the_dump_tells_different_code_apart(one: str, other: str) -> None:
    assert dump(ast.parse(one)) != dump(ast.parse(other))


def test_a_module_that_is_no_python_is_named_with_its_line(tmp_path: Path) -> None:
    write_files(tmp_path, FILES)
    path = tmp_path / "demos/topic/reference.py"
    path.write_text("x = 1\ndef f(:\n", "utf-8")
    with pytest.raises(DeckError) as caught:
        Sources(tmp_path / "demos").reach("topic", "second")
    assert str(caught.value) == f"{path}:2: error: this is no Python: invalid syntax"
    path.unlink()
    path.mkdir()
    (path / "x").touch()
    assert Sources(tmp_path / "demos").reach("topic", "second").digest


def test_a_module_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    write_files(tmp_path, FILES)
    sources = Sources(tmp_path / "demos")
    with pytest.raises(DeckError) as caught:
        sources.reach("nowhere", "first")
    path = tmp_path / "demos/nowhere/demo.py"
    assert str(caught.value) == f"{path}: error: cannot read the file: No such file or directory"
