"""The marks of a class, read from nbgrader's gradebook at once: people, lessons, marks, exercises.

open_gradebook -> read_class -> export, fill, report

SQLite and PostgreSQL: only nbgrader's tables and SQLAlchemy are used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from nbgrader.api import (
    Assignment,
    BaseCell,
    Grade,
    Gradebook,
    GradeCell,
    InvalidEntry,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import make_url, select
from sqlalchemy.exc import DatabaseError, OperationalError

from autograder.authoring.answer_bank import exercise_named
from autograder.errors import UsageError, one_line
from autograder.grading.gradebook import database_errors, retry_while_locked

NO_GRADEBOOK = (
    "there is no gradebook here: run this in the course's folder, after `autograder grade` or"
    " `autograder roster`"
)
LOCK_SECONDS = 20.0  # that a command of the desk waits for a gradebook that is locked


@dataclass(frozen=True)
class Person:
    """A student as the gradebook knows them; what is not known is empty."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    platform_id: str = ""

    @property
    def sortable_name(self) -> str:
        """The name as "Last, First"; the id where there is none."""
        return ", ".join(filter(None, (self.last_name, self.first_name))) or self.id

    @property
    def names(self) -> set[str]:
        """The ways in which learning platforms write the name."""
        first, last = self.first_name, self.last_name
        return {f"{first} {last}", f"{last}, {first}"} if first and last else set()


@dataclass
class Mark:
    """What one student earned in one lesson, by exercise, and what lateness takes off."""

    earned: float = 0.0
    penalty: float = 0.0
    submitted: datetime | None = None
    to_mark: bool = False
    exercises: dict[str, float] = field(default_factory=dict)

    @property
    def score(self) -> float:
        """The points that count."""
        return max(0.0, self.earned - self.penalty)


@dataclass
class LessonPoints:
    """A lesson of the gradebook: its points in all, and by exercise."""

    name: str
    due: datetime | None = None
    exercises: dict[str, float] = field(default_factory=dict)

    @property
    def max_score(self) -> float:
        """The points of all exercises."""
        return sum(self.exercises.values())


@dataclass
class ClassMarks:
    """The marks of a class: by the ids of student and lesson, only of what was graded."""

    people: list[Person]
    lessons: list[LessonPoints]
    marks: dict[tuple[str, str], Mark]

    def mark(self, person: Person, lesson: LessonPoints) -> Mark | None:
        """Return a mark, None where nothing was graded."""
        return self.marks.get((person.id, lesson.name))


@contextmanager
def open_gradebook(course: CourseDirectory, create: bool = False) -> Iterator[Gradebook]:
    """Yield the gradebook of a course; what is not committed is undone.

    `create` makes it where it is missing. Raise UsageError, in one line, where there is none, it
    stays locked or its disk is read-only.
    """
    try:
        with database_errors():
            url = make_url(course.db_url)
            is_file = url.get_backend_name() == "sqlite"
            if is_file and not create and not Path(url.database or "").is_file():
                raise UsageError(NO_GRADEBOOK)
            gradebook = retry_while_locked(
                lambda: Gradebook(course.db_url, course.course_id), LOCK_SECONDS
            )
        try:
            yield gradebook
        finally:
            gradebook.db.rollback()
            gradebook.close()
            gradebook.engine.dispose()
    except (DatabaseError, OperationalError, InvalidEntry) as error:
        reason = one_line(getattr(error, "orig", None) or error)
        raise UsageError(f"the gradebook cannot be used, nothing was changed: {reason}") from None


def read_class(gradebook: Gradebook, names: Sequence[str] = ()) -> ClassMarks:
    """Return the marks of a class, in the lessons `names` or in all.

    Raise UsageError where a lesson is unknown, or the class is empty.
    """
    lessons = read_lessons(gradebook, names)
    people = read_people(gradebook)
    if not people:
        raise UsageError("the gradebook has no students yet: `autograder roster FILE` enters them")
    return ClassMarks(people, list(lessons.values()), read_marks(gradebook, lessons))


def read_people(gradebook: Gradebook) -> list[Person]:
    """Return all students, by name."""
    columns = (Student.id, Student.first_name, Student.last_name, Student.email)
    rows = gradebook.db.execute(select(*columns, Student.lms_user_id))
    people = [Person(*(str(value or "") for value in row)) for row in rows]
    return sorted(people, key=lambda person: (person.sortable_name.casefold(), person.id))


def read_lessons(gradebook: Gradebook, names: Sequence[str]) -> dict[str, LessonPoints]:
    """Return the lessons of the gradebook by name, with the points of each exercise."""
    rows = gradebook.db.execute(select(Assignment.name, Assignment.duedate)).all()
    known = {name: LessonPoints(name, due) for name, due in sorted(rows, key=lambda row: row[0])}
    if not known:
        raise UsageError("the gradebook has no lessons yet: `autograder grade LESSON` enters them")
    require_known(names, known)
    for kind in (GradeCell, TaskCell):
        for lesson, notebook, cell, points in gradebook.db.execute(
            select(Assignment.name, Notebook.name, kind.name, kind.max_score)
            .select_from(kind)
            .join(Notebook, kind.notebook_id == Notebook.id)
            .join(Assignment, Notebook.assignment_id == Assignment.id)
            .order_by(Assignment.name, Notebook.name, kind.name)
        ):
            exercises = known[lesson].exercises
            name = exercise(lesson, notebook, cell)
            exercises[name] = exercises.get(name, 0.0) + (points or 0.0)
    return {name: known[name] for name in known if not names or name in names}


def require_known(names: Iterable[str], known: Iterable[str]) -> None:
    """Raise UsageError where a lesson is unknown."""
    if unknown := sorted(set(names) - set(known)):
        raise UsageError(f"no lesson {unknown[0]!r}; available: {', '.join(sorted(known))}")


def exercise(lesson: str, notebook: str, cell: str) -> str:
    """Return the name of an exercise; with its notebook where that is not the lesson's only one."""
    name = exercise_named(cell)
    return name if notebook == lesson else f"{notebook}: {name}"


def read_marks(
    gradebook: Gradebook, lessons: dict[str, LessonPoints]
) -> dict[tuple[str, str], Mark]:
    """Return the marks of all submissions of which anything was graded."""
    marks: dict[tuple[str, str], Mark] = defaultdict(Mark)
    graded = set()
    for student, lesson, notebook, cell, score, auto, manual, waiting in gradebook.db.execute(
        select(
            *(SubmittedAssignment.student_id, Assignment.name, Notebook.name, BaseCell.name),
            *(Grade.score, Grade.auto_score, Grade.manual_score, Grade.needs_manual_grade),
        )
        .select_from(Grade)
        .join(BaseCell, Grade.cell_id == BaseCell.id)
        .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
        .join(Notebook, SubmittedNotebook.notebook_id == Notebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .where(Assignment.name.in_(lessons))
    ):
        mark, name = marks[student, lesson], exercise(lesson, notebook, cell)
        mark.exercises[name] = mark.exercises.get(name, 0.0) + score
        mark.earned += score
        mark.to_mark = mark.to_mark or waiting
        if auto is not None or manual is not None:
            graded.add((student, lesson))
    for student, lesson, submitted, penalty in gradebook.db.execute(
        select(
            *(SubmittedAssignment.student_id, Assignment.name, SubmittedAssignment.timestamp),
            SubmittedNotebook.late_submission_penalty,
        )
        .select_from(SubmittedNotebook)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
    ):
        if (student, lesson) in graded:
            marks[student, lesson].submitted = submitted
            marks[student, lesson].penalty += penalty or 0.0
    return {key: mark for key, mark in marks.items() if key in graded}
