"""What the demos' docstrings promise is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEMOS = ROOT / "demos"
MODULES = sorted(DEMOS.rglob("*.py"))
TOPICS = sorted(path.parent for path in DEMOS.glob("*/demo.py"))
MODULE_LABELS = ("Summary", "Source", "Differs", "Needs", "Shows")
LABELS = ("Shapes", "Units", "Cost", "Args", "Raises", "Checked by")
Documented = ast.FunctionDef | ast.ClassDef


def labelled(text: str, labels: tuple[str, ...]) -> dict[str, str]:
    """The text under each label of a docstring."""
    pattern = rf"^({'|'.join(labels)}):"
    parts = re.split(pattern, text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def functions(tree: ast.AST) -> set[str]:
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def public(path: Path) -> Iterator[Documented]:
    """Public functions, and classes that compute something (not mere records)."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            bases = {ast.unparse(base) for base in node.bases}
            if bases & {"nn.Module", "nn.Sequential"}:
                yield node


def arguments(node: Documented) -> list[str]:
    """Names of the arguments; for a class those of its constructor."""
    function = node
    if isinstance(node, ast.ClassDef):
        function = next(
            part
            for part in node.body
            if isinstance(part, ast.FunctionDef) and part.name == "__init__"
        )
    given = function.args
    names = [arg.arg for arg in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return [name for name in names if name != "self"]


REFERENCES = [
    pytest.param(node, id=f"{topic.name}.{node.name}")
    for topic in TOPICS
    for node in public(topic / "reference.py")
]


def test_there_are_topics_and_references() -> None:
    assert {topic.name for topic in TOPICS} >= {"attention", "flash", "lora", "moe", "transformer"}
    assert len(REFERENCES) > 20


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_topics_say_what_they_show(topic: Path) -> None:
    text = ast.get_docstring(ast.parse((topic / "__init__.py").read_text("utf-8"))) or ""
    parts = labelled(text, MODULE_LABELS)
    assert tuple(parts) == MODULE_LABELS
    assert all(part.strip() for part in parts.values())
    assert re.search(r"\b(19|20)\d\d\b", parts["Source"]), "the source has a year"
    shown = re.findall(r"demo\.(\w+)", parts["Shows"])
    tree = ast.parse((topic / "demo.py").read_text("utf-8"))
    declared = [
        node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list
    ]
    assert shown == declared


@pytest.mark.parametrize("node", REFERENCES)
def test_references_have_every_label(node: Documented) -> None:
    text = ast.get_docstring(node) or ""
    assert text.splitlines()[0].endswith("."), "the first line is one sentence"
    parts = labelled(text, LABELS)
    assert tuple(parts) == LABELS
    assert all(part.strip() for part in parts.values())


@pytest.mark.parametrize("node", REFERENCES)
def test_documented_arguments_are_those_of_the_signature(node: Documented) -> None:
    part = labelled(ast.get_docstring(node) or "", LABELS)["Args"]
    assert re.findall(r"^    (\w+):", part, flags=re.MULTILINE) == arguments(node)


@pytest.mark.parametrize("node", REFERENCES)
def test_tests_named_in_docstrings_exist(node: Documented) -> None:
    part = labelled(ast.get_docstring(node) or "", LABELS)["Checked by"]
    named = re.findall(r"(tests/\S+\.py)::(\w+)", part)
    assert named
    for path, name in named:
        assert name in functions(ast.parse((ROOT / path).read_text("utf-8"))), f"{path}::{name}"


def test_counts_named_in_docstrings_exist() -> None:
    for topic in TOPICS:
        counts = functions(ast.parse((topic / "counts.py").read_text("utf-8")))
        for module in ("reference.py", "memory.py"):
            if (topic / module).exists():
                text = (topic / module).read_text("utf-8")
                assert set(re.findall(r"counts\.(\w+)\(\)", text)) <= counts, topic.name


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(DEMOS)))
def test_functions_and_modules_stay_small(path: Path) -> None:
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    assert len(text.splitlines()) < 300
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < 60, node.name
