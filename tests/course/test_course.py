"""The package `course`: its public names are those that lessons use, and each says what it does."""

from __future__ import annotations

import ast
import importlib
import inspect
import re

import pytest

from tests.support.paths import ROOT

MODULES = sorted(p.stem for p in (ROOT / "course").glob("[a-z]*") if p.suffix in ("", ".py"))
FILES = sorted((ROOT / "course").rglob("*.py"))
USERS = [*sorted((ROOT / "lessons").glob("*.py")), ROOT / "tests" / "support" / "trials.py"]
LESSONS = [path.read_text() for path in USERS]


def used_elsewhere(module: str) -> set[str]:
    """Return the names of a module that lessons, or other modules of the course, use."""
    package = ROOT / "course" / module
    others = [p.read_text() for p in FILES if p.stem != module and package not in p.parents]
    # Only where it is imported: a list may be called `train` too.
    imported = re.compile(rf"^from course import .*\b{module}\b", re.MULTILINE)
    users = filter(imported.search, [*LESSONS, *others])
    names = set(re.findall(rf"\b{module}\.(\w+)", "\n".join(users)))
    for tree in map(ast.parse, others):
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == f"course.{module}":
                names |= {alias.name for alias in node.names}
    return names


@pytest.mark.parametrize("module", MODULES)
def test_what_is_public_is_used_and_what_is_used_is_public(module: str) -> None:
    public = set(importlib.import_module(f"course.{module}").__all__)
    used = {name for name in used_elsewhere(module) if not name.startswith("_")}
    assert public - used == set(), "public, and used by no lesson"
    assert used - public == set(), "used by a lesson, and not public"


@pytest.mark.parametrize("module", MODULES)
def test_public_functions_say_what_you_get(module: str) -> None:
    source = importlib.import_module(f"course.{module}")
    for name in source.__all__:
        member = getattr(source, name)
        if callable(member):
            assert inspect.getdoc(member), f"course.{module}.{name} has no docstring"
