"""Results of grading, one per notebook: plain data, also as JSON (docs/formats.md)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from nbformat import NotebookNode
from nbgrader.utils import determine_grade

from autograder.grading.verdict import recorded

GRADED, KEPT, FAILED = "graded", "kept", "failed"


@dataclass(frozen=True)
class CellResult:
    """One graded cell: `points` is None until a person has marked it."""

    grade_id: str
    points: float | None
    max_points: float
    outcome: str
    message: str


@dataclass(frozen=True)
class Result:
    """One notebook of one submission. `status` is graded, kept (unchanged), or "failed: reason"."""

    student: str
    assignment: str
    notebook: str
    status: str
    score: float
    max_score: float
    seconds: float
    cells: list[CellResult] = field(default_factory=list)

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
    return CellResult(grade_id, points, max_points, verdict["outcome"], verdict["message"])


def summary(results: Iterable[Result]) -> dict[str, int]:
    """Return the number of results of each status."""
    counts = {GRADED: 0, KEPT: 0, FAILED: 0}
    for result in results:
        counts[result.status.partition(":")[0]] += 1
    return counts
