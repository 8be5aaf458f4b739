"""The gradebook on PostgreSQL: a real server, in a scratch folder, with a Unix socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from tests.support.postgresql import Server, running_server
from tests.support.small_course import LESSON, RIGHT, Course, make_course, wait_until, with_double

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("postgresql")]

CLASS = {
    "answers": RIGHT,
    "answers-nothing": {},
    "adds-two": with_double("def double(x):\n    return x + 2"),
    "says-hi": RIGHT | {"greet": "def greet():\n    return 'hi'"},
}
SCORES = {"answers": 7, "answers-nothing": 0, "adds-two": 5, "says-hi": 4.5}
WAITS = "the gradebook cannot be used yet"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server


class CourseOnServer(Course):
    """A course whose gradebook is a database on a server."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder)
        self.url = url


@pytest.fixture
def course(server: Server, tmp_path: Path) -> CourseOnServer:
    make_course(tmp_path)
    (tmp_path / "gradebook.db").unlink()
    name = tmp_path.name.replace("-", "_")
    server.run("createdb", "-h", server.folder, "-U", "course", name)
    course = CourseOnServer(tmp_path, server.url(name))
    with (tmp_path / "nbgrader_config.py").open("a") as settings:
        settings.write(f"\nc.CourseDirectory.db_url = {course.url!r}\n")
    for student, answers in CLASS.items():
        course.hand_in(student, answers)
    return course


def scores(course: CourseOnServer) -> dict[str, float]:
    """Return the score of each student in the gradebook."""
    with Gradebook(course.url, "cnn") as gradebook:
        return {s.student.id: s.score for s in gradebook.assignment_submissions(LESSON)}


def results(course: CourseOnServer) -> dict[str, float]:
    """Return the score of each student in the results."""
    read = json.loads((course.folder / "out.json").read_text())
    return {result["student"]: result["score"] for result in read}


def graded(course: CourseOnServer) -> int:
    return len(list(course.folder.glob(f"autograded/*/{LESSON}/*.ipynb")))


@contextmanager
def grading(course: CourseOnServer) -> Iterator[Path]:
    """Return the log of a run in progress, which must succeed."""
    log = course.folder / "log"
    with log.open("w") as stream:
        engine = course.start(
            "autograder", "grade", LESSON, "--json", "out.json", "--jobs", "1", stderr=stream
        )
        yield log
        engine.communicate(timeout=200)
    assert engine.returncode == 0, log.read_text()
    assert "Traceback" not in log.read_text()


def test_the_gradebook_says_what_the_engine_says_and_a_second_run_keeps_it(
    course: CourseOnServer,
) -> None:
    first = course.grade()
    assert results(course) == scores(course) == SCORES
    assert not (course.folder / "gradebook.db").exists()
    again = course.grade()
    assert again == {s: r | {"status": "kept"} for s, r in first.items()}
    assert scores(course) == SCORES


def test_the_formgrader_and_nbgrader_s_commands_go_on_from_there(course: CourseOnServer) -> None:
    course.grade()
    config = Config()
    config.CourseDirectory.root = str(course.folder)
    config.CourseDirectory.db_url = course.url
    config.CourseDirectory.course_id = "cnn"
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    listed = {s["student"]: s["score"] for s in api.get_submissions(LESSON)}
    assert listed == SCORES
    (assignment,) = api.get_assignments()
    assert (assignment["num_submissions"], assignment["max_score"]) == (4, 10)
    with api.gradebook as gradebook:  # a person marks the essay
        gradebook.find_grade("essay", LESSON, LESSON, "answers").manual_score = 3
        gradebook.db.commit()
    assert course.grade()["answers"]["score"] == SCORES["answers"] + 3
    assert course.run("nbgrader", "generate_feedback", LESSON).returncode == 0
    assert course.run("nbgrader", "export", "--to", "grades.csv").returncode == 0
    assert ",10.0" in (course.folder / "grades.csv").read_text()


def test_a_run_waits_for_a_database_that_is_away_when_it_begins(
    course: CourseOnServer, server: Server
) -> None:
    server.stop()
    with grading(course) as log:
        assert wait_until(lambda: WAITS in log.read_text(), 60)
        server.start()
    assert results(course) == scores(course) == SCORES


def test_a_run_waits_for_a_database_that_goes_away_meanwhile(
    course: CourseOnServer, server: Server
) -> None:
    with grading(course) as log:
        assert wait_until(lambda: graded(course) > 0, 60)
        server.stop()
        assert wait_until(lambda: WAITS in log.read_text(), 60)
        server.start()
    assert results(course) == scores(course) == SCORES
    assert course.grade()["answers"]["status"] == "kept"


def test_a_driver_that_is_missing_is_one_line_that_says_what_to_install(
    course: CourseOnServer,
) -> None:
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        f"sys.argv = ['autograder', 'grade', '{LESSON}']\n"
        "from autograder.cli import app; app()"
    )
    done = course.run("python", "-c", program)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "pip install 'nbgrader-autograder[postgresql]'" in done.stderr


def test_an_invalid_url_is_one_line(tmp_path: Path) -> None:
    course = make_course(tmp_path)
    course.hand_in("ada", RIGHT)
    with (tmp_path / "nbgrader_config.py").open("a") as settings:
        settings.write("\nc.CourseDirectory.db_url = 'postgres'\n")
    done = course.run("autograder", "grade", LESSON)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "c.CourseDirectory.db_url is not a database URL" in done.stderr
