"""Earlier attempts: the marks that a newer hand-in replaced, in a table of the gradebook.

nbgrader keeps one submission per student and assignment. What a new one replaces is kept here, so
that the better of a hand-in on time and a late one can count, and progress can be reported.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nbgrader.api import (
    Assignment,
    BaseCell,
    Grade,
    Gradebook,
    Notebook,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy import JSON, Column, DateTime, MetaData, String, Table, delete, inspect, select

TABLE = Table(
    "autograder_attempt",
    MetaData(),
    Column("student", String(128), primary_key=True),
    Column("assignment", String(128), primary_key=True),
    Column("submitted", DateTime(), primary_key=True),  # in UTC, as nbgrader's times
    Column("points", JSON, nullable=False),
)


@dataclass(frozen=True)
class Attempt:
    """Marks that a newer hand-in replaced: points by notebook and cell."""

    submitted: datetime
    points: dict[str, dict[str, float]]

    @property
    def score(self) -> float:
        """The points in all."""
        return sum(sum(cells.values()) for cells in self.points.values())

    def of_notebook(self, name: str) -> float:
        """Return the points of a notebook."""
        return sum(self.points.get(name, {}).values())


def create_table(gradebook: Gradebook) -> None:
    """Make the table where the gradebook lacks it."""
    TABLE.create(gradebook.engine, checkfirst=True)


def keep_attempt(
    gradebook: Gradebook, student: str, assignment: str, submitted: datetime | None
) -> None:
    """Keep the marks of a student that a hand-in of `submitted` is about to replace, if any."""
    time, points = read_points(gradebook, student, assignment)
    if time is None or submitted is None or time == submitted.replace(tzinfo=None):
        return
    key = {"student": student, "assignment": assignment, "submitted": time}
    forget_attempts(gradebook, **key)
    gradebook.db.execute(TABLE.insert().values(**key, points=points))


def read_points(
    gradebook: Gradebook, student: str, assignment: str
) -> tuple[datetime | None, dict[str, dict[str, float]]]:
    """Return when the graded work of a student was handed in, and points by notebook and cell.

    Cells that wait for a person are left out.
    """
    points: dict[str, dict[str, float]] = defaultdict(dict)
    time: datetime | None = None
    for when, notebook, cell, score in gradebook.db.execute(
        select(SubmittedAssignment.timestamp, Notebook.name, BaseCell.name, Grade.score)
        .select_from(Grade)
        .join(BaseCell, Grade.cell_id == BaseCell.id)
        .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
        .join(Notebook, SubmittedNotebook.notebook_id == Notebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .where(SubmittedAssignment.student_id == student, Assignment.name == assignment)
        .where((Grade.auto_score.is_not(None)) | (Grade.manual_score.is_not(None)))
    ):
        points[notebook][cell], time = score, when
    return time, points


def forget_attempts(gradebook: Gradebook, **key: Any) -> int:
    """Delete the attempts of a student, or the one of a time; return how many."""
    if not has_table(gradebook):
        return 0
    wanted = [TABLE.c[name] == value for name, value in key.items()]
    return int(gradebook.db.execute(delete(TABLE).where(*wanted)).rowcount)


def read_attempts(gradebook: Gradebook, **key: Any) -> dict[tuple[str, str], list[Attempt]]:
    """Return earlier attempts by student and assignment, the oldest first."""
    attempts: dict[tuple[str, str], list[Attempt]] = defaultdict(list)
    if has_table(gradebook):
        wanted = [TABLE.c[name] == value for name, value in key.items()]
        query = select(TABLE).where(*wanted).order_by(TABLE.c.submitted)
        for student, assignment, submitted, points in gradebook.db.execute(query):
            attempts[student, assignment].append(
                Attempt(submitted.replace(tzinfo=UTC), dict(points))
            )
    return dict(attempts)


def has_table(gradebook: Gradebook, table: Table = TABLE) -> bool:
    """Whether the gradebook has a table of the grader's."""
    return inspect(gradebook.db.connection()).has_table(table.name)
