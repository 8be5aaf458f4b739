"""My course: lessons with their status, hand-in with a receipt, feedback; from a real exchange."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nbformat
import pytest
import requests

from autograder.errors import LessonError
from autograder.grading.receipt import digest_of_folder
from autograder.service.exchange import NO_EXCHANGE, StudentExchange
from autograder.service.hand_in import hand_in, last_receipt, names_of_others, preview
from autograder.service.lessons import Lesson, lessons, read_feedback
from autograder.service.outline import Exercise, is_answer, read_outline
from autograder.service.validate import validate
from autograder.service.work import Work
from tests.support.processes import free_port
from tests.support.small_course import LESSON, RIGHT, make_course, wait_until

pytestmark = [
    pytest.mark.slow,
    # nbgrader leaves files to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
]

EXERCISE = {"schema_version": 3, "solution": True, "grade": False, "locked": False, "task": False}
DOUBLE = {"double": RIGHT["double"]}


class Home:
    """The home of a student, and the course with its exchange."""

    def __init__(self, folder: Path) -> None:
        self.course = make_course(folder / "course")
        self.folder = folder / "home"
        self.exchange_root = folder / "exchange"
        for path in (self.folder, self.exchange_root):
            path.mkdir()
            path.chmod(0o777)
        line = f"c.Exchange.root = {str(self.exchange_root)!r}\n"
        with (self.course.folder / "nbgrader_config.py").open("a") as settings:
            settings.write(line)
        (self.folder / "nbgrader_config.py").write_text(
            f"c = get_config()\n{line}"
            f"c.Exchange.cache = {str(folder / 'cache')!r}\n"
            'c.CourseDirectory.course_id = "cnn"\nc.CourseDirectory.student_id = "ada"\n'
        )
        self.teach("release_assignment")

    def teach(self, command: str) -> None:
        """Run a command of the instructor for the lesson."""
        program = "autograder" if command in ("grade", "collect") else "nbgrader"
        done = self.course.run(program, command, LESSON)
        assert done.returncode == 0, done.stderr

    @property
    def exchange(self) -> StudentExchange:
        return StudentExchange(self.folder)

    @property
    def lesson(self) -> Lesson:
        (lesson,), remark = lessons(self.exchange)
        assert remark == ""
        return lesson

    @property
    def notebook(self) -> Path:
        return self.folder / LESSON / f"{LESSON}.ipynb"

    def answer(self, answers: dict[str, str]) -> None:
        self.course.write(self.folder / LESSON, answers)

    def arrived(self) -> list[Path]:
        """Return the hand-ins in the exchange, the oldest first."""
        return sorted((self.exchange_root / "cnn" / "inbound").iterdir())

    def set_due(self, due: datetime) -> None:
        """Release the lesson with a time at which it is due."""
        path = self.exchange_root / "cnn" / "outbound" / LESSON / f"{LESSON}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        notebook.metadata["due"] = due.isoformat()
        path.chmod(0o644)
        nbformat.write(notebook, path)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_each_step_leads_to_the_next(home: Home) -> None:
    steps = [home.lesson.next]
    home.exchange.fetch(LESSON)
    steps.append(home.lesson.next)
    home.answer(RIGHT | {"essay": "It doubles."})
    steps.append(home.lesson.next)
    hand_in(home.exchange, LESSON)
    steps.append(home.lesson.next)
    for command in ("collect", "grade", "generate_feedback", "release_feedback"):
        home.teach(command)
    steps.append(home.lesson.next)
    assert steps == ["get", "open", "hand-in", "open", "feedback"]
    home.answer(DOUBLE)
    assert home.lesson.next == "open"  # it was changed: no longer complete


def test_a_lesson_is_described_by_its_notebook(home: Home) -> None:
    lesson = home.lesson
    assert lesson.title == "Doubling"
    assert lesson.points == 10
    assert (lesson.answered, lesson.exercises) == (0, 3)
    assert lesson.about
    assert lesson.notebook is None
    home.exchange.fetch(LESSON)
    assert home.lesson.notebook == f"{LESSON}/{LESSON}.ipynb"


def test_answers_are_counted_without_running_them(home: Home) -> None:
    home.exchange.fetch(LESSON)
    assert home.lesson.answered == 0
    home.answer(DOUBLE)
    assert home.lesson.answered == 1
    assert preview(home.exchange, LESSON).unanswered == ["greet", "essay"]


@pytest.mark.parametrize(
    ("source", "answers"),
    [
        ("def f(x):\n    return x", True),
        ("def f(x):\n    # my idea\n    raise NotImplementedError()", False),
        ('def f(x):\n    """My docstring."""\n    raise NotImplementedError()', False),
        ("", False),
        ("# nothing yet", False),
        ("%timeit 1", True),
        ("def f(x):\n    return (", True),
    ],
)
def test_a_stub_with_comments_is_no_answer(source: str, answers: bool) -> None:
    stub = Exercise("code", "def f(x):\n    raise NotImplementedError()", True)
    assert is_answer(Exercise("code", source, False), stub) == answers


def test_the_receipt_has_the_digest_of_what_is_in_the_exchange(home: Home) -> None:
    home.exchange.fetch(LESSON)
    home.answer(DOUBLE)
    (home.folder / LESSON / "data").mkdir()
    (home.folder / LESSON / "data" / "of mine.csv").write_text("1,2\n")
    receipt = hand_in(home.exchange, LESSON)
    (arrived,) = home.arrived()
    assert receipt.digest == digest_of_folder(arrived) == home.lesson.digest
    assert receipt.files == [f"{LESSON}.ipynb", "data/of mine.csv"]
    assert (receipt.student, receipt.course) == ("ada", "cnn")
    home.teach("collect")
    collected = home.course.folder / "submitted" / "ada" / LESSON
    assert digest_of_folder(collected) == receipt.digest
    (collected / "data" / "of mine.csv").chmod(0o644)
    (collected / "data" / "of mine.csv").write_text("1,3\n")
    assert digest_of_folder(collected) != receipt.digest


def test_a_change_of_the_work_is_noticed_and_one_of_its_outputs_is_not(home: Home) -> None:
    home.exchange.fetch(LESSON)
    home.answer(DOUBLE)
    hand_in(home.exchange, LESSON)
    assert not home.lesson.changed
    notebook = nbformat.read(home.notebook, as_version=4)
    code = next(cell for cell in notebook.cells if cell.cell_type == "code")
    code.outputs = [nbformat.v4.new_output("stream", text="an output")]
    nbformat.write(notebook, home.notebook)
    assert not home.lesson.changed
    home.answer(RIGHT)
    assert home.lesson.changed


def test_a_renamed_notebook_goes_in_under_the_name_of_the_lesson(home: Home) -> None:
    home.exchange.fetch(LESSON)
    home.answer(DOUBLE)
    mine = home.notebook.rename(home.notebook.with_name("Ada's copy.ipynb"))
    renamed = preview(home.exchange, LESSON).renamed
    assert renamed is not None
    assert (renamed.file, renamed.name) == ("Ada's copy.ipynb", f"{LESSON}.ipynb")
    assert home.lesson.answered == 1
    assert home.lesson.notebook == f"{LESSON}/Ada's copy.ipynb"
    hand_in(home.exchange, LESSON)
    (arrived,) = home.arrived()
    assert (arrived / f"{LESSON}.ipynb").read_bytes() == mine.read_bytes()
    assert not (arrived / mine.name).exists()
    assert mine.exists()
    assert not home.notebook.exists()
    for command in ("collect", "grade", "generate_feedback", "release_feedback"):
        home.teach(command)
    assert len(read_feedback(home.exchange, LESSON).pages) == 1


@pytest.mark.parametrize("extra", [[], ["a.ipynb", "b.ipynb"]])
def test_nothing_is_handed_in_where_the_notebook_is_missing(home: Home, extra: list[str]) -> None:
    home.exchange.fetch(LESSON)
    for name in extra:
        shutil.copy(home.notebook, home.notebook.with_name(name))
    home.notebook.unlink()
    for step in (preview, hand_in):
        with pytest.raises(LessonError, match=rf"handed in: {LESSON}\.ipynb is missing"):
            step(home.exchange, LESSON)
    assert home.arrived() == []


def test_what_is_late_says_so(home: Home) -> None:
    due = datetime.now(UTC) - timedelta(hours=2)
    home.set_due(due)
    home.exchange.fetch(LESSON)
    assert 7200 <= preview(home.exchange, LESSON).late_seconds < 7300
    assert 7200 <= hand_in(home.exchange, LESSON).late_seconds < 7300
    lesson = home.lesson
    assert lesson.due == due.isoformat()
    assert 7200 <= lesson.late_seconds < 7300
    published = home.exchange_root / "cnn" / "deadlines.json"  # by `autograder deadlines apply`
    moved = due + timedelta(hours=1)
    entry = {"due": moved.isoformat(), "policy": "It costs 1 %."}
    published.write_text(json.dumps({LESSON: entry}))
    assert (home.lesson.due, home.lesson.late_policy) == tuple(entry.values())
    assert preview(home.exchange, LESSON).late_policy == "It costs 1 %."
    assert 3600 <= last_receipt(home.exchange, LESSON).late_seconds < 3700
    published.write_text("[]")
    assert home.lesson.due == due.isoformat()


def test_feedback_is_offered_when_it_is_released_and_has_the_marks(home: Home) -> None:
    home.exchange.fetch(LESSON)
    home.answer(DOUBLE)
    hand_in(home.exchange, LESSON)
    assert home.lesson.feedback == "none"
    with pytest.raises(LessonError, match="no feedback on this lesson yet"):
        read_feedback(home.exchange, LESSON)
    for command in ("collect", "grade", "generate_feedback", "release_feedback"):
        home.teach(command)
    assert home.lesson.feedback == "new"
    (page,) = read_feedback(home.exchange, LESSON).pages
    assert (page.score, page.max_score) == (3, 10)
    lesson = home.lesson
    assert (lesson.feedback, lesson.score, lesson.max_score) == ("fetched", 3, 10)
    hand_in(home.exchange, LESSON)
    assert home.lesson.feedback_is_old


def test_a_lesson_whose_notebook_is_gone_can_be_fetched_again(home: Home) -> None:
    home.exchange.fetch(LESSON)
    kept = home.folder / LESSON / "notes.txt"
    kept.write_text("mine")
    home.notebook.unlink()
    assert home.lesson.next == "get"
    home.exchange.fetch(LESSON)
    assert home.lesson.next == "open"
    assert kept.read_text() == "mine"
    home.answer(DOUBLE)
    home.exchange.fetch(LESSON)
    assert home.lesson.answered == 1  # what is there is never replaced


def test_a_receipt_is_shown_again(home: Home) -> None:
    home.exchange.fetch(LESSON)
    with pytest.raises(LessonError, match="not handed in yet"):
        last_receipt(home.exchange, LESSON)
    receipt = hand_in(home.exchange, LESSON)
    assert last_receipt(home.exchange, LESSON) == receipt


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ('student = "Zoe Miller"', "says 'Zoe Miller', but you are 'zoe'"),
        ('student = "" # practice', "is empty: write 'zoe'"),
        ("student = ' Zoe '", None),
        ("student = input()\nname = 'x'", None),
        ("student = 'unfinished", None),
    ],
)
def test_another_name_in_the_cell_student_is_said_before_it_is_handed_in(
    tmp_path: Path, cell: str, says: str | None
) -> None:
    path = tmp_path / "lesson.ipynb"
    named = nbformat.v4.new_code_cell(
        cell, metadata={"nbgrader": EXERCISE | {"grade_id": "student"}}
    )
    nbformat.write(nbformat.v4.new_notebook(cells=[named]), path)
    remarks = names_of_others(Work("lesson", {"lesson.ipynb": path}), "zoe")
    assert len(remarks) == (says is not None)
    assert says is None or says in remarks[0]


def test_a_check_is_remembered_until_the_notebook_is_changed(home: Home) -> None:
    home.exchange.fetch(LESSON)
    assert preview(home.exchange, LESSON).checked is None
    home.answer(DOUBLE)
    report = validate(home.notebook)
    assert (report["answered"], report["exercises"]) == (1, 3)
    assert {test["name"]: test["points"] for test in report["tests"]}["test-double"] == 1
    assert all(test["cell_id"] for test in report["tests"])
    checked = preview(home.exchange, LESSON).checked
    assert checked
    assert (checked.passed, checked.tests, checked.is_current) == (1, 1, True)
    home.answer(RIGHT)
    checked = preview(home.exchange, LESSON).checked
    assert checked
    assert not checked.is_current


def test_without_an_exchange_the_lessons_are_the_folders(home: Home) -> None:
    home.exchange.fetch(LESSON)
    (home.folder / "nbgrader_config.py").unlink()
    (home.folder / "pictures").mkdir()
    home.answer(DOUBLE)
    rows, remark = lessons(home.exchange)
    assert [(row.name, row.answered, row.can_hand_in) for row in rows] == [(LESSON, 1, False)]
    assert remark == ""
    shutil.rmtree(home.folder / LESSON)
    assert lessons(home.exchange) == ([], NO_EXCHANGE)


def test_a_title_without_markup_and_a_first_sentence(tmp_path: Path) -> None:
    text = "# The **second** `lesson`\n\nIt is [about](x.html) $n$ filters. " + "And more. " * 40
    cells = [nbformat.v4.new_code_cell("1"), nbformat.v4.new_markdown_cell(text)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "a.ipynb")
    outline = read_outline(tmp_path / "a.ipynb")
    assert outline.title == "The second lesson"
    assert outline.about.startswith("It is about n filters. And more.")
    assert outline.about.endswith(".")
    assert len(outline.about) < 200


class Server:
    """A Jupyter server of the student, asked as the page asks it."""

    def __init__(self, home: Home, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.headers = {"Authorization": "token secret"}
        settings = {
            "ServerApp.jpserver_extensions": {"autograder.service.extension": True},
            "ServerApp.port": port,
            "ServerApp.root_dir": str(home.folder),
            "ServerApp.open_browser": False,
            "ServerApp.allow_root": True,
            "IdentityProvider.token": "secret",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", *options],
            cwd=home.folder,
            env={**os.environ, "JUPYTER_CONFIG_DIR": str(home.folder / ".jupyter")},
            stderr=subprocess.DEVNULL,
        )

    def is_up(self) -> bool:
        try:
            return requests.get(f"{self.url}/api", timeout=5).ok
        except requests.ConnectionError:
            return False

    def ask(self, path: str, body: Any = None, **headers: str) -> requests.Response:
        """Send a request; with a body it is a POST."""
        method = "GET" if body is None else "POST"
        return requests.request(
            method,
            f"{self.url}/autograder/{path}",
            data=None if body is None else json.dumps(body),
            headers=headers or self.headers,
            timeout=30,
        )


@pytest.fixture
def server(home: Home) -> Iterator[Server]:
    server = Server(home, free_port())
    try:
        assert wait_until(server.is_up, 60)
        yield server
    finally:
        server.process.terminate()
        server.process.wait(30)


def test_a_server_answers_the_page_and_no_one_else(home: Home, server: Server) -> None:
    for path in ("get", "hand-in", "feedback"):
        assert server.ask(path, {"lesson": LESSON}, Cookie="a=b").status_code == 403
        assert server.ask(path, {"lesson": "../course"}).status_code == 400
    assert server.ask("lessons", None, Cookie="a=b").status_code == 403
    assert server.ask("get", {"lesson": LESSON}).json() == {"lesson": LESSON}
    (lesson,) = server.ask("lessons").json()["lessons"]
    assert (lesson["title"], lesson["next"]) == ("Doubling", "open")
    assert server.ask("hand-in", {"lesson": LESSON}).json()["exercises"] == 3
    assert home.arrived() == []
    receipt = server.ask("hand-in", {"lesson": LESSON, "confirmed": True}).json()
    assert receipt["digest"] == digest_of_folder(home.arrived()[0])
    assert server.ask("lessons").elapsed < timedelta(seconds=1)
    home.notebook.unlink()
    refused = server.ask("hand-in", {"lesson": LESSON, "confirmed": True})
    assert refused.status_code == 409
    assert refused.json()["message"].count("\n") == 0
    assert "is missing" in refused.json()["message"]
    assert "Traceback" not in server.ask("feedback", {"lesson": "unknown"}).text
