"""Each lesson is graded without its demonstrations, and its own answers earn every point so.

`make demonstrations` compares the marks of the whole answer bank.
"""

from __future__ import annotations

import pytest

from autograder.examiner.released import instructor_text
from autograder.execution.cells import LEFT_OUT, is_test
from autograder.grading.demonstrations import as_released, reason_to_run
from autograder.grading.pipeline import NotebookJob, Plan, grade_notebook
from autograder.limits import limits_of
from tests.support.lessons import source
from tests.support.paths import LESSONS
from tests.support.trials import points_of


def demonstrations(lesson: str) -> frozenset[int]:
    """Return the positions of the demonstrations of a lesson."""
    cells = source(lesson).cells
    return as_released(cells, instructor_text(cells, {}).demonstrations)


@pytest.mark.parametrize("lesson", LESSONS)
def test_no_other_cell_reads_what_a_demonstration_changes(lesson: str) -> None:
    assert demonstrations(lesson)
    assert reason_to_run(source(lesson).cells, demonstrations(lesson)) == ""


@pytest.mark.slow
@pytest.mark.usefixtures("warm_kernels")
@pytest.mark.parametrize("lesson", LESSONS)
def test_the_lesson_s_own_answers_earn_all_points_without_demonstrations(lesson: str) -> None:
    notebook = source(lesson)
    limits, text = limits_of(lesson, notebook.metadata, {}), instructor_text(notebook.cells, {})
    graded = grade_notebook(NotebookJob(notebook, limits, Plan(), text), {})
    left_out = {n for n, cell in enumerate(graded.cells) if LEFT_OUT in cell.metadata}
    assert left_out == demonstrations(lesson)
    possible = {
        c.metadata.nbgrader.grade_id: c.metadata.nbgrader.points
        for c in filter(is_test, notebook.cells)
    }
    assert points_of(graded) == possible
