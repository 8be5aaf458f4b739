"""`make pictures`: the pictures of docs/students.md and docs/instructors.md, from a hub of today.

two students hand in -> an instructor closes the lesson -> feedback, a regrade request
"""

from __future__ import annotations

import io
import subprocess
import tempfile
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from autograder.authoring.answer_bank import read_answers
from tests.support.classroom import Classroom, Instructor, Student, chromium, classroom
from tests.support.paths import ROOT
from tests.support.small_course import activated

DOCS = ROOT / "docs"
LESSON, TESTED = "03_counting", "conv_parameters"
RELEASED = ("01_filters", "02_convolution", LESSON)
# What each student answers, and whether rightly.
ANSWERS: Mapping[str, Mapping[str, bool]] = {
    "alan": {"output_size": True, "same_padding": True},
    "ada": {"output_size": True, TESTED: False, "dense_parameters": True},
}
WIDE, TALL = 1000, 620  # pixels: a page of the docs is narrower
COLOURS = 128


def take(page: Page, name: str) -> None:
    """Save what a page shows, in few colours: text keeps its edges, and a file is small."""
    picture = Image.open(io.BytesIO(page.screenshot(animations="disabled")))
    picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=COLOURS).save(
        DOCS / f"{name}.png", optimize=True
    )


def answer(student: Student, answers: Mapping[str, bool]) -> None:
    """Type answers of the bank into a student's notebook, without saving it."""
    bank = read_answers(ROOT / "answers" / f"{LESSON}.py")
    for exercise, right in answers.items():
        source = next(a.source for a in bank if a.exercise == exercise and a.right == right)
        student.write(f"def {exercise}(", source)


def work(student: Student) -> None:
    """Fetch, answer, check and hand in; Ada's screen is taken."""
    page, seen = student.page, student.name == "ada"
    page.set_viewport_size({"width": WIDE, "height": TALL})
    student.open_lessons()
    student.fetch(LESSON)
    student.open_notebook(LESSON)
    answer(student, ANSWERS[student.name])
    if seen:
        student.run("from course import check")
        student.run(f"def {TESTED}(")
        test = student.run(f"check.equal(\n    {TESTED}(")
        test.locator(".course-failed").scroll_into_view_if_needed()
        take(page, "students-test")
        page.locator(".course-validate").click()
        student.dialog().locator(".course-report").wait_for()
        take(page, "students-check")
        student.dialog().get_by_role("button", name="Ok").click()
    else:
        student.validate()  # it saves
    student.open_lessons()
    if seen:
        take(page, "students-lessons")
        student.button("Hand in", LESSON).click()
        student.dialog().locator(".course-facts").wait_for()
        take(page, "students-hand-in")
        student.dialog().get_by_role("button", name="Cancel").click()
    student.submit(LESSON)
    if seen:
        take(page, "students-receipt")
    student.close_receipt()


def close(lea: Instructor) -> None:
    """Close the lesson on the page of the class."""
    lea.page.set_viewport_size({"width": WIDE, "height": TALL})
    lea.go("/services/cnn/class")
    lea.page.get_by_role("link", name="03 Counting", exact=True).scroll_into_view_if_needed()
    take(lea.page, "instructors-class")
    lea.go(f"/services/cnn/class/preview/close/{LESSON}")
    take(lea.page, "instructors-close")
    lea.close(LESSON)
    lea.go(f"/services/cnn/class/lesson/{LESSON}")
    take(lea.page, "instructors-lesson")


def read_marks(ada: Student) -> None:
    """Open feedback, and the form that asks about a mark."""
    ada.fetch_feedback(LESSON)
    take(ada.page, "students-feedback")
    ada.page.get_by_role("button", name="Ask about a mark").click()
    ada.dialog().get_by_label("Cell").select_option(f"hidden-{TESTED}")
    ada.dialog().locator("textarea").fill("My count has one bias per filter, as slide 19 says.")
    take(ada.page, "students-ask")


def run_in_course(room: Classroom, *options: str) -> None:
    """Run `autograder` as the instructor does."""
    course = room.folder / "course"
    subprocess.run(["autograder", *options], cwd=course, env=activated(), check=True)


def main() -> None:
    """Take all pictures."""
    with (
        tempfile.TemporaryDirectory() as folder,
        classroom(Path(folder) / "classroom", lessons=RELEASED) as room,
        chromium() as browser,
    ):
        tomorrow = (datetime.now() + timedelta(days=1)).replace(hour=23, minute=59, second=0)
        deadlines = f"[policy]\npercent_per_day = 10\n[lessons.{LESSON}]\ndue = {tomorrow:%FT%T}\n"
        (room.folder / "course" / "deadlines.toml").write_text(deadlines)
        run_in_course(room, "deadlines", "apply")
        people = {name: Student(browser, room, name) for name in ANSWERS}
        for student in people.values():
            work(student)
        close(Instructor(browser, room, "lea"))
        run_in_course(room, "requests", "open", LESSON, "--until", f"{tomorrow:%F}")
        read_marks(people["ada"])


if __name__ == "__main__":
    main()
