"""The work of an executor: execute, judge and sanitise the notebooks of a submission.

    leave out demonstrations -> execute -> (again in one kernel, for tests that the examiner cannot
                                run) -> judge -> sanitise

It has no side effects and runs in any thread, process or machine: a submission that makes it slow
or large delays its own worker, never the coordinator.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

from autograder.errors import GraderError, LessonError, UsageError, one_line
from autograder.examiner.released import InstructorText
from autograder.execution.cells import ENDED, LEFT_OUT, LIMIT, OK, is_test
from autograder.execution.execute import execute
from autograder.execution.kernels import PRINTED
from autograder.grading.demonstrations import cells_to_leave_out
from autograder.grading.sanitize import sanitize_notebook
from autograder.grading.verdict import REMARK, judge
from autograder.limits import Limits

log = logging.getLogger(__name__)
TWO, ONE = "two kernels", "one kernel"
KERNELS = "graded_in"  # key in a graded notebook's metadata: TWO or ONE
FAILURES = "failures"  # the same: its cells that failed and are no tests
FROM_ONE = "graded in one kernel with the answers, since its test met what the examiner cannot do: "


@dataclass(frozen=True)
class Plan:
    """How the tests of a notebook are run: in TWO kernels or in ONE.

    A test that the examiner cannot run on some answer is run in one kernel, or goes to a person if
    `by_person`. `run_all`: demonstrations are run, too.
    """

    kernels: str = TWO
    by_person: bool = False
    run_all: bool = False


@dataclass(frozen=True)
class NotebookJob:
    """A restored notebook, and what it is graded with."""

    notebook: NotebookNode
    limits: Limits
    plan: Plan = Plan()
    instructor: InstructorText = InstructorText()  # noqa: RUF009  # it is never changed


def grade_notebooks(jobs: list[NotebookJob], resources: dict[str, Any]) -> list[NotebookNode]:
    """Return the notebooks of a submission: executed within their limits, judged and sanitised.

    `resources` are those of execute(). Raise GraderError for a fault that is not the learner's.
    Called by the coordinator's executor.
    """
    try:
        return [grade_notebook(job, resources) for job in jobs]
    except (GraderError, LessonError, UsageError):
        raise
    except Exception as error:  # a submission is data here: nothing that it holds may raise
        raise GraderError(one_line(error)) from error


def grade_notebook(job: NotebookJob, resources: dict[str, Any]) -> NotebookNode:
    """Return one notebook: executed, judged and sanitised."""
    resources = {**resources, "instructor": job.instructor}
    if not job.plan.run_all:
        demonstrations = job.instructor.demonstrations
        resources["left_out"] = cells_to_leave_out(job.notebook.cells, demonstrations)
    executed = execute(job.notebook, resources, job.limits, job.plan.kernels == ONE)
    executed.metadata[KERNELS] = job.plan.kernels
    if not job.plan.by_person and any(LIMIT in cell.metadata for cell in executed.cells):
        take_tests(executed, execute(job.notebook, resources, job.limits, one_kernel=True))
    failures = failed_cells(executed)
    judge(executed)
    sanitize_notebook(executed)
    executed.metadata[FAILURES] = failures
    return executed


def failed_cells(notebook: NotebookNode) -> list[str]:
    """Return which cells failed that are no tests, each with how it ended, as a text."""
    return [
        f"cell {number}: {cell.metadata.get(ENDED, 'not run')}: {cell.source.strip()[:40]!r}"
        for number, cell in enumerate(notebook.cells, start=1)
        if cell.cell_type == "code" and not is_test(cell) and LEFT_OUT not in cell.metadata
        if cell.metadata.get(ENDED) != OK
    ]


def take_tests(executed: NotebookNode, again: NotebookNode) -> None:
    """Replace the tests that the examiner could not run by what they gave in one kernel."""
    executed.metadata["seconds"] += again.metadata["seconds"]
    for cell, other in zip(executed.cells, again.cells, strict=True):
        if (limit := cell.metadata.pop(LIMIT, None)) is None:
            continue
        cell.outputs = other.outputs
        cell.metadata.pop(PRINTED, None)
        cell.metadata.pop(ENDED, None)
        if ENDED in other.metadata:
            cell.metadata[ENDED] = other.metadata[ENDED]
        if cell.metadata.get(ENDED) == OK:
            reason = "; ".join(limit.values())
            log.info("%s: %s%s", cell.metadata.nbgrader.get("grade_id"), FROM_ONE, reason)
            cell.metadata[REMARK] = f"{FROM_ONE}{reason}"
