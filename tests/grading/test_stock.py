"""Honest work gets the very marks that stock `nbgrader autograde` gives it.

One lesson with every other of its whole bank of answers, one that trains with two students.
Stock's own kernels take many seconds for a notebook: some of the first class have them, the others
have forked kernels under stock's own grader. In the lesson that trains one student has one answer
wrong: what becomes of several wrong ways to train, one built on the other, hangs on the dice, and
those of two kernels fall otherwise than those of one. Of the coursework stock does not ask whose
it is.
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


def half_a_bank(lesson: str) -> dict[str, dict[str, str]]:
    """A class in which every other answer of the bank is somebody's; one answers nothing."""
    choices = {
        name: [*wrong, *right][::2]
        for name, (right, wrong) in right_and_wrong(ROOT, lesson).items()
    }
    size = max(map(len, choices.values()))
    return {"nothing": {}} | {
        f"student-{k:02}": {name: all_[k % len(all_)] for name, all_ in choices.items()}
        for k in range(size)
    }


def one_wrong(lesson: str, exercise: str) -> dict[str, dict[str, str]]:
    """A class of one who has answered an exercise wrongly, and one who answers nothing."""
    bank = right_and_wrong(ROOT, lesson)
    right = {name: right[0] for name, (right, _) in bank.items()}
    return {"nothing": {}, exercise: right | {exercise: bank[exercise][1][0]}}


def part_of(class_: dict[str, dict[str, str]], own: bool) -> dict[str, dict[str, str]]:
    """Those who are graded with stock's own kernels, or the others."""
    return {s: answers for k, (s, answers) in enumerate(class_.items()) if (k % PARTS == 0) == own}


CLASSES = {
    "own kernels": (COUNTS, part_of(half_a_bank(COUNTS), own=True), None),
    "forked kernels": (COUNTS, part_of(half_a_bank(COUNTS), own=False), "forked"),
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
    """The points of each graded cell of each student, from the gradebook."""
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
    # What is learnt differs with the number of threads; ours have one.
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
