"""Validate: the outcomes of the visible tests of a learner's notebook, before it is submitted.

    read -> execute (a forked kernel) -> judge -> report per visible test

No marks are recorded and no file is written. Where this machine cannot confine kernels, the report
says so: the learner runs only their own code.
"""

from __future__ import annotations

import html
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbconvert.filters import ansi2html
from nbformat import NotebookNode
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import compute_checksum, is_locked

from autograder.errors import LessonError
from autograder.execution.cells import is_test
from autograder.execution.execute import execute, kernel_server
from autograder.grading.parse import parse
from autograder.grading.restore import grade_id
from autograder.grading.submissions import other_files
from autograder.grading.verdict import NO_ANSWER, PASSED, VERDICT, judge
from autograder.limits import Limits
from autograder.sandbox.preload import setup_imports
from autograder.service.outline import points_of, read_outline, unanswered

NO_TESTS = "This notebook has no visible tests. Were they deleted? Fetch the assignment again."
MORE = "Hidden tests check more, once your work is handed in."


@dataclass(frozen=True)
class Checked:
    """The result of the last check of a notebook, which may have been changed since."""

    passed: int
    tests: int
    is_current: bool


checks: dict[Path, tuple[int, int, tuple[str, ...]]] = {}  # since this server started


def validate(path: Path) -> dict[str, Any]:
    """Return the outcomes of the tests of the notebook at `path`.

    "tests": a dictionary for each visible test, with "name", "cell_id", "points", "passed",
    "unanswered", "message" and "changed" (it differs from the release); "notes": a list of remarks;
    "answered" of "exercises"; "failed", only where a test failed: what nbgrader's own button
    shows. Raise LessonError where the notebook cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LessonError(f"{path.name} cannot be read: {error.strerror}") from None
    notebook, outline = parse(data, path.name), read_outline(path)
    changed = {grade_id(cell) or "" for cell in notebook.cells if is_changed(cell)}
    server = kernel_server(setup_imports([path]))
    files = other_files(str(path.parent), CourseDirectory().ignore)
    # In a hub, tests that depend on whose work it is know it, as when it is graded.
    resources = {"files": files, "student": os.environ.get("JUPYTERHUB_USER", "")}
    executed = execute(notebook, resources, Limits(confined=False), one_kernel=True)
    judge(executed)
    cells = [cell for cell in executed.cells if is_test(cell) and has_code(cell)]
    notes = [MORE if cells else NO_TESTS]
    if reason := server.confinement_error():
        notes.append(f"Your notebook ran without confinement ({reason}).")
    report: dict[str, Any] = {"tests": [test_report(cell, changed) for cell in cells]}
    report["notes"] = notes
    report["exercises"] = len(outline.exercises)
    report["answered"] = len(outline.exercises) - len(unanswered(outline, None))
    remember(path, report, outline.sources)
    if failed := [cell for cell in cells if cell.metadata[VERDICT]["outcome"] != PASSED]:
        report["failed"] = [nbgrader_report(cell) for cell in failed]
    return report


def remember(path: Path, report: dict[str, Any], sources: tuple[str, ...]) -> None:
    """Keep the result of a check, for the look at what is handed in."""
    passed = sum(test["passed"] for test in report["tests"])
    checks[path] = passed, len(report["tests"]), sources


def last_check(path: Path) -> Checked | None:
    """Return the result of the last check of a notebook; None where there was none."""
    if path not in checks:
        return None
    passed, tests, sources = checks[path]
    return Checked(passed, tests, sources == read_outline(path).sources)


def is_changed(cell: NotebookNode) -> bool:
    """Whether a locked cell differs from its release."""
    known = cell.metadata.get("nbgrader", {}).get("checksum")
    return bool(is_locked(cell) and known and known != compute_checksum(cell))


def has_code(cell: NotebookNode) -> bool:
    """Whether a test has more than comments in the learner's version."""
    return any(
        line and not line.startswith("#") for line in map(str.strip, cell.source.split("\n"))
    )


def test_report(cell: NotebookNode, changed: set[str]) -> dict[str, Any]:
    """Return the report on one test."""
    name, verdict = grade_id(cell) or "a test", cell.metadata[VERDICT]
    return {
        "name": name,
        "cell_id": cell.get("id", ""),
        "points": points_of(cell),
        "passed": verdict["outcome"] == PASSED,
        "unanswered": verdict["message"] == NO_ANSWER,
        "message": verdict["message"],
        "changed": name in changed,
    }


def nbgrader_report(cell: NotebookNode) -> dict[str, str]:
    """Return the report on a failed test in the format of nbgrader's Validator: "error" is HTML."""
    message = cell.metadata[VERDICT]["message"]
    errors = [o for o in cell.outputs if o.output_type == "error"]
    trace = "\n".join(line for error in errors for line in error.traceback)
    return {
        "source": cell.source.strip(),
        "error": f"{html.escape(message)}\n\n{ansi2html(trace)}",
        "raw_error": f"{message}\n\n{trace}",
    }
