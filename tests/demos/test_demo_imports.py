"""What the demos import, and what they do without."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEMOS = ROOT / "demos"
MODULES = sorted(DEMOS.rglob("*.py"))
OF_A_TOPIC = pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(DEMOS)))

BARE = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "plotly", "numpy", "triton", "sklearn"}:
            raise ImportError(f"{name} is not here")
sys.meta_path.insert(0, Refuse())
import importlib
from labdeck.contract import Demo
for topic in sys.argv[1:]:
    module = importlib.import_module(f"demos.{topic}.demo")
    for name, demo in vars(module).items():
        if isinstance(demo, Demo):
            print(f"{topic}.{name}", *demo.bind({}))
"""


def imported(path: Path) -> list[tuple[str, int]]:
    """Names of imported modules, with the level of relative imports."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, 0) for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            found.append((node.module or "", node.level))
    return found


@OF_A_TOPIC
def test_of_ours_only_the_contract_is_imported(path: Path) -> None:
    for name, level in imported(path):
        if level == 0:
            assert not name.startswith("demos"), "demos import each other relatively"
            assert not name.startswith("labdeck") or name == "labdeck.contract"


@OF_A_TOPIC
def test_only_figures_import_plotly(path: Path) -> None:
    if path.name not in ("figures.py", "drawing.py"):
        assert not any(name.startswith("plotly") for name, _ in imported(path))


@OF_A_TOPIC
def test_nothing_but_torch_and_plotly_is_needed(path: Path) -> None:
    allowed = {*sys.stdlib_module_names, "torch", "plotly", "labdeck"}
    assert {name.partition(".")[0] for name, level in imported(path) if level == 0} <= allowed


def test_parameters_can_be_read_without_torch_and_plotly() -> None:
    topics = sorted(path.parent.name for path in DEMOS.glob("*/demo.py"))
    done = subprocess.run(
        [sys.executable, "-c", BARE, *topics],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    listed = {line.split()[0] for line in done.stdout.splitlines()}
    assert listed >= {
        "attention.scaled_dot_product",
        "attention.multi_head",
        "flash.tiling",
        "lora.finetune",
        "moe.balance",
        "transformer.reverse",
    }
