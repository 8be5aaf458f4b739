"""Hooks and fixtures of all tests."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from nbval.plugin import IPyNbCell

from autograder.execution.execute import kernel_server
from tests.support.lessons import NO_SOCKETS, imported_by
from tests.support.paths import LESSONS, ROOT

# Each core has a worker: more threads would only slow each other down.
os.environ.setdefault("OMP_NUM_THREADS", "1")
gc.set_threshold(
    50_000
)  # a third of the time of imports went into collecting garbage, and there is none


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the cells that nbval runs of one notebook to one worker, and forbid them sockets."""
    for cell in items:
        if isinstance(cell, IPyNbCell):
            cell.add_marker(pytest.mark.xdist_group(f"nbval-{cell.path.stem}"))
            if cell.cell_num == 0:
                cell.cell.source = f"{NO_SOCKETS}\n{cell.cell.source}"


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture
def warm_kernels() -> None:
    """Have the fork server import what the lessons import; a scene before may have ended it."""
    kernel_server(imported_by(LESSONS))


# Data: figures to draw, and notebooks as scripts.
collect_ignore = ["figures", "submissions"]
