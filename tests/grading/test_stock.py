"""Honest work gets the very marks that stock `nbgrader autograde` gives it.

One lesson with a third of its answer bank, one that trains with two students.
Stock's own kernels take many seconds for a notebook: some of the first class have them, the others
have forked kernels under stock's own grader. In the lesson that trains one student has one answer
wrong: the outcome of several wrong ways to train, one built on the other, depends on random
numbers, which are drawn in another order in two kernels than in one. Stock nbgrader does not check
whose work a coursework is.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograder.desk.demo import right_and_wrong
from tests.support.paths import ROOT
from tests.support.small_course import Course

MARKS = dict[str, dict[str, float]]
COUNTS = "03_counting"
PARTS = 3  # of its class; the first is graded with stock's own kernels
TRAINS, WRONG = "05_training", "plain_net"


def third_of_a_bank(lesson: str) -> dict[str, dict[str, str]]:
    """Return a class with every third answer of the bank; one student answers nothing."""
    choices = {
        name: [*wrong, *right][::3]
        for name, (right, wrong) in right_and_wrong(ROOT, lesson).items()
    }
    size = max(map(len, choices.values()))
    return {"nothing": {}} | {
        f"student-{k:02}": {name: all_[k % len(all_)] for name, all_ in choices.items()}
        for k in range(size)
    }


def one_wrong(lesson: str, exercise: str) -> dict[str, dict[str, str]]:
    """Return a class of two: one answers an exercise wrongly, one answers nothing."""
    bank = right_and_wrong(ROOT, lesson)
    right = {name: right[0] for name, (right, _) in bank.items()}
    return {"nothing": {}, exercise: right | {exercise: bank[exercise][1][0]}}


def part_of(class_: dict[str, dict[str, str]], stock_kernels: bool) -> dict[str, dict[str, str]]:
    """Return the students who are graded with stock's own kernels, or the others."""
    return {
        s: answers
        for k, (s, answers) in enumerate(class_.items())
        if (k % PARTS == 0) == stock_kernels
    }


CLASSES = {
    "own kernels": (COUNTS, part_of(third_of_a_bank(COUNTS), stock_kernels=True), None),
    "forked kernels": (COUNTS, part_of(third_of_a_bank(COUNTS), stock_kernels=False), "forked"),
    "training": (TRAINS, one_wrong(TRAINS, WRONG), "forked"),
}


def course_with(lesson: str, students: dict[str, dict[str, str]], folder: Path) -> Course:
    for stage in ("source", "release"):
        shutil.copytree(ROOT / stage / lesson, folder / stage / lesson)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    course = Course(folder)
    for student, answers in students.items():
        course.hand_in(student, answers, assignment=lesson)
    return course


def marks(course: Course, lesson: str) -> MARKS:
    """Return the points of each graded cell of each student, from the gradebook."""
    with Gradebook(f"sqlite:///{course.folder / 'gradebook.db'}") as gradebook:
        return {
            entry.student.id: {
                grade.cell.name: grade.score for nb in entry.notebooks for grade in nb.grades
            }
            for entry in gradebook.assignment_submissions(lesson)
        }


@pytest.mark.slow
@pytest.mark.xdist_group("stock")  # groups come first, and these take long
@pytest.mark.parametrize(("lesson", "students", "kernels"), CLASSES.values(), ids=CLASSES)
def test_marks_are_those_of_stock_nbgrader(
    lesson: str,
    students: dict[str, dict[str, str]],
    kernels: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Training depends on the number of threads; our kernels have one.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    if kernels:
        monkeypatch.setenv("JUPYTER_DEFAULT_PROVISIONER_NAME", kernels)
    course = course_with(lesson, students, tmp_path)
    course.grade(assignment=lesson)
    ours = marks(course, lesson)
    shutil.rmtree(course.folder / "autograded")
    (course.folder / "gradebook.db").unlink()
    for command in ("generate_assignment", "autograde"):
        done = course.run("nbgrader", command, lesson, "--force")
        assert done.returncode == 0, done.stderr
    theirs = marks(course, lesson)
    assert ours == theirs
    assert ours.keys() == students.keys()
    earned = {sum(points.values()) for points in ours.values()}
    assert len(earned) >= min(3, len(students)), "too many earned the same"
