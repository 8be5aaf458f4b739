"""What an author should know of an assignment before anybody is graded, of any nbgrader course.

the instructor's answers, in two kernels and in one -> what they lose
demonstrations, which are not run when graded       -> whether they fail
the release, without answers                        -> what it passes
each cell                                           -> whether it is over a limit
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import is_grade

from autograder.examiner.released import parsed
from autograder.execution.cells import is_test
from autograder.grading.course import read_assignment, register, require_assignment
from autograder.grading.gradebook import GradebookSession
from autograder.grading.pipeline import FAILURES, ONE
from autograder.grading.source_check import SourceReport, check_source, grade_source
from autograder.grading.verdict import PASSED, recorded
from autograder.limits import limits_of

# What a test may call that needs the network, by the module that it comes from.
NETWORK = frozenset(("ftplib", "http", "httpx", "requests", "smtplib", "socket", "urllib"))
# Calls that write files.
WRITERS = frozenset(("savefig", "save", "savez", "savetxt", "to_csv", "to_excel", "to_json"))
WRITERS |= frozenset(("to_parquet", "to_pickle", "write_text", "write_bytes", "dump"))


@dataclass(frozen=True)
class Finding:
    """One thing to know: a fault of the assignment, or a remark."""

    notebook: str
    cell: str
    text: str
    is_fault: bool

    def as_json(self) -> dict[str, Any]:
        """Return this finding as plain data."""
        return asdict(self)


def check_assignment(
    course: CourseDirectory,
    name: str,
    limits: Mapping[str, Any],
    executor: Executor,
    examiner: str,
) -> list[Finding]:
    """Return what is to be known of an assignment; nothing of a student's is read or changed.

    Raise UsageError for an unknown assignment, LessonError where it has no release version.
    """
    require_assignment(course, name)
    register(course, name)
    gradebook = GradebookSession(course, Autograde(coursedir=course, config=course.config))
    try:
        assignment = read_assignment(course, gradebook, name)
    finally:
        gradebook.close()
    of_notebooks = {
        notebook: limits_of(name, source.metadata, limits)
        for notebook, source in assignment.notebooks.items()
    }
    reports = check_source(assignment, of_notebooks, executor, Path(course.root), examiner)
    plans = {report.notebook: report.plan for report in reports}
    released = grade_source(assignment, plans, of_notebooks, executor, answered=False)
    whole = {name: replace(p, run_all=True) for name, p in plans.items() if not p.run_all}
    failures = {report.notebook: report.failures for report in reports}
    for name, notebook in grade_source(assignment, whole, of_notebooks, executor).items():
        failures[name] = notebook.metadata[FAILURES]
    findings: list[Finding] = []
    for report in reports:
        findings += of_source(replace(report, failures=failures[report.notebook]))
        findings += of_release(report, released[report.notebook])
        findings += of_tests(assignment.notebooks[report.notebook].notebook, report.notebook)
    return findings


def of_source(report: SourceReport) -> Iterator[Finding]:
    """Yield what the instructor's answers lose."""
    for cell in report.cells:
        two, one = cell.two, cell.one
        if cell.earned < cell.points:
            text = f"gives the instructor's own answer {cell.earned:g} of {cell.points:g}"
            yield Finding(report.notebook, cell.grade_id, f"{text}: {cell.message}", True)
        elif (two or 0) < (one or 0):
            text = f"cannot be run in a kernel of its own: {cell.message}"
            yield Finding(report.notebook, cell.grade_id, text, report.kernels != ONE)
    for failure in report.failures:
        yield Finding(report.notebook, "", f"fails in the source: {failure}", True)
    if report.obstacle:
        yield Finding(report.notebook, "", f"runs demonstrations, too: {report.obstacle}", False)
    if report.kernels == ONE:
        yield Finding(report.notebook, "", "is graded in one kernel: answers can read tests", False)


def of_release(report: SourceReport, notebook: NotebookNode) -> Iterator[Finding]:
    """Yield the tests that are passed without an answer."""
    for cell in filter(is_grade, notebook.cells):
        points = float(cell.metadata.nbgrader["points"])
        if is_test(cell) and points > 0 and recorded(cell)["outcome"] == PASSED:
            text = f"gives {points:g} points to what students get, without an answer"
            yield Finding(report.notebook, cell.metadata.nbgrader["grade_id"], text, True)


def of_tests(notebook: NotebookNode, name: str) -> Iterator[Finding]:
    """Yield the tests that write files, or need the network."""
    for cell in filter(is_test, notebook.cells):
        grade_id = cell.metadata.nbgrader["grade_id"]
        for text in sorted(set(uses(cell.source))):
            yield Finding(name, grade_id, text, False)


def uses(source: str) -> Iterator[str]:
    """Yield what a test does that may fail elsewhere."""
    for node in (inner for statement in parsed(source) for inner in ast.walk(statement)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [alias.name for alias in node.names]
            if isinstance(node, ast.ImportFrom):
                modules = [node.module or ""]
            if NETWORK & {module.partition(".")[0] for module in modules}:
                yield "uses the network, which no kernel has"
        elif isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            modes = [arg.value for arg in node.args[1:2] if isinstance(arg, ast.Constant)]
            opens = name == "open" and any(set(str(mode)) & set("wax+") for mode in modes)
            if opens or name in WRITERS:
                yield "writes a file: an answer in another kernel does not see it"
