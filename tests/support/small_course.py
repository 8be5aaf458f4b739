"""A small nbgrader course: its lesson, its class, its grading."""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import nbformat
from nbgrader.api import Gradebook

from autograder.authoring.answer_bank import answered
from autograder.authoring.build import build, notebook_path
from tests.support.paths import ROOT

LESSON = "00_doubling"
BIN = Path(sys.executable).parent
RIGHT = {"double": "def double(x):\n    return x + x", "greet": "def greet():\n    return 'hello'"}
# Patterns of the lesson, and what replaces them where its tests use course.check.
CHECKS = (
    (r"import sys\n", "import sys\n\nfrom course import check\n"),
    (r"found = (\w+\(\d\))\nassert found == (\d),.*", r'check.equal(\1, \2, "\1")'),
    (r'assert (isinstance.*), (".*")', r"check.that(\1, \2)"),
)
FULL_MARKS = {"test-double": 1, "hidden-double": 2, "test-greet": 4, "essay": 0}


def with_double(source: str) -> dict[str, str]:
    """Return right answers, except to double."""
    return RIGHT | {"double": source}


def with_greeting(source: str) -> dict[str, str]:
    """Return right answers, except to greet."""
    return RIGHT | {"greet": source}


def wait_until(true: Callable[[], bool], seconds: float = 20) -> bool:
    """Return whether `true()` becomes true within so many seconds."""
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return true()


def activated() -> dict[str, str]:
    """Return the environment variables of a shell in which the environment is activated."""
    return {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}


class Course:
    """A folder with nbgrader's layout, the lesson of benchmarks/lessons/ and submissions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.command: tuple[str, ...] = ("autograder",)

    def hand_in(
        self,
        student: str,
        answers: dict[str, str] | None = None,
        assignment: str = LESSON,
    ) -> None:
        """Submit the released notebook with `answers` by exercise."""
        folder = self.folder / "submitted" / student / assignment
        folder.mkdir(parents=True)
        self.write(folder, answers or {}, assignment)

    def write(self, folder: Path, answers: dict[str, str], assignment: str = LESSON) -> None:
        """Write the released notebook with `answers` into a folder."""
        notebook = nbformat.read(notebook_path(self.folder / "release", assignment), as_version=4)
        nbformat.write(answered(notebook, answers), folder / f"{assignment}.ipynb")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment in the course's folder."""
        return subprocess.run(
            [str(BIN / command[0]), *command[1:]],
            cwd=self.folder,
            env=activated(),
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, *command: str, **how: Any) -> subprocess.Popen[str]:
        """Start a command, which may still run when this returns; `how` is for Popen."""
        return subprocess.Popen(
            [str(BIN / command[0]), *command[1:]],
            cwd=self.folder,
            env=activated(),
            text=True,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how},
        )

    def grade(self, *options: str, assignment: str = LESSON) -> dict[str, dict[str, Any]]:
        """Return the result of each student, as `autograder grade --json` writes it."""
        done = self.run(*self.command, "grade", assignment, "--json", "out.json", *options)
        assert done.returncode in (0, 1), done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return {r["student"]: r for r in json.loads((self.folder / "out.json").read_text())}


def outcomes(result: dict[str, Any]) -> dict[str, str]:
    """Return the outcome of each graded cell, by grade_id."""
    return {cell["grade_id"]: cell["outcome"] for cell in result["cells"]}


def points(result: dict[str, Any]) -> dict[str, float | None]:
    """Return the points of each graded cell, by grade_id."""
    return {cell["grade_id"]: cell["points"] for cell in result["cells"]}


def make_course(folder: Path, checked: bool = False) -> Course:
    """Return a course in `folder`: the small lesson, built, and an empty gradebook.

    `checked`: its tests use course.check, as those of a real lesson do.
    """
    shutil.copytree(built_once(checked), folder, dirs_exist_ok=True)
    return Course(folder)


@cache
def built_once(checked: bool) -> Path:
    """Return a folder in which the small lesson was built; each worker of the tests has one."""
    folder = Path(tempfile.mkdtemp(prefix="course-"))
    atexit.register(shutil.rmtree, folder)
    (folder / "lessons").mkdir()
    lesson = (ROOT / "benchmarks" / "lessons" / f"{LESSON}.py").read_text()
    for plain, check in CHECKS if checked else ():
        lesson, count = re.subn(plain, check, lesson)
        assert count
    (folder / "lessons" / f"{LESSON}.py").write_text(lesson)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    build(folder, report=lambda line: None)
    with patch.dict(os.environ, activated()):  # nbgrader calls alembic by its name
        Gradebook(f"sqlite:///{folder}/gradebook.db", "cnn").close()
    return folder
