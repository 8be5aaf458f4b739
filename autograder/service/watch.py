"""Marks at once: what arrives in the exchange is graded, and feedback put back.

    inbound/ changes -> what is due -> collect -> grade -> feedback -> release -> journal

collect, feedback and release are nbgrader's own. The journal, a line for each submission that was
answered, is what is known after a restart: what has no line there is done (again).
"""

from __future__ import annotations

import json
import pwd
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field
from datetime import date
from itertools import groupby
from pathlib import Path
from threading import Event

from nbgrader.apps.api import NbGraderAPI
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import temp_attrs
from watchfiles import watch as changes

from autograder.errors import LessonError, UsageError
from autograder.grading.coordinator import GradingRequest, grade
from autograder.grading.course import assignments, prepare
from autograder.grading.results import FAILED

JOURNAL = "immediate-feedback.jsonl"
LOOK = 60_000  # milliseconds after which to look again though nothing changed: a day may be over
COMPLETE = 0o777  # the last that nbgrader's submit does is to give a submission this mode


@dataclass(frozen=True, order=True)
class Arrival:
    """A submission in the exchange."""

    assignment: str
    student: str
    submitted: str
    path: Path = field(compare=False)


@dataclass(frozen=True)
class Answered:
    """A line of the journal: a submission that was answered, and on which day."""

    student: str
    assignment: str
    submitted: str
    day: str


class Journal:
    """What was answered, in a file that only grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.latest: dict[tuple[str, str], str] = {}  # by student and assignment
        self.days: Counter[tuple[str, str, str]] = Counter()  # and by day, how many
        for line in path.read_text().splitlines() if path.exists() else []:
            if line.endswith("}"):  # else it was cut short
                self.count(Answered(**json.loads(line)))

    def count(self, line: Answered) -> None:
        """Keep what a line says."""
        whose = line.student, line.assignment
        self.latest[whose] = max(line.submitted, self.latest.get(whose, ""))
        self.days[*whose, line.day] += 1

    def knows(self, arrival: Arrival) -> bool:
        """Whether this submission, or a newer one of the same student, was answered."""
        return self.latest.get((arrival.student, arrival.assignment), "") >= arrival.submitted

    def today(self, arrival: Arrival) -> int:
        """How many submissions of this student to this assignment were answered today."""
        return self.days[arrival.student, arrival.assignment, date.today().isoformat()]

    def add(self, arrival: Arrival) -> None:
        """Note that a submission was answered."""
        day = date.today().isoformat()
        line = Answered(arrival.student, arrival.assignment, arrival.submitted, day)
        with self.path.open("a") as file:
            file.write(json.dumps(asdict(line)) + "\n")
        self.count(line)


class FeedbackService:
    """Answers submissions to one course, each student so many times a day for an assignment."""

    def __init__(
        self,
        course: CourseDirectory,
        daily_limit: int,
        executor: Executor,
        limits: dict[str, object],
        say: Callable[[str], None],
    ) -> None:
        self.course, self.daily_limit, self.executor, self.limits = (
            course,
            daily_limit,
            executor,
            limits,
        )
        self.say = say
        self.api = NbGraderAPI(course, Authenticator(config=course.config), config=course.config)
        if not self.api.exchange_is_functional:
            raise UsageError(f"the exchange {self.api.exchange_root} cannot be used")
        self.inbound = Path(self.api.exchange_root) / course.course_id / "inbound"
        if not self.inbound.is_dir():
            raise UsageError(f"no {self.inbound}: release an assignment first")
        self.journal = Journal(Path(course.root) / JOURNAL)
        self.told: set[object] = set()

    def serve(self, stop: Event) -> None:
        """Answer what is there, then what comes, until `stop` is set."""
        self.answer()
        for _ in changes(
            self.inbound, stop_event=stop, rust_timeout=LOOK, yield_on_timeout=True, step=200
        ):
            self.answer()

    def answer(self) -> None:
        """Grade all that is due, an assignment at a time, and put feedback back."""
        for assignment, due in groupby(sorted(self.due()), key=lambda arrival: arrival.assignment):
            try:
                self.answer_all(assignment, list(due))
            except (UsageError, LessonError) as error:
                self.tell_once(assignment, f"{assignment}: {error}")

    def due(self) -> Iterator[Arrival]:
        """The newest submission of each student to each assignment, unless it was answered.

        Whoever was answered often enough today waits until tomorrow.
        """
        known = assignments(self.course)
        for arrival in newest(arrivals(self.inbound)):
            if arrival.assignment not in known or self.journal.knows(arrival):
                continue
            if not owned(arrival):
                self.tell_once(arrival, f"{arrival.path.name} is somebody else's: passed over")
            elif self.journal.today(arrival) >= self.daily_limit:
                words = f"{arrival.student} had {self.daily_limit} answers to {arrival.assignment} today"
                self.tell_once((arrival, date.today()), f"{words}: the next one tomorrow")
            else:
                yield arrival

    def answer_all(self, assignment: str, due: list[Arrival]) -> None:
        """Collect, grade and answer submissions to one assignment."""
        students = [arrival.student for arrival in due]
        for student in students:
            with temp_attrs(self.course, student_id=student):
                done("collected", self.api.collect(assignment))
        prepare(self.course, assignment, students)
        order = GradingRequest([assignment], self.limits, students=students)
        results = {r.student: r for r in grade(self.course, order, self.executor)}
        for arrival in due:
            self.say(f"{arrival.student} {assignment}: {results[arrival.student].description()}")
            if not results[arrival.student].status.startswith(FAILED):
                self.give_feedback(arrival)
            self.journal.add(arrival)

    def give_feedback(self, arrival: Arrival) -> None:
        """Make a student's feedback and lay it where they fetch it."""
        names = arrival.assignment, arrival.student
        done("given feedback", self.api.generate_feedback(*names))
        done("given feedback", self.api.release_feedback(*names))

    def tell_once(self, what: object, words: str) -> None:
        """Say something that would else be said at every look."""
        if what not in self.told:
            self.told.add(what)
            self.say(words)


def arrivals(inbound: Path) -> Iterator[Arrival]:
    """What lies in the exchange and is complete."""
    for path in inbound.iterdir():
        parts = path.name.rsplit("+", 3)
        if len(parts) == 4 and path.is_dir() and not path.is_symlink():
            student, assignment, submitted, _ = parts
            if path.stat().st_mode & 0o777 == COMPLETE:
                yield Arrival(assignment, student, submitted, path)


def newest(found: Iterable[Arrival]) -> Iterator[Arrival]:
    """The last submission of each student to each assignment."""
    latest = {(each.assignment, each.student): each for each in sorted(found)}
    yield from latest.values()


def owned(arrival: Arrival) -> bool:
    """Whether the submission was made by the student whose name it has.

    Where all servers run as one user, all files are that user's: ours.
    """
    inbound, own = arrival.path.parent.stat().st_uid, arrival.path.stat().st_uid
    try:
        return own == inbound or pwd.getpwuid(own).pw_name == arrival.student
    except KeyError:  # nobody has this number
        return False


def done(what: str, said: dict[str, object]) -> None:
    """LessonError unless nbgrader says that it did it."""
    if not said["success"]:
        reason = str(said.get("error", "")).strip().splitlines()[-1:]
        raise LessonError(f"could not be {what}: {' '.join(reason)}")
