"""Marking by hand: rubric, comments used before, tables of several markers."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from autograder.desk.marking import Conflict, Work, enter_mark, in_order, share_of
from tests.support.essays import ANSWERS, LESSON, SCHEME, essays, works
from tests.support.term import Term, make_term


@pytest.fixture
def term(tmp_path: Path) -> Term:
    """A class of whom three answered the essay, which a person marks."""
    return essays(make_term(tmp_path))


def sheet(term: Term, name: str, *options: str) -> list[dict[str, str]]:
    done = term.run("marking", "sheet", LESSON, "--to", name, *options)
    assert done.exit_code == 0, done.stderr
    text = (term.folder / name).read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def fill(term: Term, name: str, rows: list[dict[str, str]], **marks: tuple[str, str]) -> None:
    """Type points and comments of students into a table, as a spreadsheet saves it."""
    codes = {student: one.code for student, one in works(term).items()}
    by_code = {codes[student]: typed for student, typed in marks.items()}
    with (term.folder / name).open("w", newline="", encoding="utf-8-sig") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=";")
        writer.writeheader()
        for row in rows:
            points, comment = by_code.get(row["work"], (row["points"], row["comment"]))
            writer.writerow(row | {"points": points, "comment": comment})


def entered(term: Term, *files: str, status: int = 0) -> str:
    done = term.run("marking", "enter", LESSON, *files)
    assert done.exit_code == status, done.stderr
    return done.stdout + done.stderr


def test_the_table_has_what_a_marker_needs(term: Term) -> None:
    rows = sheet(term, "marks.csv")
    assert sorted(row["student"] for row in rows) == [
        "Lovelace, Ada",
        "Noether, Emmy",
        "O'Connor, Jr., Séan",
    ]
    assert {row["answer"] for row in rows} == {f"'{ANSWERS['ada']}", ANSWERS["emmy"], "?"}
    assert {(row["of"], row["points"]) for row in rows} == {("10", "")}
    assert all(not row["work"][0].isdigit() for row in rows)  # no spreadsheet computes it
    assert (term.folder / "marks.md").read_text() == f"# essay\n\n{SCHEME}\n"


def test_without_names_no_student_is_in_the_table(term: Term) -> None:
    sheet(term, "marks.csv", "--anonymous")
    text = (term.folder / "marks.csv").read_text()
    assert not any(name in text for name in ("Lovelace", "emmy", "oconnor"))


def test_marks_and_comments_come_back(term: Term) -> None:
    rows = sheet(term, "marks.csv", "--anonymous")
    fill(term, "marks.csv", rows, ada=("7,5", "Where is the reason?"), emmy=("10", ""))
    assert "2 marks entered, 0 as before, 1 without points" in entered(term, "marks.csv")
    now = works(term)
    assert (now["ada"].points, now["ada"].comment) == (7.5, "Where is the reason?")
    assert (now["emmy"].points, now["emmy"].waiting) == (10, False)
    assert now["oconnor"].waiting
    assert term.score("ada", LESSON) == 17.5
    assert "0 marks entered, 2 as before" in entered(term, "marks.csv")  # twice is no conflict


def test_markers_who_disagree_are_named_and_nothing_of_it_is_entered(term: Term) -> None:
    rows = sheet(term, "anna.csv")
    fill(term, "anna.csv", rows, ada=("7", ""), emmy=("5", "short"))
    fill(term, "ben.csv", rows, ada=("9", ""), emmy=("5", "short"))
    text = entered(term, "anna.csv", "ben.csv", status=1)
    assert "ada, essay: the markers disagree (anna.csv, line" in text
    assert "7 points; ben.csv" in text
    now = works(term)
    assert now["ada"].waiting
    assert now["emmy"].points == 5


def test_a_mark_that_was_changed_in_the_meantime_is_not_overwritten(term: Term) -> None:
    rows = sheet(term, "anna.csv")
    fill(term, "ben.csv", rows, ada=("9", "well said"))
    entered(term, "ben.csv")
    fill(term, "anna.csv", rows, ada=("7", ""))
    text = entered(term, "anna.csv", status=1)
    assert "the answer of ada to essay was changed since the table was written and has 9" in text
    assert works(term)["ada"].points == 9
    (row,) = [row for row in sheet(term, "again.csv", "--all") if row["points"]]
    fill(term, "again.csv", [row], ada=("8", row["comment"]))  # who has seen the 9 may change it
    entered(term, "again.csv")
    assert (works(term)["ada"].points, works(term)["ada"].comment) == (8, "well said")


@pytest.mark.parametrize(
    ("points", "reason"),
    [("11", "from 0 to 10 are possible"), ("-1", "from 0"), ("good", "not a number"), ("nan", "0")],
)
def test_points_that_are_none_are_named(term: Term, points: str, reason: str) -> None:
    rows = sheet(term, "marks.csv")
    fill(term, "marks.csv", rows, ada=(points, ""), emmy=("3", ""))
    text = entered(term, "marks.csv", status=1)
    assert reason in text
    assert "left out" in text
    assert works(term)["ada"].waiting
    assert works(term)["emmy"].points == 3


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (("sheet", "05_none"), "05_none"),
        (("sheet", "01_filters"), "no answer waits for a person"),
        (("sheet", LESSON, "--share", "3/2"), "is not a part such as 1/2"),
        (("enter", LESSON, "missing.csv"), "cannot be read"),
        (("enter", LESSON, "deadlines.csv"), "no column 'work'"),
    ],
)
def test_wrong_requests_are_one_line(term: Term, command: tuple[str, ...], reason: str) -> None:
    term.write("deadlines.csv", "a,b\n1,2\n")
    done = term.run("marking", *command)
    assert done.exit_code == 2
    assert reason in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_shares_are_apart_and_together_the_whole_class(term: Term) -> None:
    mine = list(works(term).values())
    shares = [share_of(mine, part, 2) for part in (1, 2)]
    assert sorted(one.student for share in shares for one in share) == sorted(ANSWERS)
    assert {len(share) for share in shares} == {1, 2}


def test_the_order_is_random_and_each_markers_own() -> None:
    of = ("02", "essay", 10.0, None, "", True, "", "", "")
    many = [Work(f"w{number}", f"s{number:02}", *of) for number in range(20)]
    anna, ben = (in_order(many, marker) for marker in ("anna", "ben"))
    assert anna == in_order(many, "anna")
    assert many != anna != ben
    assert {one.code for one in anna} == {one.code for one in many}
    assert in_order(many[1:], "anna") == [one for one in anna if one != many[0]]


def test_a_mark_of_an_earlier_hand_in_is_not_entered_on_the_new_one(term: Term) -> None:
    rows = sheet(term, "anna.csv")
    with term.gradebook() as gradebook:
        gradebook.find_submission(LESSON, "ada").timestamp = datetime(2030, 1, 1)
        gradebook.db.commit()
    fill(term, "anna.csv", rows, ada=("7", ""), emmy=("5", ""))
    assert "ada to essay was changed since the table was written" in entered(
        term, "anna.csv", status=1
    )
    assert works(term)["ada"].waiting
    assert works(term)["emmy"].points == 5


def test_of_two_marks_at_once_the_second_is_refused(term: Term) -> None:
    seen: Any = works(term)["ada"]
    with term.gradebook() as gradebook:
        enter_mark(gradebook, seen, 7, "mine")
        gradebook.db.commit()
    for points, comment in ((9.0, ""), (7.0, "yours")):
        with term.gradebook() as gradebook, pytest.raises(Conflict):
            enter_mark(gradebook, seen, points, comment)
    assert (works(term)["ada"].points, works(term)["ada"].comment) == (7, "mine")
