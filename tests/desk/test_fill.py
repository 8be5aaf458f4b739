"""Marks into a platform's own file: only the filled cells differ, and nothing is guessed."""

from __future__ import annotations

import csv
import io
import sqlite3
import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import Result

from autograder.desk.tables import SEPARATORS, read_table
from tests.support.importers import import_to_canvas, import_worksheet
from tests.support.term import CLASS, Term, make_marked_term

USERS = {login: (number, f"{last}, {first}") for login, (first, last, _, number) in CLASS.items()}
CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,01_filters (900),02_convolution (901),Final Score
,,,,,Manual Posting,,
    Points Possible,,,,,10.00,20.00,(read only)
"Lovelace, Ada",101,,ada,"A and B",10.00,,88.1
"Noether, Emmy",102,,emmy,A,3.00,"EX",
"O'Connor, Jr., Séan",104,,oconnor,A,,N/A,
"Student, Test",9,,x,A,5.00,,
"Gauß, Carl",777,,carl,A,1.00,,
"""
WORKSHEET = """\
Identifier,Full name,ID number,Email address,Status,Grade,Maximum grade,Grade can be changed,\
Last modified (submission),Last modified (grade),Feedback comments
Participant 4711,Ada Lovelace,101,ada@uni.example,Submitted,,10.00,Yes,"Monday, 2 Nov",-,
Participant 4712,Emmy Noether,102,emmy@uni.example,Submitted,"6.25",10.00,Yes,-,-,"so
so"
Participant 4714,Séan O'Connor,104,sean@uni.example,Submitted,,10.00,No,-,-,
"""


@pytest.fixture
def term(tmp_path: Path) -> Term:
    return make_marked_term(tmp_path)


def fill(term: Term, text: str, *options: str, encoding: str = "utf-8", status: int = 0) -> str:
    """Return the filled file of a table."""
    path = term.write("theirs.csv", text, encoding)
    before = path.read_bytes()
    done = term.run("export", "--fill", "theirs.csv", "--to", "filled.csv", *options)
    assert done.exit_code == status, done.stderr
    assert path.read_bytes() == before
    filled = (term.folder / "filled.csv").read_bytes()
    (term.folder / "filled.csv").unlink()
    return filled.decode(encoding)


def printed(term: Term, text: str, *options: str, status: int = 0) -> str:
    """Return what the command prints about a table, on both streams."""
    term.write("theirs.csv", text)
    done: Result = term.run("export", "--fill", "theirs.csv", "--dry-run", *options)
    assert done.exit_code == status, done.stderr
    assert not (term.folder / "theirs-filled.csv").exists()
    return done.stdout + done.stderr


def one(*rows: str, header: str = "Username,01_filters") -> str:
    """Return a small table."""
    return "\n".join([header, *rows, ""])


class TestCanvas:
    def test_only_the_filled_cells_differ(self, term: Term) -> None:
        filled = fill(term, CANVAS, status=1)
        expected = CANVAS.replace('ada,"A and B",10.00,,', 'ada,"A and B",10.00,19.5,')
        expected = expected.replace("emmy,A,3.00", "emmy,A,6.25")
        assert filled == expected.replace("oconnor,A,,", "oconnor,A,7,")

    def test_canvas_reads_the_marks_of_the_gradebook_from_it(self, term: Term) -> None:
        known = {"01_filters": "900", "02_convolution": "901"}
        read = import_to_canvas(fill(term, CANVAS, status=1).encode(), USERS, known)
        assert read.scores["01_filters"] == {"ada": 10, "emmy": 6.25, "oconnor": 7}
        assert read.scores["02_convolution"]["emmy"] == "EX"

    def test_it_prints_who_changes_and_who_is_missing_on_either_side(self, term: Term) -> None:
        text = printed(term, CANVAS, status=1)
        assert "Canvas gradebook: 3 marks filled, 1 already there" in text
        assert "Noether, Emmy       │ 01_filters     │ 3.00 │ 6.25" in text
        assert "Gauß, Carl: not in the gradebook" in text
        assert "not in theirs.csv: shafi" in text
        assert "Noether, Emmy: 02_convolution: excused there, not filled" in text

    def test_the_rows_of_points_posting_and_the_test_student_are_no_students(
        self, term: Term
    ) -> None:
        text = printed(term, CANVAS, status=1)
        assert "Test" not in text
        assert "Points Possible" not in text

    def test_a_column_is_found_by_its_id(self, term: Term) -> None:
        renamed = CANVAS.replace("01_filters (900)", "Week 1 (900)")
        assert fill(term, renamed, "--column", "01_filters=900", status=1).count(",6.25,") == 1
        assert "no column for 01_filters" in printed(term, renamed, status=1)

    def test_a_column_that_canvas_ignores_or_computes_is_not_filled(self, term: Term) -> None:
        for title in ("Final Score", "Week 1 Current Points", "Filters Override Score"):
            text = CANVAS.replace("01_filters (900)", title)
            line = printed(term, text, "--column", f"01_filters={title}", status=2)
            assert f"theirs.csv has no column {title!r}; available:" in line

    def test_a_title_that_is_there_twice_is_not_filled(self, term: Term) -> None:
        """Canvas reads the first column for both."""
        text = CANVAS.replace("02_convolution (901)", "01_filters (900)")
        assert "no column is named like a lesson" in printed(term, text, status=2)

    def test_names_in_two_columns_are_its_other_header(self, term: Term) -> None:
        text = (
            "LastName,FirstName,ID,SIS Login ID,Section,01_filters (900)\n"
            "    Points Possible,,,,,10\nLovelace,Ada,101,ada,A,\n"
        )
        assert fill(term, text).endswith("Lovelace,Ada,101,ada,A,10\n")


class TestMoodle:
    def test_a_worksheet_keeps_all_but_the_grades(self, term: Term) -> None:
        filled = fill(term, WORKSHEET, "--column", "01_filters=Grade", status=1)
        assert filled == WORKSHEET.replace("Submitted,,10.00,Yes", "Submitted,10,10.00,Yes")
        old = {"4711": None, "4712": 6.25, "4714": None}
        assert import_worksheet(filled.encode(), old, 10) == old | {"4711": 10}

    def test_a_locked_grade_and_one_over_the_maximum_are_named(self, term: Term) -> None:
        text = printed(term, WORKSHEET, "--column", "01_filters=Grade", status=1)
        assert "Séan O'Connor: 01_filters: its grade cannot be changed there" in text
        text = WORKSHEET.replace("10.00", "8.00")
        text = printed(term, text, "--column", "01_filters=Grade", status=1)
        assert "Ada Lovelace: 01_filters: 10 is over the maximum of 8 there" in text

    def test_a_scale_takes_no_points(self, term: Term) -> None:
        text = WORKSHEET.replace("Maximum grade", "Scale")
        assert "graded on a scale" in printed(term, text, "--column", "01_filters=Grade", status=2)

    def test_titles_of_a_german_worksheet_and_its_decimal_comma(self, term: Term) -> None:
        text = (
            "ID;Vollständiger Name;E-Mail-Adresse;Bewertung;Höchstbewertung\r\n"
            "Teilnehmer/in 1;Emmy Noether;emmy@uni.example;;10,00\r\n"
        )
        filled = fill(term, text, "--column", "01_filters=Bewertung")
        assert filled == text.replace(";;10,00", ";6,25;10,00")

    def test_an_export_of_the_gradebook(self, term: Term) -> None:
        text = (
            "First name,Surname,Email address,Assignment: 01_filters (Real),"
            "Assignment: 01_filters (Percentage),Last downloaded from this course\n"
            "Emmy,Noether,emmy@uni.example,-,-,1793000000\n"
        )
        assert fill(term, text) == text.replace("example,-,-", "example,6.25,-")


class TestOtherPlatforms:
    def test_blackboard_s_file_with_tabs_in_utf_16(self, term: Term) -> None:
        text = (
            '\ufeff"Last Name"\t"Username"\t"Total [Total Pts: 30 Score] |1"\t'
            '"01_filters [Total Pts: 10 Score] |123456"\r\n"Noether"\t"emmy"\t"3"\t""\r\n'
        )
        filled = fill(term, text, encoding="utf-16-le")
        assert filled == text.replace('"3"\t""', '"3"\t"6.25"')

    def test_brightspace_s_file_with_its_last_column(self, term: Term) -> None:
        text = (
            "OrgDefinedId,Username,01_filters Points Grade <Numeric MaxPoints:10 Weight:5>,"
            "End-of-Line Indicator\n#102,#emmy,,#\n"
        )
        assert fill(term, text) == text.replace("#emmy,,", "#emmy,6.25,")

    def test_a_file_that_is_of_no_platform(self, term: Term) -> None:
        line = printed(term, "apple,pear\n1,2\n", status=2)
        assert "theirs.csv: no column of its first line says who the students are" in line


class TestMatching:
    def test_the_first_identity_that_decides_is_id_login_e_mail_name(self, term: Term) -> None:
        for header, value in (
            ("ID number", "102"),
            ("Username", "emmy"),
            ("Username", "EMMY"),
            ("Email address", "Emmy@uni.example"),
            ("Full name", "emmy  noether"),
            ("Student", '"Noether, Emmy"'),
        ):
            text = f"{header},01_filters\n{value},\n"
            assert fill(term, text) == f"{header},01_filters\n{value},6.25\n"

    def test_ids_that_contradict_each_other_are_listed(self, term: Term) -> None:
        text = printed(term, "Username,Email address,01_filters\nemmy,ada@uni.example,\n", status=1)
        assert "emmy: could be ada, emmy: not filled" in text

    def test_a_student_who_is_there_twice_is_listed(self, term: Term) -> None:
        text = printed(term, one("emmy,", "Emmy,"), status=1)
        assert "emmy: could be lines 2, 3: not filled" in text

    def test_two_students_of_one_name_are_listed(self, term: Term) -> None:
        with term.gradebook() as gradebook:
            gradebook.add_student("emmy2", first_name="Emmy", last_name="Noether")
        text = printed(term, "Full name,01_filters\nEmmy Noether,\n", status=1)
        assert "Emmy Noether: could be emmy, emmy2: not filled" in text

    def test_a_namesake_of_a_student_with_an_id_is_another(self, term: Term) -> None:
        text = "ID number,Full name,01_filters\n102,Emmy Noether,\n555,Emmy Noether,\n"
        assert fill(term, text) == text.replace("102,Emmy Noether,", "102,Emmy Noether,6.25")

    def test_ids_that_differ_by_case_are_two(self, term: Term) -> None:
        with term.gradebook() as gradebook:
            gradebook.add_student("Emmy")
        assert fill(term, one("emmy,")) == one("emmy,6.25")
        assert "EMMY: could be Emmy, emmy" in printed(term, one("EMMY,"), status=1)

    def test_leading_zeros_count(self, term: Term) -> None:
        with term.gradebook() as gradebook:
            gradebook.update_or_create_student("emmy", lms_user_id="00102")
        text = one("00102,", "102,", header="ID number,01_filters")
        assert fill(term, text) == text.replace("00102,", "00102,6.25")

    def test_accents_match_however_they_are_composed(self, term: Term) -> None:
        name = unicodedata.normalize("NFD", "Séan O'Connor, Jr.")
        text = one(f'"{name}",', header="Full name,01_filters")
        assert fill(term, text) == text.replace('",', '",7')

    def test_blank_ids_match_no_one(self, term: Term) -> None:
        with term.gradebook() as gradebook:
            gradebook.update_or_create_student("shafi", lms_user_id="", email="")
        text = printed(term, "ID number,Email address,01_filters\n,,\n102,,\n,x@y,\n")
        assert "x@y: not in the gradebook" in text
        assert "1 marks filled" in text


class TestFiles:
    def test_byte_order_mark_separator_and_line_ends_stay(self, term: Term) -> None:
        text = "\ufeffUsername;01_filters\r\nada;\r\nemmy;\r\n"
        assert fill(term, text) == "\ufeffUsername;01_filters\r\nada;10\r\nemmy;6.25\r\n"

    def test_latin_1_and_a_last_line_without_an_end_stay(self, term: Term) -> None:
        text = "Full name,01_filters\nZoë,\nEmmy Noether,"
        assert fill(term, text, encoding="cp1252") == text + "6.25"

    def test_quoted_newlines_and_doubled_quotes_stay(self, term: Term) -> None:
        text = 'Username,remark,01_filters\nemmy,"says ""hi""\nand, more",\n'
        assert fill(term, text) == text[:-1] + "6.25\n"

    def test_a_decimal_comma_in_a_table_with_commas_is_quoted(self, term: Term) -> None:
        text = one('ada,"9,5"', "emmy,")
        assert fill(term, text) == one('ada,"10"', 'emmy,"6,25"')

    def test_a_score_that_is_there_is_no_change(self, term: Term) -> None:
        assert "0 marks filled, 2 already there" in printed(term, one("ada,10.001", "emmy,6.25"))

    def test_a_score_stays_where_nothing_was_graded(self, term: Term) -> None:
        """A blank would clear it on the platform."""
        assert fill(term, one("shafi,3", "emmy,")) == one("shafi,3", "emmy,6.25")

    def test_points_are_converted_where_that_is_asked_for(self, term: Term) -> None:
        text = CANVAS.replace(",10.00,20.00,(read", ",100.00,20.00,(read")
        assert "01_filters: 100 points there, 10 here: --scale converts" in printed(
            term, text, status=1
        )
        assert ",62.5," in fill(term, text, "--scale", status=1)

    def test_a_lesson_is_matched_by_the_title_of_its_notebook(self, term: Term) -> None:
        text = one("emmy,", header='Username,"Convolution, built three times"')
        assert fill(term, text).splitlines()[1] == "emmy,4"

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("", "is empty"),
            ('Username,01_filters\nada,"1\n', "line 2: a quote is not closed"),
            ("Username,01_filters\nO'Hara, Ada,1\n", "line 2: 3 fields, the header has 2"),
            ("Username,01_filters\nada,\0\n", "is not a text file"),
            ("PK\3\4 of a workbook", "is not a text file: save the spreadsheet as CSV"),
            ("Username,Sieves\nada,\n", "no column is named like a lesson"),
        ],
    )
    def test_what_cannot_be_read_is_one_line(self, term: Term, text: str, why: str) -> None:
        line = printed(term, text, status=2)
        assert why in line
        assert len(line.splitlines()) == 1

    def test_bytes_that_are_not_of_the_encoding_it_names_are_one_line(self, term: Term) -> None:
        (term.folder / "theirs.csv").write_bytes(b"\xef\xbb\xbfUsername,01_filters\nZo\xeb,\n")
        done = term.run("export", "--fill", "theirs.csv")
        assert done.exit_code == 2
        assert done.stderr == "autograder: theirs.csv is not text in utf-8\n"

    def test_a_file_that_is_missing(self, term: Term) -> None:
        done = term.run("export", "--fill", "none.csv")
        assert done.exit_code == 2
        assert done.stderr == "autograder: none.csv cannot be read: No such file or directory\n"

    def test_the_file_that_is_filled_is_never_written_over(self, term: Term) -> None:
        term.write("theirs.csv", one("emmy,"))
        assert term.run("export", "--fill", "theirs.csv").exit_code == 0
        again = term.run("export", "--fill", "theirs.csv")
        assert again.exit_code == 2
        assert "theirs-filled.csv exists already" in again.stderr
        onto = term.run("export", "--fill", "theirs.csv", "--to", "theirs.csv")
        assert onto.exit_code == 2
        assert term.lines("theirs.csv") == ["Username,01_filters", "emmy,"]


@given(
    st.lists(
        st.lists(st.text('aé,;"\n\r\t=0 ', max_size=6), min_size=3, max_size=3),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from(SEPARATORS),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
@settings(max_examples=60, deadline=None)
def test_any_table_is_read_as_python_s_csv_reads_it_and_written_as_it_was(
    rows: list[list[str]], separator: str, end: str, encoding: str
) -> None:
    stream = io.StringIO()
    rows = [["first", "second", "third"], *rows]
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL, delimiter=separator, lineterminator=end)
    writer.writerows(rows)
    data = stream.getvalue().encode(encoding)
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        Path(file.name).write_bytes(data)
        table = read_table(Path(file.name))
    assert table.encode() == data
    if table.separator == separator:
        assert [[field.value for field in row.fields] for row in table.rows] == rows


def test_a_locked_gradebook_is_one_line(term: Term, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.desk.marks.LOCK_SECONDS", 0.1)
    with (term.folder / "nbgrader_config.py").open("a") as config:
        config.write(f"c.CourseDirectory.db_url = {term.url + '?timeout=0.1'!r}\n")
    term.write("theirs.csv", one("emmy,"))
    lock = sqlite3.connect(term.folder / "gradebook.db", isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
        done = term.run("export", "--fill", "theirs.csv")
    finally:
        lock.close()
    assert done.exit_code == 2
    assert "the gradebook cannot be used, nothing was changed" in done.stderr
    assert "database is locked" in done.stderr
    assert not (term.folder / "theirs-filled.csv").exists()


def test_a_thousand_students_are_filled_in_seconds(term: Term) -> None:
    students = [f"s{number}" for number in range(1000)]
    with term.gradebook() as gradebook:
        from nbgrader.api import Student

        gradebook.db.add_all([Student(id=name) for name in students])
        gradebook.db.commit()
    text = one(*(f"{name}," for name in students), "emmy,")
    rows = list(csv.reader(io.StringIO(fill(term, text))))
    assert rows[-1] == ["emmy", "6.25"]
