"""Put back the cells that a learner deleted, each after the one it followed.

nbgrader's OverwriteCells puts back graded cells, but only behind a cell that is still there, and
it does not put back answers and set-up cells.
"""

from __future__ import annotations

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.api import Notebook, SourceCell


def put_back(notebook: NotebookNode, entry: Notebook) -> None:
    """Add to a submitted notebook what it lacks of the gradebook's `entry`, as it was released."""
    points = {cell.name: cell.max_score for cell in entry.grade_cells}
    solutions = {cell.name for cell in entry.solution_cells}
    after = 0
    for source in entry.source_cells:
        there = [k for k, cell in enumerate(notebook.cells) if grade_id(cell) == source.name]
        if there:
            after = max(after, there[0] + 1)
            continue
        cell = released(source, points.get(source.name), source.name in solutions)
        notebook.cells.insert(after, cell)
        after += 1


def grade_id(cell: NotebookNode) -> str | None:
    """The grade_id of a cell, if it has one."""
    metadata = cell.metadata.get("nbgrader", {})
    return metadata.get("grade_id") if isinstance(metadata, dict) else None


def released(source: SourceCell, points: float | None, solution: bool) -> NotebookNode:
    """A cell of the gradebook as nbgrader released it."""
    metadata = {
        "schema_version": 3,
        "grade_id": source.name,
        "grade": points is not None,
        "solution": solution,
        "locked": source.locked,
        "task": False,
        "cell_type": source.cell_type,
        "checksum": source.checksum,
    }
    if points is not None:
        metadata["points"] = points
    new_cell = new_code_cell if source.cell_type == "code" else new_markdown_cell
    return new_cell(source.source, metadata={"nbgrader": metadata})
