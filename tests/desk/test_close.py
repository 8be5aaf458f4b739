"""Release and close a lesson: one step each, which can be looked at first and done again."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat
import pytest
import typer
from nbgrader.api import Gradebook
from typer.testing import CliRunner, Result

from autograder.desk.commands import desk
from autograder.desk.folders import PROBLEMS
from autograder.desk.standing import quoted_in, read_state
from autograder.grading.course import open_course
from tests.support.small_course import LESSON, RIGHT, Course, activated, make_course, with_double

WRONG = with_double("def double(x):\n    return x * x")
SUBMITTED = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
app = typer.Typer()
app.add_typer(desk)


class Classroom(Course):
    """A course with an exchange; its commands run in this process."""

    @property
    def exchange(self) -> Path:
        return self.folder / "exchange" / "cnn"

    def submit(self, student: str, answers: dict[str, str] | None, days: float = 0) -> Path:
        """Hand in so many days after SUBMITTED, as nbgrader does; None is no notebook at all."""
        time = f"{SUBMITTED + timedelta(days=days):%Y-%m-%d %H:%M:%S.%f} UTC"
        folder = self.exchange / "inbound" / f"{student}+{LESSON}+{time}+{secrets.token_hex(3)}"
        folder.mkdir()
        (folder / "timestamp.txt").write_text(time)
        (folder / "submission_secret.txt").write_text(secrets.token_hex(16))
        if answers is None:
            (folder / f"{LESSON}.ipynb").write_text("{}")
        else:
            self.write(folder, answers)
        folder.chmod(0o777)
        return folder

    def call(self, *command: str, status: int = 0) -> str:
        """Call a command of the desk; return what it says."""
        done: Result = CliRunner().invoke(app, command, env={"PATH": activated()["PATH"]})
        assert done.exit_code == status, done.output
        return done.output

    def close(self, status: int) -> str:
        """Close the lesson in a process of its own: kernels leave event loops behind."""
        done = self.run("autograder", "close", LESSON)
        assert done.returncode == status, done.stderr
        return done.stderr

    def pages(self) -> list[str]:
        """Return the feedback that students can fetch."""
        return [path.read_text() for path in (self.exchange / "feedback").glob("*.html")]

    def marks(self) -> dict[str, float]:
        """Return the points of each student."""
        with Gradebook(f"sqlite:///{self.folder}/gradebook.db", "cnn") as gradebook:
            marks = {
                each.student.id: each.score for each in gradebook.assignment_submissions(LESSON)
            }
        gradebook.engine.dispose()
        return marks

    def mark_essay(self, student: str, points: float) -> None:
        """Mark a cell by hand, as the formgrader does."""
        with Gradebook(f"sqlite:///{self.folder}/gradebook.db", "cnn") as gradebook:
            grade = gradebook.find_grade("essay", LESSON, LESSON, student)
            grade.manual_score, grade.needs_manual_grade = points, False
            gradebook.db.commit()
        gradebook.engine.dispose()


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Classroom:
    room = Classroom(make_course(tmp_path).folder)
    (tmp_path / "exchange").mkdir(mode=0o777)
    (tmp_path / "exchange").chmod(0o777)
    with (tmp_path / "nbgrader_config.py").open("a") as settings:
        settings.write(f"c.Exchange.root = {str(tmp_path / 'exchange')!r}\n")
    monkeypatch.chdir(tmp_path)
    room.call("release", LESSON)
    return room


def test_a_lesson_is_closed_in_one_step_and_again_for_what_came_later(room: Classroom) -> None:
    room.submit("ada", WRONG)
    room.submit("alan", {**RIGHT, "essay": "# A text that a person marks."})
    room.submit("eve", None)
    planned = room.call("close", LESSON, "--dry-run")
    assert "collect: 3 (new or newer hand-ins): ada, alan, eve" in planned
    assert not (room.folder / "submitted" / "ada" / LESSON).exists()
    said = room.close(status=1)
    assert "2 graded" in said
    assert "1 (alan) wait for a person" in said
    assert "eve: failed: " in said
    assert room.marks() == {"ada": 5, "alan": 7, "eve": 0}
    assert sorted("could not be graded" in page for page in room.pages()) == [False, True]
    assert list(json.loads((room.folder / PROBLEMS).read_text())[LESSON]) == ["eve"]

    room.submit("ada", RIGHT, days=1)
    room.submit("zoe", RIGHT, days=1)
    room.mark_essay("alan", 3)
    assert "grade: 3 (hand-ins without marks): ada, eve, zoe" in room.call(
        "close", LESSON, "--dry-run"
    )
    said = room.close(status=1)
    assert "collected 2: ada, zoe" in said
    assert "feedback: 3 new, 1 as before" in said
    assert room.marks() == {"ada": 7, "alan": 10, "eve": 0, "zoe": 7}
    assert any("<strong>10</strong> of 10" in page for page in room.pages())


def test_where_each_student_stands(room: Classroom, monkeypatch: pytest.MonkeyPatch) -> None:
    (room.folder / "homes" / "emmy" / LESSON).mkdir(parents=True)
    (room.folder / "homes" / "lea" / LESSON).mkdir(parents=True)
    monkeypatch.setenv("COURSE_HOMES", str(room.folder / "homes"))
    monkeypatch.setenv("COURSE_INSTRUCTORS", "lea")
    due = (SUBMITTED + timedelta(hours=1)).isoformat()
    (room.folder / "deadlines.toml").write_text(f"[lessons.{LESSON}]\ndue = {due}\n")
    room.submit("ada", RIGHT)
    room.submit("alan", RIGHT, days=1)
    room.submit("ada", WRONG, days=0.01)
    (lesson,) = read_state(open_course())
    counts = {
        what: [one.person.id for one in lesson.of(what)] for what in ("started", "late", "new")
    }
    assert counts == {"started": ["ada", "alan", "emmy"], "late": ["alan"], "new": ["ada", "alan"]}
    assert lesson.is_released
    assert lesson.count("graded") == 0


def test_a_message_that_names_two_students_is_remembered_together(tmp_path: Path) -> None:
    verdicts = ("'alan' is 'ada'", "'emmy' is wrong", "no name")
    cells = [
        nbformat.v4.new_code_cell(metadata={"verdict": {"outcome": "failed", "message": text}})
        for text in verdicts
    ]
    path = tmp_path / "x.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    assert quoted_in(path, 0) == (frozenset({"ada", "alan"}),)


def test_a_lesson_is_released_once_and_never_with_solutions(room: Classroom) -> None:
    assert (room.exchange / "outbound" / LESSON / f"{LESSON}.ipynb").exists()
    assert "released already" in room.call("release", LESSON, status=2)
    (room.exchange / "outbound" / LESSON).rename(room.folder / "gone")
    path = room.folder / "release" / LESSON / f"{LESSON}.ipynb"
    path.write_bytes((room.folder / "source" / LESSON / f"{LESSON}.ipynb").read_bytes())
    assert "would show solutions" in room.call("release", LESSON, status=1)
    assert not (room.exchange / "outbound" / LESSON).exists()
