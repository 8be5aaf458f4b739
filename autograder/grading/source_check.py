"""Grade the instructor's own answers first: what they lose is no student's fault.

    plans(...) -> for each notebook of an assignment: a Plan, and what was found

The source goes the way that submissions go. Where it earns in two kernels what it earns in one, or
all that there is, two kernels grade it; else one, and the cells that made the difference are named.
Demonstrations are left out where it earns as much without them.
What is found is kept in the course folder, and found again only when the source, a limit or a
version has changed.
"""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.utils import determine_grade

from autograder.errors import LessonError, UsageError
from autograder.execution.cells import is_test
from autograder.grading.demonstrations import as_released, reason_to_run
from autograder.grading.pipeline import FAILURES, ONE, TWO, NotebookJob, Plan, grade_notebooks
from autograder.grading.restore import grade_id, restore
from autograder.grading.submissions import Assignment, SourceNotebook, digest_of
from autograder.grading.verdict import TO_PERSON, recorded
from autograder.limits import Limits

log = logging.getLogger(__name__)
FOLDER = ".autograder"  # in the course folder
RUN_ALL = "run_all"  # key in the metadata of a notebook in source/: its demonstrations are run, too
# What an instructor, or the metadata "examiner" of a notebook, may ask for.
AUTO, ALWAYS, NEVER = "auto", "always", "never"
MODES = {AUTO: AUTO, ALWAYS: ALWAYS, "required": ALWAYS, NEVER: NEVER}


@dataclass(frozen=True)
class SourceCell:
    """A test of the source: its points, and what the instructor's own answer earned.

    `two` and `one` are the points in two kernels and in one; None where it was not tried.
    """

    grade_id: str
    points: float
    two: float | None
    one: float | None
    message: str

    @property
    def earned(self) -> float:
        """The points that it earns as it is graded best."""
        return max(points for points in (self.two, self.one, 0.0) if points is not None)


@dataclass(frozen=True)
class SourceReport:
    """What was found of one notebook, and how it is graded."""

    notebook: str
    kernels: str
    by_person: bool
    cells: list[SourceCell] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)  # of cells that are no tests
    run_all: bool = True
    obstacle: str = ""  # why demonstrations are run, where the source does not allow otherwise

    @property
    def plan(self) -> Plan:
        """How the notebook is graded."""
        return Plan(self.kernels, self.by_person, self.run_all)

    def remarks(self) -> list[str]:
        """Return what an instructor should know before any mark is written, a line each."""
        lines = []
        if self.obstacle:
            lines.append(f"{self.notebook}: demonstrations are run, too: {self.obstacle}")
        lost = [cell for cell in self.cells if (cell.two or 0) < (cell.one or 0)]
        if self.kernels == ONE and lost:
            names = ", ".join(cell.grade_id for cell in lost)
            lines.append(
                f"{self.notebook}: graded in one kernel, where an answer could read its tests:"
                f" {names} cannot be run in two ({lost[0].message})"
            )
        lines += [
            f"{self.notebook}: {cell.grade_id} gives the instructor's own answer"
            f" {self.points_as_graded(cell):g} of {cell.points:g}: {cell.message}"
            for cell in self.cells
            if self.points_as_graded(cell) < cell.points
        ]
        return lines

    def points_as_graded(self, cell: SourceCell) -> float:
        """Return the points of a cell as the notebook is graded."""
        return (cell.two if self.kernels == TWO else cell.one) or 0.0


def check_source(
    assignment: Assignment,
    limits: Mapping[str, Limits],
    executor: Executor,
    root: Path,
    mode: str = AUTO,
    run_all: bool = False,
) -> list[SourceReport]:
    """Return what is found of each notebook; warn of what an instructor should know.

    `limits` are those of each notebook; `mode` is AUTO, ALWAYS or NEVER, and gives way to what a
    notebook demands; with `run_all`, demonstrations are run in any case. Raise GraderError for a
    fault that is not the assignment's.
    """
    modes = {name: mode_of(source, mode) for name, source in assignment.notebooks.items()}
    leaving = [] if run_all else [n for n, each in assignment.notebooks.items() if leaves_out(each)]
    choices = (sorted(modes.items()), leaving, sorted(limits.items()))
    digest = digest_of({}, assignment.digest, *map(repr, choices))
    path = root / FOLDER / f"{assignment.name}.json"
    reports = known_reports(path, digest)
    if reports is None:
        reports = find_reports(assignment, limits, executor, modes, leaving)
        keep_reports(path, digest, reports)
    for report in reports:
        for remark in report.remarks():
            log.warning("%s: %s", assignment.name, remark)
    return reports


def mode_of(source: SourceNotebook, mode: str) -> str:
    """Return the mode of a notebook: what its metadata demands, or else `mode`."""
    wanted = source.metadata.get("examiner", mode)
    if not isinstance(wanted, str) or wanted not in MODES:
        known = ", ".join(MODES)
        raise UsageError(f"{source.name}: metadata: examiner: {wanted!r} is not one of {known}")
    return MODES[wanted]


def leaves_out(source: SourceNotebook) -> bool:
    """Return whether a notebook has demonstrations that are not to be run."""
    return bool(source.instructor.demonstrations) and source.metadata.get(RUN_ALL) is not True


def obstacle(source: SourceNotebook) -> str:
    """Return why the demonstrations of a notebook cannot be left out; nothing where they can."""
    cells = source.notebook.cells
    return reason_to_run(cells, as_released(cells, source.instructor.demonstrations))


def find_reports(
    assignment: Assignment,
    limits: Mapping[str, Limits],
    executor: Executor,
    modes: Mapping[str, str],
    leaving: Sequence[str],
) -> list[SourceReport]:
    """Grade the source in two kernels and, where anything is lost, in one.

    Demonstrations of the notebooks `leaving` are left out, unless something is lost without them.
    """
    everything = assignment.notebooks
    obstacles = {name: obstacle(everything[name]) for name in leaving}

    def grade(names: Iterable[str], kernels: str) -> dict[str, NotebookNode]:
        plans = {
            name: Plan(kernels, by_person=kernels == TWO, run_all=obstacles.get(name) != "")
            for name in names
        }
        graded = grade_source(assignment, plans, limits, executor)
        again = {
            name: replace(plan, run_all=True)
            for name, plan in plans.items()
            if not plan.run_all and not full(graded[name])
        }
        for name, notebook in grade_source(assignment, again, limits, executor).items():
            if lost := earns_less(graded[name], notebook):
                obstacles[name] = f"without them, {lost} earns less"
                graded[name] = notebook
        return graded

    two = grade([name for name in everything if modes[name] != NEVER], TWO)
    one = grade([name for name in everything if name not in two or not full(two[name])], ONE)
    reports = []
    for name in everything:
        cells = source_cells(two.get(name), one.get(name))
        is_less = any((cell.two or 0) < (cell.one or 0) for cell in cells)
        alone = modes[name] == NEVER or (modes[name] == AUTO and is_less)
        graded = one.get(name) or two[name]  # in one, a cell fails by itself alone
        kernels = ONE if alone else TWO
        by_person, failures = modes[name] == ALWAYS, graded.metadata[FAILURES]
        reason = obstacles.get(name)
        run_all = reason != ""
        reports.append(
            SourceReport(name, kernels, by_person, cells, failures, run_all, reason or "")
        )
    return reports


def earns_less(graded: NotebookNode, other: NotebookNode) -> str:
    """Return the first test that earned less than in another run; nothing where none did."""
    points = {name: points_of(cell) or 0.0 for name, cell in tests_of(other).items()}
    return next(
        (name for name, cell in tests_of(graded).items() if (points_of(cell) or 0) < points[name]),
        "",
    )


def grade_source(
    assignment: Assignment,
    plans: Mapping[str, Plan],
    limits: Mapping[str, Limits],
    executor: Executor,
    answered: bool = True,
) -> dict[str, NotebookNode]:
    """Return the notebooks of the source that have a plan, by name, graded as submissions are.

    With the instructor's answers; unless `answered`, as students get them.
    """
    resources = {"files": assignment.files, "student": ""}
    futures = {}
    for name, plan in plans.items():
        source = assignment.notebooks[name]
        notebook = copy.deepcopy(source.notebook)
        if not answered:
            released = {cell.grade_id: cell.source for cell in source.cells}
            for cell in notebook.cells:
                cell.source = released.get(grade_id(cell) or "", cell.source)
        restore(notebook, source.cells, source.metadata)
        job = NotebookJob(notebook, limits[name], plan, source.instructor)
        futures[name] = executor.submit(grade_notebooks, [job], resources)
    try:
        return {name: future.result()[0] for name, future in futures.items()}
    except LessonError as error:
        raise LessonError(f"the source of {assignment.name} cannot be graded: {error}") from None


def tests_of(notebook: NotebookNode | None) -> dict[str, NotebookNode]:
    """Return the tests of a graded notebook, by grade_id."""
    cells = notebook.cells if notebook else ()
    return {cell.metadata.nbgrader["grade_id"]: cell for cell in cells if is_test(cell)}


def points_of(cell: NotebookNode | None) -> float | None:
    """Return what a test earned; nothing for one that only a person could mark."""
    if cell is None:
        return None
    return float(determine_grade(cell)[0] or 0) if recorded(cell)["outcome"] == "passed" else 0.0


def full(notebook: NotebookNode) -> bool:
    """Return whether all tests of a graded notebook earned all their points."""
    return all(
        (points_of(cell) or 0) >= cell.metadata.nbgrader["points"]
        for cell in tests_of(notebook).values()
    )


def source_cells(two: NotebookNode | None, one: NotebookNode | None) -> list[SourceCell]:
    """Return the tests of a notebook, as graded in two kernels and in one."""
    in_two, in_one = tests_of(two), tests_of(one)
    before, after = TO_PERSON.split("{}")
    cells = []
    for name, cell in (in_two or in_one).items():
        verdict = recorded(cell)
        limit = verdict.get("remark", "").removeprefix(before).removesuffix(after)
        cells.append(
            SourceCell(
                name,
                float(cell.metadata.nbgrader["points"]),
                points_of(in_two.get(name)),
                points_of(in_one.get(name)),
                limit or verdict["message"],
            )
        )
    return cells


def known_reports(path: Path, digest: str) -> list[SourceReport] | None:
    """Return what was found before, if it is still valid."""
    try:
        known = json.loads(path.read_text())
        if known["digest"] != digest:
            return None
        return [
            SourceReport(**{**entry, "cells": [SourceCell(**cell) for cell in entry["cells"]]})
            for entry in known["notebooks"]
        ]
    except (OSError, ValueError, LookupError, TypeError):
        return None


def keep_reports(path: Path, digest: str, reports: list[SourceReport]) -> None:
    """Keep what was found; where that is not possible, it is found again the next time."""
    data: dict[str, Any] = {"digest": digest, "notebooks": [asdict(report) for report in reports]}
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(data, indent=1) + "\n")
    except OSError as error:
        log.info("%s cannot be written: %s", path, error)
