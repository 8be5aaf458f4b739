"""Parts of the grader measured by themselves: kernel starts, and two kernels against one.

The only module that uses the grader's execution and sandbox rooms.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import chdir, contextmanager
from copy import deepcopy
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import is_solution

from autograder.authoring.build import notebook_path
from autograder.execution.cells import LEFT_OUT
from autograder.execution.execute import execute, local_executor
from autograder.execution.session import Deadline, KernelSession
from autograder.grading.course import imports_of, open_course
from autograder.limits import Limits
from autograder.sandbox.fork_client import PRELOAD, SERVER_ENV, scratch_folder, shared_server
from autograder.sandbox.fork_server import preload
from autograder.sandbox.manager import ForkedKernelManager
from benchmarks.commands import descendants, memory_mb

__all__ = ["LEFT_OUT", "SERVER_ENV", "modules", "preload", "start_kernels", "two_kernels"]

SAMPLE = 6  # submissions that are executed in one kernel and in two
UNIQUE = ("Private_Clean", "Private_Dirty")  # of /proc/PID/smaps_rollup: shared with no process


def modules(folder: Path, lessons: Sequence[str]) -> set[str]:
    """Return what the grader imports before it forks the kernels of some lessons."""
    with chdir(folder):
        return {*PRELOAD, *imports_of(open_course(), lessons)}


def two_kernels(course: Path, lesson: str, rounds: int) -> list[float]:
    """Return the time in two kernels over that in one, for each round of a few submissions."""
    paths = sorted((course / "submitted").glob(f"*/{lesson}/{lesson}.ipynb"))[:SAMPLE]
    source = nbformat.read(notebook_path(course / "source", lesson), as_version=4)
    ratios = []
    with warm_server(modules(course, [lesson])):
        execute(source, {}, Limits())  # all imports are done
        for number in range(rounds):
            seconds = {True: 0.0, False: 0.0}
            for path in paths:
                notebook = with_tests(nbformat.read(path, as_version=4), source)
                for one_kernel in (True, False) if number % 2 else (False, True):
                    executed = execute(notebook, {}, Limits(), one_kernel=one_kernel)
                    seconds[one_kernel] += executed.metadata["seconds"]
            ratios.append(seconds[False] / seconds[True])
    return ratios


def with_tests(notebook: NotebookNode, source: NotebookNode) -> NotebookNode:
    """Return a submission with the hidden tests of its lesson."""
    sources = {cell["id"]: cell.source for cell in source.cells if cell.metadata.get("nbgrader")}
    result = deepcopy(notebook)
    for cell in result.cells:
        if cell.cell_type == "code" and not is_solution(cell):
            cell.source = sources.get(cell["id"], cell.source)
    return result


def start_kernels(preloaded: Iterable[str], count: int) -> tuple[list[float], list[float]]:
    """Return the seconds until each of `count` kernels was ready, and its unique memory in MB.

    They start one after another, from a warm server: the first kernel, which waits for the server,
    is not counted.
    """
    with warm_server(preloaded):
        starts = [start_kernel() for _ in range(count + 1)][1:]
    return [seconds for seconds, _ in starts], [memory for _, memory in starts]


def start_kernel() -> tuple[float, float]:
    """Return the seconds until a kernel was ready, and the unique memory of its processes in MB."""
    manager, before = ForkedKernelManager(limits=Limits()), descendants(os.getpid())
    session = KernelSession(nbformat.v4.new_notebook(), manager, Limits(), Deadline(60))
    with tempfile.TemporaryDirectory(prefix="w-", dir=scratch_folder()) as folder:
        began = time.monotonic()
        try:
            session.start(folder)
            seconds = time.monotonic() - began
            started = descendants(os.getpid()) - before
            unique = [memory_mb(pid, "smaps_rollup", *UNIQUE) for pid in started]
        finally:
            session.close()
    return seconds, sum(unique)


@contextmanager
def warm_server(preloaded: Iterable[str]) -> Iterator[None]:
    """A context with a server of kernels that has imported `preloaded`."""
    with local_executor(1, preloaded):
        yield
    shared_server.shutdown()
