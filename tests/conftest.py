"""Scenes and what they share."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from autograder.build import notebook_path
from autograder.forkserver import ForkServer
from autograder.imports import setup_imports

ROOT = Path(__file__).parents[1]
LESSONS = [path.stem for path in sorted((ROOT / "lessons").glob("[0-9]*.py"))]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


def imports_of(lessons: Iterable[str]) -> set[str]:
    """The modules that lessons import, to be imported before their kernels are forked."""
    return setup_imports(notebook_path(ROOT / "source", lesson) for lesson in lessons)


@pytest.fixture(scope="session")
def warm_kernels() -> None:
    """Kernels are forked from a server that has imported what the lessons import."""
    ForkServer.shared(imports_of(LESSONS))


# Notebooks as scripts, whatever they are called: no tests of pytest's.
collect_ignore = ["answers", "lessons", "submissions"]
