"""All that a course keeps about one student: as an archive for them, or deleted.

records -> export_person
        -> forget: gradebook, folders, exchange, journal
"""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, Student
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import notebook_hash
from sqlalchemy import select

from autograder.desk.folders import (
    PROBLEMS,
    STAGES,
    arrivals_in,
    exchange_folder,
    read_problems,
    replace_file,
    stage_folder,
    students_in,
    write_problems,
)
from autograder.desk.marks import read_class
from autograder.desk.regrade import scratch_folder
from autograder.desk.tables import write_new
from autograder.desk.trees import read_course_folder, read_hand_in
from autograder.errors import UsageError
from autograder.grading.attempts import forget_attempts, read_attempts
from autograder.grading.deadlines import read_deadlines
from autograder.grading.regrades import forget_regrades, read_regrades
from autograder.grading.requests import forget_requests, read_requests
from autograder.grading.submissions import SECRET
from autograder.service.watch import JOURNAL


@dataclass
class Records:
    """What is kept about a student: in the gradebook, in folders, as pages, in the journal."""

    student: str
    in_gradebook: bool
    folders: list[tuple[str, Path]] = field(default_factory=list)
    pages: list[Path] = field(default_factory=list)
    journal: list[str] = field(default_factory=list)
    extensions: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def summary(self) -> list[str]:
        """The places, a line each."""
        lines = ["gradebook: name, marks, comments, attempts"] if self.in_gradebook else []
        lines += [f"{name}/" for name, _ in self.folders]
        if self.pages:
            lines.append(f"exchange: {len(self.pages)} feedback pages")
        if self.problems:
            lines.append(f"{PROBLEMS}: {', '.join(self.problems)}")
        return [*lines, *([f"{JOURNAL}: {len(self.journal)} lines"] if self.journal else [])]


def records_of(course: CourseDirectory, gradebook: Gradebook, student: str) -> Records:
    """Return what is kept about a student. Raise UsageError where nothing is."""
    known = gradebook.db.get(Student, student) is not None
    records = Records(student, known)
    for stage in STAGES:
        if student in students_in(stage_folder(course, stage)):
            records.folders.append((stage, stage_folder(course, stage, student)))
    exchange = exchange_folder(course)
    for arrival in arrivals_in(course):
        if arrival.student == student:
            records.folders.append((f"exchange/inbound/{arrival.path.name}", arrival.path))
            records.pages += pages_of(arrival.path, exchange) if exchange else []
    journal = Path(course.root) / JOURNAL
    if journal.is_file():
        records.journal = [
            line for line in journal.read_text().splitlines() if is_of(line, student)
        ]
    records.problems = {
        lesson: each[student] for lesson, each in read_problems(course).items() if student in each
    }
    deadlines = read_deadlines(Path(course.root))
    for (name, lesson), extension in deadlines.extensions.items() if deadlines else ():
        if name == student:
            records.extensions[lesson] = f"until {extension.due.isoformat()}: {extension.reason}"
    if not known and not records.summary and not records.extensions:
        students = sorted(gradebook.db.scalars(select(Student.id)))
        raise UsageError(f"no student {student!r}; available: {', '.join(students)[:300]}")
    return records


def pages_of(hand_in: Path, exchange: Path) -> list[Path]:
    """Return the released feedback pages on a hand-in, which nbgrader names by its secret."""
    files = dict(read_hand_in(hand_in))
    secret = files.get(SECRET)
    if not secret:
        return []
    names = [
        notebook_hash(secret=secret.decode(errors="replace"), notebook_id=Path(name).stem)
        for name in files
        if name.endswith(".ipynb") and "/" not in name
    ]
    pages = [exchange / "feedback" / f"{name}.html" for name in names]
    return [page for page in pages if page.is_file()]


def is_of(line: str, student: str) -> bool:
    """Whether a line of the journal is of a student."""
    try:
        entry = json.loads(line)
    except ValueError:
        return False
    return isinstance(entry, dict) and entry.get("student") == student


def export_person(gradebook: Gradebook, records: Records, path: Path) -> int:
    """Write an archive with all that is kept; return the number of its files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        data = json.dumps(data_of(gradebook, records), indent=1, ensure_ascii=False, default=str)
        archive.writestr("data.json", data)
        for name, folder in records.folders:
            of_student = name.startswith("exchange/")
            files = read_hand_in(folder) if of_student else read_course_folder(folder)
            for inside, content in files:
                if content is not None:
                    archive.writestr(f"{name}/{inside}", content)
        for page in records.pages:
            archive.writestr(f"exchange/feedback/{page.name}", page.read_bytes())
        count = len(archive.namelist())
    write_new(path, stream.getvalue())
    return count


def data_of(gradebook: Gradebook, records: Records) -> dict[str, Any]:
    """Return what the gradebook and the journal have, as plain data."""
    student = records.student
    data: dict[str, Any] = {
        "student": student,
        "extensions": records.extensions,
        "not_graded": records.problems,
        "immediate_feedback": [json.loads(line) for line in records.journal],
    }
    if not records.in_gradebook:
        return data
    person: Any = gradebook.db.get(Student, student)
    data["person"] = {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "email": person.email,
        "platform_id": person.lms_user_id,
    }
    marks = read_class(gradebook).marks
    data["marks"] = {
        lesson: {**vars(mark), "counts": mark.score}
        for (name, lesson), mark in marks.items()
        if name == student
    }
    data["cells"] = [
        {**grade.to_dict(), "lesson": submission.assignment.name}
        for submission in person.submissions
        for notebook in submission.notebooks
        for grade in notebook.grades
    ]
    data["comments"] = [
        comment.to_dict()
        for submission in person.submissions
        for notebook in submission.notebooks
        for comment in notebook.comments
        if comment.comment
    ]
    attempts = read_attempts(gradebook, student=student)
    data["attempts"] = {lesson: list(map(vars, each)) for (_, lesson), each in attempts.items()}
    regrades = read_regrades(gradebook, student=student)
    data["regrades"] = {
        lesson: [
            {"when": each.when, "reason": each.reason, "cells": list(each.cells.items())}
            for each in of_lesson
        ]
        for (_, lesson), of_lesson in regrades.items()
    }
    data["requests"] = list(map(vars, read_requests(gradebook, student=student)))
    return data


def forget(course: CourseDirectory, gradebook: Gradebook, records: Records) -> list[str]:
    """Delete what is kept; return what a person must delete.

    The gradebook comes first, in one transaction: a run that is stopped can be repeated.
    """
    student = records.student
    forget_attempts(gradebook, student=student)
    forget_regrades(gradebook, student)
    forget_requests(gradebook, student)
    remove_from_gradebook(gradebook, student)
    gradebook.db.commit()
    if gradebook.engine.dialect.name == "sqlite":  # which keeps what was deleted in free pages
        with gradebook.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM")
    left = []
    shutil.rmtree(scratch_folder(course), ignore_errors=True)  # of a regrade that was not applied
    for name, folder in records.folders:
        shutil.rmtree(folder, ignore_errors=True)
        left += [f"{name}/ could not be deleted"] if folder.exists() else []
    for page in records.pages:
        page.unlink(missing_ok=True)
    if records.journal:
        journal = Path(course.root) / JOURNAL
        lines = [line for line in journal.read_text().splitlines() if not is_of(line, student)]
        replace_file(journal, "".join(f"{line}\n" for line in lines).encode())
    if records.problems:
        left_over = {
            lesson: {name: why for name, why in each.items() if name != student}
            for lesson, each in read_problems(course).items()
        }
        write_problems(course, left_over)
    if records.extensions:
        left.append(f"extensions in deadlines.toml: {', '.join(records.extensions)}")
    return left


def remove_from_gradebook(gradebook: Gradebook, student: str) -> None:
    """Delete a student's rows; the caller commits."""
    person = gradebook.db.get(Student, student)
    if person is None:
        return
    for submission in list(person.submissions):
        for notebook in list(submission.notebooks):
            for row in [*notebook.grades, *notebook.comments]:
                gradebook.db.delete(row)
            gradebook.db.delete(notebook)
        gradebook.db.delete(submission)
    gradebook.db.delete(person)
    gradebook.db.flush()
