"""Regrade requests: students ask in a window, instructors decide, students read why."""

from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
import pytest
from typer.testing import Result

from autograder.desk import backup, person
from autograder.desk.marks import open_gradebook
from autograder.errors import LessonError
from autograder.grading.course import open_course
from autograder.grading.regrades import notes_for
from autograder.grading.requests import parse, read_requests, replies_for
from autograder.service.ask import ask, asks_until
from autograder.service.exchange import StudentExchange
from tests.support.any_course import graded_cell
from tests.support.term import Term, make_marked_term

LESSON = "01_filters"
GOOD = {"cell": "hidden-slide", "category": "test", "words": "x"}
WORDS = "It is <b>right</b>\u202e: =1+1\x1b[2J"


@pytest.fixture
def term(tmp_path: Path) -> Term:
    """A term with marks and an exchange in which a lesson is released."""
    (tmp_path / "course").mkdir()
    term = make_marked_term(tmp_path / "course")
    exchange = tmp_path / "exchange"
    released = exchange / "cnn" / "outbound" / LESSON
    released.mkdir(parents=True)
    exchange.chmod(0o777)
    cells = [graded_cell("# hidden", name) for name in ("test-slide", "hidden-slide", "test-edge")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), released / f"{LESSON}.ipynb")
    setting = f"c.Exchange.root = {str(exchange)!r}\n"
    with (term.folder / "nbgrader_config.py").open("a") as config:
        config.write(setting)
    home = tmp_path / "home"
    home.mkdir()
    (home / "nbgrader_config.py").write_text(
        f"c = get_config()\n{setting}c.CourseDirectory.course_id = 'cnn'\n"
        "c.CourseDirectory.student_id = 'oconnor'\n"
    )
    return term


@pytest.fixture
def opened(term: Term) -> Term:
    """The same, in which requests are open."""
    done = term.run("requests", "open", LESSON, "--until", "2999-12-31")
    assert done.exit_code == 0, done.stderr
    return term


def box(term: Term) -> Path:
    return term.folder.parent / "exchange" / "cnn" / "requests"


def send(
    term: Term, cell: str = "hidden-slide", category: str = "answer", words: str = WORDS
) -> None:
    ask(StudentExchange(term.folder.parent / "home"), LESSON, cell, category, words)


def drop(term: Term, name: str, data: Any) -> Path:
    """Write a file into the folder of requests as a student could."""
    path = box(term) / name
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def listed(term: Term, *options: str, status: int = 0) -> str:
    done = term.run("requests", *options)
    assert done.exit_code == status, done.stderr
    return done.stdout + done.stderr


def page(term: Term) -> Path:
    folder = term.folder / "feedback" / "oconnor" / LESSON
    folder.mkdir(parents=True)
    return folder


def test_a_request_reaches_the_queue_with_cell_output_and_answer(opened: Term) -> None:
    folder = opened.folder / "autograded" / "oconnor" / LESSON
    folder.mkdir(parents=True)
    verdict = {"outcome": "failed", "message": "0 is not 1\x07"}
    cells = [
        {"source": "def slide(): ...", "metadata": {"nbgrader": {"solution": True}}},
        {
            "source": ["assert slide()\n", "# \x1b[31m"],
            "metadata": {
                "nbgrader": {"grade_id": "hidden-slide", "grade": True},
                "verdict": verdict,
            },
            "outputs": [{"text": "printed\x1b[2J"}, {"evalue": "no"}],
        },
    ]
    (folder / f"{LESSON}.ipynb").write_text(json.dumps({"cells": cells}))
    send(opened)
    text = listed(opened)
    (row,) = (line.split("│")[1:-1] for line in text.splitlines() if "oconnor" in line)
    assert [field.strip() for field in row[:6]] == [
        *("1", "oconnor", LESSON, "hidden-slide", "0 / 3", r"failed: 0 is not 1\x07"),
    ]
    shown = listed(opened, "show", "1")
    for part in ("<b>right</b>", "def slide(): ...", "assert slide()", "printed", "0 / 3"):
        assert part in shown
    assert not {"\x1b", "\u202e", "\x07"} & {*text, *shown}
    assert not list(box(opened).glob("oconnor*"))  # it is in the gradebook now


def test_accepted_the_mark_changes_and_the_old_one_and_the_reason_are_kept(opened: Term) -> None:
    send(opened)
    listed(opened)
    old_page = page(opened)
    listed(opened, "accept", "1", "--points", "2", "--reply", "the floor was a fair reading")
    assert opened.score("oconnor", LESSON) == 9
    assert not old_page.exists()
    (note,) = notes_for(opened.url, "oconnor", LESSON, LESSON)
    assert "on your request: the floor was a fair reading (hidden-slide 0 before, 2 now)" in note
    (reply,) = replies_for(opened.url, "oconnor", LESSON)
    assert reply.endswith(": accepted. the floor was a fair reading")
    assert "0 requests" in listed(opened)
    assert "accepted" in listed(opened, "--all")


def test_declined_with_words_and_escalated_in_the_queue(opened: Term) -> None:
    send(opened)
    listed(opened)
    listed(opened, "escalate", "1", "--reply", "ask Lea")
    assert "escalated" in listed(opened)
    listed(opened, "decline", "1", "--reply", "a stride of 2 was asked")
    assert opened.score("oconnor", LESSON) == 7
    (reply,) = replies_for(opened.url, "oconnor", LESSON)
    assert reply.endswith(": declined. a stride of 2 was asked")
    done = opened.run("requests", "accept", "1", "--points", "3", "--reply", "no")
    assert (done.exit_code, "was declined" in done.stderr) == (2, True)


def test_all_may_write_to_the_folder_and_only_its_owner_may_list_it(opened: Term) -> None:
    assert stat.S_IMODE(box(opened).stat().st_mode) == 0o1733
    send(opened)
    (path,) = box(opened).glob("oconnor*")
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert len(path.stem.split("+")[-1]) == 32  # no other student can guess it


class TestStudent:
    def test_outside_of_the_window_one_line_says_so(self, term: Term) -> None:
        home = StudentExchange(term.folder.parent / "home")
        assert asks_until(home, LESSON) is None
        with pytest.raises(LessonError, match="Regrade requests on 01_filters are not open"):
            send(term)
        term.run("requests", "open", LESSON, "--until", "2020-01-31")
        with pytest.raises(LessonError, match="ended on 31 Jan 2020"):
            send(term)
        assert asks_until(home, LESSON) is None
        term.run("requests", "open", LESSON, "--until", "2999-12-31")
        assert str(asks_until(home, LESSON)).startswith("2999-12-31")

    @pytest.mark.parametrize(
        ("cell", "category", "words", "says"),
        [
            ("hidden-slid", "answer", "x", "no cell 'hidden-slid'; it has hidden-slide"),
            ("hidden-slide", "rage", "x", "category is one of test, answer"),
            ("hidden-slide", "test", " \n", "say in a few words why"),
            ("hidden-slide", "test", "x" * 2001, "at most 2,000 characters"),
        ],
    )
    def test_what_is_wrong_is_one_line(
        self, opened: Term, cell: str, category: str, words: str, says: str
    ) -> None:
        with pytest.raises(LessonError, match=says):
            send(opened, cell, category, words)
        assert not list(box(opened).glob("oconnor*"))


class TestHostileFiles:
    """What a student could write into the folder by other means."""

    @pytest.mark.parametrize(
        ("name", "data", "says"),
        [
            (f"oconnor+{LESSON}+1+a.json", "[" * 5000, "not a request"),
            (f"oconnor+{LESSON}+1+a.json", {**GOOD, "cell": 3}, "name the cell"),
            (f"oconnor+{LESSON}+1+a.json", {**GOOD, "cell": "none"}, "has no mark of none"),
            (f"bob\x1b[2J+{LESSON}+1+a.json", GOOD, "has no mark"),
            ("oconnor+03_counting+1+a.json", GOOD, "requests were not open"),
            ("oconnor.json", GOOD, "not a request"),
            (f"oconnor+{LESSON}+1+a.json", "x" * 20_001, "not a request"),
        ],
    )
    def test_it_is_named_and_left_out(self, opened: Term, name: str, data: Any, says: str) -> None:
        drop(opened, name, data)
        send(opened, "test-edge")
        text = listed(opened, status=1)
        assert says in text
        assert "1 requests" in text
        assert "\x1b" not in text

    def test_a_link_a_pipe_and_a_folder_are_no_requests(self, opened: Term) -> None:
        (box(opened) / "a.json").symlink_to(opened.folder / "gradebook.db")
        os.mkfifo(box(opened) / "b.json")
        (box(opened) / "c.json").mkdir()
        text = listed(opened, status=1)
        assert text.count("this is not a file: left out") == 3

    def test_after_the_window_the_time_in_the_name_does_not_help(self, opened: Term) -> None:
        path = drop(opened, f"oconnor+{LESSON}+20200101T000000+a.json", GOOD)
        os.utime(path, (0, 0))
        opened.run("requests", "open", LESSON, "--until", "2020-02-01")
        assert "requests were not open" in listed(opened, status=1)

    def test_the_same_cell_counts_once(self, opened: Term) -> None:
        send(opened)
        send(opened)
        text = listed(opened, status=1)
        assert "asked about before" in text
        assert "1 requests" in text

    def test_what_one_leaves_there_keeps_no_other_s_from_being_read(self, opened: Term) -> None:
        for number in range(150):
            drop(opened, f"!{number}.json", GOOD)
            drop(opened, f"alan+{LESSON}+1+{number}.json", GOOD | {"cell": f"none-{number}"})
        send(opened)
        text = listed(opened, status=1)
        assert "1 requests" in text
        assert text.count("left out") == 200
        assert text.count("has 150 files in") == 2

    def test_the_window_is_written_through_no_link(self, opened: Term) -> None:
        precious = opened.folder / "precious.txt"
        precious.write_text("the instructor's own")
        (box(opened) / ".open.json.new").symlink_to(precious)
        opened.run("requests", "open", LESSON, "--until", "2999-01-31")
        assert precious.read_text() == "the instructor's own"
        assert "2999-01-31" in (box(opened) / "open.json").read_text()

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
    def test_a_file_of_another_account(self, opened: Term) -> None:
        send(opened)
        (sent,) = (path for path in box(opened).glob("*+*.json"))
        os.chown(sent, 64000, 64000)
        assert "belongs to another account" in listed(opened, status=1)


def refused(done: Result) -> str:
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1)
    return done.stderr


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["open", "03_counting", "--until", "2026-12-31"], "no assignment '03_counting'"),
        (["open", LESSON, "--until", "soon"], "--until 'soon' is not a day"),
        (["show", "7"], "there is no request 7"),
        (["accept", "1", "--points", "4", "--reply", "x"], "--points must be from 0 to 3"),
        (["accept", "1", "--points", "nan", "--reply", "x"], "--points must be from 0 to 3"),
        (["decline", "1"], "--reply must say why"),
    ],
)
def test_a_wrong_decision_is_one_line(opened: Term, command: list[str], says: str) -> None:
    send(opened)
    listed(opened)
    assert says in refused(opened.run("requests", *command))
    assert opened.score("oconnor", LESSON) == 7


def test_without_an_exchange_or_where_it_cannot_be_written(term: Term) -> None:
    box(term).write_text("a file")
    done = term.run("requests", "open", LESSON, "--until", "2026-12-31")
    assert "cannot be written: " in refused(done)
    with (term.folder / "nbgrader_config.py").open("a") as config:
        config.write(f"c.Exchange.root = {str(term.folder / 'none')!r}\n")
    done = term.run("requests", "open", LESSON, "--until", "2026-12-31")
    assert "there is no exchange here" in refused(done)
    assert "0 requests" in listed(term)


@pytest.fixture
def in_course(opened: Term, monkeypatch: pytest.MonkeyPatch) -> Term:
    monkeypatch.chdir(opened.folder)
    return opened


def test_a_backup_has_requests_and_forgetting_deletes_them(in_course: Term) -> None:
    send(in_course)
    listed(in_course)
    course = open_course()
    with open_gradebook(course) as gradebook:
        assert backup.dump(gradebook)[1]["autograder_request"] == 1
        records = person.records_of(course, gradebook, "oconnor")
        assert person.data_of(gradebook, records)["requests"][0]["words"] == WORDS
        person.forget(course, gradebook, records)
        assert read_requests(gradebook) == []


def test_a_request_is_read_as_it_was_sent() -> None:
    data = json.dumps(GOOD).encode()
    request = parse(f"ada+{LESSON}+1+x.json", data, datetime(2026, 1, 1, tzinfo=UTC))
    assert (request.student, request.assignment, request.category) == ("ada", LESSON, "test")
