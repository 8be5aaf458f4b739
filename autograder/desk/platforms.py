"""The files of learning platforms: who the rows of a table are, and which columns take marks.

recognise(table) -> Sheet: platform, rows with the identities of a student, grade columns

Canvas' rules follow its importer, Moodle's its import of grades and its offline worksheet;
Blackboard's and Brightspace's follow their vendors' pages, and were not tried on a server.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from autograder.desk.tables import Row, Table, number_in, same_text
from autograder.errors import UsageError

CANVAS, WORKSHEET, MOODLE = "Canvas gradebook", "Moodle grading worksheet", "Moodle gradebook"
BLACKBOARD, BRIGHTSPACE, PLAIN = "Blackboard", "Brightspace", "table"
# Headers of identities, in the languages that teachers' platforms write them.
ID = "id, sis user id, id number, idnumber, orgdefinedid, student id, student_id, lms_user_id,"
ID += "platform_id, user_id, matrikelnummer, id-nummer, numéro d'identification, número de id,"
ID += "número de identificación"
LOGIN = "sis login id, username, login, login_id, user name, benutzername, anmeldename,"
LOGIN += "nom d'utilisateur, identifiant, nombre de usuario, usuario"
EMAIL = "email, e-mail, email address, e-mail address, e-mail-adresse, mail, adresse de courriel,"
EMAIL += (
    "courriel, adresse e-mail, dirección de correo, dirección email, correo electrónico, correo"
)
NAME = "student, full name, fullname, full_name, name, vollständiger name, nom complet,"
NAME += "nombre completo, nombre completo del usuario"
FIRST = "first name, firstname, first_name, given name, givenname, vorname, prénom, nombre,"
FIRST += "nombre(s)"
LAST = "last name, lastname, last_name, surname, familyname, family name, nachname, familienname,"
LAST += "nom, nom de famille, apellido, apellidos, apellido(s)"
KINDS = ("id", "login", "email", "name", "first", "last")
HEADERS = {
    title.strip(): kind
    for kind, titles in zip(KINDS, (ID, LOGIN, EMAIL, NAME, FIRST, LAST), strict=True)
    for title in titles.split(",")
}
# Canvas drops any column whose title has one of these in it.
NOT_IMPORTED = re.compile(
    r"(Current|Final) (Score|Points|Grade)|Override (Score|Grade|Status)", re.IGNORECASE
)
CANVAS_TITLE = re.compile(r"(.*)\s\((\d+)\)", re.DOTALL)
BLACKBOARD_TITLE = re.compile(r"(.*?)\s*(?:\[Total Pts: ([\d.,]+)[^\]]*\])?\s*\|(\d+)", re.DOTALL)
BRIGHTSPACE_TITLE = re.compile(
    r"(.*?) Points Grade(?:\s*<.*?MaxPoints:\s*([\d.,]+).*)?", re.DOTALL | re.IGNORECASE
)
MOODLE_TITLE = re.compile(r"(.*?)(?:\s\(([^()\d]+)\))?", re.DOTALL)
IDENTIFIER = re.compile(r"\D+\d+")  # "Participant 12345", in the teacher's language
GRADES = {"grade", "bewertung", "note", "calificación"}  # of a worksheet, in four languages
MAXIMA = {"maximum grade", "höchstbewertung", "beste bewertung", "note maximale"}
MAXIMA |= {"calificación máxima"}
CHANGEABLE = {"grade can be changed"}
NOT_ACTIVE = {"deleted", "inactive", "completed", "rejected", "tobedeleted"}  # of an enrolment
NOT_POINTS = {"percentage", "letter", "prozentsatz", "buchstabe", "pourcentage", "lettre"}
NOT_POINTS |= {"porcentaje", "letra", "feedback", "percent"}
TIME_EXPORTED = "last downloaded from this course"
POINTS_ROW, READ_ONLY, TEST_STUDENT = "points possible", "(read only)", "student, test"
POSTING = ("muted", "manual posting")


@dataclass(frozen=True)
class GradeColumn:
    """A column that takes marks: its place, its title, the platform's id, the most points."""

    index: int
    title: str
    id: str = ""
    max_score: float | None = None


@dataclass
class Sheet:
    """A table of a platform: who is in which row, and which columns take marks.

    `locked` are the rows that the platform would not change.
    """

    platform: str
    table: Table
    identities: dict[str, list[int]]
    columns: list[GradeColumn]
    rows: list[Row]
    locked: list[Row] = field(default_factory=list)

    def values(self, row: Row, kind: str) -> list[str]:
        """Return what identifies a student in a row: its ids, logins, e-mails or names."""
        values = [row.value(column) for column in self.identities.get(kind, ())]
        if self.platform == BRIGHTSPACE:  # it writes "#0012", so that spreadsheets keep the zeros
            values = [value.removeprefix("#") for value in values]
        if kind == "name" and (first := self.identities.get("first")):
            last = self.identities.get("last") or first
            values.append(f"{row.value(first[0])} {row.value(last[0])}")
        return [value for value in values if value.strip()]

    def label(self, row: Row) -> str:
        """Return how a row is named in a message."""
        kinds = ("name", "login", "email", "id")
        texts = [value for kind in kinds for value in self.values(row, kind)]
        return texts[0] if texts else f"line {row.line}"

    @cached_property
    def decimal_comma(self) -> bool:
        """Whether its numbers had a decimal comma. Canvas reads both, and writes a point."""
        if self.platform == CANVAS:
            return False
        cells = [row.value(column.index) for row in self.rows for column in self.columns]
        cells += [row.value(index) for row in self.rows for index in self.maxima]
        numbers = [cell for cell in cells if number_in(cell) is not None]
        return any("," in cell for cell in numbers) and not any("." in cell for cell in numbers)

    @property
    def maxima(self) -> list[int]:
        """The columns that hold the most points of each row."""
        return [i for i, title in enumerate(self.table.header) if same_text(title) in MAXIMA]


def recognise(table: Table) -> Sheet:
    """Return a table as the sheet of its platform.

    Raise UsageError where no column says who the students are.
    """
    header = table.header
    identities = identities_of(header)
    if is_canvas(header):
        return canvas(table, identities)
    if any(BLACKBOARD_TITLE.fullmatch(title) for title in header) and "login" in identities:
        return Sheet(BLACKBOARD, table, identities, blackboard_columns(header), table.body)
    if same_text(header[-1]) == "end-of-line indicator":
        return Sheet(BRIGHTSPACE, table, identities, brightspace_columns(header), table.body)
    if is_worksheet(table):
        return worksheet(table, identities)
    if not {"id", "login", "email", "name", "first"} & identities.keys():
        raise UsageError(
            f"{table.name}: no column of its first line says who the students are, such as"
            f" Student, Username or Email address: {', '.join(header)[:200]}"
        )
    return moodle(table, identities)


def identities_of(header: Sequence[str]) -> dict[str, list[int]]:
    """Return the columns that identify students, by kind."""
    kinds: dict[str, list[int]] = {}
    for index, title in enumerate(header):
        if kind := HEADERS.get(same_text(title).replace("’", "'")):
            kinds.setdefault(kind, []).append(index)
    if "first" in kinds and "last" not in kinds and "name" in kinds:  # as in Vorname, Name
        kinds["last"] = kinds.pop("name")
    return kinds


def is_canvas(header: Sequence[str]) -> bool:
    """Whether Canvas' importer takes a header for its own."""
    if "Section" not in header:
        return False
    names = {"LastName", "FirstName", "ID"} <= set(header[:3])
    return names or (len(header) > 3 and "Student" in header[0] and "ID" in header[1])


def canvas(table: Table, identities: dict[str, list[int]]) -> Sheet:
    """Return a gradebook of Canvas: a row says the points, and which columns are read-only."""
    points = next((row for row in table.body if POINTS_ROW in same_text(row.value(0))), None)
    section = table.header.index("Section")
    columns = []
    for index, title in list(enumerate(table.header))[section + 1 :]:
        match = CANVAS_TITLE.fullmatch(title)
        possible = points.value(index) if points else ""
        if possible == READ_ONLY or NOT_IMPORTED.search(title):
            continue
        if match or number_in(possible) is not None:
            name, number = (match[1], match[2]) if match else (title, "")
            columns.append(GradeColumn(index, name, number, number_in(possible)))
    first = {index for index in identities.get("id", ()) if index <= section}
    identities = {**identities, "id": sorted(first)}
    return Sheet(CANVAS, table, identities, columns, [r for r in table.body if is_student(r)])


def is_student(row: Row) -> bool:
    """Whether a row of a Canvas gradebook is a student: not points, posting or the test student."""
    filled = [same_text(value) for value in row.values if value]
    if all(value.startswith(POSTING) for value in filled):
        return False
    return POINTS_ROW not in same_text(row.value(0)) and same_text(row.value(0)) != TEST_STUDENT


def blackboard_columns(header: Sequence[str]) -> list[GradeColumn]:
    """Return the columns with the number that Blackboard knows them by; its totals have none."""
    return [
        GradeColumn(index, match[1], match[3], number_in(match[2] or ""))
        for index, title in enumerate(header)
        if (match := BLACKBOARD_TITLE.fullmatch(title))
        and same_text(match[1]) not in ("total", "weighted total")
    ]


def brightspace_columns(header: Sequence[str]) -> list[GradeColumn]:
    """Return the columns of points."""
    return [
        GradeColumn(index, match[1], "", number_in(match[2] or ""))
        for index, title in enumerate(header)
        if (match := BRIGHTSPACE_TITLE.fullmatch(title))
    ]


def is_worksheet(table: Table) -> bool:
    """Whether a table is a grading worksheet: rows of "Participant 12345", and one grade column."""
    first = [row.value(0) for row in table.body]
    labels = {re.sub(r"\d+$", "", value) for value in first}
    known = any(same_text(title) in GRADES for title in table.header)
    return known and bool(first) and all(map(IDENTIFIER.fullmatch, first)) and len(labels) == 1


def worksheet(table: Table, identities: dict[str, list[int]]) -> Sheet:
    """Return a grading worksheet: its grade column, without the rows that may not be changed."""
    titles = [same_text(title) for title in table.header]
    identities = {kind: [i for i in found_at if i] for kind, found_at in identities.items()}
    column = next(index for index, title in enumerate(titles) if title in GRADES)
    if "scale" in titles:
        raise UsageError(f"{table.name}: this assignment is graded on a scale, not in points")
    most = next((index for index, title in enumerate(titles) if title in MAXIMA), None)
    points = {number_in(row.value(most)) for row in table.body} if most is not None else set()
    max_score = points.pop() if len(points) == 1 else None
    flag = next((index for index, title in enumerate(titles) if title in CHANGEABLE), None)
    locked = [row for row in table.body if same_text(row.value(flag)) == "no"]
    grade = GradeColumn(column, table.header[column], "", max_score)
    return Sheet(WORKSHEET, table, identities, [grade], table.body, locked)


def moodle(table: Table, identities: dict[str, list[int]]) -> Sheet:
    """Return an export of Moodle's gradebook, or any table that has a column of students."""
    taken = {index for indices in identities.values() for index in indices}
    columns, in_points = [], False
    for index, title in enumerate(table.header):
        match = MOODLE_TITLE.fullmatch(title)
        if index in taken or not title or same_text(title) == TIME_EXPORTED or not match:
            continue
        if match[2] and same_text(match[2]) in NOT_POINTS:
            continue
        in_points = in_points or bool(match[2])
        columns.append(GradeColumn(index, match[1]))
    is_moodle = in_points or TIME_EXPORTED in map(same_text, table.header)
    return Sheet(MOODLE if is_moodle else PLAIN, table, identities, columns, table.body)
