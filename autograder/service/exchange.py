"""nbgrader's exchange, as the student of a Jupyter server uses it.

All classes are nbgrader's, or those that the course configures in their place. Paths are absolute,
so that no working folder is changed: the server's other threads have the same.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nbgrader.apps.baseapp import NbGrader
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeError, ExchangeFactory
from nbgrader.utils import get_username, parse_utc
from traitlets.config import Application, Config

from autograder.errors import LessonError, one_line
from autograder.grading.deadlines import PUBLIC_FILE

log = logging.getLogger(__name__)
NO_EXCHANGE = "Lessons cannot be fetched or handed in here: there is no exchange."


@dataclass(frozen=True)
class Submission:
    """A hand-in, in nbgrader's cache of this student."""

    folder: Path
    timestamp: str
    has_feedback: bool  # of each notebook that is in `notebooks`
    is_fetched: bool

    @property
    def time(self) -> datetime:
        """The time of the hand-in."""
        return in_utc(self.timestamp)


@dataclass(frozen=True)
class Deadline:
    """When a lesson is due (UTC), and what lateness costs, in a sentence."""

    due: datetime
    policy: str


class StudentExchange:
    """The exchange of one student, whose lessons are below the folder `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config = load_config(root)
        course = CourseDirectory(config=self.config)
        self.student: str = course.student_id if course.student_id != "*" else get_username()
        self.ignore, self.include = course.ignore, course.include
        self.max_file_bytes, self.max_bytes = (
            1000 * kilobytes for kilobytes in (course.max_file_size, course.max_dir_size)
        )
        self.course: str = course.course_id
        lister = self.start("List", run=False)
        self.includes_course: bool = lister.path_includes_course
        self.assignment_dir = Path(lister.assignment_dir)
        self.exchange_root = Path(getattr(lister, "root", ""))

    def start(self, step: str, run: bool = True, assignment: str = "", **settings: Any) -> Any:
        """Run a step of nbgrader's exchange, such as "Submit"; return its object.

        `settings` are for the step's class.
        """
        config = Config(self.config)  # a copy
        where = Path(config.Exchange.get("assignment_dir", "."))
        config.Exchange.assignment_dir = str(settings.pop("source", self.root / where))
        config.CourseDirectory.course_id = self.course
        config.CourseDirectory.assignment_id = assignment
        config[f"Exchange{step}"].update(settings)
        done = getattr(ExchangeFactory(config=config), step)(
            coursedir=CourseDirectory(config=config),
            authenticator=Authenticator(config=config),
            config=config,
        )
        done.log = log  # instead of the server's: what fails is said in the page
        if run:
            with readable_errors():
                done.start()
        return done

    def released(self) -> list[str]:
        """Return the names of the released lessons. Raise LessonError without an exchange."""
        return sorted(entry["assignment_id"] for entry in self.listed())

    def submissions(self) -> dict[str, list[Submission]]:
        """Return what was handed in by lesson, the oldest first."""
        return {
            lesson["assignment_id"]: [submission(entry) for entry in lesson["submissions"]]
            for lesson in self.listed(cached=True)
        }

    def listed(self, **settings: Any) -> list[dict[str, Any]]:
        """Return nbgrader's list of the lessons of this course; one that is alone needs no name."""
        lister = self.start("List", run=False, **settings)
        with readable_errors():
            entries = lister.start()
        courses = {entry["course_id"] for entry in entries}
        if not self.course and len(courses) == 1:
            self.course = courses.pop()
        return [entry for entry in entries if entry["course_id"] == self.course]

    def folder_of(self, lesson: str) -> Path:
        """Return the folder of a lesson in the student's home."""
        return self.assignment_dir / (self.course if self.includes_course else "") / lesson

    def released_folder(self, lesson: str) -> Path | None:
        """Return the folder of a released lesson; None where the exchange shows no folders."""
        folder = self.exchange_root / self.course / "outbound" / lesson
        return folder if self.course and folder.is_dir() else None

    def deadlines(self) -> dict[str, Deadline]:
        """Return when lessons are due and what lateness costs, where that is published."""
        path = self.exchange_root / self.course / PUBLIC_FILE
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            return {
                lesson: Deadline(datetime.fromisoformat(entry["due"]), str(entry["policy"]))
                for lesson, entry in json.loads(path.read_text()).items()
            }
        return {}

    def fetch(self, lesson: str) -> None:
        """Fetch a lesson into the student's home; of one that is there, what is missing."""
        self.start("FetchAssignment", assignment=lesson, replace_missing_files=True)

    def fetch_feedback(self, lesson: str) -> None:
        """Fetch the feedback on all hand-ins of a lesson."""
        self.start("FetchFeedback", assignment=lesson)

    def submit(self, lesson: str, folder: Path) -> datetime:
        """Hand in a lesson whose copy is below `folder`, as its own is below root; return when."""
        return in_utc(self.start("Submit", assignment=lesson, source=folder).timestamp)


def load_config(root: Path) -> Config:
    """Return nbgrader's configuration for a server: that of Jupyter's folders, and of `root`."""
    app = NbGrader()
    app.log_level = logging.CRITICAL
    app.load_cwd_config = False
    app.load_config_file()
    Application.load_config_file(app, app.config_file_name, str(root))
    return app.config


@contextmanager
def readable_errors() -> Iterator[None]:
    """Raise LessonError with one line for what nbgrader's exchange refuses."""
    try:
        yield
    except ExchangeError as error:
        log.info("exchange", exc_info=True)
        unusable = str(error).startswith("Unwritable directory")
        raise LessonError(NO_EXCHANGE if unusable else one_line(error)) from None


def submission(entry: dict[str, Any]) -> Submission:
    """Return a hand-in from nbgrader's list.

    A notebook of the student's own that lies beside the lesson's never gets feedback: one with
    feedback is enough.
    """
    notebooks = entry["notebooks"]
    return Submission(
        folder=Path(entry["path"]),
        timestamp=entry["timestamp"],
        has_feedback=any(notebook["has_exchange_feedback"] for notebook in notebooks),
        is_fetched=all(
            notebook["has_local_feedback"] and not notebook["feedback_updated"]
            for notebook in notebooks
            if notebook["has_exchange_feedback"]
        ),
    )


def in_utc(timestamp: str) -> datetime:
    """Return the time of one of nbgrader's timestamps."""
    return parse_utc(timestamp).replace(tzinfo=UTC)
