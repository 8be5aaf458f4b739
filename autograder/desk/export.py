"""The marks of a class as a file: for Canvas, for Moodle, as CSV, as a workbook (xlsx).

read_class -> columns_of -> FORMATS[name]

CanvasExport, MoodleExport, WideExport and WorkbookExport are export plugins of nbgrader:
`nbgrader export --exporter=autograder.desk.export.CanvasExport`.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import xlsxwriter
from nbgrader.api import Gradebook
from nbgrader.plugins import ExportPlugin
from traitlets import Bool, Enum

from autograder.desk.marks import ClassMarks, LessonPoints, Mark, Person, read_class
from autograder.desk.platforms import CANVAS_TITLE, NOT_IMPORTED
from autograder.desk.tables import FORMULA, number_text, safe_text, write_new
from autograder.errors import UsageError

BY = ("lesson", "exercise", "total")
CANVAS_ID = re.compile(r"[1-9]\d{0,17}")  # others would be read as another number


@dataclass(frozen=True)
class Column:
    """A column of marks: its title, the most points, and the points of a student."""

    title: str
    max_score: float
    of: Callable[[Person], float | None]


@dataclass(frozen=True)
class Layout:
    """How marks are written: by lesson, exercise or in all; blank or 0 where there are none."""

    by: str = "lesson"
    missing_as_zero: bool = False
    decimal_comma: bool = False
    titles: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Export:
    """A file of marks, and what an instructor should know of it."""

    data: bytes
    remarks: list[str]


def columns_of(marks: ClassMarks, layout: Layout) -> list[Column]:
    """Return the columns of a layout. Raise UsageError where a title is there twice."""
    titles = layout.titles or {}
    zero = 0.0 if layout.missing_as_zero else None

    def score(lesson: LessonPoints, person: Person) -> float | None:
        mark = marks.mark(person, lesson)
        return mark.score if mark else zero

    def points(lesson: LessonPoints, name: str, person: Person) -> float | None:
        mark = marks.mark(person, lesson)
        return mark.exercises.get(name, 0.0) if mark else zero

    def total(person: Person) -> float | None:
        scores = [value for each in marks.lessons if (value := score(each, person)) is not None]
        return sum(scores) if scores else None

    columns = []
    for lesson in marks.lessons if layout.by != "total" else ():
        title = titles.get(lesson.name, lesson.name)
        if layout.by == "lesson":
            columns.append(Column(title, lesson.max_score, partial(score, lesson)))
        for name, most in lesson.exercises.items() if layout.by == "exercise" else ():
            columns.append(Column(f"{title}: {name}", most, partial(points, lesson, name)))
    if layout.by == "total":
        most = sum(lesson.max_score for lesson in marks.lessons)
        columns.append(Column(titles.get("total", "Total"), most, total))
    repeated = [title for title, n in Counter(c.title.casefold() for c in columns).items() if n > 1]
    if repeated:
        raise UsageError(f"two columns have the title {repeated[0]!r}: --column LESSON=TITLE")
    return columns


def canvas(marks: ClassMarks, layout: Layout) -> Export:
    """Return a file for Canvas' importer, which proposes each column as a new assignment."""
    columns = columns_of(marks, layout)
    for column in columns:
        if CANVAS_TITLE.fullmatch(column.title):
            raise UsageError(
                f"Canvas would take {column.title!r} for an assignment by its number: --column"
                " LESSON=TITLE gives it another title"
            )
        if NOT_IMPORTED.search(column.title):
            raise UsageError(
                f"Canvas ignores columns with such a title as {column.title!r}: --column"
                " LESSON=TITLE gives it another"
            )
    people, remarks = importable(marks.people, lambda person: [person.id])
    blank = [""] * 4
    rows = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]]
    rows[0] += [column.title for column in columns]
    rows.append(["    Points Possible", *blank, *(number_text(c.max_score) for c in columns)])
    for person in people:
        number = CANVAS_ID.fullmatch(person.platform_id)
        ids = [person.platform_id, ""] if number else ["", person.platform_id]
        who = [safe_text(person.sortable_name), *ids, person.id, ""]
        rows.append([*who, *cells(person, columns, False)])
    return Export(text_of(rows, ","), remarks)


def moodle(marks: ClassMarks, layout: Layout) -> Export:
    """Return a file for Moodle's import of grades, without a row or cell that harms another's.

    Moodle gives the grade of a row without identity to the student of the row before: columns of
    identity are left out unless they are complete.
    """
    columns = columns_of(marks, layout)
    people, remarks = importable(marks.people, lambda person: [person.id])
    kinds: list[tuple[str, Callable[[Person], str]]] = [
        ("username", lambda person: person.id),
        ("idnumber", lambda person: person.platform_id),
        ("email address", lambda person: person.email),
    ]
    kinds = [kind for kind in kinds if all(map(kind[1], people))]
    for column in columns:
        if any((column.of(person) or 0) > 100 for person in people):
            remarks.append(f"{column.title}: over 100 points: Moodle refuses them in a new item")
    titles = [safe_text(column.title) for column in columns]
    rows = [[*(title for title, _ in kinds), "firstname", "lastname", *titles]]
    for person in people:
        names = safe_text(person.first_name), safe_text(person.last_name)
        points = cells(person, columns, layout.decimal_comma)
        rows.append([*(of(person) for _, of in kinds), *names, *points])
    return Export(text_of(rows, ";" if layout.decimal_comma else ","), remarks)


def wide(marks: ClassMarks, layout: Layout) -> Export:
    """Return a table of one row per student for any program."""
    columns = with_total(marks, layout)
    titles = [safe_text(column.title) for column in columns]
    rows = [["student", "first_name", "last_name", "email", "platform_id", *titles]]
    for person in marks.people:
        who = [person.id, person.first_name, person.last_name, person.email, person.platform_id]
        points = cells(person, columns, layout.decimal_comma)
        rows.append([*map(safe_text, who), *points])
    return Export(text_of(rows, ";" if layout.decimal_comma else ","), [])


def workbook(marks: ClassMarks, layout: Layout) -> Export:
    """Return an Excel workbook: marks, exercises, and when each submission came."""
    stream = io.BytesIO()
    # What a student wrote stays text: no formula, no link.
    safe = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    book = xlsxwriter.Workbook(stream, safe)
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    who = ["Student", "First name", "Last name", "E-mail", "Platform id"]
    for name, columns in (
        ("Marks", with_total(marks, layout)),
        ("Exercises", columns_of(marks, replace(layout, by="exercise"))),
    ):
        rows: list[list[str | float | None]] = [[*who, *(column.title for column in columns)]]
        rows.append(["Points possible", *[None] * 4, *(column.max_score for column in columns)])
        for p in marks.people:
            identity = [p.id, p.first_name, p.last_name, p.email, p.platform_id]
            rows.append([*identity, *(rounded(column.of(p)) for column in columns)])
        write_sheet(book, name, rows, bold)
    rows = [["Student", "Lesson", "Submitted (UTC)", "Earned", "Late penalty", "Counts", "To mark"]]
    for (student, lesson), mark in sorted(marks.marks.items()):
        rows.append([student, lesson, *submission_cells(mark)])
    write_sheet(book, "Submissions", rows, bold)
    book.close()
    return Export(stream.getvalue(), [])


def submission_cells(mark: Mark) -> list[str | float | None]:
    """Return what a workbook says of one submission."""
    when = f"{mark.submitted:%Y-%m-%d %H:%M:%S}" if mark.submitted else ""
    points = [rounded(value) for value in (mark.earned, mark.penalty, mark.score)]
    return [when, *points, "yes" if mark.to_mark else ""]


def write_sheet(book: Any, name: str, rows: Sequence[Sequence[Any]], bold: Any) -> None:
    """Write rows to a new sheet: numbers as numbers, all else as text, the first row fixed."""
    sheet = book.add_worksheet(name)
    for number, row in enumerate(rows):
        for place, value in enumerate(row):
            if isinstance(value, str):
                sheet.write_string(number, place, value, bold if number == 0 else None)
            elif value is not None:
                sheet.write_number(number, place, value)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, len(rows) - 1, len(rows[0]) - 1)
    sheet.set_column(0, 4, 18)


def with_total(marks: ClassMarks, layout: Layout) -> list[Column]:
    """Return the columns of a layout, and the total of all lessons behind them."""
    columns = columns_of(marks, layout)
    return (
        columns
        if layout.by == "total"
        else [
            *columns,
            *columns_of(marks, replace(layout, by="total")),
        ]
    )


def importable(
    people: Iterable[Person], identities: Callable[[Person], list[str]]
) -> tuple[list[Person], list[str]]:
    """Return the students whose identities a spreadsheet leaves as they are; remark on others."""
    safe, remarks = [], []
    for person in people:
        if any(value.startswith(FORMULA) for value in identities(person)):
            remarks.append(f"{person.id}: left out: a spreadsheet takes this login for a formula")
        else:
            safe.append(person)
    return safe, remarks


def cells(person: Person, columns: Iterable[Column], decimal_comma: bool) -> list[str]:
    """Return the points of a student as text; blank where there are none."""
    values = [column.of(person) for column in columns]
    return ["" if value is None else number_text(value, decimal_comma) for value in values]


def rounded(value: float | None) -> float | None:
    """Return points at two decimals."""
    return None if value is None else round(value, 2)


def text_of(rows: Iterable[Sequence[str]], separator: str) -> bytes:
    """Return rows as CSV in UTF-8."""
    stream = io.StringIO()
    csv.writer(stream, delimiter=separator).writerows(rows)
    return stream.getvalue().encode()


FORMATS: dict[str, Callable[[ClassMarks, Layout], Export]] = {
    "canvas": canvas,
    "moodle": moodle,
    "csv": wide,
    "xlsx": workbook,
}


def default_name(kind: str) -> str:
    """Return the name of the file where the user names none."""
    return {"xlsx": "marks.xlsx", "csv": "marks.csv"}.get(kind, f"marks-{kind}.csv")


class Exporter(ExportPlugin):
    """An export plugin of nbgrader for one of the formats."""

    format = ""
    by = Enum(BY, default_value="lesson", help="columns by lesson, exercise or total").tag(
        config=True
    )
    missing_as_zero = Bool(False, help="write 0 where nothing was graded").tag(config=True)
    decimal_comma = Bool(False, help="write a decimal comma, and ; between fields").tag(config=True)

    def export(self, gradebook: Gradebook) -> None:
        """Write the file. Called by nbgrader."""
        marks = read_class(gradebook, [str(name) for name in self.assignment])
        if wanted := {str(name) for name in self.student}:
            marks.people = [person for person in marks.people if person.id in wanted]
        layout = Layout(self.by, self.missing_as_zero, self.decimal_comma)
        result = FORMATS[self.format](marks, layout)
        path = Path(self.to or default_name(self.format))
        write_new(path, result.data)
        self.log.info("Exporting grades to %s", path)
        for line in result.remarks:
            self.log.warning("%s", line)


class CanvasExport(Exporter):
    """Writes a file for Canvas."""

    format = "canvas"


class MoodleExport(Exporter):
    """Writes a file for Moodle."""

    format = "moodle"


class WideExport(Exporter):
    """Writes one row per student as CSV."""

    format = "csv"


class WorkbookExport(Exporter):
    """Writes a workbook."""

    format = "xlsx"
