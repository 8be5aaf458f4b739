"""Marks that a regrade replaced, with its reason, in a table of the gradebook.

What a person typed is in it, too: of a cell that was removed, it is kept here alone.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    Notebook,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)
from sqlalchemy import JSON, Column, DateTime, MetaData, String, Table, Text, delete, select

from autograder.grading.attempts import has_table

log = logging.getLogger(__name__)
TABLE = Table(
    "autograder_regrade",
    MetaData(),
    Column("student", String(128), primary_key=True),
    Column("assignment", String(128), primary_key=True),
    Column("regraded", DateTime(), primary_key=True),  # in UTC, as nbgrader's times
    Column("reason", Text, nullable=False),
    Column("cells", JSON, nullable=False),
)
Key = tuple[str, str]  # names of notebook and cell


@dataclass(frozen=True)
class CellMark:
    """The mark of one cell, as the gradebook has it: what tests gave, what a person typed."""

    auto: float | None
    max_score: float
    manual: float | None = None
    extra: float | None = None
    waiting: bool = False
    comment: str | None = None

    @property
    def score(self) -> float:
        """The points that count, by nbgrader's rule."""
        if self.manual is None and self.auto is None:
            return 0.0
        return (self.auto if self.manual is None else self.manual) + (self.extra or 0.0)  # type: ignore[operator]

    @property
    def is_graded(self) -> bool:
        """Whether a test or a person has marked it."""
        return self.auto is not None or self.manual is not None


NOTHING = CellMark(None, 0.0)


@dataclass(frozen=True)
class Regrade:
    """One regrade of a submission: its reason, and the marks of cells before and after.

    A cell that was added has none before, one that was removed none after.
    """

    when: datetime
    reason: str
    cells: Mapping[Key, tuple[CellMark | None, CellMark | None]]


def read_cells(gradebook: Gradebook, assignment: str) -> dict[str, dict[Key, CellMark]]:
    """Return the marks of all submissions of an assignment: by student, by notebook and cell."""
    points = {
        key: value
        for kind in (GradeCell, TaskCell)
        for key, value in gradebook.db.execute(select(kind.id, kind.max_score))
    }
    comments = {
        (student, notebook, cell): comment
        for student, notebook, cell, comment in gradebook.db.execute(
            in_submissions(Comment, assignment, Comment.manual_comment)
        )
    }
    marks: dict[str, dict[Key, CellMark]] = {}
    columns = (Grade.auto_score, Grade.manual_score, Grade.extra_credit, Grade.needs_manual_grade)
    rows = gradebook.db.execute(in_submissions(Grade, assignment, BaseCell.id, *columns))
    for student, notebook, cell, key, auto, manual, extra, waiting in rows:
        comment = comments.get((student, notebook, cell))
        mark = CellMark(auto, points[key], manual, extra, waiting, comment)
        marks.setdefault(student, {})[notebook, cell] = mark
    for (student, notebook, cell), comment in comments.items():
        if comment is not None:  # perhaps on an answer, which has no mark of its own
            marks.setdefault(student, {}).setdefault(
                (notebook, cell), CellMark(None, 0.0, comment=comment)
            )
    return marks


def in_submissions(kind: Any, assignment: str, *columns: Any) -> Any:
    """Return a query of grades or comments: names of student, notebook and cell, and `columns`."""
    return (
        select(SubmittedAssignment.student_id, Notebook.name, BaseCell.name, *columns)
        .select_from(kind)
        .join(BaseCell, kind.cell_id == BaseCell.id)
        .join(SubmittedNotebook, kind.notebook_id == SubmittedNotebook.id)
        .join(Notebook, SubmittedNotebook.notebook_id == Notebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .where(Assignment.name == assignment)
    )


def create_table(gradebook: Gradebook) -> None:
    """Make the table where the gradebook lacks it."""
    TABLE.create(gradebook.engine, checkfirst=True)


def keep_regrade(gradebook: Gradebook, student: str, assignment: str, regrade: Regrade) -> None:
    """Keep a regrade of a submission; the caller commits."""
    cells = [
        [*key, *(None if mark is None else asdict(mark) for mark in marks)]
        for key, marks in regrade.cells.items()
    ]
    when = regrade.when.astimezone(UTC).replace(tzinfo=None)
    row = {"student": student, "assignment": assignment, "regraded": when}
    gradebook.db.execute(TABLE.insert().values(**row, reason=regrade.reason, cells=cells))


def read_regrades(gradebook: Gradebook, **key: Any) -> dict[tuple[str, str], list[Regrade]]:
    """Return regrades by student and assignment, the oldest first."""
    regrades: dict[tuple[str, str], list[Regrade]] = {}
    if has_table(gradebook, TABLE):
        wanted = [TABLE.c[name] == value for name, value in key.items()]
        query = select(TABLE).where(*wanted).order_by(TABLE.c.regraded)
        for student, assignment, when, reason, cells in gradebook.db.execute(query):
            marks = {
                (notebook, cell): (
                    CellMark(**before) if before else None,
                    CellMark(**after) if after else None,
                )
                for notebook, cell, before, after in cells
            }
            regrade = Regrade(when.replace(tzinfo=UTC), reason, marks)
            regrades.setdefault((student, assignment), []).append(regrade)
    return regrades


def forget_regrades(gradebook: Gradebook, student: str) -> None:
    """Delete what is kept of a student; the caller commits."""
    if has_table(gradebook, TABLE):
        gradebook.db.execute(delete(TABLE).where(TABLE.c.student == student))


def notes_for(url: str, student: str, assignment: str, notebook: str) -> list[str]:
    """Return what feedback on a notebook says of regrades, the oldest first."""
    with Gradebook(url) as gradebook:
        regrades = read_regrades(gradebook, student=student, assignment=assignment)
    gradebook.engine.dispose()
    notes = (describe(each, notebook) for each in regrades.get((student, assignment), ()))
    return [note for note in notes if note]


def describe(regrade: Regrade, notebook: str) -> str:
    """Return a regrade in sentences for its student; empty where it left the notebook as it was."""
    changes = []
    for (where, cell), (before, after) in regrade.cells.items():
        old, new = (0.0 if mark is None else mark.score for mark in (before, after))
        is_same = old == new and before and after
        if where != notebook or is_same or not (after or before or NOTHING).max_score:
            continue
        if after is None:
            changes.append(f"{cell} no longer counts (it had {number(old)})")
        elif before is None:
            changes.append(f"{cell} is new: {number(new)} of {number(after.max_score)}")
        else:
            changes.append(f"{cell} {number(old)} before, {number(new)} now")
    if not changes:
        return ""
    return f"Marked again on {regrade.when:%d %b %Y}: {regrade.reason} ({'; '.join(changes)})"


def number(points: float) -> str:
    """Return points without needless digits."""
    return f"{round(points, 2):g}"
