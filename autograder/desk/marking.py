"""Marking by hand: the cells that a person marks, with rubric and comments used before.

read_rubrics (source/), read_works (gradebook, autograded/) -> the page or a CSV -> enter_mark

A mark is entered only where the gradebook still has what the marker saw (`state`): two markers
never overwrite each other unnoticed.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import (
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
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import is_grade, is_solution, is_task
from sqlalchemy import or_, select, update

from autograder.desk.bank import nbgrader_of, source_of
from autograder.desk.folders import stage_folder
from autograder.desk.outcomes import notebooks_in
from autograder.errors import LessonError
from autograder.grading.course import sources
from autograder.grading.regrades import Key, in_submissions

MARKER = re.compile(r"^.*###\s*(BEGIN|END) (SOLUTION|MARK SCHEME).*\n?", re.MULTILINE)
MAX_COMMENT_CHARS = 5_000
MAX_REUSED = 12  # comments used before that are offered
CODE_CHARS = 12  # of the id of a submission, which nbgrader draws at random


class Conflict(LessonError):
    """Another mark was entered in the meantime."""


@dataclass(frozen=True)
class Work:
    """An answer that a person marks, and its mark in the gradebook.

    `code` names it without the student; `state` changes with its mark and comment. Both begin with
    a letter: a spreadsheet takes 1e234567 for a number.
    """

    code: str
    student: str
    notebook: str
    cell: str
    max_score: float
    points: float | None
    comment: str
    waiting: bool
    grade: str  # id of the row
    submission: str  # id of the submitted notebook
    remark: str  # id of the row of the comment; empty where the cell has none, as a test
    submitted: datetime | None = None  # when the answer was handed in

    @property
    def state(self) -> str:
        """A digest of the mark and the comment, and of the hand-in that they are about."""
        entry = f"{self.points}|{self.comment}|{self.waiting}|{self.submitted}"
        return f"s{digest(entry)[:10]}"


def read_rubrics(course: CourseDirectory, lesson: str) -> dict[Key, str]:
    """Return what source/ says of each cell that a person marks: its mark scheme, as Markdown."""
    rubrics: dict[Key, str] = {}
    for path in map(Path, sources(course, lesson)):
        for cell in nbformat.read(path, as_version=4).cells:
            if is_task(cell) or (is_grade(cell) and is_solution(cell)):
                rubrics[path.stem, cell.metadata.nbgrader.grade_id] = MARKER.sub("", cell.source)
    return rubrics


def read_works(gradebook: Gradebook, lesson: str, cell: str = "") -> list[Work]:
    """Return the answers to a lesson that wait for a person, or that a person has marked.

    Answers without a word, which have their 0 already, are left out.
    """
    points: dict[str, float] = {}
    for kind in (GradeCell, TaskCell):
        points |= dict(gradebook.db.execute(select(kind.id, kind.max_score)).all())
    # nbgrader keeps comments with the answer, which is another row than the mark's cell
    remarks = (Comment.notebook_id, Comment.id, Comment.manual_comment)
    comments = {
        (submission, name): (row, text or "")
        for _, _, name, submission, row, text in gradebook.db.execute(
            in_submissions(Comment, lesson, *remarks)
        )
    }
    marks = (Grade.id, Grade.cell_id, Grade.manual_score, Grade.needs_manual_grade)
    query = (
        in_submissions(Grade, lesson, *marks, SubmittedNotebook.id, SubmittedAssignment.timestamp)
        .where(or_(Grade.needs_manual_grade, Grade.manual_score.is_not(None)))
        .order_by(SubmittedAssignment.student_id, Notebook.name, BaseCell.name)
    )
    works = []
    for *names, grade, cell_id, mark, waiting, submission, time in gradebook.db.execute(query):
        student, notebook, name = names
        if cell in ("", name):
            row, comment = comments.get((submission, name), ("", ""))
            of = (f"w{submission[:CODE_CHARS]}", student, notebook, name, points.get(cell_id, 0.0))
            works.append(Work(*of, mark, comment, bool(waiting), grade, submission, row, time))
    return works


def answer_of(course: CourseDirectory, lesson: str, work: Work) -> str:
    """Return the text of an answer, or of the answer above a test that waits for a person."""
    folder = stage_folder(course, "autograded", work.student) / lesson
    above = ""
    for stem, notebook in notebooks_in(folder):
        if stem != work.notebook:
            continue
        for cell in notebook["cells"]:
            names = nbgrader_of(cell)
            if names.get("solution") or names.get("task"):
                above = source_of(cell)
            if names.get("grade_id") == work.cell:
                return above
    return ""


def used_comments(works: Iterable[Work], cell: str) -> list[str]:
    """Return the comments that answers to a cell have, the most frequent first."""
    counts = Counter(work.comment for work in works if work.cell == cell and work.comment)
    return [text for text, _ in counts.most_common(MAX_REUSED)]


def in_order(works: Sequence[Work], marker: str) -> list[Work]:
    """Return answers cell by cell, in an order that is random, and the same each time."""
    cells = list(dict.fromkeys((work.notebook, work.cell) for work in works))
    mixed: list[Work] = []
    for key in cells:
        of_cell = [work for work in works if (work.notebook, work.cell) == key]
        mixed += sorted(of_cell, key=lambda work: digest(f"{marker} {key} {work.code}"))
    return mixed


def digest(text: str) -> str:
    """Return a text in which the order of others is random, and the same each time."""
    return hashlib.sha256(text.encode()).hexdigest()


def share_of(works: Sequence[Work], part: int, parts: int) -> list[Work]:
    """Return one marker's share: whole submissions, dealt by their random codes."""
    codes = sorted({work.code for work in works})
    mine = set(codes[part - 1 :: parts])
    return [work for work in works if work.code in mine]


def points_in(text: str, most: float) -> float:
    """Return typed points. Raise LessonError for what the cell cannot have."""
    try:
        points = float(text.strip().replace(",", "."))
    except ValueError:
        raise LessonError(f"{text.strip()!r} is not a number of points") from None
    if not 0 <= points <= most:
        raise LessonError(f"{points:g} points: from 0 to {most:g} are possible")
    return points


def enter_mark(gradebook: Gradebook, work: Work, points: float, comment: str) -> None:
    """Enter a mark in the place of the one that `work` has; the caller commits.

    Raise Conflict where the gradebook has another one by now.
    """
    text = comment.strip()
    if len(text) > MAX_COMMENT_CHARS:
        raise LessonError(f"the comment is longer than {MAX_COMMENT_CHARS:,} characters")
    row: Any = gradebook.db.get(Comment, work.remark, populate_existing=True)
    if ((row.manual_comment if row else None) or "") != work.comment:
        raise Conflict("another comment was entered in the meantime")
    if text and not row:
        raise LessonError(f"{work.cell} is a test: nbgrader keeps comments on answers alone")
    entered = gradebook.db.execute(
        update(Grade)
        .where(Grade.id == work.grade, Grade.manual_score.is_not_distinct_from(work.points))
        .where(Grade.needs_manual_grade == work.waiting)
        .values(manual_score=points, needs_manual_grade=False)
    )
    if entered.rowcount != 1:
        raise Conflict("another mark was entered in the meantime")
    if row:
        row.manual_comment = text or None
    gradebook.db.flush()
