"""Grade the submissions of an assignment: fairly, in parallel, into nbgrader's gradebook.

    for each submission: load -> grade_notebooks -> record -> publish in autograded/
                  coordinator      executor     coordinator

The coordinator alone writes to the gradebook and the course folder; grade_notebooks() runs under
any concurrent.futures.Executor. Marks are recorded in one transaction, then the notebooks are
published with the digest of the files that they come from. A notebook without the current digest
is graded again, so the next run completes one that was interrupted anywhere.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import is_grade

from autograder.errors import GraderError, LessonError, UsageError, printable, reason_of
from autograder.execution.cells import WRITTEN
from autograder.grading.course import read_assignment
from autograder.grading.gradebook import GradebookSession, Marks, retry_while_locked
from autograder.grading.pipeline import KERNELS, NotebookJob, Plan, grade_notebooks
from autograder.grading.results import (
    FAILED,
    GRADED,
    KEPT,
    NOT_GRADED,
    Result,
    cell_result,
)
from autograder.grading.source_check import AUTO, check_source
from autograder.grading.submissions import (
    OF_NBGRADER,
    Submission,
    beside,
    digest_of,
    find,
    load,
    submitted_at,
)
from autograder.limits import MEGABYTE, Limits, limits_of

FROM = "graded_from"  # key in a graded notebook's metadata: the digest of its input
WITHOUT_DEMONSTRATIONS = "without demonstrations"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GradingRequest:
    """What to grade: assignments by name, in order; by default all students, new work only.

    `limits` are those that the user sets, by name (autograder.limits.Limits); `examiner` says
    whether tests run in a kernel of their own (autograder.grading.source_check.MODES); with
    `run_all`, demonstrations are run, too. `in_flight` is the number of submissions in memory at a
    time.
    """

    names: Sequence[str]
    limits: Mapping[str, Any] = field(default_factory=dict)
    examiner: str = AUTO
    force: bool = False
    students: Sequence[str] = ()
    notebook: str | None = None
    in_flight: int = 16
    run_all: bool = False


def grade(
    course: CourseDirectory,
    request: GradingRequest,
    executor: Executor,
    on_submission: Callable[[list[Result]], None] = lambda results: None,
) -> list[Result]:
    """Grade submissions of assignments, each after prepare().

    Call `on_submission` with the results of a submission as soon as all its notebooks are graded.
    Return the results by student, assignment and notebook.
    """
    converter = Autograde(coursedir=course, config=course.config)
    converter.log = logging.getLogger("autograder.nbgrader")
    gradebook = retry_while_locked(lambda: GradebookSession(course, converter))
    try:
        results = Coordinator(converter, request, executor, gradebook, on_submission).run()
    finally:
        gradebook.close()
    return sorted(results, key=lambda r: (r.student, r.assignment, r.notebook))


class Coordinator:
    """Submits submissions to the executor and records their results; the only writer."""

    def __init__(
        self,
        converter: Autograde,
        request: GradingRequest,
        executor: Executor,
        gradebook: GradebookSession,
        on_submission: Callable[[list[Result]], None],
    ) -> None:
        self.converter, self.course = converter, converter.coursedir
        self.request, self.executor = request, executor
        self.gradebook = gradebook
        self.on_submission = on_submission
        self.results: list[Result] = []
        editable = converter.exclude_overwriting
        self.assignments = {
            name: retry_while_locked(
                partial(read_assignment, self.course, gradebook, name, editable.get(name, ()))
            )
            for name in request.names
        }
        self.limits = {
            (name, notebook): limits_of(name, source.metadata, request.limits)
            for name, assignment in self.assignments.items()
            for notebook, source in assignment.notebooks.items()
        }
        self.plans: dict[tuple[str, str], Plan] = {}

    def check_sources(self) -> None:
        """Grade the instructors' own answers first, which decides how submissions are graded."""
        request, root = self.request, Path(self.course.root)
        for name, assignment in self.assignments.items():
            limits = {notebook: self.limits[name, notebook] for notebook in assignment.notebooks}
            reports = check_source(
                assignment, limits, self.executor, root, request.examiner, request.run_all
            )
            self.plans |= {(name, report.notebook): report.plan for report in reports}
            left_out = [report.notebook for report in reports if not report.run_all]
            if left_out:  # what is graded so is graded again where that changes
                digest = digest_of({}, assignment.digest, WITHOUT_DEMONSTRATIONS, *left_out)
                self.assignments[name] = replace(assignment, digest=digest)

    def run(self) -> list[Result]:
        """Submit each submission, and record each result as it arrives."""
        self.check_sources()
        pending = [
            submission
            for name in self.request.names
            for submission in find(self.course, name, self.request.students)
        ]
        pending.reverse()
        waiting: dict[Future[Any], Submission] = {}
        while pending or waiting:
            while pending and len(waiting) < self.request.in_flight:
                submission = pending.pop()
                with self.isolate_failures(submission):
                    if future := self.submit(submission):
                        waiting[future] = submission
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                submission = waiting.pop(future)
                with self.isolate_failures(submission):
                    self.record(submission, future.result())
        return self.results

    def submit(self, submission: Submission) -> Future[Any] | None:
        """Submit a submission to the executor; return None where its marks are still valid."""
        assignment = self.assignments[submission.assignment]
        load(submission, assignment, self.course.ignore)
        limits = [self.limits[assignment.name, name] for name in assignment.notebooks]
        refuse_large_files(submission, limits)
        if not self.request.force and all(map(self.is_graded(submission), submission.notebooks)):
            for name in submission.notebooks:
                graded = read(self.graded(submission) / f"{name}.ipynb")
                self.report(submission, name, KEPT, graded)
            return None
        jobs = [
            NotebookJob(
                submission.notebooks[name],
                self.limits[assignment.name, name],
                self.plans[assignment.name, name],
                assignment.notebooks[name].instructor,
            )
            for name in self.chosen(submission)
        ]
        resources = {"files": submission.files, "student": submission.student}
        return self.executor.submit(grade_notebooks, jobs, resources)

    def chosen(self, submission: Submission) -> list[str]:
        """Return the names of the notebooks of a submission that were requested."""
        only = self.request.notebook
        return [name for name in submission.notebooks if only in (None, name)]

    @contextmanager
    def isolate_failures(self, submission: Submission) -> Iterator[None]:
        """Report a failure of one submission, and continue with the others.

        What is not its own doing leaves it not graded: the next run takes it up again.
        """
        before = len(self.results)
        try:
            yield
        except UsageError:
            raise
        except LessonError as error:
            self.fail(submission, f"{FAILED}: {error}")
        except Exception as error:  # of the grader, a library or the machine
            log.info("%s: %s", submission.student, submission.assignment, exc_info=True)
            self.fail(submission, f"{NOT_GRADED}: {reason_of(error)}")
        if results := self.results[before:]:
            self.on_submission(results)

    def graded(self, submission: Submission) -> Path:
        """Return the folder of a graded submission."""
        folder = self.course.autograded_directory
        path = self.course.format_path(folder, submission.student, submission.assignment)
        return Path(path)

    def feedback(self, submission: Submission) -> Path:
        """Return the folder of the feedback on a submission."""
        folder = self.course.feedback_directory
        path = self.course.format_path(folder, submission.student, submission.assignment)
        return Path(path)

    def is_graded(self, submission: Submission) -> Callable[[str], bool]:
        """Return a predicate of a notebook's name: whether its marks are still valid.

        They are where it was graded from the same files. A notebook that stock nbgrader graded has
        no digest: there the time of submission decides.
        """
        folder = self.graded(submission)

        def unchanged(name: str) -> bool:
            path = folder / f"{name}.ipynb"
            if self.request.notebook not in (None, name):
                return True
            if not path.exists():
                return False
            known = read(path).metadata.get(FROM)
            if known is not None:
                return bool(known == submission.digest)
            new, old = submitted_at(submission.folder), submitted_at(str(folder))
            return not (new and old and new > old)

        return unchanged

    def record(self, submission: Submission, executed: list[NotebookNode]) -> None:
        """Record the marks of executed notebooks, then publish them."""
        chosen = dict(zip(self.chosen(submission), executed, strict=True))
        written: dict[str, bytes] = {}
        for notebook in executed:
            notebook.metadata[FROM] = submission.digest
            written |= notebook.metadata.pop(WRITTEN, {})
        submission.files = with_written(submission.files, written)
        expected = self.assignments[submission.assignment].notebooks
        missing = sorted(expected.keys() - submission.notebooks.keys())
        time = submitted_at(submission.folder)
        student, assignment = submission.student, submission.assignment
        retry_while_locked(
            lambda: self.gradebook.record(student, assignment, time, chosen, missing)
        )
        self.publish(submission, chosen)
        for name, notebook in chosen.items():
            self.report(submission, name, GRADED, notebook)

    def publish(self, submission: Submission, notebooks: dict[str, NotebookNode]) -> None:
        """Write graded notebooks into their folder under autograded/, all at once."""
        folder = self.graded(submission)
        expected = self.assignments[submission.assignment].notebooks
        new = folder.parent / f".{folder.name}.new"
        shutil.rmtree(new, ignore_errors=True)  # of an interrupted run
        try:
            files = without_pages(submission.files, expected)
            write_submission(new, folder, files, notebooks)
        except OSError as error:  # no space left: smaller ones may fit
            shutil.rmtree(new, ignore_errors=True)
            reason = f"{error.strerror}: {folder.parent} cannot be written"
            raise GraderError(
                f"{reason}. Its marks are recorded; run the command again to finish"
            ) from error
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)
        # nbgrader would keep the page of the marks before.
        shutil.rmtree(self.feedback(submission), ignore_errors=True)
        self.converter.set_permissions(submission.assignment, submission.student)

    def fail(self, submission: Submission, status: str) -> None:
        """Report a submission that has no marks from this run; those of an earlier one stay."""
        nothing = NotebookNode(cells=[], metadata=NotebookNode())
        name = min(self.assignments[submission.assignment].notebooks)
        try:
            retry_while_locked(
                lambda: self.gradebook.enter(submission.student, submission.assignment)
            )
            self.report(submission, name, status, nothing)
        except Exception:  # of the gradebook itself
            log.info("%s: %s", submission.student, submission.assignment, exc_info=True)
            self.add(submission, name, status, nothing, Marks(0.0, 0.0))

    def report(
        self, submission: Submission, name: str, status: str, notebook: NotebookNode
    ) -> None:
        """Report the result of one notebook: marks from the gradebook, the rest from its cells."""
        student, assignment = submission.student, submission.assignment
        marks = retry_while_locked(lambda: self.gradebook.marks(student, assignment, name))
        self.add(submission, name, status, notebook, marks)

    def add(
        self, submission: Submission, name: str, status: str, notebook: NotebookNode, marks: Marks
    ) -> None:
        """Keep a result."""
        result = Result(
            submission.student,
            submission.assignment,
            name,
            status,
            marks.score,
            marks.max_score,
            notebook.metadata.get("seconds", 0.0),
            [cell_result(cell) for cell in filter(is_grade, notebook.cells)],
            notebook.metadata.get(KERNELS, ""),
        )
        self.results.append(result)


def refuse_large_files(submission: Submission, limits: Iterable[Limits]) -> None:
    """Raise LessonError where the files of a submission alone are over its limit of the disk."""
    size = sum(map(len, submission.files.values()))
    limit = min(each.disk_mb for each in limits)
    if size > limit * MEGABYTE:
        raise LessonError(f"its files have {size // MEGABYTE} MB, the limit is {limit} MB")


def with_written(files: Mapping[str, bytes], written: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files of a submission as its answers left them.

    What nbgrader's own files say stays, and no file takes the place of a folder.
    """
    written = {name: content for name, content in written.items() if name not in OF_NBGRADER}
    kept = {name: content for name, content in files.items() if name not in written}
    return {**kept, **beside(written, kept)}


def without_pages(files: Mapping[str, bytes], notebooks: Iterable[str]) -> dict[str, bytes]:
    """Return the files of a submission without those in the places of feedback on notebooks."""
    pages = {f"{name}.html".casefold() for name in notebooks}
    return {
        name: content
        for name, content in files.items()
        if name.partition("/")[0].casefold() not in pages
    }


def write_submission(
    new: Path, old: Path, files: Mapping[str, bytes], notebooks: Mapping[str, NotebookNode]
) -> None:
    """Write the folder `new` of a graded submission; copy from `old` the notebooks not in it."""
    new.mkdir(parents=True)
    for name, content in files.items():
        if printable(name) != name:  # nbgrader would print it on a terminal
            continue
        (new / name).parent.mkdir(parents=True, exist_ok=True)
        (new / name).write_bytes(content)
    for path in filter(Path.is_file, old.glob("*.ipynb")):
        shutil.copy(path, new)
    for name, notebook in notebooks.items():
        (new / f"{name}.ipynb").unlink(missing_ok=True)
        # Without indentation: with it, writing takes ten times as long.
        nbformat.write(notebook, new / f"{name}.ipynb", indent=None)


def read(path: Path) -> NotebookNode:
    """Return a graded notebook."""
    return nbformat.read(path, as_version=4)
