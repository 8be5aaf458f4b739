"""The pure step of grading: execute(notebook, resources, limits) -> notebook.

It knows no gradebook and no course folder, sends nothing and keeps nothing, and never raises for
what a student wrote: it can run in any thread, process or machine.

    scratch folder -> forked kernels -> cell by cell -> how each cell ended, in its metadata

A cell that loops is interrupted; a kernel that died is started again, and what the learner had
defined before is run again, so that a crash costs what the crashed cell defines and no more.
"""

from __future__ import annotations

import copy
import os
import tempfile
import time
from collections.abc import Container, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output

from autograder.errors import GraderError, one_line
from autograder.examiner.kernels import PRELOAD, PRELOAD_WITH
from autograder.examiner.released import InstructorText
from autograder.execution.cells import ENDED, ERROR, LEFT_OUT, OK, WRITTEN, is_test
from autograder.execution.kernels import Kernels, OneKernel, TwoKernels, Work, write_files
from autograder.execution.session import Deadline
from autograder.limits import Limits
from autograder.sandbox.fork_client import ForkServer, scratch_folder, shared_server

DEMONSTRATION = "[not run when graded: a demonstration, as it was released]\n"
TRIES = 3  # of a notebook whose server of kernels is lost


def execute(
    notebook: NotebookNode, resources: dict[str, Any], limits: Limits, one_kernel: bool = False
) -> NotebookNode:
    """Run all code cells of `notebook` in kernels of its own; return the executed notebook.

    Its test cells run in a second kernel, which no line of a submission enters
    (autograder.execution.kernels), unless `one_kernel` is to run all, as in stock nbgrader.

    `resources["files"]` maps relative paths to the bytes of the files that lie beside it;
    `resources["student"]`, where it is given, says whose work it is: the kernel finds it in its
    environment as STUDENT, for tests that depend on it. `resources["instructor"]`, an
    InstructorText, is what tests in a second kernel may use of the instructor's own;
    `resources["left_out"]` are positions of cells that are not run.

    Each code cell that ran says in metadata["ended"] how. Metadata of the notebook: "seconds", the
    time it took, and "written", the files that its answers wrote: to be removed before it is saved.
    Raise GraderError where this machine cannot run it as `limits` demand, or a library fails.
    """
    one_kernel = one_kernel or not any(map(is_test, notebook.cells))
    for _ in range(TRIES):
        server = kernel_server()
        if limits.confined and (reason := server.confinement_error()):
            raise GraderError(
                f"this machine cannot confine kernels ({reason}): see `autograder doctor`"
            )
        began = time.monotonic()
        executed = copy.deepcopy(notebook)
        with tempfile.TemporaryDirectory(
            prefix="w-", dir=scratch_folder(), ignore_cleanup_errors=True
        ) as scratch:
            folder = os.path.join(scratch, "files")
            write_files(resources.get("files", {}), Path(folder))
            student, deadline = resources.get("student", ""), Deadline(limits.notebook_seconds)
            instructor = resources.get("instructor", InstructorText())
            work = Work(executed, folder, limits, deadline, student, instructor)
            try:
                kernels = OneKernel(work) if one_kernel else TwoKernels(work)
                run_cells(executed, kernels, work.deadline, resources.get("left_out", ()))
            except GraderError:
                if server.is_alive():
                    raise
            except RuntimeError as error:  # no kernel was started
                if server.is_alive():
                    raise GraderError(one_line(error)) from error
        if server.is_alive():
            executed.metadata["seconds"] = round(time.monotonic() - began, 3)
            return executed
        # The server of kernels was killed: what happened to the notebook is not its own doing.
    raise GraderError("the server of kernels was lost again and again: is there enough memory?")


def kernel_server(preload: Iterable[str] | None = None) -> ForkServer:
    """Return the server of this process; it imports `preload`, and what two kernels need."""
    server = shared_server.get(preload)
    shared_server.get(PRELOAD, PRELOAD_WITH)
    return server


@contextmanager
def local_executor(jobs: int, preload: Iterable[str]) -> Iterator[Executor]:
    """Return an executor of `jobs` threads for execute() on this machine; its server starts now."""
    kernel_server(preload)
    pool = ThreadPoolExecutor(jobs)
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def run_cells(
    notebook: NotebookNode, kernels: Kernels, deadline: Deadline, left_out: Container[int]
) -> None:
    """Run each code cell as long as there is time, but those at the positions `left_out`.

    Kernels that are lost are started again.
    """
    try:
        notebook.metadata["language_info"] = kernels.start()
        for index, cell in enumerate(notebook.cells):
            for key in (ENDED, LEFT_OUT):
                cell.metadata.pop(key, None)
            if index in left_out:
                cell.metadata[LEFT_OUT] = True
                cell.outputs = [new_output("stream", text=DEMONSTRATION)]
                continue
            if cell.cell_type != "code" or deadline.left() <= 0:
                continue
            if not kernels.run(cell, index):
                restart(notebook, kernels, deadline, index)
        if written := kernels.written_files():
            notebook.metadata[WRITTEN] = written
    finally:
        kernels.close()


def restart(notebook: NotebookNode, kernels: Kernels, deadline: Deadline, lost: int) -> None:
    """Replace the kernels, and run again what the cells before number `lost` defined."""
    kernels.close()
    if deadline.left() <= 0:
        return
    kernels.start()
    for index, cell in enumerate(notebook.cells[:lost]):
        if cell.metadata.get(ENDED) not in (OK, ERROR) or is_test(cell):
            continue
        again = copy.deepcopy(cell)
        if not kernels.run(again, index):
            cell.metadata[ENDED] = again.metadata[ENDED]  # and is skipped next time
            return restart(notebook, kernels, deadline, lost)
