"""Grading a small class in which each student does something different."""

from __future__ import annotations

import shutil
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook

from autograder.grading.coordinator import GradingRequest, grade
from autograder.grading.course import open_course, prepare
from tests.support.small_course import (
    FULL_MARKS,
    LESSON,
    RIGHT,
    Course,
    make_course,
    outcomes,
    points,
    with_double,
    with_greeting,
)

# The class is graded once, so its tests belong to one worker.
pytestmark = pytest.mark.xdist_group("grade")


CLASS = {
    "answers": RIGHT,
    "answers-nothing": {},
    "adds-two": with_double("def double(x):\n    return x + 2"),
    "says-hi": with_greeting("def greet():\n    return 'hi'"),
}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    course = make_course(tmp_path_factory.mktemp("course"))
    for student, answers in CLASS.items():
        course.hand_in(student, answers)
    unreadable = course.folder / "submitted" / "sends-a-letter" / LESSON
    unreadable.mkdir(parents=True)
    (unreadable / f"{LESSON}.ipynb").write_text("Dear teacher,")
    renamed = course.folder / "submitted" / "renames" / LESSON
    renamed.mkdir(parents=True)
    (renamed / "homework.ipynb").write_text("{}")
    (course.folder / "submitted" / "sends-nothing" / LESSON).mkdir(parents=True)
    return course


@pytest.fixture(scope="module")
def results(course: Course) -> dict[str, dict[str, Any]]:
    return course.grade()


def test_right_answers_earn_all_points_and_leave_the_essay_to_a_person(results: Any) -> None:
    answers = results["answers"]
    assert points(answers) == FULL_MARKS | {"essay": 0}
    assert outcomes(answers)["essay"] == "no response"
    assert (answers["status"], answers["score"], answers["max_score"]) == ("graded", 7, 10)


def test_no_answer_earns_nothing_and_the_message_says_so(results: Any) -> None:
    assert results["answers-nothing"]["score"] == 0
    cell = results["answers-nothing"]["cells"][0]
    assert (cell["outcome"], cell["message"]) == ("failed", "There is no answer yet.")


def test_a_wrong_answer_loses_the_test_it_fails_and_gets_the_reason(results: Any) -> None:
    assert points(results["adds-two"]) == FULL_MARKS | {"hidden-double": 0}
    cell = results["adds-two"]["cells"][1]
    assert cell["message"] == "double(3) is 5, 6 was expected. Is it really doubled?"


def test_a_number_that_ends_a_test_is_its_mark(results: Any) -> None:
    assert points(results["says-hi"])["test-greet"] == 1.5


def test_an_unreadable_notebook_is_named_and_the_others_are_graded(results: Any) -> None:
    letter = results["sends-a-letter"]
    assert letter["status"].startswith("failed: ")
    assert (letter["score"], letter["max_score"]) == (0, 10)
    assert len(results) == len(CLASS) + 3


@pytest.mark.parametrize(
    ("student", "says"),
    [
        ("renames", "failed: 00_doubling.ipynb is missing: it has homework.ipynb"),
        ("sends-nothing", "failed: 00_doubling.ipynb is missing: it has no notebook"),
    ],
)
def test_a_notebook_that_is_missing_is_named(results: Any, student: str, says: str) -> None:
    assert results[student]["status"] == says
    assert results[student]["score"] == 0


def test_the_gradebook_says_the_same(results: Any, course: Course) -> None:
    with Gradebook(f"sqlite:///{course.folder / 'gradebook.db'}") as gradebook:
        for student, result in results.items():
            entry = gradebook.find_submission_notebook(LESSON, LESSON, student)
            assert (entry.score, entry.max_score) == (result["score"], result["max_score"])


def test_nbgrader_goes_on_from_there(results: Any, course: Course) -> None:
    assert course.run("nbgrader", "generate_feedback", LESSON).returncode == 0
    assert len(list((course.folder / "feedback").glob(f"*/{LESSON}/{LESSON}.html"))) == len(CLASS)
    assert course.run("nbgrader", "export", "--to", "grades.csv").returncode == 0
    assert len((course.folder / "grades.csv").read_text().splitlines()) == len(results) + 1


def test_a_second_run_keeps_what_was_graded(results: Any, course: Course) -> None:
    again = course.grade()
    assert again["adds-two"] == results["adds-two"] | {"status": "kept"}
    assert again["sends-a-letter"]["status"].startswith("failed: ")


def test_some_could_not_be_graded_is_exit_status_1(results: Any, course: Course) -> None:
    done = course.run("autograder", "grade", LESSON)
    assert done.returncode == 1
    assert "sends-a-letter" in done.stderr


@pytest.mark.parametrize(
    ("name", "says"),
    [("00_dubling", "available: 00_doubling"), ("../00_doubling", "available: 00_doubling")],
)
def test_a_wrong_name_is_one_line_that_helps(course: Course, name: str, says: str) -> None:
    done = course.run("autograder", "grade", name)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("nbgrader_config.py", "c = = 1", "nbgrader_config.py cannot be read: SyntaxError"),
        ("gradebook.db", "Dear diary, this is no database.", "file is not a database"),
    ],
)
def test_a_broken_file_of_the_course_is_one_line_that_names_it(
    tmp_path: Path, file: str, content: str, says: str
) -> None:
    course = make_course(tmp_path)
    course.hand_in("ada")
    (tmp_path / file).write_text(content)
    done = course.run("autograder", "grade", LESSON)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert (tmp_path / file).read_text() == content


def test_a_run_that_was_cut_short_is_finished_by_the_next(tmp_path: Path) -> None:
    course = make_course(tmp_path)
    course.hand_in("ada", RIGHT)
    half = tmp_path / "autograded" / "ada" / LESSON
    half.mkdir(parents=True)
    (half / "timestamp.txt").write_text("2026-01-01 00:00:00 UTC")
    assert course.grade()["ada"]["score"] == 7


@pytest.fixture(scope="module")
def graded_once(tmp_path_factory: pytest.TempPathFactory) -> Course:
    course = make_course(tmp_path_factory.mktemp("graded"))
    course.hand_in("ada", RIGHT)
    assert course.grade()["ada"]["score"] == 7
    return course


@pytest.fixture
def graded(graded_once: Course, tmp_path: Path) -> Course:
    """A course in which right answers were graded."""
    shutil.copytree(graded_once.folder, tmp_path, dirs_exist_ok=True)
    return Course(tmp_path)


def test_a_broken_resubmission_keeps_the_marks_of_the_one_before(
    graded: Course, tmp_path: Path
) -> None:
    (tmp_path / "submitted" / "ada" / LESSON / f"{LESSON}.ipynb").write_text("{")
    again = graded.grade("--force")["ada"]
    assert again["status"].startswith("failed: ")
    assert again["score"] == 7
    assert (tmp_path / "autograded" / "ada" / LESSON / f"{LESSON}.ipynb").exists()


def test_what_stock_nbgrader_graded_is_kept(tmp_path: Path) -> None:
    course = make_course(tmp_path)
    course.hand_in("ada", RIGHT)
    course.run("nbgrader", "generate_assignment", LESSON, "--force")
    assert course.run("nbgrader", "autograde", LESSON).returncode == 0
    kept = course.grade()["ada"]
    assert (kept["status"], kept["score"]) == ("kept", 7)
    assert outcomes(kept)["hidden-double"] == "passed"


def test_a_test_that_was_fixed_is_the_one_that_counts(graded: Course, tmp_path: Path) -> None:
    lesson = tmp_path / "lessons" / f"{LESSON}.py"
    fixed = lesson.read_text().replace("double(3)", "double(-1)").replace("== 6", "== -2")
    lesson.write_text(fixed)
    assert graded.run("autograder", "build").returncode == 0
    assert graded.grade("--force")["ada"]["score"] == 7
    notebook = (tmp_path / "autograded" / "ada" / LESSON / f"{LESSON}.ipynb").read_text()
    assert "assert found == -2" in notebook


def test_an_invalid_timestamp_is_named(graded: Course, tmp_path: Path) -> None:
    (tmp_path / "submitted" / "ada" / LESSON / "timestamp.txt").write_text("teatime")
    assert graded.grade()["ada"]["status"] == "failed: its timestamp.txt holds no valid time"


def test_nothing_submitted_is_one_line_that_helps(tmp_path: Path) -> None:
    done = make_course(tmp_path).run("autograder", "grade", LESSON)
    assert done.returncode == 2
    assert "nbgrader collect" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_folder_without_a_course_is_one_line_that_helps(tmp_path: Path) -> None:
    done = Course(tmp_path).run("autograder", "grade", LESSON)
    assert done.returncode == 2
    assert "nbgrader's layout" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture
def two(tmp_path: Path) -> Course:
    """A course in which two students submitted right answers."""
    course = make_course(tmp_path)
    for student in ("ada", "ben"):
        course.hand_in(student, RIGHT)
    return course


def test_only_the_student_named_is_graded(two: Course) -> None:
    assert two.grade("--student", "ben").keys() == {"ben"}
    assert {s: r["status"] for s, r in two.grade().items()} == {"ada": "graded", "ben": "kept"}


@pytest.mark.parametrize(
    ("option", "says"), [("--student", "by cyd"), ("--notebook", "has no notebook 'cyd'")]
)
def test_an_unknown_student_or_notebook_is_one_line_that_names_it(
    two: Course, option: str, says: str
) -> None:
    done = two.run("autograder", "grade", LESSON, option, "cyd")
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_of_several_notebooks_only_the_one_named_is_graded(two: Course) -> None:
    for stage in ("source", "release", "submitted/ada", "submitted/ben"):
        folder = two.folder / stage / LESSON
        shutil.copy(folder / f"{LESSON}.ipynb", folder / "more.ipynb")
    assert two.grade("--notebook", "more")["ada"]["notebook"] == "more"
    assert [path.name for path in two.folder.glob("autograded/ada/*/*.ipynb")] == ["more.ipynb"]


def test_several_assignments_are_graded_in_one_run(two: Course) -> None:
    for stage in ("source", "release", "submitted/ben"):
        shutil.copytree(two.folder / stage / LESSON, two.folder / stage / "01_again")
    done = two.run("autograder", "grade", LESSON, "01_again", LESSON)
    assert done.returncode == 0, done.stderr
    assert f"{LESSON}, 01_again: 3 graded" in done.stderr
    assert (two.folder / "autograded" / "ben" / "01_again" / f"{LESSON}.ipynb").exists()


# nbgrader 0.9.6 adds submissions in an order that SQLAlchemy 2 warns about; the rows are right.
@pytest.mark.filterwarnings("ignore:Object of type .* not in session")
def test_any_executor_will_do(two: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(two.folder)
    course = open_course()
    prepare(course, LESSON)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        results = grade(course, GradingRequest([LESSON]), pool)
    assert [(result.student, result.score) for result in results] == [("ada", 7), ("ben", 7)]
