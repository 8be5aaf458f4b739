"""Validate: what the visible tests say of a learner's notebook, before it is handed in.

    read -> execute (a forked kernel) -> judge -> a line for each visible test

Nothing is marked and nothing is kept. Where this machine cannot confine kernels, it says so and
goes on: what runs is the learner's own.
"""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

from nbconvert.filters import ansi2html
from nbformat import NotebookNode
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import compute_checksum, is_locked

from autograder.execution.cells import is_test
from autograder.execution.execute import execute, kernel_server
from autograder.grading.submissions import other_files, parse
from autograder.grading.verdict import PASSED, VERDICT, judge
from autograder.limits import Limits
from autograder.sandbox.preload import setup_imports

MORE = "Hidden tests check more, once your work is handed in."


def validate(path: Path) -> dict[str, Any]:
    """How the tests of the notebook at `path` came out.

    "tests": a dictionary for each visible test, with "name", "passed", "message" and "changed"
    (it is not as it was released); "notes": what else is worth a line; "failed", where a test
    did: what nbgrader's own button shows. Raises LessonError for what is no notebook.
    """
    notebook = parse(path.read_bytes(), path.name)
    changed = {cell.metadata.nbgrader["grade_id"] for cell in notebook.cells if is_changed(cell)}
    server = kernel_server(setup_imports([path]))
    files = other_files(str(path.parent), CourseDirectory().ignore)
    executed = execute(notebook, {"files": files}, Limits(confined=False), one_kernel=True)
    judge(executed)
    cells = [cell for cell in executed.cells if is_test(cell) and asks(cell)]
    notes = [MORE]
    if why := server.confinement_error():
        notes.append(f"Your notebook ran without its confinement ({why}).")
    found: dict[str, Any] = {"tests": [told(cell, changed) for cell in cells], "notes": notes}
    if failed := [cell for cell in cells if cell.metadata[VERDICT]["outcome"] != PASSED]:
        found["failed"] = [for_nbgrader(cell) for cell in failed]
    return found


def is_changed(cell: NotebookNode) -> bool:
    """Whether a locked cell is not as it was released."""
    known = cell.metadata.get("nbgrader", {}).get("checksum")
    return bool(is_locked(cell) and known and known != compute_checksum(cell))


def asks(cell: NotebookNode) -> bool:
    """Whether something of a test is left in the learner's version: more than remarks."""
    return any(
        line and not line.startswith("#") for line in map(str.strip, cell.source.split("\n"))
    )


def told(cell: NotebookNode, changed: set[str]) -> dict[str, Any]:
    """How one test came out."""
    name, verdict = cell.metadata.nbgrader["grade_id"], cell.metadata[VERDICT]
    return {
        "name": name,
        "passed": verdict["outcome"] == PASSED,
        "message": verdict["message"],
        "changed": name in changed,
    }


def for_nbgrader(cell: NotebookNode) -> dict[str, str]:
    """A failed test as nbgrader's Validator tells of it: "error" is HTML."""
    message = cell.metadata[VERDICT]["message"]
    errors = [o for o in cell.outputs if o.output_type == "error"]
    trace = "\n".join(line for error in errors for line in error.traceback)
    return {
        "source": cell.source.strip(),
        "error": f"{html.escape(message)}\n\n{ansi2html(trace)}",
        "raw_error": f"{message}\n\n{trace}",
    }
