"""What runs the notebooks of a command: threads of this machine, or a cluster."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path

from autograder.errors import UsageError
from autograder.sandbox.fork_client import shared_server
from autograder.sandbox.preload import setup_imports

# One more than there are cores: a kernel that starts, or is waited for, leaves its core idle.
JOBS = (os.cpu_count() or 1) + 1


def warm_up(*assignments: str) -> None:
    """Have the server of kernels import what they need while this process imports its own."""
    sources = [path for name in assignments for path in Path("source").glob(f"{name}/*.ipynb")]
    shared_server.get(setup_imports(sources) if assignments else None)


@contextmanager
def workers(
    scheduler: str | None, jobs: int, preload: Iterable[str], confine: bool
) -> Iterator[tuple[Executor, int]]:
    """Yield what runs notebooks, and how many at a time: this machine, or a cluster.

    Raise UsageError where they are to be confined and cannot be.
    """
    if scheduler:
        from autograder.execution.cluster import cluster  # slow to import

        with cluster(scheduler, preload, confine) as executor:
            yield executor
    else:
        from autograder.execution.execute import local_executor  # slow to import

        with local_executor(jobs, preload) as pool:
            if confine:
                require_confinement()
            yield pool, jobs


def require_confinement() -> None:
    """Raise UsageError where this machine cannot confine kernels."""
    if reason := shared_server.get().confinement_error():
        raise UsageError(
            f"submissions cannot be confined on this machine ({reason}): they could read and change"
            " all that you can. `autograder doctor` says more, --no-confine grades all the same"
        )
