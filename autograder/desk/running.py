"""What commands run notebooks with: options, workers on this machine or a cluster, a bar."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from autograder.errors import UsageError
from autograder.limits import NAMES
from autograder.sandbox.fork_client import shared_server
from autograder.sandbox.preload import setup_imports
from autograder.terminal import console

# One more than there are cores: a kernel that starts, or is waited for, leaves its core idle.
JOBS = (os.cpu_count() or 1) + 1
Confine = Annotated[
    bool,
    typer.Option(
        "--confine/--no-confine", help="Refuse to grade where submissions cannot be confined."
    ),
]
Examiner = Annotated[
    Literal["auto", "always", "never"],
    typer.Option(
        help="Whether tests run in a kernel of their own: where the instructor's own answers earn"
        " their marks so, always (what cannot be run there goes to a person), or never.",
    ),
]

Jobs = Annotated[int, typer.Option(min=1, help="Notebooks at a time.")]
LimitOptions = Annotated[
    list[str] | None,
    typer.Option("--limit", help=f"NAME=VALUE, may be given again; there are {', '.join(NAMES)}."),
]


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


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[], None]]:
    """Show a bar with the time left; yield the function that advances it by one."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)
