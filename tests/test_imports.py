"""Who imports whom: ranks by reading the sources, and what a fresh interpreter ends up with."""

from __future__ import annotations

import ast
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import labdeck

PACKAGE = Path(labdeck.__file__).parent
ROOT = PACKAGE.parent
HEAVY = (
    "torch",
    "plotly",
    "triton",
    "tornado",
    "livereload",
    "quickjs",
    "jinja2",
    "markdown",
    "playwright",
)
# A module imports only modules of a strictly lower rank.
RANKS = {
    "__init__": 0,
    "errors": 0,
    "contract": 0,
    "fences": 0,
    "tags": 0,
    "cache": 0,
    "layers": 1,
    "finding": 1,
    "chromium": 1,
    "model": 1,
    "yamlish": 1,
    "publish": 1,
    "digest": 1,
    "glyphs": 1,
    "machine": 1,
    "process": 1,
    "provenance": 1,
    "record": 1,
    "expressions": 1,
    "fonts": 2,
    "inspect_page": 2,
    "settings": 2,
    "catalogue": 2,
    "results": 2,
    "runner": 2,
    "typeset": 2,
    "references": 2,
    "scaffold": 2,
    "progress": 4,
    "parse": 3,
    "complaint": 3,
    "markup": 3,
    "worker": 3,
    "bake": 3,
    "answers": 3,
    "furnish": 3,
    "flow": 4,
    "render": 4,
    "site": 5,
    "listing": 6,
    "check": 6,
    "cli": 7,
}


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name below it."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        if "bundled" not in path.parts:
            found[".".join(path.relative_to(PACKAGE).with_suffix("").parts)] = path
    return found


def imports(name: str, path: Path) -> set[str]:
    """The modules of the package that one imports anywhere in it, those for types left out."""
    package = name.split(".")[:-1]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for statement in block.body
        for node in ast.walk(statement)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            target = [*base, *(node.module.split(".") if node.module else [])]
            names = [alias.name for alias in node.names] if node.module is None else [None]
            found |= {".".join([*target, *([n] if n else [])]) for n in names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("labdeck"):
            found.add((node.module or "").removeprefix("labdeck").lstrip("."))
        elif isinstance(node, ast.Import):
            found |= {a.name[8:] for a in node.names if a.name.startswith("labdeck.")}
    return {module for module in found if module and module != "__version__"}


def test_every_module_has_a_rank() -> None:
    assert {name.split(".")[0] for name in modules()} <= set(RANKS)


@pytest.mark.parametrize("name", sorted(modules()))
def test_a_module_imports_only_lower_ranks(name: str) -> None:
    top = name.split(".")[0]
    for imported in imports(name, modules()[name]):
        below = imported.split(".")[0]
        if below == top == "markup":
            continue
        assert RANKS[below] < RANKS[top], f"labdeck.{name} imports labdeck.{imported}"


def test_the_modules_of_markup_import_each_other_without_a_circle() -> None:
    graph = {
        name: {i for i in imports(name, path) if i.startswith("markup.")}
        for name, path in modules().items()
        if name.startswith("markup.")
    }
    while leaves := [name for name, needs in graph.items() if not needs]:
        graph = {n: needs - set(leaves) for n, needs in graph.items() if n not in leaves}
    assert graph == {}


@pytest.mark.parametrize("name", ["render", "answers", "furnish", "parse", "markup.slides"])
def test_rendering_never_reaches_baking(name: str) -> None:
    seen: set[str] = set()
    todo = {name}
    while todo:
        module = todo.pop()
        seen.add(module)
        todo |= imports(module, modules()[module]) - seen
    assert seen.isdisjoint({"bake", "runner", "worker", "process"})


def fresh(code: str, blocked: tuple[str, ...] = ()) -> str:
    """What code prints in a new interpreter that cannot import some packages."""
    guard = f"""
        import sys
        class Blocked:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] in {blocked!r}:
                    raise ImportError("blocked: " + name)
        sys.meta_path.insert(0, Blocked())
    """
    text = textwrap.dedent(guard) + textwrap.dedent(code)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", text],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_help_imports_nothing_heavy() -> None:
    said = fresh(f"""
        import contextlib, io, sys
        from labdeck.cli import main
        with contextlib.redirect_stdout(io.StringIO()) as out:
            assert main(["--help"]) == 0 and main(["build", "--help"]) == 0
        assert "Usage: labdeck" in out.getvalue()
        print([name for name in {HEAVY!r} if name in sys.modules])
    """)
    assert said == "[]\n"


def test_every_module_imports_without_the_heavy_packages_loaded() -> None:
    names = [n.removesuffix(".__init__") for n in modules() if not n.startswith("markup")]
    said = fresh(f"""
        import importlib, sys
        for name in {names!r}:
            importlib.import_module("labdeck." + name if name != "__init__" else "labdeck")
        heavy = [name for name in {HEAVY!r} if name in sys.modules]
        print([name for name in heavy if name not in ("markdown",)])
    """)
    assert said == "[]\n"


def test_the_contract_imports_only_the_standard_library() -> None:
    blocked = (*HEAVY, "click", "rich", "yaml", "markupsafe", "markdown_it", "numpy")
    fresh("import labdeck.contract", blocked)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "demos").glob("*/demo.py")), ids=lambda p: p.parent.name
)
def test_a_bundled_demo_imports_without_heavy_packages(path: Path) -> None:
    topic = path.parent.name
    fresh(
        f"""
        from pathlib import Path
        from labdeck.catalogue import Catalogue
        from labdeck.layers import bundled_root
        catalogue = Catalogue(bundled_root())
        ids = [id for id in catalogue.ids() if id.startswith({topic + "."!r})]
        assert ids
        for id in ids:
            catalogue.get(id)
        """,
        ("torch", "triton", "plotly", "jinja2", "numpy", "sklearn"),
    )


def test_building_from_baked_results_imports_no_torch(toy) -> None:  # type: ignore[no-untyped-def]
    made = toy("# {{ toy.loss }}\n\n```demo toy.curve\n```\n")
    said = fresh(
        f"""
        import os, sys
        os.chdir({str(made.root)!r})
        from labdeck.cli import main
        code = main(["build", "--bake", "never", "--strict"])
        print(code, [n for n in ("torch", "triton", "plotly", "numpy") if n in sys.modules])
        """,
        ("torch", "triton", "plotly", "numpy"),
    )
    assert said.splitlines()[-1] == "0 []"
    assert "demo-plot" in made.page()


def test_demos_import_nothing_of_the_engine_but_the_contract() -> None:
    for path in sorted((ROOT / "demos").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            for name in names:
                assert name.partition(".")[0] != "labdeck" or name == "labdeck.contract", path


def test_the_command_of_a_clone_is_the_installed_one() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "build.py"), "--version"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, f"labdeck, version {labdeck.__version__}\n")
