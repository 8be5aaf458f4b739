"""Private members of other libraries are used in compat alone: of autograder, and of course."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from tests.support.imports import modules_of
from tests.support.paths import ROOT, python_files

FOLDERS = ("autograder", "course", "hub", "benchmarks")
# Names that look private and are public: documented by the library that reads them.
PUBLIC = {"_exit", "_fields", "_asdict", "_replace", "_repr_html_", "_repr_png_"}
HOOKS = {"_jupyter_server_extension_points", "_load_jupyter_server_extension"}


def files_of(folder: str) -> list[Path]:
    return [
        path
        for path in python_files(ROOT / folder)
        if "compat" not in path.stem
        if "compat" not in path.parent.name
    ]


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in PUBLIC | HOOKS


def own_names(trees: list[ast.Module]) -> set[str]:
    """Return the private names that our own code defines."""
    names: set[str] = set()
    for tree in trees:
        for node in ast.walk(tree):
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    names.add(name)
                case ast.ClassDef(name=name) | ast.Name(id=name, ctx=ast.Store()):
                    names.add(name)
                case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                    names.add(name)
                case ast.keyword(arg=str(name)):
                    names.add(name)
    return {name for name in names if is_private(name)}


def foreign_private(path: Path, own: set[str]) -> Iterator[str]:
    """Yield the places where a private member of another library is read or imported."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Attribute(attr=name) if is_private(name) and name not in own:
                yield f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}"
            case ast.ImportFrom(module=str(module), names=names):
                private = [alias.name for alias in names if is_private(alias.name)]
                private += [part for part in module.split(".") if is_private(part)]
                if private and not module.startswith(FOLDERS):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}: {module} {private}"
            case ast.Constant(value=str(text)) if text.startswith("torch._"):
                yield f"{path.relative_to(ROOT)}:{node.lineno}: {text}"


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_private_member_of_another_library_is_used_outside_compat(folder: str) -> None:
    files = files_of(folder)
    assert files
    own = own_names([ast.parse(path.read_text()) for path in files])
    uses = [use for path in files for use in foreign_private(path, own)]
    assert not uses, "\n".join(uses)


def overridden(name: str, path: Path) -> Iterator[str]:
    """Yield the private members of other libraries that a module's classes define anew."""
    module = import_module(name)
    for node in ast.walk(ast.parse(path.read_text())):
        kind = getattr(module, node.name, None) if isinstance(node, ast.ClassDef) else None
        if not inspect.isclass(kind):
            continue
        assert isinstance(node, ast.ClassDef)
        foreign = [base for base in kind.__mro__ if not base.__module__.startswith("autograder")]
        for member in own_names([ast.Module([*node.body], [])]):
            if any(member in vars(base) for base in foreign):
                yield f"{name}.{kind.__name__}.{member}"


def test_no_class_overrides_a_private_member_of_another_library_outside_compat() -> None:
    modules = modules_of(ROOT / "autograder")
    found = {name: [*overridden(name, module.path)] for name, module in modules.items()}
    assert [one for name, each in found.items() if ".compat." not in name for one in each] == []
    compat = {one for name, each in found.items() if ".compat." in name for one in each}
    assert "autograder.compat.nbclient.NotebookClient._async_poll_kernel_alive" in compat


def test_the_search_sees_a_private_member() -> None:
    assert list(foreign_private(ROOT / "autograder" / "compat" / "torch.py", set()))


@pytest.mark.parametrize("folder", FOLDERS)
def test_unittest_mock_stays_in_tests(folder: str) -> None:
    for path in files_of(folder):
        assert "unittest.mock" not in path.read_text(), path
