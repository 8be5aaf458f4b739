"""Results of grading, one per notebook: plain data, also as JSON (docs/formats.md)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from nbformat import NotebookNode
from nbgrader.utils import determine_grade

from autograder.grading.verdict import TO_MARK, recorded

GRADED, KEPT, FAILED, NOT_GRADED = "graded", "kept", "failed", "not graded"


@dataclass(frozen=True)
class CellResult:
    """One graded cell: `points` is None until a person has marked it.

    `message` is for the learner, `remark` for the instructor.
    """

    grade_id: str
    points: float | None
    max_points: float
    outcome: str
    message: str
    remark: str = ""


@dataclass(frozen=True)
class Result:
    """One notebook of one submission.

    `status` is "graded", "kept" (unchanged), "failed: reason" (it cannot be graded as it is), or
    "not graded: reason" (a fault of the grader, a library or the machine; the next run tries it
    again). `kernels` says whether its tests ran in a kernel of their own: "two kernels" or "one
    kernel".
    """

    student: str
    assignment: str
    notebook: str
    status: str
    score: float
    max_score: float
    seconds: float
    cells: list[CellResult] = field(default_factory=list)
    kernels: str = ""

    def was_refused(self) -> bool:
        """Return whether it has no marks from this run."""
        return self.status.startswith((FAILED, NOT_GRADED))

    def description(self) -> str:
        """Return status and marks as a text for a log."""
        return f"{self.status}, {self.score:g} of {self.max_score:g}"

    def as_json(self) -> dict[str, Any]:
        """Return this result as plain data."""
        return asdict(self)


def cell_result(cell: NotebookNode) -> CellResult:
    """Return the result of a graded cell."""
    points, max_points = determine_grade(cell)
    verdict = recorded(cell)
    grade_id = cell.metadata.nbgrader["grade_id"]
    if verdict["outcome"] == TO_MARK:
        points = None
    return CellResult(
        grade_id,
        points,
        max_points,
        verdict["outcome"],
        verdict["message"],
        verdict.get("remark", ""),
    )


def summary(results: Iterable[Result]) -> dict[str, int]:
    """Return the number of results of each status."""
    counts = {GRADED: 0, KEPT: 0, FAILED: 0, NOT_GRADED: 0}
    for result in results:
        counts[result.status.partition(":")[0]] += 1
    return counts
