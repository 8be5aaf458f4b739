"""What the marks of a class say: distribution, exercises, students who fall behind. Pure functions.

Facility is the mean share of the points; discrimination the correlation of an exercise with the
rest of its lesson: negative where those who know more earn less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import StatisticsError, correlation, fmean, quantiles

from autograder.desk.marks import ClassMarks, LessonPoints, Person, exercise
from autograder.grading.attempts import Attempt

MIN_STUDENTS = 10  # fewer say nothing about an exercise
RECENT = 3  # lessons
LOW, FALL = 0.5, 0.2  # shares of the points
BINS = 10
Attempts = Mapping[tuple[str, str], Sequence[Attempt]]


@dataclass(frozen=True)
class LessonFigures:
    """A lesson at a glance; shares are of its points, None where no one was graded."""

    lesson: LessonPoints
    graded: int
    late: int
    to_mark: int
    quartiles: tuple[float, float, float] | None


@dataclass(frozen=True)
class ExerciseFigures:
    """An exercise: shares of its points; None where too few were graded to say."""

    lesson: str
    name: str
    max_score: float
    graded: int
    facility: float
    discrimination: float | None
    first: float | None
    last: float | None


@dataclass(frozen=True)
class StudentFigures:
    """A student: the share of the points so far, and what is worrying, in words."""

    person: Person
    score: float
    share: float
    late: int
    missing: list[str]
    attempts: int
    worries: list[str]


def under_way(marks: ClassMarks, now: datetime) -> list[LessonPoints]:
    """Return the lessons of which anything was graded and that are due, in their order."""
    graded = {lesson for _, lesson in marks.marks}
    naive = now.astimezone(UTC).replace(tzinfo=None)
    lessons = [each for each in marks.lessons if each.name in graded and each.max_score]
    lessons = [each for each in lessons if each.due is None or each.due <= naive]
    return sorted(lessons, key=lambda each: (each.due or datetime.max, each.name))


def lesson_figures(marks: ClassMarks, lesson: LessonPoints) -> LessonFigures:
    """Return a lesson at a glance."""
    taken = [mark for p in marks.people if (mark := marks.mark(p, lesson))]
    shares = sorted(share(mark.score, lesson.max_score) for mark in taken)
    quartiles = None
    if shares:
        first, middle, last = quantiles(shares, method="inclusive") if shares[1:] else shares * 3
        quartiles = (first, middle, last)
    late = sum(mark.penalty > 0 for mark in taken)
    return LessonFigures(lesson, len(taken), late, sum(m.to_mark for m in taken), quartiles)


def exercise_figures(
    marks: ClassMarks, lesson: LessonPoints, attempts: Attempts
) -> list[ExerciseFigures]:
    """Return the exercises of a lesson."""
    taken = {p.id: mark for p in marks.people if (mark := marks.mark(p, lesson))}
    figures = []
    for name, most in lesson.exercises.items():
        points = {who: mark.exercises.get(name, 0.0) for who, mark in taken.items()}
        rest = [mark.earned - points[who] for who, mark in taken.items()]
        again = {who: tries[0] for who in taken if (tries := attempts.get((who, lesson.name)))}
        first = [share(points_of(tried, lesson.name, name), most) for tried in again.values()]
        last = [share(points[who], most) for who in again]
        figures.append(
            ExerciseFigures(
                *(lesson.name, name, most, len(taken)),
                fmean(share(value, most) for value in points.values()) if points else 0.0,
                discrimination(list(points.values()), rest),
                fmean(first) if first else None,
                fmean(last) if last else None,
            )
        )
    return figures


def points_of(attempt: Attempt, lesson: str, name: str) -> float:
    """Return the points of an exercise in an earlier attempt."""
    return sum(
        value
        for notebook, cells in attempt.points.items()
        for cell, value in cells.items()
        if exercise(lesson, notebook, cell) == name
    )


def discrimination(points: Sequence[float], rest: Sequence[float]) -> float | None:
    """Return the correlation of an exercise with the rest; None for few, or without variation."""
    if len(points) < MIN_STUDENTS:
        return None
    try:
        return correlation(points, rest)
    except StatisticsError:  # all earned the same
        return None


def student_figures(
    marks: ClassMarks, lessons: Sequence[LessonPoints], attempts: Attempts
) -> list[StudentFigures]:
    """Return the students, over the lessons that are under way."""
    most = sum(lesson.max_score for lesson in lessons)
    figures = []
    for person in marks.people:
        taken = [marks.mark(person, lesson) for lesson in lessons]
        score = sum(mark.score for mark in taken if mark)
        missing = [each.name for each, mark in zip(lessons, taken, strict=True) if not mark]
        shares = [
            share(mark.score, lesson.max_score) if mark else 0.0
            for lesson, mark in zip(lessons, taken, strict=True)
        ]
        figures.append(
            StudentFigures(
                *(person, score, share(score, most)),
                sum(mark.penalty > 0 for mark in taken if mark),
                missing,
                sum(len(attempts.get((person.id, lesson.name), ())) for lesson in lessons),
                worries(shares, missing, [lesson.name for lesson in lessons]),
            )
        )
    return figures


def worries(shares: Sequence[float], missing: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return in words why a student seems to fall behind; nothing where all is well."""
    if not shares:
        return []
    lines = []
    recent = [name for name in names[-RECENT:] if name in missing]
    if len(recent) >= min(2, len(names)):
        lines.append(f"did not hand in {', '.join(recent)}")
    before, after = shares[:-RECENT], shares[-RECENT:]
    if before and fmean(before) - fmean(after) >= FALL:
        lines.append(f"from {percent(fmean(before))} to {percent(fmean(after))}")
    if fmean(shares) < LOW:
        lines.append(f"{percent(fmean(shares))} on average")
    return lines


def histogram(shares: Sequence[float]) -> list[int]:
    """Return how many shares are in each tenth; the last holds 1 too."""
    counts = [0] * BINS
    for value in shares:
        counts[max(0, min(int(value * BINS), BINS - 1))] += 1
    return counts


def share(score: float, most: float) -> float:
    """Return points as a share."""
    return score / most if most else 0.0


def percent(value: float) -> str:
    """Return a share in percent."""
    return f"{100 * value:.0f} %"
