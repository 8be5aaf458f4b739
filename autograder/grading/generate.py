"""Run nbgrader's generate_assignment: source/ becomes release/, and the gradebook learns of it."""

from __future__ import annotations

import copy
import logging
import re
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

    With a `database` (a URL) it enters the assignment there, with the hidden tests; `settings`
    are the course's own. Called by make_release, and by assignments.register.
    """
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
    converter.log, said = logging.getLogger(f"{__name__}.nbgrader"), LastWords()
    converter.log.addHandler(said)
    converter.log.propagate = False
    try:
        converter.start()
    except NbGraderException:
        reason = said.error_of_traceback()
        raise LessonError(f"{name}: nbgrader cannot make the release version: {reason}") from None
    finally:
        converter.log.removeHandler(said)


class LastWords(logging.Handler):
    """Keeps what nbgrader logs as errors: its exceptions only say that something was logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += record.getMessage().splitlines()

    def error_of_traceback(self) -> str:
        """The line that names the exception; all that was said where there is none."""
        named = [line for line in self.lines if re.match(r"[\w.]+(Error|Exception)\b", line)]
        return (named or self.lines or ["it does not say why"])[-1]
