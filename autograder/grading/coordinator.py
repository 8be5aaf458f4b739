"""Grade the submissions of an assignment: fair, in parallel, into nbgrader's gradebook.

    for each submission: load -> examine -> record -> lay out in autograded/
                  coordinator    executor   coordinator

The coordinator alone touches the gradebook and the course folder; examine() runs under any
concurrent.futures.Executor. Marks are entered in one transaction, then the notebooks appear, with
the digest of what they come from: what has no such digest is graded again, so a run that was cut
short anywhere is finished by the next.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import determine_grade, is_grade
from sqlalchemy.exc import SQLAlchemyError

from autograder.errors import LessonError, one_line
from autograder.grading.course import read_assignment
from autograder.grading.gradebook import Book, Marks, patiently
from autograder.grading.pipeline import examine
from autograder.grading.submissions import Submission, find, load
from autograder.grading.verdict import recorded
from autograder.limits import limits_of

GRADED, KEPT, FAILED = "graded", "kept", "failed"
FROM = "graded_from"  # key in a graded notebook's metadata: the digest of what it comes from


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

    def in_words(self) -> str:
        """What became of it, and its marks, for a line of a log."""
        return f"{self.status}, {self.score:g} of {self.max_score:g}"

    def as_json(self) -> dict[str, Any]:
        """This result as plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Order:
    """What to grade: `names` of assignments in order, by default whole, and only what is new.

    `limits` are those that the user sets, by name (autograder.limits.Limits); `in_flight` is how
    many submissions are in memory at a time.
    """

    names: Sequence[str]
    limits: Mapping[str, Any] = field(default_factory=dict)
    force: bool = False
    students: Sequence[str] = ()
    notebook: str | None = None
    in_flight: int = 16


def grade(
    course: CourseDirectory,
    order: Order,
    executor: Executor,
    on_result: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """Grade submissions of assignments, each after prepare(); `on_result` is called for each.

    Returns the results by student, assignment and notebook.
    """
    converter = Autograde(coursedir=course, config=course.config)
    converter.log = logging.getLogger(f"{__name__}.nbgrader")
    converter.log.setLevel(logging.CRITICAL)  # each of our results says what went wrong
    book = patiently(lambda: Book(course, converter))
    try:
        results = Coordinator(converter, order, executor, book, on_result).run()
    finally:
        book.close()
    return sorted(results, key=lambda r: (r.student, r.assignment, r.notebook))


class Coordinator:
    """Hands out submissions and takes them back; the only one who writes."""

    def __init__(
        self,
        converter: Autograde,
        order: Order,
        executor: Executor,
        book: Book,
        on_result: Callable[[Result], None],
    ) -> None:
        self.converter, self.course = converter, converter.coursedir
        self.order, self.executor, self.book, self.on_result = order, executor, book, on_result
        self.results: list[Result] = []
        editable = converter.exclude_overwriting
        self.assignments = {
            name: patiently(
                partial(read_assignment, self.course, book, name, editable.get(name, ()))
            )
            for name in order.names
        }
        self.limits = {
            (name, notebook): limits_of(name, source.metadata, order.limits)
            for name, assignment in self.assignments.items()
            for notebook, source in assignment.notebooks.items()
        }

    def run(self) -> list[Result]:
        """Hand out each submission, and record each as it is done."""
        pending = [
            submission
            for name in self.order.names
            for submission in find(self.course, name, self.order.students)
        ]
        pending.reverse()
        waiting: dict[Future[Any], Submission] = {}
        while pending or waiting:
            while pending and len(waiting) < self.order.in_flight:
                submission = pending.pop()
                with self.others_unharmed(submission):
                    if future := self.hand_out(submission):
                        waiting[future] = submission
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                submission = waiting.pop(future)
                with self.others_unharmed(submission):
                    self.record(submission, future.result())
        return self.results

    def hand_out(self, submission: Submission) -> Future[Any] | None:
        """Send a submission to be executed, unless it was graded as it is."""
        assignment = self.assignments[submission.assignment]
        load(submission, assignment, self.course.ignore)
        if not self.order.force and all(map(self.is_graded(submission), submission.notebooks)):
            for name in submission.notebooks:
                self.tell(submission, name, KEPT, read(self.graded(submission) / f"{name}.ipynb"))
            return None
        chosen = self.chosen(submission)
        notebooks = [submission.notebooks[name] for name in chosen]
        limits = [self.limits[assignment.name, name] for name in chosen]
        resources = {"files": submission.files, "student": submission.student}
        return self.executor.submit(examine, notebooks, resources, limits)

    def chosen(self, submission: Submission) -> list[str]:
        """The notebooks of a submission that are asked for."""
        asked = self.order.notebook
        return [name for name in submission.notebooks if asked in (None, name)]

    @contextmanager
    def others_unharmed(self, submission: Submission) -> Iterator[None]:
        """Whatever goes wrong with one submission: say so, and go on with the others."""
        try:
            yield
        except LessonError as error:
            self.fail(submission, str(error))
        except Exception as error:  # a submission may hold anything
            self.fail(submission, one_line(error))

    def graded(self, submission: Submission) -> Path:
        """The folder where a graded submission lies."""
        folder = self.course.autograded_directory
        path = self.course.format_path(folder, submission.student, submission.assignment)
        return Path(path)

    def is_graded(self, submission: Submission) -> Callable[[str], bool]:
        """Tells whether the marks of a notebook can stand: it comes from just this submission.

        What stock nbgrader graded has no digest: there the time of submission decides.
        """
        folder = self.graded(submission)

        def unchanged(name: str) -> bool:
            path = folder / f"{name}.ipynb"
            if self.order.notebook not in (None, name):
                return True
            if not path.exists():
                return False
            known = read(path).metadata.get(FROM)
            if known is not None:
                return bool(known == submission.digest)
            new, old = self.submitted(submission.folder), self.submitted(str(folder))
            return not (new and old and new > old)

        return unchanged

    def submitted(self, folder: str) -> Any:
        """When a submission was handed in, as its timestamp.txt says; None where it is silent."""
        try:
            return self.course.get_existing_timestamp(folder)
        except AttributeError:  # nbgrader 0.9.6 stumbles over a time that it cannot read
            raise LessonError("its timestamp.txt holds no time") from None

    def record(self, submission: Submission, examined: list[NotebookNode]) -> None:
        """Enter the marks of what was examined, then lay out the notebooks."""
        chosen = dict(zip(self.chosen(submission), examined, strict=True))
        for notebook in examined:
            notebook.metadata[FROM] = submission.digest
        expected = self.assignments[submission.assignment].notebooks
        missing = sorted(expected.keys() - submission.notebooks.keys())
        time = self.submitted(submission.folder)
        student, assignment = submission.student, submission.assignment
        patiently(lambda: self.book.record(student, assignment, time, chosen, missing))
        self.lay_out(submission, chosen)
        for name, notebook in chosen.items():
            self.tell(submission, name, GRADED, notebook)

    def lay_out(self, submission: Submission, notebooks: dict[str, NotebookNode]) -> None:
        """Write what was graded into its folder under autograded/, all at once."""
        folder = self.graded(submission)
        new = folder.parent / f".{folder.name}.new"
        shutil.rmtree(new, ignore_errors=True)  # of a run that was cut short
        try:
            fill(new, folder, submission.files, notebooks)
        except OSError as error:  # no space left: leave it to those that fit
            shutil.rmtree(new, ignore_errors=True)
            reason = f"{error.strerror}: {folder.parent} cannot be written"
            raise LessonError(f"{reason}. Its marks stand, call again to finish") from None
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)
        self.converter.set_permissions(submission.assignment, submission.student)

    def fail(self, submission: Submission, reason: str) -> None:
        """Tell of a submission that cannot be graded: no marks, or those of the one before it."""
        nothing = NotebookNode(cells=[], metadata=NotebookNode())
        name = min(self.assignments[submission.assignment].notebooks)
        try:
            patiently(lambda: self.book.enter(submission.student, submission.assignment))
            self.tell(submission, name, f"{FAILED}: {reason}", nothing)
        except SQLAlchemyError:  # the reason may be the gradebook itself
            self.add(submission, name, f"{FAILED}: {reason}", nothing, Marks(0.0, 0.0))

    def tell(self, submission: Submission, name: str, status: str, notebook: NotebookNode) -> None:
        """Add the result of one notebook: marks from the gradebook, the rest from its cells."""
        student, assignment = submission.student, submission.assignment
        marks = patiently(lambda: self.book.marks(student, assignment, name))
        self.add(submission, name, status, notebook, marks)

    def add(
        self, submission: Submission, name: str, status: str, notebook: NotebookNode, marks: Marks
    ) -> None:
        """Keep a result and pass it on."""
        result = Result(
            submission.student,
            submission.assignment,
            name,
            status,
            marks.score,
            marks.max_score,
            notebook.metadata.get("seconds", 0.0),
            [cell_result(cell) for cell in filter(is_grade, notebook.cells)],
        )
        self.results.append(result)
        self.on_result(result)


def fill(
    new: Path, old: Path, files: Mapping[str, bytes], notebooks: Mapping[str, NotebookNode]
) -> None:
    """Make the folder `new` of a graded submission; notebooks of `old` that are not new stay."""
    new.mkdir(parents=True)
    for name, content in files.items():
        (new / name).parent.mkdir(parents=True, exist_ok=True)
        (new / name).write_bytes(content)
    for path in old.glob("*.ipynb"):
        shutil.copy(path, new)
    for name, notebook in notebooks.items():
        (new / f"{name}.ipynb").unlink(missing_ok=True)
        # Laid out for people to read, it would take ten times as long to write.
        nbformat.write(notebook, new / f"{name}.ipynb", indent=None)


def read(path: Path) -> NotebookNode:
    """A notebook that was graded."""
    return nbformat.read(path, as_version=4)


def cell_result(cell: NotebookNode) -> CellResult:
    """The result of a graded cell."""
    points, max_points = determine_grade(cell)
    verdict = recorded(cell)
    grade_id = cell.metadata.nbgrader["grade_id"]
    return CellResult(grade_id, points, max_points, verdict["outcome"], verdict["message"])


def summary(results: Iterable[Result]) -> dict[str, int]:
    """How many results there are of each status."""
    counts = {GRADED: 0, KEPT: 0, FAILED: 0}
    for result in results:
        counts[result.status.partition(":")[0]] += 1
    return counts
