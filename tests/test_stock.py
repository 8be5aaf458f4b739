"""Honest work gets the very marks that stock `nbgrader autograde` gives it."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from conftest import LESSONS, ROOT
from nbgrader.api import Gradebook
from small_course import Course

from autograder.demo import choose, right_and_wrong

MARKS = dict[str, dict[str, float]]


def course_with(lesson: str, folder: Path) -> Course:
    """A course in which some know all, some half, some little, and one answers nothing."""
    for stage in ("source", "release"):
        shutil.copytree(ROOT / stage / lesson, folder / stage / lesson)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    course, dice = Course(folder), random.Random(29)
    for student, right_of_ten in {"all": 10, "most": 7, "half": 5}.items():
        answers = choose(right_and_wrong(ROOT, lesson), right_of_ten, 3, dice)
        course.hand_in(student, answers, assignment=lesson)
    course.hand_in("nothing", assignment=lesson)
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
@pytest.mark.parametrize("lesson", LESSONS)
def test_marks_are_those_of_stock_nbgrader(lesson: str, tmp_path: Path) -> None:
    course = course_with(lesson, tmp_path)
    course.grade(assignment=lesson)
    ours = marks(course, lesson)
    shutil.rmtree(course.folder / "autograded")
    (course.folder / "gradebook.db").unlink()
    for command in ("generate_assignment", "autograde"):
        done = course.run("nbgrader", command, lesson, "--force")
        assert done.returncode == 0, done.stderr
    theirs = marks(course, lesson)
    assert ours == theirs
    assert len({sum(points.values()) for points in ours.values()}) > 2, "all earned the same"
