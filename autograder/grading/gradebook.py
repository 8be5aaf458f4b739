"""nbgrader's gradebook, opened once: what was released, and marks in one transaction each.

nbgrader's own steps write the marks. Each of them opens the gradebook anew and commits after each
cell; here they are given the one that is open, and their commits wait for the end of the whole.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from unittest.mock import patch

from nbformat import NotebookNode
from nbgrader.api import Comment, Grade, Gradebook, InvalidEntry, MissingEntry
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import CheckCellMetadata, Execute, NbGraderPreprocessor
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import joinedload

from autograder.errors import one_line
from autograder.grading.restore import Released

T = TypeVar("T")
log = logging.getLogger(__name__)
OPENED_ANEW = ("saveautogrades", "latesubmissions")  # nbgrader's steps that open the gradebook
# The kernels run under the executor, and restore() wrote the metadata.
DONE_ELSEWHERE = (Execute, CheckCellMetadata)
PATIENCE = 60.0  # seconds that a gradebook may be locked, or away
PAUSE = 0.2  # seconds until it is tried again, at first


@dataclass(frozen=True)
class Marks:
    """What the gradebook says of one notebook of a submission."""

    score: float
    max_score: float


class Book:
    """The gradebook of a course, for one writer."""

    def __init__(self, course: CourseDirectory, converter: Autograde) -> None:
        self.url = course.db_url
        logging.getLogger("traitlets").setLevel(logging.CRITICAL)  # we say what went wrong
        self.steps: list[NbGraderPreprocessor] = [
            step(parent=converter)
            for step in converter.autograde_preprocessors
            if not issubclass(step, DONE_ELSEWHERE)
        ]
        self.open = Gradebook(self.url, course.course_id)

    def close(self) -> None:
        self.open.close()

    def released(self, assignment: str, notebook: str, order: list[str]) -> list[Released]:
        """The cells of a notebook as they were released, those named in `order`."""
        with self.transaction():
            return self._released(assignment, notebook, order)

    def _released(self, assignment: str, notebook: str, order: list[str]) -> list[Released]:
        entry = self.open.find_notebook(notebook, assignment)
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

    def enter(self, student: str, assignment: str) -> None:
        """See that the student and the submission are known, with no marks yet."""
        with self.transaction():
            self.open.update_or_create_student(student)
            self.open.update_or_create_submission(assignment, student)

    def record(
        self,
        student: str,
        assignment: str,
        submitted: datetime | None,
        notebooks: dict[str, NotebookNode],
        missing: list[str],
    ) -> None:
        """Enter the marks of executed `notebooks`, and none for those `missing`: all or nothing.

        nbgrader's steps may change the notebooks, as they are set to.
        """
        with self.transaction():
            self.open.update_or_create_student(student)
            given = {"timestamp": submitted} if submitted else {}
            self.open.update_or_create_submission(assignment, student, **given)
            for name, notebook in notebooks.items():
                names = {"student": student, "assignment": assignment, "notebook": name}
                resources = {"nbgrader": {**names, "db_url": self.url}, "unique_key": name}
                with self.cells_at_hand(student, assignment, name):
                    for step in self.steps:
                        step(notebook, resources)
            for name in missing:
                for grade in self.open.find_submission_notebook(name, assignment, student).grades:
                    grade.auto_score, grade.needs_manual_grade = 0, False

    @contextmanager
    def cells_at_hand(self, student: str, assignment: str, notebook: str) -> Iterator[None]:
        """Have a notebook's grades and comments read all at once.

        nbgrader's steps ask for them cell by cell, and each of their queries joins six tables.
        """
        entry = self.open.find_submission_notebook(notebook, assignment, student)
        grades, comments = (
            {
                row.cell.name: row
                for row in self.open.db.query(kind)
                .filter(kind.notebook_id == entry.id)
                .options(joinedload(kind.cell))
            }
            for kind in (Grade, Comment)
        )
        with (
            patch.object(self.open, "find_grade", lambda name, *_: grades[name]),
            patch.object(self.open, "find_comment", lambda name, *_: comments[name]),
        ):
            yield

    def marks(self, student: str, assignment: str, notebook: str) -> Marks:
        """The marks of one notebook of a submission; none where it is not there."""
        with self.transaction():
            try:
                entry = self.open.find_submission_notebook(notebook, assignment, student)
            except MissingEntry:
                return Marks(0.0, 0.0)
            return Marks(entry.score, entry.max_score)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written here is there in the end, or nothing."""
        session = self.open.db
        steps = [f"nbgrader.preprocessors.{module}.Gradebook" for module in OPENED_ANEW]
        with (
            patch.object(session, "commit", lambda: None),
            patch.object(self.open, "close", lambda: None),
            patch(steps[0], lambda *_: self.open),
            patch(steps[1], lambda *_: self.open),
        ):
            try:
                yield
            except BaseException:
                session.rollback()
                raise
        session.commit()


def patiently(action: Callable[[], T], seconds: float = PATIENCE) -> T:
    """What `action` gives; tried again while the gradebook is locked or cannot be reached."""
    deadline, pause, said = time.monotonic() + seconds, PAUSE, False
    while True:
        try:
            return action()
        except (OperationalError, InvalidEntry) as error:  # nbgrader makes the one of the other
            if time.monotonic() + pause > deadline:
                raise
            if not said:
                log.warning("the gradebook cannot be used yet, trying on (%s)", one_line(error))
                said = True
            time.sleep(pause)
            pause *= 2
