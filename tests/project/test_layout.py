"""The layout of the code: which room may import which, and the size of files and functions."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.imports import Module, circles, import_statements, imports_of, modules_of
from tests.support.paths import ROOT, python_files

# From the top down: a room may import only from those below it.
ROOMS = (
    "cli",
    "desk",
    "service",
    "authoring",
    "grading",
    "execution",
    "examiner",
    "sandbox",
    "compat",
    "ground",
)
GROUND = {"autograder", "autograder.limits", "autograder.errors", "autograder.log"} | {
    "autograder.terminal",
    "autograder.versions",
}
FORBIDDEN = {
    "autograder": {"course", "tests", "benchmarks", "answers", "lessons"},
    "course": {"autograder", "nbgrader", "tests", "benchmarks", "answers", "lessons"},
    "hub": {"tests"},
    "website": {"autograder", "course", "tests"},  # it is built without what these need
    "benchmarks": {"tests"},
    "lessons": {"autograder", "tests"},
    "answers": {"autograder", "tests"},
}
SIZED = ("autograder", "course", "hub", "benchmarks", "website")
PROBES = "autograder.execution.probes"
LONG_FILES = {"autograder/examiner/codec.py"}  # a format is best read in one place
MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 50

AUTOGRADER = modules_of(ROOT / "autograder")
COURSE = modules_of(ROOT / "course")


def files_of(folder: str) -> list[Path]:
    """Return the Python files of a folder of the repository, without Node.js packages."""
    files = python_files(ROOT / folder)
    assert files, f"{folder} has no Python file"
    return files


def script(path: Path) -> Module:
    """Return a file as a module, which may be a notebook as a script."""
    return Module(path.stem, path, path.read_text())


def at(path: Path, line: int) -> str:
    """Return a place in the repository, as compilers write it."""
    return f"{path.relative_to(ROOT).as_posix()}:{line}"


def room_of(module: str) -> str:
    """Return the room of a module of autograder."""
    return "ground" if module in GROUND else module.split(".")[1]


def graph(modules: dict[str, Module]) -> dict[str, set[str]]:
    """Return the imports within a package by module; without those for types in its own room."""
    return {
        name: {
            import_.name
            for import_ in imports_of(module, modules)
            if import_.name in modules
            and not (import_.for_types and import_.name.split(".")[:2] == name.split(".")[:2])
        }
        for name, module in modules.items()
    }


def test_each_module_of_autograder_is_in_a_room() -> None:
    assert {room_of(name) for name in AUTOGRADER} <= set(ROOMS)


def test_a_room_imports_only_from_those_below_it() -> None:
    upward = [
        f"{at(module.path, import_.line)}: {room_of(name)} imports {import_.name}"
        for name, module in AUTOGRADER.items()
        for import_ in imports_of(module, AUTOGRADER)
        if import_.name in AUTOGRADER
        and ROOMS.index(room_of(import_.name)) < ROOMS.index(room_of(name))
    ]
    assert not upward, "\n".join(upward)


@pytest.mark.parametrize("modules", [AUTOGRADER, COURSE], ids=["autograder", "course"])
def test_no_modules_import_each_other_in_a_circle(modules: dict[str, Module]) -> None:
    assert circles(graph(modules)) == []


@pytest.mark.parametrize("modules", [AUTOGRADER, COURSE], ids=["autograder", "course"])
def test_an_import_in_a_function_has_a_comment_that_names_its_reason(
    modules: dict[str, Module],
) -> None:
    hidden = [
        f"{at(module.path, import_.line)}: {import_.name}"
        for name, module in modules.items()
        for import_ in imports_of(module, modules)
        if name != PROBES  # the source of each of its functions is run alone
        if import_.in_function and not reason(module.text.splitlines(), import_.line)
    ]
    assert not hidden, "\n".join(hidden)


def reason(lines: list[str], line: int) -> str:
    """Return the comment on the line of an import (from 1), or above its group of imports."""
    above = line - 2
    while lines[above].lstrip().startswith(("import ", "from ")):
        above -= 1
    comments = (lines[line - 1].partition("#")[2], lines[above].strip().partition("#")[2])
    return re.sub(r"noqa\S*|type: ignore\S*", "", " ".join(comments)).strip()


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_a_folder_imports_nothing_that_it_may_not_know(folder: str) -> None:
    forbidden = [
        f"{at(path, import_.line)}: {import_.name}"
        for path in files_of(folder)
        for import_ in imports_of(script(path))
        if import_.name.split(".")[0] in FORBIDDEN[folder]
    ]
    assert not forbidden, "\n".join(forbidden)


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_nothing_outside_tests_reads_a_file_of_tests(folder: str) -> None:
    reading = [
        at(path, line) for path in files_of(folder) for line in paths_into_tests(script(path).tree)
    ]
    assert not reading, "\n".join(reading)


def paths_into_tests(tree: ast.AST) -> Iterator[int]:
    """Yield the lines where a path leads into tests/: `folder / "tests"`, "tests/name"."""
    parts: list[ast.expr] = []
    for node in ast.walk(tree):
        match node:
            case ast.BinOp(op=ast.Div()):
                parts += [node.left, node.right]
            case ast.Call(
                func=ast.Name("Path" | "open") | ast.Attribute(attr="join" | "joinpath" | "open")
            ):
                parts += node.args
    for node in ast.walk(tree):
        match node:
            case ast.Constant(str(value)) if re.fullmatch(r"(\S*/)?tests/\S*", value) or (
                value == "tests" and node in parts
            ):
                yield node.lineno


@pytest.mark.parametrize("folder", SIZED)
def test_a_file_is_read_in_one_sitting(folder: str) -> None:
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for path in files_of(folder)
        if (lines := len(path.read_text().splitlines())) > MOST_LINES
    }
    assert {name: lines for name, lines in long.items() if name not in LONG_FILES} == {}


@pytest.mark.parametrize("folder", SIZED)
def test_a_function_is_seen_at_once(folder: str) -> None:
    long = [
        f"{at(path, node.lineno)}: {node.name} has {lines} lines"
        for path in files_of(folder)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > MOST_LINES_OF_A_FUNCTION
    ]
    assert not long, "\n".join(long)


def test_no_class_of_ours_is_more_than_two_of_ours_deep() -> None:
    bases = {
        f"{module.name}.{node.name}": {full_name(base, module) for base in node.bases}
        for module in AUTOGRADER.values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
    }

    def depth(name: str) -> int:
        return 1 + max((depth(base) for base in bases[name] if base in bases), default=0)

    assert {name: depth(name) for name in bases if depth(name) > 2} == {}


def full_name(base: ast.expr, module: Module) -> str:
    """Return the name of a base class with that of the module that it was imported from."""
    head, *rest = ast.unparse(base).partition("[")[0].split(".")
    for node, _, _ in import_statements(module.tree):
        for alias in node.names:
            if head == (alias.asname or alias.name):
                origin = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                return ".".join([*origin, alias.name, *rest])
    return ".".join([module.name, head, *rest])


# Imports the dependencies of all modules once, and then each module in a fork of its own.
IMPORT_ALONE = """
import importlib, os, sys, traceback
ours, others = (argument.split() for argument in sys.argv[1:])
for name in others:
    try:
        importlib.import_module(name)
    except ImportError:  # the module that needs it will fail
        pass
for name in ours:
    sys.stdout.flush()
    if os.fork() == 0:
        try:
            importlib.import_module(name)
        except BaseException:
            print(name, traceback.format_exc(limit=-3))
        sys.stdout.flush()
        os._exit(0)
    os.wait()
print("done")
"""


@pytest.mark.slow
def test_each_module_of_autograder_can_be_imported_alone() -> None:
    others = {
        import_.name
        for module in AUTOGRADER.values()
        for import_ in imports_of(module, AUTOGRADER)
        if not import_.in_function and import_.name.split(".")[0] != "autograder"
    }
    command = [sys.executable, "-c", IMPORT_ALONE, " ".join(AUTOGRADER), " ".join(sorted(others))]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.stdout == "done\n", ran.stdout + ran.stderr


class TestTestsThemselves:
    def test_no_test_module_is_imported_by_another(self) -> None:
        shared = ("tests.support", "tests.tools", "tests.figures")
        modules = modules_of(ROOT / "tests")
        imported = [
            f"{at(module.path, import_.line)}: {import_.name}"
            for name, module in modules.items()
            if not name.startswith("tests.submissions")
            for import_ in imports_of(module, modules)
            if (import_.name.startswith("tests.") and not import_.name.startswith(shared))
            or re.match(r"test_|conftest", import_.name)
        ]
        assert not imported, "\n".join(imported)

    def test_their_folders_are_those_of_what_they_prove(self) -> None:
        proved = {path.parent.name for path in (ROOT / "tests").rglob("test_*.py")}
        assert proved <= {*ROOMS, "course", "lessons", "hub", "project"}

    def test_they_use_no_private_state_of_what_they_prove(self) -> None:
        used = [
            at(path, node.lineno)
            for room in ROOMS
            for path in (ROOT / "tests" / room).glob("*.py")
            for node in ast.walk(ast.parse(path.read_text()))
            if is_private(node)
        ]
        assert not used, "\n".join(used)

    def test_no_assertion_is_caught_or_cannot_fail(self) -> None:
        doubtful = [
            at(path, node.lineno)
            for path in sorted((ROOT / "tests").rglob("*.py"))
            for node in ast.walk(ast.parse(path.read_text()))
            if is_doubtful(node)
        ]
        assert not doubtful, "\n".join(doubtful)


def is_doubtful(node: ast.AST) -> bool:
    """Return whether an assertion is caught around it, or is `assert (this) if that else (other)`.

    The condition of the latter reads as if it chose what to compare with.
    """
    match node:
        case ast.Assert(test=ast.IfExp()):
            return True
        case ast.With(items=[ast.withitem(ast.Call(args=[ast.Name(error), *_]) as call), *_]):
            broad = error in ("Exception", "BaseException", "AssertionError")
            raises = ast.unparse(call.func) in ("pytest.raises", "suppress", "contextlib.suppress")
            return broad and raises and any(isinstance(n, ast.Assert) for n in ast.walk(node))
    return False


def is_private(node: ast.AST) -> bool:
    """Return whether a node reads or patches a private member, also in a program as a string."""
    match node:
        case ast.Attribute(ast.Name("os" | "sys" | "self")):
            return False
        case (
            ast.Attribute(attr=name)
            | ast.Call(
                func=ast.Name("setattr") | ast.Attribute(attr="setattr"),
                args=[_, ast.Constant(str(name)), *_],
            )
        ):
            return name.startswith("_") and not name.endswith("_")
        case ast.Constant(str(text)):
            return bool(re.search(r"[sS]erver(\(\))?\._\w", text))
    return False
