"""Immediate feedback: submissions are graded and answered, up to the daily limit."""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import nbformat
import pytest

from autograder.authoring.build import notebook_path
from autograder.service.exchange import StudentExchange
from autograder.service.watch import JOURNAL, MAX_WAIT_SECONDS, wait_after
from tests.support.small_course import LESSON, RIGHT, Course, make_course, wait_until, with_double

pytestmark = pytest.mark.slow

WRONG = with_double("def double(x):\n    return x * x")


class Exchange(Course):
    """A course with an exchange, and a home for each student."""

    def submit(self, student: str, answers: dict[str, str]) -> Path:
        """Submit as nbgrader does; return the new folder in the exchange."""
        folder = self.folder / "homes" / student / LESSON
        folder.mkdir(parents=True, exist_ok=True)
        self.write(folder, answers)
        before = set(self.inbound.iterdir())
        self.as_student(student, "Submit")
        (new,) = set(self.inbound.iterdir()) - before
        return new

    def feedback(self, student: str) -> list[str]:
        """Return the pages that a student can fetch, the oldest first."""
        self.as_student(student, "FetchFeedback")
        pages = (self.folder / "homes" / student / LESSON / "feedback").glob("*/*.html")
        return [page.read_text() for page in sorted(pages)]

    def as_student(self, student: str, step: str) -> None:
        """Run a step of nbgrader's exchange, in this process: each command would take a second."""
        home = self.folder / "homes" / student
        home.mkdir(parents=True, exist_ok=True)
        (home / "nbgrader_config.py").write_text(
            f"c = get_config()\nc.CourseDirectory.course_id = 'cnn'\n"
            f"c.CourseDirectory.student_id = {student!r}\n"
            f"c.Exchange.root = {str(self.folder / 'exchange')!r}\n"
            f"c.Exchange.cache = {str(home / 'cache')!r}\n"
        )
        StudentExchange(home).start(step, assignment=LESSON)

    @property
    def inbound(self) -> Path:
        return self.folder / "exchange" / "cnn" / "inbound"

    def journal(self) -> str:
        """Return the journal of what was answered."""
        path = self.folder / JOURNAL
        return path.read_text() if path.exists() else ""

    def answered(self) -> int:
        """Return how many submissions were answered so far."""
        return len(self.journal().splitlines())

    @contextmanager
    def watched(
        self, *options: str, program: tuple[str, ...] = ("autograder", "watch")
    ) -> Iterator[subprocess.Popen[str]]:
        """`autograder watch`, running."""
        with (self.folder / "log").open("a") as log:
            process = self.start(*program, *options, stdout=log, stderr=log)
            try:
                yield process
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(60)

    def log_text(self) -> str:
        return (self.folder / "log").read_text()


@cache
def released_once() -> Path:
    """Return a folder with a course and its exchange, where the lesson was released."""
    folder = Path(tempfile.mkdtemp(prefix="course-"))
    atexit.register(shutil.rmtree, folder)
    course = make_course(folder)
    (folder / "exchange").mkdir(mode=0o777)
    (folder / "exchange").chmod(0o777)
    root = f"--Exchange.root={folder / 'exchange'}"
    done = course.run("nbgrader", "release_assignment", LESSON, root)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def exchange(tmp_path: Path) -> Exchange:
    shutil.copytree(released_once(), tmp_path, dirs_exist_ok=True)
    with (tmp_path / "nbgrader_config.py").open("a") as settings:
        settings.write(f"c.Exchange.root = {str(tmp_path / 'exchange')!r}\n")
    return Exchange(tmp_path)


def test_submissions_are_answered_up_to_the_daily_limit(exchange: Exchange) -> None:
    with exchange.watched("--daily-limit=2"):
        for count, answers in enumerate((WRONG, RIGHT), 1):
            exchange.submit("ada", answers)
            assert wait_until(lambda: exchange.answered() == count, 60), exchange.log_text()  # noqa: B023
        exchange.submit("ada", WRONG)
        assert wait_until(lambda: "the next one tomorrow" in exchange.log_text(), 60), (
            exchange.log_text()
        )
        exchange.submit("alan", RIGHT)
        assert wait_until(lambda: exchange.answered() == 3, 60), exchange.log_text()
    pages = exchange.feedback("ada")
    assert len(pages) == 2
    assert "<strong>5</strong> of 10" in pages[0]
    assert "<strong>7</strong> of 10" in pages[1]
    assert "1 of 2 left" in pages[0]
    assert "none left of 2" in pages[1]
    assert "Since your hand-in" not in pages[0]
    assert re.search("Since your hand-in of .*: more points in hidden-double .0 to 2.", pages[1])


def test_it_goes_on_where_it_was_killed(exchange: Exchange) -> None:
    with exchange.watched() as process:
        exchange.submit("ada", WRONG)
        assert wait_until(lambda: exchange.answered() == 1, 60), exchange.log_text()
        process.kill()
        process.wait()
    exchange.submit("alan", RIGHT)
    with exchange.watched():
        assert wait_until(lambda: exchange.answered() == 2, 60), exchange.log_text()
    assert exchange.log_text().count("ada") == 1
    assert len(exchange.feedback("alan")) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_submission_under_the_name_of_another_student_is_skipped(
    exchange: Exchange,
) -> None:
    forged = exchange.submit("ada", RIGHT)
    os.chown(forged, 64000, 64000)
    exchange.submit("alan", RIGHT)
    with exchange.watched():
        assert wait_until(lambda: exchange.answered() == 1, 60), exchange.log_text()
    assert "belongs to another account: skipped" in exchange.log_text()
    assert not (exchange.folder / "submitted" / "ada").exists()


def test_an_examination_is_answered_only_where_it_is_named(exchange: Exchange) -> None:
    path = notebook_path(exchange.folder / "source", LESSON)
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata["immediate_feedback"] = False
    nbformat.write(notebook, path)
    exchange.submit("ada", RIGHT)
    with exchange.watched():
        said = f"{LESSON}: no immediate feedback"
        assert wait_until(lambda: said in exchange.log_text(), 60), exchange.log_text()
    assert exchange.answered() == 0
    with exchange.watched(f"--only={LESSON}"):
        assert wait_until(lambda: exchange.answered() == 1, 60), exchange.log_text()


def test_an_unknown_lesson_to_answer_is_one_line(exchange: Exchange) -> None:
    done = exchange.run("autograder", "watch", "--only=01_nothing")
    assert done.returncode == 2
    assert done.stderr.startswith("autograder: no assignment '01_nothing'")


def test_an_incomplete_submission_waits(exchange: Exchange) -> None:
    arriving = exchange.submit("ada", RIGHT)
    arriving.chmod(0o755)
    with exchange.watched():
        exchange.submit("alan", RIGHT)
        assert wait_until(lambda: exchange.answered() == 1, 60), exchange.log_text()
        assert not (exchange.folder / "submitted" / "ada").exists()
        arriving.chmod(0o777)
        assert wait_until(lambda: exchange.answered() == 2, 60), exchange.log_text()


def test_a_notebook_that_cannot_be_read_is_answered_and_no_other_waits_for_it(
    exchange: Exchange,
) -> None:
    (notebook,) = exchange.submit("ada", RIGHT).glob("*.ipynb")
    notebook.write_text("{")
    exchange.submit("alan", RIGHT)
    with exchange.watched():
        assert wait_until(lambda: exchange.answered() == 2, 60), exchange.log_text()
    (page,) = exchange.feedback("ada")
    assert "could not be graded" in page
    assert "is not a readable notebook" in page
    (page,) = exchange.feedback("alan")
    assert "<strong>7</strong> of 10" in page


def a_pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe")


def a_dangling_link(folder: Path) -> None:
    (folder / "gone").symlink_to("/nowhere")


def a_link_to_the_source(folder: Path) -> None:
    (folder / "key.ipynb").symlink_to(folder.parents[3] / "source" / LESSON / f"{LESSON}.ipynb")


def names_that_are_markup(folder: Path) -> None:
    (folder / "[").mkdir()
    (folder / "[" / "b].ipynb").write_text("[/b] {")
    (folder / f"{LESSON}.ipynb").rename(folder / "[red]\x1b[31m\n.ipynb")


def no_secret(folder: Path) -> None:
    (folder / "submission_secret.txt").unlink()


def no_time(folder: Path) -> None:
    (folder / "timestamp.txt").write_bytes(b"\xff\xfe garbage")


def a_time_without_end(folder: Path) -> None:
    (folder / "timestamp.txt").write_text("1 " * 2_500_000)


def no_notebook(folder: Path) -> None:
    (folder / f"{LESSON}.ipynb").unlink()


def a_name_without_a_time(folder: Path) -> None:
    folder.rename(folder.with_name(f"mallory+{LESSON}+garbage+0"))


def another_name(folder: Path) -> None:
    folder.rename(folder.with_name(folder.name.replace("mallory", "[red]\x1b[2Jmallory")))


ARRIVALS = (
    a_pipe, a_dangling_link, a_link_to_the_source, names_that_are_markup, no_secret, no_time,
    a_time_without_end, no_notebook, a_name_without_a_time, another_name,
)  # fmt: skip


def test_no_arrival_keeps_others_waiting(exchange: Exchange) -> None:
    for number, spoil in enumerate(ARRIVALS):
        student = f"mallory{number}"
        spoil(exchange.submit(student, RIGHT))
    for name in (f"x+{LESSON}+{'9' * 100}+0", "+++", f"..+{LESSON}+2026-01-01 10:00:00 UTC+0"):
        (exchange.inbound / name).mkdir()
        (exchange.inbound / name).chmod(0o777)
    exchange.submit("zoe", RIGHT)  # in the order of names, all others come before her
    with exchange.watched() as process:
        assert wait_until(lambda: '"zoe"' in exchange.journal(), 90), exchange.log_text()
        coming = exchange.inbound / f"ada+{LESSON}+2026-01-01 10:00:00 UTC+0"
        for _ in range(200):  # a folder that comes and goes
            coming.mkdir(mode=0o777)
            coming.rmdir()
        exchange.submit("yann", RIGHT)
        assert wait_until(lambda: '"yann"' in exchange.journal(), 60), exchange.log_text()
        assert process.poll() is None
    (page,) = exchange.feedback("zoe")
    assert "<strong>7</strong> of 10" in page
    assert "key.ipynb is a symbolic link: left out" in exchange.log_text()
    assert "\x1b" not in exchange.log_text()
    submitted = exchange.folder / "submitted"
    assert not (submitted / "mallory2" / LESSON / "key.ipynb").exists()
    assert not (exchange.folder / LESSON).exists()


FAULTY = """
from pathlib import Path
import nbclient
real = nbclient.NotebookClient.process_message
def process_message(self, msg, cell, cell_index):
    if Path("fault").exists():
        raise AttributeError("a member is gone")
    return real(self, msg, cell, cell_index)
nbclient.NotebookClient.process_message = process_message
from autograder.cli import app
app(["watch"])
"""


def test_a_fault_of_the_grader_is_no_answer_and_is_tried_again(exchange: Exchange) -> None:
    with exchange.watched(program=("python", "-c", FAULTY)):
        exchange.submit("alan", RIGHT)
        assert wait_until(lambda: exchange.answered() == 1, 60), exchange.log_text()
        (exchange.folder / "fault").touch()
        exchange.submit("ada", RIGHT)
        assert wait_until(lambda: "not graded" in exchange.log_text(), 60), exchange.log_text()
        assert exchange.answered() == 1
        (exchange.folder / "fault").unlink()
        assert wait_until(lambda: exchange.answered() == 2, 60), exchange.log_text()
    assert "a member is gone" in (exchange.folder / "autograder.log").read_text()
    (page,) = exchange.feedback("ada")
    assert "<strong>7</strong> of 10" in page


SLOW = with_double("import time\ntime.sleep(15)\ndef double(x):\n    return x + x")


def test_each_student_is_answered_as_soon_as_the_work_is_graded(exchange: Exchange) -> None:
    exchange.submit("ada", SLOW)
    exchange.submit("alan", RIGHT)
    with exchange.watched():
        collected = exchange.folder / "submitted" / "ada"
        assert wait_until(collected.exists, 60), exchange.log_text()
        exchange.submit("zoe", RIGHT)
        assert wait_until(lambda: exchange.answered() == 3, 120), exchange.log_text()
    students = [json.loads(line)["student"] for line in exchange.journal().splitlines()]
    assert sorted(students[:2]) == ["alan", "zoe"]
    assert students[2] == "ada"


FAULTY_FOR_ONE = """
import nbclient
from autograder.service import watch
watch.MAX_FAULTS, watch.FIRST_WAIT_SECONDS = 2, 0.1
real = nbclient.NotebookClient.process_message
def process_message(self, msg, cell, cell_index):
    if "fault" in cell.source:
        raise AttributeError("a member is gone")
    return real(self, msg, cell, cell_index)
nbclient.NotebookClient.process_message = process_message
from autograder.cli import app
app(["watch"])
"""


def test_one_that_meets_faults_while_others_are_graded_is_answered_in_the_end(
    exchange: Exchange,
) -> None:
    exchange.submit("eve", with_double("fault = 1"))
    with exchange.watched(program=("python", "-c", FAULTY_FOR_ONE)):
        assert wait_until(lambda: "not graded" in exchange.log_text(), 60), exchange.log_text()
        exchange.submit("alan", RIGHT)
        assert wait_until(lambda: exchange.answered() == 2, 90), exchange.log_text()
    (page,) = exchange.feedback("eve")
    assert "could not be graded" in page
    assert "show it to your instructor" in page


def test_a_lasting_fault_waits_longer_each_time() -> None:
    waits = [wait_after(faults) for faults in range(1, 16)]
    assert waits == sorted(waits)
    assert waits[0] < 2
    assert waits[-1] == pytest.approx(MAX_WAIT_SECONDS, abs=1)


def test_a_course_without_an_exchange_is_one_line(tmp_path: Path) -> None:
    done = make_course(tmp_path).run("autograder", "watch")
    assert done.returncode == 2
    assert done.stderr.startswith("autograder: ")
    assert len(done.stderr.splitlines()) == 1
