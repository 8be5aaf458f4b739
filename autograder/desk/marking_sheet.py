"""A table to mark in, as CSV, and the tables of several markers read back.

write_sheet -> (a spreadsheet) -> read_sheets -> Entries: to enter, conflicts -> enter

Nothing is overwritten silently: what two markers see differently, or what changed in the gradebook
since the table was written, is named and left as it is.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory

from autograder.desk.marking import Work, answer_of, enter_mark, points_in
from autograder.desk.tables import read_table, safe_text, write_new
from autograder.errors import LessonError, UsageError
from autograder.grading.regrades import Key

COLUMNS = ("work", "cell", "student", "answer", "of", "points", "comment", "state")
NEEDED = ("work", "cell", "points", "comment", "state")
MAX_ANSWER_CHARS = 20_000  # a spreadsheet takes 32,767 in a cell


@dataclass(frozen=True)
class Typed:
    """A mark that a marker typed: of which answer, and where it stands."""

    work: Work
    points: float
    comment: str
    where: str

    @property
    def is_known(self) -> bool:
        """Whether the gradebook has just this mark."""
        same = (self.points, self.comment) == (self.work.points, self.work.comment)
        return same and not self.work.waiting


@dataclass
class Entries:
    """What tables say: marks to enter, how many are known already, what was left out, and why."""

    marks: list[Typed] = field(default_factory=list)
    known: int = 0
    blank: int = 0
    left_out: list[str] = field(default_factory=list)


def write_sheet(
    course: CourseDirectory,
    lesson: str,
    works: Sequence[Work],
    rubrics: Mapping[Key, str],
    path: Path,
    names: Mapping[str, str] | None,
) -> None:
    """Write a table of answers to mark; with `names` by student, else without any.

    A second file beside it has the mark schemes. Raise UsageError where either is there already.
    """
    schemes_path = path.with_suffix(".md")
    if path == schemes_path or schemes_path.exists():
        raise UsageError(f"{schemes_path} exists already: choose another name with --to")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for work in works:
        who = "" if names is None else names.get(work.student, work.student)
        answer = answer_of(course, lesson, work)
        if len(answer) > MAX_ANSWER_CHARS:
            answer = f"{answer[:MAX_ANSWER_CHARS]}\n[cut: the rest is in autograded/]"
        points = "" if work.points is None else f"{work.points:.12g}"
        row = (work.code, work.cell, who, answer, f"{work.max_score:g}", points, work.comment)
        writer.writerow([safe_text(value) for value in (*row, work.state)])
    # With a byte order mark, Excel reads names with accents.
    write_new(path, text.getvalue().encode("utf-8-sig"))
    cells = dict.fromkeys((work.notebook, work.cell) for work in works)
    schemes = [
        f"# {cell}\n\n{rubrics.get((notebook, cell), '').strip()}" for notebook, cell in cells
    ]
    write_new(schemes_path, ("\n\n".join(schemes) + "\n").encode())


def read_sheets(paths: Sequence[Path], works: Sequence[Work]) -> Entries:
    """Return what the tables of markers say. Raise UsageError for a file that is no such table."""
    by_key = {(work.code, work.cell): work for work in works}
    typed: dict[tuple[str, str], list[Typed]] = defaultdict(list)
    entries = Entries()
    for path in paths:
        table = read_table(path)
        if missing := [name for name in NEEDED if name not in table.header]:
            raise UsageError(f"{path}: no column {missing[0]!r}: `autograder marking sheet` has it")
        columns = {name: table.header.index(name) for name in NEEDED}
        for row in table.body:
            values = {name: row.value(column) for name, column in columns.items()}
            where = f"{path.name}, line {row.line}"
            if not values["points"]:
                entries.blank += 1
                if values["comment"]:
                    entries.left_out.append(f"{where}: a comment without points: left out")
                continue
            try:
                mark = typed_in(values, by_key, where)
            except LessonError as error:
                entries.left_out.append(f"{where}: {error}: left out")
                continue
            typed[mark.work.code, mark.work.cell].append(mark)
    for marks in typed.values():
        sort_out(marks, entries)
    return entries


def typed_in(values: Mapping[str, str], works: Mapping[tuple[str, str], Work], where: str) -> Typed:
    """Return the mark in a row. Raise LessonError where it cannot be entered."""
    work = works.get((values["work"], values["cell"]))
    if work is None:
        raise LessonError(f"no answer {values['work']!r} to {values['cell']!r} in the gradebook")
    comment = plain_text(values["comment"])
    mark = Typed(work, points_in(values["points"], work.max_score), comment, where)
    if values["state"] != work.state and not mark.is_known:
        now = "waits for a mark" if work.points is None else f"has {work.points:g} points"
        raise LessonError(
            f"{mark.points:g} points, but the answer of {work.student} to {work.cell} was changed"
            f" since the table was written and {now} now"
        )
    return mark


def plain_text(value: str) -> str:
    """Return a text without the apostrophe that kept a spreadsheet from computing it."""
    return value[1:] if value.startswith("'") and safe_text(value[1:]) == value else value


def sort_out(marks: list[Typed], entries: Entries) -> None:
    """Enter the mark of one answer in `entries`, or the conflict of its markers."""
    new = [mark for mark in marks if not mark.is_known]
    entries.known += len(marks) - len(new)
    if len({(mark.points, mark.comment) for mark in new}) > 1:
        places = "; ".join(f"{mark.where}: {mark.points:g} points" for mark in new)
        work = new[0].work
        entries.left_out.append(
            f"{work.student}, {work.cell}: the markers disagree ({places}): left as it is"
        )
    elif new:
        entries.marks.append(new[0])


def enter(gradebook: Gradebook, entries: Entries) -> int:
    """Enter the marks, in one transaction; return how many. A conflict is added to `left_out`."""
    entered = 0
    for mark in entries.marks:
        try:
            enter_mark(gradebook, mark.work, mark.points, mark.comment)
            entered += 1
        except LessonError as error:
            entries.left_out.append(f"{mark.where}: {error}: left out")
    gradebook.db.commit()
    return entered
