"""Small notebooks, executed by the engine."""

from __future__ import annotations

import nbformat
from nbformat import NotebookNode

from autograder.execution.execute import execute
from autograder.limits import Limits


def run(*cells: str, files: dict[str, bytes] | None = None, limits: Limits | None = None) -> str:
    """Return what the cells print, run in one kernel; of an error its name and message."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    done = execute(notebook, {"files": files or {}}, limits or Limits())
    return "".join(text_of(output) for cell in done.cells for output in cell.outputs)


def cell(source: str, grade_id: str, **nbgrader: object) -> NotebookNode:
    """Return a cell with nbgrader's metadata."""
    flags = {"grade": False, "solution": False, "locked": False, "points": 0} | nbgrader
    metadata = {"nbgrader": {"grade_id": grade_id, "schema_version": 3, **flags}}
    return nbformat.v4.new_code_cell(source, metadata=metadata, id=grade_id)


def text_of(output: NotebookNode) -> str:
    """Return the text of an output: of an error, of a stream, or the types of displayed data."""
    if output.output_type == "error":
        return f"{output.ename}: {output.evalue}"
    if output.output_type == "stream":
        return output.text
    return "/".join(sorted(output.data))
