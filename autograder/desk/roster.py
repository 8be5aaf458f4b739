"""A class list, as a platform wrote it, into the gradebook: who is new, gone, changed.

recognise -> entries_of -> compare with the gradebook -> Roster -> enter

No one is ever removed, and no value is replaced by an empty one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from nbgrader.api import Gradebook, Student

from autograder.desk.fill import Known
from autograder.desk.marks import Person
from autograder.desk.platforms import NOT_ACTIVE, PLAIN, Sheet, recognise
from autograder.desk.tables import Row, Table, same_text
from autograder.errors import UsageError, printable

NOT_IN_NAMES = set('/\\+*?[]{}"')  # nbgrader's folders and patterns
FIELDS = ("first_name", "last_name", "email", "platform_id")
COLUMNS = {"platform_id": "lms_user_id"}  # of nbgrader


@dataclass
class Roster:
    """A class list compared with the gradebook; `remarks` are rows that were left out.

    `listed` are the ids of all students of the list.
    """

    new: list[Person] = field(default_factory=list)
    changed: list[tuple[Person, Person]] = field(default_factory=list)
    gone: list[Person] = field(default_factory=list)
    unchanged: int = 0
    remarks: list[str] = field(default_factory=list)

    listed: set[str] = field(default_factory=set)


def read_roster(table: Table, people: Iterable[Person], id_column: str = "") -> Roster:
    """Return a class list compared with the students `people` of the gradebook.

    `id_column` names the column of the logins. Raise UsageError where no one is in it.
    """
    sheet, known, roster = recognise(table), Known(people), Roster()
    column = login_column(sheet, id_column)
    rows = [row for row in sheet.rows if same_text(status(sheet, row)) not in NOT_ACTIVE]
    if not rows:
        raise UsageError(f"{table.name} has no student in it")
    entries: dict[str, tuple[int, Person]] = {}
    for row in rows:
        hits = known.candidates(sheet, row)
        if len(hits) > 1:
            ids = ", ".join(sorted(person.id for person in hits))
            roster.remarks.append(f"{sheet.label(row)}: could be {ids}: left out")
            continue
        person = entry_of(sheet, row, column, next(iter(hits), None))
        if reason := invalid(person.id):
            roster.remarks.append(f"line {row.line}: {sheet.label(row)}: {reason}: left out")
        elif person.id in entries and entries[person.id][1] != person:
            line = entries[person.id][0]
            roster.remarks.append(f"{person.id}: line {row.line} is not like line {line}: left out")
        else:
            entries.setdefault(person.id, (row.line, person))
    roster.listed = set(entries)
    compare(roster, known.people, [person for _, person in entries.values()])
    return roster


def compare(roster: Roster, people: Iterable[Person], entries: Iterable[Person]) -> None:
    """Sort the students of a list and of the gradebook into new, changed, gone."""
    before = {person.id: person for person in people}
    for person in entries:
        old = before.pop(person.id, None)
        if old is None:
            roster.new.append(person)
            continue
        merged = replace(old, **{key: value for key in FIELDS if (value := getattr(person, key))})
        if merged != old:
            roster.changed.append((old, merged))
        else:
            roster.unchanged += 1
    roster.gone.extend(before.values())


def login_column(sheet: Sheet, wanted: str) -> int | None:
    """Return the column of the logins, which are nbgrader's ids of students.

    None where only the gradebook can say them. Raise UsageError where a named one is missing.
    """
    titles = [same_text(title) for title in sheet.table.header]
    if wanted:
        if same_text(wanted) not in titles:
            raise UsageError(f"{sheet.table.name} has no column {wanted!r}: {', '.join(titles)}")
        return titles.index(same_text(wanted))
    if "login" in sheet.identities:
        return sheet.identities["login"][0]
    names = ["id", "student_id", "student id"] if sheet.platform == PLAIN else []
    if "first" in sheet.identities:
        names.append("student")
    return next((titles.index(name) for name in names if name in titles), None)


def entry_of(sheet: Sheet, row: Row, column: int | None, known: Person | None) -> Person:
    """Return the student of a row; what the gradebook knows already keeps its id."""
    first, last = names_of(sheet, row)
    columns = [index for index in sheet.identities.get("id", ()) if index != column]
    ids = [value for index in columns if (value := row.value(index))]
    emails = sheet.values(row, "email")
    login = row.value(column).removeprefix("#")
    return Person(
        known.id if known else login,
        *(first, last, emails[0] if emails else "", ids[0].removeprefix("#") if ids else ""),
    )


def names_of(sheet: Sheet, row: Row) -> tuple[str, str]:
    """Return first and last name: of two columns, of "Last, First", or of "First Last"."""
    if first := sheet.identities.get("first"):
        last = sheet.identities.get("last")
        return row.value(first[0]), row.value(last[0]) if last else ""
    names = [row.value(column) for column in sheet.identities.get("name", ())]
    name = next(filter(None, names), "")
    if "," in name and sheet.platform != PLAIN:
        last_name, _, first_name = name.rpartition(",")
    else:
        first_name, _, last_name = name.rpartition(" ")
    return first_name.strip(), last_name.strip()


def status(sheet: Sheet, row: Row) -> str:
    """Return the status of an enrolment, where the list has one."""
    titles = [same_text(title) for title in sheet.table.header]
    return row.value(titles.index("status")) if "status" in titles else ""


def invalid(name: str) -> str:
    """Return why a name cannot be a student's id in nbgrader; empty if it can."""
    if not name:
        return "no column says the login (--id COLUMN names it)"
    if set(name) & NOT_IN_NAMES or name.startswith(".") or printable(name) != name:
        return f"{name!r} cannot be the name of a folder"
    return ""


def enter(gradebook: Gradebook, roster: Roster) -> None:
    """Write the new and the changed students, in one transaction."""
    for person in [*roster.new, *(now for _, now in roster.changed)]:
        values = {COLUMNS.get(key, key): getattr(person, key) or None for key in FIELDS}
        gradebook.db.merge(Student(id=person.id, **values))
    gradebook.db.commit()
