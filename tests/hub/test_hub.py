"""A term in the classroom: a real hub, a real browser, from the first login to the marks."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, expect

from autograder.authoring.answer_bank import read_answers
from autograder.authoring.build import notebook_path
from autograder.execution.cells import is_test
from tests.support.classroom import (
    PICTURES,
    Classroom,
    Instructor,
    Student,
    outline,
    violations,
)
from tests.support.pages import visible_text
from tests.support.paths import ROOT
from tests.support.small_course import activated

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("hub")]

LESSON, EXERCISE, COURSEWORK = "03_counting", "conv_parameters", "10_coursework"
POINTS = f"{outline(LESSON).points:g}"


def answer(exercise: str, right: bool) -> str:
    """Return an answer to an exercise of the lesson, from its bank."""
    bank = read_answers(ROOT / "answers" / f"{LESSON}.py")
    return next(a.source for a in bank if a.exercise == exercise and a.right == right)


@dataclass
class Term:
    """What was seen during a term."""

    validated: dict[str, str] = field(default_factory=dict)
    closed: str = ""
    graded: str = ""
    instructor: Instructor | None = None
    feedback: dict[str, Path] = field(default_factory=dict)
    people: dict[str, Student] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    offers_feedback_early: bool = False


@pytest.fixture(scope="module")
def term(room: Classroom, browser: Browser) -> Term:
    """Ada answers an exercise rightly, Alan wrongly; Lea grades; both fetch their marks."""
    seen = Term()
    for name, right in (("ada", True), ("alan", False)):
        student = seen.people[name] = Student(browser, room, name)
        student.open_lessons()
        student.take_screenshot(f"{name}-lessons")
        student.fetch(LESSON)
        student.open_notebook(LESSON)
        student.write(f"def {EXERCISE}(", answer(EXERCISE, right))
        seen.validated[name] = student.validate()
        seen.violations += violations(student.page, ".jp-Notebook .jp-RenderedMarkdown")
        student.open_lessons()
        student.submit(LESSON)
        student.close_receipt()
        student.take_screenshot(f"{name}-submitted")
    ada = seen.people["ada"]
    ada.fetch(COURSEWORK)
    ada.submit(COURSEWORK)
    ada.close_receipt()
    seen.offers_feedback_early = ada.button("Feedback", LESSON).count() > 0
    lea = Instructor(browser, room, "lea")
    seen.instructor = lea
    seen.closed = lea.close(LESSON)
    seen.violations += violations(lea.page, "html")
    lea.take_screenshot("lea-closed")
    lea.go("/services/cnn/formgrader/manage_assignments")
    lea.press(COURSEWORK, "collect")
    lea.take_screenshot("lea-assignments")
    lea.go(f"/services/cnn/formgrader/manage_submissions/{COURSEWORK}")
    seen.graded = lea.press("ada", "autograde")
    lea.mark_by_hand(COURSEWORK, "report", 7, "A clear report.")
    lea.take_screenshot("lea-by-hand")
    lea.go(f"/services/cnn/formgrader/manage_submissions/{COURSEWORK}")
    lea.press("ada", "generate-feedback")
    lea.press("ada", "release-feedback")
    for name, lesson in (("ada", LESSON), ("alan", LESSON), ("ada", COURSEWORK)):
        seen.feedback[f"{name} {lesson}"] = seen.people[name].fetch_feedback(lesson)
        seen.people[name].take_screenshot(f"{name}-feedback")
    return seen


def page_of(term: Term, which: str) -> str:
    """Return the visible text of a student's feedback."""
    return visible_text((term.feedback[which] / f"{which.split()[1]}.html").read_text())


def test_validate_gives_the_messages_of_the_visible_tests_and_speaks_of_the_hidden(
    term: Term,
) -> None:
    assert re.search(r"1 of \d+ visible tests passed", term.validated["ada"])
    assert re.search(r"0 of \d+ visible tests passed", term.validated["alan"])
    failed = rf"✗ failed\s+{EXERCISE}\(.*\) is .*\s+test-{EXERCISE}, 1 point"
    assert re.search(failed, term.validated["alan"]), term.validated["alan"]
    assert "Hidden tests check more" in term.validated["ada"]


def test_the_formgrader_s_button_grades_with_the_engine(room: Classroom, term: Term) -> None:
    assert f"{COURSEWORK}: graded, 0 of" in term.graded
    graded = room.folder / "course" / "autograded" / "ada" / COURSEWORK / f"{COURSEWORK}.ipynb"
    assert "graded_from" in nbformat.read(graded, as_version=4).metadata


def test_a_lesson_is_closed_on_the_page_of_the_class(term: Term) -> None:
    # Students of other scenes may have handed in, too.
    for line in (r"collected \d: ada, alan", f"ada: graded, 4 of {POINTS}", r"feedback: \d new"):
        assert re.search(line, term.closed), term.closed
    lea = term.instructor
    assert lea
    page = lea.page
    for scheme, width in (("light", 1300), ("dark", 400)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 850})
        lea.go("/services/cnn/class")
        assert violations(page, "html") == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        lea.take_screenshot(f"lea-class-{scheme}")
    assert page.locator("script").count() == 0
    lesson = page.get_by_role("list", name=outline(LESSON).title)
    for count in (r"\d started", r"\d handed in", r"\d graded", r"\d have feedback"):
        expect(lesson).to_contain_text(re.compile(count))


def test_no_step_starts_and_no_page_is_read_without_its_window(term: Term, room: Classroom) -> None:
    assert term.instructor
    requests, address = term.instructor.page.request, f"{room.address}/services/cnn/class"
    assert requests.post(f"{address}/run/close/{LESSON}", form={}).status == 403
    script = {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "navigate"}
    assert requests.get(address, headers=script).status == 403
    assert requests.get(address).status == 200


def test_each_student_sees_their_own_marks(term: Term) -> None:
    assert f"4 of {POINTS} points" in page_of(term, f"ada {LESSON}")
    assert f"0 of {POINTS} points" in page_of(term, f"alan {LESSON}")


def test_marks_and_comments_by_hand_arrive(term: Term) -> None:
    seen = page_of(term, f"ada {COURSEWORK}")
    assert re.search(r"report\s+7 / 10\s+marked by hand", seen)
    assert "A clear report." in seen


def test_feedback_opens_in_jupyterlab_with_marks_and_links_that_work(term: Term) -> None:
    assert not term.offers_feedback_early
    ada = term.people["ada"]
    ada.fetch_feedback(LESSON)
    page = ada.feedback_page()
    expect(page.get_by_text(f"4 of {POINTS} points")).to_be_visible()
    target = page.locator(f"#marks-hidden-{EXERCISE}")
    expect(target).not_to_be_in_viewport()
    page.get_by_role("link", name=f"hidden-{EXERCISE}").click()
    expect(target).to_be_in_viewport()
    ada.take_screenshot("ada-feedback-tab")
    ada.page.get_by_role("tab", name="My course").click()
    expect(ada.status(LESSON)).to_contain_text(f"Marks: 4 of {POINTS}")


def test_a_student_asks_about_a_mark_while_requests_are_taken(term: Term, room: Classroom) -> None:
    alan, course = term.people["alan"], room.folder / "course"
    command = ["autograder", "requests", "open", LESSON, "--until", "2999-12-31"]
    subprocess.run(command, cwd=course, env=activated(), check=True)
    alan.fetch_feedback(LESSON)
    alan.page.get_by_role("button", name="Ask about a mark").click()
    form = alan.dialog()
    form.get_by_label("Cell").select_option(f"hidden-{EXERCISE}")
    assert violations(alan.page, ".course-form") == []
    form.get_by_role("button", name="Ask").click()
    expect(form.get_by_role("alert")).to_contain_text("say in a few words why")
    form.get_by_role("textbox").fill("I count the bias,\ntoo.")
    form.get_by_role("button", name="Ask").click()
    alan.page.get_by_text(f"It is about hidden-{EXERCISE}").wait_for()
    alan.dialog().get_by_role("button", name="Ok").click()
    (sent,) = (room.folder / "exchange" / "cnn" / "requests").glob(f"alan+{LESSON}+*")
    assert json.loads(sent.read_text()) == {
        "cell": f"hidden-{EXERCISE}",
        "category": "test",
        "words": "I count the bias,\ntoo.",
    }


def test_no_released_feedback_holds_a_line_of_a_hidden_test(room: Classroom, term: Term) -> None:
    pages = list((room.folder / "exchange" / "cnn" / "feedback").glob("*.html"))
    assert len(pages) >= len(term.feedback)
    source, release = (
        [
            cell
            for lesson in (LESSON, COURSEWORK)
            for cell in nbformat.read(notebook_path(ROOT / stage, lesson), as_version=4).cells
        ]
        for stage in ("source", "release")
    )
    handed_in = [answer(EXERCISE, right) for right in (True, False)]
    public = "\n".join([*handed_in, *(cell.source for cell in release)])
    lines = {line.strip() for cell in filter(is_test, source) for line in cell.source.splitlines()}
    secret = [line for line in lines if len(line) >= 12 and line not in public]
    assert len(secret) > 100
    for page in pages:
        seen = visible_text(page.read_text())
        assert [line for line in secret if line in seen] == []


@pytest.mark.parametrize(
    "path",
    [
        "/user/alan/lab",
        f"/user/alan/files/{LESSON}/{LESSON}.ipynb",
        "/services/cnn/",
        "/services/cnn/formgrader/manage_assignments",
        "/services/cnn/class",
        "/services/cnn/files/gradebook.db",
        f"/services/cnn/files/source/{LESSON}/{LESSON}.ipynb",
        "/user/ada/formgrader/manage_assignments",
        "/user/ada/files/../../course/gradebook.db",
        "/user/ada/files/..%2F..%2Fcourse/gradebook.db",
        "/hub/admin",
    ],
)
def test_a_student_who_opens_what_is_not_theirs_is_refused(term: Term, path: str) -> None:
    assert term.people["ada"].go(path) in (403, 404)


def test_explorers_work_in_the_hub(term: Term) -> None:
    ada = term.people["ada"]
    ada.open_notebook(LESSON)
    for text in ("from course import check", "explore.SizeExplorer()"):
        ada.cell(text).locator(".cm-content").click()
        ada.page.keyboard.press("Shift+Enter")
    explorer = ada.page.locator(".jupyter-widgets img").first
    explorer.wait_for()
    expect(explorer).to_have_attribute("data-course-figure", re.compile("drawing|picture"))
    before = explorer.get_attribute("src")
    ada.page.locator(".jp-OutputArea-output .noUi-handle").first.press("ArrowRight")
    ada.page.wait_for_function(
        "before => document.querySelector('.jupyter-widgets img').src !== before", arg=before
    )
    ada.take_screenshot("ada-explorer")


def test_test_cells_speak(room: Classroom, term: Term) -> None:
    ada, exercises = term.people["ada"], (EXERCISE, "dense_parameters")
    ada.open_notebook(LESSON)
    setup = ada.run("from course import check")
    expect(setup.locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]"))
    for exercise in exercises:
        ada.run(f"def {exercise}(")
    passed = ada.run("check.equal(\n    conv_parameters(").locator(".course-passed")
    expect(passed).to_have_text(
        "✓ Passed, 1 point: conv_parameters(3, 1, 3), conv_parameters(3, 100, 4)"
    )
    pending = ada.run("# Also: 40 random layers against torch, some without bias, and the thirteen")
    expect(pending.locator(".course-pending")).to_contain_text(
        "3 points, tested after you hand in."
    )
    unanswered = ada.run("dense_parameters(3072, 10)")
    expect(unanswered.locator(".course-open")).to_contain_text("There is no answer yet.")
    ada.write(f"def {EXERCISE}(", answer(EXERCISE, False))
    ada.page.keyboard.press("Control+Enter")
    failed = ada.run("check.equal(\n    conv_parameters(")
    expect(failed.locator(".course-failed")).to_contain_text("conv_parameters(3, 1, 3) is")
    expect(failed.get_by_text("AssertionError", exact=False).first).not_to_be_visible()
    failed.get_by_text("Traceback", exact=True).click()
    expect(failed.get_by_text("AssertionError", exact=False).first).to_be_visible()
    assert violations(ada.page, ".jp-OutputArea:has(.course-verdict)") == []
    ada.take_screenshot("ada-tests")


def test_axe_finds_nothing_in_notebooks_and_feedback(term: Term, browser: Browser) -> None:
    page = browser.new_context(bypass_csp=True).new_page()
    page.goto((term.feedback[f"ada {LESSON}"] / f"{LESSON}.html").as_uri())
    page.screenshot(path=PICTURES / "feedback.png")
    assert violations(page, "body") == []
    assert term.violations == []
