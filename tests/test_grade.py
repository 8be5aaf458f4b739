"""Scenes of grading: one small class in which everybody does something else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from small_course import LESSON, Course, make_course, outcomes, points

# The class is graded once, so its scenes belong to one worker.
pytestmark = pytest.mark.xdist_group("grade")

RIGHT = {"double": "def double(x):\n    return x + x", "greet": "def greet():\n    return 'hello'"}
FULL_MARKS = {"test-double": 1, "hidden-double": 2, "test-greet": 4, "essay": 0}


def with_double(source: str) -> dict[str, str]:
    return RIGHT | {"double": source}


def with_greeting(source: str) -> dict[str, str]:
    return RIGHT | {"greet": source}


def drop_an_answer_and_its_tests(notebook: NotebookNode) -> None:
    notebook.cells = [cell for cell in notebook.cells if "double" not in cell["id"]]


def drop_all_but_words(notebook: NotebookNode) -> None:
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "markdown"]


def drop_the_tests(notebook: NotebookNode) -> None:
    notebook.cells = [cell for cell in notebook.cells if not cell["id"].startswith("test-")]


def make_the_tests_easy(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        if cell["id"] == "hidden-double":
            cell.source = "pass"
            cell.metadata.nbgrader.points = 200


def skip_the_tests(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        cell.metadata.tags = ["skip-execution"]


def claim_to_have_passed(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        cell.metadata.update(ended="ok", verdict={"outcome": "passed", "message": ""})


CLASS: dict[str, tuple[dict[str, str], Any]] = {
    "answers": (RIGHT, None),
    "answers-nothing": ({}, None),
    "adds-two": (with_double("def double(x):\n    return x + 2"), None),
    "loops": (with_double("def double(x):\n    while True:\n        pass"), None),
    "will-not-be-interrupted": (
        with_double(
            "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
            "def double(x):\n    while True:\n        try:\n            while True: pass\n"
            "        except KeyboardInterrupt:\n            pass"
        ),
        None,
    ),
    "kills-the-kernel": (
        with_greeting("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"),
        None,
    ),
    "takes-all-memory": (with_double("def double(x):\n    return len(bytearray(2**40))"), None),
    "prints-without-end": (
        with_double("def double(x):\n    for _ in range(200):\n        print('x' * 5_000_000)\n"
                    "    return 2 * x"),
        None,
    ),
    "warns": (
        with_double("import sys\ndef double(x):\n    print('?', file=sys.stderr)\n    return 2*x"),
        None,
    ),
    "says-hi": (with_greeting("def greet():\n    return 'hi'"), None),
    "is-worth-nan": (with_greeting("def greet():\n    return 'nothing'"), None),
    "is-worth-less": (with_greeting("def greet():\n    return 'less'"), None),
    "is-worth-more": (with_greeting("def greet():\n    return 'more'"), None),
    "drops-an-exercise": (RIGHT, drop_an_answer_and_its_tests),
    "drops-everything": (RIGHT, drop_all_but_words),
    "drops-tests": (with_double("def double(x):\n    return 4"), drop_the_tests),
    "eases-tests": (with_double("def double(x):\n    return 4"), make_the_tests_easy),
    "skips-tests": (with_double("def double(x):\n    return 4"), skip_the_tests),
    "claims-success": ({}, claim_to_have_passed),
    "asks": (with_double("def double(x):\n    return int(input('twice?'))"), None),
}  # fmt: skip


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    course = make_course(tmp_path_factory.mktemp("course"))
    for student, (answers, change) in CLASS.items():
        course.hand_in(student, answers, change or (lambda notebook: None))
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
    return course.grade("--limit", "cell_seconds=3", "--limit", "memory_mb=2000")


def test_right_answers_earn_all_points_and_leave_the_essay_to_a_person(results: Any) -> None:
    answers = results["answers"]
    assert points(answers) == FULL_MARKS | {"essay": 0}
    assert outcomes(answers)["essay"] == "no response"
    assert (answers["status"], answers["score"], answers["max_score"]) == ("graded", 7, 10)


def test_no_answer_earns_nothing_and_says_so_kindly(results: Any) -> None:
    assert results["answers-nothing"]["score"] == 0
    cell = results["answers-nothing"]["cells"][0]
    assert (cell["outcome"], cell["message"]) == ("failed", "There is no answer yet.")


def test_a_wrong_answer_loses_the_test_it_fails_and_hears_why(results: Any) -> None:
    assert points(results["adds-two"]) == FULL_MARKS | {"hidden-double": 0}
    cell = results["adds-two"]["cells"][1]
    assert cell["message"] == "double(3) is 5, 6 was expected. Is it really doubled?"


@pytest.mark.parametrize("student", ["loops", "will-not-be-interrupted"])
def test_an_endless_loop_times_out_and_the_rest_is_graded(results: Any, student: str) -> None:
    came_out = outcomes(results[student])
    assert came_out["test-double"] == came_out["hidden-double"] == "timed out"
    assert points(results[student])["test-greet"] == 4


def test_a_dead_kernel_costs_what_its_cell_defines_and_no_more(results: Any) -> None:
    result = results["kills-the-kernel"]
    assert points(result) == FULL_MARKS | {"test-greet": 0}
    assert "The kernel died in a cell before this one" in result["cells"][2]["message"]


def test_too_much_memory_is_named(results: Any) -> None:
    assert outcomes(results["takes-all-memory"])["test-double"] == "out of memory"
    assert points(results["takes-all-memory"])["test-greet"] == 4


def test_a_gigabyte_of_output_is_cut_and_costs_no_marks(results: Any, course: Course) -> None:
    assert points(results["prints-without-end"]) == FULL_MARKS
    graded = course.folder / "autograded" / "prints-without-end" / LESSON / f"{LESSON}.ipynb"
    assert graded.stat().st_size < 2_000_000


def test_a_warning_is_not_a_failure(results: Any) -> None:
    assert points(results["warns"]) == FULL_MARKS


def test_a_number_that_ends_a_test_is_its_mark(results: Any) -> None:
    assert points(results["says-hi"])["test-greet"] == 1.5


@pytest.mark.parametrize("student", ["is-worth-nan", "is-worth-less", "is-worth-more"])
def test_a_number_that_is_no_mark_earns_nothing(results: Any, student: str) -> None:
    assert points(results[student])["test-greet"] == 0


@pytest.mark.parametrize("student", ["drops-tests", "eases-tests", "skips-tests"])
def test_tests_are_put_back_as_they_were_released(results: Any, student: str) -> None:
    assert points(results[student]) == FULL_MARKS | {"hidden-double": 0}
    assert results[student]["max_score"] == 10


def test_an_exercise_that_is_deleted_costs_itself_alone(results: Any) -> None:
    assert points(results["drops-an-exercise"]) == FULL_MARKS | {
        "test-double": 0,
        "hidden-double": 0,
    }
    assert points(results["drops-everything"]) == dict.fromkeys(FULL_MARKS, 0)


def test_a_claim_in_the_metadata_earns_nothing(results: Any) -> None:
    assert results["claims-success"]["score"] == 0


def test_a_question_to_nobody_fails_at_once(results: Any) -> None:
    assert outcomes(results["asks"])["test-double"] == "failed"
    assert results["asks"]["seconds"] < 60


def test_what_is_no_notebook_is_named_and_the_others_are_graded(results: Any) -> None:
    letter = results["sends-a-letter"]
    assert letter["status"].startswith("failed: ")
    assert (letter["score"], letter["max_score"]) == (0, 10)
    assert len(results) == len(CLASS) + 3


@pytest.mark.parametrize(
    ("student", "says"),
    [
        ("renames", "failed: there is homework.ipynb, not 00_doubling.ipynb"),
        ("sends-nothing", "failed: there is no notebook, not 00_doubling.ipynb"),
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
    [("00_dubling", "there are 00_doubling"), ("../00_doubling", "there are 00_doubling")],
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


def test_a_broken_resubmission_keeps_the_marks_of_the_one_before(tmp_path: Path) -> None:
    course = make_course(tmp_path)
    course.hand_in("ada", RIGHT)
    course.grade()
    (tmp_path / "submitted" / "ada" / LESSON / f"{LESSON}.ipynb").write_text("{")
    again = course.grade("--force")["ada"]
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


def test_a_test_that_was_mended_is_the_one_that_counts(tmp_path: Path) -> None:
    course = make_course(tmp_path)
    course.hand_in("ada", RIGHT)
    assert course.grade()["ada"]["score"] == 7
    lesson = tmp_path / "lessons" / f"{LESSON}.py"
    lesson.write_text(lesson.read_text().replace("double(3), 6", "double(-1), -2"))
    assert course.run("autograder", "build").returncode == 0
    assert course.grade("--force")["ada"]["score"] == 7
    graded = (tmp_path / "autograded" / "ada" / LESSON / f"{LESSON}.ipynb").read_text()
    assert "double(-1), -2" in graded


def test_a_timestamp_that_is_no_time_is_named(tmp_path: Path) -> None:
    course = make_course(tmp_path)
    course.hand_in("ada", RIGHT)
    course.grade()
    (tmp_path / "submitted" / "ada" / LESSON / "timestamp.txt").write_text("teatime")
    assert course.grade()["ada"]["status"] == "failed: its timestamp.txt holds no time"


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
