"""The imports of modules, read from their text without importing them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.paths import python_files


@dataclass(frozen=True)
class Import:
    """An imported module: its full name, and where the statement is."""

    name: str
    line: int
    in_function: bool = False
    for_types: bool = False  # under `if TYPE_CHECKING:`


@dataclass(frozen=True)
class Module:
    """The dotted name, the path and the text of a module."""

    name: str
    path: Path
    text: str

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)


def modules_of(package: Path) -> dict[str, Module]:
    """Return the modules of a package by dotted name; `package` is its folder."""
    modules = {}
    for path in python_files(package):
        parts = path.relative_to(package.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        modules[name] = Module(name, path, path.read_text())
    return modules


def imports_of(module: Module, known: Iterable[str] = ()) -> list[Import]:
    """Return every import of a module, also those in functions and for type checkers.

    `from a import b` counts as a.b where that is one of the modules `known`, else as a.
    """
    known = frozenset(known)
    return [
        Import(name, node.lineno, in_function, for_types)
        for node, in_function, for_types in import_statements(module.tree)
        for name in imported_names(node, module, known)
    ]


def import_statements(
    node: ast.AST, in_function: bool = False, for_types: bool = False
) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool, bool]]:
    """Yield (statement, in a function?, only for type checkers?) of each import below `node`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, in_function, for_types
            continue
        function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        typing = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)
        yield from import_statements(child, in_function or function, for_types or typing)


def imported_names(
    node: ast.Import | ast.ImportFrom, module: Module, known: frozenset[str]
) -> Iterator[str]:
    """Yield the full names of the modules that a statement imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    base = node.module or ""
    if node.level:
        parts = module.name.split(".")
        above = parts[: len(parts) - node.level + module.is_package]
        base = ".".join([*above, *filter(None, [node.module])])
    inner = (f"{base}.{alias.name}" for alias in node.names)
    yield from dict.fromkeys(name if name in known else base for name in inner)


def circles(graph: Mapping[str, set[str]]) -> list[set[str]]:
    """Return the groups of modules that import each other in a circle."""
    reached = {name: reachable(name, graph) for name in graph}
    groups = {
        frozenset(other for other in reached[name] if name in reached[other])
        for name in graph
        if name in reached[name]
    }
    return sorted(map(set, groups), key=sorted)


def reachable(name: str, graph: Mapping[str, set[str]]) -> set[str]:
    """Return all that a module imports, directly or through others."""
    reached: set[str] = set()
    waiting = [name]
    while waiting:
        new = graph.get(waiting.pop(), set()) - reached
        reached |= new
        waiting += new
    return reached
