"""The report on a class: one HTML file, for the screen, the phone and paper, light and dark.

read_class, read_attempts, read_outcomes -> page_of -> templates/report.html.j2

The charts are SVG that the template draws: they take their colours from the page, dark or light,
are read by screen readers as the tables beside them, and need no library. The one script sorts
tables; the page's content security policy names its digest and allows no other. All text of
students is escaped.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory

from autograder.desk.folders import replace_file, stage_folder
from autograder.desk.marks import ClassMarks, LessonPoints, Mark, read_class
from autograder.desk.outcomes import Outcomes, read_outcomes
from autograder.desk.statistics import (
    MIN_STUDENTS,
    Attempts,
    ExerciseFigures,
    LessonFigures,
    StudentFigures,
    exercise_figures,
    histogram,
    lesson_figures,
    percent,
    student_figures,
    under_way,
)
from autograder.desk.tables import number_text
from autograder.errors import UsageError
from autograder.grading.attempts import read_attempts

GENERATOR = '<meta name="generator" content="autograder report">'


@dataclass(frozen=True)
class Trouble:
    """What went wrong with a submission."""

    student: str
    lesson: str
    what: str


@dataclass(frozen=True)
class Page:
    """The contents of the report."""

    title: str
    written: str
    lessons: list[LessonFigures]
    shares: list[int]
    exercises: list[ExerciseFigures]
    outcomes: Mapping[str, Outcomes]
    students: list[StudentFigures]
    behind: list[StudentFigures]
    trouble: list[Trouble]
    marks: ClassMarks
    under_way: list[LessonPoints]


def write_report(
    course: CourseDirectory,
    gradebook: Gradebook,
    path: Path,
    names: Sequence[str] = (),
    title: str = "",
) -> None:
    """Write the report on a class, in the lessons `names` or in all.

    Raise UsageError where the file is something else than an earlier report, or cannot be written.
    """
    marks, attempts = read_class(gradebook, names), read_attempts(gradebook)
    if not marks.marks:
        raise UsageError("nothing is graded yet: `autograder grade LESSON` first")
    try:
        if path.exists() and GENERATOR not in path.read_text(errors="replace")[:2000]:
            raise UsageError(f"{path} is not a report: choose another name with --to")
        outcomes = read_outcomes(course, marks)
        missing = not_graded(course, marks)
        page = page_of(marks, attempts, outcomes, missing, title or f"{course.course_id}: report")
        replace_file(path, render(page).encode())
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None


def page_of(
    marks: ClassMarks,
    attempts: Attempts,
    outcomes: Mapping[str, Outcomes],
    missing: Sequence[Trouble],
    title: str,
) -> Page:
    """Return the contents of the report."""
    now = datetime.now(UTC)
    current = under_way(marks, now) or [each for each in marks.lessons if each.max_score]
    students = student_figures(marks, current, attempts)
    trouble = [
        Trouble(student, lesson, f"{cell}: {what}")
        for lesson, result in outcomes.items()
        for student, cell, what in result.trouble
    ]
    return Page(
        title=title,
        written=f"{now:%d %b %Y, %H:%M} UTC",
        lessons=[lesson_figures(marks, lesson) for lesson in marks.lessons],
        shares=histogram([student.share for student in students]),
        exercises=[
            figures
            for lesson in marks.lessons
            for figures in exercise_figures(marks, lesson, attempts)
        ],
        outcomes=outcomes,
        students=students,
        behind=sorted((s for s in students if s.worries), key=lambda student: student.share),
        trouble=[*missing, *trouble],
        marks=marks,
        under_way=current,
    )


def not_graded(course: CourseDirectory, marks: ClassMarks) -> list[Trouble]:
    """Return what is in submitted/ and has no marks."""
    root = stage_folder(course, "submitted")
    return [
        Trouble(path.parent.name, lesson.name, "collected, not graded")
        for lesson in marks.lessons
        for path in sorted(root.glob(f"*/{lesson.name}"))
        if path.is_dir() and (path.parent.name, lesson.name) not in marks.marks
    ]


def render(page: Page) -> str:
    """Return the report as HTML."""
    environment = Environment(
        loader=PackageLoader("autograder.desk"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "points": number_text, "correlation": two_digits}
    script = Markup(environment.get_template("sort.js").render().strip())
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    template = environment.get_template("report.html.j2")
    names: dict[str, Any] = {"script": script, "digest": digest, "cell_of": cell_of}
    text = template.render(page=page, few=MIN_STUDENTS, generator=Markup(GENERATOR), **names)
    return re.sub(r"\n\s*\n+", "\n", text) + "\n"


def two_digits(value: float) -> str:
    """Return a correlation; with the sign of typography, which screen readers say."""
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def cell_of(mark: Mark | None) -> str:
    """Return what the table of students has in a lesson."""
    if mark is None:
        return ""
    notes = [*(["late"] if mark.penalty > 0 else []), *(["to mark"] if mark.to_mark else [])]
    return number_text(mark.score) + (f" ({', '.join(notes)})" if notes else "")
