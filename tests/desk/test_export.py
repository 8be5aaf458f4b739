"""Marks for learning platforms, from nothing: each rule of their importers is a test."""

from __future__ import annotations

import csv
import io
import re
import resource
import signal
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.importers import CanvasImport, import_to_canvas, import_to_moodle
from tests.support.small_course import Course
from tests.support.term import CLASS, Term, make_marked_term, make_term, with_marks

# Canvas' own users: the id and sortable name of each login.
USERS = {login: (number, f"{last}, {first}") for login, (first, last, _, number) in CLASS.items()}
LESSONS = {"01_filters", "02_convolution"}


@pytest.fixture
def term(tmp_path: Path) -> Term:
    return make_marked_term(tmp_path)


def exported(term: Term, *command: str, status: int = 0) -> bytes:
    """Return the file that a command writes."""
    done = term.run("export", *command, "--to", "out")
    assert done.exit_code == status, done.stderr
    return (term.folder / "out").read_bytes()


def canvas(term: Term, *options: str, status: int = 0) -> CanvasImport:
    return import_to_canvas(exported(term, "canvas", *options, status=status), USERS)


def refused(term: Term, *command: str) -> str:
    """Return the one line of a command that is refused, and writes nothing."""
    before = sorted(path.name for path in term.folder.iterdir())
    done = term.run(*command)
    assert done.exit_code == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert sorted(path.name for path in term.folder.iterdir()) == before
    return done.stderr


class TestCanvas:
    def test_it_reads_each_score_less_its_penalty_and_the_points(self, term: Term) -> None:
        read = canvas(term)
        assert read.scores == {
            "01_filters": {"ada": 10, "emmy": 6.25, "oconnor": 7, "shafi": None},
            "02_convolution": {"ada": 19.5, "emmy": 4, "oconnor": None, "shafi": None},
        }
        assert read.points == {"01_filters": 10, "02_convolution": 20}
        assert read.missing == []

    def test_a_student_whose_id_it_does_not_know_is_matched_by_login(self, term: Term) -> None:
        with term.gradebook() as gradebook:
            gradebook.update_or_create_student("ada", lms_user_id="")
            gradebook.update_or_create_student("emmy", lms_user_id="00102")  # of the registry
        read = canvas(term)
        assert read.missing == []
        assert read.scores["01_filters"]["emmy"] == 6.25

    def test_the_row_of_points_begins_with_four_spaces(self, term: Term) -> None:
        assert exported(term, "canvas").splitlines()[1].startswith(b"    Points Possible,")

    def test_no_score_may_be_written_as_zero(self, term: Term) -> None:
        assert canvas(term, "--missing-as-zero").scores["01_filters"]["shafi"] == 0

    @pytest.mark.parametrize(
        ("title", "why"),
        [
            ("Lesson (10)", "by its number"),
            ("Final Score", "ignores"),
            ("Final Grade of filters", "ignores"),
            ("02_convolution", "two columns have the title"),
        ],
    )
    def test_a_title_that_it_would_misread_is_refused(
        self, term: Term, title: str, why: str
    ) -> None:
        assert why in refused(term, "export", "canvas", "--column", f"01_filters={title}")

    def test_scores_have_two_decimals_and_no_mark_of_thousands(self, term: Term) -> None:
        term.mark("ada", "01_filters", {"test-slide": 1234.567, "hidden-slide": 0, "test-edge": 0})
        assert canvas(term).scores["01_filters"]["ada"] == 1234.57

    def test_the_decimal_comma_is_not_for_it(self, term: Term) -> None:
        assert canvas(term, "--decimal-comma").scores["01_filters"]["emmy"] == 6.25

    def test_one_column_per_exercise_or_one_in_all(self, term: Term) -> None:
        read = canvas(term, "--by", "exercise", "--lesson", "01_filters")
        assert read.scores["01_filters: slide"] == {
            "ada": 5, "emmy": 5, "oconnor": 2, "shafi": None,
        }  # fmt: skip
        assert read.points == {"01_filters: edge": 5, "01_filters: slide": 5}
        assert canvas_total(term) == {"ada": 29.5, "emmy": 10.25, "oconnor": 7, "shafi": None}


def canvas_total(term: Term) -> dict[str, float | str | None]:
    (term.folder / "out").unlink()
    return canvas(term, "--by", "total").scores["Total"]


class TestMoodle:
    def test_it_reads_each_score_by_any_of_its_keys(self, term: Term) -> None:
        data = exported(term, "moodle")
        expected = {"ada": 10, "emmy": 6.25, "oconnor": 7, "shafi": None}
        for column, place in (("username", None), ("email address", 2), ("idnumber", 3)):
            keys = {login: values[place] if place else login for login, values in CLASS.items()}
            read = import_to_moodle(data, (column, column), set(keys.values()))
            assert read["01_filters"] == {keys[who]: score for who, score in expected.items()}

    def test_an_identity_that_one_student_lacks_has_no_column(self, term: Term) -> None:
        """A row without identity would be given to the student of the row before."""
        with term.gradebook() as gradebook:
            gradebook.update_or_create_student("shafi", email="")
        header = exported(term, "moodle").splitlines()[0].decode()
        assert header == "username,idnumber,firstname,lastname,01_filters,02_convolution"

    def test_the_decimal_comma_comes_with_a_semicolon(self, term: Term) -> None:
        data = exported(term, "moodle", "--decimal-comma")
        logins = set(CLASS)
        read = import_to_moodle(data, ("username", ""), logins, separator=";", comma=True)
        assert read["01_filters"]["emmy"] == 6.25
        assert b"6,25" in data

    def test_more_than_a_hundred_points_are_pointed_out(self, term: Term) -> None:
        term.mark("ada", "01_filters", {"test-slide": 110, "hidden-slide": 0, "test-edge": 0})
        done = term.run("export", "moodle")
        assert done.exit_code == 1
        assert "01_filters: over 100 points" in done.stderr

    def test_no_time_of_export_is_in_it(self, term: Term) -> None:
        """With one, Moodle refuses the file after any change of a grade."""
        assert b"Last downloaded" not in exported(term, "moodle")


FORMULAS = {
    "eve": ('=HYPERLINK("http://example.org")', "@SUM", "eve@uni.example", "105"),
    "=1+1": ("Mallory", "-1", "+1@uni.example", "106"),
}


class TestSpreadsheets:
    @pytest.mark.parametrize("kind", ["canvas", "moodle", "csv"])
    def test_no_name_becomes_a_formula(self, tmp_path: Path, kind: str) -> None:
        term = make_term(tmp_path, students=FORMULAS)
        term.mark("eve", "01_filters", {"test-slide": 2})
        data = exported(term, kind, status=0 if kind == "csv" else 1).decode()
        values = [value for row in csv.reader(io.StringIO(data)) for value in row]
        assert [value for value in values if value.startswith(("=", "@", "+", "-"))] == []
        assert any("HYPERLINK" in value or "@SUM" in value for value in values)

    def test_a_login_that_is_a_formula_is_left_out_and_named(self, tmp_path: Path) -> None:
        term = make_term(tmp_path, students=FORMULAS)
        done = term.run("export", "canvas")
        assert done.exit_code == 1
        assert "=1+1: left out" in done.stderr

    def test_names_with_commas_quotes_and_accents_come_back(self, term: Term) -> None:
        rows = csv.DictReader(io.StringIO(exported(term, "csv").decode()))
        (row,) = (row for row in rows if row["student"] == "oconnor")
        assert (row["first_name"], row["last_name"]) == ("Séan", "O'Connor, Jr.")
        assert (row["01_filters"], row["02_convolution"], row["Total"]) == ("7", "", "7")

    def test_the_workbook_holds_numbers_as_numbers_and_the_rest_as_text(
        self, tmp_path: Path
    ) -> None:
        term = make_term(tmp_path, students=FORMULAS | CLASS)
        with_marks(term)
        sheets = workbook(exported(term, "xlsx"))
        marks = {row[0]: row[5:] for row in sheets["Marks"]}
        assert marks["Student"] == ["01_filters", "02_convolution", "Total"]
        assert marks["Points possible"] == [10.0, 20.0, 30.0]
        assert marks["emmy"] == [6.25, 4.0, 10.25]
        assert [row[2:7] for row in sheets["Submissions"] if row[0] == "emmy"] == [
            ["2026-11-02 12:00:00", 7.25, 1.0, 6.25, ""],
            ["2026-11-02 12:00:00", 4.0, 0.0, 4.0, "yes"],
        ]
        assert any(row[1] == FORMULAS["eve"][0] for row in sheets["Marks"])


def workbook(data: bytes) -> dict[str, list[list[str | float]]]:
    """Return the rows of each sheet of a workbook, which must have no formula and no link."""
    spreadsheet = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        root = ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
        texts = ["".join(item.itertext()) for item in root]
        listed = ElementTree.fromstring(book.read("xl/workbook.xml")).iter(f"{spreadsheet}sheet")
        names = [sheet.attrib["name"] for sheet in listed]
        sheets = {}
        for number, name in enumerate(names, 1):
            sheet = ElementTree.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))
            assert not list(sheet.iter(f"{spreadsheet}f"))
            assert not list(sheet.iter(f"{spreadsheet}hyperlink"))
            sheets[name] = [values_of(row, texts) for row in sheet.iter(f"{spreadsheet}row")]
    return sheets


def values_of(row: ElementTree.Element, texts: list[str]) -> list[str | float]:
    """Return the values of a row; empty where it has no cell."""
    cells = {ord(cell.attrib["r"][0]) - ord("A"): cell for cell in row}
    values: list[str | float] = [""] * (max(cells) + 1)
    for place, cell in cells.items():
        value = cell[0].text or "0"
        values[place] = texts[int(value)] if cell.get("t") == "s" else float(value)
    return values


def test_nbgrader_s_own_command_writes_the_same_file(term: Term) -> None:
    options = ("--exporter=autograder.desk.export.CanvasExport", "--to", "theirs")
    done = Course(term.folder).run("nbgrader", "export", *options, "--assignment", "['01_filters']")
    assert done.returncode == 0, done.stderr
    ours = exported(term, "canvas", "--lesson", "01_filters")
    assert (term.folder / "theirs").read_bytes() == ours


@contextmanager
def resource_limit(size: int) -> Iterator[None]:
    """Let no file grow beyond a size, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


class TestRefused:
    def test_an_unknown_lesson(self, term: Term) -> None:
        line = refused(term, "export", "csv", "--lesson", "03_counting")
        assert "no lesson '03_counting'; available: 01_filters, 02_convolution" in line

    def test_no_format_or_two(self, term: Term) -> None:
        assert "name a format" in refused(term, "export")
        assert "name a format" in refused(term, "export", "csv", "--fill", "theirs.csv")

    def test_an_empty_class(self, tmp_path: Path) -> None:
        assert "no students" in refused(make_term(tmp_path, students={}), "export", "csv")

    def test_no_gradebook(self, term: Term) -> None:
        (term.folder / "gradebook.db").unlink()
        assert "there is no gradebook here" in refused(term, "export", "csv")

    def test_a_file_that_is_there_already(self, term: Term) -> None:
        term.write("marks.csv", "mine")
        assert "marks.csv exists already" in refused(term, "export", "csv")
        assert term.lines("marks.csv") == ["mine"]

    def test_a_disk_that_is_full_leaves_no_half_file(self, term: Term) -> None:
        commands = (("export", "csv", "--to", "a"), ("backup", "--to", "b"), ("report",))
        with resource_limit(100):
            for command in commands:
                assert "cannot be written: File too large" in refused(term, *command)

    def test_a_file_in_the_place_of_a_folder(self, term: Term) -> None:
        for command in (("export", "csv"), ("backup",), ("report",)):
            line = refused(term, *command, "--to", "nbgrader_config.py/a")
            assert "nbgrader_config.py/a cannot be written: Not a directory" in line

    def test_a_folder_that_is_missing(self, term: Term) -> None:
        line = refused(term, "export", "csv", "--to", "none/marks.csv")
        assert "none/marks.csv cannot be written: No such file or directory" in line

    def test_a_column_that_is_not_named_right(self, term: Term) -> None:
        assert "'Filters' is not LESSON=TITLE" in refused(
            term, "export", "csv", "--column", "Filters"
        )
        assert "no lesson 'filters'" in refused(term, "export", "csv", "--column", "filters=A")


def test_a_dry_run_writes_nothing(term: Term) -> None:
    done = term.run("export", "csv", "--dry-run")
    assert done.exit_code == 0
    assert re.search(r"would write marks.csv: 4 students, 2 lessons", done.stderr)
    assert not (term.folder / "marks.csv").exists()
