"""A demonstration class: 24 students with answers from the answer bank, graded for real.

    make_class -> grade (each lesson) -> grades.csv (nbgrader export) -> report.html

All files are written to demo/, a course with nbgrader's layout: its formgrader, feedback and
exporters work there. Every mark comes from executing the submission.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import chdir
from datetime import UTC, datetime
from pathlib import Path

import jupytext
import nbformat

from autograder.authoring.answer_bank import answered, read_answers
from autograder.authoring.build import notebook_path
from autograder.desk.marks import open_gradebook
from autograder.desk.report import write_report
from autograder.errors import UsageError
from autograder.execution.execute import local_executor
from autograder.grading.coordinator import GradingRequest, grade
from autograder.grading.course import imports_of, open_course, prepare
from autograder.grading.results import Result

COUNTING, LENET = "03_counting", "04_lenet"
LESSONS = (LENET, COUNTING)  # long notebooks first: short ones fill the idle workers at the end
LIMITS = {"cell_seconds": 10, "confined": False}
SEED = 1998  # the year of LeNet-5

# By student: how many answers of ten are right, and how many of ten of the rest are missing.
STUDENTS = {
    "ada": (10, 0), "alan": (10, 0), "annie": (8, 5), "barbara": (9, 0), "shafi": (9, 2),
    "donald": (10, 0), "edsger": (7, 0), "emmy": (10, 0), "fei-fei": (9, 0), "frances": (6, 5),
    "geoffrey": (8, 0), "grace": (10, 0), "hedy": (5, 3), "joan": (7, 2), "john": (4, 8),
    "katherine": (9, 0), "ken": (6, 0), "kunihiko": (8, 0), "margaret": (9, 0), "mary": (3, 9),
    "radia": (7, 0), "sophie": (5, 0), "tim": (2, 10), "yann": (10, 0),
}  # fmt: skip
WITH_LENET = ("ada", "frances", "hedy", "john", "ken", "mary", "tim", "yann")
SUBMISSIONS = len(STUDENTS) + len(WITH_LENET)
MISHAPS = {"alan": "loops_forever", "donald": "prints_a_gigabyte", "grace": "kills_its_kernel"}


def run_demo(root: Path, jobs: int, step: Callable[[list[Result]], None]) -> list[Result]:
    """Make the class in demo/ anew, grade it and write its report. Return all results.

    `step` is called as each submission is graded. Raise UsageError outside the repository.
    """
    if not (root / "answers").is_dir():
        raise UsageError(f"no answer bank in {root}: run this in the course's repository")
    folder = root / "demo"
    if folder.exists():
        shutil.rmtree(folder)
    make_class(root, folder)
    with chdir(folder):
        course = open_course()
        with local_executor(jobs, imports_of(course, LESSONS)) as pool:
            for lesson in LESSONS:
                prepare(course, lesson)
            results = grade(course, GradingRequest(LESSONS, LIMITS), pool, on_submission=step)
        export(folder / "grades.csv")
        with open_gradebook(course) as gradebook:
            write_report(course, gradebook, folder / "report.html", title="The demo class")
    return results


def export(path: Path) -> None:
    """Write the marks in the gradebook of the working folder, with nbgrader's exporter."""
    nbgrader = [sys.executable, "-m", "nbgrader", "export", "--to", str(path)]
    subprocess.run(nbgrader, check=True, capture_output=True)


def make_class(root: Path, folder: Path) -> None:
    """Write the demo course into `folder`, from the repository at `root`."""
    for lesson in LESSONS:
        copy_lesson(root, folder, lesson)
    rng = random.Random(SEED)
    for lesson, students in ((COUNTING, tuple(STUDENTS)), (LENET, WITH_LENET)):
        choices = right_and_wrong(root, lesson)
        for student in students:
            answers = choose(choices, *STUDENTS[student], rng)
            if lesson == COUNTING and student in MISHAPS:
                answers |= mishap(root, MISHAPS[student])
            submit(folder, lesson, student, answers)


def copy_lesson(root: Path, folder: Path, lesson: str) -> None:
    """Copy a built lesson, and the settings, into the course in `folder`."""
    for stage in ("source", "release"):
        shutil.copytree(root / stage / lesson, folder / stage / lesson)
    shutil.copy(root / "nbgrader_config.py", folder)


def right_and_wrong(root: Path, lesson: str) -> dict[str, tuple[list[str], list[str]]]:
    """Return the right and the wrong answers to each exercise of a lesson."""
    answers: dict[str, tuple[list[str], list[str]]] = {}
    for answer in read_answers(root / "answers" / f"{lesson}.py"):
        answers.setdefault(answer.exercise, ([], []))[not answer.right].append(answer.source)
    return answers


def choose(
    choices: Mapping[str, tuple[list[str], list[str]]],
    right_of_ten: int,
    missing_of_ten: int,
    rng: random.Random,
) -> dict[str, str]:
    """Return the answers of one student, drawn from `choices`; a missing answer keeps its stub."""
    answers = {}
    for exercise, (right, wrong) in choices.items():
        if rng.random() < right_of_ten / 10:
            answers[exercise] = rng.choice(right)
        elif rng.random() >= missing_of_ten / 10:
            answers[exercise] = rng.choice(wrong)
    return answers


def mishap(root: Path, behaviour: str) -> dict[str, str]:
    """Return the answers in answers/mishaps/<behaviour>.py, by exercise."""
    cells = jupytext.read(root / "answers" / "mishaps" / f"{behaviour}.py").cells
    return {cell.metadata["title"]: cell.source for cell in cells if cell.cell_type == "code"}


def submit(folder: Path, lesson: str, student: str, answers: Mapping[str, str]) -> None:
    """Write a submission of the released notebook with `answers`, as nbgrader's collect does."""
    notebook = nbformat.read(notebook_path(folder / "release", lesson), as_version=4)
    submission = folder / "submitted" / student / lesson
    submission.mkdir(parents=True)
    nbformat.write(answered(notebook, answers), submission / f"{lesson}.ipynb")
    stamp = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f} UTC\n"
    (submission / "timestamp.txt").write_text(stamp)
