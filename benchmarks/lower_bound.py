"""The time that no grader can save: the processor time of the cells themselves.

    python -m benchmarks.lower_bound < {"notebooks": [...], "preload": [...]}    for lower_bound()

Each notebook has a process of its own, forked from one that has imported what the grader's server
imports, with one thread for arithmetic as the grader's kernels have. As many run at a time as there
are cores: a core is slower when its neighbour works, and in a class it does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TextIO

import nbformat
from IPython.core.interactiveshell import InteractiveShell
from nbformat import NotebookNode
from traitlets.config import Config

from autograder.errors import LessonError, one_line
from benchmarks.engine import LEFT_OUT, SERVER_ENV, preload
from benchmarks.plan import CORES, Run


def lower_bound(notebooks: Sequence[Path], preloaded: Iterable[str]) -> Run:
    """Return the processor time of the cells of executed `notebooks`, divided by the cores.

    Demonstrations that the grader did not run are not run here either. Measured from before the
    first cell of a notebook to after the last. It includes IPython, for which cells are written,
    and the conversion of tables and figures to output. It does not include what a grader adds:
    start, messages, formatting of tracebacks, reading and writing.
    """
    with tempfile.TemporaryDirectory(prefix="ipython-") as settings:
        request = {"notebooks": [str(path) for path in notebooks], "preload": sorted(preloaded)}
        process = subprocess.run(
            [sys.executable, "-m", "benchmarks.lower_bound"],
            input=json.dumps(request),
            env={**os.environ, **SERVER_ENV, "IPYTHONDIR": settings},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    results = json.loads(process.stdout)
    for result in results:
        if "error" in result:
            raise LessonError(f"{result['notebook']} in a warm process: {result['error']}")
    differing = sum(
        result["failed"] != failed_cells(nbformat.read(result["notebook"], as_version=4))
        for result in results
    )
    remark = f"other cells failed in {differing} notebooks" if differing else ""
    return Run(sum(result["seconds"] for result in results) / CORES, log=remark)


def failed_cells(notebook: NotebookNode) -> list[int]:
    """Return the numbers of the executed cells of a notebook that ended with an error."""
    return [
        number
        for number, cell in enumerate(executed_cells(notebook))
        if any(output.output_type == "error" for output in cell.outputs)
    ]


def executed_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the code cells that the grader executed."""
    return [c for c in notebook.cells if c.cell_type == "code" and LEFT_OUT not in c.metadata]


def warm_process() -> None:
    """Run a child for each notebook that standard input names; print their results."""
    request = json.load(sys.stdin)
    preload(request["preload"])
    read, write = os.pipe()
    results = []
    with os.fdopen(read) as lines:
        for number, notebook in enumerate(request["notebooks"]):
            if number >= CORES:
                results.append(next_result(lines))
            if not os.fork():
                run_notebook(Path(notebook), write)
        while len(results) < len(request["notebooks"]):
            results.append(next_result(lines))
    print(json.dumps(results))


def next_result(lines: TextIO) -> Any:
    """Return the result of the next child that ends."""
    if os.wait()[1]:
        return {"notebook": "", "error": "a cell ended the process"}
    return json.loads(lines.readline())


def run_notebook(path: Path, result_fd: int) -> None:
    """Run all code cells, write the result to a file descriptor, and end the process."""
    try:
        result = {"notebook": str(path), **time_cells(path)}
    except BaseException as error:  # a child must not continue as its parent would
        result = {"notebook": str(path), "error": one_line(error)}
    os.write(result_fd, f"{json.dumps(result)}\n".encode())
    os._exit(0)


def time_cells(path: Path) -> dict[str, Any]:
    """Return the processor seconds of the code cells, and the numbers of those that failed."""
    notebook = nbformat.read(path, as_version=4)
    cells = [cell.source for cell in executed_cells(notebook)]
    os.chdir(path.parent)
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    shell = QuietShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    shell.enable_matplotlib("inline")
    began = time.process_time()
    success = [shell.run_cell(source, store_history=True).success for source in cells]
    seconds = time.process_time() - began
    return {"seconds": seconds, "failed": [n for n, passed in enumerate(success) if not passed]}


class QuietShell(InteractiveShell):
    """IPython without the formatting of tracebacks, which is no work of the cell."""

    def showtraceback(self, *_: object, **__: object) -> None:
        """Show nothing."""

    def enable_gui(self, gui: object = None) -> None:
        """Do nothing: there are no windows. IPython calls this before it draws figures inline."""


if __name__ == "__main__":
    warm_process()
