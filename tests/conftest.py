"""Scenes and what they share."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from nbval.plugin import IPyNbCell

from autograder.execution.execute import kernel_server
from tests.support.lessons import NO_SOCKETS, imported_by
from tests.support.paths import LESSONS, ROOT

# There is a worker to each core: more threads would only get in each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")
gc.set_threshold(50_000)  # imports make no garbage, a third of their time would look for it


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


@pytest.fixture(scope="session")
def warm_kernels() -> None:
    """Kernels are forked from a server that has imported what the lessons import."""
    kernel_server(imported_by(LESSONS))


# Notebooks as scripts, whatever they are called: no tests of pytest's.
collect_ignore = ["figures", "submissions"]
