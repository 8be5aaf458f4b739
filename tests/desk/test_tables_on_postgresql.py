"""The grader's own tables in a gradebook on PostgreSQL, and marks entered by hand there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from autograder.desk.marking import Conflict, enter_mark
from autograder.grading import attempts, regrades, requests
from autograder.grading.regrades import CellMark, Regrade
from autograder.grading.requests import DECLINED, Request
from tests.support.essays import LESSON, essays, works
from tests.support.postgresql import running_server
from tests.support.small_course import activated
from tests.support.term import SUBMITTED, Term

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("postgresql")]
WORDS = "The test asks for “ceil”. 😀"
NOW = datetime(2026, 11, 29, 12, 30, 5, 123456, UTC)


def test_what_is_kept_reads_back_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", activated()["PATH"])  # nbgrader calls alembic by its name
    with running_server() as server:
        server.run("createdb", "-h", server.folder, "-U", "course", "tables")
        term = Term(tmp_path, server.url("tables"))
        term.enter()
        essays(term)
        keeps_attempts(term)
        keeps_regrades(term)
        keeps_requests(term)
        enters_marks(term)


def keeps_attempts(term: Term) -> None:
    with term.gradebook() as gradebook:
        attempts.create_table(gradebook)
        attempts.create_table(gradebook)  # twice is no error
        newer = SUBMITTED.replace(tzinfo=UTC) + timedelta(days=1)
        attempts.keep_attempt(gradebook, "ada", LESSON, newer)
        gradebook.db.commit()
    with term.gradebook() as gradebook:
        (attempt,) = attempts.read_attempts(gradebook)["ada", LESSON]
        assert attempt.submitted == SUBMITTED.replace(tzinfo=UTC)
        assert attempt.points == {LESSON: {"test-loops": 4.0, "hidden-loops": 6.0}}
        assert attempts.forget_attempts(gradebook, student="ada") == 1


def keeps_regrades(term: Term) -> None:
    before, after = CellMark(1.0, 4.0, comment=WORDS), CellMark(4.0, 4.0, extra=0.5)
    kept = Regrade(NOW, WORDS, {(LESSON, "test-loops"): (before, after)})
    with term.gradebook() as gradebook:
        regrades.create_table(gradebook)
        regrades.keep_regrade(gradebook, "ada", LESSON, kept)
        gradebook.db.commit()
    with term.gradebook() as gradebook:
        assert regrades.read_regrades(gradebook) == {("ada", LESSON): [kept]}
        regrades.forget_regrades(gradebook, "ada")
        assert not regrades.read_regrades(gradebook)


def keeps_requests(term: Term) -> None:
    asked = Request("ada", LESSON, "test-loops", NOW, "test", WORDS)
    with term.gradebook() as gradebook:
        requests.create_table(gradebook)
        requests.add_request(gradebook, asked)
        requests.add_request(gradebook, asked)
        requests.set_request(gradebook, 2, status=DECLINED, reply=WORDS)
        gradebook.db.commit()
    with term.gradebook() as gradebook:
        first, second = requests.read_requests(gradebook)
        assert (first.number, first.asked, first.words) == (1, NOW, WORDS)
        assert (second.number, second.status, second.reply) == (2, DECLINED, WORDS)
        requests.forget_requests(gradebook, "ada")
        assert not requests.read_requests(gradebook)


def enters_marks(term: Term) -> None:
    seen = works(term)["ada"]
    with term.gradebook() as gradebook:
        enter_mark(gradebook, seen, 7.5, WORDS)
        gradebook.db.commit()
    assert (works(term)["ada"].points, works(term)["ada"].comment) == (7.5, WORDS)
    with term.gradebook() as gradebook, pytest.raises(Conflict):
        enter_mark(gradebook, seen, 9.0, "")
