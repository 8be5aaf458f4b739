"""The lessons of the course and their answer banks, read for tests."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import nbformat
from nbformat import NotebookNode

from autograder.authoring.answer_bank import Answer, read_answers
from autograder.authoring.build import notebook_path
from autograder.sandbox.preload import setup_imports
from tests.support.paths import ROOT

# No lesson may use a network. The kernel's own sockets are ZeroMQ's, which no audit hook sees.
NO_SOCKETS = """
import sys

def forbid_sockets(event, arguments):
    if event.startswith("socket."):
        raise RuntimeError(f"a lesson opens a socket: {event}")

sys.addaudithook(forbid_sockets)
"""


def imported_by(lessons: Iterable[str]) -> set[str]:
    """Return the modules that lessons import, to be imported before their kernels are forked."""
    return setup_imports(notebook_path(ROOT / "source", lesson) for lesson in lessons)


@cache
def source(lesson: str) -> NotebookNode:
    """Return a lesson with its solutions, as it was built: read once for all its answers."""
    return nbformat.read(notebook_path(ROOT / "source", lesson), as_version=4)


@cache
def released(lesson: str) -> NotebookNode:
    """Return a lesson as students get it."""
    return nbformat.read(notebook_path(ROOT / "release", lesson), as_version=4)


def bank(lesson: str) -> list[Answer]:
    """Return the answer bank of a lesson."""
    return read_answers(ROOT / "answers" / f"{lesson}.py")
