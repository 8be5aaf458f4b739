"""The job of an executor: what becomes of a submission's notebooks before they are recorded.

    execute -> judge -> make inert

Pure, and in any thread, process or machine: a submission that makes it slow or large holds up its
own worker, never the coordinator.
"""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode

from autograder.execution.execute import execute
from autograder.grading.sanitize import make_inert
from autograder.grading.verdict import judge
from autograder.limits import Limits


def examine(
    notebooks: list[NotebookNode], resources: dict[str, Any], limits: list[Limits]
) -> list[NotebookNode]:
    """The notebooks of a submission, executed and judged, each within its limits.

    `resources` are those of execute(), which says what is raised. Called by the coordinator's
    executor.
    """
    examined = []
    for notebook, own in zip(notebooks, limits, strict=True):
        executed = execute(notebook, resources, own)
        judge(executed)
        make_inert(executed)
        examined.append(executed)
    return examined
