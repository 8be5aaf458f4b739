"""Grade the submissions of an assignment: fair, in parallel, into nbgrader's gradebook.

    for each submission: sanitise -> execute -> judge -> record
                         coordinator  executor   coordinator

The coordinator is nbgrader's Autograde, cut in two where the kernel runs. It alone touches the
gradebook and the course folder; execute_all() runs under any concurrent.futures.Executor. What was
graded before is touched only when the new result is there.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from glob import escape, glob
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import Execute
from nbgrader.utils import determine_grade, find_all_files, is_grade, rmtree
from sqlalchemy.exc import SQLAlchemyError

from autograder.errors import LessonError, one_line
from autograder.execute import execute_all
from autograder.limits import Limits
from autograder.restore import put_back
from autograder.verdict import FAILED as TEST_FAILED
from autograder.verdict import PASSED, TO_MARK, VERDICT, judge

GRADED, KEPT, FAILED = "graded", "kept", "failed"
IN_FLIGHT = 16  # submissions held in memory at a time


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


@dataclass(frozen=True)
class Submission:
    """One student's notebooks of one assignment, sanitised; `resources` are nbconvert's."""

    student: str
    assignment: str
    paths: list[str]
    notebooks: list[NotebookNode]
    resources: list[dict[str, Any]]


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
    coordinator.on_result = on_result
    coordinator.start()
    return sorted(coordinator.results, key=lambda r: (r.student, r.assignment, r.notebook))


class Coordinator(Autograde):
    """nbgrader's Autograde with the kernels somewhere else."""

    names: Sequence[str]
    executor: Executor
    limits: Limits
    on_result: Callable[[Result], None]

    def init_notebooks(self) -> None:
        """Every folder that was handed in, also one without a notebook: it has to be named."""
        with self.gradebook() as gradebook:
            self.known = {
                name: {entry.name for entry in gradebook.find_assignment(name).notebooks}
                for name in self.names
            }
        self.assignments = {
            folder: sorted(glob(f"{escape(folder)}/*.ipynb"))
            for name in self.names
            for folder in sorted(glob(self._format_source(name, "*")))
            if os.path.isdir(folder)
        }

    def convert_notebooks(self) -> None:
        """Called by start(), in the course's root: hand out, and record each as it is done."""
        self.results: list[Result] = []
        pending, waiting = list(self.assignments), dict[Future[Any], Submission]()
        while pending or waiting:
            while pending and len(waiting) < IN_FLIGHT:
                self.hand_out(pending.pop(0), waiting)
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                submission = waiting.pop(future)
                with self.others_unharmed(submission.student, submission.assignment):
                    self.record(submission, future.result())

    def hand_out(self, folder: str, waiting: dict[Future[Any], Submission]) -> None:
        """Sanitise one submission and send it to be executed, unless it was graded before."""
        pattern = self._format_source("(?P<assignment>.*)", "(?P<student>.*)", escape=True)
        found = re.match(pattern, folder)
        assert found is not None  # init_notebooks found the folder by the same pattern
        student, assignment = found["student"], found["assignment"]
        with self.others_unharmed(student, assignment):
            paths = self.expected(assignment, self.assignments[folder])
            if self.is_graded(student, assignment, paths):
                self.keep(student, assignment, paths)
                return
            pairs = [self.sanitise(path) for path in paths]
            files = {"files": self.other_files(student, assignment)}
            notebooks = [notebook for notebook, _ in pairs]
            submission = Submission(student, assignment, paths, notebooks, [r for _, r in pairs])
            future = self.executor.submit(execute_all, notebooks, files, self.limits)
            waiting[future] = submission

    @contextmanager
    def others_unharmed(self, student: str, assignment: str) -> Iterator[None]:
        """Whatever goes wrong with one submission: say so, and go on with the others."""
        try:
            yield
        except LessonError as error:
            self.fail(student, assignment, str(error))
        except Exception as error:  # a submission may hold anything
            self.fail(student, assignment, one_line(error))

    def expected(self, assignment: str, paths: list[str]) -> list[str]:
        """Those of the submitted notebooks that the assignment has; LessonError if none is."""
        known = self.known[assignment]
        found = [path for path in paths if Path(path).stem in known]
        if not found:
            there = ", ".join(Path(path).name for path in paths) or "no notebook"
            raise LessonError(f"there is {there}, not {min(known)}.ipynb")
        return found

    def is_graded(self, student: str, assignment: str, paths: list[str]) -> bool:
        """Whether the marks of a submission can stand: all is there, and nothing newer came."""
        folder = self._format_dest(assignment, student)
        if self.force or not all((Path(folder) / Path(path).name).exists() for path in paths):
            return False
        try:
            new = self.coursedir.get_existing_timestamp(self._format_source(assignment, student))
            old = self.coursedir.get_existing_timestamp(folder)
        except AttributeError:  # nbgrader 0.9.6 stumbles over a time that it cannot read
            raise LessonError("its timestamp.txt holds no time") from None
        return not (new and old and new > old)

    def sanitise(self, path: str) -> tuple[NotebookNode, dict[str, Any]]:
        """The submitted notebook with all that the learner may not change as it was released."""
        self._init_preprocessors()
        resources = self.init_single_notebook_resources(path)
        names = resources["nbgrader"]
        notebook = nbformat.read(path, as_version=4)
        with self.gradebook() as gradebook:
            put_back(notebook, gradebook.find_notebook(names["notebook"], names["assignment"]))
        text, resources = self.exporter.from_notebook_node(notebook, resources=resources)
        notebook = nbformat.reads(text, as_version=4)
        for cell in notebook.cells:
            cell.metadata.pop("tags", None)  # "skip-execution" would spare a cell its test
        return notebook, resources

    def other_files(self, student: str, assignment: str) -> dict[str, bytes]:
        """What lies beside the notebooks: the submission's own files under the source's."""
        source = self.coursedir.format_path(self.coursedir.source_directory, ".", assignment)
        return {
            os.path.relpath(path, folder): Path(path).read_bytes()
            for folder in (self._format_source(assignment, student), source)
            for path in find_all_files(folder, [*self.coursedir.ignore, "*.ipynb"])
        }

    def record(self, submission: Submission, executed: list[NotebookNode]) -> None:
        """Judge what was executed; write the marks and, when they are safe, the notebooks."""
        student, assignment = submission.student, submission.assignment
        folder = self._format_dest(assignment, student)
        if os.path.exists(folder):
            rmtree(folder)
        self.notebooks = submission.paths
        self.init_assignment(assignment, student)
        self._sanitizing = False
        try:
            for notebook, resources in zip(executed, submission.resources, strict=True):
                judge(notebook)
                self._init_preprocessors()
                text, after = self.exporter.from_notebook_node(notebook, resources=resources)
                self.write_single_notebook(text, after)
        finally:
            self._sanitizing = True
        self.set_permissions(assignment, student)
        for path, notebook in zip(submission.paths, executed, strict=True):
            self.tell(student, assignment, Path(path).stem, GRADED, notebook)

    def _init_preprocessors(self) -> None:
        """As nbgrader has it, without the step that is taken elsewhere."""
        super()._init_preprocessors()
        self.exporter._preprocessors = [
            step for step in self.exporter._preprocessors if not isinstance(step, Execute)
        ]

    def keep(self, student: str, assignment: str, paths: list[str]) -> None:
        """Tell of a submission whose marks stand as they are."""
        folder = Path(self._format_dest(assignment, student))
        for path in paths:
            notebook = nbformat.read(folder / Path(path).name, as_version=4)
            self.tell(student, assignment, Path(path).stem, KEPT, notebook)

    def fail(self, student: str, assignment: str, reason: str) -> None:
        """Tell of a submission that cannot be graded: no marks, or those of the one before it."""
        nothing = NotebookNode(cells=[], metadata=NotebookNode())
        try:
            with self.gradebook() as gradebook:
                gradebook.update_or_create_student(student)
                gradebook.update_or_create_submission(assignment, student)
            self.tell(student, assignment, assignment, f"{FAILED}: {reason}", nothing)
        except SQLAlchemyError:  # the reason may be the gradebook itself
            self.add(Result(student, assignment, assignment, f"{FAILED}: {reason}", 0.0, 0.0, 0.0))

    def tell(
        self, student: str, assignment: str, name: str, status: str, notebook: NotebookNode
    ) -> None:
        """Add the result of one notebook: marks from the gradebook, the rest from its cells."""
        with self.gradebook() as gradebook:
            try:
                entry = gradebook.find_submission_notebook(name, assignment, student)
                score, max_score = entry.score, entry.max_score
            except MissingEntry:
                score, max_score = 0.0, 0.0
        seconds = notebook.metadata.get("seconds", 0.0)
        cells = [cell_result(cell) for cell in filter(is_grade, notebook.cells)]
        self.add(Result(student, assignment, name, status, score, max_score, seconds, cells))

    def add(self, result: Result) -> None:
        """Keep a result and pass it on."""
        self.results.append(result)
        self.on_result(result)

    def gradebook(self) -> Gradebook:
        """The gradebook, opened."""
        return Gradebook(self.coursedir.db_url, self.coursedir.course_id)


def cell_result(cell: NotebookNode) -> CellResult:
    """The result of a graded cell; of one that stock nbgrader graded, as its points say."""
    points, max_points = determine_grade(cell)
    by_points = TO_MARK if points is None else PASSED if points > 0 else TEST_FAILED
    verdict = cell.metadata.get(VERDICT, {"outcome": by_points, "message": ""})
    grade_id = cell.metadata.nbgrader["grade_id"]
    return CellResult(grade_id, points, max_points, verdict["outcome"], verdict["message"])


def summary(results: Iterable[Result]) -> dict[str, int]:
    """How many results there are of each status."""
    counts = {GRADED: 0, KEPT: 0, FAILED: 0}
    for result in results:
        counts[result.status.partition(":")[0]] += 1
    return counts
