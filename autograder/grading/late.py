"""Late penalties in nbgrader's gradebook, as deadlines.toml says.

read_submissions, read_attempts -> settle_all -> Settled: penalties, and why -> write

`autograder grade` settles each submission that it records, `autograder deadlines apply` all of
them. DeadlinePenalty does the same in stock nbgrader's autograding, as far as nbgrader lets it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from nbgrader.api import (
    Assignment,
    Grade,
    Gradebook,
    Notebook,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.plugins import LateSubmissionPlugin
from sqlalchemy import func, select, update

from autograder.grading.attempts import Attempt, read_attempts
from autograder.grading.deadlines import Deadlines, Lateness, read_deadlines

SAME = 1e-9  # points


@dataclass(frozen=True)
class Part:
    """The notebook of a submission: its points, the most there are, its penalty so far."""

    id: str
    name: str
    score: float
    max_score: float
    penalty: float


@dataclass
class Handed:
    """A submission in the gradebook. Times are in UTC."""

    id: str
    student: str
    lesson: str
    submitted: datetime | None
    extension: timedelta | None
    parts: list[Part] = field(default_factory=list)

    @property
    def score(self) -> float:
        """The points earned, lateness aside."""
        return sum(part.score for part in self.parts)

    @property
    def counts(self) -> float:
        """The points that count so far."""
        return max(0.0, self.score - sum(part.penalty for part in self.parts))


@dataclass(frozen=True)
class Settled:
    """What a submission is to have: penalties by notebook (id), and why.

    `better` is the earlier attempt, on time, that counts in its place: then a penalty may be
    negative.
    """

    handed: Handed
    lateness: Lateness | None
    penalties: Mapping[str, float]
    better: Attempt | None = None

    @property
    def counts(self) -> float:
        """The points that count."""
        return max(0.0, self.handed.score - sum(self.penalties.values()))

    @property
    def changes(self) -> bool:
        """Whether a penalty of the gradebook is another."""
        return any(abs(self.penalties[part.id] - part.penalty) > SAME for part in self.handed.parts)


def read_submissions(gradebook: Gradebook, student: str | None = None) -> list[Handed]:
    """Return the submissions of a class, or of one student."""
    # nbgrader's own properties look for the marks of each notebook one by one: minutes for a class.
    scores = select(Grade.notebook_id, func.sum(Grade.score).label("score")).group_by(
        Grade.notebook_id
    )
    if student is not None:
        theirs = (
            select(SubmittedNotebook.id)
            .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .where(SubmittedAssignment.student_id == student)
        )
        scores = scores.where(Grade.notebook_id.in_(theirs))
    points = scores.subquery()
    query = (
        select(
            *(SubmittedAssignment.id, SubmittedAssignment.student_id, Assignment.name),
            *(SubmittedAssignment.timestamp, SubmittedAssignment.extension, SubmittedNotebook.id),
            *(Notebook.name, func.coalesce(points.c.score, 0.0), Notebook.id),
            SubmittedNotebook.late_submission_penalty,
        )
        .select_from(SubmittedNotebook)
        .join(Notebook, SubmittedNotebook.notebook_id == Notebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .outerjoin(points, points.c.notebook_id == SubmittedNotebook.id)
        .order_by(SubmittedAssignment.student_id, Assignment.name, Notebook.name)
    )
    if student is not None:
        query = query.where(SubmittedAssignment.student_id == student)
    most = dict(gradebook.db.execute(select(Notebook.id, Notebook.max_score)).all())
    by_id: dict[str, Handed] = {}
    for key, who, lesson, when, extension, *part in gradebook.db.execute(query):
        submitted = when.replace(tzinfo=UTC) if when else None
        handed = by_id.setdefault(key, Handed(key, who, lesson, submitted, extension))
        identity, name, score, notebook, penalty = part
        handed.parts.append(Part(identity, name, score, most[notebook], penalty or 0.0))
    return list(by_id.values())


def settle_all(
    deadlines: Deadlines,
    submissions: Iterable[Handed],
    attempts: Mapping[tuple[str, str], list[Attempt]],
) -> list[Settled]:
    """Return what each submission of a lesson with a deadline is to have."""
    submissions = [handed for handed in submissions if handed.lesson in deadlines.due]
    times: dict[str, dict[str, datetime]] = defaultdict(dict)
    for handed in submissions:
        if handed.submitted:
            times[handed.student][handed.lesson] = handed.submitted
    return [
        settle(deadlines, handed, times[handed.student], attempts.get(key, []))
        for handed in submissions
        for key in [(handed.student, handed.lesson)]
    ]


def settle(
    deadlines: Deadlines, handed: Handed, times: Mapping[str, datetime], attempts: list[Attempt]
) -> Settled:
    """Return what a submission is to have; `times` are those of all of the student's."""
    if handed.submitted is None:
        return Settled(handed, None, {part.id: 0.0 for part in handed.parts})
    policy = deadlines.policy_of(handed.lesson)
    late = deadlines.lateness(handed.student, handed.lesson, times)
    penalties = {
        part.id: policy.penalty(late.charged_days, late.is_cut_off, part.score, part.max_score)
        for part in handed.parts
    }
    grace = timedelta(minutes=policy.grace_minutes)
    on_time = [attempt for attempt in attempts if attempt.submitted <= late.due + grace]
    settled = Settled(handed, late, penalties)
    if not policy.better_counts or not on_time or not policy.days_late(late.seconds):
        return settled
    last = on_time[-1]
    if last.score <= settled.counts + SAME:
        return settled
    instead = {part.id: part.score - last.of_notebook(part.name) for part in handed.parts}
    return Settled(handed, late, instead, last)


def write(gradebook: Gradebook, deadlines: Deadlines, settled: Iterable[Settled]) -> None:
    """Write penalties, and nbgrader's own due dates and extensions. The caller commits."""
    db = gradebook.db
    for lesson, due in deadlines.due.items():
        naive = due.replace(tzinfo=None)
        db.execute(update(Assignment).where(Assignment.name == lesson).values(duedate=naive))
    for each in settled:
        key = (each.handed.student, each.handed.lesson)
        granted = deadlines.extensions.get(key)
        extension = granted.due - deadlines.due[key[1]] if granted else None
        if extension != each.handed.extension:
            submission = db.get(SubmittedAssignment, each.handed.id)
            submission.extension = extension
        for part in each.handed.parts:
            if abs(each.penalties[part.id] - part.penalty) > SAME:
                notebook = db.get(SubmittedNotebook, part.id)
                notebook.late_submission_penalty = each.penalties[part.id]
    db.flush()


def settle_submission(
    gradebook: Gradebook, deadlines: Deadlines, student: str, lesson: str
) -> Settled | None:
    """Return what a submission of the gradebook is to have; None without a deadline or submission.

    All of the student's submissions count, for the budget of late days.
    """
    attempts = read_attempts(gradebook, student=student, assignment=lesson)
    settled = settle_all(deadlines, read_submissions(gradebook, student), attempts)
    return next((each for each in settled if each.handed.lesson == lesson), None)


def describe(deadlines: Deadlines, settled: Settled) -> str:
    """Return what lateness did to a submission, in sentences for its student."""
    late, submitted = settled.lateness, settled.handed.submitted
    if late is None or submitted is None:
        return ""
    due = f"Due {deadlines.show(late.due)}{', with your extension' if late.extension else ''}."
    if not late.seconds:
        return f"{due} Handed in on time."
    when = f"{due} Handed in {duration(late.seconds)} late"
    if settled.better:
        before = deadlines.show(settled.better.submitted)
        return f"{when}: your hand-in of {before} is worth more, and counts instead."
    if late.is_cut_off:
        return f"{when}: too late to earn points."
    lost = sum(settled.penalties.values())
    cost = f"{number(lost)} points are deducted" if lost > SAME else "nothing is deducted"
    free = f", {late.free_days} late days are used" if late.free_days else ""
    left = f", {late.free_days_left} left" if deadlines.policy.late_days else ""
    return f"{when}: {cost}{free}{left}."


def duration(seconds: float) -> str:
    """Return a time span in its two largest units."""
    minutes = max(1, int(seconds // 60))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [f"{n} {unit}" for n, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if n]
    return " ".join(parts[:2])


def number(points: float) -> str:
    """Return points without needless digits."""
    return f"{round(points, 2):g}"


def note_for(root: Path, url: str, student: str, lesson: str) -> str:
    """Return what feedback says of lateness; empty without a deadline."""
    deadlines = read_deadlines(root)
    if deadlines is None or lesson not in deadlines.due:
        return ""
    with Gradebook(url) as gradebook:
        settled = settle_submission(gradebook, deadlines, student, lesson)
        note = describe(deadlines, settled) if settled else ""
    gradebook.engine.dispose()
    return note


class DeadlinePenalty(LateSubmissionPlugin):
    """nbgrader's late-submission plugin, by deadlines.toml; by `penalty_method` without one.

    nbgrader asks it only after a due date of the gradebook, which `autograder deadlines apply`
    enters, and takes no negative penalty.
    """

    def late_submission_penalty(
        self, student_id: str, score: float, total_seconds_late: float
    ) -> float | None:
        """Return the penalty of the notebook that is being graded. Called by nbgrader."""
        step: Any = self.parent
        root = self.config.CourseDirectory.get("root", "")
        deadlines = read_deadlines(Path(root if isinstance(root, str) else ""))
        if deadlines is None or step.assignment_id not in deadlines.due:
            return super().late_submission_penalty(student_id, score, total_seconds_late)
        settled = settle_submission(step.gradebook, deadlines, student_id, step.assignment_id)
        if settled is None:
            return None
        return next(
            settled.penalties[part.id]
            for part in settled.handed.parts
            if part.name == step.notebook_id
        )
