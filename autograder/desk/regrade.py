"""A test changed after collection: who changes by how much and why, before anything is written.

    scratch_course (its own gradebook and autograded/) -> grade -> compare -> rejudge, if asked

The scratch course stays until it is applied or source/ changes: nothing is run twice.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory

from autograder.desk.marks import LOCK_SECONDS, exercise
from autograder.desk.tables import number_text
from autograder.errors import UsageError, printable
from autograder.grading.amend import Registered, read_registered
from autograder.grading.coordinator import GradingRequest, grade
from autograder.grading.course import changed_since_graded, prepare, require_assignment
from autograder.grading.regrades import CellMark, Key, read_cells
from autograder.grading.rejudge import NewMarks, rejudge
from autograder.grading.results import CellResult, Result
from autograder.grading.source_check import FOLDER
from autograder.grading.submissions import digest_of, find
from autograder.grading.verdict import PASSED

SCRATCH = "regrade"  # in FOLDER: a folder for each assignment
MAX_REASON_CHARS = 500
FEW = 3  # reasons in a line
MESSAGE_CHARS = 80


@dataclass(frozen=True)
class Change:
    """A cell of a student whose mark changes, and why."""

    student: str
    key: Key
    before: CellMark | None
    after: CellMark | None
    why: str

    @property
    def gain(self) -> float:
        """The points by which it changes."""
        return score_of(self.after) - score_of(self.before)


@dataclass(frozen=True)
class Comparison:
    """The outcome of a regrade before it is written."""

    assignment: str
    wanted: list[Registered]
    marks: list[NewMarks]
    changes: list[Change]
    changed: list[str]  # cells that source/ has otherwise than graded work
    refused: list[Result]
    absent: list[str]  # students with marks, of whom no files are in submitted/


def regrade(
    course: CourseDirectory,
    gradebook: Gradebook,
    assignment: str,
    request: GradingRequest,
    executor: Executor,
    never_lower: bool = False,
    step: Callable[[list[Result]], None] = lambda results: None,
) -> Comparison:
    """Grade an assignment anew, beside its marks; return the comparison.

    `request` has the limits and how to grade. Raise UsageError where nothing of it was graded.
    """
    before = old_marks(course, gradebook, assignment)
    present = {submission.student for submission in find(course, assignment)}
    students = sorted(before.keys() & present)
    changed = changed_since_graded(course, assignment)
    gradebook.db.rollback()  # no lock while notebooks run
    scratch = scratch_course(course, assignment)
    prepare(scratch, assignment, students)
    results = grade(scratch, replace(request, students=students), executor, on_submission=step)
    with Gradebook(scratch.db_url, course.course_id) as anew:
        wanted = read_registered(anew, assignment)
    anew.engine.dispose()
    refused = [result for result in results if result.was_refused()]
    judged = sorted(set(students) - {result.student for result in refused})
    marks, changes = list[NewMarks](), list[Change]()
    for student in judged:
        cells = cells_of(result for result in results if result.student == student)
        pairs = compare(before[student], cells, wanted, never_lower)
        graded = scratch.format_path(scratch.autograded_directory, student, assignment)
        marks.append(NewMarks(student, pairs, Path(graded)))
        changes += [
            Change(student, key, old, new, why(old, new, cells.get(key)))
            for key, (old, new) in pairs.items()
            if old != new
        ]
    absent = sorted(before.keys() - present)
    return Comparison(assignment, wanted, marks, changes, changed, refused, absent)


def old_marks(
    course: CourseDirectory, gradebook: Gradebook, assignment: str
) -> dict[str, dict[Key, CellMark]]:
    """Return the marks so far of the students of whom anything was graded."""
    require_assignment(course, assignment)
    marks = {
        student: cells
        for student, cells in read_cells(gradebook, assignment).items()
        if any(mark.is_graded for mark in cells.values())
    }
    if not marks:
        raise UsageError(f"nothing of {assignment} was graded yet: `autograder grade {assignment}`")
    return marks


def scratch_folder(course: CourseDirectory) -> Path:
    """Return the folder of the scratch courses."""
    return Path(course.root) / FOLDER / SCRATCH


def scratch_course(course: CourseDirectory, assignment: str) -> CourseDirectory:
    """Return a course with the same source/ and submitted/, where all else is empty, or kept.

    Raise UsageError where its folder cannot be written.
    """
    folder = scratch_folder(course) / assignment
    source = Path(course.format_path(course.source_directory, ".", assignment))
    files = {str(p.relative_to(source)): p.read_bytes() for p in source.rglob("*") if p.is_file()}
    digest, stamp = digest_of(files), folder / "digest"
    try:
        if not stamp.is_file() or stamp.read_text() != digest:
            shutil.rmtree(folder, ignore_errors=True)
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(mode=0o700)  # it holds work of students
            stamp.write_text(digest)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}") from None
    config = copy.deepcopy(course.config)
    config.CourseDirectory.autograded_directory = str(folder / "autograded")
    config.CourseDirectory.feedback_directory = str(folder / "feedback")
    config.CourseDirectory.db_url = f"sqlite:///{folder / 'gradebook.db'}"
    scratch = CourseDirectory(config=config)
    scratch.root, scratch.config = course.root, config
    return scratch


def cells_of(results: Iterable[Result]) -> dict[Key, CellResult]:
    """Return the graded cells of one student's notebooks."""
    return {(result.notebook, cell.grade_id): cell for result in results for cell in result.cells}


def compare(
    before: Mapping[Key, CellMark],
    cells: Mapping[Key, CellResult],
    wanted: Iterable[Registered],
    never_lower: bool,
) -> dict[Key, tuple[CellMark | None, CellMark | None]]:
    """Return the marks of each cell of a submission before and after."""
    points: dict[Key, float] = {}
    for notebook in wanted:
        for (_, name), values in notebook.marked.items():
            key = (notebook.name, name)
            points[key] = max(points.get(key, 0.0), values.get("max_score", 0.0))
    pairs: dict[Key, tuple[CellMark | None, CellMark | None]] = {}
    for key in [*points, *(key for key in before if key not in points)]:
        old = before.get(key)
        if key not in points:
            pairs[key] = (old, None)
        elif points[key] == 0 and (old is None or old.max_score == 0) and key not in cells:
            if old is not None:  # a comment on an answer
                pairs[key] = (old, old)
        else:
            auto = cells[key].points if key in cells else 0.0  # its notebook is missing
            pairs[key] = (old, after(old, auto, points[key], never_lower))
    return pairs


def after(
    old: CellMark | None, points: float | None, max_score: float, never_lower: bool
) -> CellMark:
    """Return the mark of a cell that tests now give `points`, or None: a person marks it.

    What a person typed stays, and waits for another look where the rest has changed.
    """
    if old is None:
        return CellMark(points, max_score, waiting=points is None)
    is_same = (old.auto, old.max_score) == (points, max_score)
    manual, waiting = old.manual, points is None
    if manual is not None:
        waiting = old.waiting or not is_same
    elif never_lower and old.auto is not None:
        floor = min(old.auto, max_score)
        manual = floor if (points or 0.0) < floor else None
    elif points is None and old.auto is None:
        waiting = old.waiting
    return replace(old, auto=points, max_score=max_score, manual=manual, waiting=waiting)


def why(old: CellMark | None, new: CellMark | None, cell: CellResult | None) -> str:
    """Return in a few words why the mark of a cell changes."""
    if new is None:
        return "no longer in the lesson"
    words = ["new"] if old is None else []
    if old is not None and old.max_score != new.max_score:
        words.append(f"points {number_text(old.max_score)} -> {number_text(new.max_score)}")
    if old is not None and new.manual is not None:
        kept = "marked by hand: kept" if old.manual is not None else "the old mark stays"
        words.append(kept)
    elif cell is not None and cell.points is None:
        words.append("a person marks it")
    elif cell is not None and (old is None or old.auto != new.auto):
        message = printable(cell.message)[:MESSAGE_CHARS] if cell.outcome != PASSED else ""
        words.append(f"{cell.outcome}{': ' if message else ''}{message}")
    return ", ".join(words) or "to be marked"


def score_of(mark: CellMark | None) -> float:
    """Return the points of a mark, 0 where there is none."""
    return 0.0 if mark is None else mark.score


def rows_by_exercise(comparison: Comparison) -> list[tuple[str, ...]]:
    """Return the table of cells: what is different, who gains and loses, by how much."""
    rows: list[tuple[str, ...]] = []
    by_cell: dict[Key, list[Change]] = {}
    for change in comparison.changes:
        by_cell.setdefault(change.key, []).append(change)
    for key in sorted(by_cell):
        changes, different = by_cell[key], []
        first = changes[0]
        if first.before is None or first.after is None:
            different.append("new" if first.before is None else "removed")
        elif first.before.max_score != first.after.max_score:
            old, new = first.before.max_score, first.after.max_score
            different.append(f"points {number_text(old)} -> {number_text(new)}")
        elif key[1] in comparison.changed:
            different.append("changed")
        up, down = (sum(sign * change.gain > 0 for change in changes) for sign in (1, -1))
        total = number_text(sum(change.gain for change in changes))
        name = key[1] if key[0] == comparison.assignment else f"{key[0]}: {key[1]}"
        rows.append((name, ", ".join(different), str(up), str(down), total))
    return rows


def rows_by_student(comparison: Comparison) -> list[tuple[str, ...]]:
    """Return the table of students whose points or whose wait for a person change."""
    rows = []
    for each in comparison.marks:
        changes = [change for change in comparison.changes if change.student == each.student]
        if not any(change.gain or waits(change) for change in changes):
            continue
        reasons = [f"{change.key[1]}: {change.why}" for change in changes]
        more = [f"and {len(reasons) - FEW} more"] if len(reasons) > FEW else []
        totals = (total_of(mark[side] for mark in each.cells.values()) for side in (0, 1))
        rows.append((each.student, *totals, "; ".join(reasons[:FEW] + more)))
    return rows


def waits(change: Change) -> bool:
    """Whether a cell waits for a person now, and did not before."""
    was = change.before.waiting if change.before else False
    return bool(change.after and change.after.waiting and not was)


def total_of(marks: Iterable[CellMark | None]) -> str:
    """Return the points of a submission, of how many."""
    known = [mark for mark in marks if mark is not None]
    total, most = sum(mark.score for mark in known), sum(mark.max_score for mark in known)
    return f"{number_text(total)} / {number_text(most)}"


def as_json(comparison: Comparison) -> list[dict[str, Any]]:
    """Return all changes as plain data."""
    return [
        {
            "student": change.student,
            "notebook": change.key[0],
            "exercise": exercise(comparison.assignment, *change.key),
            "grade_id": change.key[1],
            "before": change.before and change.before.score,
            "now": change.after and change.after.score,
            "max_before": change.before and change.before.max_score,
            "max_now": change.after and change.after.max_score,
            "waits": bool(change.after and change.after.waiting),
            "why": change.why,
        }
        for change in comparison.changes
    ]


def require_reason(reason: str) -> str:
    """Return the reason that students read, on one line. Raise UsageError where it is missing."""
    text = " ".join(reason.split())
    if not text or len(text) > MAX_REASON_CHARS:
        raise UsageError(
            f"--apply needs --reason, of at most {MAX_REASON_CHARS} characters: students read it"
            " in their feedback"
        )
    return text


def apply(course: CourseDirectory, comparison: Comparison, reason: str) -> None:
    """Write the marks of a comparison, and remove its scratch course."""
    marks: Sequence[NewMarks] = comparison.marks
    rejudge(course, comparison.assignment, comparison.wanted, marks, reason, LOCK_SECONDS)
    shutil.rmtree(scratch_folder(course) / comparison.assignment, ignore_errors=True)
