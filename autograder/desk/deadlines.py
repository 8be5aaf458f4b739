"""Deadlines: a commented deadlines.toml, and marks recomputed from it without running a notebook.

plan: read_submissions -> settle_all -> the rows that change -> apply: one transaction, publish
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Assignment, Gradebook, Student
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import select

from autograder.desk.folders import exchange_folder, replace_file
from autograder.desk.tables import number_text, write_new
from autograder.errors import UsageError
from autograder.grading.attempts import read_attempts
from autograder.grading.course import assignments
from autograder.grading.deadlines import FILE, PUBLIC_FILE, Deadlines, public, read_deadlines
from autograder.grading.late import (
    Handed,
    Settled,
    duration,
    read_submissions,
    settle_all,
    write,
)

EXAMPLE = """\
# When lessons are due, what lateness costs, and who has an extension.
# After a change: autograder deadlines apply --dry-run shows whose marks change, apply changes them.

timezone = "UTC"              # of all times below; such as "Europe/Berlin"

[policy]                      # each line can be left out; a lesson may have its own, see below
grace_minutes = 0             # late by no more than this is on time
percent_per_day = 0           # deducted for each day late, or part of one
percent_of = "earned"         # of the points "earned", or of those "possible"
max_percent = 100             # the most that is deducted
# cutoff_days = 7             # later than this, nothing is earned
late_days = 0                 # free days of each student in the term ...
# late_days_per_lesson = 2    # ... and the most of them that one lesson takes
better_counts = true          # the last hand-in on time counts where it is worth more
{lessons}
# [[extensions]]              # one for each student and lesson
# student = "ada"
# lesson = "{first}"
# days = 3                    # or: due = 2026-11-05T23:59:00
# reason = "illness"
"""
LESSON = """
# [lessons.{name}]
# due = 2026-11-02T23:59:00
"""
OWN_POLICY = "# policy = {{ cutoff_days = 3 }}   # only what differs from [policy]\n"


@dataclass(frozen=True)
class Plan:
    """What `apply` would do: all submissions as they are to be, those whose marks change."""

    settled: list[Settled]
    changes: list[Settled]


def write_example(course: CourseDirectory) -> Path:
    """Write a commented deadlines.toml with the lessons of the course; return its path."""
    names = sorted(assignments(course))
    if not names:
        raise UsageError("no lessons in source/: run this in the course's folder")
    path = Path(course.root) / FILE
    if path.exists():
        raise UsageError(f"{FILE} is there already: edit it, it is never written over")
    lessons = "".join(
        LESSON.format(name=key(name)) + (OWN_POLICY.format() if name == names[0] else "")
        for name in names
    )
    write_new(path, EXAMPLE.format(lessons=lessons, first=names[0]).encode())
    return path


def key(name: str) -> str:
    """Return a name as a key of TOML, in quotes where it needs them."""
    bare = name.replace("_", "").replace("-", "")
    return name if bare.isascii() and bare.isalnum() else json.dumps(name)


def load(course: CourseDirectory, gradebook: Gradebook) -> Deadlines:
    """Return the deadlines of a course. Raise UsageError where they name what does not exist."""
    deadlines = read_deadlines(Path(course.root))
    if deadlines is None:
        raise UsageError(f"there is no {FILE} here: `autograder deadlines init` writes one")
    if not deadlines.due:
        raise UsageError(f"{FILE} has no deadline yet: remove the # before a lesson and its due")
    in_gradebook = set(gradebook.db.scalars(select(Assignment.name)))
    require(set(deadlines.due), assignments(course) | in_gradebook, "lesson")
    students = set(gradebook.db.scalars(select(Student.id)))
    require({student for student, _ in deadlines.extensions}, students, "student")
    return deadlines


def require(names: set[str], known: set[str], kind: str) -> None:
    """Raise UsageError where a name of the file is unknown."""
    if unknown := sorted(names - known):
        raise UsageError(
            f"{FILE}: no {kind} {unknown[0]!r}; available: {', '.join(sorted(known))[:300]}"
        )


def make_plan(gradebook: Gradebook, deadlines: Deadlines) -> Plan:
    """Return what the gradebook is to have."""
    submissions, attempts = read_submissions(gradebook), read_attempts(gradebook)
    settled = settle_all(deadlines, submissions, attempts)
    return Plan(settled, [each for each in settled if each.changes])


def apply(course: CourseDirectory, gradebook: Gradebook, deadlines: Deadlines, plan: Plan) -> bool:
    """Write a plan in one transaction; return whether students can read the deadlines now."""
    for lesson in deadlines.due:  # so that nbgrader knows of lessons that are not graded yet
        if gradebook.db.scalar(select(Assignment.id).where(Assignment.name == lesson)) is None:
            gradebook.db.add(Assignment(lesson, course_id=gradebook.course_id))
    gradebook.db.flush()
    write(gradebook, deadlines, plan.settled)
    gradebook.db.commit()
    for each in plan.changes:  # nbgrader would keep the page of the marks before
        handed = each.handed
        page = course.format_path(course.feedback_directory, handed.student, handed.lesson)
        shutil.rmtree(page, ignore_errors=True)
    return publish(course, deadlines)


def publish(course: CourseDirectory, deadlines: Deadlines) -> bool:
    """Write the deadlines into the exchange, without extensions; return whether that worked."""
    folder = exchange_folder(course)
    if folder is None:
        return False
    data = json.dumps(public(deadlines), indent=1).encode()
    try:
        replace_file(folder / PUBLIC_FILE, data, 0o644)
    except OSError:
        return False
    return True


def rows_of(changes: Iterable[Settled]) -> list[tuple[str, ...]]:
    """Return the table of who changes: student, lesson, how late, mark before and now, why."""
    return [
        (
            *(each.handed.student, each.handed.lesson),
            duration(each.lateness.seconds) if each.lateness and each.lateness.seconds else "",
            number_text(each.handed.counts),
            number_text(each.counts),
            reason(each),
        )
        for each in sorted(changes, key=lambda each: (each.handed.student, each.handed.lesson))
    ]


def reason(settled: Settled) -> str:
    """Return in a few words why a mark is what it is."""
    late = settled.lateness
    if late is None or not late.seconds:
        return "on time by an extension" if late and late.extension else "on time"
    if settled.better:
        return "the hand-in on time is worth more"
    if late.is_cut_off:
        return "after the cut-off"
    words = [f"{late.charged_days} days late"] if late.charged_days else []
    words += [f"{late.free_days} free days"] if late.free_days else []
    words += ["within the grace period"] if not words else []
    return ", ".join([*words, *(["with an extension"] if late.extension else [])])


def out_of_date(course: CourseDirectory, gradebook: Gradebook) -> list[Handed]:
    """Return the submissions whose penalties are no longer what the deadlines say."""
    deadlines = read_deadlines(Path(course.root))
    return [each.handed for each in make_plan(gradebook, deadlines).changes] if deadlines else []
