"""The marks of a class as a table on the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory

from autograder.grading.regrades import read_cells
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


Place = tuple[str, str, str]  # student, assignment, notebook


def scores_before(course: CourseDirectory, assignments: Sequence[str]) -> dict[Place, float]:
    """Return the points of assignments so far."""
    scores: dict[Place, float] = {}
    with Gradebook(course.db_url, course.course_id) as gradebook:
        for assignment in assignments:
            for student, cells in read_cells(gradebook, assignment).items():
                for (notebook, _), mark in cells.items():
                    if mark.is_graded:
                        place = student, assignment, notebook
                        scores[place] = scores.get(place, 0.0) + mark.score
    gradebook.engine.dispose()
    return scores


def show_changes(before: Mapping[Place, float], results: Sequence[Result]) -> None:
    """Print whose marks are others than they were, by a newer hand-in or by other tests."""
    rows = [
        (result.student, result.notebook, f"{old:g}", f"{result.score:g}")
        for result in results
        if (old := before.get((result.student, result.assignment, result.notebook))) is not None
        if result.score != old
    ]
    show(("marks that changed", "notebook", "before", "now"), rows)
