"""Finds the demos of a project, loads them by path and digests their sources.

A demo is a function decorated with `@demo` in `<topic>/demo.py` below one of the demos/ folders;
its id is `topic.function`. Topics are listed and digested without running anything of theirs.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.machinery
import importlib.util
import keyword
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from .contract import ContractError, Demo
from .digest import Reach, Sources, declared_demos
from .errors import DeckError, MachineError, Where, did_you_mean
from .layers import bundled_root, layers

EXTRA = {"torch", "triton", "plotly", "numpy"}  # what `pip install 'labdeck[demos]'` brings


@dataclass(frozen=True)
class FoundDemo:
    """A demo as its source declares it, not loaded."""

    id: str
    topic: str
    function: str
    layer: Path
    path: Path
    line: int

    @property
    def where(self) -> Where:
        return Where(str(self.path), self.line)


@dataclass(frozen=True)
class LoadedDemo:
    """A demo ready to be asked for its parameters, or run."""

    id: str
    demo: Demo
    path: Path
    layer: Path


class Catalogue:
    """The demos that a project can use; make a new one to see changed sources.

    Args:
        project: the folder whose custom/demos/ and demos/ come before the bundled demos.
        allow_project: False leaves those two out, for a project nobody vouches for.
    """

    def __init__(self, project: Path, *, allow_project: bool = True) -> None:
        self.project = project
        folders = layers(project, "demos")
        if not allow_project:
            bundled = (bundled_root() / "demos").resolve()
            folders = [folder for folder in folders if folder.resolve() == bundled]
        self.layers: tuple[Path, ...] = tuple(folders)
        self._sources = {folder: Sources(folder) for folder in folders}
        self._loaded: dict[str, LoadedDemo] = {}
        self._packages: dict[Path, str] = {}

    def topics(self) -> dict[str, Path]:
        """Each topic with the layer it is taken from: the first that has `<topic>/demo.py`."""
        found: dict[str, Path] = {}
        for layer in self.layers:
            for path in sorted(layer.glob("*/demo.py")):
                topic = path.parent.name
                if topic.isidentifier() and not keyword.iskeyword(topic):
                    found.setdefault(topic, layer)
        return dict(sorted(found.items()))

    def ids(self) -> list[str]:
        """The ids of all demos, in order; topics that cannot be read are left to `broken`."""
        return sorted(found.id for found in self._readable())

    def broken(self) -> list[DeckError]:
        """What is wrong with the topics whose demo.py cannot be read."""
        errors = []
        for topic, layer in self.topics().items():
            try:
                self._declared(topic, layer)
            except DeckError as error:
                errors.append(error)
        return errors

    def find(self, id: str) -> FoundDemo:
        """Where a demo is declared; DeckError for an id that nothing declares."""
        topic = id.partition(".")[0]
        layer = self.topics().get(topic)
        declared = self._declared(topic, layer) if layer else []
        for found in declared:
            if found.id == id:
                return found
        known = [found.id for found in declared] or self.ids()
        raise DeckError(f"unknown demo `{id}`", hint=did_you_mean(id, known), code="unknown-demo")

    def reach(self, id: str) -> Reach:
        """The digest of a demo's sources, the files behind it and the packages it imports."""
        found = self.find(id)
        return self._sources[found.layer].reach(found.topic, found.function)

    def digest(self, id: str) -> str:
        """sha256 over all sources that the demo's results depend on."""
        return self.reach(id).digest

    def get(self, id: str) -> LoadedDemo:
        """Load a demo: runs its modules, which may import torch if they do so at their top."""
        if id not in self._loaded:
            found = self.find(id)
            package = self._package(found.layer)
            self._loaded[id] = LoadedDemo(id, load(found, package), found.path, found.layer)
        return self._loaded[id]

    def _package(self, layer: Path) -> str:
        if layer not in self._packages:
            self._packages[layer] = mount(layer)
        return self._packages[layer]

    def _readable(self) -> Iterator[FoundDemo]:
        for topic, layer in self.topics().items():
            try:
                yield from self._declared(topic, layer)
            except DeckError:
                continue  # `broken` reports it, and so does whoever asks for this topic

    def _declared(self, topic: str, layer: Path) -> list[FoundDemo]:
        path = layer / topic / "demo.py"
        lines = declared_demos(self._sources[layer].tree(path))
        return [
            FoundDemo(f"{topic}.{name}", topic, name, layer, path, line)
            for name, line in lines.items()
        ]


def mount(layer: Path) -> str:
    """Make a demos/ folder importable under a name of its own, from fresh sources; that name.

    sys.path stays as it is, so a topic called `random` or `moe` hides nobody's module, and two
    layers with the same topics keep apart.
    """
    root = layer.resolve()
    name = "labdeck_demos_" + hashlib.sha256(str(root).encode()).hexdigest()[:12]
    for known in [m for m in sys.modules if m == name or m.startswith(name + ".")]:
        del sys.modules[known]
    importlib.invalidate_caches()
    package = ModuleType(name)
    package.__path__ = [str(root)]
    package.__package__ = name
    spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [str(root)]
    package.__spec__ = spec
    sys.modules[name] = package
    return name


def load(found: FoundDemo, package: str) -> Demo:
    """Import a demo's module below a mounted package; DeckError says what is wrong in it."""
    with _fresh_bytecode():
        try:
            init = found.layer / "__init__.py"
            if init.is_file():
                _run_init(init, package)
            module = importlib.import_module(f"{package}.{found.topic}.demo")
        except ContractError as error:
            where = innermost(error, found.layer) or found.where
            raise DeckError(
                f"demo `{found.id}`: {error.message}", where, error.hint, code="demo-contract"
            ) from error
        except Exception as error:
            raise _load_error(found, error) from error
    demo = getattr(module, found.function, None)
    if not isinstance(demo, Demo):
        raise DeckError(
            f"demo `{found.id}` is no demo but {type(demo).__name__}",
            found.where,
            "decorate it with `@demo` of labdeck.contract, as the last decorator applied",
            code="demo-contract",
        )
    return demo


def innermost(error: BaseException, layer: Path) -> Where | None:
    """The last line of a demos/ folder that an exception came through, None if none."""
    root = layer.resolve()
    if isinstance(error, SyntaxError) and error.filename:
        path = Path(error.filename)
        if path.is_relative_to(root):
            return Where(str(layer / path.relative_to(root)), error.lineno)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(root):
            return Where(str(layer / path.relative_to(root)), frame.lineno)
    return None


def missing_package(error: BaseException) -> str | None:
    """The package that could not be imported, if `labdeck[demos]` would bring it."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        name = error.name.partition(".")[0]
        return name if name in EXTRA else None
    return None


def package_error(id: str, package: str) -> MachineError:
    """A demo needs a package of the `demos` extra that is not installed."""
    return MachineError(
        f"demo `{id}` needs {package}, which is not installed",
        hint="install what demos need: pip install 'labdeck[demos]'",
        code="demo-package",
    )


def _load_error(found: FoundDemo, error: Exception) -> DeckError:
    if package := missing_package(error):
        return package_error(found.id, package)
    return DeckError(
        f"demo `{found.id}` cannot be loaded: {type(error).__name__}: {error}",
        innermost(error, found.layer) or found.where,
        "its module must import without an error; heavy work belongs into the function",
        code="demo-load",
    )


def _run_init(path: Path, package: str) -> None:
    module = sys.modules[package]
    if getattr(module, "__file__", None) is None:
        module.__file__ = str(path.resolve())
        source = path.read_bytes()
        exec(compile(source, module.__file__, "exec"), module.__dict__)


@contextmanager
def _fresh_bytecode() -> Iterator[None]:
    """Write no .pyc: two edits within a second look alike to Python's cache of them."""
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before
