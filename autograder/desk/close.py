"""Close a lesson: collect what came in, grade it, make feedback, release it.

    plan_close (what would be done) -> collect_all -> prepare, grade -> penalties -> feedback

Each step takes up what is not done yet, so that a run that was stopped goes on where it was. One
student's fault holds up no other: it is named, and kept for the instructor's page. Feedback waits
for cells that a person marks.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nbgrader.api import (
    Assignment,
    Comment,
    Grade,
    Gradebook,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import select

from autograder.desk.deadlines import apply, load, make_plan
from autograder.desk.folders import exchange_folder, read_problems, stage_folder, write_problems
from autograder.desk.marks import open_gradebook
from autograder.desk.standing import (
    LessonState,
    Records,
    lesson_state,
    read_records,
)
from autograder.errors import LessonError, UsageError, printable, reason_of
from autograder.grading.collect import collect_all
from autograder.grading.coordinator import GradingRequest, grade
from autograder.grading.course import open_course, prepare, require_assignment
from autograder.grading.deadlines import FILE as DEADLINES
from autograder.grading.deadlines import read_deadlines
from autograder.grading.regrades import in_submissions
from autograder.grading.results import FAILED, Result
from autograder.grading.submissions import find
from autograder.service.feedback import write_refusal
from autograder.service.release import course_api
from autograder.service.watch import require_success
from autograder.versions import versions

LOCK = ".close.lock"
MADE_FROM = ".made-from"  # beside a page of feedback: the digest of what it shows
BUSY = "`autograder close` is running in this course already: wait until it has ended"
NO_EXCHANGE = "there is no exchange here: what is in submitted/ is graded, no feedback is released"
NOT_COLLECTED = "not collected: a line before this one, and the log, say why"
TO_MARK = "{} wait for a person to mark cells: their feedback comes when you close the lesson again"


@dataclass(frozen=True)
class ClosePlan:
    """What closing a lesson would do now: students by what happens to their work."""

    lesson: str
    collect: list[str]
    grade: list[str]
    keep: list[str]
    to_mark: list[str]
    feedback: list[str]
    remarks: list[str]

    @property
    def lines(self) -> list[str]:
        """The plan, a line each."""
        steps = [
            ("collect", self.collect, "new or newer hand-ins"),
            ("grade", self.grade, "hand-ins without marks"),
            ("keep", self.keep, "marks, unless the lesson or the grader changed"),
            (
                "release feedback",
                self.feedback,
                "except where a cell must be marked by hand",
            ),
            ("hold feedback", self.to_mark, "until a person has marked their cells"),
        ]
        return [
            f"{what}: {len(students)} ({note}): {', '.join(students)}"
            for what, students, note in steps
            if students
        ] or ["nothing to do: no work came in"]


@dataclass
class Closed:
    """What closing a lesson did."""

    results: list[Result] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)


def plan_close(course: CourseDirectory, lesson: str, now: datetime | None = None) -> ClosePlan:
    """Return what closing a lesson would do. Nothing is written."""
    require_assignment(course, lesson)
    records = read_records(course)
    state = lesson_state(records, lesson)
    pending = {one.person.id for one in state.of("pending")}
    to_mark = [one.person.id for one in state.of("to mark") if one.person.id not in pending]
    graded = [one for one in state.of("graded") if one.person.id not in {*pending, *to_mark}]
    feedback = [one.person.id for one in graded if not one.is_released]
    return ClosePlan(
        lesson,
        [one.person.id for one in state.of("new")],
        sorted(pending),
        [one.person.id for one in graded] + to_mark,
        to_mark,
        sorted({*pending, *feedback}),
        remarks_on(state, records, now or datetime.now(UTC)),
    )


def remarks_on(state: LessonState, records: Records, now: datetime) -> list[str]:
    """Return what an instructor should know before a lesson is closed."""
    remarks = []
    if state.due and state.due > now:
        due = f"{state.due:%d %b %Y, %H:%M} UTC"
        remarks.append(f"due {due}: who hands in later is graded when you close it again")
    if not records.exchange:
        remarks.append(NO_EXCHANGE)
    for arrival in records.strangers:
        if arrival.assignment == state.name:
            name = printable(arrival.path.name)
            remarks.append(f"{name} belongs to another account: it will be left out")
    remarks += [
        f"{one.person.id}: last time {one.problem}" for one in state.standings if one.problem
    ]
    for one in state.of("copied"):
        remarks.append(f"{one.person.id}: the work has the numbers of {', '.join(one.copied)}")
    return remarks


@contextmanager
def one_at_a_time(course: CourseDirectory) -> Iterator[None]:
    """Hold the lock of a course. Raise UsageError where another run has it."""
    with (Path(course.root) / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(BUSY) from None
        yield


def close(
    course: CourseDirectory,
    lesson: str,
    executor: Executor,
    limits: Mapping[str, Any],
    say: Callable[[str], None],
    on_submission: Callable[[list[Result]], None] = lambda results: None,
) -> Closed:
    """Close a lesson; return what was done. Call `say` with lines of progress.

    Raise UsageError where nothing was handed in.
    """
    require_assignment(course, lesson)
    closed = Closed()
    has_exchange = exchange_folder(course) is not None
    collect(course, lesson, has_exchange, say, closed)
    if not find(course, lesson):
        raise UsageError(f"{lesson}: nothing was handed in yet")
    prepare(course, lesson)
    request = GradingRequest([lesson], limits)
    closed.results = grade(course, request, executor, on_submission=on_submission)
    for result in closed.results:
        if result.was_refused():
            closed.problems[result.student] = result.status
    apply_deadlines(course, say)
    answer_all(course, lesson, has_exchange, say, closed)
    keep_problems(course, lesson, closed.problems)
    return closed


def collect(
    course: CourseDirectory,
    lesson: str,
    has_exchange: bool,
    say: Callable[[str], None],
    closed: Closed,
) -> None:
    """Collect what came in; what could not be is named, and the rest is graded."""
    if not has_exchange:
        say(NO_EXCHANGE)
        return
    new = new_hand_ins(course, lesson)
    try:
        collect_all(open_course(), lesson, "*", True)  # it sets attributes of its course
    except LessonError as error:
        say(str(error))
    left = new_hand_ins(course, lesson) if new else []
    closed.problems |= dict.fromkeys(left, NOT_COLLECTED)
    got = [student for student in new if student not in left]
    say(f"collected {len(got)}{': ' if got else ''}{', '.join(got)}")


def new_hand_ins(course: CourseDirectory, lesson: str) -> list[str]:
    """Return the students whose newest hand-in is not collected."""
    return [one.person.id for one in lesson_state(read_records(course), lesson).of("new")]


def apply_deadlines(course: CourseDirectory, say: Callable[[str], None]) -> None:
    """Recompute late penalties, where the course has deadlines: marks by hand may have come."""
    dates = read_deadlines(Path(course.root))
    if dates is None or not dates.due:
        return
    with open_gradebook(course) as gradebook:
        dates = load(course, gradebook)
        plan = make_plan(gradebook, dates)
        apply(course, gradebook, dates, plan)
    if plan.changes:
        say(f"{DEADLINES}: {len(plan.changes)} late penalties changed")


def answer_all(
    course: CourseDirectory,
    lesson: str,
    has_exchange: bool,
    say: Callable[[str], None],
    closed: Closed,
) -> None:
    """Make and release the feedback of all who have marks, or could not be graded."""
    api = course_api(course)
    waiting = waiting_for_a_person(course, lesson)
    digests = digests_of_marks(course, lesson)
    students = sorted({result.student for result in closed.results})
    for number, student in enumerate(students, 1):
        status = closed.problems.get(student, "")
        if student in waiting and not status:
            closed.held.append(student)
            continue
        if status and not status.startswith(FAILED):  # no fault of theirs: the next run tries again
            continue
        digest = hashlib.sha256(f"{digests.get(student)} {status}".encode()).hexdigest()
        try:
            fresh = answer(api, course, lesson, student, status, digest, has_exchange)
        except Exception as error:  # of one page: the others do not wait for it
            closed.problems[student] = f"no feedback: {reason_of(error)}"
            continue
        (closed.released if fresh else closed.unchanged).append(student)
        if fresh:
            say(f"feedback {number} of {len(students)}: {student}")


def answer(
    api: NbGraderAPI,
    course: CourseDirectory,
    lesson: str,
    student: str,
    status: str,
    digest: str,
    has_exchange: bool,
) -> bool:
    """Make and release one student's feedback; return whether it is new."""
    folder = stage_folder(course, "feedback", student) / lesson
    digest_file = folder / MADE_FROM
    if digest_file.is_file() and digest_file.read_text() == digest:
        return False
    if status:
        reason = status.removeprefix(FAILED).lstrip(": ")
        write_refusal(course, lesson, student, reason)
    else:
        shutil.rmtree(folder, ignore_errors=True)
        require_success("generate feedback", api.generate_feedback(lesson, student))
    if has_exchange:
        require_success("release feedback", api.release_feedback(lesson, student))
    digest_file.write_text(digest)
    return True


def waiting_for_a_person(course: CourseDirectory, lesson: str) -> set[str]:
    """Return the students with cells that a person has yet to mark."""
    query = (
        select(SubmittedAssignment.student_id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
        .where(Assignment.name == lesson, Grade.needs_manual_grade)
        .distinct()
    )
    with open_gradebook(course) as gradebook:
        return set(gradebook.db.scalars(query))


def digests_of_marks(course: CourseDirectory, lesson: str) -> dict[str, str]:
    """Return a digest of what the feedback of each student shows: it changes when that does."""
    dates = Path(course.root) / DEADLINES
    common = [str(versions()), dates.read_text() if dates.is_file() else ""]
    with open_gradebook(course) as gradebook:
        rows = rows_of(gradebook, lesson)
    return {
        student: hashlib.sha256(
            repr([*common, sorted(map(repr, values)), times_of(course, lesson, student)]).encode()
        ).hexdigest()
        for student, values in rows.items()
    }


def times_of(course: CourseDirectory, lesson: str, student: str) -> list[tuple[str, int]]:
    """Return the graded notebooks of a student, with the times at which they were written."""
    folder = stage_folder(course, "autograded", student) / lesson
    return [(path.name, path.stat().st_mtime_ns) for path in sorted(folder.glob("*.ipynb"))]


def rows_of(gradebook: Gradebook, lesson: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return marks, comments and penalties of a lesson, by student."""
    rows: dict[str, list[tuple[Any, ...]]] = {}
    marks = (Grade.auto_score, Grade.manual_score, Grade.extra_credit)
    comments = (Comment.auto_comment, Comment.manual_comment)
    for kind, columns in ((Grade, marks), (Comment, comments)):
        penalty = SubmittedNotebook.late_submission_penalty
        query = in_submissions(kind, lesson, penalty, *columns)
        for student, *values in gradebook.db.execute(query):
            rows.setdefault(student, []).append((kind.__name__, *values))
    return rows


def keep_problems(course: CourseDirectory, lesson: str, problems: Mapping[str, str]) -> None:
    """Keep what is wrong with a lesson for the instructor's page."""
    known = {name: each for name, each in read_problems(course).items() if name != lesson}
    write_problems(course, {**known, lesson: dict(problems)})


def summary(closed: Closed) -> Sequence[str]:
    """Return what closing a lesson did, a line each."""
    graded = {result.student for result in closed.results if result.status == "graded"}
    kept = {result.student for result in closed.results} - graded - closed.problems.keys()
    lines = [
        f"{len(graded)} graded, {len(kept)} kept their marks",
        f"feedback: {len(closed.released)} new, {len(closed.unchanged)} as before",
    ]
    if closed.held:
        lines.append(TO_MARK.format(f"{len(closed.held)} ({', '.join(closed.held)})"))
    return [*lines, *(f"{name}: {status}" for name, status in sorted(closed.problems.items()))]
