"""Build the notebooks: lessons/NN_name.py -> source/ (executed) -> release/ (no answers).

    read -> complete_metadata -> mark_demonstrations -> name_cells -> name_kernel
         -> execute -> check_as_graded
         -> write source
         -> nbgrader generate_assignment -> write release

All but the outputs is deterministic; nbval compares the outputs.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import jupytext
import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_locked, is_solution

from autograder.errors import LessonError, UsageError
from autograder.examiner.free_names import defined_names, free_names
from autograder.examiner.released import DEMONSTRATION, instructor_text
from autograder.execution.cells import is_test
from autograder.execution.execute import execute as execute_in_two_kernels
from autograder.execution.execute import kernel_server
from autograder.grading.demonstrations import as_released, reason_to_run
from autograder.grading.generate import generate_assignment
from autograder.grading.restore import defined
from autograder.grading.source_check import RUN_ALL
from autograder.grading.verdict import PASSED, VERDICT, judge
from autograder.limits import Limits
from autograder.sandbox.preload import needed

# Keys of the metadata that the head of a lesson may set.
KEPT = ("examiner", "immediate_feedback", "limits", RUN_ALL)
CELL_TIMEOUT = 60
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def build(root: Path, names: Iterable[str] = (), report: Callable[[str], None] = print) -> None:
    """Build the lessons `names` of the course at `root`; all lessons by default.

    A lesson is executed only where its cells, or the package `course`, changed since its source
    was written. Raise UsageError for the name of an unknown lesson, LessonError for a lesson that
    cannot be built; lessons built before it stay built. `report` is called with each line of
    progress.
    """
    digest = course_digest(root)
    for lesson in find_lessons(root, names):
        source = notebook_path(root / "source", lesson.stem)
        notebook = make_source(lesson, digest)
        if is_current(notebook, source):
            report(f"{lesson.stem}: unchanged")
        else:
            report(f"{lesson.stem}: executing")
            execute(notebook, lesson.stem)
            check_as_graded(notebook, lesson.stem)
            write(notebook, source)
        make_release(root, lesson.stem)


def find_lessons(root: Path, names: Iterable[str] = ()) -> list[Path]:
    """Return the scripts of the lessons `names`, in order; of all lessons by default."""
    lessons = {path.stem: path for path in sorted((root / "lessons").glob("[0-9]*.py"))}
    if not lessons:
        raise UsageError(f"no lessons in {root / 'lessons'}: run this in the course's folder")
    unknown = [name for name in names if name not in lessons]
    if unknown:
        raise UsageError(f"no lesson {unknown[0]!r}; available: {', '.join(lessons)}")
    return [lessons[name] for name in sorted(names)] or list(lessons.values())


def notebook_path(folder: Path, name: str) -> Path:
    """Return where nbgrader expects the notebook of a lesson in source/ or release/."""
    return folder / name / f"{name}.ipynb"


def make_source(lesson: Path, digest: str = "") -> NotebookNode:
    """Return the notebook of a lesson, not executed; `digest` is that of course_digest()."""
    notebook = jupytext.read(lesson, fmt="py:percent")
    for step in (drop_traces, complete_metadata, mark_demonstrations, name_cells):
        try:
            step(notebook)
        except LessonError as error:
            raise LessonError(f"{lesson.stem}: {error}") from None
    name_kernel(notebook)
    notebook.metadata["course"] = {"digest": digest}
    return notebook


def drop_traces(notebook: NotebookNode) -> None:
    """Remove jupytext's metadata; keep what the head of the lesson may set (KEPT).

    Where it does not say otherwise, tests demand a kernel of their own.
    """
    kept = {name: notebook.metadata[name] for name in KEPT if name in notebook.metadata}
    notebook.metadata = NotebookNode({"examiner": "required", **kept})
    for cell in notebook.cells:
        cell.metadata.pop("lines_to_next_cell", None)


def complete_metadata(notebook: NotebookNode) -> None:
    """Complete nbgrader's metadata (schema 3): a cell of a lesson only sets what varies."""
    for cell in notebook.cells:
        if "nbgrader" not in cell.metadata:
            continue
        metadata = cell.metadata["nbgrader"]
        if "grade_id" not in metadata:
            raise LessonError(f"a cell has no grade_id: {cell.source[:50]!r}")
        defaults = {"schema_version": 3, "grade": False, "locked": False, "solution": False}
        cell.metadata["nbgrader"] = {**defaults, "task": False, **metadata}
        if is_grade(cell) and "points" not in metadata:
            raise LessonError(f"{metadata['grade_id']} is graded but has no points")


def mark_demonstrations(notebook: NotebookNode) -> None:
    """Mark ordinary code cells as demonstrations, unless their head says demonstration=false."""
    for cell in notebook.cells:
        is_ordinary = cell.cell_type == "code" and "nbgrader" not in cell.metadata
        if not is_ordinary and DEMONSTRATION in cell.metadata:
            raise LessonError(f"only ordinary code is a demonstration: {cell.source[:50]!r}")
        if is_ordinary and cell.metadata.pop(DEMONSTRATION, True):
            cell.metadata[DEMONSTRATION] = True


def name_cells(notebook: NotebookNode) -> None:
    """Set a stable id for each cell: its grade_id, or the one before it and a count."""
    last, since = "top", 0
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            last, since = cell.metadata["nbgrader"]["grade_id"], 0
            cell["id"] = last
        else:
            since += 1
            cell["id"] = f"{last}-{since}"
    twice = [name for name, count in Counter(c["id"] for c in notebook.cells).items() if count > 1]
    if twice:
        raise LessonError(f"the cell id {twice[0]} is used twice")


def name_kernel(notebook: NotebookNode) -> None:
    """Set the Python kernel, without its version: it would differ from machine to machine."""
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata["kernelspec"] = {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    }
    notebook.metadata["language_info"] = {"name": "python"}


def course_digest(root: Path) -> str:
    """Return a digest of the package `course`, on which outputs depend."""
    digest = hashlib.sha256()
    for path in sorted((root / "course").glob("**/*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def is_current(notebook: NotebookNode, source: Path) -> bool:
    """Whether `source` holds the executed `notebook`."""
    if not source.exists():
        return False
    try:
        built = nbformat.read(source, as_version=4)
    except nbformat.reader.NotJSONError:  # a truncated file, or conflict markers
        return False
    return without_outputs(built) == without_outputs(notebook)


def without_outputs(notebook: NotebookNode) -> dict[str, object]:
    """Return the part of a notebook that follows from the lesson's text alone."""
    return {
        "metadata": notebook.metadata,
        "cells": [
            (cell["id"], cell.cell_type, cell.source, cell.metadata) for cell in notebook.cells
        ],
    }


def execute(notebook: NotebookNode, name: str) -> None:
    """Run all cells in a fresh kernel. Raise LessonError for an error, or text on stderr."""
    before = dict(notebook.metadata)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        coalesce_streams=True,
        record_timing=False,
        store_widget_state=False,
        extra_arguments=["--log-level=ERROR"],
    )
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise LessonError(f"{name}: a cell failed.\n{error}") from None
    notebook.metadata = NotebookNode(before)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                raise LessonError(f"{name}: cell {cell['id']} writes to stderr: {output.text}")
            # The view of a widget refers to a model in the kernel, which has ended.
            output.get("data", {}).pop(WIDGET_VIEW, None)


def check_as_graded(notebook: NotebookNode, name: str) -> None:
    """Raise LessonError where a test passes in one kernel, but not as it is graded.

    That is in the test kernel, and without demonstrations.
    """
    if clash := shared_name(notebook):
        raise LessonError(f"{name}: {clash}")
    kernel_server(needed(notebook.cells))
    left_out: frozenset[int] = frozenset()
    if not notebook.metadata.get(RUN_ALL):
        left_out = as_released(notebook.cells, instructor_text(notebook.cells, {}).demonstrations)
    if reason := reason_to_run(notebook.cells, left_out):
        raise LessonError(f"{name}: {reason}, a demonstration: docs/authors.md says what to do")
    lost = tests_lost(notebook, left_out)
    if lost and left_out and not tests_lost(notebook, frozenset()):
        raise LessonError(
            f"{name}: {lost} without the demonstrations: docs/authors.md says what to do"
        )
    if lost:
        raise LessonError(
            f"{name}: {lost} in the test kernel: docs/examiner.md says what a test may use"
        )


def tests_lost(notebook: NotebookNode, left_out: frozenset[int]) -> str:
    """Return, as a text, the first test that passes in one kernel, but not in the test kernel."""
    executed = execute_in_two_kernels(notebook, {"left_out": left_out}, Limits(confined=False))
    judge(executed)
    for cell in filter(is_test, executed.cells):
        verdict = cell.metadata[VERDICT]
        if verdict["outcome"] != PASSED or verdict["message"]:  # the message of a partial mark
            grade_id, message = cell.metadata.nbgrader.grade_id, verdict["message"]
            return f"{grade_id} passes in one kernel, but not ({message})"
    return ""


def shared_name(notebook: NotebookNode) -> str:
    """Return an error where tests and answers define the same name, and a later test reads it."""
    by_answers: set[str] = set()
    by_tests: dict[str, str] = {}  # and by locked setup cells: grade_id by name
    for cell in notebook.cells:
        if cell.cell_type != "code" or "grade_id" not in cell.metadata.get("nbgrader", {}):
            continue
        nodes = ast.parse(TransformerManager().transform_cell(cell.source)).body
        grade_id = cell.metadata.nbgrader.grade_id
        if is_solution(cell):
            by_answers |= {*defined(cell.source)}
            continue
        if is_test(cell):
            for read in free_names(nodes, ()):
                if read in by_tests and read in by_answers:
                    return (
                        f"{grade_id} reads {read}, which {by_tests[read]} and an answer both define"
                    )
        by_tests |= dict.fromkeys(defined_names(nodes), grade_id)
    return ""


def write(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook as nbgrader does, with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def make_release(root: Path, name: str) -> None:
    """Write release/ from source/, by nbgrader's generate_assignment without a database."""
    generate_assignment(root, name, release="release", database=None)


def setup_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the locked setup cells: locked code cells without marks, which tests may rely on."""
    return [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and is_locked(cell) and not is_grade(cell)
    ]
