"""The job of an executor: execute and judge a submission's notebooks, before they are recorded.

    execute -> judge -> sanitise

Pure, and in any thread, process or machine: a submission that makes it slow or large delays its own
worker, never the coordinator.
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
    """Return the notebooks of a submission, executed and judged, each within its limits.

    `resources` and errors are those of execute(). Called by the coordinator's executor.
    """
    graded = []
    for notebook, own in zip(notebooks, limits, strict=True):
        executed = execute(notebook, resources, own)
        judge(executed)
        sanitize_notebook(executed)
        graded.append(executed)
    return graded
