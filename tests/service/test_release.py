"""What is released as feedback: the pages of the assignment, each student's on its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from nbgrader.utils import notebook_hash

from tests.support.small_course import LESSON, RIGHT, Course, make_course, with_double

pytestmark = pytest.mark.slow

WRITES = """import os
os.makedirs("more.html", exist_ok=True)
open("more.html/page.html", "w").write("a folder")
def double(x):
    for name in ("notes.html", "00_doubling.html", "00_DOUBLING.html"):
        open(name, "a").write(f"<script>double was called with {x}</script>")
    return 2 * x"""


def secret(student: str) -> str:
    return f"secret of {student}"


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A class whose feedback was generated and released by nbgrader's own commands."""
    course = make_course(tmp_path_factory.mktemp("course"))
    (course.folder / "exchange").mkdir()
    (course.folder / "exchange").chmod(0o777)
    with (course.folder / "nbgrader_config.py").open("a") as settings:
        settings.write(f"c.Exchange.root = {str(course.folder / 'exchange')!r}\n")
    answers = {
        "ada": RIGHT,
        "eve": with_double(WRITES),
        "bytes": RIGHT,
        "none": RIGHT,
        "zoe": RIGHT,
    }
    for student, answer in answers.items():
        course.hand_in(student, answer)
        folder = course.folder / "submitted" / student / LESSON
        (folder / "submission_secret.txt").write_text(secret(student))
    submitted = course.folder / "submitted"
    (submitted / "bytes" / LESSON / "submission_secret.txt").write_bytes(b"\xff\xfe")
    (submitted / "none" / LESSON / "submission_secret.txt").unlink()
    (submitted / "ada" / LESSON / "notes.html").write_text("handed in")
    course.grade()
    done = course.run("nbgrader", "generate_feedback", LESSON)
    assert done.returncode == 0, done.stderr
    return course


def released(course: Course) -> dict[str, str]:
    """Return the pages in the exchange, by name."""
    folder = course.folder / "exchange" / "cnn" / "feedback"
    return {path.stem: path.read_text() for path in folder.iterdir()}


def test_pages_of_the_assignment_are_released_and_one_without_a_secret_stops_no_other(
    course: Course,
) -> None:
    done = course.run("nbgrader", "release_feedback", LESSON)
    assert done.returncode == 1
    for student in ("bytes", "none"):
        assert f"{student}: not released: it was handed in without a valid" in done.stderr
    expected = {
        notebook_hash(secret=secret(student), notebook_id=LESSON)
        for student in ("ada", "eve", "zoe")
    }
    pages = released(course)
    assert pages.keys() == expected
    for text in pages.values():
        assert "of 10" in text
        assert "<script" not in text


def test_no_answer_writes_in_the_place_of_a_page(course: Course) -> None:
    files = {path.name for path in Path(course.folder, "autograded", "eve", LESSON).iterdir()}
    assert "notes.html" in files
    assert not {"00_doubling.html", "00_DOUBLING.html"} & files
