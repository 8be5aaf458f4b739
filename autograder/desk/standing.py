"""Where each student stands in each lesson, from what the course and the exchange hold.

exchange (arrivals), submitted/, gradebook, autograded/, released feedback -> LessonState

Nothing is written and no notebook is run. What a student wrote is read as data: names of folders,
times, and the messages of graded tests.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory

from autograder.desk.folders import (
    arrivals_in,
    exchange_folder,
    read_problems,
    stage_folder,
    students_in,
)
from autograder.desk.marks import (
    LessonPoints,
    Mark,
    Person,
    open_gradebook,
    read_lessons,
    read_marks,
    read_people,
)
from autograder.desk.outcomes import notebooks_in
from autograder.desk.person import pages_of
from autograder.errors import LessonError, UsageError
from autograder.grading.collect import Arrival, newest, owned
from autograder.grading.course import assignments, require_assignment, sources
from autograder.grading.deadlines import Deadlines, read_deadlines
from autograder.grading.submissions import submitted_at
from autograder.grading.verdict import VERDICT
from autograder.service.outline import Outline, due_of, late_seconds, outlines

# Folders of the students' homes, and who teaches, where the hub says so.
HOMES, TEACHERS = "COURSE_HOMES", "COURSE_INSTRUCTORS"
QUOTED = re.compile(r"'([^']{1,200})'")


@dataclass(frozen=True)
class Standing:
    """A student in a lesson. Times are in UTC; None, or empty, is what is not there.

    `newest` is the last hand-in, `collected` the one in submitted/, `marked` the one that has the
    marks. `is_started` is None where homes cannot be read. `copied` names other students of the
    class whose numbers the work has.
    """

    person: Person
    is_started: bool | None
    newest: datetime | None
    collected: datetime | None
    has_folder: bool
    mark: Mark | None
    late_seconds: float
    problem: str
    copied: tuple[str, ...]
    is_released: bool

    @property
    def handed_in(self) -> datetime | None:
        """When the last hand-in came."""
        return max(filter(None, (self.newest, self.collected)), default=None)

    @property
    def has_work(self) -> bool:
        """Whether anything was handed in."""
        return self.handed_in is not None or self.has_folder

    @property
    def is_new(self) -> bool:
        """Whether the exchange has what was not collected yet."""
        return self.newest is not None and (self.collected is None or self.newest > self.collected)

    @property
    def is_pending(self) -> bool:
        """Whether work was handed in that has no marks of its own yet."""
        if self.mark is None or self.is_new:
            return self.has_work
        marked = aware(self.mark.submitted)
        return bool(self.collected and marked and self.collected > marked)


@dataclass
class LessonState:
    """A lesson, and where each student stands in it."""

    name: str
    title: str
    points: float
    due: datetime | None
    is_released: bool
    standings: list[Standing] = field(default_factory=list)

    def count(self, what: str) -> int:
        """Return how many students have something: a property of Standing, or one of `of`."""
        return len(self.of(what))

    def of(self, what: str) -> list[Standing]:
        """Return the students in one of these states, such as "late"."""
        tests = {
            "started": lambda one: one.is_started or one.has_work,
            "handed in": lambda one: one.has_work,
            "late": lambda one: one.late_seconds > 0,
            "graded": lambda one: one.mark is not None,
            "to mark": lambda one: one.mark is not None and one.mark.to_mark,
            "pending": lambda one: one.is_pending,
            "waiting": lambda one: one.is_pending and not one.problem,
            "failed": lambda one: one.is_pending and bool(one.problem),
            "new": lambda one: one.is_new,
            "copied": lambda one: bool(one.copied),
            "feedback": lambda one: one.is_released,
        }
        return [one for one in self.standings if tests[what](one)]


@dataclass(frozen=True)
class Records:
    """What is read once for all lessons."""

    course: CourseDirectory
    exchange: Path | None
    people: list[Person]
    lessons: Mapping[str, LessonPoints]
    marks: Mapping[tuple[str, str], Mark]
    arrivals: Mapping[tuple[str, str], Arrival]
    strangers: list[Arrival]
    deadlines: Deadlines | None
    problems: Mapping[str, Mapping[str, str]]


def read_state(course: CourseDirectory, names: Sequence[str] = ()) -> list[LessonState]:
    """Return the lessons `names`, or all, with where each student stands."""
    for name in names:
        require_assignment(course, name)
    records = read_records(course)
    return [lesson_state(records, name) for name in sorted(names or assignments(course))]


def read_records(course: CourseDirectory) -> Records:
    """Return what the gradebook, the exchange and the folders hold."""
    lessons, marks, known = read_gradebook(course)
    mine: list[Arrival] = []
    strangers: list[Arrival] = []
    for arrival in arrivals_in(course):
        (mine if owned(arrival) else strangers).append(arrival)
    handed_in = {arrival.student for arrival in mine}
    ids = handed_in | students_in(stage_folder(course, "submitted"))
    people = {person.id: person for person in known}
    people |= {name: Person(name) for name in ids - people.keys()}
    return Records(
        course,
        exchange_folder(course),
        sorted(people.values(), key=lambda one: (one.sortable_name.casefold(), one.id)),
        lessons,
        marks,
        {(each.assignment, each.student): each for each in newest(mine)},
        strangers,
        read_deadlines(Path(course.root)),
        read_problems(course),
    )


def read_gradebook(
    course: CourseDirectory,
) -> tuple[dict[str, LessonPoints], dict[tuple[str, str], Mark], list[Person]]:
    """Return lessons, marks and people of the gradebook; nothing where there is none yet."""
    try:
        with open_gradebook(course) as gradebook:
            people = read_people(gradebook)
            try:
                lessons = read_lessons(gradebook, ())
            except UsageError:  # none was graded yet
                return {}, {}, people
            return lessons, read_marks(gradebook, lessons), people
    except UsageError:
        return {}, {}, []


def lesson_state(records: Records, name: str) -> LessonState:
    """Return where each student stands in one lesson."""
    course = records.course
    texts = outlines(map(Path, sources(course, name)))
    released = records.exchange / "outbound" / name if records.exchange else None
    state = LessonState(
        name,
        texts[0].title if texts else name,
        sum(text.points for text in texts),
        due_in(records, name, texts),
        bool(released and released.is_dir()),
    )
    people = list(records.people)
    started = started_in(name)
    known = {person.id for person in people}
    people += [Person(student) for student in sorted((started or set()) - known)]
    state.standings = [
        standing(records, state, person, None if started is None else person.id in started)
        for person in people
    ]
    return state


def due_in(records: Records, name: str, texts: Iterable[Outline]) -> datetime | None:
    """Return when a lesson is due, as deadlines.toml says, else its notebooks."""
    dates = records.deadlines
    return dates.due[name] if dates and name in dates.due else due_of(texts)


def started_in(lesson: str) -> set[str] | None:
    """Return the students who have a lesson in their homes; None where homes cannot be read."""
    homes = os.environ.get(HOMES, "")
    if not homes:
        return None
    teachers = set(os.environ.get(TEACHERS, "").split())
    try:
        names = sorted(os.listdir(homes))
        return {one for one in names if one not in teachers and Path(homes, one, lesson).is_dir()}
    except OSError:  # a home that is closed to the grader says nothing of those that are not
        return None


def standing(
    records: Records, state: LessonState, person: Person, is_started: bool | None
) -> Standing:
    """Return where one student stands."""
    key = (state.name, person.id)
    arrival, mark = records.arrivals.get(key), records.marks.get((person.id, state.name))
    folder = stage_folder(records.course, "submitted", person.id) / state.name
    collected = collected_at(folder)
    last = aware(arrival.time) if arrival else None
    counted = max(filter(None, (last, collected)), default=None)
    late = lateness(records, state, person.id, counted)
    graded = stage_folder(records.course, "autograded", person.id) / state.name
    others = {one.id for one in records.people} - {person.id}
    messages = quoted_by(graded) if mark else []
    return Standing(
        person,
        is_started,
        last,
        collected,
        folder.is_dir(),
        mark,
        late,
        records.problems.get(state.name, {}).get(person.id, ""),
        tuple(sorted({one for each in messages if person.id in each for one in others & each})),
        has_feedback(folder, records.exchange, graded),
    )


def collected_at(folder: Path) -> datetime | None:
    """Return when what is in submitted/ was handed in; None where that is not known."""
    with suppress(LessonError, OSError):
        return aware(submitted_at(str(folder)))
    return None


def lateness(records: Records, state: LessonState, student: str, when: datetime | None) -> float:
    """Return by how many seconds a hand-in is late, extensions counted."""
    if when is None:
        return 0.0
    dates = records.deadlines
    if dates and state.name in dates.due:
        return dates.seconds_late(student, state.name, when)
    return late_seconds(when, state.due)


def quoted_by(folder: Path) -> list[frozenset[str]]:
    """Return what messages of failed tests quote: that on another's table names both students."""
    return [
        names
        for path in sorted(folder.glob("*.ipynb"))
        for names in quoted_in(path, path.stat().st_mtime_ns)
    ]


@lru_cache(maxsize=20_000)
def quoted_in(path: Path, modified: int) -> tuple[frozenset[str], ...]:
    """Return the texts that each message of a graded notebook of this time quotes, if several."""
    quoted = [
        frozenset(QUOTED.findall(message))
        for stem, notebook in notebooks_in(path.parent)
        if stem == path.stem
        for message in messages_of(notebook)
    ]
    return tuple({names for names in quoted if len(names) > 1})


def messages_of(notebook: Mapping[str, Any]) -> list[str]:
    """Return the messages of the graded cells of a notebook."""
    verdicts = [cell.get("metadata", {}).get(VERDICT) for cell in notebook["cells"]]
    return [str(each.get("message", "")) for each in verdicts if isinstance(each, dict)]


def has_feedback(submitted: Path, exchange: Path | None, graded: Path) -> bool:
    """Whether a page on the marks of now was released."""
    pages = pages_of(submitted, exchange) if exchange else []
    times = [path.stat().st_mtime for path in graded.glob("*.ipynb")]
    return bool(pages) and all(page.stat().st_mtime >= max(times, default=0.0) for page in pages)


def aware(time: datetime | None) -> datetime | None:
    """Return a time of nbgrader's, which is in UTC without saying so."""
    return time.replace(tzinfo=UTC) if time and not time.tzinfo else time
