"""The nbgrader course of the working folder: its settings, its assignments, its gradebook.

open_course -> prepare (each assignment) -> autograder.grading.coordinator
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps.baseapp import NbGrader
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import make_url
from sqlalchemy.exc import DatabaseError, SAWarning

from autograder.errors import UsageError, one_line
from autograder.examiner.released import instructor_text
from autograder.grading.changed import changed_cells, name_of, named_cells, source_cells
from autograder.grading.generate import generate_assignment
from autograder.grading.gradebook import GradebookSession, database_errors, retry_while_locked
from autograder.grading.submissions import (
    Assignment,
    SourceNotebook,
    digest_of,
    find,
    of_all_students,
    other_files,
)
from autograder.sandbox.preload import setup_imports
from autograder.versions import versions

# nbgrader 0.9.6 adds submissions in an order that SQLAlchemy 2 warns about; the rows are right.
warnings.filterwarnings("ignore", "Object of type .* not in session", SAWarning)


def open_course() -> CourseDirectory:
    """Return the nbgrader course of the working folder, with its nbgrader_config.py applied."""
    # nbgrader runs alembic by name: put its folder on PATH even if no environment is activated.
    os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    app = NbGrader()
    app.log_level = logging.CRITICAL
    app.raise_config_file_errors = True
    try:
        app.initialize([])
    except Exception as error:  # a configuration file is a program
        raise UsageError(f"nbgrader_config.py cannot be read: {one_line(error)}") from None
    course: CourseDirectory = app.coursedir
    # The user's configuration may name another course, for the formgrader of a server.
    course.root = os.getcwd()
    course.config = app.config
    return course


def prepare(
    course: CourseDirectory,
    assignment: str,
    students: Sequence[str] = (),
    notebook: str | None = None,
    force: bool = False,
) -> int:
    """Enter `assignment` in the gradebook if it is new or changed; return the number of students.

    `students` and `notebook` restrict what is graded; by default all submissions count. Raise
    UsageError where there is nothing to grade, or, without `force`, where work was graded with
    other tests.
    """
    require_assignment(course, assignment)
    pattern = course.format_path(course.submitted_directory, "*", assignment)
    submitted_by = {submission.student for submission in find(course, assignment)}
    if not submitted_by:
        raise UsageError(
            f"nothing to grade: {pattern} matches no folder. Collect the submissions first"
            f" (nbgrader collect {assignment}), or copy them there"
        )
    if unknown := set(students) - submitted_by:
        raise UsageError(f"no submission of {assignment} by {', '.join(sorted(unknown))}")
    names = {Path(path).stem for path in sources(course, assignment)}
    if notebook not in (None, *names):
        raise UsageError(
            f"{assignment} has no notebook {notebook!r}; available: {', '.join(sorted(names))}"
        )
    if not force and (changed := changed_since_graded(course, assignment)):
        raise UsageError(
            f"{assignment}: {', '.join(changed)} changed in source/ since work was graded."
            f" `autograder regrade {assignment}` shows whose marks change; nothing was graded"
        )
    register(course, assignment)
    return len(set(students) or submitted_by)


def changed_since_graded(course: CourseDirectory, assignment: str) -> list[str]:
    """Return the cells of an assignment that are no longer those by which work was graded."""
    graded = of_all_students(course, course.autograded_directory, assignment)
    return changed_cells(map(Path, sources(course, assignment)), graded)


def assignments(course: CourseDirectory) -> set[str]:
    """Return the names of all assignments that have a source."""
    folder = Path(course.format_path(course.source_directory, ".", "."))
    return {path.parent.name for path in folder.glob("*/*.ipynb")}


def require_assignment(course: CourseDirectory, assignment: str) -> None:
    """Raise UsageError unless the course has an assignment of this name."""
    known = assignments(course)
    if not known:
        raise UsageError(
            f"no assignments in {course.root}: run this in a folder with nbgrader's layout"
            " (source/, submitted/)"
        )
    if assignment not in known:
        raise UsageError(f"no assignment {assignment!r}; available: {', '.join(sorted(known))}")


def register(course: CourseDirectory, assignment: str) -> None:
    """Enter an assignment in the gradebook, with its hidden tests, if it is new or changed.

    Raise UsageError where it cannot be graded here.
    """
    paths = sources(course, assignment)
    notebooks = {Path(path).stem: nbformat.read(path, as_version=4) for path in paths}
    for name, notebook in notebooks.items():
        if language := other_language(notebook):
            raise UsageError(
                f"{assignment}/{name}.ipynb is a notebook in {language}: the grader runs Python"
                " alone. `nbgrader autograde` can grade it, without confinement"
            )
    try:
        with database_errors():
            known = retry_while_locked(lambda: registered_cells(course, assignment))
    except DatabaseError as error:
        url = make_url(course.db_url).render_as_string(hide_password=True)
        reason = one_line(error.orig or error)
        raise UsageError(f"the gradebook {url} cannot be used: {reason}") from None
    if known == source_cells(notebooks):
        return
    with tempfile.TemporaryDirectory() as release:
        generate_assignment(
            Path(course.root), assignment, release, course.db_url, settings=course.config
        )


def registered_cells(course: CourseDirectory, assignment: str) -> dict[tuple[str, str], str | None]:
    """Return the released cells in the gradebook, with the checksum of those that are locked.

    By the names of notebook and cell.
    """
    with Gradebook(course.db_url, course.course_id) as gradebook:
        try:
            entry = gradebook.find_assignment(assignment)
        except MissingEntry:
            return {}
        return {
            (notebook.name, cell.name): cell.checksum if cell.locked else None
            for notebook in entry.notebooks
            for cell in notebook.source_cells
        }


def read_assignment(
    course: CourseDirectory, gradebook: GradebookSession, name: str, editable: Sequence[str] = ()
) -> Assignment:
    """Return what all submissions of a registered assignment are graded with."""
    paths = sources(course, name)
    texts = {Path(path).name: Path(path).read_bytes() for path in paths}
    folder = course.format_path(course.source_directory, ".", name)
    files = other_files(folder, course.ignore)
    notebooks = {}
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        order = [name_of(cell) for cell in named_cells(notebook)]
        stem = Path(path).stem
        released = gradebook.released(name, stem, order)
        instructor = instructor_text(notebook.cells, files)
        notebooks[stem] = SourceNotebook(stem, released, notebook, instructor)
    digest = digest_of({**files, **texts}, versions())
    return Assignment(name, notebooks, files, editable, digest)


def other_language(notebook: NotebookNode) -> str:
    """Return the language that a notebook asks for, if it is not Python; else nothing."""
    spec, info = (notebook.metadata.get(key) or {} for key in ("kernelspec", "language_info"))
    language = spec.get("language") or info.get("name")
    if not language:
        with suppress(NoSuchKernel):
            language = KernelSpecManager().get_kernel_spec(spec.get("name", "python3")).language
    is_python = str(language or "python").lower().startswith(("python", "ipython"))
    return "" if is_python else str(spec.get("display_name") or language)


def sources(course: CourseDirectory, assignment: str) -> list[str]:
    """Return the paths of an assignment's notebooks in source/."""
    folder = Path(course.format_path(course.source_directory, ".", assignment))
    return sorted(map(str, folder.glob("*.ipynb")))


def imports_of(course: CourseDirectory, names: Iterable[str]) -> set[str]:
    """Return the modules that the assignments' locked setup cells import."""
    return setup_imports(path for name in names for path in sources(course, name))
