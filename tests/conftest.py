"""Scenes and what they share."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from nbval.plugin import IPyNbCell

from autograder.authoring.build import notebook_path
from autograder.sandbox.fork_client import ForkServer
from autograder.sandbox.preload import setup_imports

# There is a worker to each core: more threads would only get in each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")
gc.set_threshold(50_000)  # imports make no garbage, a third of their time would look for it

ROOT = Path(__file__).parents[1]
LESSONS = [path.stem for path in sorted((ROOT / "lessons").glob("[0-9]*.py"))]

# Nothing of a lesson may reach for a network. The kernel's own wire is not Python's: its sockets
# are ZeroMQ's, which no audit hook sees.
NO_SOCKETS = """
import sys

def forbid_sockets(event, arguments):
    if event.startswith("socket."):
        raise RuntimeError(f"a lesson opens a socket: {event}")

sys.addaudithook(forbid_sockets)
"""


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The cells that nbval runs: those of a notebook by one worker, and none opens a socket."""
    for cell in items:
        if isinstance(cell, IPyNbCell):
            cell.add_marker(pytest.mark.xdist_group(f"nbval-{cell.path.stem}"))
            if cell.cell_num == 0:
                cell.cell.source = f"{NO_SOCKETS}\n{cell.cell.source}"


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


def imported_by(lessons: Iterable[str]) -> set[str]:
    """The modules that lessons import, to be imported before their kernels are forked."""
    return setup_imports(notebook_path(ROOT / "source", lesson) for lesson in lessons)


@pytest.fixture(scope="session")
def warm_kernels() -> None:
    """Kernels are forked from a server that has imported what the lessons import."""
    ForkServer.shared(imported_by(LESSONS))


# Notebooks as scripts, whatever they are called: no tests of pytest's.
collect_ignore = ["answers", "lessons", "submissions"]
