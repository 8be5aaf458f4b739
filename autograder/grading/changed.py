"""Whether an assignment has other cells than those by which work was graded.

The cells of source/ are compared with those of the newest graded notebook, not of the gradebook:
nbgrader's generate_assignment replaces them there, and says nothing of marks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from glob import escape, glob
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import compute_checksum, is_grade, is_locked, is_solution, is_task

from autograder.errors import LessonError
from autograder.grading.restore import grade_id


def changed_cells(sources: Iterable[Path], graded: str) -> list[str]:
    """Return the names of cells that were changed, added or removed since work was graded.

    `sources` are the notebooks in source/, `graded` the pattern of the folders of graded work.
    """
    changed: set[str] = set()
    for source in sources:
        newest = max(map(Path, glob(f"{graded}/{escape(source.name)}")), key=modified, default=None)
        if newest is None:
            continue
        before = judged_by(nbformat.read(newest, as_version=4), graded=True)
        now = judged_by(nbformat.read(source, as_version=4), graded=False)
        changed |= {
            name for name in before.keys() | now.keys() if before.get(name) != now.get(name)
        }
    return sorted(changed)


def modified(path: Path) -> float:
    """Return when a file was last changed; never, where it is gone by now."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def judged_by(notebook: NotebookNode, graded: bool) -> dict[str, tuple[str | None, float]]:
    """Return the checksum of each locked cell, and the points of each graded one, by name.

    A graded notebook has the checksums of the gradebook, in a source they are computed.
    """
    return {
        name_of(cell): (
            (cell.metadata.nbgrader.get("checksum") if graded else compute_checksum(cell))
            if is_locked(cell)
            else None,
            float(cell.metadata.nbgrader.get("points", 0)) if is_grade(cell) else 0.0,
        )
        for cell in named_cells(notebook)
    }


def source_cells(notebooks: Mapping[str, NotebookNode]) -> dict[tuple[str, str], str | None]:
    """Return the released cells of source notebooks, with the checksum of those that are locked.

    By the names of notebook and cell.
    """
    return {
        (name, name_of(cell)): compute_checksum(cell) if is_locked(cell) else None
        for name, notebook in notebooks.items()
        for cell in named_cells(notebook)
    }


def named_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the cells that nbgrader manages: solution, test, task and locked setup cells.

    Raise LessonError where one of them has no grade_id. Other cells may have none: `nbgrader
    update` gives all cells metadata.
    """
    managed = (is_grade, is_solution, is_task, is_locked)
    return [cell for cell in notebook.cells if any(test(cell) for test in managed)]


def name_of(cell: NotebookNode) -> str:
    """Return the grade_id of a cell that nbgrader manages. Raise LessonError where it has none."""
    name = grade_id(cell)
    if name is None:
        raise LessonError(f"a cell of the source has no grade_id: {cell.source[:50]!r}")
    return name
