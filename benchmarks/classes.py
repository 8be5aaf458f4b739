"""The classes that are graded: courses with submissions made from the answer bank."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager
from itertools import cycle, islice
from pathlib import Path

import nbformat
from nbgrader.utils import is_solution

from autograder.authoring.answer_bank import exercise_of
from autograder.authoring.build import build, notebook_path
from autograder.desk.demo import STUDENTS, choose, copy_lesson, right_and_wrong, submit
from autograder.grading.course import open_course, prepare

LIGHT = "00_doubling"
SEED = 1998


def make_class(root: Path, folder: Path, lessons: Sequence[str], size: int) -> Path:
    """Make a course in `folder`: `size` students like those of the demo, answers from the bank."""
    rng = random.Random(SEED)
    for lesson in lessons:
        copy_lesson(root, folder, lesson)
        choices = right_and_wrong(root, lesson)
        for number, ability in enumerate(islice(cycle(STUDENTS.values()), size), 1):
            submit(folder, lesson, f"student-{number:04}", choose(choices, *ability, rng))
        register(folder, lesson)
    return folder


def make_light_class(root: Path, folder: Path, size: int) -> None:
    """Make a course in `folder` with the smallest lesson; every other student answers nothing."""
    (folder / "lessons").mkdir(parents=True)
    shutil.copy(root / "benchmarks" / "lessons" / f"{LIGHT}.py", folder / "lessons")
    shutil.copy(root / "nbgrader_config.py", folder)
    build(folder, report=lambda line: None)
    source = nbformat.read(notebook_path(folder / "source", LIGHT), as_version=4)
    solutions = {exercise_of(cell): cell.source for cell in source.cells if is_solution(cell)}
    for number in range(1, size + 1):
        submit(folder, LIGHT, f"student-{number:04}", solutions if number % 2 else {})
    register(folder, LIGHT)


def register(folder: Path, lesson: str) -> None:
    """Enter the lesson in the gradebook of the course in `folder`, so that no run includes it."""
    with chdir(folder):
        prepare(open_course(), lesson)


@contextmanager
def fresh_copy(course: Path, size: int | None = None) -> Iterator[Path]:
    """A context with a copy of `course`, with all students or the first `size`."""

    def left_out(folder: str, names: list[str]) -> list[str]:
        return sorted(names)[size:] if size and Path(folder) == course / "submitted" else []

    with tempfile.TemporaryDirectory(prefix="run-", dir=course.parent) as copy:
        yield Path(shutil.copytree(course, copy, ignore=left_out, dirs_exist_ok=True))
