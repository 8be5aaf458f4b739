"""nbgrader's generate_assignment: from source/ to release/, and into the gradebook."""

from __future__ import annotations

import copy
import logging
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from glob import has_magic
from pathlib import Path

from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbgrader.converters import GenerateAssignment
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from autograder.errors import LessonError


def generate_assignment(
    root: Path, name: str, release: str, database: str | None, settings: Config | None = None
) -> None:
    """Run nbgrader's generate_assignment on source/`name` of the course at `root`.

    With a `database` (a URL), enter the assignment there, with the hidden tests. `settings` is the
    course's configuration. Raise LessonError where nbgrader fails. Called by
    autograder.authoring.build.make_release and autograder.grading.course.register.
    """
    with plain_path(root) as plain_root:
        generate(plain_root, name, release, database, settings)


@contextmanager
def plain_path(root: Path) -> Iterator[Path]:
    """Return a path to a folder that means the same as a pattern: nbgrader takes it as one."""
    if not has_magic(str(root)):
        yield root
        return
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder, "course")
        link.symlink_to(root)
        yield link


def generate(
    root: Path, name: str, release: str, database: str | None, settings: Config | None
) -> None:
    """Run nbgrader's generate_assignment, as generate_assignment() says."""
    config = copy.deepcopy(settings) if settings else Config()
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.release_directory = release
    config.CourseDirectory.assignment_id = name
    config.GenerateAssignment.force = True
    config.GenerateAssignment.no_database = database is None
    config.SaveCells.enabled = database is not None
    config.CourseDirectory.db_url = database or "sqlite://"
    config.ClearMetadataPreprocessor.enabled = True
    config.ClearMetadataPreprocessor.clear_cell_metadata = False
    config.ClearMetadataPreprocessor.preserve_nb_metadata_mask = {"kernelspec", "language_info"}
    converter = GenerateAssignment(coursedir=CourseDirectory(config=config), config=config)
    converter.preprocessors = [*converter.preprocessors, ClearMetadataPreprocessor]
    converter.log, errors = logging.getLogger(f"{__name__}.nbgrader"), ErrorLog()
    converter.log.addHandler(errors)
    converter.log.propagate = False
    try:
        converter.start()
    except NbGraderException:
        reason = errors.error_of_traceback()
        raise LessonError(f"{name}: nbgrader cannot make the release version: {reason}") from None
    finally:
        converter.log.removeHandler(errors)


class ErrorLog(logging.Handler):
    """The errors that nbgrader logs: its exceptions only refer to the log."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the lines of a record."""
        self.lines += record.getMessage().splitlines()

    def error_of_traceback(self) -> str:
        """Return the last line that names an exception; else the last line of the log."""
        named = [line for line in self.lines if re.match(r"[\w.]+(Error|Exception)\b", line)]
        return (named or self.lines or ["it logs no reason"])[-1]
