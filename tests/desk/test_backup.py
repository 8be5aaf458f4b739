"""Backup and restore: all that a course has, while it is in use; and one student's records."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from nbgrader.utils import notebook_hash
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from autograder.grading.attempts import create_table, keep_attempt, read_attempts
from tests.support.postgresql import Server, running_server
from tests.support.term import SUBMITTED, Term, make_marked_term

LESSON = "01_filters"
DEADLINES = (
    '[lessons.01_filters]\ndue = 2026-11-01T12:00:00\n[[extensions]]\nstudent = "emmy"\n'
    'lesson = "01_filters"\ndays = 2\nreason = "illness"\n'
)


@pytest.fixture
def term(tmp_path: Path) -> Term:
    """A course with marks, an attempt, files of two students, and an exchange."""
    folder = tmp_path / "course"
    folder.mkdir()
    return filled(make_marked_term(folder))


def filled(term: Term) -> Term:
    for stage in ("submitted", "autograded", "feedback"):
        for student in ("emmy", "ada"):
            put(term.folder / stage / student / LESSON / f"{LESSON}.ipynb", f"{stage} {student}")
    exchange = term.folder.parent / "exchange"
    with (term.folder / "nbgrader_config.py").open("a") as config:
        config.write(f"c.Exchange.root = {str(exchange)!r}\n")
    (exchange / "cnn" / "outbound").mkdir(parents=True)
    for student in ("emmy", "ada"):
        name = f"{student}+{LESSON}+2026-11-02 12:00:00.000000 UTC+x"
        put(exchange / "cnn" / "inbound" / name / f"{LESSON}.ipynb", student)
        put(exchange / "cnn" / "inbound" / name / "submission_secret.txt", f"of {student}")
        put(exchange / "cnn" / "feedback" / f"{page_of(student)}.html", f"marks of {student}")
    put(term.folder / "deadlines.toml", DEADLINES)
    lines = [{"student": name, "assignment": LESSON} for name in ("emmy", "ada")]
    journal = "".join(f"{json.dumps(line)}\n" for line in lines)
    put(term.folder / "immediate-feedback.jsonl", journal)
    with term.gradebook() as gradebook:
        create_table(gradebook)
        keep_attempt(gradebook, "emmy", LESSON, SUBMITTED + timedelta(days=1))
        gradebook.find_submission(LESSON, "ada").extension = timedelta(hours=5)
        gradebook.db.commit()
    return term


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def page_of(student: str) -> str:
    return str(notebook_hash(secret=f"of {student}", notebook_id=LESSON))


def contents(term: Term) -> dict[str, str]:
    """Return all files of the course and its exchange but for the gradebook and archives."""
    return {
        str(path.relative_to(term.folder.parent)): path.read_text()
        for path in sorted(term.folder.parent.rglob("*"))
        if path.is_file() and path.suffix not in (".db", ".gz", ".zip")
    }


def rows(term: Term) -> list[tuple[object, ...]]:
    """Return what the gradebook says of each submission, and the attempts."""
    with term.gradebook() as gradebook:
        submissions = [
            (s.student.id, s.name, s.score, s.timestamp, s.extension, s.late_submission_penalty)
            for lesson in gradebook.assignments
            for s in lesson.submissions
        ]
        people = [(s.id, s.first_name, s.last_name, s.lms_user_id) for s in gradebook.students]
        return [*sorted(submissions, key=str), *people, str(read_attempts(gradebook))]  # type: ignore[list-item]


def test_what_was_lost_comes_back(term: Term) -> None:
    before, marks = contents(term), rows(term)
    done = term.run("backup", "--to", "b.tar.gz")
    assert done.exit_code == 0, done.stderr
    assert "4 students, 2 lessons, 5 submissions, 15 marks, " in done.stderr
    for name in ("gradebook.db", "deadlines.toml", "immediate-feedback.jsonl"):
        (term.folder / name).unlink()
    for stage in ("submitted", "autograded", "feedback", "source"):
        (term.folder / stage).rename(term.folder.parent / f"lost-{stage}")
    os.system(f"rm -r {term.folder.parent}/lost-* {term.folder.parent}/exchange/cnn/inbound")
    done = term.run("restore", "b.tar.gz")
    assert done.exit_code == 0, done.stderr
    assert contents(term) == before
    assert rows(term) == marks


def test_a_course_in_use_is_replaced_only_on_request_and_after_a_backup(term: Term) -> None:
    marks = rows(term)
    term.run("backup", "--to", "b.tar.gz")
    term.mark("ada", LESSON, {"test-slide": 0, "hidden-slide": 0, "test-edge": 0})
    put(term.folder / "submitted" / "new" / LESSON / "a.ipynb", "newer")
    later, changed = contents(term), rows(term)
    refused = term.run("restore", "b.tar.gz")
    assert refused.exit_code == 2
    assert "--replace puts the backup in their place" in refused.stderr
    assert (contents(term), rows(term)) == (later, changed)
    assert term.run("restore", "b.tar.gz", "--replace").exit_code == 0
    assert rows(term) == marks
    assert not (term.folder / "submitted" / "new").exists()
    (safety,) = term.folder.glob("before-restore-*.tar.gz")
    assert term.run("restore", str(safety), "--replace").exit_code == 0
    assert (contents(term), rows(term)) == (later, changed)


def test_a_restore_that_fails_leaves_the_course_as_it_was(
    term: Term, monkeypatch: pytest.MonkeyPatch
) -> None:
    term.run("backup", "--to", "b.tar.gz")
    put(term.folder / "submitted" / "new" / LESSON / "a.ipynb", "newer")
    before, marks = contents(term), rows(term)

    def fail(connection: Connection, data: object) -> None:
        connection.exec_driver_sql("DELETE FROM grade")
        raise OperationalError("INSERT", {}, Exception("database is locked"))

    monkeypatch.setattr("autograder.desk.backup.load", fail)
    done = term.run("restore", "b.tar.gz", "--replace")
    assert done.exit_code == 2
    assert "the gradebook cannot be used, nothing was changed" in done.stderr
    assert (contents(term), rows(term)) == (before, marks)


def test_links_of_a_student_are_left_out_and_named(term: Term) -> None:
    (term.folder / "submitted" / "emmy" / LESSON / "link").symlink_to("/etc/passwd")
    os.mkfifo(term.folder / "submitted" / "emmy" / LESSON / "pipe")
    done = term.run("backup", "--to", "b.tar.gz")
    assert done.exit_code == 1
    assert "submitted/emmy/01_filters/link: no regular file: left out" in done.stderr
    assert "submitted/emmy/01_filters/pipe" in done.stderr
    with tarfile.open(term.folder / "b.tar.gz") as tar:
        assert all(entry.isreg() for entry in tar)


def test_a_restore_writes_through_no_link_of_a_student(term: Term) -> None:
    term.run("backup", "--to", "b.tar.gz")
    (folder,) = (term.folder.parent / "exchange" / "cnn" / "inbound").glob("emmy+*")
    home = term.folder.parent / "home"
    home.mkdir()
    os.rename(folder, term.folder.parent / "away")
    folder.symlink_to(home)
    done = term.run("restore", "b.tar.gz", "--replace")
    assert done.exit_code == 0, done.stderr
    assert not list(home.iterdir())


def test_a_backup_is_made_while_a_writer_is_at_work(term: Term) -> None:
    with closing(sqlite3.connect(term.folder / "gradebook.db", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE grade SET auto_score = 0")
        assert term.run("backup", "--to", "b.tar.gz").exit_code == 0
        writer.execute("ROLLBACK")


@pytest.mark.parametrize("damage", ["cut", "changed", "other"])
def test_a_damaged_archive_changes_nothing(term: Term, damage: str) -> None:
    term.run("backup", "--to", "b.tar.gz")
    path, before, marks = term.folder / "b.tar.gz", contents(term), rows(term)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-200])
    elif damage == "changed":
        rewrite(path, "submitted/ada/01_filters/01_filters.ipynb", b"full marks")
    else:
        path.write_bytes(b"not an archive")
    done = term.run("restore", "b.tar.gz", "--replace")
    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert (contents(term), rows(term)) == (before, marks)


def rewrite(path: Path, name: str, data: bytes) -> None:
    """Replace a file in an archive."""
    with tarfile.open(path) as tar:
        files = {entry.name: tar.extractfile(entry).read() for entry in tar}  # type: ignore[union-attr]
    with tarfile.open(path, "w:gz") as tar:
        for each, content in (files | {name: data}).items():
            entry = tarfile.TarInfo(each)
            entry.size = len(data if each == name else content)
            tar.addfile(entry, io.BytesIO(data if each == name else content))


def test_a_file_that_cannot_be_written_is_one_line(term: Term) -> None:
    for target, why in (("none/b.tar.gz", "No such file"), ("deadlines.toml", "exists already")):
        done = term.run("backup", "--to", target)
        assert done.exit_code == 2
        assert why in done.stderr
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.xdist_group("postgresql")
class TestPostgreSQL:
    @pytest.fixture(scope="class")
    def server(self) -> Iterator[Server]:
        with running_server() as server:
            yield server

    def test_all_commands_and_a_move_from_sqlite(
        self, server: Server, term: Term, tmp_path: Path
    ) -> None:
        marks = rows(term)
        assert term.run("backup", "--to", str(tmp_path / "b.tar.gz")).exit_code == 0
        server.run("createdb", "-h", server.folder, "-U", "course", "desk")
        (tmp_path / "other").mkdir()
        moved = Term(tmp_path / "other", server.url("desk"))
        for command in (
            ("restore", str(tmp_path / "b.tar.gz")),
            ("deadlines", "apply"),
            ("export", "canvas"),
            ("backup", "--to", "again.tar.gz"),
            ("restore", "again.tar.gz", "--replace"),
        ):
            done = moved.run(*command)
            assert done.exit_code == 0, done.stderr
            if command[0] == "restore" and command[-1] != "--replace":
                assert rows(moved) == marks
        moved.write("class.csv", "id,first_name\nzoe,Zoe\n")
        assert moved.run("roster", "class.csv").exit_code == 0
        assert moved.run("person", "emmy", "--export").exit_code == 0
        assert moved.run("person", "emmy", "--forget", "--yes").exit_code == 1  # an extension
        assert not [row for row in rows(moved) if row[0] == "emmy"]


class TestPerson:
    def test_the_export_holds_all_that_is_kept_and_nothing_of_others(self, term: Term) -> None:
        done = term.run("person", "emmy", "--export")
        assert done.exit_code == 0, done.stderr
        with zipfile.ZipFile(term.folder / "emmy.zip") as archive:
            texts = {name: archive.read(name).decode() for name in archive.namelist()}
        data = json.loads(texts.pop("data.json"))
        assert data["person"]["last_name"] == "Noether"
        assert data["marks"][LESSON]["counts"] == 6.25
        assert data["attempts"][LESSON][0]["points"] == {
            LESSON: {"test-slide": 2, "hidden-slide": 3, "test-edge": 2.25}
        }
        assert len(data["cells"]) == 6
        assert "illness" in data["extensions"][LESSON]
        assert data["immediate_feedback"] == [{"student": "emmy", "assignment": LESSON}]
        assert len(texts) == 6
        assert "marks of emmy" in texts.values()
        assert not any("ada" in text for text in [*texts, *texts.values()])

    def test_who_is_forgotten_leaves_no_trace_and_all_others_stay(self, term: Term) -> None:
        before, marks = contents(term), rows(term)
        done = term.run("person", "emmy", "--forget", "--yes")
        assert done.exit_code == 1  # the extension is the instructor's text
        assert "delete by hand: extensions in deadlines.toml: 01_filters" in done.stderr
        after = contents(term)
        kept = {name: text for name, text in after.items() if "emmy" in name + text}
        assert [*kept] == ["course/deadlines.toml"]
        others = {name: text for name, text in before.items() if "emmy" not in name + text}
        assert others.items() <= after.items()
        assert '"ada"' in after["course/immediate-feedback.jsonl"]
        assert [row for row in rows(term) if row[0] != "emmy"][:-1] == [
            row for row in marks if row[0] != "emmy"
        ][:-1]
        data = (term.folder / "gradebook.db").read_bytes()  # free pages too
        assert b"emmy" not in data
        assert b"Noether" not in data
        again = term.run("person", "emmy", "--forget", "--yes")
        assert again.exit_code == 1  # of the extension alone

    def test_nothing_is_deleted_without_a_yes(self, term: Term) -> None:
        before, marks = contents(term), rows(term)
        done = term.run("person", "emmy", "--forget")
        assert done.exit_code != 0
        assert (contents(term), rows(term)) == (before, marks)

    @pytest.mark.parametrize("name", ["emm", "..", "emmy/..", "", "*"])
    def test_an_unknown_name_is_one_line(self, term: Term, name: str) -> None:
        before = contents(term)
        done = term.run("person", name, "--forget", "--yes")
        assert done.exit_code == 2
        assert f"no student {name!r}" in done.stderr
        assert contents(term) == before
