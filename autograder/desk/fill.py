"""Marks into a file that a learning platform wrote: only the filled cells differ.

recognise -> match students -> match columns -> Filling: changes and remarks -> Table.encode

A student is matched by platform id, login, e-mail or name, the first of them that decides. What is
ambiguous is listed and left as it is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from autograder.desk.marks import ClassMarks, LessonPoints, Person
from autograder.desk.platforms import CANVAS, MOODLE, WORKSHEET, GradeColumn, Sheet, recognise
from autograder.desk.tables import Row, Table, number_in, number_text, same_text
from autograder.errors import UsageError
from autograder.grading.course import sources
from autograder.service.outline import outlines

SAME = 0.005  # platforms compare at two decimals
EXCUSED, NOT_ASSIGNED = "ex", "n/a"  # of Canvas: no mark may replace them


@dataclass(frozen=True)
class Change:
    """A cell that is filled: whose it is, in which lesson, its text before and now."""

    student: str
    lesson: str
    old: str
    new: str


@dataclass
class Filling:
    """What was filled in a sheet; `remarks` are marks that could not be, `notes` the rest."""

    sheet: Sheet
    notes: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    unchanged: int = 0
    remarks: list[str] = field(default_factory=list)


def fill(
    table: Table,
    marks: ClassMarks,
    columns: Mapping[str, str],
    titles: Mapping[str, list[str]],
    scale: bool = False,
) -> Filling:
    """Fill the marks of a class into a platform's table, in place; return what changed.

    `columns` names the column of a lesson where its title differs; `titles` are other names of the
    lessons. `scale` converts points to the platform's maximum. Raise UsageError where nothing fits.
    """
    sheet = recognise(table)
    filling = Filling(sheet)
    chosen = match_columns(filling, marks.lessons, columns, titles)
    people = match_people(filling, marks.people)
    for lesson, column in chosen:
        factor = factor_of(filling, lesson, column, scale)
        for row in sheet.rows:
            if person := people.get(row.line):
                fill_cell(filling, marks, person, row, (lesson, column, factor))
    return filling


def lesson_titles(course: CourseDirectory, names: Iterable[str]) -> dict[str, list[str]]:
    """Return the titles of lessons, as their notebooks name themselves."""
    return {
        name: [name.replace("_", " "), *(text.title for text in outlines(paths))]
        for name in names
        for paths in [map(Path, sources(course, name))]
    }


def fill_cell(
    filling: Filling,
    marks: ClassMarks,
    person: Person,
    row: Row,
    place: tuple[LessonPoints, GradeColumn, float],
) -> None:
    """Fill one cell, unless there is no mark, the platform locks it, or it says the same."""
    lesson, column, factor = place
    sheet, mark, old = filling.sheet, marks.mark(person, lesson), row.value(column.index)
    if mark is None:  # a blank would clear what the platform has
        return
    score = mark.score * factor
    if reason := refusal(sheet, row, column, old, score):
        filling.remarks.append(f"{sheet.label(row)}: {lesson.name}: {reason}, not filled")
        return
    known = number_in(old)
    if known is not None and abs(known - round(score, 2)) < SAME:
        filling.unchanged += 1
        return
    new = number_text(score, sheet.decimal_comma)
    filling.changes.append(Change(sheet.label(row), lesson.name, old, new))
    sheet.table.fill(row, column.index, new)


def refusal(sheet: Sheet, row: Row, column: GradeColumn, old: str, score: float) -> str:
    """Return why the platform would not take a mark; empty if it would."""
    if sheet.platform == CANVAS and old.casefold() == EXCUSED:
        return "excused there"
    if sheet.platform == CANVAS and old.casefold() == NOT_ASSIGNED:
        return "not assigned there"
    if row in sheet.locked:
        return "its grade cannot be changed there"
    most = column.max_score
    if most is not None and score > most + SAME and sheet.platform == WORKSHEET:
        return f"{number_text(score)} is over the maximum of {number_text(most)} there"
    return ""


def factor_of(filling: Filling, lesson: LessonPoints, column: GradeColumn, scale: bool) -> float:
    """Return what points are multiplied by; say where the platform has another maximum."""
    most = column.max_score
    if most is None or not lesson.max_score or abs(most - lesson.max_score) < SAME:
        return 1.0
    if scale:
        return most / lesson.max_score
    filling.notes.append(
        f"{lesson.name}: {number_text(most)} points there, {number_text(lesson.max_score)} here:"
        " --scale converts"
    )
    return 1.0


def match_columns(
    filling: Filling,
    lessons: Iterable[LessonPoints],
    columns: Mapping[str, str],
    titles: Mapping[str, list[str]],
) -> list[tuple[LessonPoints, GradeColumn]]:
    """Return the lessons that have a column, each with it: by id, else by title.

    Raise UsageError where there is none at all, or a column that was asked for is missing.
    """
    sheet, chosen, without = filling.sheet, list[tuple[LessonPoints, GradeColumn]](), []
    repeated = {title for title, n in Counter(sheet.table.header).items() if n > 1}
    for lesson in lessons:
        wanted = columns.get(lesson.name)
        names = [wanted] if wanted else [lesson.name, *titles.get(lesson.name, ())]
        hits = [c for c in sheet.columns if c.id and c.id == wanted] or [
            column
            for column in sheet.columns
            if titles_of(sheet, column) & set(map(same_text, names))
        ]
        if wanted and not hits:
            raise UsageError(f"{sheet.table.name} has no column {wanted!r}{available(sheet)}")
        hits = [hit for hit in hits if sheet.table.header[hit.index] not in repeated]
        if len(hits) == 1:
            chosen.append((lesson, hits[0]))
        elif hits:
            filling.remarks.append(f"{lesson.name}: several columns of its name, not filled")
        else:
            without.append(lesson.name)
    if without:
        filling.notes.append(f"no column for {', '.join(without)}")
    taken = Counter(column.index for _, column in chosen)
    if twice := [lesson.name for lesson, column in chosen if taken[column.index] > 1]:
        raise UsageError(f"{' and '.join(twice)} have the same column in {sheet.table.name}")
    if not chosen:
        raise UsageError(
            f"{sheet.table.name}: no column is named like a lesson: --column LESSON=TITLE names"
            f" one{available(sheet)}"
        )
    return chosen


def titles_of(sheet: Sheet, column: GradeColumn) -> set[str]:
    """Return the names by which a column may be asked for."""
    names = {column.title, sheet.table.header[column.index]}
    if sheet.platform == MOODLE:  # which writes the kind of activity before its name
        names.add(column.title.partition(":")[2])
    return set(map(same_text, names)) - {""}


def available(sheet: Sheet) -> str:
    """Return the columns of a sheet, for a message."""
    names = [column.title + (f" ({column.id})" if column.id else "") for column in sheet.columns]
    return f"; available: {', '.join(names)[:300]}" if names else "; it has none that takes marks"


def match_people(filling: Filling, people: Iterable[Person]) -> dict[int, Person]:
    """Return the student of each row that has exactly one, by line; remark on all others.

    A name counts only for students whom nothing else matched.
    """
    sheet, known = filling.sheet, Known(people)
    candidates = {row.line: known.candidates(sheet, row) for row in sheet.rows}
    identified = set[Person]().union(*candidates.values())
    matched: dict[int, Person] = {}
    for row in sheet.rows:
        hits = candidates[row.line] or known.named(sheet, row) - identified
        if len(hits) == 1:
            (matched[row.line],) = hits
        elif hits:
            ids = ", ".join(sorted(person.id for person in hits))
            filling.remarks.append(f"{sheet.label(row)}: could be {ids}: not filled")
            identified |= hits
        else:
            filling.notes.append(f"{sheet.label(row)}: not in the gradebook")
    lines_of = defaultdict(list)
    for line, person in matched.items():
        lines_of[person].append(line)
    for person, lines in lines_of.items():
        if len(lines) > 1:
            where = ", ".join(map(str, lines))
            filling.remarks.append(f"{person.id}: could be lines {where}: not filled")
            for line in lines:
                del matched[line]
    seen = identified | lines_of.keys()
    if absent := sorted(person.id for person in known.people if person not in seen):
        filling.notes.append(f"not in {sheet.table.name}: {', '.join(absent)}")
    return matched


class Known:
    """The students of a class, by what identifies them."""

    def __init__(self, people: Iterable[Person]) -> None:
        self.people = list(people)
        self.index: dict[str, dict[str, set[Person]]] = defaultdict(lambda: defaultdict(set))
        for person in self.people:
            self.add("exact", person, person.id, person.platform_id)
            self.add("id", person, same_text(person.platform_id), same_text(person.id))
            self.add("login", person, same_text(person.id), same_text(person.email))
            self.add("email", person, same_text(person.email), same_text(person.id))
            self.add("name", person, *map(same_text, person.names))

    def add(self, kind: str, person: Person, *keys: str) -> None:
        """Enter a student under what identifies them; what is empty identifies no one."""
        for key in filter(None, keys):
            self.index[kind][key].add(person)

    def candidates(self, sheet: Sheet, row: Row) -> set[Person]:
        """Return the students that a row may be, by id, login or e-mail: the first that has any.

        All of them where these contradict each other.
        """
        by_kind = []
        for kind in ("id", "login", "email"):
            hits: set[Person] = set()
            for value in sheet.values(row, kind):
                exact = self.index["exact"].get(value) if kind != "email" else None
                hits |= exact or self.index[kind].get(same_text(value), set())
            if hits:
                by_kind.append(hits)
        if any(hits.isdisjoint(by_kind[0]) for hits in by_kind[1:]):
            return set[Person]().union(*by_kind)
        return by_kind[0] if by_kind else set()

    def named(self, sheet: Sheet, row: Row) -> set[Person]:
        """Return the students of the name in a row."""
        hits = (
            self.index["name"].get(same_text(name), set()) for name in sheet.values(row, "name")
        )
        return set[Person]().union(*hits)
