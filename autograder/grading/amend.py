"""The cells of an assignment replaced in a gradebook with submissions, which nbgrader refuses.

read_registered (from a gradebook in which the assignment is new) -> amend_cells

Marks and comments of a cell that is removed are deleted: the caller keeps them first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nbgrader.api import (
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    Notebook,
    SolutionCell,
    SourceCell,
    SubmittedNotebook,
    TaskCell,
)
from sqlalchemy import delete, select

from autograder.errors import UsageError

MARKED: dict[type[Any], tuple[str, ...]] = {
    GradeCell: ("max_score", "cell_type"),
    TaskCell: ("max_score", "cell_type"),
    SolutionCell: (),
}
RELEASED = ("cell_type", "locked", "source", "checksum")
# What each kind of cell has in a submission.
ROWS: dict[type[Any], tuple[type[Any], ...]] = {
    GradeCell: (Grade,),
    TaskCell: (Grade, Comment),
    SolutionCell: (Comment,),
}
Cells = dict[tuple[type[Any], str], dict[str, Any]]


@dataclass(frozen=True)
class Registered:
    """A notebook as a gradebook has it: what its cells are, by kind and name."""

    name: str
    marked: Cells
    released: Cells


def read_registered(gradebook: Gradebook, assignment: str) -> list[Registered]:
    """Return the notebooks of an assignment."""
    return [
        Registered(
            notebook.name,
            {key: values_of(cell, MARKED[key[0]]) for key, cell in marked_cells(notebook).items()},
            {(SourceCell, cell.name): values_of(cell, RELEASED) for cell in notebook.source_cells},
        )
        for notebook in gradebook.find_assignment(assignment).notebooks
    ]


def values_of(cell: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the values of a cell by name."""
    return {name: getattr(cell, name) for name in names}


def marked_cells(notebook: Any) -> dict[tuple[type[Any], str], Any]:
    """Return the cells of a notebook that are marked or commented, by kind and name."""
    cells = (*notebook.grade_cells, *notebook.task_cells, *notebook.solution_cells)
    return {(type(cell), cell.name): cell for cell in cells}


def amend_cells(gradebook: Gradebook, assignment: str, wanted: list[Registered]) -> None:
    """Give an assignment the cells `wanted`; the caller commits.

    A cell that stays keeps its marks and comments; one that is new gets empty ones in each
    submission. Raise UsageError where a whole notebook was added or removed.
    """
    db = gradebook.db
    entry = gradebook.find_assignment(assignment)
    notebooks = {notebook.name: notebook for notebook in entry.notebooks}
    if differing := sorted({each.name for each in wanted} ^ notebooks.keys()):
        raise UsageError(
            f"{assignment}: the notebook {differing[0]} was added or removed: only cells of"
            " notebooks that were released can be changed"
        )
    for each in wanted:
        notebook = notebooks[each.name]
        known = marked_cells(notebook)
        for key in known.keys() - each.marked.keys():
            remove(db, key[0], known[key].id)
        for key, values in each.marked.items():
            if key in known:
                for name, value in values.items():
                    setattr(known[key], name, value)
            else:
                add(db, key, values, notebook)
        released = {cell.name: cell for cell in notebook.source_cells}
        for name in released.keys() - {name for _, name in each.released}:
            db.delete(released[name])
        for (_, name), values in each.released.items():
            cell = released.get(name) or SourceCell(name=name, notebook=notebook)
            for field, value in values.items():
                setattr(cell, field, value)
            db.add(cell)
    db.flush()
    db.expire_all()


def remove(db: Any, kind: type[Any], identity: str) -> None:
    """Delete a cell with its marks and comments."""
    db.flush()
    for rows in (Grade, Comment):
        db.execute(delete(rows).where(rows.cell_id == identity))
    for table in (kind.__table__, BaseCell.__table__):
        db.execute(delete(table).where(table.c.id == identity))


def add(db: Any, key: tuple[type[Any], str], values: dict[str, Any], notebook: Notebook) -> None:
    """Add a cell, with empty marks and comments in each submission."""
    kind, name = key
    cell = kind(name=name, notebook_id=notebook.id, **values)
    db.add(cell)
    db.flush()
    query = select(SubmittedNotebook.id).where(SubmittedNotebook.notebook_id == notebook.id)
    for submission in db.scalars(query).all():
        for rows in ROWS[kind]:
            db.add(rows(cell_id=cell.id, notebook_id=submission))
    db.flush()
