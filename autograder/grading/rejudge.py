"""New marks in the place of old ones: the old ones kept, all in one transaction, then published.

    keep_old -> amend_cells -> of each submission: what a person typed, record, flags -> publish

What is to be written is decided before, so that what an instructor saw is what is written.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Assignment, Comment, Grade, Gradebook
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import update

from autograder.compat.nbgrader import one_transaction
from autograder.errors import GraderError, UsageError
from autograder.grading.amend import Registered, amend_cells
from autograder.grading.gradebook import GradebookSession, retry_while_locked
from autograder.grading.regrades import (
    CellMark,
    Key,
    Regrade,
    create_table,
    in_submissions,
    keep_regrade,
    read_cells,
)
from autograder.grading.submissions import submitted_at


@dataclass(frozen=True)
class NewMarks:
    """The marks of one submission before and after, by cell, and the folder of the graded work."""

    student: str
    cells: dict[Key, tuple[CellMark | None, CellMark | None]]
    graded: Path


def rejudge(
    course: CourseDirectory,
    assignment: str,
    wanted: list[Registered],
    marks: Sequence[NewMarks],
    reason: str,
    timeout: float,
) -> None:
    """Write new marks of an assignment, whose cells become those `wanted`: all or none.

    Then publish the graded work. Raise GraderError where its disk is full: the same call, again,
    finishes.
    """
    converter = Autograde(coursedir=course, config=course.config)
    session = retry_while_locked(lambda: GradebookSession(course, converter), timeout)
    try:
        create_table(session.gradebook)
        retry_while_locked(lambda: record_all(session, assignment, wanted, marks, reason), timeout)
    finally:
        session.close()
        session.gradebook.engine.dispose()
    for each in marks:
        publish(course, assignment, each)


def record_all(
    session: GradebookSession,
    assignment: str,
    wanted: list[Registered],
    marks: Sequence[NewMarks],
    reason: str,
) -> None:
    """Write all marks in one transaction. Raise UsageError where one changed since it was read."""
    gradebook, now = session.gradebook, datetime.now(UTC)
    with one_transaction(gradebook):
        # A write, so that no one else writes marks from here on.
        gradebook.db.execute(
            update(Assignment).where(Assignment.name == assignment).values(name=assignment)
        )
        keep_old(gradebook, assignment, wanted, marks, Regrade(now, reason, {}))
        amend_cells(gradebook, assignment, wanted)
        grades, comments = (rows_of(gradebook, assignment, kind) for kind in (Grade, Comment))
        for each in marks:
            write_typed(gradebook, each, grades[each.student], comments[each.student])
            paths = each.graded.glob("*.ipynb")
            notebooks = {path.stem: nbformat.read(path, as_version=4) for path in paths}
            missing = sorted({part.name for part in wanted} - notebooks.keys())
            time = submitted_at(str(each.graded))
            session.record(each.student, assignment, time, notebooks, missing)
            write_flags(gradebook, each, grades[each.student])


def keep_old(
    gradebook: Gradebook,
    assignment: str,
    wanted: Iterable[Registered],
    marks: Iterable[NewMarks],
    regrade: Regrade,
) -> None:
    """Keep the marks that change; of those who are not judged anew, what cells that go have."""
    by_student = {each.student: each for each in marks}
    names = {(part.name, name) for part in wanted for _, name in part.marked}
    for student, cells in read_cells(gradebook, assignment).items():
        if each := by_student.get(student):
            if {key: old for key, (old, _) in each.cells.items() if old is not None} != cells:
                raise UsageError(
                    f"{student}'s marks were changed meanwhile: nothing was written, run the"
                    " command again"
                )
            changed = {key: both for key, both in each.cells.items() if both[0] != both[1]}
        else:
            changed = {key: (mark, None) for key, mark in cells.items() if key not in names}
        if changed:
            keep_regrade(gradebook, student, assignment, replace(regrade, cells=changed))


def rows_of(gradebook: Gradebook, assignment: str, kind: Any) -> dict[str, dict[Key, str]]:
    """Return the ids of grades or comments, by student, by notebook and cell."""
    rows: dict[str, dict[Key, str]] = defaultdict(dict)
    for student, notebook, cell, identity in gradebook.db.execute(
        in_submissions(kind, assignment, kind.id)
    ):
        rows[student][notebook, cell] = identity
    return rows


def write_typed(
    gradebook: Gradebook, marks: NewMarks, grades: Mapping[Key, str], comments: Mapping[Key, str]
) -> None:
    """Write what persons typed, as it is to be: late penalties are computed from it."""
    for key, (_, after) in marks.cells.items():
        if after is not None and key in grades:
            typed = {"manual_score": after.manual, "extra_credit": after.extra}
            set_values(gradebook, Grade, grades[key], **typed)
        if after is not None and key in comments:
            set_values(gradebook, Comment, comments[key], manual_comment=after.comment)
    gradebook.db.expire_all()


def write_flags(gradebook: Gradebook, marks: NewMarks, grades: Mapping[Key, str]) -> None:
    """Write which cells wait for a person: nbgrader would let all wait that a person has marked."""
    gradebook.db.flush()
    for key, (_, after) in marks.cells.items():
        if after is not None and key in grades:
            set_values(gradebook, Grade, grades[key], needs_manual_grade=after.waiting)
    gradebook.db.expire_all()


def set_values(gradebook: Gradebook, kind: Any, identity: str, **values: Any) -> None:
    """Set values of a grade or a comment."""
    gradebook.db.execute(update(kind).where(kind.id == identity).values(**values))


def publish(course: CourseDirectory, assignment: str, marks: NewMarks) -> None:
    """Replace the graded work of a student, and remove the page of the marks before."""
    folder, feedback = (
        Path(course.format_path(stage, marks.student, assignment))
        for stage in (course.autograded_directory, course.feedback_directory)
    )
    new = folder.parent / f".{folder.name}.new"
    shutil.rmtree(new, ignore_errors=True)  # of an interrupted run
    try:
        new.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(marks.graded, new)
    except (OSError, shutil.Error) as error:
        shutil.rmtree(new, ignore_errors=True)
        reason = getattr(error, "strerror", None) or "is the disk full?"
        raise GraderError(
            f"{folder.parent} cannot be written: {reason}. The marks are recorded; run the command"
            " again to finish"
        ) from error
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)
    shutil.rmtree(feedback, ignore_errors=True)
