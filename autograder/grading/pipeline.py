"""The work of an executor: execute, judge and sanitise the notebooks of a submission.

    execute -> judge -> sanitise

It has no side effects and runs in any thread, process or machine: a submission that makes it slow
or large delays its own worker, never the coordinator.
"""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode

from autograder.execution.execute import execute
from autograder.grading.sanitize import sanitize_notebook
from autograder.grading.verdict import judge
from autograder.limits import Limits


def grade_notebooks(
    notebooks: list[NotebookNode], resources: dict[str, Any], limits: list[Limits]
) -> list[NotebookNode]:
    """Return the notebooks of a submission: executed within their limits, judged and sanitised.

    `resources` and errors are those of execute(). Called by the coordinator's executor.
    """
    graded = []
    for notebook, its_limits in zip(notebooks, limits, strict=True):
        executed = execute(notebook, resources, its_limits)
        judge(executed)
        sanitize_notebook(executed)
        graded.append(executed)
    return graded
