"""Grade the submissions of an assignment: fair, in parallel, into nbgrader's gradebook.

    register -> for each submission: sanitise -> execute -> judge -> record
                                     coordinator  executor   coordinator

The coordinator is nbgrader's Autograde, cut in two where the kernel runs. It alone touches the
gradebook and the course folder; execute() runs under any concurrent.futures.Executor.
"""

from __future__ import annotations

import ast
import logging
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from glob import glob
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps.baseapp import NbGrader
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import Execute
from nbgrader.utils import determine_grade, find_all_files, is_grade, rmtree
from sqlalchemy.exc import DatabaseError, SAWarning

from autograder.build import generate_assignment, setup_cells
from autograder.errors import LessonError, UsageError, one_line
from autograder.execute import execute
from autograder.limits import Limits
from autograder.verdict import VERDICT, judge

# nbgrader 0.9.6 adds submissions in an order that SQLAlchemy 2 warns about; the rows are right.
warnings.filterwarnings("ignore", "Object of type .* not in session", SAWarning)

GRADED, KEPT, FAILED = "graded", "kept", "failed"


@dataclass(frozen=True)
class CellResult:
    """One graded cell: `points` is None where a person has still to mark it."""

    grade_id: str
    points: float | None
    max_points: float
    outcome: str
    message: str


@dataclass(frozen=True)
class Result:
    """One notebook of one submission. `status` is graded, kept (as it was), or failed: why."""

    student: str
    assignment: str
    notebook: str
    status: str
    score: float
    max_score: float
    seconds: float
    cells: list[CellResult] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """This result as plain data."""
        return asdict(self)


def open_course() -> CourseDirectory:
    """The nbgrader course of the working folder, with the settings of its nbgrader_config.py."""
    # nbgrader calls alembic by its name: it must be found though no environment was activated.
    os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    app = NbGrader()
    app.log_level = logging.CRITICAL
    app.raise_config_file_errors = True
    try:
        app.initialize([])
    except Exception as error:  # a configuration file is a program
        raise UsageError(f"nbgrader_config.py cannot be read: {one_line(error)}") from None
    course: CourseDirectory = app.coursedir
    course.config = app.config
    return course


def prepare(course: CourseDirectory, assignment: str) -> int:
    """Enter `assignment` in the gradebook if it is new there; the number of its submissions.

    Raises UsageError where there is nothing to grade.
    """
    known = assignments(course)
    if not known:
        raise UsageError(
            f"no assignments in {course.root}: run this in a folder with nbgrader's layout"
            " (source/, submitted/)"
        )
    if assignment not in known:
        raise UsageError(f"no assignment {assignment!r}: there are {', '.join(sorted(known))}")
    pattern = course.format_path(course.submitted_directory, "*", assignment)
    count = len([path for path in Path("/").glob(pattern.lstrip("/")) if path.is_dir()])
    if not count:
        raise UsageError(
            f"nothing to grade: no {pattern}. Collect the submissions first"
            f" (nbgrader collect {assignment}), or lay them there"
        )
    register(course, assignment)
    return count


def assignments(course: CourseDirectory) -> set[str]:
    """The names of all assignments that have a source."""
    folder = Path(course.format_path(course.source_directory, ".", "."))
    return {path.parent.name for path in folder.glob("*/*.ipynb")}


def grade(
    course: CourseDirectory,
    names: Sequence[str],
    executor: Executor,
    limits: Limits,
    force: bool = False,
    on_result: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """Grade all submissions of the assignments `names`, in this order, each after prepare().

    Returns the results by student, assignment and notebook. A submission that was graded before
    and is not newer is kept unless `force`. `on_result` is called as each is done.
    """
    coordinator = Coordinator(coursedir=course, config=course.config)
    coordinator.log = logging.getLogger(f"{__name__}.nbgrader")
    coordinator.log.setLevel(logging.CRITICAL)  # each of our results says what went wrong
    coordinator.force = force
    coordinator.executor, coordinator.limits = executor, limits
    coordinator.names = names
    coordinator.preload = imports_of(course, names)
    coordinator.on_result = on_result
    coordinator.start()
    return sorted(coordinator.results, key=lambda r: (r.student, r.assignment, r.notebook))


def register(course: CourseDirectory, assignment: str) -> None:
    """Enter an assignment that the gradebook does not know, with its hidden tests."""
    try:
        with Gradebook(course.db_url, course.course_id) as gradebook:
            if gradebook.find_assignment(assignment).notebooks:
                return
    except MissingEntry:
        pass
    except DatabaseError as error:
        reason = one_line(error.orig or error)
        raise UsageError(f"the gradebook {course.db_url} cannot be used: {reason}") from None
    with tempfile.TemporaryDirectory() as release:
        generate_assignment(Path(course.root), assignment, release, course.db_url)


def imports_of(course: CourseDirectory, names: Iterable[str]) -> tuple[str, ...]:
    """The modules that the assignments' set-up cells import: worth importing before the fork."""
    return tuple(
        sorted(
            module
            for name in names
            for path in glob(f"{course.format_path(course.source_directory, '.', name)}/*.ipynb")
            for cell in setup_cells(nbformat.read(path, as_version=4))
            for module in imports_in(cell.source)
        )
    )


def imports_in(source: str) -> Iterator[str]:
    """The modules that a cell imports, and names that may be some."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from course import draw` names a module, `from math import pi` does not: the
            # server passes over what cannot be imported.
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


class Coordinator(Autograde):
    """nbgrader's Autograde with the kernels somewhere else."""

    names: Sequence[str]
    executor: Executor
    limits: Limits
    preload: tuple[str, ...] = ()
    on_result: Callable[[Result], None]

    def init_notebooks(self) -> None:
        """Every folder that was handed in, also one without a notebook: it has to be named."""
        self.assignments = {
            folder: glob(f"{folder}/*.ipynb")
            for name in self.names
            for folder in sorted(glob(self._format_source(name, "*")))
            if os.path.isdir(folder)
        }

    def convert_notebooks(self) -> None:
        """Called by start(), in the course's root: sanitise all, record each as it is done."""
        self.results: list[Result] = []
        waiting: dict[Future[NotebookNode], dict[str, Any]] = {}
        for folder in self.assignments:
            waiting |= self.hand_out(folder)
        for future in as_completed(waiting):
            resources = waiting[future]
            with self.others_unharmed(resources["nbgrader"]):
                self.record(future.result(), resources)

    def hand_out(self, folder: str) -> dict[Future[NotebookNode], dict[str, Any]]:
        """Sanitise one submission and send its notebooks to be executed."""
        names = self.names_of(folder)
        self.notebooks = sorted(self.assignments[folder])
        if not self.init_destination(names["assignment"], names["student"]):
            self.keep(names)
            return {}
        sent: dict[Future[NotebookNode], dict[str, Any]] = {}
        with self.others_unharmed(names):
            self.expect_its_notebook(names)
            self.init_assignment(names["assignment"], names["student"])
            files = self.other_files(names)
            for path in self.notebooks:
                notebook, resources = self.sanitise(path)
                what = {"files": files, "preload": self.preload}
                sent[self.executor.submit(execute, notebook, what, self.limits)] = resources
        return sent

    def expect_its_notebook(self, names: dict[str, str]) -> None:
        """LessonError for a submission that has none of the assignment's notebooks."""
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            known = {
                entry.name for entry in gradebook.find_assignment(names["assignment"]).notebooks
            }
        found = {Path(path).stem for path in self.notebooks}
        if not known & found:
            there = ", ".join(f"{name}.ipynb" for name in sorted(found)) or "no notebook"
            raise LessonError(f"there is {there}, not {sorted(known)[0]}.ipynb")

    @contextmanager
    def others_unharmed(self, names: dict[str, str]) -> Iterator[None]:
        """Whatever goes wrong with one submission: say so, and go on with the others."""
        try:
            yield
        except LessonError as error:
            self.tell(names, f"{FAILED}: {error}", NotebookNode(cells=[], metadata={}))
        except Exception as error:  # a submission may hold anything
            rmtree_if_there(self._format_dest(names["assignment"], names["student"]))
            self.tell(names, f"{FAILED}: {one_line(error)}", NotebookNode(cells=[], metadata={}))

    def names_of(self, folder: str) -> dict[str, str]:
        """Student and assignment of a submission's folder."""
        pattern = self._format_source("(?P<assignment>.*)", "(?P<student>.*)", escape=True)
        found = re.match(pattern, folder)
        assert found is not None  # init_notebooks found the folder by the same pattern
        return found.groupdict()

    def other_files(self, names: dict[str, str]) -> dict[str, bytes]:
        """What lies beside the notebooks: the submission's own files under the source's."""
        folder = self._format_dest(names["assignment"], names["student"])
        paths = find_all_files(folder, [*self.coursedir.ignore, "*.ipynb"])
        return {os.path.relpath(path, folder): Path(path).read_bytes() for path in paths}

    def sanitise(self, path: str) -> tuple[NotebookNode, dict[str, Any]]:
        """The submitted notebook with all that the learner may not change as it was released."""
        self._sanitizing = True
        self._init_preprocessors()
        resources = self.init_single_notebook_resources(path)
        text, resources = self.exporter.from_filename(path, resources=resources)
        notebook = nbformat.reads(text, as_version=4)
        for cell in notebook.cells:
            cell.metadata.pop("tags", None)  # "skip-execution" would spare a cell its test
        return notebook, resources

    def record(self, notebook: NotebookNode, resources: dict[str, Any]) -> None:
        """Judge an executed notebook, write its marks and then the notebook."""
        judge(notebook)
        self._sanitizing = False
        self._init_preprocessors()
        text, resources = self.exporter.from_notebook_node(notebook, resources=resources)
        self.write_single_notebook(text, resources)
        names = resources["nbgrader"]
        self.set_permissions(names["assignment"], names["student"])
        self.tell(names, GRADED, notebook)

    def _init_preprocessors(self) -> None:
        """As nbgrader has it, without the step that is taken elsewhere."""
        super()._init_preprocessors()
        self.exporter._preprocessors = [
            step for step in self.exporter._preprocessors if not isinstance(step, Execute)
        ]

    def keep(self, names: dict[str, str]) -> None:
        """Tell of a submission whose marks stand as they are."""
        folder = Path(
            self.coursedir.format_path(
                self.coursedir.autograded_directory, names["student"], names["assignment"]
            )
        )
        for path in sorted(folder.glob("*.ipynb")):
            self.tell(names | {"notebook": path.stem}, KEPT, nbformat.read(path, as_version=4))

    def tell(self, names: dict[str, str], status: str, notebook: NotebookNode) -> None:
        """Add a result and pass it on."""
        result = self.result(names, status, notebook)
        self.results.append(result)
        self.on_result(result)

    def result(self, names: dict[str, str], status: str, notebook: NotebookNode) -> Result:
        """The result of one notebook: marks from the gradebook, the rest from its cells."""
        student, assignment = names["student"], names["assignment"]
        name = names.get("notebook", assignment)
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            try:
                entry = gradebook.find_submission_notebook(name, assignment, student)
                score, max_score = entry.score, entry.max_score
            except MissingEntry:
                score, max_score = 0.0, 0.0
        seconds = notebook.metadata.get("seconds", 0.0)
        cells = [cell_result(cell) for cell in filter(is_grade, notebook.cells)]
        return Result(student, assignment, name, status, score, max_score, seconds, cells)


def cell_result(cell: NotebookNode) -> CellResult:
    """The result of a judged cell."""
    points, max_points = determine_grade(cell)
    verdict = cell.metadata[VERDICT]
    grade_id = cell.metadata.nbgrader["grade_id"]
    return CellResult(grade_id, points, max_points, verdict["outcome"], verdict["message"])


def rmtree_if_there(folder: str) -> None:
    """Remove a folder whose content cannot be trusted to be whole."""
    if os.path.exists(folder):
        rmtree(folder)


def summary(results: Iterable[Result]) -> dict[str, int]:
    """How many results there are of each status."""
    counts = {GRADED: 0, KEPT: 0, FAILED: 0}
    for result in results:
        counts[result.status.partition(":")[0]] += 1
    return counts
