"""What students hand in is collected as data: no link is followed, and no submission harms another.

Where an attack is tried, nbgrader's own collector is the positive control: there it succeeds.
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange.default import ExchangeCollect
from nbgrader.utils import parse_utc
from traitlets.config import Config

from autograder.errors import LessonError
from autograder.grading import collect, submissions
from autograder.grading.collect import Arrival, arrivals, collect_all, copy_submission
from autograder.grading.submissions import submitted_at
from tests.support.small_course import BIN

EARLY, LATE = "2026-11-01 10:00:00.000000 UTC", "2026-11-02 10:00:00.000000 UTC"
SECRET = "hidden tests, and everybody's marks"


class Classroom:
    """A course and its exchange."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inbound = folder / "exchange" / "cnn" / "inbound"
        self.inbound.mkdir(parents=True)
        self.secret = folder / "course" / "source" / "ps1" / "ps1.ipynb"
        self.secret.parent.mkdir(parents=True)
        self.secret.write_text(SECRET)

    @property
    def course(self) -> CourseDirectory:
        config = Config(
            {
                "CourseDirectory": {"root": str(self.folder / "course"), "course_id": "cnn"},
                "Exchange": {"root": str(self.folder / "exchange")},
            }
        )
        return CourseDirectory(config=config)

    def hand_in(self, student: str, time: str = EARLY, text: str = "work") -> Path:
        """Return the folder of a new submission."""
        folder = self.inbound / f"{student}+ps1+{time}+0"
        folder.mkdir()
        (folder / "ps1.ipynb").write_text(text)
        (folder / "timestamp.txt").write_text(time)
        return folder

    def collect(self, student: str = "*", update: bool = True) -> None:
        collect_all(self.course, "ps1", student, update)

    def collect_with_stock(self) -> None:
        course = self.course
        course.assignment_id = "ps1"
        authenticator = Authenticator(config=course.config)
        ExchangeCollect(coursedir=course, authenticator=authenticator, config=course.config).start()

    def submitted(self, student: str) -> Path:
        return self.folder / "course" / "submitted" / student / "ps1"

    def files(self, student: str) -> dict[str, str]:
        """Return the texts of what was collected, by path."""
        folder = self.submitted(student)
        return {
            str(path.relative_to(folder)): path.read_text()
            for path in folder.rglob("*")
            if path.is_file()
        }


def arrival(folder: Path) -> Arrival:
    """Return the submission in this folder of the exchange."""
    (found,) = (each for each in arrivals(folder.parent) if each.path == folder)
    return found


@pytest.fixture
def classroom(tmp_path: Path) -> Classroom:
    return Classroom(tmp_path)


def without_a_timestamp(folder: Path) -> None:
    (folder / "timestamp.txt").unlink()


def with_an_earlier_time(folder: Path) -> None:
    (folder / "timestamp.txt").write_text("2001-01-01 00:00:00 UTC")


def with_a_folder_for_a_time(folder: Path) -> None:
    without_a_timestamp(folder)
    (folder / "timestamp.txt").mkdir()


def with_bytes_for_a_time(folder: Path) -> None:
    (folder / "timestamp.txt").write_bytes(b"\xff\xfe garbage")


@pytest.mark.parametrize(
    "change",
    [without_a_timestamp, with_an_earlier_time, with_a_folder_for_a_time, with_bytes_for_a_time],
)
def test_the_time_is_that_of_the_folder_and_no_file_of_the_student_says_another(
    classroom: Classroom, change: Callable[[Path], None]
) -> None:
    folder = classroom.hand_in("ada")
    change(folder)
    classroom.collect()
    assert submitted_at(str(classroom.submitted("ada"))) == parse_utc(folder.name.split("+")[2])


def test_files_that_were_changed_after_the_time_of_the_folder_are_reported(
    classroom: Classroom, caplog: pytest.LogCaptureFixture
) -> None:
    classroom.hand_in("ada", time=f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
    forged = classroom.hand_in("mallory", time=EARLY)
    os.utime(forged / "ps1.ipynb", (0, 0))
    classroom.collect()
    (line,) = (record.message for record in caplog.records if "last changed" in record.message)
    assert line.startswith("mallory: handed in at ")


def test_files_are_collected_with_their_folders(classroom: Classroom) -> None:
    folder = classroom.hand_in("ada")
    (folder / "data").mkdir()
    (folder / "data" / "table.csv").write_text("1,2")
    (folder / "data" / "naïve file.txt").write_text("é")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "x.pyc").write_text("")
    classroom.collect()
    assert classroom.files("ada") == {
        "ps1.ipynb": "work", "timestamp.txt": EARLY, "data/table.csv": "1,2",
        "data/naïve file.txt": "é",
    }  # fmt: skip
    assert [path.name for path in classroom.submitted("ada").parent.iterdir()] == ["ps1"]


def links_to(secret: Path, folder: Path) -> None:
    (folder / "key").symlink_to(secret)
    (folder / "all").symlink_to(secret.parent)
    (folder / "up").symlink_to(os.path.relpath(secret, folder))


def hard_links_to(secret: Path, folder: Path) -> None:
    os.link(secret, folder / "key")


@pytest.mark.parametrize("attack", [links_to, hard_links_to])
def test_what_a_link_leads_to_is_not_collected(
    attack: Callable[[Path, Path], None],
    classroom: Classroom,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attack(classroom.secret, classroom.hand_in("mallory"))
    monkeypatch.setenv("PATH", f"{BIN}{os.pathsep}{os.environ['PATH']}")  # for alembic
    classroom.collect_with_stock()
    assert SECRET in classroom.files("mallory").values()  # the positive control
    shutil.rmtree(classroom.submitted("mallory"))
    with caplog.at_level(logging.WARNING):
        classroom.collect()
    assert classroom.files("mallory") == {"ps1.ipynb": "work", "timestamp.txt": EARLY}
    assert not list(classroom.submitted("mallory").glob("all/*"))
    assert "mallory: key is a" in caplog.text
    assert "link" in caplog.text


def test_a_folder_that_is_a_link_is_no_submission(classroom: Classroom) -> None:
    (classroom.inbound / f"mallory+ps1+{EARLY}+0").symlink_to(classroom.secret.parent)
    classroom.hand_in("ada")
    classroom.collect()
    assert classroom.files("ada")
    assert not classroom.submitted("mallory").exists()


def test_a_notebook_that_becomes_a_link_while_it_is_copied_is_not_followed(
    classroom: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = classroom.hand_in("mallory")

    def is_wanted(*_: object) -> bool:  # called between the look at a file and its opening
        path = folder / "ps1.ipynb"
        path.unlink(missing_ok=True)
        path.symlink_to(classroom.secret)
        return True

    monkeypatch.setattr(collect.Copier, "is_wanted", is_wanted)
    classroom.collect()
    assert SECRET not in classroom.files("mallory").values()


def test_nothing_is_waited_for(
    classroom: Classroom, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = classroom.hand_in("mallory")
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(folder)  # a path of a socket is short
        server.bind("s")
        (folder / "gone").symlink_to("/nowhere")
        collecting = threading.Thread(target=classroom.collect, daemon=True)
        collecting.start()
        collecting.join(20)
        assert not collecting.is_alive()
    assert classroom.files("mallory") == {"ps1.ipynb": "work", "timestamp.txt": EARLY}
    for line in ("pipe is a named pipe", "s is a socket", "gone is a symbolic link"):
        assert line in caplog.text


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_account_is_left_out(classroom: Classroom) -> None:
    folder = classroom.hand_in("mallory")
    (folder / "of-another").write_text(SECRET)
    os.chown(folder / "of-another", 64000, 64000)
    classroom.collect()
    assert SECRET not in classroom.files("mallory").values()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_newer_submission_under_another_name_replaces_nothing(classroom: Classroom) -> None:
    classroom.hand_in("ada", EARLY, "ada's work")
    os.chown(classroom.hand_in("ada", LATE, "forged"), 64000, 64000)
    classroom.collect()
    assert classroom.files("ada")["ps1.ipynb"] == "ada's work"


def test_a_newer_submission_replaces_the_one_before(classroom: Classroom) -> None:
    classroom.hand_in("ada", EARLY, "first")
    classroom.collect()
    classroom.hand_in("ada", LATE, "second")
    classroom.collect(update=False)
    assert classroom.files("ada")["ps1.ipynb"] == "first"
    classroom.collect()
    assert classroom.files("ada")["ps1.ipynb"] == "second"


@pytest.mark.parametrize("name", ["..", ".", "a\nb", "\x1b[31m", "\u202eada", ""])
def test_an_invalid_name_is_no_student(classroom: Classroom, name: str) -> None:
    classroom.hand_in(name)
    classroom.hand_in("ada")
    classroom.collect()
    place = classroom.folder / "course" / "submitted"
    assert [path.name for path in place.iterdir()] == ["ada"]
    assert not (classroom.folder / "course" / "ps1").exists()


@pytest.mark.parametrize("time", ["garbage", "9" * 200, "0001-01-01 00:00:00 +2400", "1 1 1 1"])
def test_an_invalid_time_harms_its_own_submission_alone(classroom: Classroom, time: str) -> None:
    classroom.hand_in("mallory", time)
    classroom.hand_in("ada")
    classroom.collect()
    assert classroom.files("ada")


@pytest.mark.parametrize(
    ("limit", "value"), [("MAX_FILES", 3), ("MAX_BYTES", 50), ("MAX_DEPTH", 2)]
)
def test_one_that_is_too_large_is_refused_and_leaves_what_was_there(
    classroom: Classroom, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    classroom.hand_in("mallory", EARLY, "first")
    classroom.hand_in("ada")
    classroom.collect()
    deep = classroom.hand_in("mallory", LATE, "x" * 100) / "a" / "b" / "c"
    deep.mkdir(parents=True)
    classroom.hand_in("yann")
    monkeypatch.setattr(collect, limit, value)
    with pytest.raises(LessonError, match="1 could not be collected, the other submissions were"):
        classroom.collect()
    assert classroom.files("mallory")["ps1.ipynb"] == "first"
    assert classroom.files("yann")
    assert len(list(classroom.submitted("mallory").parent.iterdir())) == 1


def test_a_file_without_end_is_bounded(
    classroom: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = classroom.hand_in("mallory")
    with (folder / "sparse").open("wb") as file:
        file.truncate(submissions.MAX_BYTES * 1000)
    monkeypatch.setattr(collect, "MAX_BYTES", 10_000_000)
    course = classroom.course
    course.max_file_size = 10**9
    with pytest.raises(LessonError, match="its files have more than 9 MB"):
        copy_submission(arrival(folder), classroom.submitted("mallory"), course)


def test_nbgraders_limit_of_a_file_holds(classroom: Classroom) -> None:
    folder = classroom.hand_in("ada")
    (folder / "large").write_bytes(bytes(200_000))
    course = classroom.course
    course.max_file_size = 100  # kB
    copy_submission(arrival(folder), classroom.submitted("ada"), course)
    assert not (classroom.submitted("ada") / "large").exists()


@pytest.mark.parametrize("student", ["*", "a?", "[ab]", "ada,emmy"])
def test_a_name_that_nbgrader_would_take_for_several_students_is_none(
    classroom: Classroom, student: str
) -> None:
    classroom.hand_in(student)
    assert not list(arrivals(classroom.inbound))


def test_a_time_of_five_megabytes_is_not_collected(classroom: Classroom) -> None:
    folder = classroom.hand_in("mallory")
    (folder / "timestamp.txt").write_text("1 " * 2_500_000)
    classroom.collect()
    assert classroom.files("mallory") == {"ps1.ipynb": "work", "timestamp.txt": EARLY}
