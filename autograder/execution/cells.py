"""Kinds of cells, and how a cell ended."""

from __future__ import annotations

from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_locked, is_solution

ENDED = "ended"  # key in a cell's metadata: one of the next, or absent if the cell was not run
OK, ERROR, TIMED_OUT, CRASHED = "ok", "error", "timed out", "crashed"
OUT_OF_MEMORY = "out of memory"
LEFT_OUT = "left_out"  # key in the metadata of a cell that execute() did not run on purpose
WRITTEN = "written"  # key in the metadata of an executed notebook: the files that it wrote
# Key in the metadata of a test that failed in the test kernel: why that says nothing about the
# answer ("limit"), or perhaps nothing ("touched").
LIMIT = "examiner_limit"


def is_test(cell: NotebookNode) -> bool:
    """Return whether running this cell earns marks."""
    return bool(is_grade(cell) and not is_solution(cell) and cell.cell_type == "code")


def is_setup(cell: NotebookNode) -> bool:
    """Return whether a code cell is locked and not a test: the assignment's own."""
    return cell.cell_type == "code" and is_locked(cell) and not is_solution(cell)
