"""What a feedback page says beside the marks: lateness, regrades, progress, and likely mistakes.

Each note is a sentence for the student. One that cannot be made is left out: the marks are shown.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.utils import is_grade
from traitlets.config import Config

from autograder.authoring.answer_bank import BANK, Answer, exercise_named, read_answers, recognise
from autograder.errors import UsageError, printable
from autograder.execution.cells import is_test
from autograder.grading.attempts import read_attempts, read_points
from autograder.grading.deadlines import read_deadlines
from autograder.grading.late import note_for, number
from autograder.grading.regrades import notes_for
from autograder.grading.requests import replies_for
from autograder.grading.verdict import PASSED, recorded

log = logging.getLogger(__name__)
MISCONCEPTION = "misconception"  # key in the metadata of a test cell, on the page alone
MARKED_BY_HAND = "marked by hand"  # in place of what the grader had recorded
SAME = 1e-9  # points


def page_notes(who: Mapping[str, Any], root: Path) -> list[str]:
    """Return the notes above the marks of a notebook; none where no gradebook is known."""
    if not who.get("db_url"):
        return []
    key = (who["db_url"], who["student"], who["assignment"])
    return [
        *filter(None, [late_note(root, *key)]),
        *notes_for(*key, who["notebook"]),
        *replies_for(*key),
        *filter(None, [progress_note(root, *key, who["notebook"])]),
    ]


def late_note(root: Path, url: str, student: str, assignment: str) -> str:
    """Return what a page says of lateness; empty where that is not known."""
    try:
        return note_for(root, url, student, assignment)
    except UsageError as error:  # the deadlines cannot be read: marks can
        log.warning("%s", error)
        return ""


def root_of(config: Config) -> Path:
    """Return the course's folder."""
    root = config.CourseDirectory.get("root", "")
    return Path(root if isinstance(root, str) else "")


def progress_note(root: Path, url: str, student: str, assignment: str, notebook: str) -> str:
    """Return what changed since the attempt before; empty where this is the first."""
    with Gradebook(url) as gradebook:
        attempts = read_attempts(gradebook, student=student, assignment=assignment)
        _, points = read_points(gradebook, student, assignment)
    gradebook.engine.dispose()
    if (student, assignment) not in attempts:
        return ""
    last = attempts[student, assignment][-1]
    when = in_course_zone(root, last.submitted)
    return progress(last.points.get(notebook, {}), points.get(notebook, {}), when)


def in_course_zone(root: Path, when: datetime) -> str:
    """Return a time in the course's time zone."""
    try:
        deadlines = read_deadlines(root)
    except UsageError:
        deadlines = None
    return deadlines.show(when) if deadlines else f"{when.astimezone(UTC):%a %d %b %Y, %H:%M} (UTC)"


def progress(before: Mapping[str, float], now: Mapping[str, float], when: str) -> str:
    """Return which graded cells gained or lost points since a hand-in of a time."""
    changes = {name: points - before[name] for name, points in now.items() if name in before}
    parts = [
        f"{words} "
        + ", ".join(f"{name} ({number(before[name])} to {number(now[name])})" for name in names)
        for words, sign in (("more points in", 1), ("fewer points in", -1))
        if (names := [name for name, change in changes.items() if sign * change > SAME])
    ]
    return f"Since your hand-in of {when}: {'; '.join(parts) or 'no points have changed'}."


def left_note(left: int, limit: int) -> str:
    """Return how often a student gets immediate feedback on a lesson again today."""
    today = f"{date.today():%d %b %Y}"
    if left <= 0:
        return f"Immediate feedback on {today}: none left of {limit}; more tomorrow."
    return f"Immediate feedback on {today}: {left} of {limit} left for this lesson."


def name_mistakes(cells: list[NotebookNode], root: Path, assignment: str) -> None:
    """Write into the first lost test of an exercise what the answer bank says of such a mistake."""
    for cell in cells:
        cell.metadata.pop(MISCONCEPTION, None)  # whatever a learner wrote there
    tests = [cell for cell in cells if is_grade(cell) and is_test(cell)]
    lost = {}
    for cell in tests:
        entry = recorded(cell)
        earned = entry["outcome"] in (PASSED, MARKED_BY_HAND)
        if not earned or (entry["outcome"] == PASSED and entry["message"]):  # a part of the marks
            lost[cell.metadata.nbgrader.grade_id] = entry["message"]
    texts = recognise(bank_of(root, assignment), lost) if lost else {}
    for cell in tests:
        name = cell.metadata.nbgrader.grade_id
        if name in lost and exercise_named(name) in texts:
            cell.metadata[MISCONCEPTION] = texts.pop(exercise_named(name))


def bank_of(root: Path, assignment: str) -> tuple[Answer, ...]:
    """Return the answers of the bank that name a misconception; none where there is no bank."""
    path = root / BANK / f"{assignment}.py"
    try:
        return misconceptions_in(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        log.warning("%s cannot be read: %s", path.name, printable(str(error)))
        return ()


@lru_cache(maxsize=32)
def misconceptions_in(path: Path, modified: int) -> tuple[Answer, ...]:
    """Return the answers in a file of this time that name a misconception."""
    return tuple(answer for answer in read_answers(path) if answer.misconception)
