"""Immediate feedback: submissions that arrive in the exchange are graded, and feedback is released.

    inbound/ changes -> pending -> copy -> grade -> generate feedback -> release -> journal

Generating and releasing feedback are nbgrader's. The journal has a line for each processed
submission and survives a restart: a submission without a line is processed (again).
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from itertools import groupby
from pathlib import Path
from threading import Event, RLock, Thread

import nbformat
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config
from watchfiles import watch as changes

from autograder.errors import LessonError, UsageError, reason_of
from autograder.grading.collect import Arrival, arrivals, copy_submission, newest, owned
from autograder.grading.coordinator import GradingRequest, grade
from autograder.grading.course import (
    assignments,
    prepare,
    require_assignment,
    sources,
)
from autograder.grading.results import FAILED, NOT_GRADED, Result
from autograder.service.feedback import write_refusal
from autograder.service.release import course_api

logger = logging.getLogger(__name__)
JOURNAL = "immediate-feedback.jsonl"
RESCAN_MS = 5_000  # scan again after so long without a change: one may have come unseen
MAX_TRIES = 3  # to collect a submission, or to release its feedback
FIRST_WAIT_SECONDS, MAX_WAIT_SECONDS = 0.5, 600.0  # after a fault of the machine
MAX_FAULTS = 6  # while others were graded
UNGRADABLE = "The grader met an error with it, again and again"
MAX_THREADS = 8
COMPLETE = 0o777  # nbgrader's submit sets this mode last


@dataclass(frozen=True)
class JournalEntry:
    """A line of the journal: a processed submission, and the day of its feedback."""

    student: str
    assignment: str
    submitted: str
    day: str


class Journal:
    """The processed submissions, in an append-only file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.latest: dict[tuple[str, str], str] = {}  # time of submission, by student, assignment
        self.counts: Counter[tuple[str, str, str]] = Counter()  # by student, assignment, day
        for line in path.read_text().splitlines() if path.exists() else []:
            if line.endswith("}"):  # else it was truncated
                self.count(JournalEntry(**json.loads(line)))

    def count(self, entry: JournalEntry) -> None:
        """Add an entry to the counts."""
        key = entry.student, entry.assignment
        self.latest[key] = max(entry.submitted, self.latest.get(key, ""))
        self.counts[*key, entry.day] += 1

    def is_processed(self, arrival: Arrival) -> bool:
        """Whether this submission, or a newer one of the same student, was processed."""
        return self.latest.get((arrival.student, arrival.assignment), "") >= arrival.submitted

    def today(self, arrival: Arrival) -> int:
        """Return how often this student got feedback on this assignment today."""
        return self.counts[arrival.student, arrival.assignment, date.today().isoformat()]

    def add(self, arrival: Arrival) -> None:
        """Record that a submission was processed."""
        day = date.today().isoformat()
        entry = JournalEntry(arrival.student, arrival.assignment, arrival.submitted, day)
        with self.path.open("a") as file:
            file.write(json.dumps(asdict(entry)) + "\n")
        self.count(entry)


class FeedbackService:
    """Immediate feedback for one course, up to a daily limit per student and assignment.

    `log` is called with each line of progress. `only` are the assignments that are answered: if
    none, all but those with {"immediate_feedback": false} in the metadata of a source notebook.
    """

    def __init__(
        self,
        course: CourseDirectory,
        daily_limit: int,
        executor: Executor,
        limits: dict[str, object],
        log: Callable[[str], None],
        only: Collection[str] = (),
    ) -> None:
        self.course, self.daily_limit, self.only = course, daily_limit, only
        self.executor, self.limits, self.log = executor, limits, log
        self.api = course_api(course)
        if not self.api.exchange_is_functional:
            raise UsageError(f"the exchange {self.api.exchange_root} cannot be used")
        self.inbound = Path(self.api.exchange_root) / course.course_id / "inbound"
        for assignment in only:
            require_assignment(course, assignment)
        if not self.inbound.is_dir():
            raise UsageError(f"no {self.inbound}: release an assignment first")
        self.journal = Journal(Path(course.root) / JOURNAL)
        self.logged: set[object] = set()
        self.tries: Counter[Arrival] = Counter()
        self.faults: Counter[Arrival] = Counter()  # that were not its own
        self.not_before: dict[Arrival, float] = {}  # on the clock of time.monotonic()
        self.graded = 0  # how many submissions were
        self.graded_at_fault: dict[Arrival, int] = {}  # the same when one met its first fault
        self.in_work: set[tuple[str, str]] = set()  # student, assignment
        self.threads: list[Thread] = []
        self.lock = RLock()  # of nbgrader's steps, and of what is counted here

    def serve(self, stop: Event) -> None:
        """Process the submissions in the exchange, then new ones, until `stop` is set."""
        self.scan()
        for _ in changes(
            self.inbound, stop_event=stop, rust_timeout=RESCAN_MS, yield_on_timeout=True, step=200
        ):
            self.scan()
        for thread in self.threads:
            thread.join()

    def scan(self) -> None:
        """Process what is pending; where the exchange cannot be read, log that."""
        try:
            self.process_pending()
        except OSError as error:
            logger.info("scan", exc_info=True)
            self.log_once(str(error), f"{self.inbound}: {error.strerror}")

    def process_pending(self) -> None:
        """Start to grade all pending submissions: a thread for those of one assignment.

        What arrives meanwhile gets a thread of its own: it waits for a free worker of the executor,
        but for no other submission. Beyond MAX_THREADS it waits until one has ended.
        """
        with self.lock:
            pending = sorted(self.pending())
        self.threads = [thread for thread in self.threads if thread.is_alive()]
        for assignment, group in groupby(pending, key=lambda arrival: arrival.assignment):
            if len(self.threads) < MAX_THREADS:
                arrived = list(group)
                with self.lock:
                    self.in_work.update((arrival.student, assignment) for arrival in arrived)
                thread = Thread(target=self.work, args=(assignment, arrived))
                self.threads.append(thread)
                thread.start()

    def work(self, assignment: str, pending: list[Arrival]) -> None:
        """Process submissions to one assignment, in a thread; log what stops it."""
        try:
            self.process(assignment, pending)
        except Exception as error:  # a thread raises it to no caller
            logger.info("%s", assignment, exc_info=True)
            reason = reason_of(error)
            self.log_once((assignment, reason), f"{assignment}: {reason}")
        finally:
            with self.lock:
                self.in_work.difference_update((each.student, assignment) for each in pending)

    def pending(self) -> Iterator[Arrival]:
        """Yield the newest submission of each student to each assignment, unless processed.

        Students who have reached the daily limit wait until tomorrow.
        """
        known = self.only or set(filter(self.gives_feedback, assignments(self.course)))
        candidates: list[Arrival] = []
        for arrival in filter(is_complete, arrivals(self.inbound)):
            if owned(arrival):
                candidates.append(arrival)
            else:
                self.log_once(arrival, f"{arrival.path.name} belongs to another account: skipped")
        for arrival in newest(candidates):
            if arrival.assignment not in known or self.journal.is_processed(arrival):
                continue
            if (arrival.student, arrival.assignment) in self.in_work:
                continue
            if self.tries[arrival] >= MAX_TRIES:
                continue
            if time.monotonic() < self.not_before.get(arrival, 0.0):
                continue
            if self.journal.today(arrival) >= self.daily_limit:
                limit = f"daily limit of {self.daily_limit} for {arrival.assignment} reached"
                message = f"{arrival.student}: {limit}, the next one tomorrow"
                self.log_once((arrival, date.today()), message)
            else:
                yield arrival

    def gives_feedback(self, assignment: str) -> bool:
        """Whether an assignment is answered at once, where nothing else was asked for."""
        paths = [Path(path) for path in sources(self.course, assignment)]
        if all(allows_feedback(path, path.stat().st_mtime_ns) for path in paths):
            return True
        self.log_once(assignment, f"{assignment}: no immediate feedback, as its notebook says")
        return False

    def process(self, assignment: str, pending: list[Arrival]) -> None:
        """Collect and grade submissions to one assignment, and release their feedback."""
        collected = [arrival for arrival in pending if self.collect(arrival)]
        students = [arrival.student for arrival in collected]
        if not students:
            return
        with self.lock:
            prepare(self.course, assignment, students)
        request = GradingRequest([assignment], self.limits, students=students)
        by_student = {arrival.student: arrival for arrival in collected}

        def answer(results: list[Result]) -> None:
            arrival = by_student[results[0].student]
            with self.lock, self.isolated(arrival):
                self.answer(arrival, results)

        grade(self.course, request, self.executor, on_submission=answer)

    def collect(self, arrival: Arrival) -> bool:
        """Collect a submission; return whether that was possible."""
        target = self.course.format_path(
            self.course.submitted_directory, arrival.student, arrival.assignment
        )
        with self.isolated(arrival):
            for line in copy_submission(arrival, Path(target), self.course):
                self.log_once((arrival, line), f"{arrival.student}: {line}")
            return True
        return False

    @contextmanager
    def isolated(self, arrival: Arrival) -> Iterator[None]:
        """Log a fault with one submission, and go on with the others.

        It is tried again, MAX_TRIES times where the fault may be its own: nothing is entered in the
        journal, since it may be the machine's as well.
        """
        try:
            yield
        except Exception as error:  # whatever it is, it is no reason to let the others wait
            logger.info("%s %s", arrival.student, arrival.assignment, exc_info=True)
            reason = reason_of(error)
            self.log_once((arrival, reason), f"{arrival.student} {arrival.assignment}: {reason}")
            if isinstance(error, LessonError):  # any other may be the machine's
                self.tries[arrival] += 1
            if self.tries[arrival] >= MAX_TRIES:
                again = "not tried again until the next one arrives, or a restart"
                self.log_once((arrival, again), f"{arrival.student} {arrival.assignment}: {again}")

    def answer(self, arrival: Arrival, results: list[Result]) -> None:
        """Release the feedback for a graded submission, and enter it in the journal.

        A fault of the grader or the machine is no answer: the submission is tried again, unless
        others were graded since it met the first of many, so that it seems to be its own.
        """
        for result in results:
            line = f"{arrival.student} {arrival.assignment}: {result.description()}"
            self.log_once((arrival, line), line)
        faults = [result for result in results if result.status.startswith(NOT_GRADED)]
        if faults and not self.is_given_up(arrival):
            self.postpone(arrival)
            return
        self.graded += not faults
        names = arrival.assignment, arrival.student
        refused = [result for result in results if result.status.startswith(FAILED)]
        if faults:
            write_refusal(self.course, arrival.assignment, arrival.student, UNGRADABLE)
        elif refused:
            reason = refused[0].status.removeprefix(FAILED).lstrip(": ")
            write_refusal(self.course, arrival.assignment, arrival.student, reason)
        else:
            left = max(0, self.daily_limit - self.journal.today(arrival) - 1)
            counts = {"daily_limit": self.daily_limit, "left_today": left}
            self.api.update_config(Config(HideTests=counts))
            require_success("generate feedback", self.api.generate_feedback(*names))
        require_success("release feedback", self.api.release_feedback(*names))
        self.journal.add(arrival)

    def is_given_up(self, arrival: Arrival) -> bool:
        """Whether a submission met many faults while others were graded."""
        others = self.graded > self.graded_at_fault.get(arrival, self.graded)
        return others and self.faults[arrival] >= MAX_FAULTS

    def postpone(self, arrival: Arrival) -> None:
        """Let a submission wait until it is tried again, twice as long each time.

        Whether the machine's fault lasts or the submission causes it: no other waits for it.
        """
        self.faults[arrival] += 1
        self.graded_at_fault.setdefault(arrival, self.graded)
        self.not_before[arrival] = time.monotonic() + wait_after(self.faults[arrival])

    def log_once(self, key: object, message: str) -> None:
        """Log a message that would otherwise be repeated at every scan."""
        if key not in self.logged:
            self.logged.add(key)
            self.log(message)


def wait_after(faults: int) -> float:
    """Return the seconds until a submission is tried again that met so many faults."""
    return min(MAX_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2**faults)


@cache
def allows_feedback(source: Path, mtime: int) -> bool:
    """Whether a source notebook, last changed at `mtime`, allows immediate feedback."""
    return nbformat.read(source, as_version=4).metadata.get("immediate_feedback") is not False


def is_complete(arrival: Arrival) -> bool:
    """Whether all files of a submission have arrived."""
    try:
        return arrival.path.lstat().st_mode & 0o777 == COMPLETE
    except OSError:  # it was there a moment ago
        return False


def require_success(action: str, response: dict[str, object]) -> None:
    """Raise LessonError where nbgrader could not do this."""
    if not response["success"]:
        reason = str(response.get("error", "")).strip().splitlines()[-1:]
        raise LessonError(f"nbgrader could not {action}: {' '.join(reason)}")
