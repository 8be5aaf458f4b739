"""The marks of a class as a table on the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from autograder.grading.results import Result
from autograder.grading.verdict import NO_ANSWER
from autograder.terminal import show

OFTEN = 3  # graded cells of a student with one message: a line of its own


def show_marks(results: Sequence[Result]) -> None:
    """Print the marks of a class: one row per student, one column per assignment, remarks."""
    lessons = sorted({result.assignment for result in results})
    rows = []
    for student in sorted({result.student for result in results}):
        by_lesson = {
            lesson: [r for r in results if (r.student, r.assignment) == (student, lesson)]
            for lesson in lessons
        }
        line = "; ".join(text for group in by_lesson.values() for text in remarks(group))
        rows.append((student, *map(marks, by_lesson.values()), line))
    show(("student", *lessons, "remarks"), rows)


def marks(results: Sequence[Result]) -> str:
    """Return the points of a submission, "" where there is none."""
    if not results:
        return ""
    return f"{sum(r.score for r in results):g} / {sum(r.max_score for r in results):g}"


def remarks(results: Iterable[Result]) -> list[str]:
    """Return what is remarkable in a submission.

    That is an outcome of a test that neither passed nor failed, and a message that came often.
    """
    cells = [cell for result in results for cell in result.cells]
    outcomes = sorted({cell.outcome for cell in cells} - {"passed", "failed"})
    messages = Counter(cell.message for cell in cells if cell.message not in ("", NO_ANSWER))
    often = [f"{n} x {text}" for text, n in messages.most_common(1) if n >= OFTEN]
    return outcomes + often
