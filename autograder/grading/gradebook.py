"""nbgrader's gradebook, opened once: released cells, and marks in one transaction each.

nbgrader's own steps write the marks; autograder.compat.nbgrader gives them the open gradebook.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from nbformat import NotebookNode
from nbgrader.api import Comment, Grade, Gradebook, InvalidEntry, MissingEntry
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import CheckCellMetadata, Execute
from nbgrader.utils import is_grade
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.orm import joinedload

from autograder.compat.nbgrader import autograding_steps, known_rows, one_transaction
from autograder.errors import UsageError, one_line
from autograder.grading.attempts import create_table, keep_attempt
from autograder.grading.deadlines import read_deadlines
from autograder.grading.late import settle_submission, write
from autograder.grading.restore import Released
from autograder.grading.verdict import TO_MARK, recorded

T = TypeVar("T")
log = logging.getLogger(__name__)
# The kernels run under the executor, and restore() wrote the metadata.
DONE_ELSEWHERE = (Execute, CheckCellMetadata)
LOCK_TIMEOUT = 60.0  # seconds that a gradebook may be locked, or unreachable
FIRST_PAUSE = 0.2  # seconds until it is tried again, doubled each time


@dataclass(frozen=True)
class Marks:
    """The marks of one notebook of a submission, from the gradebook."""

    score: float
    max_score: float


class GradebookSession:
    """The open gradebook of a course, for one writer."""

    def __init__(self, course: CourseDirectory, converter: Autograde) -> None:
        self.url = course.db_url
        self.steps = autograding_steps(converter, DONE_ELSEWHERE)
        self.deadlines = read_deadlines(Path(course.root))
        self.gradebook = Gradebook(self.url, course.course_id)
        create_table(self.gradebook)

    def close(self) -> None:
        """Close the gradebook."""
        self.gradebook.close()

    def released(self, assignment: str, notebook: str, order: list[str]) -> list[Released]:
        """Return the cells of a notebook as they were released, those named in `order`."""
        with one_transaction(self.gradebook):
            return released_cells(self.gradebook.find_notebook(notebook, assignment), order)

    def enter(self, student: str, assignment: str) -> None:
        """Add the student and the submission, without marks, where they are not known."""
        with one_transaction(self.gradebook):
            self.gradebook.update_or_create_student(student)
            self.gradebook.update_or_create_submission(assignment, student)

    def record(
        self,
        student: str,
        assignment: str,
        submitted: datetime | None,
        notebooks: dict[str, NotebookNode],
        missing: list[str],
    ) -> None:
        """Record the marks of executed `notebooks`, and zero for those `missing`: all or nothing.

        nbgrader's steps may change the notebooks, as they are configured to. The marks of an
        earlier hand-in are kept as an attempt.
        """
        with one_transaction(self.gradebook):
            self.gradebook.update_or_create_student(student)
            keep_attempt(self.gradebook, student, assignment, submitted)
            timestamp = {"timestamp": submitted} if submitted else {}
            self.gradebook.update_or_create_submission(assignment, student, **timestamp)
            for name, notebook in notebooks.items():
                names = {"student": student, "assignment": assignment, "notebook": name}
                resources = {"nbgrader": {**names, "db_url": self.url}, "unique_key": name}
                with self.rows_of(student, assignment, name):
                    for step in self.steps:
                        step(notebook, resources)
                    for cell in filter(is_grade, notebook.cells):
                        if recorded(cell)["outcome"] == TO_MARK:
                            grade_id = cell.metadata.nbgrader["grade_id"]
                            row = self.gradebook.find_grade(grade_id, name, assignment, student)
                            row.auto_score, row.needs_manual_grade = None, True
            for name in missing:
                for grade in self.gradebook.find_submission_notebook(
                    name, assignment, student
                ).grades:
                    grade.auto_score, grade.needs_manual_grade = 0, False
            self.settle_lateness(student, assignment)

    def settle_lateness(self, student: str, assignment: str) -> None:
        """Set the late penalty of a submission where the course has deadlines."""
        self.gradebook.db.flush()
        if self.deadlines and (
            settled := settle_submission(self.gradebook, self.deadlines, student, assignment)
        ):
            write(self.gradebook, self.deadlines, [settled])

    @contextmanager
    def rows_of(self, student: str, assignment: str, notebook: str) -> Iterator[None]:
        """Read a notebook's grades and comments all at once, for nbgrader's steps in this context.

        The steps query them cell by cell, and each query joins six tables.
        """
        entry = self.gradebook.find_submission_notebook(notebook, assignment, student)
        grades, comments = (
            {
                row.cell.name: row
                for row in self.gradebook.db.query(kind)
                .filter(kind.notebook_id == entry.id)
                .options(joinedload(kind.cell))
            }
            for kind in (Grade, Comment)
        )
        with known_rows(self.gradebook, grades, comments):
            yield

    def marks(self, student: str, assignment: str, notebook: str) -> Marks:
        """Return the marks of one notebook of a submission: 0 of 0 where it has none."""
        with one_transaction(self.gradebook):
            try:
                entry = self.gradebook.find_submission_notebook(notebook, assignment, student)
            except MissingEntry:
                return Marks(0.0, 0.0)
            return Marks(entry.score, entry.max_score)


def released_cells(entry: Any, order: list[str]) -> list[Released]:
    """Return the cells of a notebook's entry in the gradebook, those named in `order`."""
    points = {cell.name: cell.max_score for cell in [*entry.grade_cells, *entry.task_cells]}
    solutions = {cell.name for cell in entry.solution_cells}
    tasks = {cell.name for cell in entry.task_cells}
    cells = {
        cell.name: Released(
            cell.name,
            cell.source,
            cell.cell_type,
            cell.locked,
            {
                "schema_version": 3,
                "grade_id": cell.name,
                "grade": cell.name in points and cell.name not in tasks,
                "solution": cell.name in solutions,
                "locked": cell.locked,
                "task": cell.name in tasks,
                "cell_type": cell.cell_type,
                "checksum": cell.checksum,
                **({"points": points[cell.name]} if cell.name in points else {}),
            },
        )
        for cell in entry.source_cells
    }
    return [cells[name] for name in order if name in cells]


@contextmanager
def database_errors() -> Iterator[None]:
    """Raise UsageError, in one line, where the course's db_url is no URL, or needs a driver."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the gradebook's database needs a driver: {one_line(error)}. For PostgreSQL:"
            " pip install 'nbgrader-autograder[postgresql]', and c.CourseDirectory.db_url ="
            " 'postgresql+psycopg://...'"
        ) from None
    except ArgumentError as error:
        raise UsageError(
            f"c.CourseDirectory.db_url is not a database URL: {one_line(error)}"
        ) from None


def retry_while_locked(action: Callable[[], T], timeout: float = LOCK_TIMEOUT) -> T:
    """Return what `action` returns; retry while the gradebook is locked or cannot be reached."""
    deadline, pause = time.monotonic() + timeout, FIRST_PAUSE
    warned = False
    while True:
        try:
            return action()
        except (OperationalError, InvalidEntry) as error:  # nbgrader wraps some
            if time.monotonic() + pause > deadline:
                raise
            if not warned:
                log.warning("the gradebook cannot be used yet, retrying (%s)", one_line(error))
                warned = True
            time.sleep(pause)
            pause *= 2


def marked_by_hand(url: str, student: str, assignment: str, notebook: str) -> set[str]:
    """Return the names of a notebook's cells whose points a person entered, none left to mark."""
    with Gradebook(url) as gradebook:
        try:
            grades = gradebook.find_submission_notebook(notebook, assignment, student).grades
        except MissingEntry:
            grades = []
        names = {
            grade.name
            for grade in grades
            if grade.manual_score is not None and not grade.needs_manual_grade
        }
    gradebook.engine.dispose()
    return names
