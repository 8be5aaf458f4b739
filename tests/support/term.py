"""A term in a gradebook, entered through nbgrader's API: no notebook is run."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import nbformat
import typer
from nbformat.v4 import new_markdown_cell, new_notebook
from nbgrader.api import Gradebook
from typer.testing import CliRunner, Result

from autograder.desk.commands import desk
from tests.support.small_course import activated

# Lessons, with the points of their test cells.
LESSONS: dict[str, dict[str, float]] = {
    "01_filters": {"test-slide": 2, "hidden-slide": 3, "test-edge": 5},
    "02_convolution": {"test-loops": 4, "hidden-loops": 6, "essay": 10},
}
TITLES = {"01_filters": "Filters", "02_convolution": "Convolution, built three times"}
# First name, last name, e-mail, the platform's id.
CLASS = {
    "ada": ("Ada", "Lovelace", "ada@uni.example", "101"),
    "emmy": ("Emmy", "Noether", "emmy@uni.example", "102"),
    "shafi": ("Shafi", "Goldwasser", "Shafi@Uni.example", "103"),
    "oconnor": ("Séan", "O'Connor, Jr.", "sean@uni.example", "104"),
}
SUBMITTED = datetime(2026, 11, 2, 12, 0)  # UTC
app = typer.Typer()
app.add_typer(desk)


@app.callback()
def main() -> None:
    """The commands of the desk, without those of the grader."""


class Term:
    """A course folder with a gradebook, in which the desk's commands are called."""

    def __init__(self, folder: Path, url: str = "") -> None:
        self.folder = folder
        self.url = url or f"sqlite:///{folder}/gradebook.db"
        config = (
            f"c = get_config()\nc.CourseDirectory.root = {str(folder)!r}\n"
            f"c.CourseDirectory.course_id = 'cnn'\nc.CourseDirectory.db_url = {self.url!r}\n"
        )
        (folder / "nbgrader_config.py").write_text(config)
        for lesson, title in TITLES.items():
            (folder / "source" / lesson).mkdir(parents=True)
            notebook = new_notebook(cells=[new_markdown_cell(f"# {title}")])
            nbformat.write(notebook, folder / "source" / lesson / f"{lesson}.ipynb")

    @contextmanager
    def gradebook(self) -> Iterator[Gradebook]:
        """Yield the gradebook, and let go of it."""
        with warnings.catch_warnings(), Gradebook(self.url, "cnn") as gradebook:
            # nbgrader adds submissions in an order that SQLAlchemy 2 warns about.
            warnings.filterwarnings("ignore", "Object of type .* not in session")
            yield gradebook
        gradebook.engine.dispose()

    def enter(
        self,
        students: Mapping[str, tuple[str, str, str, str]] = CLASS,
        lessons: Mapping[str, Mapping[str, float]] = LESSONS,
    ) -> None:
        """Enter students and lessons, without marks."""
        with self.gradebook() as gradebook:
            for student, (first, last, email, number) in students.items():
                names = {"first_name": first, "last_name": last, "email": email}
                gradebook.add_student(student, lms_user_id=number or None, **names)
            for lesson, cells in lessons.items():
                gradebook.add_assignment(lesson, course_id="cnn")
                gradebook.add_notebook(lesson, lesson)
                for cell, points in cells.items():
                    kind = "markdown" if cell == "essay" else "code"
                    gradebook.add_grade_cell(cell, lesson, lesson, max_score=points, cell_type=kind)

    def mark(
        self,
        student: str,
        lesson: str,
        points: Mapping[str, float],
        submitted: datetime = SUBMITTED,
        penalty: float | None = None,
    ) -> None:
        """Enter the marks of one submission; a cell that is not named waits for a person."""
        with self.gradebook() as gradebook:
            submission = gradebook.update_or_create_submission(lesson, student, timestamp=submitted)
            (notebook,) = submission.notebooks
            notebook.late_submission_penalty = penalty
            for grade in notebook.grades:
                grade.auto_score = points.get(grade.name)
                grade.needs_manual_grade = grade.name not in points
            gradebook.db.commit()

    def penalty(self, student: str, lesson: str) -> float:
        """Return what lateness takes off, as nbgrader reads it."""
        with self.gradebook() as gradebook:
            return float(gradebook.find_submission(lesson, student).late_submission_penalty)

    def score(self, student: str, lesson: str) -> float:
        """Return what counts, as nbgrader's exporter computes it."""
        with self.gradebook() as gradebook:
            submission = gradebook.find_submission(lesson, student)
            return max(0.0, submission.score - submission.late_submission_penalty)

    def run(self, *command: str) -> Result:
        """Run a command of the desk in the course's folder."""
        before = Path.cwd()
        os.chdir(self.folder)
        try:
            return CliRunner(env={"COLUMNS": "200"}).invoke(app, command)
        finally:
            os.chdir(before)

    def write(self, name: str, text: str, encoding: str = "utf-8") -> Path:
        """Write a file, exactly; return its path."""
        path = self.folder / name
        path.write_bytes(text.encode(encoding))
        return path

    def lines(self, name: str) -> list[str]:
        """Return the lines of a file that was written."""
        return (self.folder / name).read_text().splitlines()


@cache
def empty_gradebook() -> Path:
    """Return a gradebook without entries: nbgrader makes one in a second."""
    folder = Path(tempfile.mkdtemp(prefix="gradebook-"))
    atexit.register(shutil.rmtree, folder)
    with patch.dict(os.environ, activated()):  # nbgrader calls alembic by its name
        gradebook = Gradebook(f"sqlite:///{folder}/gradebook.db", "cnn")
        gradebook.close()
        gradebook.engine.dispose()
    return folder / "gradebook.db"


def make_term(folder: Path, **entries: Any) -> Term:
    """Return a term in `folder`: students and lessons of above, or of `entries`, without marks."""
    shutil.copy(empty_gradebook(), folder)
    term = Term(folder)
    term.enter(**entries)
    return term


def make_marked_term(folder: Path) -> Term:
    """Return a term in `folder` whose class has marks."""
    shutil.copy(marked_gradebook(), folder)
    return Term(folder)


@cache
def marked_gradebook() -> Path:
    """Return a gradebook with the marks of the class, entered once."""
    folder = Path(tempfile.mkdtemp(prefix="gradebook-"))
    atexit.register(shutil.rmtree, folder)
    with_marks(make_term(folder))
    return folder / "gradebook.db"


def with_marks(term: Term) -> Term:
    """Enter the marks of the class: one student is late, one handed nothing in."""
    full = {"test-slide": 2.0, "hidden-slide": 3.0, "test-edge": 5.0}
    term.mark("ada", "01_filters", full)
    term.mark("emmy", "01_filters", full | {"test-edge": 2.25}, penalty=1.0)
    term.mark("oconnor", "01_filters", full | {"hidden-slide": 0.0})
    term.mark("ada", "02_convolution", {"test-loops": 4, "hidden-loops": 6, "essay": 9.5})
    term.mark("emmy", "02_convolution", {"test-loops": 4, "hidden-loops": 0})
    return term
