"""What a demo's results depend on: a digest of the sources that the demo reaches.

Sources are read, never run. Of `demo.py` only the demo's function and the module-level names it
uses count, so two demos in one file do not touch each other; every other module that is imported,
directly or not, counts as a whole. Comments, layout, docstrings and what the decorator says for
people (question, source, time limit) do not count. Data files do not count either, nor modules
imported under names that are made up at run time.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import contract
from .errors import DeckError, Where

Parts = tuple[str, ...]  # a module's name below the demos/ folder; () is the folder itself

FOR_PEOPLE = ("question", "source", "limit_s")  # keywords of @demo that no result depends on
REFLECTION = {"globals", "eval", "exec"}  # a function that uses these may use any name


@dataclass(frozen=True)
class Reach:
    """What a demo depends on.

    Args:
        digest: sha256 over all of it, in hexadecimal, the same on every Python.
        files: the files read for it, in the order of their names.
        needs: top-level names of packages that are neither ours nor the standard library's.
    """

    digest: str
    files: tuple[Path, ...]
    needs: frozenset[str]


@dataclass(frozen=True)
class Piece:
    """A statement of a module and the names it binds; with none it always counts."""

    names: frozenset[str]
    node: ast.stmt


class Sources:
    """The modules below one demos/ folder, each parsed at most once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._trees: dict[Path, ast.Module] = {}
        self._whole: dict[Path, str] = {}

    def tree(self, path: Path) -> ast.Module:
        """The parsed module; DeckError with file and line where it is no Python."""
        if path not in self._trees:
            self._trees[path] = parse_source(path)
        return self._trees[path]

    def locate(self, parts: Parts) -> Path | None:
        """The file of a module or package below the root, None if there is none."""
        folder = self.root.joinpath(*parts)
        for path in (folder / "__init__.py", folder.with_name(folder.name + ".py")):
            if path.is_file() and (parts or path.name == "__init__.py"):
                return path
        return None

    def reach(self, topic: str, function: str) -> Reach:
        """All that the demo `function` in `<topic>/demo.py` depends on."""
        start: Parts = (topic, "demo")
        path = self.root / topic / "demo.py"
        pieces = used_pieces(self.tree(path), function)
        inside, needs = self._imports(pieces, (topic,))
        todo = {*_ancestors(start), *inside}
        seen: set[Parts] = set()
        whole: dict[Path, str] = {}
        while todo:
            parts = todo.pop()
            seen.add(parts)
            if (found := self.locate(parts)) is None:
                continue
            whole[found] = self._digest_of(found)
            package = parts if found.name == "__init__.py" else parts[:-1]
            inside, more = self._imports(self.tree(found).body, package)
            needs |= more
            todo |= {p for name in inside for p in (name, *_ancestors(name))} - seen
        own = "\n".join(dump(piece) for piece in pieces)
        return Reach(self._sum(own, f"{topic}.{function}", whole), self._files(whole, path), needs)

    def _sum(self, own: str, name: str, whole: dict[Path, str]) -> str:
        lines = [f"{p.relative_to(self.root).as_posix()} {whole[p]}" for p in whole]
        text = "\n".join([f"contract {contract.VERSION}", name, *sorted(lines), own])
        return hashlib.sha256(text.encode()).hexdigest()

    def _files(self, whole: dict[Path, str], path: Path) -> tuple[Path, ...]:
        return tuple(sorted({*whole, path}))

    def _digest_of(self, path: Path) -> str:
        if path not in self._whole:
            text = dump(self.tree(path))
            self._whole[path] = hashlib.sha256(text.encode()).hexdigest()
        return self._whole[path]

    def _imports(self, nodes: list[ast.stmt], package: Parts) -> tuple[set[Parts], frozenset[str]]:
        """Modules imported anywhere in some statements: ours by parts, others by first name."""
        inside: set[Parts] = set()
        outside: set[str] = set()
        for node in (n for top in nodes for n in ast.walk(top)):
            for level, name in _imported(node):
                base = _base(level, package, name, self.root.name)
                if base is not None and (level or self._exists(base[:1])):
                    inside.add(base)
                elif level == 0:
                    outside.add(name.partition(".")[0])
        return inside, frozenset(outside - sys.stdlib_module_names - {"labdeck"})

    def _exists(self, parts: Parts) -> bool:
        return self.locate(parts) is not None or self.root.joinpath(*parts).is_dir()


def parse_source(path: Path) -> ast.Module:
    """Parse a Python file; DeckError with its place where that fails."""
    try:
        return ast.parse(path.read_bytes(), str(path))
    except OSError as error:
        raise DeckError(
            f"cannot read the file: {error.strerror}", Where(str(path)), code="demo-source"
        ) from error
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        text = getattr(error, "msg", str(error))
        raise DeckError(
            f"this is no Python: {text}", Where(str(path), line), code="demo-source"
        ) from error


def declared_demos(tree: ast.Module) -> dict[str, int]:
    """Names of the functions that a module declares with @demo, with their lines."""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and any(map(_is_demo, node.decorator_list)):
            found[node.name] = node.lineno
    return found


def used_pieces(tree: ast.Module, function: str) -> list[ast.stmt]:
    """The statements of a module that a function in it depends on, in their order."""
    pieces = list(_pieces(tree))
    wanted = {function}
    chosen: set[int] = set()
    grew = True
    while grew:
        grew = False
        for index, piece in enumerate(pieces):
            if index not in chosen and (not piece.names or piece.names & wanted):
                chosen.add(index)
                wanted |= _used_names(piece.node)
                grew = True
        if wanted & REFLECTION:
            chosen = set(range(len(pieces)))
            grew = False
    return [pieces[index].node for index in sorted(chosen)]


def dump(node: ast.AST) -> str:
    """A module or statement as text without places, docstrings and empty fields.

    Unlike `ast.dump` it is the same on every Python that parses the source to the same tree.
    """
    return "".join(_dump(node))


def _dump(value: object) -> Iterator[str]:
    if isinstance(value, ast.AST):
        yield f"{type(value).__name__}("
        for name in value._fields:
            item = getattr(value, name, None)
            if isinstance(item, list):
                item = [each for each in item if not _says_nothing(value, each)]
            empty = item is None or (isinstance(item, list) and not item)
            # `kind` is the u of u"…", `ctx` follows from where an expression stands.
            if not (empty or name in ("ctx", "kind", "type_comment", "type_ignores")):
                yield f"{name}="
                yield from _dump(item)
        yield ")"
    elif isinstance(value, list):
        yield "["
        for item in value:
            yield from _dump(item)
        yield "]"
    else:
        yield f"{value!a},"


def _says_nothing(parent: ast.AST, node: object) -> bool:
    # Python 3.12 ends some f-strings with an empty text that other versions leave out.
    empty = isinstance(node, ast.Constant) and node.value == ""
    return _is_docstring(node) or (empty and isinstance(parent, ast.JoinedStr))


def _is_docstring(node: object) -> bool:
    """True for a statement that is only a text: it does nothing, wherever it stands."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _pieces(tree: ast.Module) -> Iterator[Piece]:
    for node in tree.body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                yield Piece(frozenset({name}), ast.Import([alias]))
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                always = alias.name == "*" or node.module == "__future__"
                names = frozenset() if always else frozenset({alias.asname or alias.name})
                yield Piece(names, ast.ImportFrom(node.module, [alias], node.level))
        elif not _is_docstring(node):
            yield Piece(frozenset(_bound_names(node)), _without_words(node))


def _bound_names(node: ast.stmt) -> set[str]:
    """Names a statement binds, or none when it may do something else as well."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, (ast.AnnAssign, ast.AugAssign)):
        targets = [node.target]
    else:
        return set()
    plain = (ast.Name, ast.Tuple, ast.List, ast.Starred, ast.expr_context)
    inner = [n for target in targets for n in ast.walk(target)]
    if not all(isinstance(n, plain) for n in inner):
        return set()
    return {n.id for n in inner if isinstance(n, ast.Name)}


def _without_words(node: ast.stmt) -> ast.stmt:
    """A demo's function without what its decorator says for people."""
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return node
    bare = copy.copy(node)
    bare.decorator_list = [_bare_decorator(d) if _is_demo(d) else d for d in node.decorator_list]
    return bare


def _bare_decorator(decorator: ast.expr) -> ast.expr:
    if not isinstance(decorator, ast.Call):
        return decorator
    kept = [keyword for keyword in decorator.keywords if keyword.arg not in FOR_PEOPLE]
    return ast.Call(decorator.func, decorator.args, kept)


def _is_demo(decorator: ast.expr) -> bool:
    """True for `@demo(…)` and `@contract.demo(…)`."""
    if not isinstance(decorator, ast.Call):
        return False
    name = decorator.func
    return getattr(name, "id", None) == "demo" or getattr(name, "attr", None) == "demo"


def _used_names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _imported(node: ast.AST) -> Iterator[tuple[int, str]]:
    """(level, dotted name) of everything an import may load, names it takes out included."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield 0, alias.name
    elif isinstance(node, ast.ImportFrom):
        module = node.module or ""
        if module:
            yield node.level, module
        for alias in node.names:
            yield node.level, f"{module}.{alias.name}".strip(".")


def _base(level: int, package: Parts, name: str, root: str) -> Parts | None:
    """Parts of an imported module below the root; None if it lies elsewhere."""
    parts = tuple(name.split("."))
    if level == 0:
        return parts[1:] if parts[0] == root else None
    if level - 1 > len(package):
        return None
    return package[: len(package) - (level - 1)] + parts


def _ancestors(parts: Parts) -> list[Parts]:
    return [parts[:end] for end in range(len(parts))]
